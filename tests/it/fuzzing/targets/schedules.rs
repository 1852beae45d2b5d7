//! Cron: a schedule that is taken comes again and again, at times that its fields name.

use jiff::civil::Weekday;
use postrider::domain::schedule::Schedule;
use postrider::domain::time::UnixMs;

/// Four bytes of a time between 2024 and 2092, in units of half a second, and the text.
pub fn target(bytes: &[u8]) {
    let Some((clock, text)) = bytes.split_first_chunk::<4>() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let start = UnixMs(1_704_067_200_000 + i64::from(u32::from_be_bytes(*clock)) * 500);
    let Ok(schedule) = Schedule::parse(text) else { return };
    let mut at = start;
    for _ in 0..4 {
        let Some(next) = schedule.next_after(at) else { break };
        assert!(next > at && next.0 % 1000 == 0, "{text}: {next} after {at}");
        assert_eq!(schedule.next_after(UnixMs(next.0 - 1)), Some(next), "{text}");
        assert_eq!(
            schedule.next_after(UnixMs(i64::midpoint(at.0, next.0 - 1))),
            Some(next),
            "{text}: none between"
        );
        fits(text, next);
        at = next;
    }
}

/// Every field that is one plain number, or a plain weekday, is that of the time.
fn fits(text: &str, at: UnixMs) {
    let mut fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() == 5 {
        fields.insert(0, "0");
    }
    let time = jiff::Timestamp::from_millisecond(at.0).expect("a time").to_zoned(jiff::tz::TimeZone::UTC);
    let parts = [time.second(), time.minute(), time.hour(), time.day(), time.month()];
    for (field, part) in fields.iter().zip(parts) {
        assert!(field.parse::<i8>().is_err() || field.parse() == Ok(part), "{text}: {field} at {at}");
    }
    let days = [("MON", Weekday::Monday), ("SUN", Weekday::Sunday), ("FRI", Weekday::Friday)];
    let named = days.into_iter().find(|(name, _)| fields[5].eq_ignore_ascii_case(name));
    assert!(named.is_none_or(|(_, day)| day == time.weekday()), "{text} at {at}");
}
