//! Lines in the log that a flood of the same must not multiply: of requests that are refused, of tries that fail.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// At most one line in so much time.
#[derive(Debug)]
pub struct Complaints {
    pause_ms: u64,
    last: AtomicI64,
    silent: AtomicU64,
}

impl Complaints {
    /// None so far; at least so far apart.
    pub fn every(pause: Duration) -> Self {
        let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        Self { pause_ms, last: AtomicI64::new(i64::MIN), silent: AtomicU64::new(0) }
    }

    /// Whether this one is written, so many milliseconds after the start, and how many were not since the last that was.
    pub fn count(&self, now_ms: i64) -> Option<u64> {
        let last = self.last.load(Ordering::Relaxed);
        // In both directions: the clock may have gone back.
        let due = now_ms.abs_diff(last) >= self.pause_ms;
        // One of those that come at once.
        if due && self.last.compare_exchange(last, now_ms, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            return Some(self.silent.swap(0, Ordering::Relaxed));
        }
        self.silent.fetch_add(1, Ordering::Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_second_says_how_many_there_were_without() {
        let complaints = Complaints::every(Duration::from_secs(1));
        let counts = [0, 1, 999, 1_000, 1_001, 5_000, 0].map(|now| complaints.count(now));
        assert_eq!(counts, [Some(0), None, None, Some(2), None, Some(1), Some(0)]);
    }
}
