//! Moments, in milliseconds since 1970, and their one text form.

use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::DateTime;

/// A moment of the wall clock: milliseconds since 1970-01-01T00:00:00Z.
///
/// Its text form is RFC 3339 in UTC with milliseconds, `2026-02-23T14:30:00.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixMs(pub i64);

/// The last moment that is accepted, `9999-12-31T23:59:59.999Z`: RFC 3339 has four digits for the year.
const LATEST_MS: i64 = 253_402_300_799_999;

impl UnixMs {
    /// This moment and `by` (to the millisecond).
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This moment less `by` (to the millisecond).
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Whole seconds since 1970, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The same to the second without separators, for the name of a file: `20260223T143000Z` (ISO 8601, basic format).
    pub fn stamp(self) -> String {
        let text: String = self.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
        text.split_once('.').map_or_else(|| text.clone(), |(seconds, _)| format!("{seconds}Z"))
    }

    /// Reads RFC 3339 with any offset; digits beyond the millisecond are cut.
    ///
    /// # Errors
    /// A sentence for the person who sent it, when `text` is no such time or lies before 1970 or after 9999.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || "must be an RFC 3339 time such as 2026-02-23T14:30:00.000Z, from 1970 to 9999".to_owned();
        let (moment, fraction, offset) = rfc_3339(text).ok_or_else(wrong)?;
        let milliseconds = fraction.get(..3).unwrap_or(fraction);
        let at = format!("{moment}.{milliseconds:0<3}").parse::<DateTime>().map_err(|_| wrong())?;
        let local = at.duration_since(EPOCH).as_millis();
        let ms = i64::try_from(local).unwrap_or(-1) - offset_ms(offset).ok_or_else(wrong)?;
        if (0..=LATEST_MS).contains(&ms) { Ok(Self(ms)) } else { Err(wrong()) }
    }
}

/// The beginning of time here. Times are read and written as dates of UTC, because a `jiff::Timestamp` ends a day before
/// the year 9999 does.
const EPOCH: DateTime = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);

/// What an offset, in its shape, is ahead of UTC. `None`: it has more than 59 minutes.
fn offset_ms(offset: &str) -> Option<i64> {
    if matches!(offset, "Z" | "z") {
        return Some(0);
    }
    let number = |range: std::ops::Range<usize>| offset.get(range)?.parse::<i64>().ok();
    let (hours, minutes) = (number(1..3)?, number(4..6).filter(|minutes| *minutes < 60)?);
    let ahead = (hours * 60 + minutes) * 60_000;
    Some(if offset.starts_with('-') { -ahead } else { ahead })
}

/// Takes a time of RFC 3339, section 5.6, apart: date and time, the digits of the fraction, the offset.
///
/// `jiff` takes other times as well (without minutes or punctuation), and no more than nine digits of a fraction.
fn rfc_3339(text: &str) -> Option<(&str, &str, &str)> {
    let (moment, rest) = text.split_at_checked(SHAPE.len())?;
    let digits = |rest: &str| rest.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, offset) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(digits(rest)),
        None => ("", rest),
    };
    let empty = fraction.is_empty() && rest.starts_with('.');
    let numeric = || has_shape(offset, OFFSET) && offset.get(1..3).is_some_and(|hours| hours < "24");
    let good = has_shape(moment, SHAPE) && (matches!(offset, "Z" | "z") || numeric()) && !empty;
    good.then_some((moment, fraction, offset))
}

/// `0` stands for a digit, `T` for what may separate date and time, `+` for a sign.
const SHAPE: &str = "0000-00-00T00:00:00";
const OFFSET: &str = "+00:00";

fn has_shape(text: &str, shape: &str) -> bool {
    let fits = |(byte, wanted): (u8, u8)| match wanted {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't' | b' '),
        b'+' => matches!(byte, b'+' | b'-'),
        _ => byte == wanted,
    };
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(fits)
}

impl fmt::Display for UnixMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = SignedDuration::from_millis(self.0.clamp(0, LATEST_MS));
        let at = EPOCH.checked_add(since).unwrap_or(EPOCH);
        write!(f, "{at:.3}Z")
    }
}

impl serde::Serialize for UnixMs {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_milliseconds_and_z() {
        assert_eq!(UnixMs(1_771_857_000_000).to_string(), "2026-02-23T14:30:00.000Z");
        assert_eq!(UnixMs(1).to_string(), "1970-01-01T00:00:00.001Z");
    }

    #[test]
    fn offsets_are_read_and_finer_digits_are_cut() {
        assert_eq!(UnixMs::parse("2026-02-23T15:30:00.0009+01:00"), Ok(UnixMs(1_771_857_000_000)));
    }

    #[test]
    fn other_texts_are_refused_with_an_example() {
        for text in
            ["", "yesterday", "2026-02-23", "1969-12-31T23:59:59Z", "2026-13-01T00:00:00Z", "1771857000"]
        {
            assert!(UnixMs::parse(text).is_err_and(|m| m.contains("2026-02-23T14:30")), "{text}");
        }
    }

    #[test]
    fn times_that_only_other_standards_have_are_refused() {
        for text in [
            "20260223T143000Z",
            "2026-02-23T14:30Z",
            "2026-02-23T14Z",
            "2026-02-23T14:30:00,5Z",
            "2026-02-23T14:30:00.Z",
            "2026-02-23T14:30:00+01",
            "2026-02-23T14:30:00+01:00:00",
            "2026-02-23T14:30:00+0100",
            "2026-02-23T14:30:00-24:00",
            "2026-02-23T14:30:00Z[Asia/Kolkata]",
            "+002026-02-23T14:30:00Z",
        ] {
            assert!(UnixMs::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_spelling_of_rfc_3339_is_read() {
        for text in ["2026-02-23t14:30:00z", "2026-02-23 14:30:00-00:00", "2026-02-23T14:30:00.000000000000Z"]
        {
            assert_eq!(UnixMs::parse(text), Ok(UnixMs(1_771_857_000_000)), "{text}");
        }
        assert_eq!(UnixMs::parse("9999-12-31T23:59:59.999Z"), Ok(UnixMs(LATEST_MS)));
        assert_eq!(UnixMs(LATEST_MS).to_string(), "9999-12-31T23:59:59.999Z");
        for (text, ms) in [("2026-02-23T20:00:00+05:30", 1_771_857_000_000), ("1969-12-31T23:00:00-01:00", 0)]
        {
            assert_eq!(UnixMs::parse(text), Ok(UnixMs(ms)), "{text}");
        }
        for text in ["9999-12-31T23:59:59-00:01", "1970-01-01T00:00:00+00:01", "2026-02-23T20:00:00+05:60"] {
            assert!(UnixMs::parse(text).is_err(), "{text}");
        }
        assert_eq!(UnixMs::parse("2026-02-23T14:30:00.0199999999999+00:00"), Ok(UnixMs(1_771_857_000_019)));
        assert_eq!(UnixMs::parse("1970-01-01T00:00:00.5Z"), Ok(UnixMs(500)));
    }
}
