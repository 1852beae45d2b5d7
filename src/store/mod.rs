//! Floor 1: what is on disk. The only rusqlite, the only SQL.
//!
//! - [`Store`]: open, read (a pool of read-only connections), write (one writer thread).
//! - The writer: `writer` (the loop), `turns` (what takes long), `checkpoint`, `batch` (a transaction) and `items` (what is in it),
//!   `work` and `queue` (what waits), `tx` (what a transaction sees and gathers), [`handover`] (what the dispatcher is told).
//! - The hot path: [`publish`] (and [`publish_batch`]; `published`: what was accepted before) and [`outcome`]; `page` for
//!   what memory had no room for (`unread`: how that is told if it fails).
//! - By hand: [`intervene`] (retry and cancel one delivery), `blank` and `blanking` (delete what an event was about), [`restored`] (what a
//!   restore holds back; [`restore`]: how a backup is made ready).
//! - Behind it: `soundness` (a check after a crash), `fill` (list indexes), `bulk` (changes to very many rows; `bulk_kind`: which there are),
//!   `replaying` (`replay_judging`: what is sent again), [`tenant_jobs`], [`cleanup`], [`backup`]; `background` gives jobs their turns, `jobs` says whose it is.
//! - A file for each table: [`tenants`], [`endpoints`] (and `endpoint_state`), [`events`], [`deliveries`], [`attempts`], [`keys`],
//!   [`event_types`], [`formats`], [`replays`], [`operators`], [`sessions`], [`links`], [`settings`], [`audit`], [`alerts`], [`mail_server`], `health`,
//!   [`hourly`], `meta`; `migrations` makes them.
//! - At a glance: [`backlog`] (what waits), [`depth`] (how much, for monitoring), [`trouble`] (which endpoints need a hand), [`space`] (room on the disk),
//!   `endpoint_lists`, `event_deliveries` (where an event went).
//! - In memory: `shared` (all of it), `last_use` (of keys and sessions), [`directory`] (endpoints, parsed), [`times`] (the scheduler's scale of time), [`figures`] (what was
//!   counted since the start, sizes as a [`distribution`]).

pub mod alerts;
mod answer;
pub mod attempts;
pub mod audit;
mod background;
pub mod backlog;
pub mod backup;
mod batch;
mod blank;
mod blanking;
mod bulk;
mod bulk_kind;
mod checkpoint;
pub mod cleanup;
mod connection;
mod cut_off;
pub mod deliveries;
mod delivery_lists;
pub mod depth;
pub mod directory;
pub mod distribution;
mod endpoint_lists;
mod endpoint_state;
pub mod endpoints;
mod error;
pub mod event_deliveries;
pub mod event_types;
pub mod events;
pub mod examine;
pub mod figures;
mod fill;
pub mod formats;
pub mod handover;
pub mod health;
pub mod hourly;
pub mod idempotent;
pub mod intervene;
mod items;
mod jobs;
pub mod keys;
mod last_use;
pub mod links;
pub mod lists;
pub mod mail_server;
pub mod matched;
mod meta;
mod migrations;
mod open;
pub mod operators;
pub mod outcome;
mod page;
pub mod publish;
pub mod publish_batch;
mod published;
mod queue;
mod reader;
mod replay_event;
mod replay_judging;
mod replaying;
pub mod replays;
pub mod restore;
pub mod restored;
pub mod revisions;
mod routes;
mod sealing;
pub mod sessions;
pub mod settings;
mod shared;
mod soundness;
pub mod space;
pub mod tenant_jobs;
pub mod tenants;
pub mod test_event;
#[cfg(test)]
mod tests;
pub mod times;
pub mod trouble;
mod turns;
mod tx;
mod unread;
pub mod vault;
mod work;
mod writer;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use r2d2_sqlite::SqliteConnectionManager;

use crate::random::Random;

pub use answer::{Answer, Promise};
pub use error::StoreError;
pub use open::{OpenError, StoreConfig};
pub use reader::{EXAMINED, Listed, Reader};
pub(crate) use shared::Shared;
pub use tx::Tx;

use directory::Directory;
use keys::Keys;
use outcome::Outcome;
use publish::{NewEvent, PublishError, Published};
use publish_batch::{BatchDone, BatchError, NewBatch};
use queue::Queue;
use sessions::Sessions;
use times::Times;
use work::{Closure, Work};

/// The file, its writer thread and its readers. Shared by everyone through an `Arc`.
pub struct Store {
    shared: Arc<Shared>,
    queue: Arc<Queue<Work>>,
    /// Gone once the store is closed.
    readers: RwLock<Option<r2d2::Pool<SqliteConnectionManager>>>,
    path: PathBuf,
    /// The folder of backups.
    backups: PathBuf,
    writer: Mutex<Option<JoinHandle<()>>>,
    check: Mutex<Option<soundness::Check>>,
}

impl Store {
    /// Endpoints and settings in memory.
    pub fn directory(&self) -> &Directory {
        &self.shared.directory
    }

    /// API keys in memory.
    pub fn keys(&self) -> &Keys {
        &self.shared.keys
    }

    /// Sessions of operators in memory.
    pub fn sessions(&self) -> &Sessions {
        &self.shared.sessions
    }

    /// The scales of time.
    pub fn times(&self) -> &Times {
        &self.shared.times
    }

    /// Where randomness comes from.
    pub fn random(&self) -> &Arc<dyn Random> {
        &self.shared.random
    }

    /// Why nothing can be written at present.
    pub fn trouble(&self) -> Option<String> {
        self.shared.trouble()
    }

    /// What is wrong with the file, as a check after a crash has found.
    pub fn damage(&self) -> Option<String> {
        self.shared.damage.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Bytes and items that wait for the writer.
    pub fn load(&self) -> (usize, usize) {
        self.queue.load()
    }

    /// What was counted since the start.
    pub fn figures(&self) -> figures::Counted {
        self.shared.figures.read()
    }

    /// Bytes of the database file, and of the WAL beside it.
    pub fn sizes(&self) -> (u64, u64) {
        let size = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |file| file.len());
        let mut wal = self.path.clone().into_os_string();
        wal.push("-wal");
        // Without a WAL there is no such file.
        (size(&self.path), size(wal.as_ref()))
    }

    /// Reads in one transaction: all of `work` sees the same state. Blocks while all connections are in use.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when no connection came free within 2 s; else whatever `work` fails with.
    pub fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Reader<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let failed = |error: rusqlite::Error| E::from(StoreError::from(error));
        let readers = self.readers.read().unwrap_or_else(PoisonError::into_inner).clone();
        let readers = readers.ok_or_else(|| E::from(StoreError::Stopping))?;
        let mut connection = readers.get().map_err(|error| E::from(StoreError::from(error)))?;
        let transaction = connection.transaction().map_err(failed)?;
        work(&Reader::new(&transaction, &self.shared))
    }

    /// Runs `work` on the writer's thread in the next transaction, in a savepoint of its own.
    ///
    /// The answer comes when the transaction is on disk. If `work` fails, nothing of it remains.
    ///
    /// # Errors
    /// In the answer: what `work` fails with, or that the queue is full or the commit failed. While nothing can be
    /// written, that is the answer at once: the writer finds out by itself when it can.
    pub fn write<T, E>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Answer<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        Self::write_to(&self.shared, &self.queue, work)
    }

    /// The same for threads of the store itself.
    fn write_to<T, E>(
        shared: &Shared,
        queue: &Queue<Work>,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Answer<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        if let Some(reason) = shared.trouble() {
            return Answer::ready(Err(E::from(StoreError::Unavailable(reason))));
        }
        let (reply, answer) = Answer::new();
        match queue.push(Work::Task(Box::new(Closure::new(work, reply)))) {
            Ok(()) => answer,
            Err(error) => Answer::ready(Err(E::from(error))),
        }
    }

    /// The same as [`Store::write`], for an answer that was promised before.
    pub fn write_for<T, E>(
        &self,
        promise: Promise<T, E>,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        // What was promised is not given up because the queue is full; few things are promised at a time.
        // Once the store is closed, the promise is dropped, which its answer takes as just that.
        drop(self.queue.push_always(Work::Task(Box::new(Closure::new(work, promise.0)))));
    }

    /// Accepts an event. The answer comes when it and its deliveries are on disk.
    ///
    /// # Errors
    /// In the answer: see [`PublishError`].
    pub fn publish(&self, event: NewEvent) -> Answer<Published, PublishError> {
        if let Some(reason) = self.trouble() {
            return Answer::ready(Err(StoreError::Unavailable(reason).into()));
        }
        let (reply, answer) = Answer::new();
        match self.queue.push(Work::Publish(Box::new(event), reply)) {
            Ok(()) => answer,
            Err(error) => Answer::ready(Err(error.into())),
        }
    }

    /// Accepts several events, all or none, as one piece of work. `answer` makes the text that a repetition with the
    /// same idempotency key is answered with; it is only called if there is one.
    ///
    /// # Errors
    /// In the answer: see [`BatchError`].
    pub fn publish_batch(
        &self,
        batch: NewBatch,
        answer: fn(&[Published]) -> Result<String, StoreError>,
    ) -> Answer<BatchDone, BatchError> {
        if let Some(reason) = self.trouble() {
            return Answer::ready(Err(StoreError::Unavailable(reason).into()));
        }
        let (reply, promised) = Answer::new();
        let weight = batch.weight();
        let work = Closure::weighing(weight, move |tx: &mut Tx<'_>| tx.publish_batch(&batch, answer), reply);
        match self.queue.push(Work::Task(Box::new(work))) {
            Ok(()) => promised,
            Err(error) => Answer::ready(Err(error.into())),
        }
    }

    /// Hands an outcome to the writer and does not wait. The dispatcher bounds how many there are.
    pub fn settle(&self, outcome: Outcome) {
        if let Err(Work::Outcome(outcome)) = self.queue.push_always(Work::Outcome(Box::new(outcome))) {
            writer::too_late(&outcome);
        }
    }

    /// Wakes the writer: the dispatcher wants a page.
    pub fn nudge(&self) {
        self.queue.nudge();
    }

    /// Stops: what is in the queue is still written. May be called twice.
    pub fn close(&self) {
        if let Some(backup) = self.shared.backups.close() {
            self.queue.nudge();
            if backup.join().is_err() {
                tracing::error!("the thread of a backup had panicked");
            }
        }
        // Before the writer's connection: the last one to close folds the WAL back, and only one that writes can.
        let check = self.check.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(check) = check {
            check.stop();
        }
        drop(self.readers.write().unwrap_or_else(PoisonError::into_inner).take());
        self.queue.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer
            && writer.join().is_err()
        {
            tracing::error!("the writer thread had panicked");
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}
