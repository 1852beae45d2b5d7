//! Accepting an event: its row and those of its deliveries, in one transaction with whatever else waits.

use std::sync::Arc;

use rusqlite::{OptionalExtension, params};

use crate::domain::delivery::{Made, State};
use crate::domain::ids::{DeliveryId, EndpointId, EventId};
use crate::domain::names::{EventType, IdempotencyKey, OwnId, TenantName};
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::fill;
use super::handover::{Change, Payload};
use super::matched::Matched;
use super::tx::Tx;

/// How long an `Idempotency-Key` is remembered.
pub(super) const KEY_LIFE_MS: i64 = 24 * 3_600_000;
/// Bytes that an event weighs besides its data, and each of its deliveries.
const EVENT_WEIGHT: usize = 512;
const DELIVERY_WEIGHT: usize = 256;

/// An event to be accepted. All of it is checked already.
#[derive(Debug)]
pub struct NewEvent {
    /// Whose event it is.
    pub tenant: TenantName,
    /// Its type.
    pub event_type: EventType,
    /// The bytes of `data`.
    pub data: Arc<str>,
    /// When it happened, if the publisher says so.
    pub timestamp: Option<UnixMs>,
    /// The publisher's own id.
    pub own_id: Option<OwnId>,
    /// The publisher's idempotency key, and a hash of the request that came with it.
    pub idempotency: Option<(IdempotencyKey, [u8; 16])>,
    /// The endpoints that match, found outside the transaction.
    pub matched: Matched,
}

/// An event that is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Its number.
    pub event: EventId,
    /// Its public id.
    pub id: Arc<str>,
    /// Its type.
    pub event_type: EventType,
    /// Its tenant.
    pub tenant: TenantName,
    /// When it happened.
    pub timestamp: UnixMs,
    /// When it was accepted.
    pub created_at: UnixMs,
    /// Deliveries that were made for it.
    pub deliveries: u32,
    /// The tenant had no endpoint at all.
    pub without_endpoints: bool,
    /// It was accepted before, by a call with the same idempotency key or id.
    pub replayed: bool,
}

/// Why an event was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The own id belongs to another event.
    #[error("the id belongs to an event with other content")]
    IdTaken,
    /// The own id belongs to an event whose data was deleted: whether this is the same cannot be told.
    #[error("the id belongs to an event whose data was deleted")]
    IdDeleted,
    /// The idempotency key came with another request before.
    #[error("the idempotency key came with another request")]
    KeyReused,
    /// Tenants are not made by being named (`strict_tenants`).
    #[error("there is no such tenant")]
    UnknownTenant,
    /// Nothing to do with the event.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for PublishError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl NewEvent {
    /// Bytes in the queue, and a measure of what it is to write: a batch of events with many receivers each is
    /// to be no longer than one with few.
    pub(super) fn weight(&self) -> usize {
        self.data.len() + EVENT_WEIGHT + self.matched.routes.len() * DELIVERY_WEIGHT
    }
}

/// An event's row.
pub(super) struct EventRow<'a> {
    pub(super) id: EventId,
    pub(super) tenant_id: i64,
    pub(super) timestamp: UnixMs,
    pub(super) deliveries: usize,
    pub(super) without_endpoints: bool,
    pub(super) event: &'a NewEvent,
}

impl Tx<'_> {
    /// Accepts an event, or finds that it was accepted before.
    pub fn publish(&mut self, event: &NewEvent) -> Result<Published, PublishError> {
        let known = self.tenant_id(&event.tenant)?;
        if let Some(tenant_id) = known
            && let Some(before) = self.published_before(tenant_id, event)?
        {
            return Ok(before);
        }
        let tenant_id = match known {
            Some(tenant_id) => tenant_id,
            None if self.settings().strict_tenants => return Err(PublishError::UnknownTenant),
            None => self.insert_tenant(&event.tenant)?,
        };
        let (receivers, without_endpoints) =
            self.receivers(&event.matched, &event.tenant, &event.event_type, &event.data);
        let id = EventId(self.allot());
        let timestamp = event.timestamp.unwrap_or(self.now);
        let row =
            EventRow { id, tenant_id, timestamp, deliveries: receivers.len(), without_endpoints, event };
        self.insert_event(&row)?;
        let mut ready = Vec::new();
        for (endpoint, state) in &receivers {
            let delivery = DeliveryId(self.allot());
            self.insert_delivery(&super::deliveries::NewDelivery {
                id: delivery,
                event: id,
                endpoint: *endpoint,
                tenant_id,
                state: *state,
                made: Made::WithEvent,
                replay_of: None,
            })?;
            if *state == State::Ready {
                ready.push((delivery, *endpoint));
            }
        }
        let public_id =
            event.own_id.as_ref().map_or_else(|| id.to_string().into(), |own| Arc::from(own.as_str()));
        if !ready.is_empty() {
            let payload = Payload {
                event: id,
                public_id: Arc::clone(&public_id),
                event_type: event.event_type.clone(),
                tenant: event.tenant.clone(),
                timestamp,
                data: Arc::clone(&event.data),
            };
            self.gathered.changes.push(Change::Accepted(Arc::new(payload), ready));
        }
        self.gathered.tally.events += 1;
        Ok(Published {
            event: id,
            id: public_id,
            event_type: event.event_type.clone(),
            tenant: event.tenant.clone(),
            timestamp,
            created_at: self.now,
            deliveries: u32::try_from(receivers.len()).unwrap_or(u32::MAX),
            without_endpoints,
            replayed: false,
        })
    }

    /// Accepts an event for one endpoint alone, whatever it subscribes to. `false`: the endpoint is not there.
    pub fn publish_to(
        &mut self,
        endpoint: EndpointId,
        event_type: EventType,
        data: Arc<str>,
    ) -> Result<bool, PublishError> {
        let Some(route) = self.route(endpoint) else { return Ok(false) };
        let tenant = self.shared().directory.tenant(&route.tenant);
        let matched = Matched { tenant, routes: vec![Arc::clone(&route)] };
        let (own_id, idempotency, timestamp) = (None, None, None);
        let tenant = route.tenant.clone();
        self.publish(&NewEvent { tenant, event_type, data, timestamp, own_id, idempotency, matched })?;
        Ok(true)
    }

    /// The endpoints that get a delivery and the state that it starts in; and whether the tenant has none at all.
    pub(super) fn receivers(
        &self,
        matched: &Matched,
        tenant: &TenantName,
        event_type: &EventType,
        data: &str,
    ) -> (Vec<(EndpointId, State)>, bool) {
        let directory = &self.shared().directory;
        let again;
        let matched = if matched.holds(directory, tenant) {
            matched
        } else {
            // An endpoint was changed between the look and this transaction; it decides.
            again = Matched::find(directory, tenant, event_type, data);
            &again
        };
        let receivers = matched
            .routes
            .iter()
            .filter_map(|route| {
                // Only outcomes run before a publish in the same transaction, and all that they do to an
                // endpoint is to disable it.
                let route = self.route(route.id)?;
                match (route.enabled, route.holds) {
                    (true, _) => Some((route.id, State::Ready)),
                    (false, true) => Some((route.id, State::Held)),
                    (false, false) => None,
                }
            })
            .collect();
        (receivers, matched.tenant.as_ref().is_none_or(|tenant| tenant.routes.is_empty()))
    }

    pub(super) fn insert_event(&mut self, row: &EventRow<'_>) -> rusqlite::Result<()> {
        let event = row.event;
        let own_id = event.own_id.as_ref().map(OwnId::as_str);
        let key = event.idempotency.as_ref().map(|(key, _)| key.as_str());
        self.connection()
            .prepare_cached(
                "INSERT INTO events (id, tenant_id, type, timestamp, created_at, deliveries, without_endpoints,
                     own_id, idempotency_key, request_hash, data)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                row.id.0,
                row.tenant_id,
                event.event_type.as_str(),
                row.timestamp.0,
                self.now.0,
                i64::try_from(row.deliveries).unwrap_or(i64::MAX),
                row.without_endpoints,
                own_id,
                key,
                event.idempotency.as_ref().map(|(_, hash)| hash.as_slice()),
                &*event.data,
            ])?;
        let hashes = self.shared().hashes(row.tenant_id, own_id, key);
        self.gathered.rows.push_event(fill::NewEvent { id: row.id.0, tenant: row.tenant_id, hashes });
        Ok(())
    }

    /// The row of a tenant.
    pub(super) fn tenant_id(&self, name: &TenantName) -> Result<Option<i64>, StoreError> {
        if let Some(tenant) = self.shared().directory.tenant(name) {
            return Ok(Some(tenant.tenant_id));
        }
        // It may have been made earlier in this transaction.
        let id = self
            .connection()
            .prepare_cached("SELECT id FROM tenants WHERE name = ?1")?
            .query_row([name.as_str()], |row| row.get(0))
            .optional()?;
        Ok(id)
    }
}
