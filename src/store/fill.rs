//! Tables filled behind.
//!
//! Writing the list indexes by endpoint and by tenant with every row would cost more than all else together:
//! each is a random page. So they are written later, sorted, [`TURN`] rows at a time, in the transaction of some
//! batch, together with the watermark up to which they are complete. A list reads the index up to the watermark
//! and walks the primary key above it; at most a few thousand rows ever lie there: when batches bring more than
//! [`TURN`] rows each, what goes beyond [`BEHIND`] is taken in as well.
//!
//! The look-up of idempotency keys and own ids is filled in the same way; what is not in it yet is in memory.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::meta::{self, Meta};

/// Rows of a turn.
pub(super) const TURN: usize = 1_024;
/// Rows that may wait after a turn.
const BEHIND: usize = 4 * TURN;

/// A delivery that the list indexes do not hold yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewDelivery {
    pub(super) id: i64,
    pub(super) endpoint: i64,
    pub(super) tenant: i64,
}

/// An event that they do not hold yet, with the hashes that lead to it.
#[derive(Debug, Clone)]
pub(super) struct NewEvent {
    pub(super) id: i64,
    pub(super) tenant: i64,
    pub(super) hashes: Vec<i64>,
}

/// Rows of one transaction.
#[derive(Debug, Default)]
pub(super) struct NewRows {
    pub(super) deliveries: Vec<NewDelivery>,
    pub(super) events: Vec<NewEvent>,
    keys: HashMap<i64, Vec<i64>>,
}

impl NewRows {
    /// Adds an event and its hashes.
    pub(super) fn push_event(&mut self, event: NewEvent) {
        for hash in &event.hashes {
            self.keys.entry(*hash).or_default().push(event.id);
        }
        self.events.push(event);
    }

    /// Events of this transaction under a hash.
    pub(super) fn under(&self, hash: i64) -> &[i64] {
        self.keys.get(&hash).map_or(&[], Vec::as_slice)
    }

    pub(super) fn append(&mut self, later: Self) {
        self.deliveries.extend(later.deliveries);
        for event in later.events {
            self.push_event(event);
        }
    }

    /// How many there are, for [`NewRows::cut`].
    pub(super) fn len(&self) -> Taken {
        Taken { deliveries: self.deliveries.len(), events: self.events.len() }
    }

    /// Takes back what was added since.
    pub(super) fn cut(&mut self, len: Taken) {
        self.deliveries.truncate(len.deliveries);
        for event in self.events.split_off(len.events) {
            self.forget_keys(&event);
        }
    }

    fn forget_keys(&mut self, event: &NewEvent) {
        for hash in &event.hashes {
            if let Some(ids) = self.keys.get_mut(hash) {
                ids.retain(|id| *id != event.id);
                if ids.is_empty() {
                    self.keys.remove(hash);
                }
            }
        }
    }
}

/// Committed rows that wait to be taken in, in the order of their ids.
#[derive(Debug, Default)]
pub(super) struct Unfilled {
    rows: NewRows,
}

/// How much of [`Unfilled`] a transaction has taken in; dropped from it once that is committed.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Taken {
    deliveries: usize,
    events: usize,
}

impl Unfilled {
    /// Reads what lies above the watermarks, at the start.
    pub(super) fn load(
        connection: &Connection,
        hashes: impl Fn(i64, Option<&str>, Option<&str>) -> Vec<i64>,
    ) -> rusqlite::Result<Self> {
        let mut rows = NewRows::default();
        let after = meta::get::<i64>(connection, Meta::FilledDeliveries)?.unwrap_or(0);
        let mut statement = connection
            .prepare("SELECT id, endpoint_id, tenant_id FROM deliveries WHERE id > ?1 ORDER BY id")?;
        let mut found = statement.query([after])?;
        while let Some(row) = found.next()? {
            rows.deliveries.push(NewDelivery { id: row.get(0)?, endpoint: row.get(1)?, tenant: row.get(2)? });
        }
        let after = meta::get::<i64>(connection, Meta::FilledEvents)?.unwrap_or(0);
        let mut statement = connection
            .prepare("SELECT id, tenant_id, own_id, idempotency_key FROM events WHERE id > ?1 ORDER BY id")?;
        let mut found = statement.query([after])?;
        while let Some(row) = found.next()? {
            let (id, tenant) = (row.get(0)?, row.get(1)?);
            let own: Option<String> = row.get(2)?;
            let key: Option<String> = row.get(3)?;
            rows.push_event(NewEvent { id, tenant, hashes: hashes(tenant, own.as_deref(), key.as_deref()) });
        }
        Ok(Self { rows })
    }

    /// Takes over the rows of a transaction that was committed.
    pub(super) fn committed(&mut self, rows: NewRows) {
        self.rows.append(rows);
    }

    /// Events under a hash that the look-up table does not hold yet.
    pub(super) fn under(&self, hash: i64) -> &[i64] {
        self.rows.under(hash)
    }

    /// Whether a turn is worth its while.
    pub(super) fn is_due(&self) -> bool {
        self.rows.deliveries.len() >= TURN || self.rows.events.len() >= TURN
    }

    /// The oldest row that waits.
    pub(super) fn oldest(&self) -> Option<i64> {
        let delivery = self.rows.deliveries.first().map(|row| row.id);
        delivery.into_iter().chain(self.rows.events.first().map(|row| row.id)).min()
    }

    /// Whether a delivery of this endpoint waits.
    pub(super) fn concerns(&self, endpoint: i64) -> bool {
        self.rows.deliveries.iter().any(|row| row.endpoint == endpoint)
    }

    /// Whether everything is taken in.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.deliveries.is_empty() && self.rows.events.is_empty()
    }

    /// Writes one turn in the open transaction.
    pub(super) fn turn(&self, connection: &Connection) -> rusqlite::Result<Taken> {
        let taken =
            Taken { deliveries: share(self.rows.deliveries.len()), events: share(self.rows.events.len()) };
        fill_deliveries(connection, &self.rows.deliveries[..taken.deliveries])?;
        fill_events(connection, &self.rows.events[..taken.events])?;
        Ok(taken)
    }

    /// The turn was committed.
    pub(super) fn took(&mut self, taken: Taken) {
        self.rows.deliveries.drain(..taken.deliveries);
        for event in self.rows.events.drain(..taken.events).collect::<Vec<_>>() {
            self.rows.forget_keys(&event);
        }
    }
}

/// Of so many rows that wait, how many a turn takes in.
fn share(waiting: usize) -> usize {
    waiting.min(TURN.max(waiting.saturating_sub(BEHIND)))
}

fn fill_deliveries(connection: &Connection, rows: &[NewDelivery]) -> rusqlite::Result<()> {
    let Some(last) = rows.last() else { return Ok(()) };
    let mut pairs: Vec<_> = rows.iter().map(|row| (row.endpoint, row.id)).collect();
    pairs.sort_unstable();
    insert(connection, "INSERT INTO endpoint_deliveries (endpoint_id, delivery_id) VALUES (?1, ?2)", &pairs)?;
    let mut pairs: Vec<_> = rows.iter().map(|row| (row.tenant, row.id)).collect();
    pairs.sort_unstable();
    insert(connection, "INSERT INTO tenant_deliveries (tenant_id, delivery_id) VALUES (?1, ?2)", &pairs)?;
    meta::set(connection, Meta::FilledDeliveries, last.id)
}

fn fill_events(connection: &Connection, rows: &[NewEvent]) -> rusqlite::Result<()> {
    let Some(last) = rows.last() else { return Ok(()) };
    let mut pairs: Vec<_> = rows.iter().map(|row| (row.tenant, row.id)).collect();
    pairs.sort_unstable();
    insert(connection, "INSERT INTO tenant_events (tenant_id, event_id) VALUES (?1, ?2)", &pairs)?;
    let mut pairs: Vec<_> =
        rows.iter().flat_map(|row| row.hashes.iter().map(|hash| (*hash, row.id))).collect();
    pairs.sort_unstable();
    insert(connection, "INSERT INTO event_keys (hash, event_id) VALUES (?1, ?2)", &pairs)?;
    meta::set(connection, Meta::FilledEvents, last.id)
}

fn insert(connection: &Connection, sql: &str, pairs: &[(i64, i64)]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    for (left, right) in pairs {
        statement.execute(params![left, right])?;
    }
    Ok(())
}
