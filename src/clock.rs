//! The only file that reads the clock.
//!
//! Everything else is handed a [`Clock`] (what time is it, for people and for retries) or a [`Stopwatch`]
//! (how long did this piece of real I/O take). `clippy.toml` refuses the standard library's own clocks
//! everywhere else, so a test that moves a [`ManualClock`] has moved all of Postrider.

#![expect(clippy::disallowed_methods, reason = "this is the file that may")]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::domain::time::UnixMs;

/// Where time comes from. Cheap to clone through an `Arc`; see [`SystemClock`] and [`ManualClock`].
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The wall clock. It may jump in either direction.
    fn wall(&self) -> UnixMs;

    /// Time since some fixed moment of this process. It never goes back and never jumps.
    fn monotonic(&self) -> Duration;

    /// How long a thread may sleep on a condition variable until `monotonic()` reaches `due`.
    ///
    /// `None`: sleep until you are woken. A manual clock answers that, and wakes you when it is moved.
    fn sleep_until(&self, due: Duration) -> Option<Duration>;

    /// Registers a function that is called whenever a manual clock is moved. A real clock ignores it.
    fn on_move(&self, wake: Arc<dyn Fn() + Send + Sync>);
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> UnixMs {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep_until(&self, due: Duration) -> Option<Duration> {
        Some(due.saturating_sub(self.monotonic()))
    }

    fn on_move(&self, _wake: Arc<dyn Fn() + Send + Sync>) {}
}

/// A clock that stands still until it is moved. For tests.
#[derive(Clone)]
pub struct ManualClock {
    inner: Arc<Mutex<Manual>>,
}

struct Manual {
    wall: UnixMs,
    monotonic: Duration,
    wakers: Vec<Arc<dyn Fn() + Send + Sync>>,
}

impl ManualClock {
    /// A clock that shows `wall`.
    pub fn new(wall: UnixMs) -> Self {
        let inner = Manual { wall, monotonic: Duration::ZERO, wakers: Vec::new() };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    /// Lets time pass: both clocks move on by `by`, and who sleeps is woken.
    pub fn advance(&self, by: Duration) {
        self.change(|m| {
            m.monotonic += by;
            m.wall = m.wall.plus(by);
        });
    }

    /// The wall clock jumps by `ms` (back when negative); the monotonic clock does not notice.
    pub fn jump_wall(&self, ms: i64) {
        self.change(|m| m.wall = UnixMs(m.wall.0 + ms));
    }

    fn change(&self, with: impl FnOnce(&mut Manual)) {
        let wakers = {
            let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            with(&mut inner);
            inner.wakers.clone()
        };
        for wake in wakers {
            wake();
        }
    }
}

impl std::fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ManualClock").field("wall", &self.wall()).finish_non_exhaustive()
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> UnixMs {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).wall
    }

    fn monotonic(&self) -> Duration {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).monotonic
    }

    fn sleep_until(&self, _due: Duration) -> Option<Duration> {
        None
    }

    fn on_move(&self, wake: Arc<dyn Fn() + Send + Sync>) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).wakers.push(wake);
    }
}

/// Measures a piece of real I/O, whatever the [`Clock`] says. Not for deciding when something is due.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// What is left of `limit`, zero when it has passed.
    pub fn left(&self, limit: Duration) -> Duration {
        limit.saturating_sub(self.elapsed())
    }
}
