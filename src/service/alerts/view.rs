//! An alert as the API and the console show it, and finding some.

use serde::Serialize;

use crate::domain::alert::{Kind, Topic};
use crate::domain::headers::MASK;
use crate::domain::ids::{AlertId, EndpointId};
use crate::domain::names::TenantName;
use crate::domain::time::UnixMs;
use crate::service::{Error, Service, ViewScope};
use crate::store::alerts::AlertRow;
use crate::store::{Listed, Reader, StoreError};

/// An alert. Its URL is a credential, and not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertView {
    /// The alert.
    pub id: AlertId,
    /// What people call it.
    pub name: String,
    /// How it reaches somebody.
    pub kind: Kind,
    /// The tenant whose endpoints it is about; `None`: everything.
    pub tenant: Option<TenantName>,
    /// What it is about.
    pub conditions: Vec<Topic>,
    /// The endpoint that it goes to.
    pub endpoint: Option<EndpointId>,
    /// `•••` in the place of the URL that it goes to.
    pub url: Option<&'static str>,
    /// The address that it goes to.
    pub email: Option<String>,
    /// Whether it is sent at all.
    pub enabled: bool,
    /// When it was made.
    pub created_at: UnixMs,
    /// When it was last changed.
    pub updated_at: UnixMs,
    /// When a message was last sent.
    pub last_sent_at: Option<UnixMs>,
    /// Why the last try failed; `None`: it did not.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<UnixMs>,
    /// When it is tried again.
    pub next_try_at: Option<UnixMs>,
}

impl From<AlertRow> for AlertView {
    fn from(row: AlertRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            kind: row.kind,
            tenant: row.tenant.map(|(_, name)| name),
            conditions: row.topics,
            endpoint: row.endpoint,
            url: matches!(row.kind, Kind::Slack | Kind::Discord).then_some(MASK),
            email: row.email,
            enabled: row.enabled,
            created_at: row.created_at,
            updated_at: row.updated_at,
            last_sent_at: row.last_sent_at,
            last_error: row.last_error,
            last_error_at: row.last_error_at,
            next_try_at: row.progress.next_try_at,
        }
    }
}

/// An alert by the text of its id.
///
/// # Errors
/// `not_found`.
pub(super) fn find(reader: &Reader<'_>, id: &str) -> Result<AlertRow, Error> {
    let absent = || Error::not_found("alert", id);
    let known = AlertId::parse(id).ok_or_else(absent)?;
    reader.alert(known)?.ok_or_else(absent)
}

impl Service {
    /// Alerts, the newest first, below `before`; at most `limit`. Blocks.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn alerts(
        &self,
        _scope: &ViewScope,
        before: Option<AlertId>,
        limit: usize,
    ) -> Result<Listed<AlertView>, Error> {
        let before = before.map(|id| id.0);
        let page = self.store.read::<_, StoreError>(|reader| reader.alerts(before, limit))?;
        Ok(Listed { rows: page.rows.into_iter().map(AlertView::from).collect(), next: page.next })
    }

    /// An alert. Blocks.
    ///
    /// # Errors
    /// `not_found`.
    pub fn alert(&self, _scope: &ViewScope, id: &str) -> Result<AlertView, Error> {
        self.store.read(|reader| find(reader, id)).map(AlertView::from)
    }
}
