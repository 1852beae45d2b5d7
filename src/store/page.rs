//! Reading what is due at an endpoint, when memory has room for it again.
//!
//! Runs on the writer's thread, between transactions: where hand-over happens too, so that no row can fall
//! between the two.

use std::sync::Arc;

use rusqlite::{Connection, params};

use crate::domain::ids::{DeliveryId, EndpointId, EventId};
use crate::domain::time::UnixMs;

use super::Shared;
use super::bulk;
use super::bulk_kind::{self, BulkKind};
use super::error::StoreError;
use super::handover::{Handover, Job, Page, PagePlan};
use super::times::SteadyMs;

struct Reading<'a> {
    connection: &'a Connection,
    shared: &'a Shared,
    handover: &'a dyn Handover,
    endpoint: EndpointId,
    jobs: Vec<Job>,
    bytes: usize,
}

/// Reads a page: retries that are due, then what is ready by id.
pub(super) fn read(
    connection: &Connection,
    shared: &Shared,
    handover: &dyn Handover,
    endpoint: EndpointId,
    plan: PagePlan,
) -> Result<Page, StoreError> {
    let changes = bulk::changes(connection, endpoint)?;
    let releasing = changes.iter().any(|change| change.kind == BulkKind::Release);
    let Some((above, up_to)) = bulk_kind::sendable(&changes) else {
        return Ok(Page { endpoint, jobs: Vec::new(), complete: false, next_due: None });
    };
    let now = shared.times.steady();
    let mut reading = Reading { connection, shared, handover, endpoint, jobs: Vec::new(), bytes: 0 };
    let ready =
        "SELECT id, event_id, round, attempts, NULL, created_at FROM deliveries INDEXED BY deliveries_ready
         WHERE endpoint_id = ?1 AND state = 0 AND id > ?2 AND id <= ?3 ORDER BY id";
    let due =
        "SELECT id, event_id, round, attempts, due_at, created_at FROM deliveries INDEXED BY deliveries_due
         WHERE endpoint_id = ?1 AND state = 2 AND due_at <= ?4 AND id > ?2 AND id <= ?3 ORDER BY due_at, id";
    // Retries get half of a page, so that neither they nor what was never tried waits for the other to run out.
    let half = PagePlan { rows: plan.rows.div_ceil(2), bytes: plan.bytes / 2 };
    let retries = reading.rows(due, params![endpoint.0, above, up_to, now.0], half)?;
    let complete = reading.rows(ready, params![endpoint.0, above, up_to], plan)? && retries;
    let next_due = if complete { next_due(connection, endpoint, now)? } else { None };
    Ok(Page { endpoint, jobs: reading.jobs, complete: complete && !releasing, next_due })
}

impl Reading<'_> {
    /// Adds the unknown rows of a query until there is no room for another; `false`: there is one.
    fn rows(
        &mut self,
        sql: &str,
        params: &[&dyn rusqlite::ToSql],
        room: PagePlan,
    ) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            let delivery = DeliveryId(row.get(0)?);
            if self.handover.knows(delivery) {
                continue;
            }
            if self.jobs.len() >= room.rows || (!self.jobs.is_empty() && self.bytes >= room.bytes) {
                return Ok(false);
            }
            let event = EventId(row.get(1)?);
            let Some((payload, blanked)) = super::events::payload(self.connection, event)? else {
                if let Some(others) = self.shared.orphans.count(self.shared.times.process_ms()) {
                    tracing::error!(
                        %delivery,
                        others,
                        "belongs to no event: the file is damaged; the delivery is passed over"
                    );
                }
                continue;
            };
            // About to be canceled, when its turn comes.
            if blanked {
                continue;
            }
            self.bytes += payload.weight();
            let attempts = row.get(3)?;
            let ready_at = self.ready_since(row.get(4)?, attempts, UnixMs(row.get(5)?));
            self.jobs.push(Job {
                delivery,
                endpoint: self.endpoint,
                round: row.get(2)?,
                attempts,
                ready_at,
                payload: Arc::new(payload),
            });
        }
        Ok(true)
    }

    /// Since when a row could be sent: its retry fell due, or it was made. When a person has renewed it, that is not
    /// written down: then since now.
    fn ready_since(&self, due_at: Option<i64>, attempts: u32, created_at: UnixMs) -> SteadyMs {
        let times = &self.shared.times;
        match due_at {
            Some(due) => SteadyMs(due),
            None if attempts == 0 => SteadyMs(created_at.0 - times.offset()),
            None => times.steady(),
        }
    }
}

fn next_due(
    connection: &Connection,
    endpoint: EndpointId,
    now: SteadyMs,
) -> rusqlite::Result<Option<SteadyMs>> {
    let mut statement = connection.prepare_cached(
        "SELECT due_at FROM deliveries INDEXED BY deliveries_due
         WHERE endpoint_id = ?1 AND state = 2 AND due_at > ?2 ORDER BY due_at LIMIT 1",
    )?;
    let mut rows = statement.query(params![endpoint.0, now.0])?;
    rows.next()?.map(|row| row.get(0).map(SteadyMs)).transpose()
}
