//! Events: accepting and reading them.

use crate::domain::ids::{DeliveryId, EventId};
use crate::domain::invalid::Invalid;
use crate::domain::matching::Pattern;
use crate::domain::names::{EventType, IdempotencyKey, OwnId, TenantName};
use crate::domain::time::UnixMs;
use crate::store::deliveries::DeliveryRow;
use crate::store::events::{EventFilter, StoredEvent};
use crate::store::lists::Span;
use crate::store::matched::Matched;
use crate::store::publish::{NewEvent, PublishError, Published};
use crate::store::{Answer, Listed, Reader};

use super::Service;
use super::error::{Code, Error};
use super::lookup::tenant_of;
use super::scope::TenantScope;

/// What a publisher sends, each field checked.
#[derive(Debug)]
pub struct Publish<'a> {
    /// Whose event it is; the key's tenant or `default` when absent.
    pub tenant: Option<TenantName>,
    /// Its type.
    pub event_type: EventType,
    /// One JSON value, byte for byte.
    pub data: &'a str,
    /// The publisher's own id.
    pub id: Option<OwnId>,
    /// When it happened; when it is accepted, if absent.
    pub timestamp: Option<UnixMs>,
    /// The idempotency key, and a hash of the request's bytes.
    pub idempotency: Option<(IdempotencyKey, [u8; 16])>,
}

/// Which events a list shows.
#[derive(Debug, Default)]
pub struct EventQuery {
    /// Of this tenant; absent: of all that the caller may see.
    pub tenant: Option<TenantName>,
    /// Whose type matches.
    pub event_type: Option<Pattern>,
    /// Accepted in this span.
    pub span: Span,
    /// Below this event, which was the last of the page before.
    pub before: Option<EventId>,
    /// Rows at most.
    pub limit: usize,
}

impl Service {
    /// Accepts an event. The answer comes when it and its deliveries are on disk.
    ///
    /// # Errors
    /// `not_found` (a tenant that the key may not see), `too_large`, `reserved_event_type`, `unknown_event_type`;
    /// in the answer `unknown_tenant`, `id_taken`, `idempotency_key_reused`.
    pub fn publish(
        &self,
        scope: &TenantScope,
        event: Publish<'_>,
    ) -> Result<Answer<Published, PublishError>, Error> {
        let settings = self.store.directory().settings();
        let tenant = tenant_of(scope, event.tenant.as_ref())?;
        let limit = settings.data_limit_bytes as usize;
        if event.data.len() > limit {
            let length = event.data.len();
            let detail = format!("data has {length} bytes, and the setting data_limit_bytes allows {limit}");
            return Err(Error::new(Code::TooLarge, detail));
        }
        self.check_type(&event.event_type, settings.strict_event_types)?;
        let matched = Matched::find(self.store.directory(), &tenant, &event.event_type, event.data);
        Ok(self.store.publish(NewEvent {
            tenant,
            event_type: event.event_type,
            data: event.data.into(),
            timestamp: event.timestamp,
            own_id: event.id,
            idempotency: event.idempotency,
            matched,
        }))
    }

    /// Bytes that `data` may have at present.
    pub fn data_limit(&self) -> usize {
        self.store.directory().settings().data_limit_bytes as usize
    }

    /// Events, the newest first, without their data.
    ///
    /// # Errors
    /// `not_found` for a tenant that the key may not see.
    pub fn events(&self, scope: &TenantScope, query: EventQuery) -> Result<Listed<StoredEvent>, Error> {
        let Some(tenant_id) = self.list_tenant_id(scope, query.tenant.as_ref())? else {
            return Ok(Listed { rows: Vec::new(), next: None });
        };
        let filter = EventFilter { tenant_id, event_type: query.event_type, span: query.span };
        self.store.read(|reader| Ok(reader.events(&filter, query.before, query.limit)?))
    }

    /// An event by its id, ours or the publisher's own, which is looked up in `tenant` (the key's own or
    /// `default` when absent).
    ///
    /// # Errors
    /// `not_found`.
    pub fn event(
        &self,
        scope: &TenantScope,
        id: &str,
        tenant: Option<&TenantName>,
    ) -> Result<StoredEvent, Error> {
        self.store.read(|reader| self.find_event(reader, scope, id, tenant))
    }

    /// The deliveries of an event, the newest first, below `before`.
    ///
    /// # Errors
    /// `not_found`.
    pub fn deliveries_of_event(
        &self,
        scope: &TenantScope,
        id: &str,
        tenant: Option<&TenantName>,
        before: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Listed<DeliveryRow>, Error> {
        self.store.read(|reader| {
            let event = self.find_event(reader, scope, id, tenant)?;
            Ok(reader.deliveries_of_event(event.id, event.deliveries, before, limit)?)
        })
    }

    pub(super) fn find_event(
        &self,
        reader: &Reader<'_>,
        scope: &TenantScope,
        id: &str,
        tenant: Option<&TenantName>,
    ) -> Result<StoredEvent, Error> {
        let found = match EventId::parse(id) {
            // An event with an id of its own has a number as well, which is not its name.
            Some(number) => reader.stored_event(number)?.filter(|event| event.own_id.is_none()),
            None if OwnId::parse(id).is_ok() => {
                let tenant = scope.tenant(tenant).and_then(|tenant| self.store.directory().tenant(&tenant));
                tenant.map(|tenant| reader.event_by_own_id(tenant.tenant_id, id)).transpose()?.flatten()
            }
            None => None,
        };
        found
            .filter(|event| scope.sees(&event.tenant))
            .filter(|event| tenant.is_none_or(|tenant| *tenant == event.tenant))
            .ok_or_else(|| Error::not_found("event", id))
    }

    /// The catalogue's word on publishing this type. It is empty on most servers, and then costs nothing.
    fn check_type(&self, event_type: &EventType, strict: bool) -> Result<(), Error> {
        match self.store.event_types().get(event_type) {
            Some(entry) if entry.reserved => Err(Error {
                fields: Invalid::one("type", "is reserved").0,
                ..Error::new(
                    Code::ReservedEventType,
                    format!("{event_type} is reserved: it can be subscribed to, and nobody may publish it"),
                )
            }),
            None if strict => Err(Error {
                fields: Invalid::one("type", "is not in the catalogue").0,
                ..Error::new(
                    Code::UnknownEventType,
                    format!(
                        "{event_type} is not in the catalogue, and the setting strict_event_types refuses such; \
                         add it with PUT /api/v1/event-types/{event_type}"
                    ),
                )
            }),
            _ => Ok(()),
        }
    }
}
