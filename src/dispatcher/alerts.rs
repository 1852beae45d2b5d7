//! The thread that looks at alerts: once a minute, and when somebody waits for a test.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::panics;

use super::{Dispatcher, Started};

/// How often it looks.
const LOOK: Duration = Duration::from_mins(1);
/// How long a stop waits for a look that is under way: a mail server may take its time, and is left behind.
const PATIENCE: Duration = Duration::from_secs(2);

/// For waking and stopping the thread.
#[derive(Default)]
pub(super) struct Alerting {
    state: Mutex<State>,
    signal: Condvar,
}

#[derive(Default)]
struct State {
    stopping: bool,
    running: bool,
}

impl Alerting {
    /// The clock was moved, or somebody waits for a test.
    pub(super) fn wake(&self) {
        // Under the lock, so that a thread that has looked already waits before it is woken.
        let _state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.signal.notify_all();
    }

    /// Nothing more is looked at. Waits for what is under way, but not for long.
    pub(super) fn stop(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.stopping = true;
        self.signal.notify_all();
        let ended = self.signal.wait_timeout_while(state, PATIENCE, |state| state.running);
        if ended.unwrap_or_else(PoisonError::into_inner).0.running {
            tracing::info!("an alert was on its way at the stop; it is told again after the next start");
        }
    }
}

/// Starts the thread. It is not waited for at the end: see [`PATIENCE`].
pub(super) fn start(dispatcher: &Arc<Dispatcher>) -> std::io::Result<()> {
    let watched = Arc::downgrade(dispatcher);
    if let Some(started) = dispatcher.started.get() {
        started.service.watch_alerts(Box::new(move || {
            if let Some(dispatcher) = watched.upgrade() {
                dispatcher.alerting.wake();
            }
        }));
    }
    dispatcher.alerting.state.lock().unwrap_or_else(PoisonError::into_inner).running = true;
    let running = Arc::clone(dispatcher);
    let thread = std::thread::Builder::new().name("alerts".to_owned()).spawn(move || {
        if let Some(started) = running.started.get() {
            run(&running, started);
        }
        let alerting = &running.alerting;
        alerting.state.lock().unwrap_or_else(PoisonError::into_inner).running = false;
        alerting.signal.notify_all();
    });
    thread.map(drop)
}

fn run(dispatcher: &Dispatcher, started: &Started) {
    let (clock, alerting) = (&dispatcher.clock, &dispatcher.alerting);
    let mut next = clock.monotonic() + LOOK;
    loop {
        if let Err(panic) = panics::caught(|| started.service.make_alert_tests()) {
            tracing::error!(panic, "a test of an alert panicked");
        }
        if clock.monotonic() >= next {
            match panics::caught(|| started.service.look_at_alerts()) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, "alerts could not be looked at; tried again in a minute");
                }
                Err(panic) => tracing::error!(panic, "a look at alerts panicked; tried again in a minute"),
            }
            next = clock.monotonic() + LOOK;
        }
        let state = alerting.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.stopping {
            return;
        }
        // Under the lock: what came meanwhile has not been seen, and whoever comes from here on wakes this thread.
        if started.service.has_alert_tests() || clock.monotonic() >= next {
            continue;
        }
        drop(match clock.sleep_until(next) {
            Some(patience) => {
                alerting.signal.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner).0
            }
            None => alerting.signal.wait(state).unwrap_or_else(PoisonError::into_inner),
        });
    }
}
