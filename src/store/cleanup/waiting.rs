//! Cleanups that wait for their turn, and for a clock that can be believed.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::time::UnixMs;

use super::super::answer::{Answer, Reply};
use super::super::{Shared, Store};
use super::{CleanupReport, CleanupRequest, Doubt, SCHEDULE};

/// A cleanup whose turn has come.
pub(in crate::store) struct Next {
    pub(super) request: CleanupRequest,
    pub(super) reply: Reply<CleanupReport>,
    /// The clock by which it deletes.
    pub(super) now: UnixMs,
}

/// Cleanups that wait for their turn.
#[derive(Default)]
pub(in crate::store) struct Cleanups {
    line: Mutex<Line>,
    doubt: Mutex<Doubt>,
    /// How far the one has come whose turn it is.
    running: Mutex<Option<CleanupReport>>,
}

/// What is under way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CleanupsNow {
    /// The one whose turn it is, with what it has done so far.
    pub running: Option<CleanupReport>,
    /// How many wait for their turn.
    pub queued: usize,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<(CleanupRequest, Reply<CleanupReport>)>,
    closed: bool,
    /// The log says already that the first one waits for the clock.
    told: bool,
}

impl Line {
    /// The first that may begin. What only counts need not believe the clock.
    fn first(&self, believed: bool) -> Option<usize> {
        self.waiting.iter().position(|(request, _)| believed || request.dry_run)
    }
}

impl Cleanups {
    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The writer stops: who waits, and who comes later, is told so.
    pub(in crate::store) fn close(&self) {
        let mut line = self.lock();
        line.closed = true;
        // A reply that is dropped says that the server is stopping.
        line.waiting.clear();
    }

    /// Tells how far the one has come whose turn it is; `None`: it is over.
    pub(super) fn tell(&self, report: Option<&CleanupReport>) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = report.cloned();
    }

    pub(in crate::store) fn doubt(&self) -> MutexGuard<'_, Doubt> {
        self.doubt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// The wall clock, or why it is in doubt.
    pub(in crate::store) fn believed_wall(&self) -> Result<UnixMs, String> {
        let wall = self.times.wall();
        let mut doubt = self.cleanups.doubt();
        doubt.look(wall, self.times.process_ms());
        doubt.reason().map_or(Ok(wall), Err)
    }

    /// Whether a cleanup waits that may begin.
    pub(in crate::store) fn may_clean(&self) -> bool {
        let line = self.cleanups.lock();
        !line.waiting.is_empty() && line.first(self.believed_wall().is_ok()).is_some()
    }

    /// The next cleanup, with the clock that was believed as it was taken: it deletes by that one, whatever the clock
    /// showed when it was asked for, and shows later.
    pub(in crate::store) fn next_cleanup(&self) -> Option<Next> {
        let mut line = self.cleanups.lock();
        line.waiting.front()?;
        let believed = self.believed_wall();
        if let (Err(reason), false) = (&believed, line.told) {
            tracing::warn!(reason, "a cleanup waits");
        }
        line.told = believed.is_err();
        let first = line.first(believed.is_ok())?;
        let (request, reply) = line.waiting.remove(first)?;
        let next = Next { request, reply, now: believed.unwrap_or_else(|_| self.times.wall()) };
        // While the line is locked, so that nobody sees it neither here nor there.
        self.cleanups.tell(Some(&CleanupReport::begun(&next.request, next.now)));
        Some(next)
    }
}

impl Store {
    /// Starts a cleanup; the answer comes at its end. One that deletes waits while the clock is in doubt.
    pub fn cleanup(&self, request: CleanupRequest) -> Answer<CleanupReport> {
        let (reply, answer) = Answer::new();
        let mut line = self.shared.cleanups.lock();
        if !line.closed {
            if !request.dry_run && request.older_than.is_none() {
                // It does the work of the one of the schedule that waits, and reports it to whoever asks.
                line.waiting.retain(|(waiting, _)| waiting.by != SCHEDULE);
            }
            line.waiting.push_back((request, reply));
        }
        drop(line);
        self.queue.nudge();
        answer
    }

    /// Starts the cleanup of the schedule, unless the last one waits still. Nobody waits for it: it may work for hours,
    /// and how it went is logged and recorded.
    pub fn cleanup_by_schedule(&self) {
        let waits = self.shared.cleanups.lock().waiting.iter().any(|(request, _)| request.by == SCHEDULE);
        if !waits {
            let by = SCHEDULE.to_owned();
            drop(self.cleanup(CleanupRequest { older_than: None, dry_run: false, by, address: None }));
        }
    }

    /// The cleanup that is under way, and how many wait for their turn.
    pub fn cleanups_now(&self) -> CleanupsNow {
        let line = self.shared.cleanups.lock();
        let running = self.shared.cleanups.running.lock().unwrap_or_else(PoisonError::into_inner).clone();
        CleanupsNow { running, queued: line.waiting.len() }
    }

    /// Why nothing is deleted for now: the clock may be wrong.
    pub fn cleanup_doubt(&self) -> Option<String> {
        self.shared.believed_wall().err()
    }

    /// An operator says that the clock is right.
    pub fn trust_clock(&self) {
        self.shared.cleanups.doubt().trust(self.shared.times.wall());
    }
}
