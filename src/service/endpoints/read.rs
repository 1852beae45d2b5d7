//! Finding one endpoint, and listing many.

use crate::domain::ids::EndpointId;
use crate::domain::names::TenantName;
use crate::service::{Error, Service, TenantScope, lookup};
use crate::store::endpoints::EndpointRow;
use crate::store::{Listed, Reader, StoreError};

use super::view::{EndpointView, HealthStatus};

/// What stands for an endpoint in a call: its id or its uid, and the tenant that was named beside it.
#[derive(Debug, Clone)]
pub(super) struct EndpointRef {
    pub(super) text: String,
    pub(super) tenant: Option<TenantName>,
}

impl EndpointRef {
    pub(super) fn new(text: &str, tenant: Option<&TenantName>) -> Self {
        Self { text: text.to_owned(), tenant: tenant.cloned() }
    }

    /// The live endpoint that is meant, as far as the caller may see it.
    pub(super) fn find(&self, reader: &Reader<'_>, scope: &TenantScope) -> Result<EndpointRow, Error> {
        lookup::live_endpoint(reader, scope, &self.text, self.tenant.as_ref())
    }
}

/// Which endpoints a list shows.
#[derive(Debug, Clone, Default)]
pub struct EndpointQuery {
    /// Those of this tenant; `None`: all that the caller may see.
    pub tenant: Option<TenantName>,
    /// Those that are enabled, or those that are not.
    pub enabled: Option<bool>,
    /// Those that do like this.
    pub health: Option<HealthStatus>,
}

impl Service {
    /// The endpoint that `text` stands for: its id, or its uid in `tenant` (else in the key's own, else in
    /// `default`). Blocks.
    ///
    /// # Errors
    /// `not_found`, also for one that was deleted or that the caller may not see.
    pub fn live_endpoint(
        &self,
        scope: &TenantScope,
        text: &str,
        tenant: Option<&TenantName>,
    ) -> Result<EndpointRow, Error> {
        self.store.read(|reader| EndpointRef::new(text, tenant).find(reader, scope))
    }

    /// One endpoint. Blocks.
    ///
    /// # Errors
    /// See [`Service::live_endpoint`].
    pub fn endpoint(
        &self,
        scope: &TenantScope,
        text: &str,
        tenant: Option<&TenantName>,
    ) -> Result<EndpointView, Error> {
        self.live_endpoint(scope, text, tenant).map(|row| self.show_endpoint(&row))
    }

    /// Endpoints, the newest first, below the id `before`; at most `limit`. Blocks.
    ///
    /// # Errors
    /// `not_found` for a tenant that the caller may not see.
    pub fn endpoints(
        &self,
        scope: &TenantScope,
        query: &EndpointQuery,
        before: Option<EndpointId>,
        limit: usize,
    ) -> Result<Listed<EndpointView>, Error> {
        let Some(tenant_id) = self.list_tenant_id(scope, query.tenant.as_ref())? else {
            return Ok(Listed { rows: Vec::new(), next: None });
        };
        let failing_after = self.store.directory().settings().failing_after_failures;
        let passes = |row: &EndpointRow| {
            query.enabled.is_none_or(|enabled| enabled == row.enabled)
                && query.health.is_none_or(|health| health == HealthStatus::of(row, failing_after))
        };
        let page =
            self.store.read::<_, StoreError>(|reader| reader.endpoints(tenant_id, before, limit, passes))?;
        Ok(Listed { rows: page.rows.iter().map(|row| self.show_endpoint(row)).collect(), next: page.next })
    }

    fn show_endpoint(&self, row: &EndpointRow) -> EndpointView {
        let directory = self.store.directory();
        let route = directory.route(row.id);
        EndpointView::of(row, route.as_deref(), directory.settings().failing_after_failures)
    }
}
