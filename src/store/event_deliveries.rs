//! Where an event went: the first delivery of it to each endpoint, and how many deliveries it has.

use std::collections::HashMap;

use rusqlite::params;

use crate::domain::delivery::Made;
use crate::domain::ids::{DeliveryId, EndpointId, EventId};

use super::error::StoreError;
use super::reader::Reader;

/// Deliveries that are looked at. An event has one for each endpoint that matched, and one for each time that it was
/// sent again.
const LOOKED_AT: i64 = 10_000;

/// Deliveries of an event that are counted for a list of events.
const COUNTED: u32 = 1_000;

/// How many deliveries an event has: those that were made with it, and those that were made later.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OfEvent {
    /// At most 1,000.
    pub count: u32,
    /// Whether there are more.
    pub more: bool,
    /// Whether it was sent to test an endpoint.
    pub test: bool,
}

impl Reader<'_> {
    /// Counts the deliveries of an event that are there at this moment.
    pub fn count_of_event(&self, event: EventId, made_with_it: u32) -> Result<OfEvent, StoreError> {
        let mut made = self.connection().prepare_cached(
            "SELECT made FROM deliveries WHERE id > ?1 AND id <= ?1 + ?2 AND event_id = ?1 AND made = 0
             UNION ALL
             SELECT made FROM deliveries INDEXED BY deliveries_made_later WHERE event_id = ?1 AND made > 0 LIMIT ?3",
        )?;
        let mut of_event = OfEvent::default();
        let mut rows = made.query(params![event.0, made_with_it, COUNTED + 1])?;
        while let Some(row) = rows.next()? {
            of_event.more = of_event.count == COUNTED;
            of_event.count += u32::from(!of_event.more);
            of_event.test |= row.get::<_, i64>(0)? == Made::Test as i64;
        }
        Ok(of_event)
    }

    /// The first delivery of an event to each endpoint that has one: made with it, else made later.
    pub fn where_event_went(
        &self,
        event: EventId,
        made_with_it: u32,
    ) -> Result<HashMap<EndpointId, DeliveryId>, StoreError> {
        let mut went = HashMap::new();
        let mut with_it = self.connection().prepare_cached(
            "SELECT endpoint_id, id FROM deliveries
             WHERE id > ?1 AND id <= ?1 + ?2 AND event_id = ?1 AND made = 0 ORDER BY id LIMIT ?3",
        )?;
        let mut later = self.connection().prepare_cached(
            "SELECT endpoint_id, id FROM deliveries INDEXED BY deliveries_made_later
             WHERE event_id = ?1 AND made > 0 AND ?2 >= 0 ORDER BY id LIMIT ?3",
        )?;
        for statement in [&mut with_it, &mut later] {
            let mut rows = statement.query(params![event.0, made_with_it, LOOKED_AT])?;
            while let Some(row) = rows.next()? {
                went.entry(EndpointId(row.get(0)?)).or_insert(DeliveryId(row.get(1)?));
            }
        }
        Ok(went)
    }
}
