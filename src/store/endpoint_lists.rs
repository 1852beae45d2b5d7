//! Lists of endpoints, newest first. What does not pass the filter is only glimpsed at.

use rusqlite::{Row, params};

use crate::domain::health::Health;
use crate::domain::ids::EndpointId;
use crate::domain::stats::{Counts, Window, hour_of};
use crate::domain::time::UnixMs;

use super::endpoints::{COLUMNS, EndpointRow};
use super::error::StoreError;
use super::lists::Collector;
use super::reader::{Listed, Reader};

/// What a list is filtered by, without reading the rest of the endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Glimpse<'a> {
    /// The endpoint.
    pub id: EndpointId,
    /// Whether it receives.
    pub enabled: bool,
    /// The caller's own handle.
    pub uid: Option<&'a str>,
    /// For people.
    pub description: &'a str,
    /// Where it is.
    pub url: &'a str,
    /// Its failures, and nothing else of its health.
    pub health: Health,
}

/// What a glimpse takes, behind [`COLUMNS`], of which it takes some as well.
const GLIMPSED: &str = "r.url, coalesce(h.failure_count, 0), coalesce(h.exhausted, 0)";
/// How many columns are before it.
const BEFORE: usize = 22;

fn glimpse<'a>(row: &'a Row<'_>) -> rusqlite::Result<Glimpse<'a>> {
    let failures = (row.get(BEFORE + 1)?, row.get(BEFORE + 2)?);
    Ok(Glimpse {
        id: EndpointId(row.get(0)?),
        enabled: row.get(6)?,
        uid: row.get_ref(10)?.as_str_or_null()?,
        description: row.get_ref(11)?.as_str()?,
        url: row.get_ref(BEFORE)?.as_str()?,
        health: Health { failure_count: failures.0, exhausted: failures.1, ..Health::default() },
    })
}

impl Reader<'_> {
    /// Live endpoints, the newest first, below `before`; of one tenant, or of all. `pass` filters.
    pub fn endpoints(
        &self,
        tenant_id: Option<i64>,
        before: Option<EndpointId>,
        limit: usize,
        pass: impl Fn(&Glimpse<'_>) -> bool,
    ) -> Result<Listed<EndpointRow>, StoreError> {
        let (index, whose) = match tenant_id {
            Some(_) => ("endpoints_by_tenant", "e.tenant_id = ?1"),
            None => ("endpoints_live", "?1 IS NULL"),
        };
        let mut statement = self.connection().prepare_cached(&format!(
            "SELECT {COLUMNS}, {GLIMPSED} FROM endpoints e INDEXED BY {index}
             CROSS JOIN tenants t ON t.id = e.tenant_id
             CROSS JOIN endpoint_revisions r ON r.endpoint_id = e.id AND r.revision = e.revision
             LEFT JOIN endpoint_health h ON h.endpoint_id = e.id
             WHERE {whose} AND e.deleted_at IS NULL AND e.id < ?2 ORDER BY e.id DESC"
        ))?;
        let mut found = statement.query(params![tenant_id, before.map_or(i64::MAX, |id| id.0)])?;
        let mut page = Collector::new(limit);
        while let Some(row) = found.next()? {
            if !page.has_room() {
                return Ok(page.finish(true));
            }
            let seen = glimpse(row)?;
            let passed = if pass(&seen) { Some(self.endpoint_from(row)?) } else { None };
            page.add(seen.id.0, passed);
        }
        Ok(page.finish(false))
    }

    /// What happened at each of these endpoints in the hour that runs and the 24 before it, in their order: for each a
    /// walk of at most 25 rows.
    pub fn day_of_endpoints(&self, ids: &[EndpointId], now: UnixMs) -> Result<Vec<Counts>, StoreError> {
        let (to, mut days) = (hour_of(now), Vec::with_capacity(ids.len()));
        for id in ids {
            let hours = self.hours_of_endpoint(*id, to - Window::Day.hours(), to)?;
            let mut day = Counts::default();
            for hour in hours.values() {
                day.add(hour);
            }
            days.push(day);
        }
        Ok(days)
    }
}
