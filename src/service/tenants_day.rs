//! What the tenants on a page have and did lately.

use crate::domain::names::TenantName;
use crate::domain::stats::{Window, hour_of};

use super::tenants::LastDay;
use super::{Error, Service, ViewScope};

/// Endpoints whose counters are read for one page, at most 25 rows each.
const ENDPOINTS: u32 = 1_000;

/// A tenant's row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TenantDay {
    /// Its live endpoints.
    pub endpoints: u32,
    /// What these did in the window `24h`; `None`: there are too many to tell beside those of the rows before.
    pub last_24h: Option<LastDay>,
}

impl Service {
    /// What each of these tenants has and did in the last day, in their order; nothing where one is gone meanwhile.
    /// Blocks.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn tenants_day(&self, _scope: &ViewScope, tenants: &[TenantName]) -> Result<Vec<TenantDay>, Error> {
        let (directory, to) = (self.store.directory(), hour_of(self.store.times().wall()));
        self.store.read(|reader| {
            let (mut left, mut days) = (ENDPOINTS, Vec::with_capacity(tenants.len()));
            for name in tenants {
                let Some(tenant) = directory.tenant(name) else {
                    days.push(TenantDay::default());
                    continue;
                };
                let endpoints = reader.count_endpoints(tenant.tenant_id)?;
                let last_24h = if endpoints <= left {
                    left -= endpoints;
                    Some(LastDay::of(&reader.hours_of_tenant(
                        tenant.tenant_id,
                        to - Window::Day.hours(),
                        to,
                    )?))
                } else {
                    None
                };
                days.push(TenantDay { endpoints, last_24h });
            }
            Ok(days)
        })
    }
}
