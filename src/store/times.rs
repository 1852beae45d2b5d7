//! The scheduler's scale of time, and the server's uptime.
//!
//! Retries wait by the monotonic clock while the process runs, and yet a due time has to survive a restart.
//! So due times are kept on a scale of their own, *steady time*: the wall clock less all the jumps that were
//! noticed so far. `steady offset = wall - steady` is one number in the file; a jump changes it and nothing
//! else. What people are shown (`next_retry_at`) is steady time plus the offset: the wall's.
//!
//! *Uptime* counts the milliseconds in which the server ran, over restarts: an endpoint is not blamed for hours
//! in which nobody tried it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::clock::Clock;
use crate::domain::time::UnixMs;

/// A wall clock that departs from steady time by more than this has jumped; less is drift.
const JUMP_MS: i64 = 1_000;

/// Milliseconds on the scheduler's scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SteadyMs(pub i64);

impl SteadyMs {
    /// This moment and `by`.
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// Wall, steady and up time of this process.
#[derive(Debug)]
pub struct Times {
    clock: Arc<dyn Clock>,
    steady_at_start: i64,
    up_at_start: i64,
    monotonic_at_start: Duration,
    offset: AtomicI64,
}

impl Times {
    /// Continues the scales of the file: `offset` is `wall - steady` and `up` the uptime so far.
    pub fn new(clock: Arc<dyn Clock>, offset: i64, up: i64) -> Self {
        let steady_at_start = clock.wall().0 - offset;
        let monotonic_at_start = clock.monotonic();
        Self { clock, steady_at_start, up_at_start: up, monotonic_at_start, offset: AtomicI64::new(offset) }
    }

    /// The clock that this reads.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The wall clock.
    pub fn wall(&self) -> UnixMs {
        self.clock.wall()
    }

    fn since_start(&self) -> i64 {
        let since = self.clock.monotonic().saturating_sub(self.monotonic_at_start);
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    /// Now, on the scheduler's scale.
    pub fn steady(&self) -> SteadyMs {
        SteadyMs(self.steady_at_start.saturating_add(self.since_start()))
    }

    /// The next whole millisecond on the scheduler's scale: from then on a wait is counted that begins now, so that it
    /// is not cut short by the fraction that has passed already.
    pub fn next_steady(&self) -> SteadyMs {
        let since = self.clock.monotonic().saturating_sub(self.monotonic_at_start);
        let rounded_up = since.as_nanos().div_ceil(1_000_000);
        SteadyMs(self.steady_at_start.saturating_add(i64::try_from(rounded_up).unwrap_or(i64::MAX)))
    }

    /// Milliseconds that the server ran, over all its starts.
    pub fn up_ms(&self) -> i64 {
        self.up_at_start.saturating_add(self.since_start())
    }

    /// Milliseconds since this process started.
    pub fn process_ms(&self) -> i64 {
        self.since_start()
    }

    /// When the monotonic clock reaches `due`.
    pub fn monotonic_of(&self, due: SteadyMs) -> Duration {
        let ms = u64::try_from(due.0.saturating_sub(self.steady_at_start)).unwrap_or(0);
        self.monotonic_at_start.saturating_add(Duration::from_millis(ms))
    }

    /// A due time as the wall clock will show it.
    pub fn wall_of(&self, due: SteadyMs) -> UnixMs {
        UnixMs(due.0.saturating_add(self.offset.load(Ordering::Relaxed)))
    }

    /// Wall clock less steady time, as it is known now.
    pub fn offset(&self) -> i64 {
        self.offset.load(Ordering::Relaxed)
    }

    /// Looks whether the wall clock has jumped. `Some(offset)` when it has: to be written down.
    pub fn notice_jump(&self) -> Option<i64> {
        let offset = self.wall().0 - self.steady().0;
        let known = self.offset.load(Ordering::Relaxed);
        if (offset - known).abs() <= JUMP_MS {
            return None;
        }
        self.offset.store(offset, Ordering::Relaxed);
        Some(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    const DAY: i64 = 86_400_000;

    #[test]
    fn a_jump_of_the_wall_moves_what_is_shown_and_not_what_is_due() {
        let clock = ManualClock::new(UnixMs(10 * DAY));
        let times = Times::new(Arc::new(clock.clone()), 0, 0);
        let due = times.steady().plus(Duration::from_mins(1));
        clock.jump_wall(DAY);
        assert_eq!(times.notice_jump(), Some(DAY));
        assert_eq!(times.notice_jump(), None);
        assert_eq!(times.wall_of(due), UnixMs(11 * DAY + 60_000));
        clock.advance(Duration::from_mins(1));
        assert_eq!(times.steady(), due);
    }

    #[test]
    fn a_wait_that_begins_within_a_millisecond_is_not_cut_short() {
        let clock = ManualClock::new(UnixMs(10 * DAY));
        let times = Times::new(Arc::new(clock.clone()), 0, 0);
        for micros in [0, 1, 999, 1_000, 2_500] {
            clock.advance(Duration::from_micros(micros));
            let began = clock.monotonic();
            let due = times.monotonic_of(times.next_steady().plus(Duration::from_secs(3)));
            let waits = due.saturating_sub(began);
            assert!(waits >= Duration::from_secs(3) && waits < Duration::from_millis(3_001), "{waits:?}");
        }
    }

    #[test]
    fn steady_time_and_uptime_go_on_after_a_restart() {
        let clock = ManualClock::new(UnixMs(10 * DAY));
        let times = Times::new(Arc::new(clock.clone()), DAY, 500);
        assert_eq!(times.steady(), SteadyMs(9 * DAY));
        clock.advance(Duration::from_secs(1));
        assert_eq!(times.up_ms(), 1_500);
        assert_eq!(times.wall_of(times.steady()), clock.wall());
    }
}
