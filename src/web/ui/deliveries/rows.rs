//! The rows of a list of deliveries, on whatever page it stands.

use crate::domain::time::UnixMs;
use crate::service::{Service, TenantScope};
use crate::store::deliveries::DeliveryRow;
use crate::web::ui::{events, shown};

/// Characters of a URL that a row has room for.
const URL: usize = 80;

/// A delivery as a list shows it.
pub(in crate::web::ui) struct Row {
    pub(in crate::web::ui) delivery: DeliveryRow,
    /// Its status.
    pub(in crate::web::ui) word: &'static str,
    /// The page of its event.
    pub(in crate::web::ui) event: String,
    /// Where its endpoint is, or its id where it was deleted.
    pub(in crate::web::ui) endpoint: String,
    /// Why it is where it is, if something went wrong.
    pub(in crate::web::ui) error: Option<String>,
    /// When it is tried again.
    pub(in crate::web::ui) next: Option<UnixMs>,
}

impl Row {
    /// What is shown of a delivery.
    pub(in crate::web::ui) fn of(service: &Service, scope: &TenantScope, delivery: DeliveryRow) -> Self {
        let url = service.endpoint_url(scope, delivery.endpoint);
        Self {
            word: delivery.state.status().word(),
            event: events::path(&delivery.event_public_id, &delivery.tenant),
            endpoint: url.map_or_else(|| delivery.endpoint.to_string(), |url| shown::short(&url, URL)),
            error: delivery.error.as_deref().map(shown::cause),
            next: service.next_retry_at(&delivery),
            delivery,
        }
    }
}
