//! Endpoints: the row (`endpoint_lists` lists them), without what shapes a request (`revisions`) and what changes with outcomes (`health`).

use rusqlite::{Row, params};

use crate::domain::ids::EndpointId;
use crate::domain::names::{TenantName, Uid};
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::health::HealthRow;
use super::reader::Reader;
use super::revisions::Revision;
use super::tx::Tx;

pub use super::endpoint_lists::Glimpse;

/// Why an endpoint is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DisabledReason {
    /// Somebody did it.
    Manual,
    /// It failed for too long.
    Failing,
    /// It answered 410.
    Gone,
}

impl DisabledReason {
    /// The word of the API and the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Failing => "failing",
            Self::Gone => "gone",
        }
    }

    fn from_word(word: &str) -> Result<Self, String> {
        [Self::Manual, Self::Failing, Self::Gone]
            .into_iter()
            .find(|reason| reason.as_str() == word)
            .ok_or_else(|| format!("unknown reason {word}"))
    }
}

/// An endpoint as it is stored, with its tenant, its present revision and its health.
#[derive(Debug, Clone)]
pub struct EndpointRow {
    /// The endpoint.
    pub id: EndpointId,
    /// Its tenant's row.
    pub tenant_id: i64,
    /// Its tenant.
    pub tenant: TenantName,
    /// When it was deleted; it is kept while deliveries refer to it.
    pub deleted_at: Option<UnixMs>,
    /// When it was made.
    pub created_at: UnixMs,
    /// When its settings were last changed.
    pub updated_at: UnixMs,
    /// Whether it receives.
    pub enabled: bool,
    /// Why it does not.
    pub disabled_reason: Option<DisabledReason>,
    /// What somebody noted when disabling it.
    pub disabled_note: Option<String>,
    /// Since when it does not.
    pub disabled_at: Option<UnixMs>,
    /// The last time that its secret was replaced.
    pub rotation: Option<Rotation>,
    /// What its owner set.
    pub settings: EndpointSettings,
    /// What shapes its requests.
    pub revision: Revision,
    /// How it does.
    pub health: HealthRow,
}

/// A secret that was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Rotation {
    /// When.
    pub rotated_at: UnixMs,
    /// Until when the secret before signs as well.
    pub old_secret_expires_at: UnixMs,
}

/// What an owner sets about receiving and scheduling. All of it is checked before it comes here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointSettings {
    /// The caller's own handle.
    pub uid: Option<Uid>,
    /// For people.
    pub description: String,
    /// Patterns of event types.
    pub events: Vec<String>,
    /// Filters on `data`, as the JSON text of an object.
    pub filters: String,
    /// The caller's own strings.
    pub metadata: Vec<(String, String)>,
    /// Seconds after each failed attempt; `None`: as the setting says.
    pub retry_schedule: Option<Vec<u32>>,
    /// Attempts started in any second.
    pub rate_limit: Option<u32>,
    /// Requests at a time; `None`: the default.
    pub max_in_flight: Option<u32>,
    /// Whether events wait for it while it is disabled.
    pub hold_while_disabled: bool,
}

pub(super) const COLUMNS: &str = "e.id, e.tenant_id, t.name, e.deleted_at, e.created_at, e.updated_at, e.enabled, \
     e.disabled_reason, e.disabled_note, e.disabled_at, e.uid, e.description, e.events, e.filters, e.metadata, \
     e.retry_schedule, e.rate_limit, e.max_in_flight, e.while_disabled, e.revision, e.secret_rotated_at, \
     e.old_secret_until";

impl Reader<'_> {
    pub(super) fn endpoint_from(&self, row: &Row<'_>) -> Result<EndpointRow, StoreError> {
        let id = EndpointId(row.get(0)?);
        let time = |column| row.get::<_, Option<i64>>(column).map(|at| at.map(UnixMs));
        let revision: i64 = row.get(19)?;
        let reason = match row.get_ref(7)?.as_str_or_null() {
            Ok(None) | Err(_) => None,
            Ok(Some(_)) => Some(super::lists::name(row, 7, DisabledReason::from_word)?),
        };
        let uid = match row.get_ref(10)?.as_str_or_null() {
            Ok(None) | Err(_) => None,
            Ok(Some(_)) => Some(super::lists::name(row, 10, Uid::parse)?),
        };
        let retry_schedule: Option<String> = row.get(15)?;
        Ok(EndpointRow {
            id,
            tenant_id: row.get(1)?,
            tenant: super::lists::name(row, 2, TenantName::parse)?,
            deleted_at: time(3)?,
            created_at: UnixMs(row.get(4)?),
            updated_at: UnixMs(row.get(5)?),
            enabled: row.get(6)?,
            disabled_reason: reason,
            disabled_note: row.get(8)?,
            disabled_at: time(9)?,
            rotation: time(20)?
                .zip(time(21)?)
                .map(|(rotated_at, old_secret_expires_at)| Rotation { rotated_at, old_secret_expires_at }),
            settings: EndpointSettings {
                uid,
                description: row.get(11)?,
                events: json(row.get_ref(12)?.as_str().map_err(rusqlite::Error::from)?)?,
                filters: row.get(13)?,
                metadata: json(row.get_ref(14)?.as_str().map_err(rusqlite::Error::from)?)?,
                retry_schedule: retry_schedule.as_deref().map(json).transpose()?,
                rate_limit: row.get(16)?,
                max_in_flight: row.get(17)?,
                hold_while_disabled: row.get_ref(18)?.as_str().map_err(rusqlite::Error::from)? == "hold",
            },
            revision: self
                .revision(id, revision)?
                .ok_or_else(|| StoreError::Internal(format!("{id} has no revision {revision}")))?,
            health: super::health::read(self.connection(), id)?,
        })
    }

    fn one_endpoint(
        &self,
        condition: &str,
        params: &[&dyn rusqlite::ToSql],
    ) -> Result<Option<EndpointRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(&format!(
            "SELECT {COLUMNS} FROM endpoints e JOIN tenants t ON t.id = e.tenant_id WHERE {condition}"
        ))?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(|row| self.endpoint_from(row)).transpose()
    }

    /// An endpoint, deleted or not.
    pub fn endpoint(&self, id: EndpointId) -> Result<Option<EndpointRow>, StoreError> {
        self.one_endpoint("e.id = ?1", &[&id.0])
    }

    /// A live endpoint by its owner's handle.
    pub fn endpoint_by_uid(&self, tenant_id: i64, uid: &Uid) -> Result<Option<EndpointRow>, StoreError> {
        self.one_endpoint(
            "e.tenant_id = ?1 AND e.uid = ?2 AND e.uid IS NOT NULL AND e.deleted_at IS NULL",
            &[&tenant_id, &uid.as_str()],
        )
    }

    /// How many live endpoints a tenant has.
    pub fn count_endpoints(&self, tenant_id: i64) -> Result<u32, StoreError> {
        Ok(self
            .connection()
            .prepare_cached("SELECT count(*) FROM endpoints WHERE tenant_id = ?1 AND deleted_at IS NULL")?
            .query_row([tenant_id], |row| row.get(0))?)
    }
}

/// Reads JSON that this program wrote.
fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::Internal(format!("unreadable JSON in a row: {error}")))
}

fn text<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Internal(error.to_string()))
}

impl Tx<'_> {
    /// Makes an endpoint's row; its revision and secret are written beside it. Returns its id.
    pub fn insert_endpoint(
        &mut self,
        tenant_id: i64,
        settings: &EndpointSettings,
        enabled: bool,
    ) -> Result<EndpointId, StoreError> {
        let id = EndpointId(self.allot());
        self.connection()
            .prepare_cached(
                "INSERT INTO endpoints (id, tenant_id, enabled, disabled_reason, disabled_at, uid, description, events,
                     filters, metadata, retry_schedule, rate_limit, max_in_flight, while_disabled, revision,
                     created_at, updated_at)
                 VALUES (?1, ?2, ?3, CASE WHEN ?3 THEN NULL ELSE 'manual' END, CASE WHEN ?3 THEN NULL ELSE ?4 END,
                     NULL, '', '[]', '{}', '[]', NULL, NULL, NULL, 'hold', 0, ?4, ?4)",
            )?
            .execute(params![id.0, tenant_id, enabled, self.now.0])?;
        self.update_endpoint(id, settings)?;
        super::health::write(self.connection(), id, &HealthRow::default())?;
        Ok(id)
    }

    /// Replaces what the owner sets.
    pub fn update_endpoint(&mut self, id: EndpointId, settings: &EndpointSettings) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "UPDATE endpoints SET uid = ?2, description = ?3, events = ?4, filters = ?5, metadata = ?6,
                     retry_schedule = ?7, rate_limit = ?8, max_in_flight = ?9, while_disabled = ?10, updated_at = ?11
                 WHERE id = ?1",
            )?
            .execute(params![
                id.0,
                settings.uid.as_ref().map(Uid::as_str),
                settings.description,
                text(&settings.events)?,
                settings.filters,
                text(&settings.metadata)?,
                settings.retry_schedule.as_ref().map(text).transpose()?,
                settings.rate_limit,
                settings.max_in_flight,
                if settings.hold_while_disabled { "hold" } else { "skip" },
                self.now.0,
            ])?;
        Ok(())
    }
}
