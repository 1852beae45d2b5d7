//! Replays of an endpoint: what was asked for and how far it has come. (`replaying` does the work.)

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::ids::{EndpointId, ReplayId};
use crate::domain::names::TenantName;
use crate::domain::replay::Replayed;
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::jobs::Jobs;
use super::lists::{Collector, Span};
use super::reader::{Listed, Reader};
use super::tx::Tx;

/// What is to be sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReplay {
    /// To this endpoint.
    pub endpoint: EndpointId,
    /// Its tenant's row.
    pub tenant_id: i64,
    /// What of it.
    pub kind: Replayed,
    /// Accepted from this time on.
    pub since: UnixMs,
    /// And before this; `None`: until now.
    pub until: Option<UnixMs>,
    /// Of events whose type matches one of these patterns; `None`: of all.
    pub events: Option<Vec<String>>,
    /// Only count.
    pub dry_run: bool,
}

/// How many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplayCounts {
    /// Deliveries (for `missing`: events) that were looked at.
    pub examined: u64,
    /// Of these, how many are to be sent again.
    pub matched: u64,
    /// Of these, how many were made ready. None in a dry run.
    pub done: u64,
    /// Passed over because the data of the event was deleted.
    pub blanked: u64,
    /// Passed over because deliveries of the event were pruned: whether one was for this endpoint is not known.
    pub pruned: u64,
}

/// A replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayRow {
    /// Its number.
    pub id: ReplayId,
    /// What was asked for.
    pub wanted: NewReplay,
    /// Its tenant.
    pub tenant: TenantName,
    /// How far it has come.
    pub counts: ReplayCounts,
    /// Why it ended before its end.
    pub canceled: Option<String>,
    /// When it was asked for.
    pub created_at: UnixMs,
    /// When it ended.
    pub ended_at: Option<UnixMs>,
    /// The last id that it looks at, and the last that it has looked at.
    pub(super) up_to: i64,
    pub(super) done_to: i64,
}

impl ReplayRow {
    pub(super) fn span(&self) -> Span {
        Span { since: Some(self.wanted.since), until: self.wanted.until }
    }
}

const COLUMNS: &str = "r.id, r.endpoint_id, r.tenant_id, t.name, r.kind, r.since_at, r.until_at, r.events, r.dry_run, \
     r.up_to, r.done_to, r.examined, r.matched, r.done, r.blanked, r.pruned, r.canceled, r.created_at, r.ended_at";

fn read_row(row: &Row<'_>) -> rusqlite::Result<ReplayRow> {
    let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
    let time = |column| row.get::<_, Option<i64>>(column).map(|at| at.map(UnixMs));
    let events = match row.get_ref(7)?.as_str_or_null()? {
        None => None,
        Some(_) => Some(super::lists::name(row, 7, |text| {
            serde_json::from_str(text).map_err(|error| error.to_string())
        })?),
    };
    Ok(ReplayRow {
        id: ReplayId(row.get(0)?),
        wanted: NewReplay {
            endpoint: EndpointId(row.get(1)?),
            tenant_id: row.get(2)?,
            kind: super::lists::name(row, 4, Replayed::parse)?,
            since: UnixMs(row.get(5)?),
            until: time(6)?,
            events,
            dry_run: row.get(8)?,
        },
        tenant: super::lists::name(row, 3, TenantName::parse)?,
        up_to: row.get(9)?,
        done_to: row.get(10)?,
        counts: ReplayCounts {
            examined: count(11)?,
            matched: count(12)?,
            done: count(13)?,
            blanked: count(14)?,
            pruned: count(15)?,
        },
        canceled: row.get(16)?,
        created_at: UnixMs(row.get(17)?),
        ended_at: time(18)?,
    })
}

/// The replays that a stop has left unfinished.
pub(super) fn unfinished(connection: &Connection) -> rusqlite::Result<Jobs<ReplayId>> {
    let sql = "SELECT id FROM replays INDEXED BY replays_running WHERE ended_at IS NULL";
    let mut statement = connection.prepare(sql)?;
    let found = statement.query_map([], |row| row.get(0).map(ReplayId))?.collect::<Result<_, _>>()?;
    Ok(Jobs::of(found))
}

impl Reader<'_> {
    /// A replay.
    pub fn replay(&self, id: ReplayId) -> Result<Option<ReplayRow>, StoreError> {
        let found = self
            .connection()
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM replays r CROSS JOIN tenants t ON t.id = r.tenant_id WHERE r.id = ?1"
            ))?
            .query_row([id.0], read_row)
            .optional()?;
        Ok(found)
    }

    /// The replay of an endpoint that is under way.
    pub fn running_replay(&self, endpoint: EndpointId) -> Result<Option<ReplayId>, StoreError> {
        let found = self
            .connection()
            .prepare_cached(
                "SELECT id FROM replays INDEXED BY replays_running WHERE endpoint_id = ?1 AND ended_at IS NULL",
            )?
            .query_row([endpoint.0], |row| row.get(0).map(ReplayId))
            .optional()?;
        Ok(found)
    }

    /// Replays, the newest first, below `before`: of an endpoint, of a tenant, of both or of all.
    pub fn replays(
        &self,
        endpoint: Option<EndpointId>,
        tenant_id: Option<i64>,
        before: Option<ReplayId>,
        limit: usize,
    ) -> Result<Listed<ReplayRow>, StoreError> {
        let (source, of) = match (endpoint, tenant_id) {
            (Some(endpoint), _) => {
                ("replays r INDEXED BY replays_by_endpoint", ("r.endpoint_id = ?1", endpoint.0))
            }
            (None, Some(tenant)) => ("replays r INDEXED BY replays_by_tenant", ("r.tenant_id = ?1", tenant)),
            (None, None) => ("replays r", ("?1 = 0", 0)),
        };
        let mut statement = self.connection().prepare_cached(&format!(
            "SELECT {COLUMNS} FROM {source} CROSS JOIN tenants t ON t.id = r.tenant_id
             WHERE {} AND r.id < ?2 ORDER BY r.id DESC",
            of.0
        ))?;
        let mut rows = statement.query(params![of.1, before.map_or(i64::MAX, |id| id.0)])?;
        let mut page = Collector::new(limit);
        while let Some(row) = rows.next()? {
            if !page.has_room() {
                return Ok(page.finish(true));
            }
            let row = read_row(row)?;
            let passes = tenant_id.is_none_or(|id| id == row.wanted.tenant_id);
            page.add(row.id.0, passes.then_some(row));
        }
        Ok(page.finish(false))
    }
}

impl Tx<'_> {
    /// Starts a replay. It is about what is on disk now; one that is under way at the endpoint has to end first
    /// ([`Reader::running_replay`]).
    pub fn start_replay(&mut self, wanted: &NewReplay) -> Result<ReplayId, StoreError> {
        let up_to = self.kept.last_id;
        let span = Span { since: Some(wanted.since), until: wanted.until };
        let ids = self.span_ids(&span, Some(up_to.saturating_add(1)))?;
        let id = ReplayId(self.allot());
        let events = wanted.events.as_ref().map(serde_json::to_string).transpose();
        self.connection()
            .prepare_cached(
                "INSERT INTO replays (id, endpoint_id, tenant_id, kind, since_at, until_at, events, dry_run, up_to,
                     done_to, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                id.0,
                wanted.endpoint.0,
                wanted.tenant_id,
                wanted.kind.word(),
                wanted.since.0,
                wanted.until.map(|at| at.0),
                events.map_err(|error| StoreError::Internal(error.to_string()))?,
                wanted.dry_run,
                ids.end - 1,
                ids.start - 1,
                self.now.0,
            ])?;
        self.gathered.replays.push(id);
        Ok(id)
    }

    /// Ends a replay that is under way. What it has made ready stays so. `false`: it has ended already.
    pub fn cancel_replay(&mut self, id: ReplayId, why: &str) -> Result<bool, StoreError> {
        let ended = self
            .connection()
            .prepare_cached(
                "UPDATE replays SET canceled = ?2, ended_at = ?3 WHERE id = ?1 AND ended_at IS NULL",
            )?
            .execute(params![id.0, why, self.now.0])?;
        Ok(ended > 0)
    }

    /// Ends what is under way at an endpoint that was deleted.
    pub(super) fn cancel_replays_of(&mut self, endpoint: EndpointId) -> Result<(), StoreError> {
        match self.running_replay(endpoint)? {
            Some(id) => self.cancel_replay(id, "the endpoint was deleted").map(drop),
            None => Ok(()),
        }
    }

    /// Writes down how far a replay has come.
    pub(super) fn note_replay(&self, row: &ReplayRow, over: bool) -> Result<(), StoreError> {
        let ReplayCounts { examined, matched, done, blanked, pruned } = row.counts;
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.connection()
            .prepare_cached(
                "UPDATE replays SET done_to = ?2, examined = ?3, matched = ?4, done = ?5, blanked = ?6, pruned = ?7,
                     ended_at = ?8 WHERE id = ?1",
            )?
            .execute(params![
                row.id.0,
                row.done_to,
                number(examined),
                number(matched),
                number(done),
                number(blanked),
                number(pruned),
                over.then_some(self.now.0),
            ])?;
        Ok(())
    }
}
