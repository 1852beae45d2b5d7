//! What the server has counted since it started, in memory: for `/metrics`.
//!
//! A transaction gathers a [`Tally`], which counts only once it is on disk. The writer's thread alone adds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::domain::histogram::BUCKETS;

use super::hourly::Hour;

/// The upper bounds of the buckets of commits, in microseconds, each itself included; the last bucket has none.
const COMMIT_BOUNDS_US: [u64; 14] = [
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000,
    5_000_000,
];

/// What a transaction adds when it is on disk.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) events: u64,
    pub(super) deliveries: u64,
    pub(super) hour: Hour,
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.deliveries += other.deliveries;
        self.hour.add(&other.hour);
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Figures {
    events: AtomicU64,
    deliveries: AtomicU64,
    delivered: AtomicU64,
    failed: AtomicU64,
    attempts_ok: AtomicU64,
    attempts_failed: AtomicU64,
    attempts_ms: AtomicU64,
    attempts: [AtomicU64; BUCKETS],
    commits: [AtomicU64; COMMIT_BOUNDS_US.len() + 1],
    commits_us: AtomicU64,
    commits_failed: AtomicU64,
}

/// A moment's copy of all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// Events accepted.
    pub events: u64,
    /// Deliveries made with them.
    pub deliveries: u64,
    /// Deliveries that became `delivered`.
    pub delivered: u64,
    /// Deliveries that became `failed`.
    pub failed: u64,
    /// Attempts answered with 2xx.
    pub attempts_ok: u64,
    /// Attempts that failed.
    pub attempts_failed: u64,
    /// How long attempts took.
    pub attempts: Buckets,
    /// How long the commits of the writer took, the sync of the disk included.
    pub commits: Buckets,
    /// Commits that failed.
    pub commits_failed: u64,
}

/// Durations by length.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Buckets {
    /// The upper bound of each bucket, itself included, and what is in it; not added up.
    pub bounded: Vec<(Duration, u64)>,
    /// What is above the last bound.
    pub above: u64,
    /// All durations together.
    pub sum: Duration,
}

fn add(counter: &AtomicU64, more: impl Into<u64>) {
    counter.fetch_add(more.into(), Ordering::Relaxed);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Figures {
    /// A transaction is on disk.
    pub(super) fn committed(&self, tally: &Tally) {
        add(&self.events, tally.events);
        add(&self.deliveries, tally.deliveries);
        let hour = &tally.hour;
        if hour.attempts_ok + hour.attempts_failed == 0 {
            return;
        }
        add(&self.delivered, hour.delivered);
        add(&self.failed, hour.failed);
        add(&self.attempts_ok, hour.attempts_ok);
        add(&self.attempts_failed, hour.attempts_failed);
        add(&self.attempts_ms, hour.duration_ms);
        for (counter, more) in self.attempts.iter().zip(hour.latency) {
            add(counter, more);
        }
    }

    /// A commit took so long, and succeeded or not.
    pub(super) fn commit(&self, took: Duration, succeeded: bool) {
        if !succeeded {
            add(&self.commits_failed, 1_u64);
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = COMMIT_BOUNDS_US.partition_point(|bound| *bound < micros);
        add(&self.commits[bucket], 1_u64);
        add(&self.commits_us, micros);
    }

    /// What they are now.
    pub(super) fn read(&self) -> Counted {
        let ms = crate::domain::histogram::BOUNDS_MS.map(|ms| Duration::from_millis(ms.into()));
        Counted {
            events: get(&self.events),
            deliveries: get(&self.deliveries),
            delivered: get(&self.delivered),
            failed: get(&self.failed),
            attempts_ok: get(&self.attempts_ok),
            attempts_failed: get(&self.attempts_failed),
            attempts: Buckets::of(&ms, &self.attempts, Duration::from_millis(get(&self.attempts_ms))),
            commits: Buckets::of(
                &COMMIT_BOUNDS_US.map(Duration::from_micros),
                &self.commits,
                Duration::from_micros(get(&self.commits_us)),
            ),
            commits_failed: get(&self.commits_failed),
        }
    }
}

impl Buckets {
    fn of(bounds: &[Duration], counters: &[AtomicU64], sum: Duration) -> Self {
        let bounded = bounds.iter().copied().zip(counters.iter().map(get)).collect();
        Self { bounded, above: counters.get(bounds.len()).map_or(0, get), sum }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_counted_in_the_bucket_that_they_fit_in() {
        let figures = Figures::default();
        for micros in [0, 100, 101, 6_000_000] {
            figures.commit(Duration::from_micros(micros), micros != 101);
        }
        let commits = figures.read().commits;
        let counts: Vec<u64> = commits.bounded.iter().map(|(_, count)| *count).collect();
        assert_eq!((&counts[..3], commits.above, figures.read().commits_failed), (&[2, 1, 0][..], 1, 1));
        assert_eq!(commits.sum, Duration::from_micros(6_000_201));
    }

    #[test]
    fn a_transaction_counts_all_that_it_has_gathered() {
        let figures = Figures::default();
        let mut hour = Hour { delivered: 1, ..Hour::default() };
        hour.attempt(true, 30);
        hour.attempt(false, 40_000);
        let mut tally = Tally { events: 2, deliveries: 3, hour };
        tally.add(&tally.clone());
        figures.committed(&tally);
        let counted = figures.read();
        assert_eq!((counted.events, counted.deliveries, counted.delivered), (4, 6, 2));
        assert_eq!((counted.attempts_ok, counted.attempts_failed, counted.attempts.above), (2, 2, 2));
        assert_eq!(counted.attempts.sum, Duration::from_millis(80_060));
    }
}
