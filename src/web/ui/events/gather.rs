//! What is read for the page of an event.

use crate::domain::ids::{DeliveryId, EndpointId};
use crate::domain::names::TenantName;
use crate::service::matching::Matching;
use crate::service::{Error, Service, TenantScope};
use crate::store::events::StoredEvent;
use crate::web::ui::deliveries::rows::Row;

/// Rows of each of the two lists.
const ROWS: usize = 20;

/// See the module.
pub(super) struct Read {
    pub(super) event: StoredEvent,
    /// Whether its type is in the catalogue.
    pub(super) catalogued: bool,
    pub(super) deliveries: Vec<Row>,
    pub(super) below: Option<DeliveryId>,
    pub(super) endpoints: Vec<Matching>,
    pub(super) beside: Option<EndpointId>,
    /// Whether there are endpoints before these.
    pub(super) is_continued: bool,
}

/// Reads it; `below` and `beside`: where its two lists begin.
///
/// # Errors
/// There is no such event; the database cannot be read.
pub(super) fn gather(
    service: &Service,
    scope: &TenantScope,
    id: &str,
    tenant: Option<&TenantName>,
    below: Option<DeliveryId>,
    beside: Option<EndpointId>,
) -> Result<Read, Error> {
    let event = service.event(scope, id, tenant)?;
    let went = service.deliveries_of_event(scope, id, tenant, below, ROWS)?;
    let endpoints = service.matching(scope, id, tenant, beside, ROWS)?;
    Ok(Read {
        catalogued: service.knows_event_type(scope, &event.event_type),
        event,
        deliveries: went.rows.into_iter().map(|row| Row::of(service, scope, row)).collect(),
        below: went.next.map(DeliveryId),
        endpoints: endpoints.rows,
        is_continued: beside.is_some(),
        beside: endpoints.next.map(EndpointId),
    })
}
