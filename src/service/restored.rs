//! What becomes of the deliveries that a restore holds back.

use serde::Serialize;

use crate::domain::ids::EndpointId;
use crate::domain::names::TenantName;
use crate::store::audit::Audited;
use crate::store::{Answer, Tx};

use super::endpoints::Held;
use super::lookup::live_endpoint;
use super::{Error, Service, TenantScope};

/// What was released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Released {
    /// Endpoints of which something is held, and whose deliveries are gone through now.
    pub endpoints: usize,
}

/// Of whom.
#[derive(Debug, Clone, Default)]
pub struct ReleaseOf {
    /// Of this tenant; `None`: of all that the caller may see.
    pub tenant: Option<TenantName>,
    /// Of this endpoint alone, by id or by handle.
    pub endpoint: Option<String>,
}

impl Service {
    /// Delivers or discards what a restore holds back. Decided with the answer; the rows follow in turns.
    ///
    /// # Errors
    /// `not_found` for a tenant or an endpoint that is not there or that the caller may not see; in the answer as well.
    pub fn release_restored(
        &self,
        scope: &TenantScope,
        of: ReleaseOf,
        held: Held,
    ) -> Result<Answer<Released, Error>, Error> {
        let tenant = self.list_tenant_id(scope, of.tenant.as_ref())?;
        // One that is made from now on has nothing that was restored.
        let mut endpoints = Vec::new();
        if of.endpoint.is_none()
            && let Some(tenant_id) = tenant
        {
            let routes = self.store.directory().all();
            let wanted = routes.iter().filter(|route| tenant_id.is_none_or(|id| id == route.tenant_id));
            endpoints.extend(wanted.map(|route| route.id));
        }
        let scope = scope.clone();
        Ok(self.store.write(move |tx| {
            if let Some(text) = &of.endpoint {
                endpoints.push(live_endpoint(tx, &scope, text, of.tenant.as_ref())?.id);
            }
            release(tx, &scope, &of, tenant.flatten(), &endpoints, held)
        }))
    }
}

fn release(
    tx: &mut Tx<'_>,
    scope: &TenantScope,
    of: &ReleaseOf,
    tenant_id: Option<i64>,
    all: &[EndpointId],
    held: Held,
) -> Result<Released, Error> {
    let mut endpoints = 0;
    for endpoint in all {
        endpoints += usize::from(tx.release_restored(*endpoint, held == Held::Deliver)?);
    }
    let target = match (&of.endpoint, all) {
        (Some(_), [only]) => only.to_string(),
        _ => "deliveries".to_owned(),
    };
    let held = if held == Held::Deliver { "deliver" } else { "discard" };
    tx.audit(Audited {
        actor: scope.actor(),
        action: "delivery.release",
        target,
        tenant_id,
        before: None,
        after: Some(serde_json::json!({ "held": held, "endpoints": endpoints })),
    })?;
    Ok(Released { endpoints })
}
