//! The audit log: who changed what, in the same transaction as the change. Never a secret.

use std::net::IpAddr;

use rusqlite::{Row, params};

use crate::domain::ids::AuditId;
use crate::domain::matching::Pattern;
use crate::domain::names::TenantName;
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::lists::{Collector, Span};
use super::reader::{Listed, Reader};
use super::tx::Tx;

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// `key:key_…`, `operator:…`, `cli:UID`, `anonymous`, or `system`.
    pub name: String,
    /// Where the request came from.
    pub address: Option<IpAddr>,
}

impl Actor {
    /// Postrider itself.
    pub fn system() -> Self {
        Self { name: "system".to_owned(), address: None }
    }

    /// Somebody who has shown neither a key nor a password.
    pub fn anonymous(address: Option<IpAddr>) -> Self {
        Self { name: "anonymous".to_owned(), address }
    }

    /// The command line, as a user of this machine.
    pub fn cli(uid: u32) -> Self {
        Self { name: format!("cli:{uid}"), address: None }
    }
}

/// A line of the log.
#[derive(Debug)]
pub struct Audited<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// What: `endpoint.create`, `settings.change`, …
    pub action: &'static str,
    /// To what: an id or a name.
    pub target: String,
    /// Whose.
    pub tenant_id: Option<i64>,
    /// What it looked like before and after, as JSON without secrets.
    pub before: Option<serde_json::Value>,
    /// See `before`.
    pub after: Option<serde_json::Value>,
}

impl Tx<'_> {
    /// Writes a line.
    pub fn audit(&mut self, line: Audited<'_>) -> Result<(), StoreError> {
        let id = self.allot();
        self.connection()
            .prepare_cached(
                "INSERT INTO audit (id, at, actor, address, action, target, tenant_id, before, after)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                id,
                self.now.0,
                line.actor.name,
                line.actor.address.map(|address| address.to_string()),
                line.action,
                line.target,
                line.tenant_id,
                line.before.map(|json| json.to_string()),
                line.after.map(|json| json.to_string()),
            ])?;
        Ok(())
    }
}

/// A line as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Its number.
    pub id: AuditId,
    /// When it was written.
    pub at: UnixMs,
    /// Who.
    pub actor: String,
    /// From where; `None`: from this machine, or Postrider itself.
    pub address: Option<String>,
    /// What.
    pub action: String,
    /// To what.
    pub target: String,
    tenant_id: Option<i64>,
    /// Whose; `None` too where the tenant is there no more.
    pub tenant: Option<TenantName>,
    /// JSON.
    pub before: Option<String>,
    /// JSON.
    pub after: Option<String>,
}

impl AuditLine {
    /// Whether the tenant that it is about was deleted, and what it told of it with that.
    pub fn is_blanked(&self) -> bool {
        self.tenant_id.is_some() && self.tenant.is_none() && self.before.is_none() && self.after.is_none()
    }
}

/// Which lines a list shows; `None`: whichever.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// By whom.
    pub actor: Option<String>,
    /// What was done: actions are named like event types.
    pub action: Option<Pattern>,
    /// To what.
    pub target: Option<String>,
    /// Whose.
    pub tenant_id: Option<i64>,
    /// When.
    pub span: Span,
}

impl AuditFilter {
    fn passes(&self, line: &AuditLine) -> bool {
        self.actor.as_ref().is_none_or(|actor| *actor == line.actor)
            && self.action.as_ref().is_none_or(|action| action.matches(&line.action))
            && self.target.as_ref().is_none_or(|target| *target == line.target)
            && self.tenant_id.is_none_or(|tenant| Some(tenant) == line.tenant_id)
            && self.span.holds(line.at)
    }
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<AuditLine> {
    let tenant = match row.get_ref(7)? {
        rusqlite::types::ValueRef::Null => None,
        _ => Some(super::lists::name(row, 7, TenantName::parse)?),
    };
    Ok(AuditLine {
        id: AuditId(row.get(0)?),
        at: UnixMs(row.get(1)?),
        actor: row.get(2)?,
        address: row.get(3)?,
        action: row.get(4)?,
        target: row.get(5)?,
        tenant_id: row.get(6)?,
        tenant,
        before: row.get(8)?,
        after: row.get(9)?,
    })
}

impl Reader<'_> {
    /// Lines, the newest first, below `before`: a walk along the primary key that examines so many lines only.
    pub fn audit_lines(
        &self,
        filter: &AuditFilter,
        before: Option<AuditId>,
        limit: usize,
    ) -> Result<Listed<AuditLine>, StoreError> {
        let ids = self.span_ids(&filter.span, before.map(|id| id.0))?;
        let mut statement = self.connection().prepare_cached(
            "SELECT a.id, a.at, a.actor, a.address, a.action, a.target, a.tenant_id, t.name, a.before, a.after
             FROM audit a LEFT JOIN tenants t ON t.id = a.tenant_id
             WHERE a.id >= ?1 AND a.id < ?2 ORDER BY a.id DESC",
        )?;
        let mut rows = statement.query([ids.start, ids.end])?;
        let mut page = Collector::new(limit);
        while let Some(row) = rows.next()? {
            if !page.has_room() {
                return Ok(page.finish(true));
            }
            let line = read_row(row)?;
            page.add(line.id.0, filter.passes(&line).then_some(line));
        }
        Ok(page.finish(false))
    }
}
