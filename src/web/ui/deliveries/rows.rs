//! The rows of a list of deliveries, on whatever page it stands.

use url::form_urlencoded;

use crate::domain::ids::DeliveryId;
use crate::domain::time::UnixMs;
use crate::service::{Service, TenantScope};
use crate::store::deliveries::DeliveryRow;
use crate::web::ui::pager::Pager;
use crate::web::ui::shown;

/// The address of a list that begins with this delivery, whatever is made meanwhile: its rows are looked at again there.
/// `None`: the address that the list was asked for with says so already, or nothing of it is under way.
pub(in crate::web::ui) fn again<'a>(
    path: &str,
    query: &str,
    mut rows: impl Iterator<Item = &'a DeliveryRow>,
) -> Option<String> {
    let first = rows.next()?;
    let live = first.state.is_pending() || rows.any(|row| row.state.is_pending());
    let begins =
        form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "cursor" && !value.is_empty());
    let cursor = DeliveryId(first.id.0.saturating_add(1)).to_string();
    (live && !begins).then(|| Pager::new(path, query, Some(&cursor)).older).flatten()
}

/// A delivery as a list shows it.
pub(in crate::web::ui) struct Row {
    pub(in crate::web::ui) delivery: DeliveryRow,
    /// Its status.
    pub(in crate::web::ui) word: &'static str,
    /// Whether it was a test.
    pub(in crate::web::ui) test: bool,
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
            test: delivery.is_test(),
            endpoint: url.map_or_else(|| delivery.endpoint.to_string(), |url| shown::url(&url)),
            error: delivery.error.as_deref().map(shown::cause),
            next: service.next_retry_at(&delivery),
            delivery,
        }
    }
}
