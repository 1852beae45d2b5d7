//! The work of a replay, in turns on the writer's thread that give way to ingest.
//!
//! A turn looks at a few hundred rows in the order of ids, makes ready what matches, and notes how far it has
//! come, in one transaction. What it makes ready is only counted by the dispatcher (the endpoint is *spilled*), and
//! read from disk in its turn. A replay keeps at most [`BACKLOG`] deliveries of its endpoint ready: fresh events
//! stand behind no more than these, and a replay of a million ends early where it is canceled.

use rusqlite::params;

use crate::domain::delivery::{Made, State};
use crate::domain::ids::{DeliveryId, EventId, ReplayId};
use crate::domain::matching::Subscription;
use crate::domain::replay::Replayed;
use crate::domain::time::UnixMs;

use super::deliveries::NewDelivery;
use super::directory::Route;
use super::error::StoreError;
use super::handover::Change;
use super::jobs::Turn;
use super::meta::{self, Meta};
use super::replay_judging::Looked;
use super::replays::ReplayRow;
use super::tx::Tx;

/// Rows that a turn looks at, deliveries that it makes ready, and bytes of data that it reads.
const LOOKS: usize = 500;
const CHANGES: usize = 150;
const DATA_BYTES: usize = 1024 * 1024;
/// Deliveries that may be ready at the endpoint for a replay to go on, and how many there have to be less than that
/// for a turn to be worth its while.
const BACKLOG: i64 = 300;
const STEP: usize = 100;

const OF_DELIVERY: &str =
    "d.id, d.event_id, d.endpoint_id, d.created_at, e.type, e.blanked <> 0, d.made, d.state, e.deliveries";
const OF_EVENT: &str = "e.id, e.id, e.tenant_id, e.created_at, e.type, e.blanked <> 0, 0, 0, e.deliveries";

/// What a turn may still do, and what it has found to do.
pub(super) struct Look<'a> {
    pub(super) row: &'a mut ReplayRow,
    pub(super) route: &'a Route,
    pub(super) types: Option<Subscription>,
    pub(super) room: usize,
    pub(super) looks: usize,
    pub(super) bytes: usize,
    pub(super) hits: Vec<(i64, EventId)>,
}

impl Look<'_> {
    fn has_room(&self) -> bool {
        self.looks < LOOKS && self.hits.len() < self.room && self.bytes < DATA_BYTES
    }
}

impl Tx<'_> {
    /// Does one turn of a replay.
    pub(super) fn replay_turn(&mut self, id: ReplayId) -> Result<Turn, StoreError> {
        let Some(mut row) = self.replay(id)?.filter(|row| row.ended_at.is_none()) else {
            return Ok(Turn::Over);
        };
        let endpoint = row.wanted.endpoint;
        let Some(route) = self.route(endpoint) else {
            self.cancel_replay(id, "the endpoint was deleted")?;
            return Ok(Turn::Over);
        };
        let room = if row.wanted.dry_run { usize::MAX } else { self.room_for_replay(&route)? };
        if room < STEP {
            return Ok(Turn::Blocked);
        }
        let types = match &row.wanted.events {
            None => None,
            Some(patterns) => Some(
                Subscription::parse(patterns, None)
                    .map_err(|invalid| StoreError::Internal(format!("the patterns of {id}: {invalid}")))?,
            ),
        };
        let mut look = Look {
            row: &mut row,
            route: &route,
            types,
            room: room.min(CHANGES),
            looks: 0,
            bytes: 0,
            hits: Vec::new(),
        };
        let over = self.look(&mut look)?;
        let hits = std::mem::take(&mut look.hits);
        row.counts.matched += hits.len() as u64;
        if !row.wanted.dry_run && !hits.is_empty() {
            row.counts.done += hits.len() as u64;
            for (id, event) in hits {
                self.replay_one(&row, id, event)?;
            }
            self.gathered.changes.push(Change::Ready(endpoint));
        }
        self.note_replay(&row, over)?;
        Ok(if over { Turn::Over } else { Turn::More })
    }

    /// How many deliveries may be made ready now. None while the endpoint is disabled, or while a change to all
    /// of its deliveries goes on, which would change these as well.
    fn room_for_replay(&self, route: &Route) -> Result<usize, StoreError> {
        if !route.enabled || self.kept.bulk.contains(route.id) {
            return Ok(0);
        }
        let ready = self.count_up_to(
            "SELECT 1 FROM deliveries INDEXED BY deliveries_ready WHERE endpoint_id = ?1 AND state = 0 LIMIT ?2",
            &[route.id.0, BACKLOG],
        )?;
        Ok(usize::try_from(BACKLOG - ready).unwrap_or(0))
    }

    /// Looks at the next rows. `true`: at the last one as well.
    fn look(&self, look: &mut Look<'_>) -> Result<bool, StoreError> {
        let row = &look.row;
        let (filled, of) = match row.wanted.kind {
            Replayed::Failed => {
                let failed = format!(
                    "SELECT {OF_DELIVERY} FROM deliveries d INDEXED BY deliveries_rare_by_endpoint
                     CROSS JOIN events e ON e.id = d.event_id
                     WHERE d.endpoint_id = ?1 AND d.state = 4 AND d.state >= 2 AND d.id > ?2 AND d.id <= ?3
                     ORDER BY d.id"
                );
                return self.look_along(look, &failed, row.wanted.endpoint.0, look.row.up_to);
            }
            Replayed::Delivered => (Meta::FilledDeliveries, row.wanted.endpoint.0),
            Replayed::Missing => (Meta::FilledEvents, row.wanted.tenant_id),
        };
        let (by_index, by_key) = match row.wanted.kind {
            Replayed::Missing => (
                format!(
                    "SELECT {OF_EVENT} FROM tenant_events i CROSS JOIN events e ON e.id = i.event_id
                     WHERE i.tenant_id = ?1 AND i.event_id > ?2 AND i.event_id <= ?3 ORDER BY i.event_id"
                ),
                format!("SELECT {OF_EVENT} FROM events e WHERE ?1 > 0 AND e.id > ?2 AND e.id <= ?3 ORDER BY e.id"),
            ),
            _ => (
                format!(
                    "SELECT {OF_DELIVERY} FROM endpoint_deliveries i CROSS JOIN deliveries d ON d.id = i.delivery_id
                     CROSS JOIN events e ON e.id = d.event_id
                     WHERE i.endpoint_id = ?1 AND i.delivery_id > ?2 AND i.delivery_id <= ?3 ORDER BY i.delivery_id"
                ),
                format!(
                    "SELECT {OF_DELIVERY} FROM deliveries d CROSS JOIN events e ON e.id = d.event_id
                     WHERE ?1 > 0 AND d.id > ?2 AND d.id <= ?3 ORDER BY d.id"
                ),
            ),
        };
        // Below the watermark the index, above it the primary key: a few thousand rows at most.
        let filled = meta::get::<i64>(self.connection(), filled)?.unwrap_or(0);
        let up_to = look.row.up_to;
        if look.row.done_to < filled && !self.look_along(look, &by_index, of, filled.min(up_to))? {
            return Ok(false);
        }
        self.look_along(look, &by_key, of, up_to)
    }

    /// Looks at what a query brings, up to an id. `true`: at all of it.
    fn look_along(&self, look: &mut Look<'_>, sql: &str, of: i64, up_to: i64) -> Result<bool, StoreError> {
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut rows = statement.query(params![of, look.row.done_to, up_to])?;
        while let Some(row) = rows.next()? {
            if !look.has_room() {
                return Ok(false);
            }
            let looked = Looked {
                id: row.get(0)?,
                event: EventId(row.get(1)?),
                of: row.get(2)?,
                created_at: UnixMs(row.get(3)?),
                event_type: row.get(4)?,
                blanked: row.get(5)?,
                made: row.get(6)?,
                state: row.get(7)?,
                with_event: row.get(8)?,
            };
            look.looks += 1;
            look.row.done_to = looked.id;
            if looked.of == of && look.row.span().holds(looked.created_at) {
                look.row.counts.examined += 1;
                self.judge(look, &looked)?;
            }
        }
        look.row.done_to = up_to;
        Ok(true)
    }

    /// Makes a delivery ready: in a new round, or as a new one.
    fn replay_one(&mut self, row: &ReplayRow, id: i64, event: EventId) -> Result<(), StoreError> {
        let replay_of = match row.wanted.kind {
            Replayed::Failed => return Ok(self.begin_round(DeliveryId(id))?),
            Replayed::Missing => None,
            Replayed::Delivered => Some(DeliveryId(id)),
        };
        let id = DeliveryId(self.allot());
        self.insert_delivery(&NewDelivery {
            id,
            event,
            endpoint: row.wanted.endpoint,
            tenant_id: row.wanted.tenant_id,
            state: State::Ready,
            made: Made::Replay,
            replay_of,
        })?;
        Ok(())
    }
}
