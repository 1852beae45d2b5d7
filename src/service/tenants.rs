//! Tenants: named, listed, limited.

use serde::Serialize;

use crate::domain::invalid::Invalid;
use crate::domain::limits;
use crate::domain::names::TenantName;
use crate::domain::scope::Scope;
use crate::domain::settings::MAX_ENDPOINT_LIMIT;
use crate::domain::stats::{Counts, Window, hour_of};
use crate::domain::time::UnixMs;
use crate::store::audit::Audited;
use crate::store::hourly::Hours;
use crate::store::tenants::TenantRow;
use crate::store::{Answer, Listed, Reader, StoreError, Tx};

use super::error::Code;
use super::{AdminScope, Caller, Error, Service, ViewScope};

/// Endpoints whose deliveries and counters are read: a look at a tenant costs the same however many it has.
const ENDPOINTS: u32 = 1_000;

/// A tenant as the API and the console show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenantView {
    /// What it is called in the API.
    pub tenant: TenantName,
    /// What people call it.
    pub name: Option<String>,
    /// Endpoints that it may have; null: as the setting says.
    pub endpoint_limit: Option<u32>,
    /// When it was made.
    pub created_at: UnixMs,
    /// When it was last changed.
    pub updated_at: UnixMs,
}

impl From<TenantRow> for TenantView {
    fn from(row: TenantRow) -> Self {
        Self {
            tenant: row.name,
            name: row.display_name,
            endpoint_limit: row.endpoint_limit,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// One tenant with what it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenantDetail {
    /// The tenant.
    #[serde(flatten)]
    pub tenant: TenantView,
    /// Its live endpoints.
    pub endpoints: u32,
    /// Its deliveries that wait for an attempt, counted up to 10,000; null: it has more than 1,000 endpoints.
    pub pending: Option<u32>,
    /// Its deliveries that are held, counted up to 10,000.
    pub held: u32,
    /// What its live endpoints did in the window `24h` of [`crate::domain::stats`]; null: they are more than 1,000.
    pub last_24h: Option<LastDay>,
}

/// Outcomes of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LastDay {
    /// Deliveries that became delivered.
    pub delivered: u64,
    /// Deliveries that failed for good.
    pub failed: u64,
    /// Attempts, successful or not.
    pub attempts: u64,
}

impl LastDay {
    /// The sum of these hours.
    pub(super) fn of(hours: &Hours) -> Self {
        let mut sum = Counts::default();
        for counts in hours.values() {
            sum.add(counts);
        }
        Self { delivered: sum.delivered, failed: sum.failed, attempts: sum.attempts() }
    }
}

impl TenantDetail {
    fn read(reader: &Reader<'_>, row: TenantRow, to: i64) -> Result<Self, StoreError> {
        let endpoints = reader.count_endpoints(row.id)?;
        let few = endpoints <= ENDPOINTS;
        let backlog = reader.backlog(Some(row.id))?;
        let day = few.then(|| reader.hours_of_tenant(row.id, to - Window::Day.hours(), to)).transpose()?;
        Ok(Self {
            tenant: row.into(),
            endpoints,
            pending: few.then_some(backlog.waiting.count),
            held: backlog.held.count,
            last_24h: day.as_ref().map(LastDay::of),
        })
    }
}

/// All that can be said about a tenant; what is absent gets its default. Nothing in it is checked.
#[derive(Debug, Clone, Default)]
pub struct TenantDraft {
    /// What people call it.
    pub name: Option<String>,
    /// Endpoints that it may have, 0 to 100,000.
    pub endpoint_limit: Option<i64>,
}

impl TenantDraft {
    /// Every wrong field, if it is for this tenant.
    pub fn wrong(&self, tenant: &str) -> Invalid {
        check(tenant, self).err().unwrap_or_default()
    }
}

/// A tenant that was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantPut {
    /// The tenant as it is now.
    pub tenant: TenantView,
    /// Whether it was not there before.
    pub made: bool,
}

impl Service {
    /// One tenant: any for who sees what an admin sees, its own for a key that is bound to it and may read endpoints. Blocks.
    ///
    /// # Errors
    /// `insufficient_scope`, `not_found`.
    pub fn tenant(&self, caller: &Caller, tenant: &str) -> Result<TenantDetail, Error> {
        let absent = || Error::not_found("tenant", tenant);
        if caller.is_bound() {
            let own = caller.tenant_scope(Scope::EndpointsRead)?.tenant(None);
            own.filter(|own| own.as_str() == tenant).ok_or_else(absent)?;
        } else {
            caller.view()?;
        }
        let name = TenantName::parse(tenant).map_err(|_| absent())?;
        let to = hour_of(self.store.times().wall());
        self.store.read(|reader| {
            let row = reader.tenant(&name)?.ok_or_else(absent)?;
            Ok(TenantDetail::read(reader, row, to)?)
        })
    }

    /// Tenants, the newest first, below the row number `before`; at most `limit`. With `search` (read by
    /// [`super::endpoints::search`]) those whose name, in the API or for people, holds it. Blocks.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn tenants(
        &self,
        _scope: &ViewScope,
        search: Option<&str>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Listed<TenantView>, Error> {
        let page = self.store.read::<_, StoreError>(|reader| reader.tenants(search, before, limit))?;
        Ok(Listed { rows: page.rows.into_iter().map(TenantView::from).collect(), next: page.next })
    }

    /// Makes a tenant, also where naming one does not, or replaces what is said about it.
    ///
    /// # Errors
    /// In the answer: `invalid` with every wrong field.
    pub fn put_tenant(
        &self,
        scope: &AdminScope,
        tenant: &str,
        draft: &TenantDraft,
    ) -> Answer<TenantPut, Error> {
        let checked = match check(tenant, draft) {
            Ok(checked) => checked,
            Err(invalid) => return Answer::ready(Err(invalid.into())),
        };
        let scope = scope.clone();
        self.store.write(move |tx| put(tx, &scope, checked))
    }
}

struct Checked {
    tenant: TenantName,
    name: Option<String>,
    endpoint_limit: Option<u32>,
}

fn check(tenant: &str, draft: &TenantDraft) -> Result<Checked, Invalid> {
    let mut invalid = Invalid::new();
    let tenant = invalid.check("tenant", TenantName::parse(tenant));
    if let Some(name) = &draft.name {
        invalid.check("name", limits::display_name(name));
    }
    let limit = |limit: i64| {
        let inside = u32::try_from(limit).ok().filter(|limit| *limit <= MAX_ENDPOINT_LIMIT);
        inside.ok_or_else(|| {
            format!("must be a whole number from 0 to {MAX_ENDPOINT_LIMIT}, or null for the setting's")
        })
    };
    let endpoint_limit = draft.endpoint_limit.and_then(|given| invalid.check("endpoint_limit", limit(given)));
    match tenant {
        Some(tenant) if invalid.is_empty() => {
            Ok(Checked { tenant, name: draft.name.clone(), endpoint_limit })
        }
        _ => Err(invalid),
    }
}

fn put(tx: &mut Tx<'_>, scope: &AdminScope, checked: Checked) -> Result<TenantPut, Error> {
    let Checked { tenant, name, endpoint_limit } = checked;
    let before = tx.tenant(&tenant)?;
    let id = match &before {
        Some(row) => row.id,
        None => tx.insert_tenant(&tenant)?,
    };
    if let Some(row) =
        before.as_ref().filter(|row| row.display_name == name && row.endpoint_limit == endpoint_limit)
    {
        // As it is: nothing was changed, and nothing is told.
        return Ok(TenantPut { tenant: row.clone().into(), made: false });
    }
    tx.update_tenant(id, name.as_deref(), endpoint_limit)?;
    let what =
        |name: Option<&str>, limit: Option<u32>| serde_json::json!({ "name": name, "endpoint_limit": limit });
    tx.audit(Audited {
        actor: scope.actor(),
        action: "tenant.put",
        target: tenant.to_string(),
        tenant_id: Some(id),
        before: before.as_ref().map(|row| what(row.display_name.as_deref(), row.endpoint_limit)),
        after: Some(what(name.as_deref(), endpoint_limit)),
    })?;
    let made = before.is_none();
    let created_at = before.map_or(tx.now, |row| row.created_at);
    Ok(TenantPut {
        tenant: TenantView { tenant, name, endpoint_limit, created_at, updated_at: tx.now },
        made,
    })
}

/// Makes a tenant that is named for the first time; its row.
///
/// # Errors
/// `unknown_tenant`, where the setting `strict_tenants` refuses.
pub(super) fn make_by_naming(tx: &mut Tx<'_>, name: &TenantName) -> Result<i64, Error> {
    if tx.settings().strict_tenants {
        return Err(Error {
            fields: Invalid::one("tenant", "is not there, and strict_tenants refuses to make it").0,
            ..Error::new(
                Code::UnknownTenant,
                format!(
                    "there is no tenant {name}, and the setting strict_tenants refuses to make it; \
                     PUT /api/v1/tenants/{name} first"
                ),
            )
        });
    }
    Ok(tx.insert_tenant(name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_of_a_tenant_is_named() {
        let draft = TenantDraft { name: Some(" ".to_owned()), endpoint_limit: Some(-1) };
        let invalid = check("a b", &draft).err().unwrap();
        let fields: Vec<_> = invalid.0.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["tenant", "name", "endpoint_limit"]);
    }

    #[test]
    fn a_tenant_may_be_allowed_no_endpoint() {
        for limit in [0, 100_000] {
            let draft = TenantDraft { name: None, endpoint_limit: Some(limit) };
            assert!(
                check("acme", &draft)
                    .is_ok_and(|checked| checked.endpoint_limit.map(i64::from) == Some(limit))
            );
        }
    }
}
