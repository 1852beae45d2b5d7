//! Latencies of attempts in 16 buckets, which add up over hours and endpoints.

/// The upper bound of each bucket in milliseconds, itself included; the last has none.
pub const BOUNDS_MS: [u32; 15] =
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000];
/// How many buckets there are.
pub const BUCKETS: usize = BOUNDS_MS.len() + 1;

/// The bucket, 0 to 15, that an attempt of `ms` milliseconds falls in.
pub fn bucket(ms: u64) -> usize {
    BOUNDS_MS.partition_point(|bound| u64::from(*bound) < ms)
}

/// Estimates the latency, in milliseconds, that `percent` (1 to 100) percent of the attempts do not exceed.
///
/// Within a bucket attempts are taken to be spread evenly, so the estimate is never outside the bucket of
/// the exact answer; in the last bucket it is that bucket's lower bound. `None` without attempts.
pub fn percentile(counts: &[u64; BUCKETS], percent: u32) -> Option<u32> {
    let total: u128 = counts.iter().map(|count| u128::from(*count)).sum();
    // The rank of the attempt that is asked for, from 1.
    let rank = (total * u128::from(percent.clamp(1, 100))).div_ceil(100);
    let mut before = 0_u128;
    for (index, count) in counts.iter().enumerate() {
        let count = u128::from(*count);
        if count > 0 && before + count >= rank {
            let lower = index.checked_sub(1).map_or(0, |below| BOUNDS_MS[below]);
            let width = BOUNDS_MS.get(index).map_or(0, |upper| upper - lower);
            let share = (u128::from(width) * (rank - before)).div_ceil(count);
            return Some(lower + u32::try_from(share).unwrap_or(width));
        }
        before += count;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        assert_eq!((bucket(0), bucket(1), bucket(2), bucket(3), bucket(5), bucket(6)), (0, 0, 1, 2, 2, 3));
        assert_eq!((bucket(30_000), bucket(30_001), bucket(u64::MAX)), (14, 15, 15));
    }

    #[test]
    fn without_attempts_there_is_no_percentile() {
        assert_eq!(percentile(&[0; BUCKETS], 50), None);
    }

    #[test]
    fn attempts_are_taken_as_spread_over_their_bucket() {
        let mut counts = [0; BUCKETS];
        counts[bucket(70)] = 100;
        assert_eq!((percentile(&counts, 50), percentile(&counts, 99)), (Some(75), Some(100)));
        counts[BUCKETS - 1] = 100;
        assert_eq!(percentile(&counts, 99), Some(30_000));
        assert_eq!(percentile(&[u64::MAX; BUCKETS], 100), Some(30_000));
    }

    proptest! {
        #[test]
        fn the_estimate_lies_in_the_bucket_of_the_exact_answer(
            mut times in prop::collection::vec(0_u64..40_000, 1..200), percent in 1_u32..=100,
        ) {
            let mut counts = [0; BUCKETS];
            for ms in &times {
                counts[bucket(*ms)] += 1;
            }
            times.sort_unstable();
            let rank = (times.len() * usize::try_from(percent).unwrap()).div_ceil(100);
            let (exact, estimate) = (times[rank - 1], percentile(&counts, percent).unwrap());
            if bucket(exact) == BUCKETS - 1 {
                prop_assert_eq!(estimate, 30_000);
            } else {
                prop_assert_eq!(bucket(u64::from(estimate)), bucket(exact));
            }
        }
    }
}
