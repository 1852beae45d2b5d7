//! The endpoints that receive an event: found before the transaction, where it holds nobody up.

use std::sync::Arc;

use crate::domain::names::{EventType, TenantName};

use super::directory::{Directory, Route, TenantRoutes};

/// Which endpoints of a tenant receive an event, and by which state of the directory.
#[derive(Debug)]
pub struct Matched {
    pub(super) tenant: Option<Arc<TenantRoutes>>,
    pub(super) routes: Vec<Arc<Route>>,
}

impl Matched {
    /// Finds the endpoints that match.
    pub fn find(directory: &Directory, tenant: &TenantName, event_type: &EventType, data: &str) -> Self {
        let tenant = directory.tenant(tenant);
        let routes = tenant.as_ref().map_or_else(Vec::new, |tenant| {
            let matches = |route: &&Arc<Route>| route.subscription.matches(event_type.as_str(), data);
            tenant.routes.iter().filter(matches).cloned().collect()
        });
        Self { tenant, routes }
    }

    /// No endpoint at all.
    pub(super) fn nothing() -> Self {
        Self { tenant: None, routes: Vec::new() }
    }

    /// Whether the directory is still the one that this was found in.
    pub(super) fn holds(&self, directory: &Directory, tenant: &TenantName) -> bool {
        match (&self.tenant, directory.tenant(tenant)) {
            (None, None) => true,
            (Some(then), Some(now)) => Arc::ptr_eq(then, &now),
            _ => false,
        }
    }
}
