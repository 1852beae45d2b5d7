//! When a key or a session was last used: in memory at once, on disk at most once a minute.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::time::UnixMs;

/// Uses closer together than this are noted once.
const GRAIN_MS: i64 = 60_000;

/// See the module.
#[derive(Debug)]
pub(super) struct LastUse(AtomicI64);

impl LastUse {
    /// As the file has it, in milliseconds.
    pub(super) fn at(ms: i64) -> Self {
        Self(AtomicI64::new(ms))
    }

    /// When it was, to the minute.
    pub(super) fn get(&self) -> UnixMs {
        UnixMs(self.0.load(Ordering::Relaxed))
    }

    /// Notes a use at `now`. `true`: worth writing down.
    pub(super) fn touch(&self, now: UnixMs) -> bool {
        let far = (now.0 - self.get().0).abs() >= GRAIN_MS;
        if far {
            self.0.store(now.0, Ordering::Relaxed);
        }
        far
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_within_a_minute_are_noted_once_also_where_the_clock_goes_back() {
        let last = LastUse::at(0);
        assert!(last.touch(UnixMs(GRAIN_MS)) && !last.touch(UnixMs(2 * GRAIN_MS - 1)));
        assert_eq!(last.get(), UnixMs(GRAIN_MS));
        assert!(last.touch(UnixMs(2 * GRAIN_MS)) && last.touch(UnixMs(0)));
    }
}
