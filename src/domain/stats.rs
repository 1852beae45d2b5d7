//! What is told of the past of an endpoint: counts by hour, over a window that ends now.
//!
//! Counters are kept by the hour of the clock (UTC), so a window is made of whole hours: it begins where the hour
//! begins that its length ago lies in, and ends now. `1h` is the hour that runs and the one before it, 60 to 120
//! minutes; the others are at most one hour longer than they are called. Every answer says from when on it counts.

use super::histogram::{self, BUCKETS};
use super::time::UnixMs;

const HOUR_MS: i64 = 3_600_000;

/// The hour that a moment lies in, counted from 1970.
pub fn hour_of(at: UnixMs) -> i64 {
    at.0.div_euclid(HOUR_MS)
}

/// When an hour begins.
pub fn begin_of(hour: i64) -> UnixMs {
    UnixMs(hour.saturating_mul(HOUR_MS))
}

/// How far back to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Window {
    /// The hour that runs, and the one before it.
    Hour,
    /// A day.
    #[default]
    Day,
    /// Seven days.
    Week,
    /// Thirty days.
    Month,
}

impl Window {
    /// All of them, the shortest first.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];
    /// The longest.
    pub const LONGEST: Self = Self::Month;

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// Its length, in hours.
    pub const fn hours(self) -> i64 {
        match self {
            Self::Hour => 1,
            Self::Day => 24,
            Self::Week => 7 * 24,
            Self::Month => 30 * 24,
        }
    }

    /// Reads a name.
    ///
    /// # Errors
    /// Those that there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|window| window.as_str() == text);
        known.ok_or_else(|| "must be 1h, 24h, 7d or 30d".to_owned())
    }
}

/// How much time a point of a series stands for. Steps begin at the multiples of their length since 1970, so that of a
/// day begins at midnight UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Step {
    /// An hour.
    #[default]
    Hour,
    /// Six hours.
    Quarter,
    /// A day.
    Day,
}

impl Step {
    /// All of them, the shortest first.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Quarter, Self::Day];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Quarter => "6h",
            Self::Day => "24h",
        }
    }

    /// Reads a name.
    ///
    /// # Errors
    /// Those that there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|step| step.as_str() == text);
        known.ok_or_else(|| "must be 1h, 6h or 24h".to_owned())
    }

    /// The first hour of the step that an hour lies in.
    pub fn first_of(self, hour: i64) -> i64 {
        let length = match self {
            Self::Hour => 1,
            Self::Quarter => 6,
            Self::Day => 24,
        };
        hour.div_euclid(length) * length
    }
}

/// What happened in some time: in an hour, or in several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Deliveries that became `delivered`.
    pub delivered: u64,
    /// Deliveries that became `failed`: their attempts were used up.
    pub failed: u64,
    /// Attempts answered with 2xx.
    pub attempts_ok: u64,
    /// Attempts that failed, whether another one followed or not.
    pub attempts_failed: u64,
    /// Attempts by duration ([`histogram`]).
    pub latency: [u64; BUCKETS],
}

impl Counts {
    /// Adds what happened at another time or elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.delivered += other.delivered;
        self.failed += other.failed;
        self.attempts_ok += other.attempts_ok;
        self.attempts_failed += other.attempts_failed;
        for (mine, others) in self.latency.iter_mut().zip(other.latency) {
            *mine += others;
        }
    }

    /// All attempts.
    pub fn attempts(&self) -> u64 {
        self.attempts_ok + self.attempts_failed
    }

    /// Of the deliveries that came to an end, the share that was delivered: 0 to 1, cut after four digits, so that
    /// it is 1 only where nothing failed. `None`: nothing came to an end.
    pub fn success_rate(&self) -> Option<f64> {
        let ended = u128::from(self.delivered) + u128::from(self.failed);
        let parts = (u128::from(self.delivered) * 10_000).checked_div(ended)?;
        u32::try_from(parts).ok().map(|parts| f64::from(parts) / 10_000.0)
    }

    /// The duration, in milliseconds, that `percent` percent of the attempts do not exceed, as exact as
    /// [`histogram::percentile`] is. `None` without attempts.
    pub fn percentile(&self, percent: u32) -> Option<u32> {
        histogram::percentile(&self.latency, percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_read_by_their_names() {
        for window in Window::ALL {
            assert_eq!(Window::parse(window.as_str()), Ok(window));
        }
        for bad in ["", "1H", "2h", "24", "1d", "30 d"] {
            assert!(Window::parse(bad).is_err_and(|message| message.contains("24h")), "{bad}");
        }
    }

    #[test]
    fn steps_are_read_by_their_names_and_begin_at_their_multiples() {
        for step in Step::ALL {
            assert_eq!(Step::parse(step.as_str()), Ok(step));
        }
        assert!(Step::parse("2h").is_err_and(|message| message.contains("6h")));
        assert_eq!(
            (Step::Hour.first_of(29), Step::Quarter.first_of(29), Step::Day.first_of(29)),
            (29, 24, 24)
        );
        assert_eq!((Step::Quarter.first_of(-1), Step::Day.first_of(-24)), (-6, -24));
    }

    #[test]
    fn hours_begin_on_the_hour_also_before_1970() {
        assert_eq!((hour_of(UnixMs(3_599_999)), hour_of(UnixMs(3_600_000))), (0, 1));
        assert_eq!(hour_of(UnixMs(-1)), -1);
        assert_eq!(begin_of(hour_of(UnixMs(7_300_000))), UnixMs(7_200_000));
    }

    #[test]
    fn the_rate_is_one_only_where_nothing_failed() {
        let rate = |delivered, failed| Counts { delivered, failed, ..Counts::default() }.success_rate();
        assert_eq!(rate(0, 0), None);
        assert_eq!(rate(5, 0), Some(1.0));
        assert_eq!(rate(0, 5), Some(0.0));
        assert_eq!(rate(1_000_000, 1), Some(0.9999));
        assert_eq!(rate(u64::MAX, u64::MAX), Some(0.5));
    }

    #[test]
    fn counts_add_up_over_hours_and_endpoints() {
        let mut latency = [0; BUCKETS];
        latency[3] = 2;
        let one = Counts { delivered: 1, failed: 2, attempts_ok: 3, attempts_failed: 4, latency };
        let mut sum = one;
        sum.add(&one);
        assert_eq!((sum.delivered, sum.failed, sum.attempts(), sum.latency[3]), (2, 4, 14, 4));
        assert_eq!(sum.percentile(50), one.percentile(50));
    }
}
