//! Finding one endpoint, and listing many.

use serde::Serialize;

use crate::domain::format::code::Language;
use crate::domain::ids::EndpointId;
use crate::domain::names::TenantName;
use crate::domain::stats::Counts;
use crate::domain::time::UnixMs;
use crate::service::{Error, Service, TenantScope, lookup};
use crate::store::endpoints::{EndpointRow, Glimpse};
use crate::store::{Listed, Reader, StoreError};

use super::view::{EndpointView, HealthStatus, Judging};

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
    /// Those whose URL, description, uid or id holds this text, in whatever case.
    pub search: Option<String>,
}

/// Most characters of a text to search for.
pub const MAX_SEARCH: usize = 200;

/// Reads a text to search for.
///
/// # Errors
/// What is allowed.
pub fn search(text: &str) -> Result<String, String> {
    let good = !text.trim().is_empty() && text.chars().count() <= MAX_SEARCH;
    let wrong = || format!("must be a text of 1 to {MAX_SEARCH} characters, and not of blanks alone");
    good.then(|| text.trim().to_lowercase()).ok_or_else(wrong)
}

/// One endpoint, with what is waiting at it.
#[derive(Debug, Clone, Serialize)]
pub struct EndpointDetail {
    /// The endpoint.
    #[serde(flatten)]
    pub endpoint: EndpointView,
    /// Deliveries that are held for it, as far as they are counted: to 10,000.
    pub held: u32,
    /// Whether there are more.
    pub held_more: bool,
    /// When the next of its deliveries is tried again.
    pub next_retry_at: Option<UnixMs>,
    /// Before when failures do not disable it: for people, whom it tells more than `disable_at` in the first half of the
    /// time. The API has it as `until` of what needs a hand.
    #[serde(skip)]
    pub earliest_disable_at: Option<UnixMs>,
    /// Whether it has yet to show that it receives again: it was enabled since its last attempt failed. For people.
    #[serde(skip)]
    pub is_unproven: bool,
}

/// What happened at an endpoint in the hour that runs and the 24 before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Day {
    /// Deliveries that became `delivered`.
    pub delivered: u64,
    /// Deliveries that became `failed`: their attempts were used up.
    pub failed: u64,
    /// Requests that were made.
    pub attempts: u64,
    /// Those of them that failed.
    pub attempts_failed: u64,
}

impl EndpointQuery {
    /// Whether an endpoint is asked for.
    fn passes(&self, seen: &Glimpse<'_>, judging: &Judging) -> bool {
        self.enabled.is_none_or(|enabled| enabled == seen.enabled)
            && self.health.is_none_or(|health| health == judging.status(seen.enabled, &seen.health))
            && self.search.as_ref().is_none_or(|text| found(seen, text))
    }
}

/// Whether a text in small letters is a part of what names an endpoint.
fn found(seen: &Glimpse<'_>, text: &str) -> bool {
    let holds = |name: &str| name.to_lowercase().contains(text);
    holds(seen.url) || holds(seen.description) || seen.uid.is_some_and(holds) || holds(&seen.id.to_string())
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
    ) -> Result<EndpointDetail, Error> {
        self.store.read(|reader| {
            let row = EndpointRef::new(text, tenant).find(reader, scope)?;
            let held = reader.held_of(row.id)?;
            // What a disabled endpoint has not held yet it is about to.
            let next_retry_at = if row.enabled { reader.next_retry_of(row.id)? } else { None };
            let judging = self.judging();
            Ok(EndpointDetail {
                endpoint: self.show_endpoint(&row, &judging),
                held: held.count,
                held_more: held.more,
                next_retry_at,
                earliest_disable_at: judging.earliest_disable_at(row.enabled, &row.health.health),
                is_unproven: row.health.health.is_unproven(),
            })
        })
    }

    /// What happened at each of these endpoints in the last day, in their order: for the rows of a page. Nothing, where
    /// one is gone meanwhile or the caller may not see it. Blocks.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn endpoints_day(&self, scope: &TenantScope, ids: &[EndpointId]) -> Result<Vec<Day>, Error> {
        let directory = self.store.directory();
        let seen = |id: EndpointId| directory.route(id).is_some_and(|route| scope.sees(&route.tenant));
        let now = self.store.times().wall();
        let hours = self.store.read::<_, StoreError>(|reader| reader.day_of_endpoints(ids, now))?;
        let days = ids.iter().zip(&hours);
        Ok(days.map(|(id, hour)| if seen(*id) { Day::of(hour) } else { Day::default() }).collect())
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
        let judging = self.judging();
        let passes = |seen: &Glimpse<'_>| query.passes(seen, &judging);
        let page =
            self.store.read::<_, StoreError>(|reader| reader.endpoints(tenant_id, before, limit, passes))?;
        Ok(Listed {
            rows: page.rows.iter().map(|row| self.show_endpoint(row, &judging)).collect(),
            next: page.next,
        })
    }

    /// A program text that verifies the deliveries of an endpoint, in its own format. Blocks.
    ///
    /// # Errors
    /// See [`Service::live_endpoint`].
    pub fn verify_code(
        &self,
        scope: &TenantScope,
        text: &str,
        tenant: Option<&TenantName>,
        language: Language,
    ) -> Result<String, Error> {
        let row = self.live_endpoint(scope, text, tenant)?;
        let route = self.store.directory().route(row.id).ok_or_else(|| Error::not_found("endpoint", text))?;
        Ok(route.format.verify_code(language))
    }

    /// What health is judged by now.
    pub(in crate::service) fn judging(&self) -> Judging {
        Judging::by(self.store.directory().settings(), self.store.times())
    }

    fn show_endpoint(&self, row: &EndpointRow, judging: &Judging) -> EndpointView {
        EndpointView::of(row, self.store.directory().route(row.id).as_deref(), judging)
    }
}

impl Day {
    fn of(hour: &Counts) -> Self {
        Self {
            delivered: hour.delivered,
            failed: hour.failed,
            attempts: hour.attempts_ok + hour.attempts_failed,
            attempts_failed: hour.attempts_failed,
        }
    }
}
