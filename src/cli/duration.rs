//! Durations as people type them: `30d`, `36h`, `5400m`, `90000s`.

use std::time::Duration;

/// A hundred years: longer than anything is kept, and far from every overflow.
const MAX: Duration = Duration::from_hours(36_525 * 24);

const ALLOWED: &str = "must be a whole number and a unit, such as 30d, 36h or 5400m, and at most 36525d";

/// Reads a whole number followed by `d`, `h`, `m` or `s`.
///
/// # Errors
/// A sentence that says what is allowed.
pub fn parse(text: &str) -> Result<Duration, String> {
    let refused = || ALLOWED.to_owned();
    let (digits, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(refused)?;
    let unit_seconds = match unit {
        "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        "s" => 1,
        _ => return Err(refused()),
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(refused());
    }
    let number: u64 = digits.parse().map_err(|_| refused())?;
    let seconds = number.checked_mul(unit_seconds).ok_or_else(refused)?;
    Some(Duration::from_secs(seconds)).filter(|duration| *duration <= MAX).ok_or_else(refused)
}

/// So many seconds as they are typed, with the largest unit that fits.
pub fn shown(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let fits = units.iter().find(|(size, _)| seconds > 0 && seconds.is_multiple_of(*size));
    fits.map_or_else(|| format!("{seconds}s"), |(size, unit)| format!("{}{unit}", seconds / size))
}

/// The longest delay.
const MAX_DELAY: Duration = Duration::from_mins(10);

/// Reads a short time: a whole number followed by `ms`, `s` or `m`, up to ten minutes.
///
/// # Errors
/// A sentence that says what is allowed.
pub fn parse_delay(text: &str) -> Result<Duration, String> {
    let delay = match text.strip_suffix("ms") {
        Some(digits) => {
            let plain = digits.bytes().all(|b| b.is_ascii_digit());
            digits.parse().ok().filter(|_| plain).map(Duration::from_millis)
        }
        None => parse(text).ok(),
    };
    let refused = || "must be a whole number and a unit, such as 2s, 500ms or 1m, and at most 10m".to_owned();
    delay.filter(|delay| *delay <= MAX_DELAY).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_unit_is_read() {
        for (text, seconds) in
            [("30d", 2_592_000), ("12h", 43_200), ("90m", 5_400), ("3600s", 3_600), ("0s", 0)]
        {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse("36525d"), Ok(MAX));
        for (seconds, text) in [(0, "0s"), (30, "30s"), (120, "2m"), (90_000, "25h"), (604_800, "7d")] {
            assert_eq!(shown(seconds), text);
        }
    }

    #[test]
    fn a_delay_has_milliseconds_too_and_is_short() {
        for (text, ms) in [("2s", 2_000), ("500ms", 500), ("0s", 0), ("10m", 600_000)] {
            assert_eq!(parse_delay(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for bad in ["", "ms", "2", "-2s", "+5ms", "1.5s", "11m", "1d", "600001ms"] {
            assert!(parse_delay(bad).is_err_and(|says| says.contains("such as 2s, 500ms or 1m")), "{bad}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_examples() {
        for text in [
            "",
            "d",
            "30",
            "30 d",
            " 30d",
            "-1d",
            "+1d",
            "1.5h",
            "1d12h",
            "30D",
            "30w",
            "36526d",
            "99999999999999999999d",
            "٣d",
            "3ä",
        ] {
            assert_eq!(parse(text), Err(ALLOWED.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = parse(&text);
        }
    }
}
