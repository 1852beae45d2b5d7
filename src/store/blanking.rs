//! What follows the deletion of an event's data: its deliveries, and the answers that were kept of them.
//!
//! The commit that answers deletes the data and does the first [`TURN`] deliveries, which are all of nearly every event.
//! An event to many endpoints, or one that was replayed very often, has more: the rest follows in turns on the writer's
//! thread that give way to ingest, and goes on after a restart (`blankings` says how far it is). What was promised holds
//! from the commit on: nothing of it is sent (the dispatcher drops it, a page passes over it), what is open of it counts
//! as canceled ([`Tx::foreseen`](super::bulk)), and no answer is shown that is about to go.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::delivery::State;
use crate::domain::ids::{DeliveryId, EndpointId, EventId};

use super::error::StoreError;
use super::handover::Change;
use super::jobs::{Jobs, Turn};
use super::tx::Tx;

/// Deliveries of a turn.
const TURN: usize = 150;
/// Attempts after which a turn ends: one delivery may have many, each with up to 10 KB of answer.
const ATTEMPTS: usize = 600;

/// The events that a stop has left unfinished.
pub(super) fn unfinished(connection: &Connection) -> rusqlite::Result<Jobs<EventId>> {
    let mut statement = connection.prepare("SELECT event_id FROM blankings ORDER BY event_id")?;
    let found = statement.query_map([], |row| row.get(0).map(EventId))?.collect::<Result<_, _>>()?;
    Ok(Jobs::of(found))
}

impl Tx<'_> {
    /// Does the first deliveries of an event whose data was deleted in this transaction, and sees to it that the others
    /// follow.
    pub(super) fn begin_blanking(&mut self, event: EventId) -> Result<(), StoreError> {
        let Some(done_to) = self.blank_some(event, event.0)? else { return Ok(()) };
        self.connection()
            .prepare_cached("INSERT INTO blankings (event_id, done_to) VALUES (?1, ?2)")?
            .execute([event.0, done_to])?;
        self.gathered.changes.push(Change::Emptied(event));
        self.gathered.blankings.push(event);
        Ok(())
    }

    /// Does one turn for an event.
    pub(super) fn blanking_turn(&mut self, event: EventId) -> Result<Turn, StoreError> {
        let done_to = self
            .connection()
            .prepare_cached("SELECT done_to FROM blankings WHERE event_id = ?1")?
            .query_row([event.0], |row| row.get(0))
            .optional()?;
        let Some(done_to) = done_to else { return Ok(Turn::Over) };
        let Some(done_to) = self.overwriting(|tx| tx.blank_some(event, done_to))? else {
            self.connection()
                .prepare_cached("DELETE FROM blankings WHERE event_id = ?1")?
                .execute([event.0])?;
            // Older copies of the pages are in the WAL until then.
            self.gathered.empty_wal = true;
            return Ok(Turn::Over);
        };
        self.connection()
            .prepare_cached("UPDATE blankings SET done_to = ?2 WHERE event_id = ?1")?
            .execute([event.0, done_to])?;
        Ok(Turn::More)
    }

    /// Cancels what is open of some deliveries and deletes their answers. The last of them; `None`: there are no more.
    fn blank_some(&mut self, event: EventId, done_to: i64) -> Result<Option<i64>, StoreError> {
        let found = self.deliveries_of(event, done_to)?;
        let full = found.len() == TURN;
        let mut attempts = 0;
        for (at, (delivery, endpoint, state)) in found.iter().enumerate() {
            attempts += self
                .connection()
                .prepare_cached(
                    "UPDATE attempts SET response_headers = NULL, response_body = NULL WHERE delivery_id = ?1",
                )?
                .execute([delivery.0])?;
            if state.is_pending() || *state == State::Held {
                self.withdraw(*delivery, *endpoint)?;
            }
            let last = at + 1 == found.len();
            if (last && full) || (!last && attempts >= ATTEMPTS) {
                return Ok(Some(delivery.0));
            }
        }
        Ok(None)
    }

    /// The next deliveries of an event, by id: those that were made with it have the ids that follow its own, those that
    /// were made later have greater ones.
    fn deliveries_of(
        &self,
        event: EventId,
        done_to: i64,
    ) -> Result<Vec<(DeliveryId, EndpointId, State)>, StoreError> {
        // An event that was pruned, or whose tenant was deleted, has no deliveries any more.
        let with_it = "SELECT id, endpoint_id, state FROM deliveries
             WHERE id > ?2 AND id <= ?1 + coalesce((SELECT deliveries FROM events WHERE id = ?1), 0)
                 AND event_id = ?1 AND made = 0 ORDER BY id LIMIT ?3";
        let later = "SELECT id, endpoint_id, state FROM deliveries INDEXED BY deliveries_made_later
             WHERE event_id = ?1 AND made > 0 AND id > ?2 ORDER BY id LIMIT ?3";
        let mut found = Vec::new();
        for sql in [with_it, later] {
            let room = i64::try_from(TURN - found.len()).unwrap_or(0);
            let mut statement = self.connection().prepare_cached(sql)?;
            for row in statement.query_map(params![event.0, done_to, room], read)? {
                found.push(row?);
            }
        }
        Ok(found)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<(DeliveryId, EndpointId, State)> {
    let number: i64 = row.get(2)?;
    let state = State::from_number(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(2, number))?;
    Ok((DeliveryId(row.get(0)?), EndpointId(row.get(1)?), state))
}
