//! A transaction of the writer, as the tables' files see it.
//!
//! What a transaction changes in memory is gathered here and applied only after its commit: changes for the
//! dispatcher, the directory of endpoints, what the tables filled behind have to take in. Health and hourly
//! counters are gathered as well and written once per endpoint at the end, however many outcomes there were.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use crate::domain::ids::{self, EndpointId};
use crate::domain::names::{EventType, TenantName};
use crate::domain::settings::Settings;
use crate::domain::time::UnixMs;
use crate::panics;

use super::Shared;
use super::checkpoint::Checkpoints;
use super::directory::Route;
use super::figures::Tally;
use super::fill::{NewRows, Unfilled};
use super::handover::{Change, Handover};
use super::health::HealthRow;
use super::hourly::Hour;
use super::meta::{self, Meta};
use super::reader::Reader;
use super::times::SteadyMs;

/// What the writer keeps between transactions.
pub(super) struct Kept {
    /// The greatest id that was ever allotted.
    pub(super) last_id: i64,
    /// What the tables filled behind do not hold yet.
    pub(super) unfilled: Unfilled,
    /// The last id that is noted as allotted while the clock was behind.
    pub(super) ahead_until: i64,
    /// Endpoints with a change to many rows that is not finished.
    pub(super) bulk: super::bulk::Bulk,
    /// `None`: somebody else copies the WAL back.
    pub(super) checkpoints: Option<Checkpoints>,
    /// Replays that are not over.
    pub(super) replays: super::jobs::Jobs<crate::domain::ids::ReplayId>,
    /// Deletions of tenants that are not over.
    pub(super) deletions: super::jobs::Jobs<crate::domain::ids::TenantDeletionId>,
    /// Events without data whose deliveries are not all done.
    pub(super) blankings: super::jobs::Jobs<crate::domain::ids::EventId>,
    /// Idempotency keys of replays.
    pub(super) other_keys: super::idempotent::OtherKeys,
    /// A cleanup is under way: the tables filled behind are to be complete.
    pub(super) fill_all: bool,
}

/// A change of the directory, for after the commit.
pub(super) enum DirectoryChange {
    Tenant(i64, TenantName),
    TenantGone(TenantName),
    Settings(Arc<Settings>),
    Keys(super::keys::KeyMap),
    Operators(super::sessions::Known),
    /// `None`: it is not in the catalogue any more.
    EventType(EventType, Option<super::event_types::Entry>),
}

/// What a transaction has gathered so far.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) changes: Vec<Change>,
    pub(super) directory: Vec<DirectoryChange>,
    /// Endpoints as this transaction has left them; `None`: deleted.
    pub(super) routes: HashMap<EndpointId, Option<Arc<Route>>>,
    pub(super) health: HashMap<EndpointId, HealthRow>,
    pub(super) hours: HashMap<(EndpointId, i64), Hour>,
    /// What counts once it is on disk; outcomes from [`Tx::flush`] on.
    pub(super) tally: Tally,
    pub(super) rows: NewRows,
    /// Bulk changes that were added: the endpoints.
    pub(super) bulk: Vec<EndpointId>,
    /// Replays that were started.
    pub(super) replays: Vec<crate::domain::ids::ReplayId>,
    /// Deletions of tenants that were started.
    pub(super) deletions: Vec<crate::domain::ids::TenantDeletionId>,
    /// Events whose data was deleted, and whose deliveries are not all done.
    pub(super) blankings: Vec<crate::domain::ids::EventId>,
    /// See [`Meta::AheadUntil`].
    pub(super) ahead_until: Option<i64>,
    /// See [`Meta::SteadyOffset`].
    pub(super) offset: Option<i64>,
    /// The WAL holds what was to be deleted for good.
    pub(super) empty_wal: bool,
}

/// Ids that are further ahead of the clock than this are noted, so that lists by time still find their rows.
pub(super) const AHEAD: Duration = Duration::from_mins(1);

/// A transaction on the only connection that writes. Its `now` is the same for all of it.
pub struct Tx<'a> {
    reader: Reader<'a>,
    pub(super) handover: &'a dyn Handover,
    pub(super) kept: &'a mut Kept,
    pub(super) gathered: Gathered,
    /// The wall clock, once for the whole transaction.
    pub now: UnixMs,
    /// The scheduler's time, once for the whole transaction: what begins in it waits from then on.
    pub steady: SteadyMs,
    /// Milliseconds that the server ran.
    pub(super) up_ms: i64,
}

impl<'a> Deref for Tx<'a> {
    type Target = Reader<'a>;

    fn deref(&self) -> &Reader<'a> {
        &self.reader
    }
}

impl<'a> Tx<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        shared: &'a Shared,
        handover: &'a dyn Handover,
        kept: &'a mut Kept,
    ) -> Self {
        let times = &shared.times;
        Self {
            reader: Reader::new(connection, shared),
            handover,
            kept,
            gathered: Gathered::default(),
            now: times.wall(),
            steady: times.next_steady(),
            up_ms: times.up_ms(),
        }
    }

    /// The next id: greater than every other, and the time in its upper bits unless ids are ahead of the clock.
    pub(super) fn allot(&mut self) -> i64 {
        let next = (self.kept.last_id + 1).max(ids::first_at(self.now));
        self.kept.last_id = next;
        next
    }

    /// An endpoint as this transaction sees it.
    pub fn route(&self, id: EndpointId) -> Option<Arc<Route>> {
        match self.gathered.routes.get(&id) {
            Some(changed) => changed.clone(),
            None => self.shared().directory.route(id),
        }
    }

    /// Notes that an endpoint looks like this from now on.
    pub(super) fn put_route(&mut self, route: Arc<Route>) {
        self.gathered.routes.insert(route.id, Some(Arc::clone(&route)));
        self.gathered.changes.push(Change::Route(route));
    }

    /// Notes that an endpoint is gone.
    pub(super) fn remove_route(&mut self, id: EndpointId) {
        self.gathered.routes.insert(id, None);
        self.gathered.changes.push(Change::Gone(id));
    }

    /// Writes what was gathered for the end: health, counters, and the mark of ids that are ahead of the clock.
    pub(super) fn flush(&mut self) -> rusqlite::Result<()> {
        for (endpoint, health) in std::mem::take(&mut self.gathered.health) {
            super::health::write(self.connection(), endpoint, &health)?;
        }
        let mut totals: HashMap<i64, Hour> = HashMap::new();
        for ((endpoint, hour), counts) in std::mem::take(&mut self.gathered.hours) {
            super::hourly::add(self.connection(), endpoint, hour, &counts)?;
            totals.entry(hour).or_default().add(&counts);
        }
        for (hour, counts) in totals {
            super::hourly::add_total(self.connection(), hour, &counts)?;
            self.gathered.tally.hour.add(&counts);
        }
        let last = self.kept.last_id;
        let known = self.gathered.ahead_until.unwrap_or(self.kept.ahead_until);
        if last >= ids::first_at(self.now.plus(AHEAD)) && last > known {
            meta::set(self.connection(), Meta::AheadUntil, last)?;
            self.gathered.ahead_until = Some(last);
        }
        Ok(())
    }

    /// Runs `work` in a savepoint: if it fails (or panics), nothing of it remains, in the file or in memory.
    pub(super) fn savepoint<T, E>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E>
    where
        E: From<super::error::StoreError>,
    {
        let failed = |error: rusqlite::Error| E::from(super::error::StoreError::from(error));
        self.flush().map_err(failed)?;
        self.connection().execute_batch("SAVEPOINT item").map_err(failed)?;
        // What was gathered before stays visible inside: endpoints, what is about to happen to deliveries, and the ids
        // and keys of events.
        let inner = Gathered {
            routes: self.gathered.routes.clone(),
            bulk: self.gathered.bulk.clone(),
            blankings: self.gathered.blankings.clone(),
            rows: std::mem::take(&mut self.gathered.rows),
            ..Gathered::default()
        };
        let rows_before = inner.rows.len();
        let outer = std::mem::replace(&mut self.gathered, inner);
        let result = panics::caught(|| {
            let value = work(self)?;
            self.flush().map_err(failed)?;
            Ok(value)
        });
        let result = result.unwrap_or_else(|panic| {
            tracing::error!(panic, "a write panicked and was undone");
            Err(E::from(super::error::StoreError::Internal(format!("a write panicked: {panic}"))))
        });
        let mut inner = std::mem::replace(&mut self.gathered, outer);
        if result.is_ok() {
            self.gathered.append(inner);
            self.connection().execute_batch("RELEASE item").map_err(failed)?;
        } else {
            inner.rows.cut(rows_before);
            self.gathered.rows = inner.rows;
            // A full disk or an I/O error ends the whole transaction: see `is_over`.
            if !self.is_over() {
                self.connection().execute_batch("ROLLBACK TO item; RELEASE item").map_err(failed)?;
            }
        }
        result
    }

    /// Whether SQLite has rolled the whole transaction back by itself, as it does after some errors of the disk.
    /// Whatever was written now would be a transaction of its own.
    pub(super) fn is_over(&self) -> bool {
        self.connection().is_autocommit()
    }
}

impl Gathered {
    fn append(&mut self, later: Self) {
        self.changes.extend(later.changes);
        self.directory.extend(later.directory);
        self.routes = later.routes;
        // Taken over at the start of the savepoint.
        self.rows = later.rows;
        self.bulk = later.bulk;
        self.blankings = later.blankings;
        self.empty_wal |= later.empty_wal;
        self.replays.extend(later.replays);
        self.deletions.extend(later.deletions);
        self.ahead_until = later.ahead_until.or(self.ahead_until);
        self.tally.add(&later.tally);
        // Health and hours were flushed inside the savepoint.
    }
}
