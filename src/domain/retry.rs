//! When a failed delivery is tried again.

use std::sync::Arc;
use std::time::Duration;

/// Most waits of a schedule, so at most 21 attempts in a round.
pub const MAX_STEPS: usize = 20;
/// Longest wait, in seconds: 7 days.
pub const MAX_STEP_SECONDS: u32 = 7 * 24 * 60 * 60;

const DEFAULT_SECONDS: [u32; 9] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// Seconds to wait after each failed attempt of a round. Its length and one are the attempts of a round.
///
/// Each wait gets 0 to 10 % on top, never less, so that deliveries that failed together do not come back
/// together. The default:
///
/// | attempt | after the one before | earliest since the first | latest |
/// |--------:|---------------------:|-------------------------:|-------:|
/// | 1 | at once | | |
/// | 2 | 5 s | 5 s | 5.5 s |
/// | 3 | 5 min | 5 min 5 s | 5 min 36 s |
/// | 4 | 30 min | 35 min 5 s | 38 min 36 s |
/// | 5 | 2 h | 2 h 35 min | 2 h 51 min |
/// | 6 | 5 h | 7 h 35 min | 8 h 21 min |
/// | 7 | 10 h | 17 h 35 min | 19 h 21 min |
/// | 8 | 14 h | 1 d 7 h 35 min | 1 d 10 h 45 min |
/// | 9 | 20 h | 2 d 3 h 35 min | 2 d 8 h 45 min |
/// | 10 | 24 h | 3 d 3 h 35 min | 3 d 11 h 9 min |
///
/// What the attempts themselves take comes on top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrySchedule(Arc<[u32]>);

impl Default for RetrySchedule {
    fn default() -> Self {
        Self(DEFAULT_SECONDS.into())
    }
}

impl RetrySchedule {
    /// Checks the waits, in seconds: 0 to 20 of them, each 1 s to 7 days. Without any, there is one attempt.
    ///
    /// # Errors
    /// What is allowed, as the message of a field error.
    pub fn parse(seconds: &[i64]) -> Result<Self, String> {
        let step = |s: &i64| u32::try_from(*s).ok().filter(|s| (1..=MAX_STEP_SECONDS).contains(s));
        let steps: Option<Vec<u32>> = seconds.iter().map(step).collect();
        steps.filter(|steps| steps.len() <= MAX_STEPS).map(|steps| Self(steps.into())).ok_or_else(|| {
            format!(
                "must be an array of 0 to {MAX_STEPS} waits, each of 1 to {MAX_STEP_SECONDS} whole seconds"
            )
        })
    }

    /// The waits, in seconds.
    pub fn seconds(&self) -> &[u32] {
        &self.0
    }

    /// How many attempts a round has.
    pub fn attempts_in_round(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// How long to wait after the failed attempt with this number in its round (from 1), to the millisecond.
    ///
    /// `jitter` is any random number: its share of `u32::MAX` is the share of the 10 % that comes on top.
    /// `None`: the attempts of the round are used up (or the number is 0, which no attempt has).
    pub fn delay(&self, failed_attempt_in_round: u32, jitter: u32) -> Option<Duration> {
        let index = usize::try_from(failed_attempt_in_round.checked_sub(1)?).ok()?;
        let wait_ms = u64::from(*self.0.get(index)?) * 1000;
        let extra_ms = wait_ms / 10 * u64::from(jitter) / u64::from(u32::MAX);
        Some(Duration::from_millis(wait_ms + extra_ms))
    }
}

impl serde::Serialize for RetrySchedule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_default_is_ten_attempts_in_about_three_days() {
        let schedule = RetrySchedule::default();
        let total = |jitter| (1..=9).filter_map(|n| schedule.delay(n, jitter)).sum::<Duration>();
        assert_eq!(schedule.attempts_in_round(), 10);
        assert_eq!(total(0), Duration::from_secs(((3 * 24 + 3) * 60 + 35) * 60 + 5));
        assert_eq!(total(u32::MAX), total(0) + total(0) / 10);
        assert_eq!(schedule.delay(10, 0), None);
    }

    #[test]
    fn an_empty_schedule_is_a_single_attempt() {
        let schedule = RetrySchedule::parse(&[]).unwrap();
        assert_eq!((schedule.attempts_in_round(), schedule.delay(1, 0)), (1, None));
        assert_eq!(schedule.delay(0, 0), None);
    }

    #[test]
    fn waits_outside_the_limits_are_refused() {
        assert!(RetrySchedule::parse(&[1, 604_800]).is_ok());
        assert!(RetrySchedule::parse(&[7; 20]).is_ok());
        for bad in [&[0][..], &[604_801], &[-1], &[i64::MAX], &[7; 21]] {
            assert!(RetrySchedule::parse(bad).is_err_and(|m| m.contains("1 to 604800")), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_wait_is_never_shorter_and_at_most_a_tenth_longer(
            seconds in prop::collection::vec(1_i64..=604_800, 1..=20),
            jitter in any::<u32>(),
        ) {
            let schedule = RetrySchedule::parse(&seconds).unwrap();
            for (attempt, wait) in (1..).zip(&seconds) {
                let (ms, got) = (u128::try_from(*wait).unwrap() * 1000, schedule.delay(attempt, jitter).unwrap());
                prop_assert!((ms..=ms + ms / 10).contains(&got.as_millis()));
            }
            prop_assert_eq!(schedule.delay(schedule.attempts_in_round(), jitter), None);
        }
    }
}
