//! Deleting a tenant with all that it has, and watching how far that has come.

use serde::Serialize;

use crate::domain::ids::TenantDeletionId;
use crate::domain::names::TenantName;
use crate::domain::time::UnixMs;
use crate::store::audit::Audited;
use crate::store::tenant_jobs::TenantDeletionRow;
use crate::store::{Answer, Listed, StoreError, Tx};

use super::error::Error;
use super::{AdminScope, Service, ViewScope};

/// How a deletion stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletionStatus {
    /// Nothing of the tenant is shown or sent any more; its data goes.
    Running,
    /// Its data is gone.
    Done,
}

impl DeletionStatus {
    /// The word of the API and the console.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
        }
    }
}

/// The deletion of a tenant as the API and the console show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenantDeletionView {
    /// Its id.
    pub id: TenantDeletionId,
    /// The tenant that was.
    pub tenant: TenantName,
    /// How it stands.
    pub status: DeletionStatus,
    /// Endpoints deleted.
    pub endpoints: u64,
    /// Keys revoked.
    pub keys: u64,
    /// Events deleted so far.
    pub events: u64,
    /// Deliveries deleted so far.
    pub deliveries: u64,
    /// Attempts deleted so far.
    pub attempts: u64,
    /// When it was asked for.
    pub created_at: UnixMs,
    /// When it was done.
    pub ended_at: Option<UnixMs>,
}

impl From<TenantDeletionRow> for TenantDeletionView {
    fn from(row: TenantDeletionRow) -> Self {
        let status = if row.ended_at.is_some() { DeletionStatus::Done } else { DeletionStatus::Running };
        Self {
            id: row.id,
            tenant: row.tenant,
            status,
            endpoints: row.endpoints,
            keys: row.keys,
            events: row.events,
            deliveries: row.deliveries,
            attempts: row.attempts,
            created_at: row.created_at,
            ended_at: row.ended_at,
        }
    }
}

impl Service {
    /// Deletes a tenant. With the answer its endpoints and keys are gone and its name is free; its data goes in the
    /// background. `default` is made anew at once, because it is whose calls are that name no tenant.
    ///
    /// # Errors
    /// In the answer: `not_found`.
    pub fn delete_tenant(&self, scope: &AdminScope, tenant: &str) -> Answer<TenantDeletionView, Error> {
        let absent = Error::not_found("tenant", tenant);
        let Ok(name) = TenantName::parse(tenant) else { return Answer::ready(Err(absent)) };
        let scope = scope.clone();
        self.store.write(move |tx| delete(tx, &scope, &name, absent))
    }

    /// The deletion of a tenant. Blocks.
    ///
    /// # Errors
    /// `not_found`.
    pub fn tenant_deletion(&self, _scope: &ViewScope, id: &str) -> Result<TenantDeletionView, Error> {
        let absent = || Error::not_found("deletion of a tenant", id);
        let known = TenantDeletionId::parse(id).ok_or_else(absent)?;
        let row = self.store.read::<_, StoreError>(|reader| reader.tenant_deletion(known))?;
        row.map(TenantDeletionView::from).ok_or_else(absent)
    }

    /// Deletions of tenants, the newest first, below `before`; at most `limit`. Blocks.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn tenant_deletions(
        &self,
        _scope: &ViewScope,
        before: Option<TenantDeletionId>,
        limit: usize,
    ) -> Result<Listed<TenantDeletionView>, Error> {
        let page = self.store.read::<_, StoreError>(|reader| reader.tenant_deletions(before, limit))?;
        Ok(Listed { rows: page.rows.into_iter().map(TenantDeletionView::from).collect(), next: page.next })
    }
}

fn delete(
    tx: &mut Tx<'_>,
    scope: &AdminScope,
    name: &TenantName,
    absent: Error,
) -> Result<TenantDeletionView, Error> {
    let Some(row) = tx.tenant(name)? else { return Err(absent) };
    let id = tx.delete_tenant(&row)?;
    if *name == TenantName::default_name() {
        tx.insert_tenant(name)?;
    }
    let deletion = tx.tenant_deletion(id)?.map(TenantDeletionView::from).ok_or(absent)?;
    tx.audit(Audited {
        actor: scope.actor(),
        action: "tenant.delete",
        target: name.to_string(),
        tenant_id: Some(row.id),
        // What it was called is its data, and goes with it.
        before: Some(serde_json::json!({ "endpoint_limit": row.endpoint_limit })),
        after: Some(serde_json::json!({
            "deletion": id, "endpoints": deletion.endpoints, "keys": deletion.keys,
        })),
    })?;
    Ok(deletion)
}
