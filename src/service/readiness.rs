//! Whether the server can accept and deliver, for `/readyz` and the alerts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What failed on our side is tried again within a minute, as long as it is wanted: a trouble that nothing has
/// met for so long is over, or nobody knows of it.
const TROUBLE_LASTS: Duration = Duration::from_mins(3);

/// What stands in the way of delivering, on our side. Kept by the dispatcher, read by everyone.
#[derive(Debug, Default)]
pub struct Readiness {
    /// Why, and when it was met last, by the monotonic clock.
    own_trouble: Mutex<Option<(String, Duration)>>,
    /// Looked at with every delivery, so that the lock is not.
    has_trouble: AtomicBool,
    stopping: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Readiness {
    /// An attempt failed on our side, for this reason, at `now` of the monotonic clock.
    pub fn set_own_trouble(&self, reason: String, now: Duration) {
        *lock(&self.own_trouble) = Some((reason, now));
        self.has_trouble.store(true, Ordering::Relaxed);
    }

    /// An attempt did not fail on our side.
    pub fn clear_own_trouble(&self) {
        if self.has_trouble.swap(false, Ordering::Relaxed) {
            *lock(&self.own_trouble) = None;
        }
    }

    /// The server has begun to stop.
    pub fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the server has begun to stop.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Sentences that say what is wrong at `now` of the monotonic clock; none when all is well. `database`: why nothing
    /// can be written; `damage`: what is wrong with its file.
    pub fn problems(&self, database: Option<String>, damage: Option<String>, now: Duration) -> Vec<String> {
        let mut problems = Vec::new();
        if self.is_stopping() {
            problems.push("the server is stopping".to_owned());
        }
        if let Some(reason) = database {
            problems
                .push(format!("nothing can be written: {reason}; make room or end what locks the database"));
        }
        if let Some(damage) = damage {
            problems.push(format!("the database file is damaged, restore a backup: {damage}"));
        }
        let trouble = lock(&self.own_trouble).clone();
        if let Some((reason, _)) = trouble.filter(|(_, met)| now.saturating_sub(*met) < TROUBLE_LASTS) {
            problems.push(format!("deliveries fail on this side: {reason}"));
        }
        problems
    }
}
