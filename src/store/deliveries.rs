//! Deliveries: making them, listing them, and what a person does to one.

use rusqlite::{OptionalExtension, Row, params};

use crate::domain::delivery::{HeldReason, Made, State, StatusFilter};
use crate::domain::ids::{DeliveryId, EndpointId, EventId};
use crate::domain::matching::Pattern;
use crate::domain::names::{EventType, TenantName};
use crate::domain::time::UnixMs;

use super::bulk;
use super::error::StoreError;
use super::fill;
use super::lists::{Collector, Span};
use super::meta::{self, Meta};
use super::reader::{Listed, Reader};
use super::times::SteadyMs;
use super::tx::Tx;

/// A delivery as it is stored, with what its last attempt brought.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryRow {
    /// The delivery.
    pub id: DeliveryId,
    /// Its event.
    pub event: EventId,
    /// The event's public id.
    pub event_public_id: String,
    /// The event's type.
    pub event_type: EventType,
    /// Its endpoint.
    pub endpoint: EndpointId,
    /// Its tenant's row.
    pub tenant_id: i64,
    /// Its tenant.
    pub tenant: TenantName,
    /// Its state.
    pub state: State,
    /// Why it is held.
    pub held_reason: Option<HeldReason>,
    /// Its round.
    pub round: u32,
    /// Attempts over all rounds.
    pub attempts: u32,
    /// When it is due, if it waits.
    pub due: Option<SteadyMs>,
    /// When it was made.
    pub created_at: UnixMs,
    /// When it was delivered.
    pub delivered_at: Option<UnixMs>,
    /// The delivery that it repeats.
    pub replay_of: Option<DeliveryId>,
    /// The status of the last answer.
    pub status_code: Option<u16>,
    /// Why the last attempt failed, or what stands in the way on our side.
    pub error: Option<String>,
    /// The first 2 KB of the last answer.
    pub response_body: Option<Vec<u8>>,
}

/// What a new delivery's row holds.
#[derive(Debug)]
pub(super) struct NewDelivery {
    pub(super) id: DeliveryId,
    pub(super) event: EventId,
    pub(super) endpoint: EndpointId,
    pub(super) tenant_id: i64,
    pub(super) state: State,
    pub(super) made: Made,
    pub(super) replay_of: Option<DeliveryId>,
}

const COLUMNS: &str = "d.id, d.event_id, e.own_id, e.type, d.endpoint_id, d.tenant_id, t.name, d.state, d.held_reason, \
     d.round, d.attempts, d.due_at, d.created_at, d.delivered_at, d.replay_of, a.status_code, \
     coalesce(d.own_trouble, a.error), a.response_body";
const JOINS: &str = "CROSS JOIN events e ON e.id = d.event_id CROSS JOIN tenants t ON t.id = d.tenant_id
     LEFT JOIN attempts a ON a.delivery_id = d.id AND a.number = d.attempts";

fn read_row(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    let event = EventId(row.get(1)?);
    let number: i64 = row.get(7)?;
    let own_id: Option<String> = row.get(2)?;
    Ok(DeliveryRow {
        id: DeliveryId(row.get(0)?),
        event,
        event_public_id: own_id.unwrap_or_else(|| event.to_string()),
        event_type: super::lists::name(row, 3, EventType::parse)?,
        endpoint: EndpointId(row.get(4)?),
        tenant_id: row.get(5)?,
        tenant: super::lists::name(row, 6, TenantName::parse)?,
        state: State::from_number(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(7, number))?,
        held_reason: row.get::<_, Option<i64>>(8)?.and_then(HeldReason::from_number),
        round: row.get(9)?,
        attempts: row.get(10)?,
        due: row.get::<_, Option<i64>>(11)?.map(SteadyMs),
        created_at: UnixMs(row.get(12)?),
        delivered_at: row.get::<_, Option<i64>>(13)?.map(UnixMs),
        replay_of: row.get::<_, Option<i64>>(14)?.map(DeliveryId),
        status_code: row.get(15)?,
        error: row.get(16)?,
        response_body: row.get(17)?,
    })
}

/// Which deliveries a list shows.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    /// Of this endpoint.
    pub endpoint: Option<EndpointId>,
    /// Of this tenant.
    pub tenant_id: Option<i64>,
    /// In this status.
    pub status: Option<StatusFilter>,
    /// Of events whose type matches.
    pub event_type: Option<Pattern>,
    /// Made in this span.
    pub span: Span,
}

impl DeliveryFilter {
    fn passes(&self, row: &DeliveryRow) -> bool {
        self.span.holds(row.created_at)
            && self.endpoint.is_none_or(|id| id == row.endpoint)
            && self.tenant_id.is_none_or(|id| id == row.tenant_id)
            && self.status.is_none_or(|status| status.passes(row.state, row.attempts))
            && self.event_type.as_ref().is_none_or(|pattern| pattern.matches(row.event_type.as_str()))
    }
}

/// Endpoints whose ready deliveries are listed one by one.
const READY_WALKS: usize = 100;

impl Reader<'_> {
    /// A delivery. Its status is the one that it is about to have, where a change to many is not finished.
    pub fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRow>, StoreError> {
        let found = self
            .connection()
            .prepare_cached(&format!("SELECT {COLUMNS} FROM deliveries d {JOINS} WHERE d.id = ?1"))?
            .query_row([id.0], read_row)
            .optional()?;
        let Some(mut row) = found else { return Ok(None) };
        let changes = bulk::changes(self.connection(), row.endpoint)?;
        (row.state, row.held_reason) = bulk::about_to_be(&changes, id.0, row.state, row.held_reason);
        if row.state != State::Waiting {
            row.due = None;
        }
        Ok(Some(row))
    }

    /// All deliveries of an event, the newest first: those that were made with it follow it in the order of ids,
    /// later ones have an index.
    pub fn deliveries_of_event(
        &self,
        event: EventId,
        made_with_it: u32,
        before: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Listed<DeliveryRow>, StoreError> {
        let before = before.map_or(i64::MAX, |id| id.0);
        let mut page = Collector::new(limit);
        let later = format!(
            "SELECT {COLUMNS} FROM deliveries d INDEXED BY deliveries_made_later {JOINS}
             WHERE d.event_id = ?1 AND d.made > 0 AND d.id < ?2 ORDER BY d.id DESC"
        );
        let mut more = self.collect(&mut page, &later, params![event.0, before], |_| true)?;
        if !more {
            let with_it = format!(
                "SELECT {COLUMNS} FROM deliveries d {JOINS}
                 WHERE d.id > ?1 AND d.id <= ?1 + ?2 AND d.id < ?3 AND d.event_id = ?1 AND d.made = 0
                 ORDER BY d.id DESC"
            );
            more = self.collect(&mut page, &with_it, params![event.0, made_with_it, before], |_| true)?;
        }
        Ok(page.finish(more))
    }

    /// Deliveries, the newest first, below `before`.
    pub fn deliveries(
        &self,
        filter: &DeliveryFilter,
        before: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Listed<DeliveryRow>, StoreError> {
        let ids = self.span_ids(&filter.span, before.map(|id| id.0))?;
        match filter.status {
            None | Some(StatusFilter::Delivered) => self.walk_deliveries(filter, ids, limit),
            Some(status) => self.rare_deliveries(filter, status, ids, limit),
        }
    }

    /// Walks by id: above the watermark the primary key, below it the index of the endpoint or tenant.
    fn walk_deliveries(
        &self,
        filter: &DeliveryFilter,
        ids: std::ops::Range<i64>,
        limit: usize,
    ) -> Result<Listed<DeliveryRow>, StoreError> {
        let index = match (filter.endpoint, filter.tenant_id) {
            (Some(endpoint), _) => Some(("endpoint_deliveries", "endpoint_id", endpoint.0)),
            (None, Some(tenant)) => Some(("tenant_deliveries", "tenant_id", tenant)),
            (None, None) => None,
        };
        let filled = match index {
            Some(_) => meta::get::<i64>(self.connection(), Meta::FilledDeliveries)?.unwrap_or(0),
            None => 0,
        };
        let mut page = Collector::new(limit);
        let by_key = format!(
            "SELECT {COLUMNS} FROM deliveries d {JOINS} WHERE d.id >= ?1 AND d.id < ?2 ORDER BY d.id DESC"
        );
        let from = ids.start.max(filled + 1);
        let passes = |row: &DeliveryRow| filter.passes(row);
        let mut more = self.collect(&mut page, &by_key, params![from, ids.end], passes)?;
        if let Some((table, column, of)) = index.filter(|_| !more) {
            let by_index = format!(
                "SELECT {COLUMNS} FROM {table} i CROSS JOIN deliveries d ON d.id = i.delivery_id {JOINS}
                 WHERE i.{column} = ?3 AND i.delivery_id >= ?1 AND i.delivery_id < ?2 ORDER BY i.delivery_id DESC"
            );
            let to = ids.end.min(filled + 1);
            more = self.collect(&mut page, &by_index, params![ids.start, to, of], passes)?;
        }
        Ok(page.finish(more))
    }

    /// Deliveries in a rare status: a merge of the walks along the partial index of each state.
    fn rare_deliveries(
        &self,
        filter: &DeliveryFilter,
        status: StatusFilter,
        ids: std::ops::Range<i64>,
        limit: usize,
    ) -> Result<Listed<DeliveryRow>, StoreError> {
        let mut pages = Vec::new();
        for state in status.states() {
            match (state, filter.endpoint) {
                (State::Ready, None) => pages.extend(self.ready_walks(filter, &ids, limit)?),
                _ => pages.push(self.state_walk(filter, *state, filter.endpoint, ids.clone(), limit)?),
            }
        }
        // A page that stopped early hides what lies below its end, so the merge may not go below it either.
        let floor = pages.iter().filter_map(|page| page.next).max();
        let mut rows: Vec<_> = pages.into_iter().flat_map(|page| page.rows).collect();
        rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.id));
        if let Some(floor) = floor {
            rows.retain(|row| row.id.0 >= floor);
        }
        let cut = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().map(|row| row.id.0);
        Ok(Listed { rows, next: if cut { last } else { floor } })
    }

    /// What is ready has an index by endpoint alone: one walk for each endpoint that has any, or, where those are
    /// many, one along the primary key.
    fn ready_walks(
        &self,
        filter: &DeliveryFilter,
        ids: &std::ops::Range<i64>,
        limit: usize,
    ) -> Result<Vec<Listed<DeliveryRow>>, StoreError> {
        let mut next = self.connection().prepare_cached(
            "SELECT endpoint_id FROM deliveries INDEXED BY deliveries_ready
             WHERE state = 0 AND endpoint_id > ?1 ORDER BY endpoint_id LIMIT 1",
        )?;
        let mut pages = Vec::new();
        let mut last = 0;
        while let Some(endpoint) = next.query_row([last], |row| row.get::<_, i64>(0)).optional()? {
            if pages.len() == READY_WALKS {
                let mut page = Collector::new(limit);
                let sql = format!(
                    "SELECT {COLUMNS} FROM deliveries d {JOINS} WHERE d.id >= ?1 AND d.id < ?2 ORDER BY d.id DESC"
                );
                let passes = |row: &DeliveryRow| row.state == State::Ready && filter.passes(row);
                let more = self.collect(&mut page, &sql, params![ids.start, ids.end], passes)?;
                return Ok(vec![page.finish(more)]);
            }
            last = endpoint;
            pages.push(self.state_walk(
                filter,
                State::Ready,
                Some(EndpointId(endpoint)),
                ids.clone(),
                limit,
            )?);
        }
        Ok(pages)
    }

    fn state_walk(
        &self,
        filter: &DeliveryFilter,
        state: State,
        endpoint: Option<EndpointId>,
        ids: std::ops::Range<i64>,
        limit: usize,
    ) -> Result<Listed<DeliveryRow>, StoreError> {
        let (index, of, whose) = match (state, endpoint, filter.tenant_id) {
            (State::Ready, Some(endpoint), _) => {
                ("deliveries_ready", "d.endpoint_id = ?3 AND d.state = 0", endpoint.0)
            }
            (_, Some(endpoint), _) => {
                ("deliveries_rare_by_endpoint", "d.endpoint_id = ?3 AND d.state >= 2", endpoint.0)
            }
            (_, None, Some(tenant)) => {
                ("deliveries_rare_by_tenant", "d.tenant_id = ?3 AND d.state >= 2", tenant)
            }
            (_, None, None) => ("deliveries_rare", "?3 = 0 AND d.state >= 2", 0),
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM deliveries d INDEXED BY {index} {JOINS}
             WHERE {of} AND d.state = ?4 AND d.id >= ?1 AND d.id < ?2 ORDER BY d.id DESC"
        );
        let mut page = Collector::new(limit);
        let params = params![ids.start, ids.end, whose, state as i64];
        let more = self.collect(&mut page, &sql, params, |row| filter.passes(row))?;
        Ok(page.finish(more))
    }

    /// Goes on with a page; `true`: there are rows that it has no room for.
    fn collect(
        &self,
        page: &mut Collector<DeliveryRow>,
        sql: &str,
        params: &[&dyn rusqlite::ToSql],
        passes: impl Fn(&DeliveryRow) -> bool,
    ) -> Result<bool, StoreError> {
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            if !page.has_room() {
                return Ok(true);
            }
            let row = read_row(row)?;
            page.add(row.id.0, passes(&row).then_some(row));
        }
        Ok(false)
    }
}

impl Tx<'_> {
    /// Writes a new delivery's row.
    pub(super) fn insert_delivery(&mut self, new: &NewDelivery) -> rusqlite::Result<()> {
        let held = (new.state == State::Held).then_some(HeldReason::EndpointDisabled as i64);
        self.connection()
            .prepare_cached(
                "INSERT INTO deliveries (id, event_id, endpoint_id, tenant_id, state, held_reason, round,
                     round_attempts, attempts, created_at, made, replay_of)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, 0, 0, ?7, ?8, ?9)",
            )?
            .execute(params![
                new.id.0,
                new.event.0,
                new.endpoint.0,
                new.tenant_id,
                new.state as i64,
                held,
                self.now.0,
                new.made as i64,
                new.replay_of.map(|id| id.0),
            ])?;
        self.gathered.rows.deliveries.push(fill::NewDelivery {
            id: new.id.0,
            endpoint: new.endpoint.0,
            tenant: new.tenant_id,
        });
        Ok(())
    }
}
