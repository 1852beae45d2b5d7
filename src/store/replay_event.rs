//! One event delivered again: new deliveries, which repeat those that there are.

use std::sync::Arc;

use rusqlite::{OptionalExtension, params};

use crate::domain::delivery::{Made, State};
use crate::domain::ids::{DeliveryId, EndpointId};

use super::deliveries::NewDelivery;
use super::error::StoreError;
use super::events::StoredEvent;
use super::handover::{Change, Payload};
use super::matched::Matched;
use super::tx::Tx;

impl Tx<'_> {
    /// Delivers an event again to all endpoints that match now, as if it were accepted now; how many that are.
    /// `matched` was found outside the transaction.
    pub fn replay_event(&mut self, event: &StoredEvent, matched: &Matched) -> Result<usize, StoreError> {
        let (receivers, _) = self.receivers(matched, &event.tenant, &event.event_type, &event.data);
        self.deliver_event_again(event, &receivers)?;
        Ok(receivers.len())
    }

    /// Delivers an event again to one endpoint of its tenant, whatever that subscribes to. It has to be enabled.
    pub fn replay_event_to(&mut self, event: &StoredEvent, endpoint: EndpointId) -> Result<(), StoreError> {
        self.deliver_event_again(event, &[(endpoint, State::Ready)])
    }

    fn deliver_event_again(
        &mut self,
        event: &StoredEvent,
        receivers: &[(EndpointId, State)],
    ) -> Result<(), StoreError> {
        let mut ready = Vec::new();
        for (endpoint, state) in receivers {
            let replay_of = self.last_delivery(event, *endpoint)?;
            let id = DeliveryId(self.allot());
            self.insert_delivery(&NewDelivery {
                id,
                event: event.id,
                endpoint: *endpoint,
                tenant_id: event.tenant_id,
                state: *state,
                made: Made::Replay,
                replay_of,
            })?;
            if *state == State::Ready {
                ready.push((id, *endpoint));
            }
        }
        if !ready.is_empty() {
            let payload = Payload {
                event: event.id,
                public_id: event.public_id(),
                event_type: event.event_type.clone(),
                tenant: event.tenant.clone(),
                timestamp: event.timestamp,
                data: event.data.as_str().into(),
            };
            self.gathered.changes.push(Change::Accepted(Arc::new(payload), ready));
        }
        Ok(())
    }

    /// The newest delivery of an event at an endpoint, tests aside.
    fn last_delivery(
        &self,
        event: &StoredEvent,
        endpoint: EndpointId,
    ) -> Result<Option<DeliveryId>, StoreError> {
        let later = "SELECT id FROM deliveries INDEXED BY deliveries_made_later
             WHERE event_id = ?1 AND made > 0 AND made <> 2 AND endpoint_id = ?2 AND ?3 >= 0 ORDER BY id DESC LIMIT 1";
        let with_it = "SELECT id FROM deliveries
             WHERE id > ?1 AND id <= ?1 + ?3 AND event_id = ?1 AND endpoint_id = ?2 AND made = 0 ORDER BY id LIMIT 1";
        for sql in [later, with_it] {
            let found = self
                .connection()
                .prepare_cached(sql)?
                .query_row(params![event.id.0, endpoint.0, event.deliveries], |row| {
                    row.get(0).map(DeliveryId)
                })
                .optional()?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}
