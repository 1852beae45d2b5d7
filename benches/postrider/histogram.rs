//! Times counted in buckets that are 1/64 of their value wide: exact enough for percentiles, and small however many.

use serde_json::{Value, json};

/// Buckets for each power of two, and the power of two that is.
const STEPS: usize = 64;
const STEP_BITS: u32 = 6;
/// Enough for every `u64`.
const BUCKETS: usize = (64 - STEP_BITS as usize + 1) * STEPS;

/// Counts of nanoseconds.
#[derive(Debug, Clone)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: vec![0; BUCKETS], count: 0, max: 0 }
    }
}

/// The bucket of a value: the value itself below 64, then 64 to each power of two.
fn bucket(value: u64) -> usize {
    let power = value.checked_ilog2().unwrap_or(0);
    if power < STEP_BITS {
        return usize::try_from(value).unwrap_or(0);
    }
    let step = usize::try_from(value >> (power - STEP_BITS)).unwrap_or(0) - STEPS;
    (power - STEP_BITS + 1) as usize * STEPS + step
}

/// The middle of a bucket.
fn middle(bucket: usize) -> u64 {
    if bucket < STEPS {
        return bucket as u64;
    }
    let shift = bucket / STEPS - 1;
    let low = ((STEPS + bucket % STEPS) as u64) << shift;
    low + ((1 << shift) / 2)
}

impl Histogram {
    /// Counts a value.
    pub fn record(&mut self, value: u64) {
        self.buckets[bucket(value)] += 1;
        self.count += 1;
        self.max = self.max.max(value);
    }

    /// The greatest.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The value that `percent` percent do not exceed; 0 without values.
    pub fn percentile(&self, percent: f64) -> u64 {
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rank = (self.count as f64 * percent / 100.0).ceil().max(1.0) as u64;
        let mut before = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            before += count;
            if *count > 0 && before >= rank {
                return middle(bucket).min(self.max);
            }
        }
        0
    }

    /// For another process: the greatest value, and the buckets that are not empty.
    pub fn to_json(&self) -> Value {
        let filled = self.buckets.iter().enumerate().filter(|(_, count)| **count > 0);
        json!({ "max": self.max, "buckets": filled.collect::<Vec<_>>() })
    }

    /// What [`Histogram::to_json`] has made.
    pub fn from_json(value: &Value) -> Option<Self> {
        let mut histogram = Self { max: value["max"].as_u64()?, ..Self::default() };
        for pair in value["buckets"].as_array()? {
            let (bucket, count) = (usize::try_from(pair[0].as_u64()?).ok()?, pair[1].as_u64()?);
            *histogram.buckets.get_mut(bucket)? = count;
            histogram.count += count;
        }
        Some(histogram)
    }
}
