//! An endpoint's health: what the outcomes of its attempts say about it, and when it is disabled.

use super::time::UnixMs;

/// Timeouts in a row after which an endpoint gets one request at a time.
pub const TIMEOUTS_UNTIL_ONE_AT_A_TIME: u32 = 3;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// The state that is kept for each endpoint and changed with each outcome, in the order of arrival.
///
/// Two scales of time: moments of the wall clock are for people; `up_ms` counts the milliseconds that the
/// server has been running, over all its starts, so that time in which it was down does not count against
/// an endpoint and a jump of the wall clock disables none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Health {
    /// Failed attempts in a row.
    pub failure_count: u32,
    /// The first of these, on the wall clock.
    pub first_failure_at: Option<UnixMs>,
    /// The first of these, on the scale of uptime.
    pub first_failure_up_ms: Option<i64>,
    /// The last failed attempt ever.
    pub last_failure_at: Option<UnixMs>,
    /// The last success ever.
    pub last_success_at: Option<UnixMs>,
    /// Timeouts in a row; from [`TIMEOUTS_UNTIL_ONE_AT_A_TIME`] on it stays until a success.
    pub timeouts_in_row: u32,
    /// A delivery ended `failed` since the last success.
    pub exhausted: bool,
}

impl Health {
    /// An attempt succeeded.
    pub fn after_success(self, now: UnixMs) -> Self {
        Self { last_failure_at: self.last_failure_at, last_success_at: Some(now), ..Self::default() }
    }

    /// An attempt failed, by a timeout or otherwise, and perhaps was the last of its delivery.
    ///
    /// Not for failures on our side, which count for nothing.
    pub fn after_failure(
        self,
        now: UnixMs,
        up_ms: i64,
        was_timeout: bool,
        delivery_ended_failed: bool,
    ) -> Self {
        let timeouts_in_row = if was_timeout {
            self.timeouts_in_row.saturating_add(1)
        } else if self.one_at_a_time() {
            // It takes a success to trust the endpoint again, not a failure of another kind.
            self.timeouts_in_row
        } else {
            0
        };
        Self {
            failure_count: self.failure_count.saturating_add(1),
            first_failure_at: self.first_failure_at.or(Some(now)),
            first_failure_up_ms: self.first_failure_up_ms.or(Some(up_ms)),
            last_failure_at: Some(now),
            timeouts_in_row,
            exhausted: self.exhausted || delivery_ended_failed,
            ..self
        }
    }

    /// The endpoint was enabled: it starts to count anew. It is `failing` still, if it was because a delivery
    /// ended `failed`: that takes a success.
    pub fn enabled(self) -> Self {
        Self { failure_count: 0, first_failure_at: None, first_failure_up_ms: None, ..self }
    }

    /// Whether the endpoint, if it is enabled, is `failing`: `failing_after` failed attempts in a row (0 leaves
    /// this condition out), or a delivery that ended `failed`, and no success since.
    pub fn is_failing(&self, failing_after: u32) -> bool {
        self.exhausted || (failing_after > 0 && self.failure_count >= failing_after)
    }

    /// Whether a failed attempt that is counted already disables the endpoint.
    ///
    /// There must be `after_failures` failed attempts in a row, and the first of them `after_hours` hours of
    /// uptime ago. A 0 leaves that condition out; both 0: never. Ask at a failed attempt only, not by a timer.
    pub fn should_disable(&self, after_failures: u32, after_hours: u32, up_ms: i64) -> bool {
        if (after_failures, after_hours) == (0, 0) || self.failure_count == 0 {
            return false;
        }
        let long_enough = |first: i64| up_ms.saturating_sub(first) >= i64::from(after_hours) * HOUR_MS;
        self.failure_count >= after_failures
            && (after_hours == 0 || self.first_failure_up_ms.is_some_and(long_enough))
    }

    /// When the endpoint, if nothing succeeds until then, is disabled by its next failed attempt. `None`: not foreseen.
    ///
    /// That is told from half of `after_hours` on, and where the failure after this one is enough for
    /// `after_failures`. Without a condition on the hours there is nothing to foresee. `now` and `up_ms` are the same
    /// moment; the answer lies in the past where only the failed attempt is missing.
    pub fn disable_at(
        &self,
        after_failures: u32,
        after_hours: u32,
        now: UnixMs,
        up_ms: i64,
    ) -> Option<UnixMs> {
        let left = self.left_ms(after_hours, up_ms)?;
        let near = left <= i64::from(after_hours) * HOUR_MS / 2;
        let next_is_enough = self.failure_count.saturating_add(1) >= after_failures;
        (near && next_is_enough).then(|| UnixMs(now.0.saturating_add(left)))
    }

    /// Before when the endpoint is not disabled, whatever fails until then, unless it answers 410: told from the first failure of the row on. A
    /// promise and no forecast, for further failures may be wanting then. `None`: there is no row of failures, no condition
    /// on the hours, or they are over.
    pub fn earliest_disable_at(&self, after_hours: u32, now: UnixMs, up_ms: i64) -> Option<UnixMs> {
        let left = self.left_ms(after_hours, up_ms).filter(|left| *left > 0)?;
        Some(UnixMs(now.0.saturating_add(left)))
    }

    /// What is left of the hours, in milliseconds of uptime; less than nothing where they are over.
    fn left_ms(&self, after_hours: u32, up_ms: i64) -> Option<i64> {
        let first = self.first_failure_up_ms.filter(|_| self.failure_count > 0 && after_hours > 0)?;
        Some((i64::from(after_hours) * HOUR_MS).saturating_sub(up_ms.saturating_sub(first)))
    }

    /// Whether nothing has succeeded since the last failed attempt although no failures count: the endpoint was enabled,
    /// and has yet to show that it receives again.
    pub fn is_unproven(&self) -> bool {
        self.failure_count == 0 && self.last_failure_at > self.last_success_at
    }

    /// Whether the endpoint gets one request at a time, because it ran into too many timeouts.
    pub fn one_at_a_time(&self) -> bool {
        self.timeouts_in_row >= TIMEOUTS_UNTIL_ONE_AT_A_TIME
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: UnixMs = UnixMs(1_771_857_000_000);

    fn failed(times: u32, first_up_ms: i64) -> Health {
        (0..times).fold(Health::default(), |h, _| h.after_failure(NOW, first_up_ms, false, false))
    }

    #[test]
    fn any_success_ends_the_row_and_keeps_what_was_last() {
        let health = failed(7, 5).after_failure(UnixMs(9), 9, true, true).after_success(UnixMs(10));
        let expected = Health {
            last_failure_at: Some(UnixMs(9)),
            last_success_at: Some(UnixMs(10)),
            ..Health::default()
        };
        assert_eq!(health, expected);
        assert!(!health.is_failing(5));
    }

    #[test]
    fn the_first_failure_of_a_row_is_kept() {
        let health = failed(1, 5).after_failure(UnixMs(NOW.0 + 1), 6, false, false);
        assert_eq!((health.first_failure_at, health.first_failure_up_ms), (Some(NOW), Some(5)));
        assert_eq!((health.failure_count, health.last_failure_at), (2, Some(UnixMs(NOW.0 + 1))));
    }

    #[test]
    fn it_is_failing_by_count_or_because_a_delivery_was_given_up() {
        assert!(!failed(4, 0).is_failing(5));
        assert!(failed(5, 0).is_failing(5));
        assert!(!failed(99, 0).is_failing(0));
        let given_up = Health::default().after_failure(NOW, 0, false, true);
        assert!(given_up.is_failing(5) && given_up.is_failing(0));
        assert!(given_up.after_failure(NOW, 0, false, false).is_failing(5), "until a success");
    }

    #[test]
    fn disabling_takes_count_and_time() {
        let after = 120 * HOUR_MS;
        assert!(failed(10, 7).should_disable(10, 120, 7 + after));
        assert!(!failed(10, 7).should_disable(10, 120, 6 + after), "too early");
        assert!(!failed(9, 7).should_disable(10, 120, 7 + after), "too few");
    }

    #[test]
    fn an_endpoint_that_was_enabled_is_unproven_until_a_success() {
        let disabled = Health::default().after_success(UnixMs(1)).after_failure(NOW, 0, false, false);
        assert!(!disabled.is_unproven(), "it fails");
        let enabled = disabled.enabled();
        assert!(enabled.is_unproven());
        assert!(!enabled.after_success(UnixMs(NOW.0 + 1)).is_unproven());
        assert!(!enabled.after_failure(UnixMs(NOW.0 + 1), 1, false, false).is_unproven());
        assert!(!Health::default().is_unproven() && !Health::default().enabled().is_unproven());
    }

    #[test]
    fn a_zero_leaves_its_condition_out_and_two_never_disable() {
        assert!(failed(10, 0).should_disable(10, 0, 0));
        assert!(failed(1, 0).should_disable(0, 1, HOUR_MS));
        assert!(!failed(1, 0).should_disable(0, 1, HOUR_MS - 1));
        assert!(!failed(1000, 0).should_disable(0, 0, i64::MAX));
        assert!(!Health::default().should_disable(0, 1, i64::MAX), "nothing has failed");
    }

    #[test]
    fn the_end_is_told_from_half_of_the_hours_on() {
        let half = 60 * HOUR_MS;
        let at = |health: Health, up_ms| health.disable_at(10, 120, NOW, up_ms);
        assert_eq!(at(failed(10, 7), 6 + half), None, "too early to say");
        assert_eq!(at(failed(10, 7), 7 + half), Some(UnixMs(NOW.0 + half)));
        assert_eq!(at(failed(9, 7), 7 + half), Some(UnixMs(NOW.0 + half)), "the next one is the tenth");
        assert_eq!(at(failed(8, 7), 7 + half), None, "the next one would be the ninth");
        assert_eq!(at(failed(10, 7), 7 + 3 * half), Some(UnixMs(NOW.0 - half)), "only a failure is missing");
        assert_eq!(failed(1, 0).disable_at(0, 2, NOW, HOUR_MS), Some(UnixMs(NOW.0 + HOUR_MS)));
        assert_eq!(failed(99, 0).disable_at(10, 0, NOW, half), None, "by the number alone");
        assert_eq!(failed(99, 0).disable_at(0, 0, NOW, half), None, "never");
        assert_eq!(Health::default().disable_at(0, 1, NOW, half), None);
        assert_eq!(failed(99, 0).enabled().disable_at(10, 120, NOW, half), None);
    }

    #[test]
    fn before_when_it_is_not_disabled_is_told_from_the_first_failure_on() {
        let at = |health: Health, hours, up_ms| health.earliest_disable_at(hours, NOW, up_ms);
        assert_eq!(at(failed(1, 7), 120, 7), Some(UnixMs(NOW.0 + 120 * HOUR_MS)));
        assert_eq!(at(failed(500, 7), 120, 7 + HOUR_MS), Some(UnixMs(NOW.0 + 119 * HOUR_MS)));
        assert_eq!(at(failed(1, 0), 2, 2 * HOUR_MS), None, "only failures are missing");
        assert_eq!(at(failed(500, 7), 0, 7), None, "by the number alone");
        assert_eq!((at(Health::default(), 120, 7), at(failed(9, 0).enabled(), 120, 7)), (None, None));
    }

    #[test]
    fn enabling_counts_anew() {
        let health = failed(10, 0).after_failure(NOW, 1, false, true).enabled();
        assert_eq!(
            (health.failure_count, health.first_failure_at, health.first_failure_up_ms),
            (0, None, None)
        );
        assert!(!health.should_disable(10, 0, i64::MAX));
        assert!(health.is_failing(5), "until a success");
        assert_eq!(health.after_failure(NOW, 77, false, false).first_failure_up_ms, Some(77));
    }

    #[test]
    fn three_timeouts_in_a_row_mean_one_at_a_time_until_a_success() {
        let timeout = |h: Health| h.after_failure(NOW, 0, true, false);
        let refused = |h: Health| h.after_failure(NOW, 0, false, false);
        let two = timeout(timeout(Health::default()));
        assert!(!two.one_at_a_time());
        assert!(!timeout(refused(two)).one_at_a_time(), "not in a row");
        let three = timeout(two);
        assert!(three.one_at_a_time() && refused(three).one_at_a_time());
        assert!(!refused(three).after_success(NOW).one_at_a_time());
    }

    proptest! {
        #[test]
        fn no_order_of_outcomes_and_no_clock_panics_or_miscounts(
            outcomes in prop::collection::vec(any::<(bool, bool, bool, i64, i64)>(), 0..30),
            after in (0_u32..20, 0_u32..9000),
        ) {
            let (mut health, mut row) = (Health::default(), 0);
            for (success, timeout, ended, now, up_ms) in outcomes {
                health = if success {
                    health.after_success(UnixMs(now))
                } else {
                    health.after_failure(UnixMs(now), up_ms, timeout, ended)
                };
                row = if success { 0 } else { row + 1 };
                prop_assert_eq!(health.failure_count, row);
                prop_assert_eq!(health.first_failure_at.is_some(), row > 0);
                prop_assert!(!(health.should_disable(after.0, after.1, up_ms) && row < after.0.max(1)));
            }
        }
    }
}
