//! An endpoint's health: the narrow row that changes with every outcome.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::health::Health;
use crate::domain::ids::EndpointId;
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::handover::Pace;
use super::reader::Reader;
use super::times::SteadyMs;
use super::tx::Tx;

/// The row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HealthRow {
    /// Counts and times.
    pub health: Health,
    /// Nothing is sent before this, because the endpoint asked so.
    pub paused_until: Option<SteadyMs>,
}

pub(super) const COLUMNS: &str = "failure_count, first_failure_at, first_failure_up, last_failure_at, last_success_at, \
                       timeouts_in_row, exhausted, paused_until";

pub(super) fn read_row(row: &Row<'_>, from: usize) -> rusqlite::Result<HealthRow> {
    Ok(HealthRow {
        health: Health {
            failure_count: row.get(from)?,
            first_failure_at: row.get::<_, Option<i64>>(from + 1)?.map(UnixMs),
            first_failure_up_ms: row.get(from + 2)?,
            last_failure_at: row.get::<_, Option<i64>>(from + 3)?.map(UnixMs),
            last_success_at: row.get::<_, Option<i64>>(from + 4)?.map(UnixMs),
            timeouts_in_row: row.get(from + 5)?,
            exhausted: row.get(from + 6)?,
        },
        paused_until: row.get::<_, Option<i64>>(from + 7)?.map(SteadyMs),
    })
}

/// The health of an endpoint; that of one without a row is a fresh one.
pub(super) fn read(connection: &Connection, endpoint: EndpointId) -> rusqlite::Result<HealthRow> {
    let row = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM endpoint_health WHERE endpoint_id = ?1"))?
        .query_row([endpoint.0], |row| read_row(row, 0))
        .optional()?;
    Ok(row.unwrap_or_default())
}

/// Writes the row.
pub(super) fn write(connection: &Connection, endpoint: EndpointId, row: &HealthRow) -> rusqlite::Result<()> {
    let health = &row.health;
    connection
        .prepare_cached(
            "INSERT INTO endpoint_health (endpoint_id, failure_count, first_failure_at, first_failure_up,
                 last_failure_at, last_success_at, timeouts_in_row, exhausted, paused_until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (endpoint_id) DO UPDATE SET
                 failure_count = excluded.failure_count, first_failure_at = excluded.first_failure_at,
                 first_failure_up = excluded.first_failure_up, last_failure_at = excluded.last_failure_at,
                 last_success_at = excluded.last_success_at, timeouts_in_row = excluded.timeouts_in_row,
                 exhausted = excluded.exhausted, paused_until = excluded.paused_until",
        )?
        .execute(params![
            endpoint.0,
            health.failure_count,
            health.first_failure_at.map(|at| at.0),
            health.first_failure_up_ms,
            health.last_failure_at.map(|at| at.0),
            health.last_success_at.map(|at| at.0),
            health.timeouts_in_row,
            health.exhausted,
            row.paused_until.map(|at| at.0),
        ])?;
    Ok(())
}

impl Tx<'_> {
    /// The health of an endpoint, to be changed; it is written at the end of the transaction.
    pub(super) fn health(&mut self, endpoint: EndpointId) -> rusqlite::Result<&mut HealthRow> {
        if !self.gathered.health.contains_key(&endpoint) {
            let row = read(self.connection(), endpoint)?;
            self.gathered.health.insert(endpoint, row);
        }
        Ok(self.gathered.health.entry(endpoint).or_default())
    }
}

impl Reader<'_> {
    /// The pace of all endpoints that have one of their own.
    pub fn paces(&self) -> Result<HashMap<EndpointId, Pace>, StoreError> {
        let mut statement =
            self.connection().prepare(&format!("SELECT endpoint_id, {COLUMNS} FROM endpoint_health"))?;
        let mut rows = statement.query([])?;
        let mut paces = HashMap::new();
        while let Some(row) = rows.next()? {
            paces.insert(EndpointId(row.get(0)?), read_row(row, 1)?.pace());
        }
        Ok(paces)
    }
}

impl HealthRow {
    /// What it asks of the endpoint's pace.
    pub fn pace(&self) -> Pace {
        Pace { one_at_a_time: self.health.one_at_a_time(), paused_until: self.paused_until }
    }
}
