//! `Retry-After`: a number of seconds, or the time until a date, and never more than is allowed.

use std::time::Duration;

use postrider::domain::retry_after::{MAX_FOR_DELIVERY, MAX_FOR_ENDPOINT, RetryAfter, parse};
use postrider::domain::time::UnixMs;

/// Eight bytes of a clock, and the header's value.
pub fn target(bytes: &[u8]) {
    let Some((clock, value)) = bytes.split_first_chunk::<8>() else { return };
    let now = UnixMs(i64::from_be_bytes(*clock) & 0x3ff_ffff_ffff);
    if let Ok(value) = std::str::from_utf8(value) {
        let found = parse(value, now);
        if let Some(found) = found {
            assert!(
                found.delivery <= MAX_FOR_DELIVERY && found.endpoint == found.delivery.min(MAX_FOR_ENDPOINT)
            );
        }
        let value = value.trim_matches([' ', '\t']);
        if let Some(seconds) = seconds(value) {
            assert_eq!(found, Some(cut(Duration::from_secs(seconds))), "{value}");
        } else if let Ok(at) = chrono::NaiveDateTime::parse_from_str(value, "%a, %d %b %Y %H:%M:%S GMT")
            && at.format("%a, %d %b %Y %H:%M:%S GMT").to_string() == value
            && !value.contains(":60 ")
            && at.and_utc().timestamp() >= 0
        {
            let wait = at.and_utc().timestamp_millis() - now.0;
            assert_eq!(found, Some(cut(Duration::from_millis(u64::try_from(wait).unwrap_or(0)))), "{value}");
        }
        assert!(value.trim().len() <= 40 || seconds(value).is_some() || found.is_none(), "{value}");
    }
    written(now, u64::from_be_bytes(*clock) % 200_000);
}

/// The seconds, as many as count.
fn seconds(value: &str) -> Option<u64> {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| value.trim_start_matches('0')).map(|value| match value.len() {
        0 => 0,
        1..=9 => value.parse().expect("a number"),
        _ => u64::MAX,
    })
}

fn cut(wait: Duration) -> RetryAfter {
    RetryAfter { delivery: wait.min(MAX_FOR_DELIVERY), endpoint: wait.min(MAX_FOR_ENDPOINT) }
}

/// A date so many seconds ahead, as the library writes it, asks for that long.
fn written(now: UnixMs, seconds: u64) {
    let now = Duration::from_secs(u64::try_from(now.0).unwrap_or(0) / 1000);
    let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + now + Duration::from_secs(seconds));
    let at = UnixMs(i64::try_from(now.as_millis()).expect("a time"));
    assert_eq!(parse(&date, at), Some(cut(Duration::from_secs(seconds))), "{date}");
}
