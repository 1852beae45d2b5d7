//! Limits of small fields. Each function answers the value that is kept, or says what is allowed.

use super::invalid::Invalid;

/// `timeout_seconds` when none is given.
pub const DEFAULT_TIMEOUT_SECONDS: u32 = 10;
/// `max_in_flight` when none is given.
pub const DEFAULT_MAX_IN_FLIGHT: u32 = 16;
/// Most seconds of `timeout_seconds`.
pub const MAX_TIMEOUT_SECONDS: u32 = 30;
/// Most requests of `max_in_flight`.
pub const MAX_MAX_IN_FLIGHT: u32 = 256;
/// Most attempts a second of `rate_limit`.
pub const MAX_RATE_LIMIT: u32 = 1000;
/// Most formats of a team's own.
pub const MAX_FORMATS: usize = 1_000;
/// Most event types in the catalogue.
pub const MAX_EVENT_TYPES: usize = 10_000;
/// Most entries of `metadata`.
pub const MAX_METADATA: usize = 20;
/// Longest key of `metadata`, in characters.
pub const MAX_METADATA_KEY: usize = 64;
/// Longest value of `metadata`, in characters.
pub const MAX_METADATA_VALUE: usize = 512;
/// Longest description or note, in characters.
pub const MAX_PROSE: usize = 500;
/// A description or a note: no control characters other than line breaks and tabs.
pub const PROSE_PATTERN: &str = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$";
/// Longest name for people, in characters.
pub const MAX_DISPLAY_NAME: usize = 100;
/// A name for people: one line, not blank.
pub const DISPLAY_NAME_PATTERN: &str =
    r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";

/// Seconds from DNS to the last byte of the answer: 1 to 30.
pub fn timeout_seconds(seconds: i64) -> Result<u32, String> {
    whole(seconds, 1, MAX_TIMEOUT_SECONDS, "a whole number of seconds")
}

/// Requests at a time to one endpoint: 1 to 256.
pub fn max_in_flight(requests: i64) -> Result<u32, String> {
    whole(requests, 1, MAX_MAX_IN_FLIGHT, "a whole number of requests")
}

/// Attempts started in any sliding second, 1 to 1,000; `None` for no limit.
pub fn rate_limit(attempts: Option<i64>) -> Result<Option<u32>, String> {
    attempts
        .map(|attempts| whole(attempts, 1, MAX_RATE_LIMIT, "a whole number of attempts per second"))
        .transpose()
        .map_err(|message| format!("{message}, or null for no limit"))
}

/// What an endpoint is for, in the owner's words: at most 500 characters, without control characters other than
/// line breaks and tabs.
pub fn description(text: &str) -> Result<(), String> {
    prose(text, MAX_PROSE)
}

/// Why an endpoint was disabled by hand: at most 500 characters, as a description.
pub fn note(text: &str) -> Result<(), String> {
    prose(text, MAX_PROSE)
}

/// The name of an API key, an operator or a tenant as people read it: 1 to 100 characters in one line, not blank.
pub fn display_name(text: &str) -> Result<(), String> {
    let good = !text.trim().is_empty()
        && text.chars().count() <= MAX_DISPLAY_NAME
        && !text.chars().any(char::is_control);
    good.then_some(())
        .ok_or_else(|| format!("must be 1 to {MAX_DISPLAY_NAME} characters in one line, not only blanks"))
}

/// `metadata`: at most 20 texts of at most 512 characters, each under a key of 1 to 64 characters.
///
/// Values may be empty and hold anything; keys hold no control characters.
///
/// # Errors
/// Every wrong entry, as `metadata.KEY`, or `metadata` where there are too many.
pub fn metadata<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<(), Invalid> {
    let mut invalid = Invalid::new();
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index == MAX_METADATA {
            return Err(Invalid::one("metadata", format!("must hold at most {MAX_METADATA} entries")));
        }
        if !(1..=MAX_METADATA_KEY).contains(&key.chars().count()) || key.chars().any(char::is_control) {
            let message = "must have a key of 1 to 64 characters, none of them a control character";
            invalid.push(format!("metadata.{key}"), message);
        }
        if value.chars().count() > MAX_METADATA_VALUE {
            invalid.push(format!("metadata.{key}"), "must be at most 512 characters");
        }
    }
    invalid.into_result(())
}

fn whole(value: i64, least: u32, most: u32, what: &str) -> Result<u32, String> {
    let inside = u32::try_from(value).ok().filter(|value| (least..=most).contains(value));
    inside.ok_or_else(|| format!("must be {what} from {least} to {most}"))
}

fn prose(text: &str, most: usize) -> Result<(), String> {
    let wrong = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.chars().count() <= most && !text.contains(wrong) {
        return Ok(());
    }
    Err(format!(
        "must be at most {most} characters, without control characters other than line breaks and tabs"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_allowed_up_to_both_ends() {
        for (check, least, most) in [
            (timeout_seconds as fn(i64) -> Result<u32, String>, 1, 30),
            (max_in_flight, 1, 256),
            (|value| rate_limit(Some(value)).map(Option::unwrap_or_default), 1, 1000),
        ] {
            assert_eq!((check(least), check(most)), (Ok(1), Ok(u32::try_from(most).unwrap())));
            for bad in [least - 1, most + 1, -1, i64::MAX, i64::MIN, 1 << 32 | 1] {
                assert!(check(bad).is_err_and(|m| m.contains(&format!("from 1 to {most}"))), "{bad}");
            }
        }
        assert_eq!(rate_limit(None), Ok(None));
        assert!(rate_limit(Some(0)).is_err_and(|m| m.contains("null")));
        assert!(timeout_seconds(DEFAULT_TIMEOUT_SECONDS.into()).is_ok());
        assert!(max_in_flight(DEFAULT_MAX_IN_FLIGHT.into()).is_ok());
    }

    #[test]
    fn prose_may_have_lines_and_names_may_not() {
        assert!(description("first\nsecond\t…").is_ok() && note("").is_ok());
        assert!(description(&"é".repeat(500)).is_ok());
        assert!(description(&"é".repeat(501)).is_err_and(|m| m.contains("500")));
        assert!(note("\u{1b}[31m").is_err());
        assert!(display_name("CI, deploy key").is_ok());
        for bad in ["", "  ", "a\nb", &"x".repeat(101)] {
            assert!(display_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn metadata_names_each_wrong_entry() {
        assert!(metadata([("team", "blue"), ("empty", "")]).is_ok());
        let (long_key, long_value) = ("k".repeat(65), "v".repeat(513));
        let invalid = metadata([("", "v"), (&long_key, "v"), ("k", &long_value)]).unwrap_err();
        let fields: Vec<_> = invalid.0.into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["metadata.".to_owned(), format!("metadata.{long_key}"), "metadata.k".to_owned()]);
    }

    #[test]
    fn metadata_holds_at_most_twenty_entries() {
        let keys: Vec<String> = (0..21).map(|n| n.to_string()).collect();
        assert!(metadata(keys[..20].iter().map(|key| (key.as_str(), ""))).is_ok());
        assert!(
            metadata(keys.iter().map(|key| (key.as_str(), ""))).is_err_and(|e| e.0[0].field == "metadata")
        );
    }
}
