//! Which rows a replay sends again: one that it looks at is judged by what is on disk.

use rusqlite::OptionalExtension;

use crate::domain::alert::form::EVENT_TYPE;
use crate::domain::delivery::{Made, State};
use crate::domain::ids::EventId;
use crate::domain::replay::Replayed;
use crate::domain::time::UnixMs;

use super::directory::Route;
use super::error::StoreError;
use super::replaying::Look;
use super::tx::Tx;

/// A row that a replay looks at.
pub(super) struct Looked {
    /// The delivery; for `missing` the event.
    pub(super) id: i64,
    pub(super) event: EventId,
    /// Endpoint, or for `missing` tenant, that it belongs to.
    pub(super) of: i64,
    pub(super) created_at: UnixMs,
    pub(super) event_type: String,
    pub(super) blanked: bool,
    pub(super) made: i64,
    pub(super) state: i64,
    /// Deliveries that were made with the event.
    pub(super) with_event: i64,
}

/// Whether an event had a delivery at an endpoint.
#[derive(PartialEq)]
enum Had {
    No,
    Yes,
    /// Some of its deliveries are gone.
    Unknown,
}

impl Tx<'_> {
    /// Notes what becomes of a row.
    pub(super) fn judge(&self, look: &mut Look<'_>, looked: &Looked) -> Result<(), StoreError> {
        let wanted = look.types.as_ref().is_none_or(|types| types.matches_type(&looked.event_type))
            && looked.made != Made::Test as i64;
        let fits = wanted
            && match look.row.wanted.kind {
                Replayed::Failed => true,
                Replayed::Delivered => {
                    looked.state == State::Delivered as i64 && self.is_first_delivered(looked)?
                }
                Replayed::Missing => self.is_missing(look, looked)?,
            };
        if fits && looked.blanked {
            look.row.counts.blanked += 1;
        } else if fits {
            look.hits.push((looked.id, looked.event));
        }
        Ok(())
    }

    /// Whether no older delivery of the event was delivered here: one that repeats another is not repeated again.
    fn is_first_delivered(&self, looked: &Looked) -> Result<bool, StoreError> {
        if looked.made == Made::WithEvent as i64 {
            return Ok(true);
        }
        let with_it = "SELECT EXISTS (SELECT 1 FROM deliveries WHERE id > ?1 AND id <= ?1 + ?2 AND id < ?3
             AND event_id = ?1 AND endpoint_id = ?4 AND state = 1)";
        let later = "SELECT EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_made_later
             WHERE event_id = ?1 AND made > 0 AND made <> 2 AND ?2 >= 0 AND id < ?3 AND endpoint_id = ?4 AND state = 1)";
        for sql in [with_it, later] {
            let params = [looked.event.0, looked.with_event, looked.id, looked.of];
            if self.connection().prepare_cached(sql)?.query_row(params, |row| row.get(0))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether an event matches now and never had a delivery here. One whose data was deleted matches by its type.
    fn is_missing(&self, look: &mut Look<'_>, looked: &Looked) -> Result<bool, StoreError> {
        let subscription = &look.route.subscription;
        // An alert is for one endpoint alone.
        if !subscription.matches_type(&looked.event_type) || looked.event_type.as_str() == EVENT_TYPE {
            return Ok(false);
        }
        match self.had_delivery(looked, look.route)? {
            Had::Yes => return Ok(false),
            Had::Unknown => {
                look.row.counts.pruned += 1;
                return Ok(false);
            }
            Had::No => {}
        }
        if looked.blanked || !subscription.has_filters() {
            return Ok(true);
        }
        let data: Option<String> = self
            .connection()
            .prepare_cached("SELECT data FROM events WHERE id = ?1")?
            .query_row([looked.event.0], |row| row.get(0))
            .optional()?;
        let data = data.unwrap_or_default();
        look.bytes += data.len();
        Ok(subscription.matches(&looked.event_type, &data))
    }

    fn had_delivery(&self, looked: &Looked, route: &Route) -> Result<Had, StoreError> {
        // A test is an event of its own, for the endpoint that was tested alone.
        let later: bool = self
            .connection()
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_made_later
                 WHERE event_id = ?1 AND made > 0 AND (endpoint_id = ?2 OR made = 2))",
            )?
            .query_row([looked.event.0, route.id.0], |row| row.get(0))?;
        // None was made with an event that is older than the endpoint.
        if later || looked.event.0 < route.id.0 {
            return Ok(if later { Had::Yes } else { Had::No });
        }
        let (left, here): (i64, bool) = self
            .connection()
            .prepare_cached(
                "SELECT count(*), coalesce(max(endpoint_id = ?3), 0) FROM deliveries
                 WHERE id > ?1 AND id <= ?1 + ?2 AND event_id = ?1 AND made = 0",
            )?
            .query_row([looked.event.0, looked.with_event, route.id.0], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        Ok(match (here, left < looked.with_event) {
            (true, _) => Had::Yes,
            (false, true) => Had::Unknown,
            (false, false) => Had::No,
        })
    }
}
