//! `Retry-After` of a 429 or 503 (RFC 9110, section 10.2.3): seconds, or one of the three forms of an HTTP date.

use std::time::{Duration, UNIX_EPOCH};

use super::time::UnixMs;

/// The longest that it postpones a delivery's next attempt.
pub const MAX_FOR_DELIVERY: Duration = Duration::from_hours(24);
/// The longest that it pauses its endpoint.
pub const MAX_FOR_ENDPOINT: Duration = Duration::from_hours(1);

/// What a receiver asked for, cut to what it may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryAfter {
    /// At least this long until the delivery's next attempt; it never shortens the schedule's wait.
    pub delivery: Duration,
    /// This long no attempt to the endpoint, but for a manual retry or a test.
    pub endpoint: Duration,
}

/// Reads the header's value, received at `now`. `None` for anything that is neither a number nor a date.
///
/// A date that has passed asks for no wait.
pub fn parse(value: &str, now: UnixMs) -> Option<RetryAfter> {
    let value = value.trim_matches([' ', '\t']);
    let wait = if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // Digits that do not fit are simply very many.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        let at = httpdate::parse_http_date(value).ok()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Duration::from_millis(u64::try_from(now.0).unwrap_or_default());
        at.saturating_sub(now)
    };
    Some(RetryAfter { delivery: wait.min(MAX_FOR_DELIVERY), endpoint: wait.min(MAX_FOR_ENDPOINT) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 1994-11-06T08:49:37Z, the moment that RFC 9110 writes in its three forms.
    const EXAMPLE: UnixMs = UnixMs(784_111_777_000);

    fn waits(value: &str, now: UnixMs) -> Option<(u64, u64)> {
        parse(value, now).map(|r| (r.delivery.as_secs(), r.endpoint.as_secs()))
    }

    #[test]
    fn seconds_are_cut_to_a_day_and_an_hour() {
        assert_eq!(waits("120", EXAMPLE), Some((120, 120)));
        assert_eq!(waits(" 0\t", EXAMPLE), Some((0, 0)));
        assert_eq!(waits("7200", EXAMPLE), Some((7200, 3600)));
        assert_eq!(waits("99999999999999999999999", EXAMPLE), Some((86_400, 3600)));
    }

    #[test]
    fn all_three_forms_of_a_date_are_read() {
        let before = UnixMs(EXAMPLE.0 - 90_000);
        for date in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(waits(date, before), Some((90, 90)), "{date}");
            assert_eq!(waits(date, UnixMs(EXAMPLE.0 + 1)), Some((0, 0)), "{date} has passed");
        }
    }

    #[test]
    fn anything_else_asks_for_nothing() {
        for value in ["", "-1", "1.5", "soon", "+3", "１２", "Sun, 06 Nov 1994 08:49:37 +0100", "0x10"] {
            assert_eq!(waits(value, EXAMPLE), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_value_asks_for_more_than_the_limits(value in "\\PC{0,40}|[0-9]{1,30}", now in any::<i64>()) {
            if let Some(asked) = parse(&value, UnixMs(now)) {
                prop_assert!(asked.delivery <= MAX_FOR_DELIVERY && asked.endpoint <= MAX_FOR_ENDPOINT);
                prop_assert!(asked.endpoint <= asked.delivery);
            }
        }
    }
}
