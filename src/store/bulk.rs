//! Changes to all waiting deliveries of an endpoint.
//!
//! Disabling, enabling, discarding and deleting act at once for sending, in the commit that answers. The rows
//! follow here, [`TURN`] at a time, giving way to ingest, and go on after a restart. A row in `bulk_changes`
//! says what is about to happen to the deliveries from `done_to` (exclusive) up to `up_to`; until it has, one
//! delivery that is read shows the status that it is about to have ([`super::bulk_kind::about_to_be`]).

use std::collections::VecDeque;

use rusqlite::{Connection, params};

use crate::domain::delivery::{HeldReason, State};
use crate::domain::ids::{DeliveryId, EndpointId};
use crate::domain::outcome::Standing;

use super::bulk_kind::{BulkChange, BulkKind, foresee};
use super::error::StoreError;
use super::handover::Change;
use super::tx::Tx;

/// Rows of a turn: few enough that a publish that waits for it does not notice.
const TURN: usize = 250;

/// Endpoints with unfinished changes, in turn.
#[derive(Debug, Default)]
pub(super) struct Bulk {
    queue: VecDeque<EndpointId>,
}

impl Bulk {
    /// Reads what a stop has left unfinished.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare("SELECT DISTINCT endpoint_id FROM bulk_changes")?;
        let queue = statement
            .query_map([], |row| row.get(0).map(EndpointId))?
            .collect::<rusqlite::Result<VecDeque<_>>>()?;
        Ok(Self { queue })
    }

    /// A change for this endpoint was committed.
    pub(super) fn add(&mut self, endpoint: EndpointId) {
        if !self.queue.contains(&endpoint) {
            self.queue.push_back(endpoint);
        }
    }

    /// The endpoint whose turn it is; it goes to the end of the queue.
    pub(super) fn next(&mut self) -> Option<EndpointId> {
        let endpoint = self.queue.pop_front()?;
        self.queue.push_back(endpoint);
        Some(endpoint)
    }

    /// All changes of this endpoint are done.
    pub(super) fn finished(&mut self, endpoint: EndpointId) {
        self.queue.retain(|other| *other != endpoint);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn contains(&self, endpoint: EndpointId) -> bool {
        self.queue.contains(&endpoint)
    }
}

/// The unfinished changes of an endpoint, in the order in which they apply.
pub(super) fn changes(connection: &Connection, endpoint: EndpointId) -> rusqlite::Result<Vec<BulkChange>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, kind, up_to, done_to FROM bulk_changes WHERE endpoint_id = ?1 ORDER BY id",
    )?;
    let mut rows = statement.query([endpoint.0])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let word = row.get_ref(1)?.as_str()?;
        let kind = BulkKind::from_word(word).ok_or(rusqlite::Error::InvalidQuery)?;
        changes.push(BulkChange { id: row.get(0)?, kind, up_to: row.get(2)?, done_to: row.get(3)? });
    }
    Ok(changes)
}

impl Tx<'_> {
    /// Decides a change for all deliveries of the endpoint up to now. An unfinished one gives way to it, but
    /// not a discard, nor what was said about those that a restore holds back: that was promised.
    pub(super) fn start_bulk(&mut self, endpoint: EndpointId, kind: BulkKind) -> rusqlite::Result<()> {
        for unfinished in changes(self.connection(), endpoint)? {
            let stays = match kind {
                BulkKind::Cancel => false,
                BulkKind::Discard => unfinished.kind.is_of_restored(),
                BulkKind::Hold | BulkKind::Release => {
                    unfinished.kind == BulkKind::Discard || unfinished.kind.is_of_restored()
                }
                _ => true,
            };
            if !stays {
                self.connection()
                    .prepare_cached("DELETE FROM bulk_changes WHERE id = ?1")?
                    .execute([unfinished.id])?;
            }
        }
        let (id, up_to) = (self.allot(), self.kept.last_id);
        self.connection()
            .prepare_cached(
                "INSERT INTO bulk_changes (id, endpoint_id, kind, up_to, done_to) VALUES (?1, ?2, ?3, ?4, 0)",
            )?
            .execute(params![id, endpoint.0, kind.word(), up_to])?;
        self.gathered.bulk.push(endpoint);
        Ok(())
    }

    /// A delivery as it is about to stand, where a change to many is not finished, or the deletion of its event's data:
    /// that was decided before whatever happens to the delivery now.
    pub(super) fn foreseen(
        &self,
        delivery: DeliveryId,
        endpoint: EndpointId,
        standing: Standing,
        held: Option<HeldReason>,
    ) -> Result<Standing, StoreError> {
        // Asked with every outcome, so the file is only looked at when there is something to find.
        let emptying = self.kept.blankings.is_ready() || !self.gathered.blankings.is_empty();
        if emptying
            && (standing.state.is_pending() || standing.state == State::Held)
            && self.is_blanked_for(delivery)?
        {
            return Ok(Standing { state: State::Canceled, ..standing });
        }
        if !self.kept.bulk.contains(endpoint) && !self.gathered.bulk.contains(&endpoint) {
            return Ok(standing);
        }
        let changes = changes(self.connection(), endpoint)?;
        let (state, _, rounds) = foresee(&changes, delivery.0, standing.state, held);
        Ok(Standing { state, round: standing.round + rounds, ..standing })
    }

    /// Does one turn for an endpoint. `true`: all its changes are finished.
    pub(super) fn bulk_turn(&mut self, endpoint: EndpointId) -> Result<bool, StoreError> {
        let changes = changes(self.connection(), endpoint)?;
        let Some(change) = changes.first() else { return Ok(true) };
        let ids = self.bulk_ids(endpoint, change)?;
        for (id, state, held) in &ids {
            if let Some(target) = change.kind.target(*state, *held) {
                self.bulk_row(*id, target)?;
            }
        }
        if matches!(change.kind, BulkKind::Release | BulkKind::ReleaseRestored) {
            self.gathered.changes.push(Change::Ready(endpoint));
        }
        if ids.len() == TURN {
            let done_to = ids.last().map_or(change.up_to, |(id, ..)| *id);
            self.connection()
                .prepare_cached("UPDATE bulk_changes SET done_to = ?2 WHERE id = ?1")?
                .execute([change.id, done_to])?;
            return Ok(false);
        }
        self.connection().prepare_cached("DELETE FROM bulk_changes WHERE id = ?1")?.execute([change.id])?;
        self.gathered.changes.push(Change::Ready(endpoint));
        Ok(changes.len() == 1)
    }

    /// The next rows that the change concerns, oldest first: a merge of one walk for each open state.
    fn bulk_ids(
        &self,
        endpoint: EndpointId,
        change: &BulkChange,
    ) -> Result<Vec<(i64, State, Option<HeldReason>)>, StoreError> {
        let mut ids = Vec::new();
        let open = [State::Held, State::Ready, State::Waiting];
        for state in open.into_iter().take(if change.kind.is_of_restored() { 1 } else { 3 }) {
            let sql = match state {
                State::Ready => {
                    "SELECT id, held_reason FROM deliveries INDEXED BY deliveries_ready
                     WHERE endpoint_id = ?1 AND state = 0 AND ?2 = 0 AND id > ?3 AND id <= ?4 ORDER BY id LIMIT ?5"
                }
                _ => {
                    "SELECT id, held_reason FROM deliveries INDEXED BY deliveries_rare_by_endpoint
                     WHERE endpoint_id = ?1 AND state = ?2 AND state >= 2 AND id > ?3 AND id <= ?4
                     ORDER BY id LIMIT ?5"
                }
            };
            let mut statement = self.connection().prepare_cached(sql)?;
            let mut rows = statement.query(params![
                endpoint.0,
                state as i64,
                change.done_to,
                change.up_to,
                i64::try_from(TURN).unwrap_or(i64::MAX)
            ])?;
            while let Some(row) = rows.next()? {
                let held = row.get::<_, Option<i64>>(1)?.and_then(HeldReason::from_number);
                ids.push((row.get(0)?, state, held));
            }
        }
        ids.sort_unstable_by_key(|(id, ..)| *id);
        ids.truncate(TURN);
        Ok(ids)
    }

    fn bulk_row(&self, id: i64, target: State) -> rusqlite::Result<()> {
        let sql = match target {
            State::Held => "UPDATE deliveries SET state = 3, held_reason = 1, due_at = NULL WHERE id = ?1",
            State::Ready => {
                "UPDATE deliveries SET state = 0, held_reason = NULL, due_at = NULL, own_trouble = NULL,
                     round = round + 1, round_attempts = 0 WHERE id = ?1"
            }
            _ => "UPDATE deliveries SET state = 5, held_reason = NULL, due_at = NULL WHERE id = ?1",
        };
        self.connection().prepare_cached(sql)?.execute([id])?;
        Ok(())
    }
}
