//! Endpoints that fail now, of all tenants.

use std::sync::Arc;

use crate::domain::health::Health;
use crate::store::directory::Route;
use crate::store::{Reader, StoreError};

use super::Service;
use super::endpoints::{HealthStatus, Judging};

impl Service {
    /// All endpoints that are `failing`, in the order of their ids. Those that are disabled are not: they are told apart.
    pub(super) fn failing_endpoints(
        &self,
        reader: &Reader<'_>,
        judging: &Judging,
    ) -> Result<Vec<(Arc<Route>, Health)>, StoreError> {
        let directory = self.store.directory();
        let enabled = |id| directory.route(id).filter(|route| route.enabled);
        let troubled = reader.troubled_endpoints(|id| enabled(id).is_some())?.into_iter();
        let failing = troubled.filter(|(_, health)| judging.status(true, health) == HealthStatus::Failing);
        Ok(failing.filter_map(|(id, health)| Some((enabled(id)?, health))).collect())
    }
}
