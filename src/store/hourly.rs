//! Hourly totals of each endpoint and of all together, kept with each outcome so that no chart ever counts deliveries.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rusqlite::{Connection, Row, params};

use crate::domain::histogram::{BUCKETS, bucket};
use crate::domain::ids::EndpointId;
use crate::domain::stats::{Counts, hour_of};

use super::error::StoreError;
use super::reader::Reader;
use super::tx::Tx;

/// What happened in an hour, as far as a transaction has to add it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hour {
    /// Deliveries that became `delivered`.
    pub delivered: u32,
    /// Deliveries that became `failed`.
    pub failed: u32,
    /// Attempts answered with 2xx.
    pub attempts_ok: u32,
    /// Attempts that failed.
    pub attempts_failed: u32,
    /// Attempts by duration (`domain::histogram`).
    pub latency: [u32; BUCKETS],
    /// How long all of them took, milliseconds. Not in the file.
    pub duration_ms: u64,
}

/// The hours of endpoints; in the order of the hours.
pub type Hours = BTreeMap<i64, Counts>;

/// The columns of both tables that count, in the order of [`values`] and [`read_row`].
const COUNTERS: [&str; 4 + BUCKETS] = [
    "delivered",
    "failed",
    "attempts_ok",
    "attempts_failed",
    "l0",
    "l1",
    "l2",
    "l3",
    "l4",
    "l5",
    "l6",
    "l7",
    "l8",
    "l9",
    "l10",
    "l11",
    "l12",
    "l13",
    "l14",
    "l15",
];

/// Made once: they run with every transaction that has outcomes.
static ADD: LazyLock<String> = LazyLock::new(|| upsert("hourly", &["endpoint_id", "hour"]));
static ADD_TOTAL: LazyLock<String> = LazyLock::new(|| upsert("hourly_totals", &["hour"]));

fn upsert(table: &str, key: &[&str]) -> String {
    let columns: Vec<&str> = key.iter().chain(&COUNTERS).copied().collect();
    let places: Vec<String> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
    let added: Vec<String> =
        COUNTERS.iter().map(|column| format!("{column} = {column} + excluded.{column}")).collect();
    format!(
        "INSERT INTO {table} ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}",
        columns.join(", "),
        places.join(", "),
        key.join(", "),
        added.join(", ")
    )
}

impl Tx<'_> {
    /// The counters of an endpoint in the present hour.
    pub(super) fn hour(&mut self, endpoint: EndpointId) -> &mut Hour {
        let key = (endpoint, hour_of(self.now));
        self.gathered.hours.entry(key).or_default()
    }
}

impl Hour {
    /// Counts an attempt.
    pub(super) fn attempt(&mut self, ok: bool, duration_ms: u32) {
        if ok {
            self.attempts_ok += 1;
        } else {
            self.attempts_failed += 1;
        }
        self.latency[bucket(u64::from(duration_ms))] += 1;
        self.duration_ms += u64::from(duration_ms);
    }

    /// Adds what happened elsewhere.
    pub(super) fn add(&mut self, other: &Self) {
        self.delivered += other.delivered;
        self.failed += other.failed;
        self.attempts_ok += other.attempts_ok;
        self.attempts_failed += other.attempts_failed;
        self.duration_ms += other.duration_ms;
        for (mine, others) in self.latency.iter_mut().zip(other.latency) {
            *mine += others;
        }
    }

    fn values(&self) -> impl Iterator<Item = i64> {
        let counters = [self.delivered, self.failed, self.attempts_ok, self.attempts_failed];
        counters.into_iter().chain(self.latency).map(i64::from)
    }
}

/// Adds to what is in the file of an endpoint.
pub(super) fn add(
    connection: &Connection,
    endpoint: EndpointId,
    hour: i64,
    counts: &Hour,
) -> rusqlite::Result<()> {
    let values = [endpoint.0, hour].into_iter().chain(counts.values());
    connection.prepare_cached(&ADD)?.execute(rusqlite::params_from_iter(values))?;
    Ok(())
}

/// Adds to what is in the file of all endpoints together.
pub(super) fn add_total(connection: &Connection, hour: i64, counts: &Hour) -> rusqlite::Result<()> {
    let values = [hour].into_iter().chain(counts.values());
    connection.prepare_cached(&ADD_TOTAL)?.execute(rusqlite::params_from_iter(values))?;
    Ok(())
}

/// Deletes the counters of an endpoint before an hour, at most `limit`; how many there were.
pub(super) fn delete_before(
    connection: &Connection,
    endpoint: i64,
    hour: i64,
    limit: usize,
) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM hourly WHERE endpoint_id = ?1 AND hour IN
                 (SELECT hour FROM hourly WHERE endpoint_id = ?1 AND hour < ?2 ORDER BY hour LIMIT ?3)",
        )?
        .execute(params![endpoint, hour, i64::try_from(limit).unwrap_or(i64::MAX)])
}

/// Deletes the totals before an hour: 24 a night, if it is cleaned each night.
pub(super) fn delete_totals_before(connection: &Connection, hour: i64) -> rusqlite::Result<usize> {
    connection.prepare_cached("DELETE FROM hourly_totals WHERE hour < ?1")?.execute([hour])
}

/// An hour and its counters.
fn read_row(row: &Row<'_>) -> rusqlite::Result<(i64, Counts)> {
    let number = |column: usize| row.get::<_, i64>(column).map(i64::unsigned_abs);
    let mut counts = Counts {
        delivered: number(1)?,
        failed: number(2)?,
        attempts_ok: number(3)?,
        attempts_failed: number(4)?,
        ..Counts::default()
    };
    for (index, count) in counts.latency.iter_mut().enumerate() {
        *count = number(5 + index)?;
    }
    Ok((row.get(0)?, counts))
}

impl Reader<'_> {
    /// What happened at an endpoint from the hour `from` up to the hour `to`, itself included.
    pub fn hours_of_endpoint(&self, id: EndpointId, from: i64, to: i64) -> Result<Hours, StoreError> {
        let mut hours = Hours::new();
        self.add_hours(id, from, to, &mut hours)?;
        Ok(hours)
    }

    /// The same for all endpoints of a tenant, except those that were deleted. 30 days of ten endpoints are 7,200 rows.
    pub fn hours_of_tenant(&self, tenant_id: i64, from: i64, to: i64) -> Result<Hours, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT id FROM endpoints INDEXED BY endpoints_by_tenant WHERE tenant_id = ?1 AND deleted_at IS NULL",
        )?;
        let mut endpoints = statement.query([tenant_id])?;
        let mut hours = Hours::new();
        while let Some(row) = endpoints.next()? {
            self.add_hours(EndpointId(row.get(0)?), from, to, &mut hours)?;
        }
        Ok(hours)
    }

    /// The same for all endpoints, also those that were deleted.
    pub fn hours_of_all(&self, from: i64, to: i64) -> Result<Hours, StoreError> {
        let sql = format!(
            "SELECT hour, {} FROM hourly_totals WHERE hour >= ?1 AND hour <= ?2 ORDER BY hour",
            COUNTERS.join(", ")
        );
        let mut statement = self.connection().prepare_cached(&sql)?;
        let hours = statement.query_map([from, to], read_row)?.collect::<rusqlite::Result<_>>()?;
        Ok(hours)
    }

    /// Adds the same of one endpoint to what there is.
    pub(super) fn add_hours(
        &self,
        id: EndpointId,
        from: i64,
        to: i64,
        hours: &mut Hours,
    ) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT hour, {} FROM hourly WHERE endpoint_id = ?1 AND hour >= ?2 AND hour <= ?3 ORDER BY hour",
            COUNTERS.join(", ")
        );
        let mut statement = self.connection().prepare_cached(&sql)?;
        let mut rows = statement.query([id.0, from, to])?;
        while let Some(row) = rows.next()? {
            let (hour, counts) = read_row(row)?;
            hours.entry(hour).or_default().add(&counts);
        }
        Ok(())
    }
}
