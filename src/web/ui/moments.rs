//! Moments as people read them: relative to now, and absolute in the time zone of whoever looks.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::time::UnixMs;

const SECOND: i64 = 1_000;
/// What is not so many milliseconds away is now.
pub const NOW_MS: i64 = 2 * SECOND;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A time zone by its name in the tz database, such as `Europe/Berlin`.
#[derive(Debug, Clone)]
pub struct Zone(TimeZone);

impl Zone {
    /// UTC, for whoever has named none.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The zone of this name; `None`: there is none.
    pub fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }

    /// `2026-02-23 15:30:00.000 +01:00`.
    pub fn absolute(&self, at: UnixMs) -> String {
        self.format(at, "%Y-%m-%d %H:%M:%S%.3f %:z")
    }

    /// `23 Feb 15:30`, for axes.
    pub fn short(&self, at: UnixMs) -> String {
        self.format(at, "%-d %b %H:%M")
    }

    /// `23 Feb 2026`.
    pub fn day(&self, at: UnixMs) -> String {
        self.format(at, "%-d %b %Y")
    }

    /// `2026-02-23 15:30`, as [`Zone::parse`] reads it; with its offset in the hour that autumn has twice.
    pub fn typed(&self, at: UnixMs) -> String {
        let moment = Timestamp::from_millisecond(at.0).unwrap_or_default().to_zoned(self.0.clone());
        let is_twice = self.0.to_ambiguous_zoned(moment.datetime()).is_ambiguous();
        self.format(at, if is_twice { "%Y-%m-%dT%H:%M:00%:z" } else { "%Y-%m-%d %H:%M" })
    }

    fn format(&self, at: UnixMs, form: &str) -> String {
        let moment = Timestamp::from_millisecond(at.0).unwrap_or_default();
        moment.to_zoned(self.0.clone()).strftime(form).to_string()
    }

    /// Reads what a person writes: RFC 3339, or `2026-02-23 15:30`, `2026-02-23T15:30`, `2026-02-23` in this zone.
    ///
    /// # Errors
    /// What is understood.
    pub fn parse(&self, text: &str) -> Result<UnixMs, String> {
        if let Ok(at) = UnixMs::parse(text) {
            return Ok(at);
        }
        let wrong = "must be a time such as 2026-02-23 15:30, in your time zone, or 2026-02-23T14:30:00Z";
        let local: jiff::civil::DateTime = text.trim().parse().map_err(|_| wrong.to_owned())?;
        let at = local.to_zoned(self.0.clone()).map_err(|_| wrong.to_owned())?;
        UnixMs::parse(&at.timestamp().to_string()).map_err(|_| wrong.to_owned())
    }
}

/// `5 min ago`, `in 2 h`, `just now`; from 30 days on the date.
pub fn relative(at: UnixMs, now: UnixMs, zone: &Zone) -> String {
    let away = at.0.saturating_sub(now.0);
    let size = away.saturating_abs();
    if size < NOW_MS {
        return "just now".to_owned();
    }
    if size >= 30 * DAY {
        return zone.day(at);
    }
    let length = length(size);
    if away < 0 { format!("{length} ago") } else { format!("in {length}") }
}

/// A length of time in the unit that suits it, rounded to the nearest: `45 s`, `12 min`, `3 h`, `2 days`. The script says
/// the same (`static/console.js`).
fn length(ms: i64) -> String {
    let in_units = |unit: i64| ms.saturating_add(unit / 2) / unit;
    let units = [(SECOND, 60, "s"), (MINUTE, 60, "min"), (HOUR, 24, "h")];
    let short = units.into_iter().find(|(unit, most, _)| in_units(*unit) < *most);
    let (unit, _, name) = short.unwrap_or((DAY, 0, "days"));
    let count = in_units(unit);
    let name = if count == 1 && unit == DAY { "day" } else { name };
    format!("{count} {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_771_857_000_000);

    fn away(ms: i64) -> String {
        relative(UnixMs(NOW.0 + ms), NOW, &Zone::utc())
    }

    #[test]
    fn a_moment_is_told_by_its_distance_and_later_by_its_date() {
        assert_eq!(away(0), "just now");
        assert_eq!(away(-45_000), "45 s ago");
        assert_eq!(away(-59 * MINUTE), "59 min ago");
        assert_eq!(away(5 * HOUR), "in 5 h");
        assert_eq!((away(-DAY), away(-3 * DAY)), ("1 day ago".to_owned(), "3 days ago".to_owned()));
        assert_eq!(
            (away(DAY - SECOND), away(3 * DAY - SECOND)),
            ("in 1 day".to_owned(), "in 3 days".to_owned())
        );
        assert_eq!(
            (away(-89 * SECOND), away(-91 * SECOND)),
            ("1 min ago".to_owned(), "2 min ago".to_owned())
        );
        assert_eq!((away(HOUR - SECOND), away(23 * HOUR)), ("in 1 h".to_owned(), "in 23 h".to_owned()));
        assert_eq!(away(-31 * DAY), "23 Jan 2026");
        assert_eq!(relative(UnixMs(i64::MAX), UnixMs(0), &Zone::utc()), "1 Jan 1970");
    }

    #[test]
    fn a_time_zone_shows_and_reads_its_own_times() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        assert_eq!(berlin.absolute(NOW), "2026-02-23 15:30:00.000 +01:00");
        for text in ["2026-02-23 15:30", "2026-02-23T15:30", "2026-02-23T14:30:00Z", "2026-02-23 15:30:00"] {
            assert_eq!(berlin.parse(text), Ok(NOW), "{text}");
        }
        assert_eq!(berlin.parse(&berlin.typed(NOW)), Ok(NOW));
        assert_eq!(berlin.parse("2026-02-23"), Ok(UnixMs(NOW.0 - 15 * HOUR - 30 * MINUTE)));
        for bad in ["", "yesterday", "15:30", "2026-13-01", "99999-01-01 00:00"] {
            assert!(berlin.parse(bad).is_err_and(|message| message.contains("15:30")), "{bad}");
        }
        assert!(Zone::named("Mars/Olympus").is_none());
    }

    #[test]
    fn the_hour_that_autumn_has_twice_is_read_as_it_was_meant() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let moments =
            ["2026-10-24T23:30:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"];
        let typed = moments.map(|moment| {
            let at = UnixMs::parse(moment).unwrap();
            assert_eq!(berlin.parse(&berlin.typed(at)), Ok(at), "{moment}");
            berlin.typed(at)
        });
        assert_eq!(typed[..2], ["2026-10-25 01:30", "2026-10-25T02:30:00+02:00"]);
        assert_eq!(typed[2..], ["2026-10-25T02:30:00+01:00", "2026-10-25 03:30"]);
    }
}
