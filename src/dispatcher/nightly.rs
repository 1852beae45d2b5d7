//! What is done by a schedule: the nightly cleanup, and backups.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::domain::schedule::Schedule;
use crate::domain::settings::Settings;
use crate::domain::time::UnixMs;
use crate::panics;

use super::{Dispatcher, Started};

/// A run that was missed while the server was down is made up so long after the start.
const MAKE_UP_MS: i64 = 5 * 60_000;
/// The longest sleep. The writer wakes it when the setting changes or the wall clock jumps; this is for a clock that
/// drifts.
const LOOK: Duration = Duration::from_hours(1);

/// For waking and stopping the thread.
#[derive(Default)]
pub(super) struct Nightly {
    stopped: Mutex<bool>,
    signal: Condvar,
}

impl Nightly {
    pub(super) fn wake(&self) {
        // Under the lock, so that a thread that has looked at the clock already waits before it is woken.
        let _stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        self.signal.notify_all();
    }

    pub(super) fn stop(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.signal.notify_all();
    }
}

/// Starts the thread.
pub(super) fn start(dispatcher: &Arc<Dispatcher>) -> std::io::Result<JoinHandle<()>> {
    let dispatcher = Arc::clone(dispatcher);
    std::thread::Builder::new().name("nightly".to_owned()).spawn(move || {
        if let Some(started) = dispatcher.started.get() {
            run(&dispatcher, started);
        }
    })
}

/// Something that is done by a schedule.
struct Job {
    /// The setting that says when.
    schedule: fn(&Settings) -> &str,
    /// Does it, or has it done in the background.
    run: fn(&Started),
    /// When it was done last.
    last: UnixMs,
    /// The setting that `last` goes with.
    known: String,
}

impl Job {
    /// When it is due next: never, if it has just become a matter of the past by a change of the setting.
    fn due(&mut self, settings: &Settings, now: UnixMs, started_at: UnixMs) -> Option<UnixMs> {
        // A clock that is set back must not put the next run off until it has caught up.
        self.last = self.last.min(now);
        let schedule = (self.schedule)(settings);
        if schedule != self.known {
            // Times of the new one that have passed were not missed.
            schedule.clone_into(&mut self.known);
            self.last = now;
        }
        due(schedule, self.last, started_at)
    }
}

/// What there is to do, with when it was done last. Without any so far, one is missing since there is something to clean
/// and to copy.
fn jobs(started: &Started, started_at: UnixMs) -> [Job; 2] {
    let store = started.service.store();
    let settings = store.directory().settings();
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the methods themselves have one lifetime only"
    )]
    let cleaned = store.read(|reader| reader.cleaned_at()).ok().flatten();
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the methods themselves have one lifetime only"
    )]
    let backed_up = store.read(|reader| reader.backed_up_at()).ok().flatten();
    let job = |schedule: fn(&Settings) -> &str, run, last: Option<UnixMs>| Job {
        schedule,
        run,
        last: last.unwrap_or(started_at),
        known: schedule(&settings).to_owned(),
    };
    [
        // It waits there while the clock is in doubt.
        job(
            |settings| &settings.cleanup_schedule,
            |started| started.service.store().cleanup_by_schedule(),
            cleaned,
        ),
        job(|settings| &settings.backup_schedule, |started| started.service.backup_by_schedule(), backed_up),
    ]
}

fn run(dispatcher: &Dispatcher, started: &Started) {
    let store = started.service.store();
    let mut started_at = store.times().wall();
    let mut jobs = jobs(started, started_at);
    let nightly = &dispatcher.nightly;
    let mut stopped = nightly.stopped.lock().unwrap_or_else(PoisonError::into_inner);
    while !*stopped {
        let now = store.times().wall();
        started_at = started_at.min(now);
        let settings = store.directory().settings();
        let dues = jobs.each_mut().map(|job| job.due(&settings, now, started_at));
        if let Some(at) = dues.iter().position(|due| due.is_some_and(|due| due <= now)) {
            jobs[at].last = now;
            drop(stopped);
            if let Err(panic) = panics::caught(|| (jobs[at].run)(started)) {
                tracing::error!(
                    panic,
                    "what is done by a schedule panicked; it is done again at its next time"
                );
            }
            stopped = nightly.stopped.lock().unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        let next = dues.into_iter().flatten().min();
        let wait = next.map_or(LOOK, |due| Duration::from_millis((due.0 - now.0).unsigned_abs()).min(LOOK));
        let clock = &dispatcher.clock;
        stopped = match clock.sleep_until(clock.monotonic() + wait) {
            Some(patience) => {
                nightly.signal.wait_timeout(stopped, patience).unwrap_or_else(PoisonError::into_inner).0
            }
            None => nightly.signal.wait(stopped).unwrap_or_else(PoisonError::into_inner),
        };
    }
}

/// When the next run is due: by the schedule after the last one, but not in the first minutes after a start; `None`:
/// never.
fn due(schedule: &str, last: UnixMs, started_at: UnixMs) -> Option<UnixMs> {
    // The setting was checked when it was made; it may be empty.
    let due = Schedule::parse(schedule).ok()?.next_after(last)?;
    Some(if due < started_at { UnixMs(started_at.0 + MAKE_UP_MS) } else { due })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UnixMs {
        UnixMs::parse(text).unwrap()
    }

    #[test]
    fn a_missed_run_is_made_up_soon_after_the_start() {
        let settings = Settings::default();
        let (last, start) = (at("2026-02-20T03:30:00Z"), at("2026-02-23T12:00:00Z"));
        assert_eq!(due(&settings.cleanup_schedule, last, start), Some(at("2026-02-23T12:05:00Z")));
    }

    #[test]
    fn an_empty_schedule_never_comes() {
        assert_eq!(due("", UnixMs(0), at("2026-02-23T12:00:00Z")), None);
    }

    #[test]
    fn a_server_that_runs_cleans_every_night() {
        let settings = Settings::default();
        let (last, start) = (at("2026-02-23T03:30:00Z"), at("2026-01-01T00:00:00Z"));
        assert_eq!(due(&settings.cleanup_schedule, last, start), Some(at("2026-02-24T03:30:00Z")));
    }
}
