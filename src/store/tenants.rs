//! Tenants.

use rusqlite::{OptionalExtension, Row, params};

use crate::domain::names::TenantName;
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::lists;
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

const COLUMNS: &str = "id, name, display_name, endpoint_limit, created_at, updated_at";

fn row(row: &Row<'_>) -> rusqlite::Result<TenantRow> {
    Ok(TenantRow {
        id: row.get(0)?,
        name: lists::name(row, 1, TenantName::parse)?,
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
            .query_row([id], |row| lists::name(row, 0, TenantName::parse))?)
    }

    /// Tenants, the newest first, below the row number `before`. With `search`, a text in small letters, those whose name,
    /// in the API or for people, holds it.
    pub fn tenants(
        &self,
        search: Option<&str>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Listed<TenantRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM tenants WHERE id < ?1 ORDER BY id DESC");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query([before.unwrap_or(i64::MAX)])?;
        let holds = |tenant: &TenantRow, text| {
            let called = tenant.display_name.as_deref();
            lists::holds(tenant.name.as_str(), text) || called.is_some_and(|name| lists::holds(name, text))
        };
        lists::walk(
            rows,
            limit,
            row,
            |tenant| tenant.id,
            |tenant| search.is_none_or(|text| holds(tenant, text)),
        )
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
