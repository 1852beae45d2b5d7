//! The machine's monotonic clock, the same one in every process: a time that is written into an event here can be
//! subtracted where the event arrives. Nanoseconds all over.

use std::time::Duration;

use rustix::thread::clock_nanosleep_absolute;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// How long before the moment the spin begins: a sleeping thread wakes up some 50 us late.
const SPIN: u64 = 50_000;

/// Nanoseconds since some moment before all processes of the benchmark.
pub fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// Nanoseconds from `earlier` until now.
pub fn since(earlier: u64) -> u64 {
    now().saturating_sub(earlier)
}

/// Seconds as nanoseconds.
pub fn nanos(seconds: f64) -> u64 {
    u64::try_from(Duration::from_secs_f64(seconds).as_nanos()).unwrap_or(u64::MAX)
}

/// Nanoseconds as seconds.
pub fn seconds(nanos: u64) -> f64 {
    Duration::from_nanos(nanos).as_secs_f64()
}

/// Nanoseconds as milliseconds.
pub fn millis(nanos: u64) -> f64 {
    seconds(nanos) * 1e3
}

/// Sleeps until `moment`, coarsely: for waiting, not for measuring.
pub fn sleep_until(moment: u64) {
    let time = Timespec {
        tv_sec: i64::try_from(moment / 1_000_000_000).unwrap_or(i64::MAX),
        tv_nsec: i64::try_from(moment % 1_000_000_000).unwrap_or(0),
    };
    // A signal may end it early.
    while now() < moment && clock_nanosleep_absolute(ClockId::Monotonic, &time).is_err() {}
}

/// Sleeps for so many seconds.
pub fn sleep(seconds: f64) {
    sleep_until(now() + nanos(seconds));
}

/// Returns at `moment`, to within a microsecond or so: sleeps until shortly before and spins the rest.
pub fn at(moment: u64) {
    sleep_until(moment.saturating_sub(SPIN));
    while now() < moment {
        std::hint::spin_loop();
    }
}
