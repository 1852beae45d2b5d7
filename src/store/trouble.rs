//! Endpoints that need a hand: those that fail, those that are disabled, those whose held deliveries grow old.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use rusqlite::{OptionalExtension, params};

use crate::domain::delivery::State;
use crate::domain::health::Health;
use crate::domain::ids::{self, EndpointId};
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::reader::Reader;

/// Held deliveries that are looked at.
const LOOKED_AT: i64 = 1_000;
/// Endpoints that are asked for their oldest.
const ASKED: u32 = 2_000;

impl Reader<'_> {
    /// Endpoints that are `wanted` and whose last attempt failed, or that have given a delivery up since their last
    /// success; all of them, in the order of their ids.
    ///
    /// Disabled and deleted ones have an entry too, until a success or until they are cleaned up: who wants none of
    /// them says so with `wanted`. An entry that is passed over costs some tenths of a microsecond, one that is wanted
    /// about one.
    pub fn troubled_endpoints(
        &self,
        wanted: impl Fn(EndpointId) -> bool,
    ) -> Result<Vec<(EndpointId, Health)>, StoreError> {
        let mut statement = self.connection().prepare_cached(&format!(
            "SELECT endpoint_id, {} FROM endpoint_health INDEXED BY endpoint_health_troubled
             WHERE (failure_count > 0 OR exhausted <> 0) AND endpoint_id > 0 ORDER BY endpoint_id",
            super::health::COLUMNS
        ))?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let id = EndpointId(row.get(0)?);
            if wanted(id) {
                found.push((id, super::health::read_row(row, 1)?.health));
            }
        }
        Ok(found)
    }

    /// Endpoints that are disabled, the one that was last first; at most `limit`.
    pub fn disabled_endpoints(&self, limit: u32) -> Result<Vec<EndpointId>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT id FROM endpoints INDEXED BY endpoints_disabled
             WHERE enabled = 0 AND deleted_at IS NULL AND disabled_at > 0
             ORDER BY disabled_at DESC, id DESC LIMIT ?1",
        )?;
        let rows = statement.query_map([limit], |row| row.get(0).map(EndpointId))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// All endpoints that are disabled because they failed or are gone, with the number of their tenant and when they
    /// were; the one that was last first.
    pub fn ended_endpoints(&self) -> Result<Vec<(EndpointId, i64, UnixMs)>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT id, tenant_id, disabled_at FROM endpoints INDEXED BY endpoints_disabled
             WHERE enabled = 0 AND deleted_at IS NULL AND disabled_at > 0 AND disabled_reason <> 'manual'
             ORDER BY disabled_at DESC, id DESC",
        )?;
        let read = |row: &rusqlite::Row<'_>| Ok((EndpointId(row.get(0)?), row.get(1)?, UnixMs(row.get(2)?)));
        let rows = statement.query_map([], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Endpoints for which something is held that was made before `before`, each with when the oldest of that was made;
    /// that with the oldest first.
    ///
    /// The 1,000 oldest say which. Where there are more, disabled endpoints are looked at as well, so that much for one
    /// hides none of these: some microseconds each, for the 2,000 that were disabled last.
    pub fn held_before(&self, before: UnixMs) -> Result<Vec<(EndpointId, UnixMs)>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT endpoint_id, created_at FROM deliveries INDEXED BY deliveries_rare
             WHERE state = ?1 AND state >= 2 AND id < ?2 ORDER BY id LIMIT ?3",
        )?;
        let mut rows = statement.query(params![State::Held as i64, ids::first_at(before), LOOKED_AT])?;
        let (mut found, mut looked_at) = (BTreeMap::new(), 0);
        while let Some(row) = rows.next()? {
            looked_at += 1;
            found.entry(EndpointId(row.get(0)?)).or_insert(UnixMs(row.get(1)?));
        }
        if looked_at == LOOKED_AT {
            for endpoint in self.disabled_endpoints(ASKED)? {
                if let Entry::Vacant(entry) = found.entry(endpoint) {
                    self.oldest_held(endpoint, before)?.map(|oldest| entry.insert(oldest));
                }
            }
        }
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_by_key(|(_, oldest)| *oldest);
        Ok(found)
    }

    /// When the oldest was made that is held for an endpoint, of what was made before `before`.
    pub fn oldest_held(&self, endpoint: EndpointId, before: UnixMs) -> Result<Option<UnixMs>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT created_at FROM deliveries INDEXED BY deliveries_rare_by_endpoint
             WHERE endpoint_id = ?1 AND state = ?2 AND state >= 2 AND id < ?3 ORDER BY id LIMIT 1",
        )?;
        let params = params![endpoint.0, State::Held as i64, ids::first_at(before)];
        Ok(statement.query_row(params, |row| row.get(0).map(UnixMs)).optional()?)
    }
}
