//! What waits and what is held at this moment, counted along the indexes of these states and up to a bound, so that it
//! costs the same however much there is. By the rows as they stand: a change to many that is under way may not have
//! reached all of them.

use rusqlite::OptionalExtension;

use crate::domain::delivery::State;
use crate::domain::ids::{self, EndpointId};
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::reader::Reader;
use super::times::SteadyMs;

/// So many are counted; where there are more, that is said.
pub const COUNTED: u32 = 10_000;
/// The same of what is old, which is counted besides for each endpoint of a list.
const OLD_COUNTED: u32 = 1_000;
/// Endpoints that are asked for the oldest of what is ready. Beyond them it may be older than what is told.
const LOOKS: usize = 2_000;

/// How many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UpTo {
    /// At most [`COUNTED`], or less where that is said.
    pub count: u32,
    /// Whether there are more.
    pub more: bool,
}

impl UpTo {
    fn of(found: i64, most: u32) -> Self {
        let found = u32::try_from(found).unwrap_or(u32::MAX);
        Self { count: found.min(most), more: found > most }
    }
}

/// What has not come to an end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Deliveries that wait for their first attempt or for another one, those in flight included.
    pub waiting: UpTo,
    /// Deliveries that are held.
    pub held: UpTo,
    /// When the oldest of those that wait was made.
    pub oldest_waiting_at: Option<UnixMs>,
}

/// One more than is told, which says that there are more.
const FOUND: i64 = COUNTED as i64 + 1;

impl Reader<'_> {
    /// What waits and is held of a tenant, or of all.
    pub fn backlog(&self, tenant_id: Option<i64>) -> Result<Backlog, StoreError> {
        let in_state = |state: State| {
            match tenant_id {
            Some(tenant) => self.count_up_to(
                "SELECT 1 FROM deliveries INDEXED BY deliveries_rare_by_tenant
                 WHERE tenant_id = ?1 AND state = ?2 AND state >= 2 LIMIT ?3",
                &[tenant, state as i64, FOUND],
            ),
            None => self.count_up_to(
                "SELECT 1 FROM deliveries INDEXED BY deliveries_rare WHERE state = ?1 AND state >= 2 LIMIT ?2",
                &[state as i64, FOUND],
            ),
        }
        };
        let (later, held) = (in_state(State::Waiting)?, in_state(State::Held)?);
        let (ready, oldest_ready) = match tenant_id {
            Some(tenant) => self.ready_of_tenant(tenant)?,
            None => (
                self.count_up_to(
                    "SELECT 1 FROM deliveries INDEXED BY deliveries_ready
                     WHERE endpoint_id > 0 AND state = 0 LIMIT ?1",
                    &[FOUND],
                )?,
                self.oldest_ready()?.map(|(id, _)| id),
            ),
        };
        let oldest = [oldest_ready, self.oldest_later(tenant_id)?].into_iter().flatten().min();
        Ok(Backlog {
            waiting: UpTo::of(later + ready, COUNTED),
            held: UpTo::of(held, COUNTED),
            oldest_waiting_at: oldest.map(|id| self.made_at(id)).transpose()?.flatten(),
        })
    }

    /// The number of what is held for an endpoint.
    pub fn held_of(&self, endpoint: EndpointId) -> Result<UpTo, StoreError> {
        self.count_held(endpoint, UnixMs(i64::MAX), COUNTED)
    }

    /// The same of what was made before `before`; counted to 1,000.
    pub fn old_held_of(&self, endpoint: EndpointId, before: UnixMs) -> Result<UpTo, StoreError> {
        self.count_held(endpoint, before, OLD_COUNTED)
    }

    fn count_held(&self, endpoint: EndpointId, before: UnixMs, most: u32) -> Result<UpTo, StoreError> {
        let found = self.count_up_to(
            "SELECT 1 FROM deliveries INDEXED BY deliveries_rare_by_endpoint
             WHERE endpoint_id = ?1 AND state = ?2 AND state >= 2 AND id < ?3 ORDER BY id LIMIT ?4",
            &[endpoint.0, State::Held as i64, ids::first_at(before), i64::from(most) + 1],
        )?;
        Ok(UpTo::of(found, most))
    }

    /// When the next retry of an endpoint is due, by the wall clock.
    pub fn next_retry_of(&self, endpoint: EndpointId) -> Result<Option<UnixMs>, StoreError> {
        let due = self.first(
            "SELECT due_at FROM deliveries INDEXED BY deliveries_due
             WHERE endpoint_id = ?1 AND state = 2 ORDER BY due_at, id LIMIT 1",
            &[endpoint.0],
        )?;
        Ok(due.map(|due| self.times().wall_of(SteadyMs(due))))
    }

    /// The oldest that waits for its time, by its number.
    pub(super) fn oldest_later(&self, tenant_id: Option<i64>) -> Result<Option<i64>, StoreError> {
        match tenant_id {
            Some(tenant) => self.first(
                "SELECT id FROM deliveries INDEXED BY deliveries_rare_by_tenant
                 WHERE tenant_id = ?1 AND state = 2 AND state >= 2 ORDER BY id LIMIT 1",
                &[tenant],
            ),
            None => self.first(
                "SELECT id FROM deliveries INDEXED BY deliveries_rare WHERE state = 2 AND state >= 2
                 ORDER BY id LIMIT 1",
                &[],
            ),
        }
    }

    /// The oldest that is ready, and its endpoint: of the first one of each endpoint that has any.
    pub(super) fn oldest_ready(&self) -> Result<Option<(i64, EndpointId)>, StoreError> {
        let mut next = self.connection().prepare_cached(
            "SELECT endpoint_id, id FROM deliveries INDEXED BY deliveries_ready
             WHERE state = 0 AND endpoint_id > ?1 ORDER BY endpoint_id, id LIMIT 1",
        )?;
        let (mut oldest, mut last) = (None, 0);
        for _ in 0..LOOKS {
            let found = next.query_row([last], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
            let Some((endpoint, id)) = found.optional()? else { break };
            last = endpoint;
            let this = (id, EndpointId(endpoint));
            oldest = Some(oldest.map_or(this, |known: (i64, EndpointId)| known.min(this)));
        }
        Ok(oldest)
    }

    /// How many are ready for the endpoints of a tenant, and the oldest of them.
    fn ready_of_tenant(&self, tenant_id: i64) -> Result<(i64, Option<i64>), StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT id FROM endpoints INDEXED BY endpoints_by_tenant
             WHERE tenant_id = ?1 AND deleted_at IS NULL ORDER BY id LIMIT ?2",
        )?;
        let looks = i64::try_from(LOOKS).unwrap_or(i64::MAX);
        let mut endpoints = statement.query([tenant_id, looks])?;
        let (mut ready, mut oldest) = (0, None);
        while let Some(row) = endpoints.next()? {
            let endpoint: i64 = row.get(0)?;
            let first = self.first(
                "SELECT id FROM deliveries INDEXED BY deliveries_ready
                 WHERE endpoint_id = ?1 AND state = 0 ORDER BY id LIMIT 1",
                &[endpoint],
            )?;
            let Some(first) = first else { continue };
            oldest = Some(oldest.map_or(first, |known: i64| known.min(first)));
            ready += self.count_up_to(
                "SELECT 1 FROM deliveries INDEXED BY deliveries_ready
                 WHERE endpoint_id = ?1 AND state = 0 LIMIT ?2",
                &[endpoint, FOUND - ready],
            )?;
        }
        Ok((ready, oldest))
    }

    fn first(&self, sql: &str, params: &[i64]) -> Result<Option<i64>, StoreError> {
        let mut statement = self.connection().prepare_cached(sql)?;
        Ok(statement.query_row(rusqlite::params_from_iter(params), |row| row.get(0)).optional()?)
    }

    pub(super) fn made_at(&self, delivery: i64) -> Result<Option<UnixMs>, StoreError> {
        let at = self.first("SELECT created_at FROM deliveries WHERE id = ?1", &[delivery])?;
        Ok(at.map(UnixMs))
    }
}
