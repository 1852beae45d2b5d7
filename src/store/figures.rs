//! What the server has counted since it started, in memory: for `/metrics`.
//!
//! A transaction gathers a [`Tally`], which counts only once it is on disk. The writer's thread alone adds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::domain::outcome::Fact;

use super::distribution::{Buckets, Distribution, bucket};
use super::hourly::Hour;
use super::outcome::Outcome;

/// Durations of commits, in microseconds.
const COMMIT_US: [u64; 14] = [
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000,
    5_000_000,
];
/// Items of a transaction.
const ITEMS: [u64; 11] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000];
/// Durations of attempts, in milliseconds: those of `domain::histogram`.
const ATTEMPT_MS: [u64; 15] =
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000];
/// From the making of a delivery to its success, in milliseconds: up to the three days of the default schedule.
const AGE_MS: [u64; 17] = [
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    60_000,
    300_000,
    1_800_000,
    7_200_000,
    43_200_000,
    259_200_000,
];
const AGES: usize = AGE_MS.len() + 1;

/// What a transaction adds when it is on disk.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) events: u64,
    pub(super) deliveries: u64,
    pub(super) hour: Hour,
    pub(super) failures: Failures,
    /// How old deliveries were when they were delivered.
    ages: [u32; AGES],
    ages_ms: u64,
}

/// Attempts that failed, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Failures {
    /// Answered with another status than 2xx.
    pub status: u64,
    /// Ran out of time.
    pub timeout: u64,
    /// Got no answer for another reason: no such name, refused, TLS.
    pub connection: u64,
    /// Failed on our side; such attempts count for nothing else.
    pub own: u64,
}

impl Failures {
    fn add(&mut self, other: &Self) {
        self.status += other.status;
        self.timeout += other.timeout;
        self.connection += other.connection;
        self.own += other.own;
    }

    /// Counts what came of an attempt.
    pub(super) fn count(&mut self, outcome: &Outcome) {
        match outcome.fact {
            Fact::Delivered => {}
            Fact::OurTrouble => self.own += 1,
            Fact::Failed { timed_out: true, .. } => self.timeout += 1,
            Fact::Failed { .. } if outcome.attempt.status_code.is_some() => self.status += 1,
            Fact::Failed { .. } => self.connection += 1,
        }
    }
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.deliveries += other.deliveries;
        self.hour.add(&other.hour);
        self.failures.add(&other.failures);
        self.ages_ms += other.ages_ms;
        for (mine, others) in self.ages.iter_mut().zip(other.ages) {
            *mine += others;
        }
    }

    /// A delivery that is so old was delivered.
    pub(super) fn delivered(&mut self, age_ms: i64) {
        let age = u64::try_from(age_ms).unwrap_or(0);
        self.ages[bucket(&AGE_MS, age)] += 1;
        self.ages_ms += age;
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Figures {
    events: AtomicU64,
    deliveries: AtomicU64,
    delivered: AtomicU64,
    failed: AtomicU64,
    attempts_ok: AtomicU64,
    attempts_failed: AtomicU64,
    failures: [AtomicU64; 4],
    attempts: Distribution,
    ages: Distribution,
    commits: Distribution,
    commits_failed: AtomicU64,
    items: Distribution,
}

impl Default for Figures {
    fn default() -> Self {
        let zero = AtomicU64::default;
        Self {
            events: zero(),
            deliveries: zero(),
            delivered: zero(),
            failed: zero(),
            attempts_ok: zero(),
            attempts_failed: zero(),
            failures: [zero(), zero(), zero(), zero()],
            attempts: Distribution::new(&ATTEMPT_MS, 1e3),
            ages: Distribution::new(&AGE_MS, 1e3),
            commits: Distribution::new(&COMMIT_US, 1e6),
            commits_failed: zero(),
            items: Distribution::new(&ITEMS, 1.0),
        }
    }
}

/// A moment's copy of all of them.
#[derive(Debug, Clone, Default, PartialEq)]
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
    /// The same by reason, and those that failed on our side.
    pub failures: Failures,
    /// How long attempts took, seconds.
    pub attempts: Buckets,
    /// How old deliveries were when they were delivered, seconds.
    pub ages: Buckets,
    /// How long the commits of the writer took, the sync of the disk included, seconds.
    pub commits: Buckets,
    /// Commits that failed.
    pub commits_failed: u64,
    /// Items that shared a transaction and its commit.
    pub items: Buckets,
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
        let (hour, failures) = (&tally.hour, &tally.failures);
        if hour.attempts_ok + hour.attempts_failed == 0 && failures.own == 0 {
            return;
        }
        add(&self.delivered, hour.delivered);
        add(&self.failed, hour.failed);
        add(&self.attempts_ok, hour.attempts_ok);
        add(&self.attempts_failed, hour.attempts_failed);
        let by_reason = [failures.status, failures.timeout, failures.connection, failures.own];
        for (counter, more) in self.failures.iter().zip(by_reason) {
            add(counter, more);
        }
        self.attempts.add_all(&hour.latency, hour.duration_ms);
        self.ages.add_all(&tally.ages, tally.ages_ms);
    }

    /// A commit took so long, and succeeded or not.
    pub(super) fn commit(&self, took: Duration, succeeded: bool) {
        if !succeeded {
            add(&self.commits_failed, 1_u64);
        }
        self.commits.add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// So many items shared a transaction.
    pub(super) fn batch(&self, items: usize) {
        self.items.add(items as u64);
    }

    /// What they are now.
    pub(super) fn read(&self) -> Counted {
        let [status, timeout, connection, own] = self.failures.each_ref().map(get);
        Counted {
            events: get(&self.events),
            deliveries: get(&self.deliveries),
            delivered: get(&self.delivered),
            failed: get(&self.failed),
            attempts_ok: get(&self.attempts_ok),
            attempts_failed: get(&self.attempts_failed),
            failures: Failures { status, timeout, connection, own },
            attempts: self.attempts.read(),
            ages: self.ages.read(),
            commits: self.commits.read(),
            commits_failed: get(&self.commits_failed),
            items: self.items.read(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::histogram::BOUNDS_MS;

    #[test]
    fn attempts_are_told_in_the_buckets_that_they_are_counted_in() {
        assert_eq!(ATTEMPT_MS, BOUNDS_MS.map(u64::from));
    }

    #[test]
    fn commits_are_counted_whether_they_succeed_or_not() {
        let figures = Figures::default();
        for micros in [0, 100, 101, 6_000_000] {
            figures.commit(Duration::from_micros(micros), micros != 101);
        }
        let commits = figures.read().commits;
        let counts: Vec<u64> = commits.bounded.iter().map(|(_, count)| *count).collect();
        assert_eq!((&counts[..3], commits.above, figures.read().commits_failed), (&[2, 1, 0][..], 1, 1));
    }

    #[test]
    fn a_transaction_counts_all_that_it_has_gathered() {
        let figures = Figures::default();
        let mut hour = Hour { delivered: 1, ..Hour::default() };
        hour.attempt(true, 30);
        hour.attempt(false, 40_000);
        let failures = Failures { timeout: 1, own: 3, ..Failures::default() };
        let mut tally = Tally { events: 2, deliveries: 3, hour, failures, ..Tally::default() };
        tally.delivered(70);
        tally.delivered(-5);
        tally.add(&tally.clone());
        figures.committed(&tally);
        let counted = figures.read();
        assert_eq!((counted.events, counted.deliveries, counted.delivered), (4, 6, 2));
        assert_eq!((counted.attempts_ok, counted.attempts_failed, counted.attempts.above), (2, 2, 2));
        assert_eq!(counted.failures, Failures { timeout: 2, own: 6, ..Failures::default() });
        assert!((counted.attempts.sum - 80.06).abs() < 1e-9 && (counted.ages.sum - 0.14).abs() < 1e-9);
        assert_eq!((counted.ages.bounded[0].1, counted.ages.bounded[4].1), (2, 2));
    }
}
