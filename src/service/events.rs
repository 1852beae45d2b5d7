//! Events: accepting and reading them.

use crate::domain::ids::{DeliveryId, EventId};
use crate::domain::invalid::Invalid;
use crate::domain::matching::Pattern;
use crate::domain::names::{EventType, IdempotencyKey, OwnId, TenantName};
use crate::domain::time::UnixMs;
use crate::store::deliveries::DeliveryRow;
use crate::store::event_deliveries::OfEvent;
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

/// An event that could not be read: what is wrong with it, and type and data if these two are not.
#[derive(Debug)]
pub struct Wrong<'a> {
    /// What is wrong.
    pub error: Error,
    /// What the catalogue has a word on all the same, so that everything is told at once.
    pub known: Option<(EventType, &'a str)>,
}

impl From<Error> for Wrong<'_> {
    fn from(error: Error) -> Self {
        Self { error, known: None }
    }
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
    /// `not_found` (a tenant that the key may not see), `too_large`, `reserved_event_type`, `unknown_event_type`, `invalid` where data
    /// does not fit its schema;
    /// in the answer `unknown_tenant`, `id_taken`, `idempotency_key_reused`.
    pub fn publish(
        &self,
        scope: &TenantScope,
        event: Publish<'_>,
    ) -> Result<Answer<Published, PublishError>, Error> {
        Ok(self.store.publish(self.check_event(scope, event)?))
    }

    /// Everything that is wrong with an event, what the catalogue says of it included.
    pub fn all_wrong(&self, wrong: Wrong<'_>) -> Error {
        let Wrong { error, known } = wrong;
        let Some((event_type, data)) = known.filter(|_| error.code == Code::Invalid) else { return error };
        let strict = self.store.directory().settings().strict_event_types;
        match self.check_type(&event_type, data, strict) {
            Ok(()) => error,
            Err(more) => Invalid([error.fields, more.fields].concat()).into(),
        }
    }

    /// Checks an event against settings and catalogue, and finds who receives it.
    pub(super) fn check_event(&self, scope: &TenantScope, event: Publish<'_>) -> Result<NewEvent, Error> {
        let settings = self.store.directory().settings();
        let tenant = tenant_of(scope, event.tenant.as_ref())?;
        let limit = settings.data_limit_bytes as usize;
        if event.data.len() > limit {
            let length = event.data.len();
            let detail = format!("data has {length} bytes, and the setting data_limit_bytes allows {limit}");
            let allowed = format!("may have at most {limit} bytes");
            return Err(Error::new(Code::TooLarge, detail).about("data", &allowed));
        }
        self.check_type(&event.event_type, event.data, settings.strict_event_types)?;
        let matched = Matched::find(self.store.directory(), &tenant, &event.event_type, event.data);
        Ok(NewEvent {
            tenant,
            event_type: event.event_type,
            data: event.data.into(),
            timestamp: event.timestamp,
            own_id: event.id,
            idempotency: event.idempotency,
            matched,
        })
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

    /// Deletes the data of an event and the answers that were kept of its deliveries; what is pending or held of them
    /// is canceled, and the records stay. One whose data is deleted stays as it is. Blocks while it looks the event up.
    ///
    /// # Errors
    /// `not_found`; in the answer as well, if it was pruned meanwhile.
    pub fn blank_event(
        &self,
        scope: &TenantScope,
        id: &str,
        tenant: Option<&TenantName>,
    ) -> Result<Answer<(), Error>, Error> {
        let number = self.event(scope, id, tenant)?.id;
        let (scope, id) = (scope.clone(), id.to_owned());
        Ok(self.store.write(move |tx| {
            let event = tx.stored_event(number)?.ok_or_else(|| Error::not_found("event", &id))?;
            if event.blanked_at.is_none() {
                tx.blank_event(&event, scope.actor())?;
            }
            Ok(())
        }))
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

    /// How many deliveries events have at this moment, replays and tests included, in the order of `events`, which are
    /// some that [`Service::events`] has told of.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn deliveries_of_events(
        &self,
        scope: &TenantScope,
        events: &[StoredEvent],
    ) -> Result<Vec<OfEvent>, Error> {
        self.store.read(|reader| {
            let count = |event: &StoredEvent| {
                if scope.sees(&event.tenant) {
                    Ok(reader.count_of_event(event.id, event.deliveries)?)
                } else {
                    Ok(OfEvent::default())
                }
            };
            events.iter().map(count).collect()
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
}
