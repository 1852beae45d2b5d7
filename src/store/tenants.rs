//! Tenants.

use rusqlite::{OptionalExtension, Row, params};

use crate::domain::delivery::State;
use crate::domain::ids::EndpointId;
use crate::domain::names::TenantName;
use crate::domain::stats::{Window, hour_of};
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::hourly::Hours;
use super::meta::{self, Meta};
use super::reader::{Listed, Reader};
use super::tx::{DirectoryChange, Tx};

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantRow {
    /// Its number in this file.
    pub id: i64,
    /// The tenant's name in the API.
    pub name: TenantName,
    /// A name for people.
    pub display_name: Option<String>,
    /// Endpoints that it may have; null: as the setting says.
    pub endpoint_limit: Option<u32>,
    /// When it was made.
    pub created_at: UnixMs,
    /// When it was last changed.
    pub updated_at: UnixMs,
}

/// Deliveries are counted up to so many: a look at a tenant costs the same however long its queue is.
pub const COUNTED: i64 = 10_000;
/// And those of so many endpoints.
const COUNTED_ENDPOINTS: usize = 1_000;

/// What a tenant has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantCounts {
    /// Live endpoints.
    pub endpoints: usize,
    /// Deliveries that wait for an attempt; [`COUNTED`]: so many or more. `None`: it has too many endpoints.
    pub pending: Option<i64>,
    /// Deliveries that are held; likewise.
    pub held: i64,
    /// What its live endpoints did in the window `24h`; `None`: they are too many.
    pub day: Option<Hours>,
}

const COLUMNS: &str = "id, name, display_name, endpoint_limit, created_at, updated_at";

fn row(row: &Row<'_>) -> rusqlite::Result<TenantRow> {
    Ok(TenantRow {
        id: row.get(0)?,
        name: super::lists::name(row, 1, TenantName::parse)?,
        display_name: row.get(2)?,
        endpoint_limit: row.get(3)?,
        created_at: UnixMs(row.get(4)?),
        updated_at: UnixMs(row.get(5)?),
    })
}

impl Reader<'_> {
    /// A tenant by name.
    pub fn tenant(&self, name: &TenantName) -> Result<Option<TenantRow>, StoreError> {
        let found = self
            .connection()
            .prepare_cached(&format!("SELECT {COLUMNS} FROM tenants WHERE name = ?1"))?
            .query_row([name.as_str()], row)
            .optional()?;
        Ok(found)
    }

    /// The name of a tenant.
    pub fn tenant_name(&self, id: i64) -> Result<TenantName, StoreError> {
        Ok(self
            .connection()
            .prepare_cached("SELECT name FROM tenants WHERE id = ?1")?
            .query_row([id], |row| super::lists::name(row, 0, TenantName::parse))?)
    }

    /// What a tenant has, by its rows as they stand: a change to many that is under way may not have reached all.
    pub fn tenant_counts(&self, tenant_id: i64) -> Result<TenantCounts, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT id FROM endpoints INDEXED BY endpoints_by_tenant
             WHERE tenant_id = ?1 AND deleted_at IS NULL ORDER BY id",
        )?;
        let endpoints =
            statement.query_map([tenant_id], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
        let in_state = |state: State| {
            self.count_up_to(
                "SELECT 1 FROM deliveries INDEXED BY deliveries_rare_by_tenant
                 WHERE tenant_id = ?1 AND state = ?2 AND state >= 2 LIMIT ?3",
                &[tenant_id, state as i64, COUNTED],
            )
        };
        let (mut pending, held) = (in_state(State::Waiting)?, in_state(State::Held)?);
        let few = endpoints.len() <= COUNTED_ENDPOINTS;
        let mut day = few.then(Hours::new);
        let now = hour_of(self.shared().times.wall());
        for endpoint in endpoints.iter().take(COUNTED_ENDPOINTS) {
            pending += self.count_up_to(
                "SELECT 1 FROM deliveries INDEXED BY deliveries_ready
                 WHERE endpoint_id = ?1 AND state = 0 LIMIT ?2",
                &[*endpoint, COUNTED - pending],
            )?;
            if let Some(day) = &mut day {
                self.add_hours(EndpointId(*endpoint), now - Window::Day.hours(), now, day)?;
            }
        }
        Ok(TenantCounts { endpoints: endpoints.len(), pending: few.then_some(pending), held, day })
    }

    /// Tenants, the newest first, below the row number `before`.
    pub fn tenants(&self, before: Option<i64>, limit: usize) -> Result<Listed<TenantRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(&format!(
            "SELECT {COLUMNS} FROM tenants WHERE id < ?1 ORDER BY id DESC LIMIT ?2"
        ))?;
        let most = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let rows = statement
            .query_map(params![before.unwrap_or(i64::MAX), most], row)?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(super::lists::cut(rows, limit, |row| row.id))
    }
}

impl Tx<'_> {
    /// Makes a tenant that is named for the first time; its number.
    pub fn insert_tenant(&mut self, name: &TenantName) -> Result<i64, StoreError> {
        let deleted = meta::get::<i64>(self.connection(), Meta::LastTenant)?.unwrap_or(0);
        self.connection()
            .prepare_cached(
                "INSERT INTO tenants (id, name, created_at, updated_at)
                 VALUES (max(?3, (SELECT coalesce(max(id), 0) FROM tenants)) + 1, ?1, ?2, ?2)",
            )?
            .execute(params![name.as_str(), self.now.0, deleted])?;
        let id = self.connection().last_insert_rowid();
        self.gathered.directory.push(DirectoryChange::Tenant(id, name.clone()));
        Ok(id)
    }

    /// Changes a tenant.
    pub fn update_tenant(
        &mut self,
        id: i64,
        display_name: Option<&str>,
        endpoint_limit: Option<u32>,
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "UPDATE tenants SET display_name = ?2, endpoint_limit = ?3, updated_at = ?4 WHERE id = ?1",
            )?
            .execute(params![id, display_name, endpoint_limit, self.now.0])?;
        Ok(())
    }
}
