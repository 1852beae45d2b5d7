//! The steps of a cleanup. Each turn is one short transaction.

use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use crate::domain::stats::{Window, hour_of};
use crate::domain::time::UnixMs;

use super::super::error::StoreError;
use super::super::meta::{self, Meta};
use super::super::tx::Tx;
use super::super::{Shared, hourly};
use super::{CleanupRequest, remove, rest};

/// Deliveries or events that a turn deletes, and rows that it looks at.
const TURN: usize = 150;
pub(super) const LOOKED_AT: usize = 1_000;
/// The same, as SQLite takes it.
pub(super) const LIMIT: i64 = 1_000;
/// Pages that a turn gives back to the file system.
const VACUUM_PAGES: usize = 100;

/// Where a cleanup stands.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Waiting until the list indexes hold everything up to this id: what is deleted is deleted from them as well.
    Fill(i64),
    /// Deliveries and their attempts, from this id on.
    Deliveries(i64),
    /// Events that no delivery refers to, from this id on.
    Events(i64),
    /// Remembered answers, the audit log, and jobs that have ended.
    Small,
    /// Hourly counters of the endpoints from this one on.
    Hours(i64),
    /// Revisions of endpoints and formats that nothing refers to any more, and secrets that have ended.
    Shapes,
    /// Deleted endpoints from this one on.
    Endpoints(i64),
    /// Giving space back.
    Vacuum,
}

/// Before when things are deleted.
pub(super) struct Cutoffs {
    /// The clock as the cleanup began: it may jump meanwhile.
    now: UnixMs,
    deliveries: UnixMs,
    events: Option<UnixMs>,
    audit: Option<UnixMs>,
    /// Hourly counters: what no window shows any more, and as long again as deliveries are kept.
    hours: i64,
    dry_run: bool,
}

/// What a turn did.
pub(super) struct Done {
    pub(super) deliveries: u64,
    pub(super) events: u64,
    pub(super) next: Option<Step>,
}

impl Done {
    pub(super) fn go_on(next: Step) -> Self {
        Self { deliveries: 0, events: 0, next: Some(next) }
    }
}

const DAY: Duration = Duration::from_hours(24);

impl Cutoffs {
    pub(super) fn of(request: &CleanupRequest, shared: &Shared, now: UnixMs) -> Self {
        let settings = shared.directory.settings();
        let days = |days: u32| now.minus(DAY * days);
        let (deliveries, events) = match request.older_than {
            // Events that are kept for ever stay, also when somebody names an age.
            Some(age) => (now.minus(age), settings.event_days().map(|_| now.minus(age))),
            None => (days(settings.retention_days), settings.event_days().map(days)),
        };
        let audit = Some(settings.audit_retention_days).filter(|days| *days > 0).map(days);
        let hours = hour_of(days(settings.retention_days)) - Window::LONGEST.hours();
        Self { now, deliveries, events, audit, hours, dry_run: request.dry_run }
    }
}

impl Step {
    /// Does one turn.
    pub(super) fn turn(self, tx: &mut Tx<'_>, cutoffs: &Cutoffs) -> Result<Done, StoreError> {
        match self {
            // Filled at the end of this very transaction (`Kept::fill_all`).
            Self::Fill(up_to) if tx.kept.unfilled.oldest().is_some_and(|id| id <= up_to) => {
                Ok(Done::go_on(Self::Fill(up_to)))
            }
            Self::Fill(_) => Ok(Done::go_on(Self::Deliveries(0))),
            Self::Deliveries(after) => deliveries(tx, cutoffs, after),
            Self::Events(after) => match cutoffs.events {
                Some(before) => events(tx, cutoffs, before, after),
                None => Ok(Done::go_on(Self::Small)),
            },
            _ if cutoffs.dry_run => Ok(Done { deliveries: 0, events: 0, next: None }),
            Self::Small => small(tx, cutoffs),
            Self::Hours(endpoint) => hours(tx, cutoffs, endpoint),
            Self::Shapes => rest::shapes(tx),
            Self::Endpoints(after) => rest::endpoints(tx, after),
            Self::Vacuum => vacuum(tx),
        }
    }
}

fn deliveries(tx: &Tx<'_>, cutoffs: &Cutoffs, after: i64) -> Result<Done, StoreError> {
    let filled = meta::get::<i64>(tx.connection(), Meta::FilledDeliveries)?.unwrap_or(0);
    let mut statement = tx.connection().prepare_cached(
        "SELECT id, endpoint_id, tenant_id, state, created_at FROM deliveries
         WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3",
    )?;
    let mut rows = statement.query(params![after, filled, LIMIT])?;
    let (mut last, mut looked_at, mut old) = (after, 0, Vec::new());
    let mut over = false;
    while let Some(row) = rows.next()? {
        let (id, state): (i64, i64) = (row.get(0)?, row.get(3)?);
        let young = row.get::<_, i64>(4)? >= cutoffs.deliveries.0;
        if young && id > tx.kept.ahead_until {
            over = true;
            break;
        }
        last = id;
        looked_at += 1;
        // Pending ones stay until they end; young ones among older ones are of a time when the clock was ahead.
        if state != 0 && state != 2 && !young {
            old.push((id, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
        }
        if old.len() == TURN && !cutoffs.dry_run {
            break;
        }
    }
    let over = over || (looked_at < LOOKED_AT && old.len() < TURN);
    if !cutoffs.dry_run {
        for (id, endpoint, tenant) in &old {
            remove::delivery(tx, *id, *endpoint, *tenant)?;
        }
    }
    let next = if over { Step::Events(0) } else { Step::Deliveries(last) };
    Ok(Done { deliveries: old.len() as u64, events: 0, next: Some(next) })
}

fn events(tx: &Tx<'_>, cutoffs: &Cutoffs, before: UnixMs, after: i64) -> Result<Done, StoreError> {
    let filled = meta::get::<i64>(tx.connection(), Meta::FilledEvents)?.unwrap_or(0);
    let mut statement = tx.connection().prepare_cached(
        "SELECT id, tenant_id, own_id, idempotency_key, created_at, deliveries FROM events
         WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3",
    )?;
    let mut rows = statement.query(params![after, filled, LIMIT])?;
    let (mut last, mut looked_at, mut deleted) = (after, 0, 0);
    let mut over = false;
    while let Some(row) = rows.next()? {
        let (id, tenant): (i64, i64) = (row.get(0)?, row.get(1)?);
        let young = row.get::<_, i64>(4)? >= before.0;
        if young && id > tx.kept.ahead_until {
            over = true;
            break;
        }
        last = id;
        looked_at += 1;
        if young || is_referred_to(tx, id, row.get(5)?, cutoffs)? {
            continue;
        }
        deleted += 1;
        if !cutoffs.dry_run {
            let (own, key): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
            remove::event(tx, id, tenant, own.as_deref(), key.as_deref())?;
            if deleted == TURN {
                break;
            }
        }
    }
    let over = over || (looked_at < LOOKED_AT && deleted < TURN);
    let next = if over { Step::Small } else { Step::Events(last) };
    Ok(Done { deliveries: 0, events: deleted as u64, next: Some(next) })
}

/// Whether a delivery of the event is there; in a dry run: whether one would be.
fn is_referred_to(tx: &Tx<'_>, event: i64, made_with_it: i64, cutoffs: &Cutoffs) -> rusqlite::Result<bool> {
    let stays = "(?3 = 0 OR state IN (0, 2) OR created_at >= ?4)";
    let with_it = format!(
        "SELECT EXISTS (SELECT 1 FROM deliveries WHERE id > ?1 AND id <= ?1 + ?2 AND event_id = ?1 AND {stays})"
    );
    let later = format!(
        "SELECT EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_made_later
         WHERE event_id = ?1 AND made > 0 AND ?2 >= 0 AND {stays})"
    );
    for sql in [with_it, later] {
        let mut statement = tx.connection().prepare_cached(&sql)?;
        let params = params![event, made_with_it, cutoffs.dry_run, cutoffs.deliveries.0];
        if statement.query_row(params, |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn small(tx: &Tx<'_>, cutoffs: &Cutoffs) -> Result<Done, StoreError> {
    let run = |sql: &str, before: i64| tx.connection().prepare_cached(sql)?.execute([before, LIMIT]);
    let mut deleted = run(
        "DELETE FROM idempotent_answers WHERE (tenant_id, key) IN
             (SELECT tenant_id, key FROM idempotent_answers INDEXED BY idempotent_answers_by_age
              WHERE created_at < ?1 LIMIT ?2)",
        cutoffs.now.minus(DAY).0,
    )?;
    if let Some(before) = cutoffs.audit {
        deleted += run(
            "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id < ?1 ORDER BY id LIMIT ?2)",
            crate::domain::ids::first_at(before),
        )?;
    }
    let old = crate::domain::ids::first_at(cutoffs.deliveries);
    for table in ["replays", "tenant_deletions"] {
        let sql = format!(
            "DELETE FROM {table} WHERE id IN
                 (SELECT id FROM {table} WHERE id < ?1 AND ended_at IS NOT NULL ORDER BY id LIMIT ?2)"
        );
        deleted += run(&sql, old)?;
    }
    Ok(Done::go_on(if deleted < LOOKED_AT { Step::Hours(i64::MIN) } else { Step::Small }))
}

fn hours(tx: &Tx<'_>, cutoffs: &Cutoffs, endpoint: i64) -> Result<Done, StoreError> {
    let found: Option<i64> = tx
        .connection()
        .prepare_cached(
            "SELECT endpoint_id FROM hourly WHERE endpoint_id >= ?1 ORDER BY endpoint_id LIMIT 1",
        )?
        .query_row([endpoint], |row| row.get(0))
        .optional()?;
    let Some(endpoint) = found else {
        hourly::delete_totals_before(tx.connection(), cutoffs.hours)?;
        return Ok(Done::go_on(Step::Shapes));
    };
    let deleted = hourly::delete_before(tx.connection(), endpoint, cutoffs.hours, LOOKED_AT)?;
    let next = if deleted < LOOKED_AT { endpoint.saturating_add(1) } else { endpoint };
    Ok(Done::go_on(Step::Hours(next)))
}

fn vacuum(tx: &Tx<'_>) -> Result<Done, StoreError> {
    let mut statement = tx.connection().prepare(&format!("PRAGMA incremental_vacuum({VACUUM_PAGES})"))?;
    let mut pages = statement.query([])?;
    // One page a step.
    while pages.next()?.is_some() {}
    let left: i64 = tx.connection().pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    Ok(Done { deliveries: 0, events: 0, next: (left > 0).then_some(Step::Vacuum) })
}
