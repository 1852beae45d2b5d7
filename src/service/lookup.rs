//! What many use cases look up: the tenant that a call is about, an endpoint by id or handle.

use crate::domain::ids::EndpointId;
use crate::domain::names::{TenantName, Uid};
use crate::store::Reader;
use crate::store::endpoints::EndpointRow;

use super::Service;
use super::error::Error;
use super::scope::{Of, TenantScope};

/// The tenant that a call is about.
///
/// # Errors
/// `not_found` when the key is bound to another one.
pub(super) fn tenant_of(scope: &TenantScope, named: Option<&TenantName>) -> Result<TenantName, Error> {
    scope.tenant(named).ok_or_else(|| unseen(named))
}

impl Service {
    /// The tenant that a list is limited to, as the rows name it: `Some(None)`: none in particular; `None`: one
    /// that was never made, so that the list is empty.
    ///
    /// # Errors
    /// `not_found` when the key is bound to another one.
    #[expect(clippy::option_option, reason = "whether there is a limit, and whether there can be a row")]
    pub(super) fn list_tenant_id(
        &self,
        scope: &TenantScope,
        named: Option<&TenantName>,
    ) -> Result<Option<Option<i64>>, Error> {
        match scope.listed(named).ok_or_else(|| unseen(named))? {
            Of::All => Ok(Some(None)),
            Of::One(name) => Ok(self.store.directory().tenant(&name).map(|tenant| Some(tenant.tenant_id))),
        }
    }
}

/// An endpoint by its id, or by its owner's handle in `tenant` (the key's own or `default` when absent).
/// One that was deleted is found by its id.
///
/// # Errors
/// `not_found`.
pub(super) fn find_endpoint(
    reader: &Reader<'_>,
    scope: &TenantScope,
    id: &str,
    tenant: Option<&TenantName>,
) -> Result<EndpointRow, Error> {
    let found = if let Some(id) = EndpointId::parse(id) {
        reader.endpoint(id)?
    } else if let (Ok(uid), Some(tenant)) = (Uid::parse(id), scope.tenant(tenant)) {
        let tenant = reader.tenant(&tenant)?;
        tenant.map(|tenant| reader.endpoint_by_uid(tenant.id, &uid)).transpose()?.flatten()
    } else {
        None
    };
    found
        .filter(|endpoint| scope.sees(&endpoint.tenant))
        .filter(|endpoint| tenant.is_none_or(|tenant| *tenant == endpoint.tenant))
        .ok_or_else(|| Error::not_found("endpoint", id))
}

/// The same, unless it was deleted.
///
/// # Errors
/// `not_found`, which says so where it was deleted.
pub(super) fn live_endpoint(
    reader: &Reader<'_>,
    scope: &TenantScope,
    id: &str,
    tenant: Option<&TenantName>,
) -> Result<EndpointRow, Error> {
    let found = find_endpoint(reader, scope, id, tenant)?;
    if found.deleted_at.is_some() { Err(Error::endpoint_deleted(found.id)) } else { Ok(found) }
}

fn unseen(named: Option<&TenantName>) -> Error {
    Error::not_found("tenant", named.map_or("default", TenantName::as_str))
}
