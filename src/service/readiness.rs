//! Whether the server can accept and deliver, for `/readyz` and the alerts.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What stands in the way of delivering, on our side. Kept by the dispatcher, read by everyone.
#[derive(Debug, Default)]
pub struct Readiness {
    own_trouble: Mutex<Option<String>>,
    stopping: Mutex<bool>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Readiness {
    /// The last attempts failed on our side, for this reason; `None`: they do not any more.
    pub fn set_own_trouble(&self, reason: Option<String>) {
        *lock(&self.own_trouble) = reason;
    }

    /// The server has begun to stop.
    pub fn set_stopping(&self) {
        *lock(&self.stopping) = true;
    }

    /// Sentences that say what is wrong; none when all is well.
    pub fn problems(&self, database: Option<String>) -> Vec<String> {
        let mut problems = Vec::new();
        if *lock(&self.stopping) {
            problems.push("the server is stopping".to_owned());
        }
        if let Some(reason) = database {
            problems.push(format!("nothing can be written: {reason}; make room or end what locks the database"));
        }
        if let Some(reason) = lock(&self.own_trouble).clone() {
            problems.push(format!("deliveries fail on this side: {reason}"));
        }
        problems
    }
}
