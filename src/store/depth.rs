//! How deep the queues on disk are at this moment, for monitoring: counted along the partial indexes of these states,
//! so that it costs as much as there is, and up to a bound.

use crate::domain::delivery::State;
use crate::domain::ids::EndpointId;
use crate::domain::stats::hour_of;
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::reader::Reader;

/// So many of a state are counted; where there are more, this is told. Some ten milliseconds on a reading connection.
pub const DEPTH: u32 = 100_000;
/// Tenants whose totals are told at most: those that were made first, so that their series stay.
pub const TENANTS: i64 = 200;

/// What has not come to an end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Deliveries that are due, those in flight included; at most [`DEPTH`].
    pub ready: u32,
    /// Deliveries that wait for the time of their next attempt; at most [`DEPTH`].
    pub retrying: u32,
    /// Deliveries that are held; at most [`DEPTH`].
    pub held: u32,
    /// When the oldest that is due was made.
    pub oldest_ready_at: Option<UnixMs>,
    /// When the oldest that waits for its next attempt was made.
    pub oldest_retrying_at: Option<UnixMs>,
}

/// What happened to a tenant since the day began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantTotals {
    /// Whose.
    pub tenant: String,
    /// Deliveries that became `delivered`.
    pub delivered: u64,
    /// Deliveries that became `failed`.
    pub failed: u64,
    /// Attempts answered with 2xx.
    pub attempts_ok: u64,
    /// Attempts that failed.
    pub attempts_failed: u64,
}

impl Reader<'_> {
    /// How much waits and is held, and since when.
    pub fn depth(&self) -> Result<Depth, StoreError> {
        let most = i64::from(DEPTH);
        let rare = |state: State| {
            self.count_up_to(
                "SELECT 1 FROM deliveries INDEXED BY deliveries_rare WHERE state = ?1 AND state >= 2 LIMIT ?2",
                &[state as i64, most],
            )
        };
        let ready = self.count_up_to(
            "SELECT 1 FROM deliveries INDEXED BY deliveries_ready WHERE endpoint_id > 0 AND state = 0 LIMIT ?1",
            &[most],
        )?;
        let count = |found: i64| u32::try_from(found).unwrap_or(DEPTH);
        let retrying = self.oldest_later(None)?;
        Ok(Depth {
            ready: count(ready),
            retrying: count(rare(State::Waiting)?),
            held: count(rare(State::Held)?),
            oldest_ready_at: self.oldest_due()?.map(|(_, made_at)| made_at),
            oldest_retrying_at: retrying.map(|id| self.made_at(id)).transpose()?.flatten(),
        })
    }

    /// Whom the oldest delivery that is due is for, and when it was made. Looks at the first of each endpoint that has
    /// any.
    pub fn oldest_due(&self) -> Result<Option<(EndpointId, UnixMs)>, StoreError> {
        let Some((id, endpoint)) = self.oldest_ready()? else { return Ok(None) };
        Ok(self.made_at(id)?.map(|made_at| (endpoint, made_at)))
    }

    /// What happened to each tenant since midnight, from the hourly totals that are kept; at most [`TENANTS`] of them.
    /// Endpoints that were deleted count on, so that the numbers never go back before the next midnight.
    pub fn totals_of_tenants(&self, now: UnixMs) -> Result<Vec<TenantTotals>, StoreError> {
        let to = hour_of(now);
        let from = to - to.rem_euclid(24);
        let mut all = self.first_tenants()?;
        // Deleted ones too.
        let mut statement = self.connection().prepare_cached(
            "SELECT id FROM endpoints INDEXED BY endpoints_of_tenant WHERE tenant_id = ?1 ORDER BY id",
        )?;
        for (tenant, totals) in &mut all {
            let mut endpoints = statement.query([*tenant])?;
            while let Some(row) = endpoints.next()? {
                self.add_totals(EndpointId(row.get(0)?), from, to, totals)?;
            }
        }
        Ok(all.into_iter().map(|(_, totals)| totals).collect())
    }

    fn first_tenants(&self) -> Result<Vec<(i64, TenantTotals)>, StoreError> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT id, name FROM tenants WHERE id > 0 ORDER BY id LIMIT ?1")?;
        let read = |row: &rusqlite::Row<'_>| {
            Ok((row.get(0)?, TenantTotals { tenant: row.get(1)?, ..TenantTotals::default() }))
        };
        let rows = statement.query_map([TENANTS], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn add_totals(
        &self,
        endpoint: EndpointId,
        from: i64,
        to: i64,
        totals: &mut TenantTotals,
    ) -> rusqlite::Result<()> {
        let mut statement = self.connection().prepare_cached(
            "SELECT delivered, failed, attempts_ok, attempts_failed FROM hourly
             WHERE endpoint_id = ?1 AND hour >= ?2 AND hour <= ?3",
        )?;
        let mut hours = statement.query([endpoint.0, from, to])?;
        while let Some(hour) = hours.next()? {
            let number = |column: usize| hour.get::<_, i64>(column).map(i64::unsigned_abs);
            totals.delivered += number(0)?;
            totals.failed += number(1)?;
            totals.attempts_ok += number(2)?;
            totals.attempts_failed += number(3)?;
        }
        Ok(())
    }
}
