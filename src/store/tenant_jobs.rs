//! Deleting a tenant with all that it has.
//!
//! In the commit that answers: its row, so that its name is free and nothing of it is shown any more, its endpoints,
//! so that nothing is sent, and its keys. What is left goes in turns on the writer's thread that give way to ingest:
//! deliveries with their attempts, events, remembered answers, replays, counters, and what the audit log says of how
//! things of the tenant looked. Who did what and when stays there.
//!
//! The bytes go from the file as well, as those of a blanked event do (`store/blank.rs`).

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::ids::{EndpointId, TenantDeletionId};
use crate::domain::names::TenantName;
use crate::domain::time::UnixMs;

use super::cleanup::remove;
use super::error::StoreError;
use super::hourly;
use super::jobs::{Jobs, Turn};
use super::lists;
use super::meta::{self, Meta};
use super::reader::{Listed, Reader};
use super::tenants::TenantRow;
use super::tx::{DirectoryChange, Tx};

/// Rows that a turn deletes, and bytes of data.
const TURN: usize = 150;
const LIMIT: i64 = 150;
/// Lines of the audit log that a turn looks at.
const LINES: i64 = 1_000;
const DATA_BYTES: i64 = 4 * 1024 * 1024;

/// The deletion of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantDeletionRow {
    /// Its number.
    pub id: TenantDeletionId,
    /// The tenant that was.
    pub tenant: TenantName,
    /// Endpoints deleted.
    pub endpoints: u64,
    /// Keys revoked.
    pub keys: u64,
    /// Deliveries deleted so far.
    pub deliveries: u64,
    /// Attempts deleted so far.
    pub attempts: u64,
    /// Events deleted so far.
    pub events: u64,
    /// When it was asked for.
    pub created_at: UnixMs,
    /// When it was done.
    pub ended_at: Option<UnixMs>,
    tenant_id: i64,
    up_to: i64,
    audited: i64,
}

const COLUMNS: &str = "id, tenant_id, tenant, up_to, endpoints, keys, deliveries, attempts, events, created_at, ended_at, \
     audited";

fn read_row(row: &Row<'_>) -> rusqlite::Result<TenantDeletionRow> {
    let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
    Ok(TenantDeletionRow {
        id: TenantDeletionId(row.get(0)?),
        tenant_id: row.get(1)?,
        tenant: lists::name(row, 2, TenantName::parse)?,
        up_to: row.get(3)?,
        endpoints: count(4)?,
        keys: count(5)?,
        deliveries: count(6)?,
        attempts: count(7)?,
        events: count(8)?,
        created_at: UnixMs(row.get(9)?),
        ended_at: row.get::<_, Option<i64>>(10)?.map(UnixMs),
        audited: row.get(11)?,
    })
}

/// The deletions that a stop has left unfinished.
pub(super) fn unfinished(connection: &Connection) -> rusqlite::Result<Jobs<TenantDeletionId>> {
    let sql = "SELECT id FROM tenant_deletions INDEXED BY tenant_deletions_running WHERE ended_at IS NULL";
    let mut statement = connection.prepare(sql)?;
    let found = statement.query_map([], |row| row.get(0).map(TenantDeletionId))?.collect::<Result<_, _>>()?;
    Ok(Jobs::of(found))
}

impl Reader<'_> {
    /// The deletion of a tenant.
    pub fn tenant_deletion(&self, id: TenantDeletionId) -> Result<Option<TenantDeletionRow>, StoreError> {
        let found = self
            .connection()
            .prepare_cached(&format!("SELECT {COLUMNS} FROM tenant_deletions WHERE id = ?1"))?
            .query_row([id.0], read_row)
            .optional()?;
        Ok(found)
    }

    /// Deletions of tenants, the newest first, below `before`.
    pub fn tenant_deletions(
        &self,
        before: Option<TenantDeletionId>,
        limit: usize,
    ) -> Result<Listed<TenantDeletionRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(&format!(
            "SELECT {COLUMNS} FROM tenant_deletions WHERE id < ?1 ORDER BY id DESC LIMIT ?2"
        ))?;
        let most = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let rows = statement
            .query_map(params![before.map_or(i64::MAX, |id| id.0), most], read_row)?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(lists::cut(rows, limit, |row| row.id.0))
    }
}

impl Tx<'_> {
    /// Deletes a tenant. Its endpoints and keys are gone with the commit; the rest follows.
    pub fn delete_tenant(&mut self, tenant: &TenantRow) -> Result<TenantDeletionId, StoreError> {
        self.overwriting(|tx| tx.begin_deletion(tenant))
    }

    fn begin_deletion(&mut self, tenant: &TenantRow) -> Result<TenantDeletionId, StoreError> {
        let up_to = self.kept.last_id;
        let id = TenantDeletionId(self.allot());
        let endpoints = self.delete_endpoints_of(id, tenant.id)?;
        let keys = self.delete_keys_of(tenant.id)?;
        self.delete_alerts_of(tenant.id)?;
        self.connection().prepare_cached("DELETE FROM tenants WHERE id = ?1")?.execute([tenant.id])?;
        let last = meta::get::<i64>(self.connection(), Meta::LastTenant)?.unwrap_or(0);
        meta::set(self.connection(), Meta::LastTenant, last.max(tenant.id))?;
        self.connection()
            .prepare_cached(
                "INSERT INTO tenant_deletions (id, tenant_id, tenant, up_to, endpoints, keys, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![id.0, tenant.id, tenant.name.as_str(), up_to, endpoints, keys, self.now.0])?;
        self.gathered.directory.push(DirectoryChange::TenantGone(tenant.name.clone()));
        self.gathered.deletions.push(id);
        Ok(id)
    }

    /// Removes all endpoints of a tenant, deleted ones as well; how many of them were live.
    fn delete_endpoints_of(&mut self, deletion: TenantDeletionId, tenant_id: i64) -> Result<i64, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT id, deleted_at IS NULL FROM endpoints INDEXED BY endpoints_of_tenant
             WHERE tenant_id = ?1 ORDER BY id",
        )?;
        let found = statement
            .query_map([tenant_id], |row| Ok((EndpointId(row.get(0)?), row.get(1)?)))?
            .collect::<rusqlite::Result<Vec<(EndpointId, bool)>>>()?;
        for (id, live) in &found {
            if *live {
                self.remove_route(*id);
            }
            for table in
                ["endpoint_revisions", "endpoint_secrets", "endpoint_health", "bulk_changes", "replays"]
            {
                let sql = format!("DELETE FROM {table} WHERE endpoint_id = ?1");
                self.connection().prepare_cached(&sql)?.execute([id.0])?;
            }
            self.connection().prepare_cached("DELETE FROM endpoints WHERE id = ?1")?.execute([id.0])?;
            self.connection()
                .prepare_cached(
                    "INSERT INTO tenant_deletion_endpoints (deletion_id, endpoint_id) VALUES (?1, ?2)",
                )?
                .execute([deletion.0, id.0])?;
            // Written at the end of the transaction, for an endpoint that is no more.
            self.gathered.health.remove(id);
        }
        Ok(i64::try_from(found.iter().filter(|(_, live)| *live).count()).unwrap_or(i64::MAX))
    }

    /// Does one turn of a deletion.
    pub(super) fn tenant_deletion_turn(&mut self, id: TenantDeletionId) -> Result<Turn, StoreError> {
        let Some(mut row) = self.tenant_deletion(id)?.filter(|row| row.ended_at.is_none()) else {
            return Ok(Turn::Over);
        };
        if self.kept.unfilled.oldest().is_some_and(|oldest| oldest <= row.up_to) {
            // Filled at the end of this very transaction (`Kept::fill_all`).
            return Ok(Turn::More);
        }
        let more = self.overwriting(|tx| {
            Ok(tx.delete_deliveries_of(&mut row)?
                || tx.delete_events_of(&mut row)?
                || tx.delete_small_of(&row)?
                || tx.delete_hours_of(&row)?
                || tx.blank_audit_of(&mut row)?)
        })?;
        // Older copies of the pages are in the WAL until then.
        self.gathered.empty_wal |= !more;
        self.connection()
            .prepare_cached(
                "UPDATE tenant_deletions
                 SET deliveries = ?2, attempts = ?3, events = ?4, audited = ?5, ended_at = ?6 WHERE id = ?1",
            )?
            .execute(params![
                id.0,
                number(row.deliveries),
                number(row.attempts),
                number(row.events),
                row.audited,
                (!more).then_some(self.now.0)
            ])?;
        Ok(if more { Turn::More } else { Turn::Over })
    }

    /// Deletes some deliveries. `false`: there is none.
    fn delete_deliveries_of(&self, row: &mut TenantDeletionRow) -> Result<bool, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT i.delivery_id, d.endpoint_id FROM tenant_deliveries i
             LEFT JOIN deliveries d ON d.id = i.delivery_id
             WHERE i.tenant_id = ?1 ORDER BY i.delivery_id LIMIT ?2",
        )?;
        let found = statement
            .query_map([row.tenant_id, LIMIT], |found| Ok((found.get(0)?, found.get::<_, Option<i64>>(1)?)))?
            .collect::<rusqlite::Result<Vec<(i64, Option<i64>)>>>()?;
        for (id, endpoint) in &found {
            row.attempts += remove::delivery(self, *id, endpoint.unwrap_or(0), row.tenant_id)? as u64;
            row.deliveries += u64::from(endpoint.is_some());
        }
        Ok(!found.is_empty())
    }

    /// Deletes some events. `false`: there is none.
    fn delete_events_of(&self, row: &mut TenantDeletionRow) -> Result<bool, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT i.event_id, e.own_id, e.idempotency_key, octet_length(e.data), e.id IS NOT NULL
             FROM tenant_events i LEFT JOIN events e ON e.id = i.event_id
             WHERE i.tenant_id = ?1 ORDER BY i.event_id LIMIT ?2",
        )?;
        let (mut bytes, mut found) = (0, Vec::new());
        let mut rows = statement.query([row.tenant_id, LIMIT])?;
        while let Some(event) = rows.next()? {
            let (own, key): (Option<String>, Option<String>) = (event.get(1)?, event.get(2)?);
            bytes += event.get::<_, Option<i64>>(3)?.unwrap_or(0);
            found.push((event.get::<_, i64>(0)?, own, key));
            row.events += u64::from(event.get::<_, bool>(4)?);
            if bytes >= DATA_BYTES {
                break;
            }
        }
        drop(rows);
        for (id, own, key) in &found {
            remove::event(self, *id, row.tenant_id, own.as_deref(), key.as_deref())?;
        }
        Ok(!found.is_empty())
    }

    /// Deletes some remembered answers and replays. `false`: there is none.
    fn delete_small_of(&self, row: &TenantDeletionRow) -> Result<bool, StoreError> {
        let mut deleted = 0;
        for sql in [
            "DELETE FROM idempotent_answers WHERE tenant_id = ?1 AND key IN
                 (SELECT key FROM idempotent_answers WHERE tenant_id = ?1 ORDER BY key LIMIT ?2)",
            "DELETE FROM replays WHERE id IN
                 (SELECT id FROM replays INDEXED BY replays_by_tenant WHERE tenant_id = ?1 ORDER BY id LIMIT ?2)",
        ] {
            deleted += self.connection().prepare_cached(sql)?.execute([row.tenant_id, LIMIT])?;
        }
        Ok(deleted > 0)
    }

    /// Deletes some counters. `false`: there is none.
    fn delete_hours_of(&self, row: &TenantDeletionRow) -> Result<bool, StoreError> {
        let endpoint: Option<i64> = self
            .connection()
            .prepare_cached(
                "SELECT endpoint_id FROM tenant_deletion_endpoints WHERE deletion_id = ?1 ORDER BY endpoint_id LIMIT 1",
            )?
            .query_row([row.id.0], |found| found.get(0))
            .optional()?;
        let Some(endpoint) = endpoint else { return Ok(false) };
        if hourly::delete_before(self.connection(), endpoint, i64::MAX, TURN)? < TURN {
            self.connection()
                .prepare_cached(
                    "DELETE FROM tenant_deletion_endpoints WHERE deletion_id = ?1 AND endpoint_id = ?2",
                )?
                .execute([row.id.0, endpoint])?;
        }
        Ok(true)
    }

    /// Blanks what some lines of the audit log say of how things of the tenant looked. `false`: there is no line more.
    fn blank_audit_of(&self, row: &mut TenantDeletionRow) -> Result<bool, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT id, tenant_id IS ?3 AND (before IS NOT NULL OR after IS NOT NULL) FROM audit
             WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?4",
        )?;
        let found = statement
            .query_map([row.audited, row.up_to, row.tenant_id, LINES], |line| {
                Ok((line.get(0)?, line.get(1)?))
            })?
            .collect::<rusqlite::Result<Vec<(i64, bool)>>>()?;
        let mut blank =
            self.connection().prepare_cached("UPDATE audit SET before = NULL, after = NULL WHERE id = ?1")?;
        for (id, theirs) in &found {
            if *theirs {
                blank.execute([id])?;
            }
            row.audited = *id;
        }
        Ok(!found.is_empty())
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
