//! Deliveries: reading them, and what a person does to one.

use crate::domain::delivery::StatusFilter;
use crate::domain::ids::{DeliveryId, EndpointId};
use crate::domain::matching::Pattern;
use crate::domain::names::TenantName;
use crate::domain::time::UnixMs;
use crate::store::deliveries::{DeliveryFilter, DeliveryRow};
use crate::store::intervene::Refusal;
use crate::store::lists::Span;
use crate::store::{Answer, Listed, Tx};

use super::Service;
use super::error::{Code, Error};
use super::lookup::find_endpoint;
use super::render::{self, Detail};
use super::scope::TenantScope;

/// Which deliveries a list shows.
#[derive(Debug, Default)]
pub struct DeliveryQuery {
    /// Of this endpoint, by id or handle; its handle is looked up in `tenant`.
    pub endpoint: Option<String>,
    /// Of this tenant; absent: of all that the caller may see.
    pub tenant: Option<TenantName>,
    /// In this status.
    pub status: Option<StatusFilter>,
    /// Of events whose type matches.
    pub event_type: Option<Pattern>,
    /// Made in this span.
    pub span: Span,
    /// Below this delivery, which was the last of the page before.
    pub before: Option<DeliveryId>,
    /// Rows at most.
    pub limit: usize,
}

impl Service {
    /// Deliveries, the newest first.
    ///
    /// # Errors
    /// `not_found` for an endpoint or a tenant that is not there or that the key may not see.
    pub fn deliveries(
        &self,
        scope: &TenantScope,
        query: DeliveryQuery,
    ) -> Result<Listed<DeliveryRow>, Error> {
        let tenant = self.list_tenant_id(scope, query.tenant.as_ref())?;
        self.store.read(|reader| {
            let endpoint = match &query.endpoint {
                Some(id) => Some(find_endpoint(reader, scope, id, query.tenant.as_ref())?.id),
                None => None,
            };
            let Some(tenant_id) = tenant else {
                return Ok(Listed { rows: Vec::new(), next: None });
            };
            let (status, event_type, span) = (query.status, query.event_type, query.span);
            let filter = DeliveryFilter { endpoint, tenant_id, status, event_type, span };
            Ok(reader.deliveries(&filter, query.before, query.limit)?)
        })
    }

    /// A delivery with its attempts, each request rendered again.
    ///
    /// # Errors
    /// `not_found`.
    pub fn delivery(&self, scope: &TenantScope, id: &str) -> Result<Detail, Error> {
        let known = parse(id)?;
        self.store.read(|reader| {
            let row = reader.delivery(known)?.filter(|row| scope.sees(&row.tenant));
            render::detail(reader, row.ok_or_else(|| not_found(id))?)
        })
    }

    /// Sends a delivery again; the answer is the delivery that is sent, a new one where it was delivered before.
    ///
    /// # Errors
    /// `not_found`; in the answer as well, and `not_retryable`.
    pub fn retry(&self, scope: &TenantScope, id: &str) -> Result<Answer<DeliveryRow, Error>, Error> {
        self.intervene(scope, id, |tx, row, scope| {
            tx.retry_delivery(row, scope.actor()).map_err(|refusal| not_retryable(row, refusal))
        })
    }

    /// Gives a delivery up that is pending or held.
    ///
    /// # Errors
    /// `not_found`; in the answer as well, and `not_cancelable`.
    pub fn cancel(&self, scope: &TenantScope, id: &str) -> Result<Answer<DeliveryRow, Error>, Error> {
        self.intervene(scope, id, |tx, row, scope| {
            tx.cancel_delivery(row, scope.actor()).map_err(|refusal| not_cancelable(row, refusal))?;
            Ok(row.id)
        })
    }

    /// When a delivery will be tried, by the wall clock. `None` where there is no such time: it is over or held,
    /// or it goes as soon as its turn comes.
    pub fn next_retry_at(&self, row: &DeliveryRow) -> Option<UnixMs> {
        row.due.map(|due| self.store.times().wall_of(due))
    }

    /// Where the endpoint of a delivery is, from memory: `None` where it was deleted, or its URL is not accepted any more.
    pub fn endpoint_url(&self, scope: &TenantScope, endpoint: EndpointId) -> Option<String> {
        let route = self.store.directory().route(endpoint).filter(|route| scope.sees(&route.tenant))?;
        route.target.as_ref().ok().map(|target| target.as_str().to_owned())
    }

    fn intervene(
        &self,
        scope: &TenantScope,
        id: &str,
        work: impl FnOnce(&mut Tx<'_>, &DeliveryRow, &TenantScope) -> Result<DeliveryId, Error> + Send + 'static,
    ) -> Result<Answer<DeliveryRow, Error>, Error> {
        let (known, scope) = (parse(id)?, scope.clone());
        Ok(self.store.write(move |tx| {
            let row = tx.delivery(known)?.filter(|row| scope.sees(&row.tenant));
            let row = row.ok_or_else(|| not_found(&known.to_string()))?;
            let shown = work(tx, &row, &scope)?;
            tx.delivery(shown)?.ok_or_else(|| not_found(&shown.to_string()))
        }))
    }
}

fn not_found(id: &str) -> Error {
    Error::not_found("delivery", id)
}

fn parse(id: &str) -> Result<DeliveryId, Error> {
    DeliveryId::parse(id).ok_or_else(|| not_found(id))
}

fn not_retryable(row: &DeliveryRow, refusal: Refusal) -> Error {
    let endpoint = row.endpoint;
    let detail = match refusal {
        Refusal::Store(error) => return error.into(),
        Refusal::EndpointGone => {
            format!("its endpoint {endpoint} was deleted; make another and publish the event again")
        }
        Refusal::Blanked => {
            "the data of its event was deleted, so there is nothing to send; publish it again under another id"
                .to_owned()
        }
        Refusal::EndpointDisabled => {
            format!("its endpoint {endpoint} is disabled; POST /api/v1/endpoints/{endpoint}/enable first")
        }
        Refusal::Held => {
            "it is held back since a restore; POST /api/v1/deliveries/release says what becomes of it"
                .to_owned()
        }
        Refusal::InFlight => "an attempt is under way; see what comes of it, then retry".to_owned(),
        Refusal::Changing | Refusal::Over => {
            format!("a change to all deliveries of its endpoint {endpoint} is under way; retry in a moment")
        }
    };
    Error::new(Code::NotRetryable, detail)
}

fn not_cancelable(row: &DeliveryRow, refusal: Refusal) -> Error {
    match refusal {
        Refusal::Store(error) => error.into(),
        _ => Error::new(
            Code::NotCancelable,
            format!(
                "it is {} already; only what is pending or held can be canceled",
                row.state.status().word()
            ),
        ),
    }
}
