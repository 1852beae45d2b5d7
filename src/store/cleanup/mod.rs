//! Deleting what is old, and giving the space back.
//!
//! Runs on the writer's thread in small turns that give way to ingest ([`steps`]). What waits, and the doubt
//! about a clock that may be wrong, are in [`waiting`].

mod doubt;
mod record;
pub(super) mod remove;
mod rest;
mod steps;
mod waiting;

use std::net::IpAddr;
use std::time::Duration;

use rusqlite::params;

use crate::domain::time::UnixMs;

use super::answer::Reply;
use super::audit::{Actor, Audited};
use super::batch::Desk;
use super::error::StoreError;
use super::meta::{self, Meta};

pub(super) use doubt::Doubt;
use record::{size, write};
use steps::Step;
pub use waiting::CleanupsNow;
pub(super) use waiting::{Cleanups, Next};

/// Who a cleanup is by that nobody asked for.
pub const SCHEDULE: &str = "schedule";

/// What is to be deleted.
#[derive(Debug, Clone)]
pub struct CleanupRequest {
    /// Deliveries and events older than this; `None`: as the settings say.
    pub older_than: Option<Duration>,
    /// Only count.
    pub dry_run: bool,
    /// Who wants it: [`SCHEDULE`], or an actor's name.
    pub by: String,
    /// Where the request came from, for the audit log.
    pub address: Option<IpAddr>,
}

/// What a cleanup did (or would do).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CleanupReport {
    /// When it started.
    pub started_at: UnixMs,
    /// When it ended; `None`: it is running, or was cut short by a kill.
    pub ended_at: Option<UnixMs>,
    /// Who wanted it.
    pub by: String,
    /// Whether it only counted.
    pub dry_run: bool,
    /// Deliveries deleted.
    pub deliveries: u64,
    /// Events deleted.
    pub events: u64,
    /// Bytes that the file is smaller.
    pub freed_bytes: i64,
    /// Why it ended early.
    pub error: Option<String>,
}

impl CleanupReport {
    /// One that has done nothing yet.
    fn begun(request: &CleanupRequest, started_at: UnixMs) -> Self {
        Self {
            started_at,
            ended_at: None,
            by: request.by.clone(),
            dry_run: request.dry_run,
            deliveries: 0,
            events: 0,
            freed_bytes: 0,
            error: None,
        }
    }
}

/// A cleanup under way.
pub(super) struct Cleaning {
    request: CleanupRequest,
    reply: Reply<CleanupReport>,
    report: CleanupReport,
    /// The row that it is recorded in, and the size of the file before; once it has begun.
    begun: Option<(i64, i64)>,
    step: Step,
}

impl Cleaning {
    pub(super) fn new(Next { request, reply, now }: Next) -> Self {
        let report = CleanupReport::begun(&request, now);
        Self { request, reply, report, begun: None, step: Step::Fill(0) }
    }

    /// Does one turn. `true`: the cleanup is over.
    pub(super) fn turn(&mut self, desk: &mut Desk<'_>) -> Result<bool, StoreError> {
        desk.kept.fill_all = true;
        let over = if self.begun.is_some() { self.step(desk)? } else { self.begin(desk)? };
        desk.shared.cleanups.tell(Some(&self.report));
        if over {
            desk.kept.fill_all = false;
            self.end(desk)?;
            desk.shared.cleanups.tell(None);
        }
        Ok(over)
    }

    fn begin(&mut self, desk: &mut Desk<'_>) -> Result<bool, StoreError> {
        let CleanupRequest { dry_run, address, .. } = self.request;
        let (by, now) = (self.request.by.clone(), self.report.started_at);
        let begun = desk.background(|tx| {
            let id = tx.allot();
            if !dry_run {
                tx.connection().execute(
                    "INSERT INTO cleanups (id, started_at, by_whom) VALUES (?1, ?2, ?3)",
                    params![id, now.0, by],
                )?;
            }
            if !dry_run && by != SCHEDULE {
                // A person's word holds after a crash as well.
                meta::set(tx.connection(), Meta::Mark, now.0)?;
                let actor = Actor { name: by, address };
                let target = "cleanups".to_owned();
                let (before, after) = (None, None);
                tx.audit(Audited {
                    actor: &actor,
                    action: "cleanup.run",
                    target,
                    tenant_id: None,
                    before,
                    after,
                })?;
            }
            Ok((id, size(tx)?))
        })?;
        self.begun = Some(begun);
        self.step = Step::Fill(begun.0);
        Ok(false)
    }

    fn step(&mut self, desk: &mut Desk<'_>) -> Result<bool, StoreError> {
        let cutoffs = steps::Cutoffs::of(&self.request, desk.shared, self.report.started_at);
        let step = self.step.clone();
        let done = desk.background(|tx| step.turn(tx, &cutoffs))?;
        self.report.deliveries += done.deliveries;
        self.report.events += done.events;
        match done.next {
            Some(next) => {
                self.step = next;
                Ok(false)
            }
            None => Ok(true),
        }
    }

    fn end(&mut self, desk: &mut Desk<'_>) -> Result<(), StoreError> {
        let Some((id, before)) = self.begun else { return Ok(()) };
        let report = &mut self.report;
        let dry_run = self.request.dry_run;
        *report = desk.background(|tx| {
            let report = CleanupReport {
                ended_at: Some(tx.now),
                freed_bytes: if dry_run { 0 } else { before - size(tx)? },
                ..report.clone()
            };
            if !dry_run {
                write(tx, id, &report)?;
            }
            Ok::<_, StoreError>(report)
        })?;
        Ok(())
    }

    /// It is over: tells who asked, and the log.
    pub(super) fn finish(self) {
        let CleanupReport { deliveries, events, freed_bytes, dry_run, .. } = self.report;
        let duration_ms = self.report.ended_at.map_or(0, |end| end.0 - self.report.started_at.0);
        tracing::info!(
            deliveries,
            events,
            freed_bytes,
            dry_run,
            duration_ms,
            by = self.report.by,
            "cleanup done"
        );
        // Whoever asked may have gone away.
        drop(self.reply.send(Ok(self.report)));
    }

    /// It cannot go on: tells the record, who asked, and the log.
    pub(super) fn fail(mut self, desk: &mut Desk<'_>, error: StoreError) {
        tracing::error!(%error, by = self.report.by, "the cleanup ended early; the next one goes on");
        desk.kept.fill_all = false;
        desk.shared.cleanups.tell(None);
        self.report.error = Some(error.to_string());
        if let Err(error) = self.end(desk) {
            tracing::warn!(%error, "that a cleanup ended early could not be recorded");
        }
        // Whoever asked may have gone away.
        drop(self.reply.send(Err(error)));
    }
}
