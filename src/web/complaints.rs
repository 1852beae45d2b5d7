//! Lines in the log that a flood of requests must not multiply: under pressure each refusal would be one.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::domain::time::UnixMs;

/// Milliseconds between two lines.
const PAUSE: u64 = 1_000;

/// At most one line a second.
#[derive(Debug)]
pub(super) struct Complaints {
    last: AtomicI64,
    silent: AtomicU64,
}

impl Complaints {
    pub(super) fn new() -> Self {
        Self { last: AtomicI64::new(i64::MIN), silent: AtomicU64::new(0) }
    }

    /// Whether this one is written, and how many were not since the last that was.
    pub(super) fn count(&self, now: UnixMs) -> Option<u64> {
        let last = self.last.load(Ordering::Relaxed);
        // In both directions: the clock may have gone back.
        let due = now.0.abs_diff(last) >= PAUSE;
        // One of those that come at once.
        if due && self.last.compare_exchange(last, now.0, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
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
        let complaints = Complaints::new();
        let counts = [0, 1, 999, 1_000, 1_001, 5_000, 0].map(|now| complaints.count(UnixMs(now)));
        assert_eq!(counts, [Some(0), None, None, Some(2), None, Some(1), Some(0)]);
    }
}
