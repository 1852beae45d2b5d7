//! One transaction of the writer: whatever waits, one commit, one sync, then everyone's answer.

use rusqlite::Connection;

use crate::clock::Stopwatch;

use super::Shared;
use super::error::StoreError;
use super::handover::{Change, Handover};
use super::items::{Trouble, finish, run_items};
use super::outcome::Outcome;
use super::tx::{DirectoryChange, Gathered, Kept, Tx};
use super::work::{PublishResult, Work, answer};

/// What the writer works with.
pub(super) struct Desk<'a> {
    pub(super) connection: &'a Connection,
    pub(super) shared: &'a Shared,
    pub(super) handover: &'a dyn Handover,
    pub(super) kept: &'a mut Kept,
}

/// What came of a batch.
pub(super) struct Done {
    /// Outcomes that are not on disk because the commit failed: to be tried again, in this order.
    pub(super) again: Vec<Outcome>,
    /// Why the commit failed.
    pub(super) failed: Option<String>,
}

impl Desk<'_> {
    /// Runs a batch, and answers whoever waits for it.
    pub(super) fn run(&mut self, mut items: Vec<Work>) -> Done {
        let mut results = Vec::new();
        let outcome = match self.attempt(&mut items, &mut results, false) {
            Err(Trouble::Item) => {
                // Some item failed: all again, each in a savepoint of its own, so that it fails alone.
                results.clear();
                self.attempt(&mut items, &mut results, true)
            }
            other => other,
        };
        match outcome {
            Ok(changes) => {
                self.shared.figures.batch(items.len());
                self.handover.committed(changes);
                answer(items, results, None);
                Done { again: Vec::new(), failed: None }
            }
            Err(trouble) => {
                let text = trouble.to_string();
                self.pause(&text);
                let again = answer(items, results, Some(&text));
                Done { again, failed: Some(text) }
            }
        }
    }

    /// Nothing can be written, for this reason. Before anybody is answered: who reads a refusal finds deliveries
    /// paused, and every further call refused.
    pub(super) fn pause(&self, reason: &str) {
        if self.shared.trouble().is_none() {
            self.shared.set_trouble(Some(reason.to_owned()));
            self.handover.unavailable(Some(reason));
        }
    }

    /// A transaction of the writer's own, for work that nobody waits for.
    pub(super) fn background<T>(
        &mut self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut tx = Tx::new(self.connection, self.shared, self.handover, self.kept);
        let worked = tx.savepoint(work).and_then(|value| Ok((value, finish(&mut tx)?)));
        let gathered = std::mem::take(&mut tx.gathered);
        let committed = worked.and_then(|(value, taken)| {
            self.commit()?;
            Ok((value, taken))
        });
        match committed {
            Ok((value, taken)) => {
                let changes = self.committed(gathered, taken);
                if !changes.is_empty() {
                    self.handover.committed(changes);
                }
                Ok(value)
            }
            Err(error) => {
                self.rollback();
                Err(error)
            }
        }
    }

    /// One try at the whole batch. After an `Err` nothing of it is in the file or in memory.
    fn attempt(
        &mut self,
        items: &mut [Work],
        results: &mut Vec<Option<PublishResult>>,
        careful: bool,
    ) -> Result<Vec<Change>, Trouble> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(Trouble::environment)?;
        let mut tx = Tx::new(self.connection, self.shared, self.handover, self.kept);
        let worked = run_items(&mut tx, items, results, careful).and_then(|()| finish(&mut tx));
        let gathered = std::mem::take(&mut tx.gathered);
        match worked {
            Ok(taken) => {
                if let Err(error) = self.commit() {
                    self.rollback();
                    return Err(Trouble::environment(error));
                }
                Ok(self.committed(gathered, taken))
            }
            Err(trouble) => {
                self.rollback();
                Err(trouble)
            }
        }
    }

    fn commit(&self) -> rusqlite::Result<()> {
        let watch = Stopwatch::start();
        let committed = self.connection.execute_batch("COMMIT");
        self.shared.figures.commit(watch.elapsed(), committed.is_ok());
        committed
    }

    fn rollback(&self) {
        // After some errors SQLite has rolled back by itself.
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }

    /// The transaction is on disk: what it gathered comes into force in memory.
    fn committed(&mut self, gathered: Gathered, taken: super::fill::Taken) -> Vec<Change> {
        let directory = &self.shared.directory;
        self.shared.figures.committed(&gathered.tally);
        for change in gathered.directory {
            match change {
                DirectoryChange::Tenant(id, name) => directory.put_tenant(id, &name),
                DirectoryChange::TenantGone(name) => directory.remove_tenant(&name),
                DirectoryChange::Settings(settings) => {
                    directory.put_settings(settings);
                    self.handover.time_of_day_changed();
                }
                DirectoryChange::Keys(keys) => self.shared.keys.replace(keys),
                DirectoryChange::Operators(known) => self.shared.sessions.replace(known),
                DirectoryChange::EventType(name, entry) => self.shared.event_types.change(name, entry),
            }
        }
        let mut changed = Vec::with_capacity(gathered.routes.len());
        for (id, route) in gathered.routes {
            match route {
                Some(route) => changed.push(route),
                None => directory.remove_route(id),
            }
        }
        directory.put_routes(changed);
        // What a turn took in was there before this transaction's own rows.
        self.kept.unfilled.took(taken);
        self.kept.unfilled.committed(gathered.rows);
        if let Some(offset) = gathered.offset {
            self.shared.written_offset.store(offset, std::sync::atomic::Ordering::Relaxed);
        }
        if let Some(ahead) = gathered.ahead_until {
            self.kept.ahead_until = ahead;
        }
        // Before anybody is answered.
        if gathered.empty_wal
            && let Some(checkpoints) = &mut self.kept.checkpoints
        {
            checkpoints.empty(self.connection);
        }
        for endpoint in gathered.bulk {
            self.kept.bulk.add(endpoint);
        }
        for replay in gathered.replays {
            self.kept.replays.add(replay);
        }
        for deletion in gathered.deletions {
            self.kept.deletions.add(deletion);
        }
        for event in gathered.blankings {
            self.kept.blankings.add(event);
        }
        gathered.changes
    }
}
