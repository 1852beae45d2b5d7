//! Changes to all waiting deliveries of an endpoint.
//!
//! Disabling, enabling, discarding and deleting act at once for sending, in the commit that answers. The rows
//! follow here, [`TURN`] at a time, giving way to ingest, and go on after a restart. A row in `bulk_changes`
//! says what is about to happen to the deliveries from `done_to` (exclusive) up to `up_to`; until it has, one
//! delivery that is read shows the status that it is about to have ([`about_to_be`]).

use std::collections::VecDeque;

use rusqlite::{Connection, params};

use crate::domain::delivery::{HeldReason, State};
use crate::domain::ids::{DeliveryId, EndpointId};
use crate::domain::outcome::Standing;

use super::error::StoreError;
use super::handover::Change;
use super::tx::Tx;

/// Rows of a turn: few enough that a publish that waits for it does not notice.
const TURN: usize = 250;

/// What happens to the deliveries that are not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BulkKind {
    /// Held: the endpoint was disabled.
    Hold,
    /// A new round for each: it was enabled.
    Release,
    /// Canceled: it was enabled, and what was held is not wanted any more.
    Discard,
    /// Canceled: it was deleted.
    Cancel,
    /// A new round for each that a restore holds back.
    ReleaseRestored,
    /// Canceled, what a restore holds back.
    DiscardRestored,
}

impl BulkKind {
    const ALL: [Self; 6] = [
        Self::Hold,
        Self::Release,
        Self::Discard,
        Self::Cancel,
        Self::ReleaseRestored,
        Self::DiscardRestored,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Discard => "discard",
            Self::Cancel => "cancel",
            Self::ReleaseRestored => "release_restored",
            Self::DiscardRestored => "discard_restored",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether it concerns what a restore holds back, and nothing else.
    fn is_about_restored(self) -> bool {
        matches!(self, Self::ReleaseRestored | Self::DiscardRestored)
    }

    /// What a row in `state` becomes; `None`: it is left alone.
    fn target(self, state: State, held: Option<HeldReason>) -> Option<State> {
        let open = state.is_pending() || state == State::Held;
        match self {
            Self::Hold => state.is_pending().then_some(State::Held),
            Self::Cancel => open.then_some(State::Canceled),
            Self::ReleaseRestored | Self::DiscardRestored
                if state != State::Held || held != Some(HeldReason::Restored) =>
            {
                None
            }
            Self::ReleaseRestored => Some(State::Ready),
            Self::DiscardRestored => Some(State::Canceled),
            // What a restore holds back waits for its own word.
            _ if held == Some(HeldReason::Restored) => None,
            Self::Release => open.then_some(State::Ready),
            Self::Discard => open.then_some(State::Canceled),
        }
    }
}

/// A row of `bulk_changes`.
#[derive(Debug, Clone, Copy)]
pub(super) struct BulkChange {
    pub(super) id: i64,
    pub(super) kind: BulkKind,
    pub(super) up_to: i64,
    pub(super) done_to: i64,
}

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

    fn contains(&self, endpoint: EndpointId) -> bool {
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

/// The state that a delivery is about to have.
pub(super) fn about_to_be(
    changes: &[BulkChange],
    id: i64,
    state: State,
    held: Option<HeldReason>,
) -> (State, Option<HeldReason>) {
    let (state, held, _) = foresee(changes, id, state, held);
    (state, held)
}

/// The same, and how many new rounds are about to start.
fn foresee(
    changes: &[BulkChange],
    id: i64,
    state: State,
    held: Option<HeldReason>,
) -> (State, Option<HeldReason>, u32) {
    changes.iter().filter(|change| change.done_to < id && id <= change.up_to).fold(
        (state, held, 0),
        |(state, held, rounds), change| match change.kind.target(state, held) {
            None => (state, held, rounds),
            Some(State::Held) => (State::Held, Some(HeldReason::EndpointDisabled), rounds),
            Some(State::Ready) => (State::Ready, None, rounds + 1),
            Some(other) => (other, None, rounds),
        },
    )
}

/// The ids that may be sent while changes are unfinished: `(above, up to)`; `None`: none for now.
pub(super) fn sendable(changes: &[BulkChange]) -> Option<(i64, i64)> {
    match changes {
        [] => Some((0, i64::MAX)),
        // Everything else of the endpoint goes on.
        [only] if only.kind.is_about_restored() => Some((0, i64::MAX)),
        [only] if only.kind == BulkKind::Discard => Some((only.up_to, i64::MAX)),
        // In order: nothing younger overtakes what is about to be released.
        [only] if only.kind == BulkKind::Release => Some((0, only.done_to)),
        _ => None,
    }
}

impl Tx<'_> {
    /// Decides a change for all deliveries of the endpoint up to now. An unfinished one gives way to it, but
    /// not a discard: that was promised. What a restore holds back is a matter of its own, until the endpoint is deleted.
    pub(super) fn start_bulk(&mut self, endpoint: EndpointId, kind: BulkKind) -> rusqlite::Result<()> {
        let gives_way = match kind {
            BulkKind::Cancel => "true",
            BulkKind::Discard => "kind NOT LIKE '%_restored'",
            BulkKind::Hold | BulkKind::Release => "kind NOT LIKE '%_restored' AND kind <> 'discard'",
            BulkKind::ReleaseRestored | BulkKind::DiscardRestored => "kind LIKE '%_restored'",
        };
        self.connection()
            .prepare_cached(&format!("DELETE FROM bulk_changes WHERE endpoint_id = ?1 AND {gives_way}"))?
            .execute([endpoint.0])?;
        let (id, up_to) = (self.allot(), self.kept.last_id);
        self.connection()
            .prepare_cached(
                "INSERT INTO bulk_changes (id, endpoint_id, kind, up_to, done_to) VALUES (?1, ?2, ?3, ?4, 0)",
            )?
            .execute(params![id, endpoint.0, kind.word(), up_to])?;
        self.gathered.bulk.push(endpoint);
        Ok(())
    }

    /// A delivery as it is about to stand, where a change to many is not finished: that was decided before whatever
    /// happens to the delivery now.
    pub(super) fn foreseen(
        &self,
        delivery: DeliveryId,
        endpoint: EndpointId,
        standing: Standing,
        held: Option<HeldReason>,
    ) -> rusqlite::Result<Standing> {
        // Asked with every outcome, so the file is only looked at when there is something to find.
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
        let open = [State::Held, State::Waiting, State::Ready];
        let concerned = if change.kind.is_about_restored() { &open[..1] } else { &open };
        for state in concerned.iter().copied() {
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
