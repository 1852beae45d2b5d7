//! One thread that keeps house: closes idle connections and gives up on lookups, sleeping in between.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::pool::Pool;
use super::resolver::Resolver;

/// Wakes the keeper when there is something to keep.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    /// Whether the keeper sleeps, or is about to, until it is poked.
    sound: AtomicBool,
    state: Mutex<Poked>,
    woken: Condvar,
}

#[derive(Debug, Default)]
struct Poked {
    poked: bool,
    stopped: bool,
}

impl Alarm {
    /// Says that something may become due. Costs a load while the keeper is up anyway.
    pub(super) fn poke(&self) {
        if self.sound.load(Ordering::SeqCst) {
            self.state.lock().unwrap_or_else(PoisonError::into_inner).poked = true;
            self.woken.notify_one();
        }
    }

    /// Ends the keeper.
    pub(super) fn stop(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stopped = true;
        self.woken.notify_one();
    }

    /// Sleeps for `due`, or until poked; false once it is stopped.
    fn sleep(&self, due: Option<Duration>) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.poked && !state.stopped {
            state = match due {
                Some(due) => {
                    self.sound.store(false, Ordering::SeqCst);
                    self.woken.wait_timeout(state, due).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.woken.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        state.poked = false;
        !state.stopped
    }
}

/// Starts the keeper of `pool` and `resolver`. It ends with [`Alarm::stop`].
pub(super) fn start(alarm: Arc<Alarm>, pool: Arc<Pool>, resolver: Arc<Resolver>) -> std::io::Result<()> {
    let keep = move || {
        loop {
            // Before the looks: what comes after them pokes.
            alarm.sound.store(true, Ordering::SeqCst);
            let due = [pool.tick(), resolver.tick()].into_iter().flatten().min();
            if !alarm.sleep(due) {
                return;
            }
        }
    };
    thread::Builder::new().name("sender-keeper".to_owned()).stack_size(256 * 1024).spawn(keep)?;
    Ok(())
}
