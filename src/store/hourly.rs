//! Hourly totals per endpoint, kept with each outcome so that no chart ever counts deliveries.

use rusqlite::Connection;

use crate::domain::histogram::{BUCKETS, bucket};
use crate::domain::ids::EndpointId;
use crate::domain::time::UnixMs;

use super::tx::Tx;

/// What happened at an endpoint in an hour.
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
}

/// The hour that a moment lies in, counted from 1970.
pub fn hour_of(at: UnixMs) -> i64 {
    at.0.div_euclid(3_600_000)
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
    }
}

/// Adds to what is in the file.
pub(super) fn add(
    connection: &Connection,
    endpoint: EndpointId,
    hour: i64,
    counts: &Hour,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO hourly (endpoint_id, hour, delivered, failed, attempts_ok, attempts_failed,
             l0, l1, l2, l3, l4, l5, l6, l7, l8, l9, l10, l11, l12, l13, l14, l15)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)
         ON CONFLICT (endpoint_id, hour) DO UPDATE SET
             delivered = delivered + excluded.delivered, failed = failed + excluded.failed,
             attempts_ok = attempts_ok + excluded.attempts_ok,
             attempts_failed = attempts_failed + excluded.attempts_failed,
             l0 = l0 + excluded.l0, l1 = l1 + excluded.l1, l2 = l2 + excluded.l2, l3 = l3 + excluded.l3,
             l4 = l4 + excluded.l4, l5 = l5 + excluded.l5, l6 = l6 + excluded.l6, l7 = l7 + excluded.l7,
             l8 = l8 + excluded.l8, l9 = l9 + excluded.l9, l10 = l10 + excluded.l10, l11 = l11 + excluded.l11,
             l12 = l12 + excluded.l12, l13 = l13 + excluded.l13, l14 = l14 + excluded.l14, l15 = l15 + excluded.l15",
    )?;
    let head = [endpoint.0, hour];
    let counters = [counts.delivered, counts.failed, counts.attempts_ok, counts.attempts_failed];
    let all = head.into_iter().chain(counters.into_iter().chain(counts.latency).map(i64::from));
    statement.execute(rusqlite::params_from_iter(all))?;
    Ok(())
}

/// Adds what is in the file for the 24 hours up to the present one.
pub(super) fn add_day(
    connection: &Connection,
    endpoint: i64,
    now: UnixMs,
    to: &mut Hour,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT delivered, failed, attempts_ok, attempts_failed FROM hourly
         WHERE endpoint_id = ?1 AND hour > ?2 AND hour <= ?3 ORDER BY hour",
    )?;
    let hour = hour_of(now);
    let mut rows = statement.query([endpoint, hour - 24, hour])?;
    while let Some(row) = rows.next()? {
        to.delivered += row.get::<_, u32>(0)?;
        to.failed += row.get::<_, u32>(1)?;
        to.attempts_ok += row.get::<_, u32>(2)?;
        to.attempts_failed += row.get::<_, u32>(3)?;
    }
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
        .execute(rusqlite::params![endpoint, hour, i64::try_from(limit).unwrap_or(i64::MAX)])
}
