//! Deliveries: making them and reading one. (`delivery_lists` lists them.)

use rusqlite::{OptionalExtension, Row, params};

use crate::domain::delivery::{HeldReason, Made, State};
use crate::domain::ids::{DeliveryId, EndpointId, EventId};
use crate::domain::names::{EventType, TenantName};
use crate::domain::time::UnixMs;

use super::bulk;
use super::bulk_kind;
use super::error::StoreError;
use super::fill;
use super::reader::Reader;
use super::times::SteadyMs;
use super::tx::Tx;

pub use super::delivery_lists::DeliveryFilter;

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
    /// How it came to be.
    pub made: Made,
    /// The delivery that it repeats.
    pub replay_of: Option<DeliveryId>,
    /// The status of the last answer.
    pub status_code: Option<u16>,
    /// Why the last attempt failed, or what stands in the way on our side.
    pub error: Option<String>,
    /// The first 2 KB of the last answer.
    pub response_body: Option<Vec<u8>>,
}

impl DeliveryRow {
    /// Whether it was sent by hand to test its endpoint.
    pub fn is_test(&self) -> bool {
        self.made == Made::Test
    }
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

/// What [`read_row`] reads, of `deliveries d` and [`JOINS`].
pub(super) const COLUMNS: &str = "d.id, d.event_id, e.own_id, e.type, d.endpoint_id, d.tenant_id, t.name, d.state, d.held_reason, \
     d.round, d.attempts, d.due_at, d.created_at, d.delivered_at, d.replay_of, a.status_code, \
     coalesce(d.own_trouble, a.error), a.response_body, e.blanked <> 0, d.made";
/// What a delivery is shown with: its event, its tenant, its last attempt.
pub(super) const JOINS: &str =
    "CROSS JOIN events e ON e.id = d.event_id CROSS JOIN tenants t ON t.id = d.tenant_id
     LEFT JOIN attempts a ON a.delivery_id = d.id AND a.number = d.attempts";

/// Reads [`COLUMNS`].
pub(super) fn read_row(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    let event = EventId(row.get(1)?);
    let (number, made): (i64, i64) = (row.get(7)?, row.get(19)?);
    let own_id: Option<String> = row.get(2)?;
    let found = DeliveryRow {
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
        made: Made::from_number(made).ok_or(rusqlite::Error::IntegralValueOutOfRange(19, made))?,
        replay_of: row.get::<_, Option<i64>>(14)?.map(DeliveryId),
        status_code: row.get(15)?,
        error: row.get(16)?,
        response_body: row.get(17)?,
    };
    Ok(if row.get(18)? { without_data(found) } else { found })
}

/// A delivery of an event whose data was deleted, as it is about to be where that is not finished (`blanking`).
fn without_data(row: DeliveryRow) -> DeliveryRow {
    let row = DeliveryRow { response_body: None, ..row };
    if row.state.is_pending() || row.state == State::Held {
        DeliveryRow { state: State::Canceled, held_reason: None, due: None, ..row }
    } else {
        row
    }
}

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
        (row.state, row.held_reason) = bulk_kind::about_to_be(&changes, id.0, row.state, row.held_reason);
        if row.state != State::Waiting {
            row.due = None;
        }
        Ok(Some(row))
    }
}

impl Tx<'_> {
    /// Writes a new delivery's row.
    pub(super) fn insert_delivery(&mut self, new: &NewDelivery) -> rusqlite::Result<()> {
        // Tests are no deliveries for those who count.
        self.gathered.tally.deliveries += u64::from(new.made != Made::Test);
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
