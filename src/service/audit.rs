//! The audit log, to be read. It is written where things are changed, in the same transaction.

use serde::ser::{Error as _, Serialize, SerializeStruct, Serializer};
use serde_json::value::RawValue;

use crate::domain::ids::AuditId;
use crate::domain::matching::Pattern;
use crate::domain::names::TenantName;
use crate::store::audit::{AuditFilter, AuditLine};
use crate::store::lists::Span;
use crate::store::{Listed, StoreError};

use super::{Error, Service, ViewScope};

/// Which lines a list shows; `None`: whichever.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// By whom: `key:key_…`, `operator:…`, `cli:UID`, `anonymous` or `system`.
    pub actor: Option<String>,
    /// What was done: `endpoint.create`, or `endpoint.*`.
    pub action: Option<Pattern>,
    /// To what: an id or a name.
    pub target: Option<String>,
    /// To what is whose.
    pub tenant: Option<TenantName>,
    /// When.
    pub span: Span,
}

/// A line as the API and the console show it.
#[derive(Debug, Clone)]
pub struct AuditView(AuditLine);

impl AuditView {
    /// The line as it was written.
    pub fn line(&self) -> &AuditLine {
        &self.0
    }
}

impl Serialize for AuditView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(line) = self;
        let mut shown = serializer.serialize_struct("AuditView", 9)?;
        shown.serialize_field("id", &line.id)?;
        shown.serialize_field("created_at", &line.at)?;
        shown.serialize_field("actor", &line.actor)?;
        shown.serialize_field("address", &line.address)?;
        shown.serialize_field("action", &line.action)?;
        shown.serialize_field("target", &line.target)?;
        shown.serialize_field("tenant", &line.tenant)?;
        for (name, text) in [("before", &line.before), ("after", &line.after)] {
            let json = text.as_deref().map(serde_json::from_str::<&RawValue>).transpose();
            shown.serialize_field(name, &json.map_err(S::Error::custom)?)?;
        }
        shown.end()
    }
}

impl Service {
    /// Lines of the audit log, the newest first, below `before`; at most `limit`. Blocks.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn audit(
        &self,
        scope: &ViewScope,
        query: AuditQuery,
        before: Option<AuditId>,
        limit: usize,
    ) -> Result<Listed<AuditView>, Error> {
        let Some(tenant_id) = self.list_tenant_id(&scope.all_tenants(), query.tenant.as_ref())? else {
            return Ok(Listed { rows: Vec::new(), next: None });
        };
        let AuditQuery { actor, action, target, span, .. } = query;
        let filter = AuditFilter { actor, action, target, tenant_id, span };
        let page = self.store.read::<_, StoreError>(|reader| reader.audit_lines(&filter, before, limit))?;
        Ok(Listed { rows: page.rows.into_iter().map(AuditView).collect(), next: page.next })
    }
}
