//! Events: reading them. (`publish` writes them.)

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::ids::EventId;
use crate::domain::matching::Pattern;
use crate::domain::names::{EventType, TenantName};
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::handover::Payload;
use super::lists::{Collector, Span};
use super::meta::{self, Meta};
use super::publish::Published;
use super::reader::{Listed, Reader};

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number.
    pub id: EventId,
    /// Its tenant's row.
    pub tenant_id: i64,
    /// Its tenant.
    pub tenant: TenantName,
    /// Its type.
    pub event_type: EventType,
    /// When it happened.
    pub timestamp: UnixMs,
    /// When it was accepted.
    pub created_at: UnixMs,
    /// Deliveries that were made with it.
    pub deliveries: u32,
    /// Its tenant had no endpoint.
    pub without_endpoints: bool,
    /// The publisher's own id.
    pub own_id: Option<String>,
    /// The idempotency key that it came with.
    pub idempotency_key: Option<String>,
    /// The hash of the request that it came with.
    pub request_hash: Option<[u8; 16]>,
    /// When its data was deleted.
    pub blanked_at: Option<UnixMs>,
    /// The bytes of `data`. Empty in a list.
    pub data: String,
}

impl StoredEvent {
    /// The id that the API shows.
    pub fn public_id(&self) -> Arc<str> {
        self.own_id.as_deref().map_or_else(|| self.id.to_string().into(), Arc::from)
    }

    /// What the call that made it was answered, as a repetition of it is answered.
    pub(super) fn published(&self) -> Published {
        Published {
            event: self.id,
            id: self.public_id(),
            event_type: self.event_type.clone(),
            tenant: self.tenant.clone(),
            timestamp: self.timestamp,
            created_at: self.created_at,
            deliveries: self.deliveries,
            without_endpoints: self.without_endpoints,
            replayed: true,
        }
    }
}

const COLUMNS: &str = "e.id, e.tenant_id, t.name, e.type, e.timestamp, e.created_at, e.deliveries, \
     e.without_endpoints, e.own_id, e.idempotency_key, e.request_hash, e.blanked, e.data";
/// The same without the data: a page of a list may hold 250 rows, and examines many more.
const LISTED: &str = "e.id, e.tenant_id, t.name, e.type, e.timestamp, e.created_at, e.deliveries, \
     e.without_endpoints, e.own_id, e.idempotency_key, e.request_hash, e.blanked, ''";

fn read_row(row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
    Ok(StoredEvent {
        id: EventId(row.get(0)?),
        tenant_id: row.get(1)?,
        tenant: super::lists::name(row, 2, TenantName::parse)?,
        event_type: super::lists::name(row, 3, EventType::parse)?,
        timestamp: UnixMs(row.get(4)?),
        created_at: UnixMs(row.get(5)?),
        deliveries: row.get(6)?,
        without_endpoints: row.get(7)?,
        own_id: row.get(8)?,
        idempotency_key: row.get(9)?,
        request_hash: row.get(10)?,
        blanked_at: row.get::<_, Option<i64>>(11)?.filter(|at| *at != 0).map(UnixMs),
        data: row.get(12)?,
    })
}

/// An event as deliveries need it, and whether its data was deleted.
pub(super) fn payload(connection: &Connection, id: EventId) -> rusqlite::Result<Option<(Payload, bool)>> {
    connection
        .prepare_cached(
            "SELECT e.own_id, e.type, t.name, e.timestamp, e.data, e.blanked <> 0
             FROM events e JOIN tenants t ON t.id = e.tenant_id WHERE e.id = ?1",
        )?
        .query_row([id.0], |row| {
            let own_id: Option<String> = row.get(0)?;
            let payload = Payload {
                event: id,
                public_id: own_id.map_or_else(|| id.to_string().into(), Arc::from),
                event_type: super::lists::name(row, 1, EventType::parse)?,
                tenant: super::lists::name(row, 2, TenantName::parse)?,
                timestamp: UnixMs(row.get(3)?),
                data: row.get_ref(4)?.as_str()?.into(),
            };
            Ok((payload, row.get(5)?))
        })
        .optional()
}

/// Which events a list shows.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Of this tenant; `None`: of all.
    pub tenant_id: Option<i64>,
    /// Whose type matches.
    pub event_type: Option<Pattern>,
    /// Accepted in this span.
    pub span: Span,
}

impl EventFilter {
    fn passes(&self, event: &StoredEvent) -> bool {
        self.span.holds(event.created_at)
            && self.tenant_id.is_none_or(|id| id == event.tenant_id)
            && self.event_type.as_ref().is_none_or(|pattern| pattern.matches(event.event_type.as_str()))
    }
}

impl Reader<'_> {
    /// An event by its number.
    pub fn stored_event(&self, id: EventId) -> Result<Option<StoredEvent>, StoreError> {
        let found = self
            .connection()
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM events e JOIN tenants t ON t.id = e.tenant_id WHERE e.id = ?1"
            ))?
            .query_row([id.0], read_row)
            .optional()?;
        Ok(found)
    }

    /// Numbers of events under a hash, as far as the look-up table holds them.
    pub(super) fn event_ids_under(&self, hash: i64) -> Result<Vec<i64>, StoreError> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT event_id FROM event_keys WHERE hash = ?1 ORDER BY event_id")?;
        let ids = statement.query_map([hash], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
        Ok(ids)
    }

    /// An event by the publisher's own id.
    pub fn event_by_own_id(&self, tenant_id: i64, own_id: &str) -> Result<Option<StoredEvent>, StoreError> {
        let mut ids = self.event_ids_under(self.shared().own_id_hash(tenant_id, own_id))?;
        // What the look-up does not hold yet; a few thousand rows at most.
        let mut statement = self.connection().prepare_cached(
            "SELECT id FROM events WHERE id > ?1 AND own_id = ?2 AND tenant_id = ?3 ORDER BY id",
        )?;
        let filled = meta::get::<i64>(self.connection(), Meta::FilledEvents)?.unwrap_or(0);
        for id in statement.query_map(params![filled, own_id, tenant_id], |row| row.get(0))? {
            ids.push(id?);
        }
        for id in ids {
            if let Some(event) = self.stored_event(EventId(id))?
                && event.tenant_id == tenant_id
                && event.own_id.as_deref() == Some(own_id)
            {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// Events without their data, the newest first, below `before`.
    pub fn events(
        &self,
        filter: &EventFilter,
        before: Option<EventId>,
        limit: usize,
    ) -> Result<Listed<StoredEvent>, StoreError> {
        let ids = self.span_ids(&filter.span, before.map(|id| id.0))?;
        let filled = match filter.tenant_id {
            Some(_) => meta::get::<i64>(self.connection(), Meta::FilledEvents)?.unwrap_or(0),
            None => 0,
        };
        let mut page = Collector::new(limit);
        // Above the watermark the primary key, below it the index of the tenant.
        let by_key = format!(
            "SELECT {LISTED} FROM events e CROSS JOIN tenants t ON t.id = e.tenant_id
             WHERE e.id >= ?1 AND e.id < ?2 ORDER BY e.id DESC"
        );
        let from = ids.start.max(filled + 1);
        let mut more = self.collect_events(&mut page, &by_key, params![from, ids.end], filter)?;
        if let Some(tenant_id) = filter.tenant_id.filter(|_| !more) {
            let by_tenant = format!(
                "SELECT {LISTED} FROM tenant_events i CROSS JOIN events e ON e.id = i.event_id
                 CROSS JOIN tenants t ON t.id = e.tenant_id
                 WHERE i.tenant_id = ?3 AND i.event_id >= ?1 AND i.event_id < ?2 ORDER BY i.event_id DESC"
            );
            let to = ids.end.min(filled + 1);
            page.scattered();
            more = self.collect_events(&mut page, &by_tenant, params![ids.start, to, tenant_id], filter)?;
        }
        Ok(page.finish(more))
    }

    /// Goes on with a page; `true`: there are rows that it has no room for.
    fn collect_events(
        &self,
        page: &mut Collector<StoredEvent>,
        sql: &str,
        params: &[&dyn rusqlite::ToSql],
        filter: &EventFilter,
    ) -> Result<bool, StoreError> {
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            if !page.has_room() {
                return Ok(true);
            }
            let event = read_row(row)?;
            page.add(event.id.0, filter.passes(&event).then_some(event));
        }
        Ok(false)
    }

    /// The ids of a span, below a cursor.
    pub(super) fn span_ids(
        &self,
        span: &Span,
        before: Option<i64>,
    ) -> Result<std::ops::Range<i64>, StoreError> {
        let ahead = meta::get::<i64>(self.connection(), Meta::AheadUntil)?.unwrap_or(0);
        let ids = span.ids(ahead);
        Ok(ids.start..ids.end.min(before.unwrap_or(i64::MAX)))
    }
}
