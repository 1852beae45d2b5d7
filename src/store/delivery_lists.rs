//! Lists of deliveries, newest first: by endpoint, by tenant, by status.
//!
//! However rare the filter is, a page spends [`EXAMINED`] on rows at most. Where it is merged from several walks,
//! they share that, so that a page may end early and say where the next one goes on.

use std::ops::Range;

use rusqlite::{OptionalExtension, params};

use crate::domain::delivery::{State, StatusFilter};
use crate::domain::ids::{DeliveryId, EndpointId, EventId};
use crate::domain::matching::Pattern;

use super::deliveries::{COLUMNS, DeliveryRow, JOINS, read_row};
use super::error::StoreError;
use super::lists::{Collector, Span};
use super::meta::{self, Meta};
use super::reader::{EXAMINED, Listed, Reader};

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

/// Endpoints whose ready deliveries are listed one by one, and those that are looked at for the right tenant.
const READY_WALKS: usize = 100;
const READY_LOOKS: usize = 200;

impl Reader<'_> {
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
            None | Some(StatusFilter::Delivered) => {
                self.walk_deliveries(filter, None, ids, Collector::new(limit))
            }
            Some(status) => self.rare_deliveries(filter, status, &ids, limit),
        }
    }

    /// Walks by id: above the watermark the primary key, below it the index of the endpoint or tenant. `only`: what
    /// is in this state.
    fn walk_deliveries(
        &self,
        filter: &DeliveryFilter,
        only: Option<State>,
        ids: Range<i64>,
        mut page: Collector<DeliveryRow>,
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
        let by_key = format!(
            "SELECT {COLUMNS} FROM deliveries d {JOINS} WHERE d.id >= ?1 AND d.id < ?2 ORDER BY d.id DESC"
        );
        let from = ids.start.max(filled + 1);
        let passes = |row: &DeliveryRow| only.is_none_or(|state| state == row.state) && filter.passes(row);
        let mut more = self.collect(&mut page, &by_key, params![from, ids.end], passes)?;
        if let Some((table, column, of)) = index.filter(|_| !more) {
            let by_index = format!(
                "SELECT {COLUMNS} FROM {table} i CROSS JOIN deliveries d ON d.id = i.delivery_id {JOINS}
                 WHERE i.{column} = ?3 AND i.delivery_id >= ?1 AND i.delivery_id < ?2 ORDER BY i.delivery_id DESC"
            );
            let to = ids.end.min(filled + 1);
            page.scattered();
            more = self.collect(&mut page, &by_index, params![ids.start, to, of], passes)?;
        }
        Ok(page.finish(more))
    }

    /// Deliveries in a rare status: a merge of the walks along the partial index of each state.
    fn rare_deliveries(
        &self,
        filter: &DeliveryFilter,
        status: StatusFilter,
        ids: &Range<i64>,
        limit: usize,
    ) -> Result<Listed<DeliveryRow>, StoreError> {
        let mut pages = Vec::new();
        let share = EXAMINED / status.states().len();
        for state in status.states() {
            if (*state, filter.endpoint) == (State::Ready, None) {
                pages.extend(self.ready_walks(filter, ids, limit, share)?);
            } else {
                let page = Collector::examining(limit, share);
                pages.push(self.state_walk(filter, *state, filter.endpoint, ids, page)?);
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
    /// many, one through all deliveries.
    fn ready_walks(
        &self,
        filter: &DeliveryFilter,
        ids: &Range<i64>,
        limit: usize,
        share: usize,
    ) -> Result<Vec<Listed<DeliveryRow>>, StoreError> {
        let Some(endpoints) = self.endpoints_with_ready(filter.tenant_id)? else {
            let page = Collector::examining(limit, share);
            return Ok(vec![self.walk_deliveries(filter, Some(State::Ready), ids.clone(), page)?]);
        };
        let share = share / endpoints.len().max(1);
        endpoints
            .into_iter()
            .map(|endpoint| {
                let page = Collector::examining(limit, share);
                self.state_walk(filter, State::Ready, Some(endpoint), ids, page)
            })
            .collect()
    }

    /// The endpoints that have something ready; `None`: they are many.
    fn endpoints_with_ready(&self, tenant_id: Option<i64>) -> Result<Option<Vec<EndpointId>>, StoreError> {
        let mut next = self.connection().prepare_cached(
            "SELECT d.endpoint_id, (SELECT e.tenant_id FROM endpoints e WHERE e.id = d.endpoint_id)
             FROM deliveries d INDEXED BY deliveries_ready
             WHERE d.state = 0 AND d.endpoint_id > ?1 ORDER BY d.endpoint_id LIMIT 1",
        )?;
        let (mut endpoints, mut last) = (Vec::new(), 0);
        for _ in 0..=READY_LOOKS {
            let found = next.query_row([last], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?)));
            let Some((endpoint, of)) = found.optional()? else { return Ok(Some(endpoints)) };
            last = endpoint;
            if tenant_id.is_none() || of == tenant_id {
                endpoints.push(EndpointId(endpoint));
            }
            if endpoints.len() > READY_WALKS {
                break;
            }
        }
        Ok(None)
    }

    fn state_walk(
        &self,
        filter: &DeliveryFilter,
        state: State,
        endpoint: Option<EndpointId>,
        ids: &Range<i64>,
        mut page: Collector<DeliveryRow>,
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
        let params = params![ids.start, ids.end, whose, state as i64];
        page.scattered();
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
