//! The nightly cleanup's schedule.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::domain::schedule::Schedule;
use crate::domain::settings::Settings;
use crate::domain::time::UnixMs;
use crate::store::cleanup::{CleanupRequest, SCHEDULE};

use super::{Dispatcher, Started};

/// A run that was missed while the server was down is made up so long after the start.
const MAKE_UP_MS: i64 = 5 * 60_000;
/// The schedule is looked at this often at least: the wall clock may have jumped, or the setting changed.
const LOOK: Duration = Duration::from_mins(10);

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

fn run(dispatcher: &Dispatcher, started: &Started) {
    let store = started.service.store();
    let mut started_at = store.times().wall();
    // Without any so far, one is missing since there is something to clean.
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself has one lifetime only")]
    let mut last = store.read(|reader| reader.cleaned_at()).ok().flatten().unwrap_or(started_at);
    let nightly = &dispatcher.nightly;
    let mut stopped = nightly.stopped.lock().unwrap_or_else(PoisonError::into_inner);
    while !*stopped {
        let now = store.times().wall();
        // A clock that is set back must not put the next run off until it has caught up.
        (last, started_at) = (last.min(now), started_at.min(now));
        let due = due(&store.directory().settings(), last, started_at);
        if due.is_some_and(|due| due <= now) {
            last = now;
            drop(stopped);
            clean(started);
            stopped = nightly.stopped.lock().unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        let wait = due.map_or(LOOK, |due| Duration::from_millis((due.0 - now.0).unsigned_abs()).min(LOOK));
        let clock = &dispatcher.clock;
        stopped = match clock.sleep_until(clock.monotonic() + wait) {
            Some(patience) => {
                nightly.signal.wait_timeout(stopped, patience).unwrap_or_else(PoisonError::into_inner).0
            }
            None => nightly.signal.wait(stopped).unwrap_or_else(PoisonError::into_inner),
        };
    }
}

/// When the next run is due: by the schedule after the last one, but not in the first minutes after a start.
fn due(settings: &Settings, last: UnixMs, started_at: UnixMs) -> Option<UnixMs> {
    // The setting was checked when it was made.
    let schedule = Schedule::parse(&settings.cleanup_schedule).ok()?;
    let due = schedule.next_after(last)?;
    Some(if due < started_at { UnixMs(started_at.0 + MAKE_UP_MS) } else { due })
}

fn clean(started: &Started) {
    let store = started.service.store();
    if let Some(reason) = store.cleanup_doubt() {
        tracing::warn!(reason, "the nightly cleanup did not run");
        return;
    }
    let request = CleanupRequest { older_than: None, dry_run: false, by: SCHEDULE.to_owned(), address: None };
    // Not waited for: it may work for hours, and a stop has seconds. How it went is logged and recorded by the
    // store.
    drop(store.cleanup(request));
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
        assert_eq!(due(&settings, last, start), Some(at("2026-02-23T12:05:00Z")));
    }

    #[test]
    fn a_server_that_runs_cleans_every_night() {
        let settings = Settings::default();
        let (last, start) = (at("2026-02-23T03:30:00Z"), at("2026-01-01T00:00:00Z"));
        assert_eq!(due(&settings, last, start), Some(at("2026-02-24T03:30:00Z")));
    }
}
