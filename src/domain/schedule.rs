//! When something runs every night: cron with five or six fields, in UTC.

use std::str::FromStr;

use super::time::UnixMs;

/// 2024-01-01T00:00:00Z: a schedule that never comes after it, never does.
const BEFORE_ALL: UnixMs = UnixMs(1_704_067_200_000);

/// A parsed schedule. Five fields are minute to weekday; six have the seconds in front.
#[derive(Debug, Clone)]
pub struct Schedule(cron::Schedule);

impl Schedule {
    /// Reads the text form, such as `30 3 * * *` or `0 30 3 * * *`.
    ///
    /// # Errors
    /// A sentence that says what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut fields: Vec<&str> = text.split_whitespace().collect();
        match fields.len() {
            5 => fields.insert(0, "0"),
            6 => {}
            count => {
                return Err(format!("must have five or six fields, such as 0 30 3 * * *, and not {count}"));
            }
        }
        if let Some(odd) = fields.iter().position(|field| !is_one_field(field)) {
            let odd = fields[odd].chars().take(40).collect::<String>();
            return Err(format!("is no cron schedule such as 0 30 3 * * * ({odd:?} is no field)"));
        }
        if fields[5].contains(|c: char| c.is_ascii_digit()) {
            return Err(
                "must name weekdays (SUN, MON-FRI): their numbers differ from program to program".to_owned()
            );
        }
        let schedule = cron::Schedule::from_str(&fields.join(" "))
            .map(Self)
            .map_err(|error| format!("is no cron schedule such as 0 30 3 * * * ({error})"))?;
        match schedule.next_after(BEFORE_ALL) {
            Some(_) => Ok(schedule),
            None => {
                Err("names a day that never comes; 0 30 3 * * * is every night at half past three".to_owned())
            }
        }
    }

    /// The first time strictly after `at`; `None` when there is none.
    pub fn next_after(&self, at: UnixMs) -> Option<UnixMs> {
        let at = chrono::DateTime::from_timestamp_millis(at.0)?;
        self.0.after(&at).next().map(|next| UnixMs(next.timestamp_millis()))
    }
}

/// Whether a text is one field: values, ranges and steps with commas between them.
///
/// The library needs no blank where a field can end, and takes `*5 3 * * *` for six fields: any minute of five
/// o'clock on the third.
fn is_one_field(text: &str) -> bool {
    let all = |text: &str, of: fn(&u8) -> bool| !text.is_empty() && text.as_bytes().iter().all(of);
    let number = |text: &str| all(text, u8::is_ascii_digit);
    let value = |text: &str| number(text) || all(text, u8::is_ascii_alphabetic);
    text.split(',').all(|item| {
        let (values, step) = item.split_once('/').map_or((item, None), |(values, step)| (values, Some(step)));
        let whole = matches!(values, "*" | "?");
        let range = values.split_once('-').map_or(value(values), |(first, last)| value(first) && value(last));
        (whole || range) && step.is_none_or(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, at: &str) -> String {
        let at = UnixMs::parse(at).unwrap();
        Schedule::parse(schedule).unwrap().next_after(at).unwrap().to_string()
    }

    #[test]
    fn five_and_six_fields_mean_the_same_night() {
        for schedule in ["30 3 * * *", "0 30 3 * * *"] {
            assert_eq!(next(schedule, "2026-02-23T03:29:59.999Z"), "2026-02-23T03:30:00.000Z");
            assert_eq!(next(schedule, "2026-02-23T03:30:00.000Z"), "2026-02-24T03:30:00.000Z");
        }
    }

    #[test]
    fn weekdays_go_by_name() {
        assert_eq!(next("0 4 * * SUN", "2026-02-23T00:00:00Z"), "2026-03-01T04:00:00.000Z");
        assert!(Schedule::parse("0 4 * * 1").is_err());
    }

    #[test]
    fn a_day_that_never_comes_is_refused_and_a_rare_one_is_not() {
        for never in ["0 3 31 2 *", "0 0 3 30 2 *", "0 3 31 4,6,9,11 *"] {
            assert!(Schedule::parse(never).is_err_and(|message| message.contains("never comes")), "{never}");
        }
        assert_eq!(next("0 3 29 2 *", "2026-02-23T00:00:00Z"), "2028-02-29T03:00:00.000Z");
    }

    #[test]
    fn a_field_ends_where_a_blank_is_and_nowhere_else() {
        for text in ["*5 3 * * *", "30 3 ** * *", "5MON 3 * * *", "1-5* 3 * * *", "5 -7 3 * *", "5, 7 3 * *"]
        {
            assert!(Schedule::parse(text).is_err_and(|message| message.contains("no field")), "{text}");
        }
        for text in ["*/5 3 * * *", "1-5/2,7 3 ? JAN-MAR,5 SUN,MON-FRI", "  0\t30 3 * * *  "] {
            assert!(Schedule::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_an_example() {
        for text in ["", "daily", "99 3 * * *", "* * *", "0 0 0 0 0 0 0"] {
            assert!(Schedule::parse(text).is_err_and(|message| message.contains("0 30 3")), "{text}");
        }
    }
}
