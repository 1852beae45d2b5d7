//! All live endpoints in memory, as matching and sending need them.
//!
//! Only the writer changes it, after the commit that changes the rows; everyone else takes snapshots. A tenant's
//! endpoints are one shared list, so finding the endpoints of an event costs nothing for those of other tenants.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::domain::format::Format;
use crate::domain::ids::EndpointId;
use crate::domain::matching::Subscription;
use crate::domain::names::TenantName;
use crate::domain::retry::RetrySchedule;
use crate::domain::settings::Settings;
use crate::domain::signing::Signer;
use crate::domain::target::Target;

/// An endpoint's settings, parsed once.
#[derive(Debug, Clone)]
pub struct Route {
    /// The endpoint.
    pub id: EndpointId,
    /// Its tenant's row.
    pub tenant_id: i64,
    /// Its tenant.
    pub tenant: TenantName,
    /// Whether it receives.
    pub enabled: bool,
    /// Whether new events wait for it while it is disabled (`while_disabled: hold`).
    pub holds: bool,
    /// The revision of what shapes its requests.
    pub revision: i64,
    /// What it receives.
    pub subscription: Subscription,
    /// Where it is; the reason when its URL is not acceptable any more.
    pub target: Result<Target, String>,
    /// Its own headers.
    pub headers: Vec<(String, String)>,
    /// How its requests look.
    pub format: Arc<Format>,
    /// The revision of the format; 0 for those that are built in.
    pub format_revision: i64,
    /// One for each live secret, newest first. Those but the first end at a time of the wall clock.
    pub signers: Vec<LiveSigner>,
    /// The public key of the newest secret, for a format whose scheme is asymmetric.
    pub public_key: Option<String>,
    /// From the first name to be looked up to the last byte read.
    pub timeout: Duration,
    /// Requests at a time.
    pub max_in_flight: u32,
    /// Attempts started in any second.
    pub rate_limit: Option<u32>,
    /// Its own schedule.
    pub retry_schedule: Option<RetrySchedule>,
}

/// A signer and the end of its secret.
#[derive(Debug, Clone)]
pub struct LiveSigner {
    /// Signs.
    pub signer: Signer,
    /// No longer used from this time on.
    pub expires_at: Option<crate::domain::time::UnixMs>,
}

/// A tenant with its live endpoints, in the order of their ids.
#[derive(Debug)]
pub struct TenantRoutes {
    /// The tenant's row.
    pub tenant_id: i64,
    /// Its name.
    pub name: TenantName,
    /// Its endpoints.
    pub routes: Vec<Arc<Route>>,
}

#[derive(Debug, Default)]
struct Maps {
    tenants: HashMap<TenantName, Arc<TenantRoutes>>,
    routes: HashMap<EndpointId, Arc<Route>>,
}

/// The directory of endpoints, and the settings in force.
#[derive(Debug, Default)]
pub struct Directory {
    maps: RwLock<Maps>,
    settings: RwLock<Arc<Settings>>,
}

impl Directory {
    /// The endpoints of a tenant; `None` when there is no such tenant.
    pub fn tenant(&self, name: &TenantName) -> Option<Arc<TenantRoutes>> {
        self.maps.read().unwrap_or_else(PoisonError::into_inner).tenants.get(name).cloned()
    }

    /// A live endpoint.
    pub fn route(&self, id: EndpointId) -> Option<Arc<Route>> {
        self.maps.read().unwrap_or_else(PoisonError::into_inner).routes.get(&id).cloned()
    }

    /// All live endpoints, in no order.
    pub fn all(&self) -> Vec<Arc<Route>> {
        self.maps.read().unwrap_or_else(PoisonError::into_inner).routes.values().cloned().collect()
    }

    /// The settings in force.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn put_settings(&self, settings: Arc<Settings>) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    /// Adds a tenant without endpoints; one that is there stays as it is.
    pub(super) fn put_tenant(&self, tenant_id: i64, name: &TenantName) {
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        maps.tenants
            .entry(name.clone())
            .or_insert_with(|| Arc::new(TenantRoutes { tenant_id, name: name.clone(), routes: Vec::new() }));
    }

    /// Forgets a tenant with all its endpoints.
    pub(super) fn remove_tenant(&self, name: &TenantName) {
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        for route in maps.tenants.remove(name).iter().flat_map(|tenant| &tenant.routes) {
            maps.routes.remove(&route.id);
        }
    }

    /// Adds or replaces endpoints, each tenant's all at once: a change of a format may concern thousands.
    pub(super) fn put_routes(&self, changed: Vec<Arc<Route>>) {
        let mut by_tenant: HashMap<i64, Vec<Arc<Route>>> = HashMap::new();
        for route in changed {
            by_tenant.entry(route.tenant_id).or_default().push(route);
        }
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        for (tenant_id, changed) in by_tenant {
            let Some(name) = changed.first().map(|route| route.tenant.clone()) else { continue };
            for route in &changed {
                maps.routes.insert(route.id, Arc::clone(route));
            }
            let ids: HashSet<EndpointId> = changed.iter().map(|route| route.id).collect();
            replace(&mut maps, tenant_id, &name, |routes| {
                routes.retain(|other| !ids.contains(&other.id));
                routes.extend(changed);
                routes.sort_by_key(|route| route.id);
            });
        }
    }

    /// Forgets an endpoint.
    pub(super) fn remove_route(&self, id: EndpointId) {
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = maps.routes.remove(&id) {
            replace(&mut maps, route.tenant_id, &route.tenant, |routes| {
                routes.retain(|other| other.id != id);
            });
        }
    }

    /// Fills the directory at the start, all at once: adding one by one copies a tenant's list each time.
    pub(super) fn fill(&self, tenants: Vec<(i64, TenantName)>, routes: Vec<Arc<Route>>) {
        let mut lists: HashMap<TenantName, TenantRoutes> = tenants
            .into_iter()
            .map(|(tenant_id, name)| (name.clone(), TenantRoutes { tenant_id, name, routes: Vec::new() }))
            .collect();
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        for route in routes {
            if let Some(list) = lists.get_mut(&route.tenant) {
                list.routes.push(Arc::clone(&route));
            }
            maps.routes.insert(route.id, route);
        }
        for (name, mut list) in lists {
            list.routes.sort_by_key(|route| route.id);
            maps.tenants.insert(name, Arc::new(list));
        }
    }
}

fn replace(maps: &mut Maps, tenant_id: i64, name: &TenantName, change: impl FnOnce(&mut Vec<Arc<Route>>)) {
    let mut routes = maps.tenants.get(name).map(|tenant| tenant.routes.clone()).unwrap_or_default();
    change(&mut routes);
    maps.tenants.insert(name.clone(), Arc::new(TenantRoutes { tenant_id, name: name.clone(), routes }));
}
