//! The audit log: who changed what, in the same transaction as the change. Never a secret.

use std::net::IpAddr;

use rusqlite::params;

use super::error::StoreError;
use super::tx::Tx;

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// `key:key_…`, `operator:…`, `cli:UID`, or `system`.
    pub name: String,
    /// Where the request came from.
    pub address: Option<IpAddr>,
}

impl Actor {
    /// Postrider itself.
    pub fn system() -> Self {
        Self { name: "system".to_owned(), address: None }
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
