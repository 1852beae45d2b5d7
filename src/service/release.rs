//! What becomes of deliveries that a restore holds back.

use std::sync::Arc;

use serde::Serialize;

use crate::domain::ids::EndpointId;
use crate::domain::names::TenantName;
use crate::store::Answer;
use crate::store::audit::Audited;
use crate::store::directory::Route;
use crate::store::restored::{LOOKED_AT, Looked};

use super::Service;
use super::endpoints::Held;
use super::error::Error;
use super::lookup::{live_endpoint, tenant_of};
use super::scope::{Of, TenantScope};

/// What is released.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Released {
    /// At how many endpoints there may be such.
    pub endpoints: usize,
    /// How many deliveries that are, as far as they are counted.
    pub deliveries: u32,
    /// Whether there may be more.
    pub deliveries_more: bool,
}

impl Released {
    /// With those of another endpoint, of which `most` were to be looked at.
    fn and(self, held: Looked, most: u32) -> Self {
        Self {
            endpoints: self.endpoints + 1,
            deliveries: self.deliveries + held.restored,
            deliveries_more: self.deliveries_more || held.at == most,
        }
    }
}

impl Service {
    /// Delivers or discards what a restore holds back: of an endpoint, of a tenant, or of all that the caller may
    /// see. The rows follow in the background; a disabled endpoint keeps its own until it is enabled.
    ///
    /// # Errors
    /// `not_found`; in the answer as well.
    pub fn release(
        &self,
        scope: &TenantScope,
        held: Held,
        tenant: Option<&TenantName>,
        endpoint: Option<&str>,
    ) -> Result<Answer<Released, Error>, Error> {
        let all = match endpoint {
            Some(_) => Vec::new(),
            None => self.endpoints_of(scope, tenant)?,
        };
        let (scope, tenant, endpoint) = (scope.clone(), tenant.cloned(), endpoint.map(str::to_owned));
        Ok(self.store.write(move |tx| {
            let one = match &endpoint {
                Some(text) => Some(live_endpoint(tx, &scope, text, tenant.as_ref())?),
                None => None,
            };
            let ids = one.as_ref().map_or(all, |row| vec![row.id]);
            let (mut released, mut left) = (Released::default(), LOOKED_AT);
            for id in ids {
                let most = left.max(1);
                if let Some(held) = tx.release_restored(id, held == Held::Deliver, most)? {
                    released = released.and(held, most);
                    left = left.saturating_sub(held.at);
                }
            }
            if endpoint.is_none() && scope.listed(tenant.as_ref()) == Some(Of::All) {
                // Nothing is held back any more, once the rows have followed.
                tx.forget_restore()?;
            }
            let of = match scope.listed(tenant.as_ref()) {
                Some(Of::One(name)) => Some(name),
                _ => None,
            };
            let tenant_id = match (&one, &of) {
                (Some(row), _) => Some(row.tenant_id),
                (None, Some(name)) => tx.tenant(name)?.map(|row| row.id),
                (None, None) => None,
            };
            let target = one.as_ref().map(|row| row.id.to_string());
            let target = target.or_else(|| of.as_ref().map(ToString::to_string));
            let word = if held == Held::Deliver { "deliver" } else { "discard" };
            tx.audit(Audited {
                actor: scope.actor(),
                action: "delivery.release",
                target: target.unwrap_or_else(|| "deliveries".to_owned()),
                tenant_id,
                before: None,
                after: Some(serde_json::json!({ "held": word, "endpoints": released.endpoints })),
            })?;
            Ok(released)
        }))
    }

    fn endpoints_of(
        &self,
        scope: &TenantScope,
        tenant: Option<&TenantName>,
    ) -> Result<Vec<EndpointId>, Error> {
        let ids = |routes: &[Arc<Route>]| routes.iter().map(|route| route.id).collect();
        match scope.listed(tenant) {
            Some(Of::All) => Ok(ids(&self.store.directory().all())),
            Some(Of::One(name)) => {
                Ok(self.store.directory().tenant(&name).map_or_else(Vec::new, |found| ids(&found.routes)))
            }
            // It does not exist for this caller, and that is what the call says.
            None => tenant_of(scope, tenant).map(|_| Vec::new()),
        }
    }
}
