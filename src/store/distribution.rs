//! Numbers by size, counted in memory: for `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts observations in buckets. Adding one is two additions to atomics: no lock, no allocation.
#[derive(Debug)]
pub struct Distribution {
    /// The upper bound of each bucket, itself included; the last bucket has none.
    bounds: &'static [u64],
    /// What one of the numbers is divided by when it is told: 1,000 for milliseconds that are told as seconds.
    unit: f64,
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// Observations by size, as they are told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Buckets {
    /// The upper bound of each bucket, itself included, and what is in it; not added up.
    pub bounded: Vec<(f64, u64)>,
    /// What is above the last bound.
    pub above: u64,
    /// All observations added up.
    pub sum: f64,
}

impl Distribution {
    /// One that is empty.
    pub fn new(bounds: &'static [u64], unit: f64) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, unit, counts, sum: AtomicU64::new(0) }
    }

    /// Counts an observation.
    pub fn add(&self, value: u64) {
        if let Some(count) = self.counts.get(bucket(self.bounds, value)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Counts observations that were put into buckets already, and whose sum is `sum`.
    pub fn add_all(&self, counts: &[u32], sum: u64) {
        for (count, more) in self.counts.iter().zip(counts).filter(|(_, more)| **more > 0) {
            count.fetch_add(u64::from(*more), Ordering::Relaxed);
        }
        self.sum.fetch_add(sum, Ordering::Relaxed);
    }

    /// A moment's copy.
    #[expect(clippy::cast_precision_loss, reason = "all digits up to 2^53, and the first 16 from there on")]
    pub fn read(&self) -> Buckets {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let told = |value: u64| value as f64 / self.unit;
        Buckets {
            bounded: self.bounds.iter().map(|bound| told(*bound)).zip(self.counts.iter().map(get)).collect(),
            above: self.counts.last().map_or(0, get),
            sum: told(get(&self.sum)),
        }
    }
}

/// The bucket that a number belongs in.
pub fn bucket(bounds: &[u64], value: u64) -> usize {
    bounds.partition_point(|bound| *bound < value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_counted_in_the_bucket_that_they_fit_in() {
        let seen = Distribution::new(&[100, 2_000], 1_000.0);
        for value in [0, 100, 101, 2_000, 2_001] {
            seen.add(value);
        }
        seen.add_all(&[1, 0, 2], 7_000);
        let expected = Buckets { bounded: vec![(0.1, 3), (2.0, 2)], above: 3, sum: 11.202 };
        assert_eq!(seen.read(), expected);
    }
}
