//! Times: those of RFC 3339 and no others, to the millisecond; and durations on the command line.

use std::time::Duration;

use postrider::cli::duration;
use postrider::domain::time::UnixMs;

/// Any text; its first eight bytes are a number of milliseconds as well.
pub fn target(bytes: &[u8]) {
    if let Some(first) = bytes.first_chunk::<8>() {
        let at = UnixMs(i64::from_be_bytes(*first) & 0xfff_ffff_ffff);
        let text = at.to_string();
        assert_eq!(text.len(), 24);
        assert!(at.0 > 253_402_214_400_000 || UnixMs::parse(&text) == Ok(at), "{text}");
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    lasts(text);
    let found = UnixMs::parse(text);
    if is_rfc_3339(text) {
        let leap = text.as_bytes()[17..19] == *b"60";
        let expected = chrono::DateTime::parse_from_rfc3339(text).map(|at| at.timestamp_millis()).ok();
        let expected = expected.filter(|ms| (0..=253_402_214_400_000).contains(ms));
        assert!(leap || found.as_ref().ok().map(|at| at.0) == expected, "{text}: {found:?}, {expected:?}");
    } else {
        assert!(found.is_err(), "{text:?} is no time of RFC 3339");
    }
    if let Ok(at) = found {
        assert_eq!(UnixMs::parse(&at.to_string()), Ok(at));
    }
}

/// The grammar of RFC 3339, section 5.6, with the blank that it allows for the `T`.
fn is_rfc_3339(text: &str) -> bool {
    let b = text.as_bytes();
    let like = |part: &[u8], shape: &str| {
        part.len() == shape.len()
            && part.iter().zip(shape.bytes()).all(|(byte, wanted)| match wanted {
                b'0' => byte.is_ascii_digit(),
                b'T' => b"Tt ".contains(byte),
                b'+' => b"+-".contains(byte),
                wanted => *byte == wanted,
            })
    };
    let Some((head, rest)) = b.split_at_checked(19) else { return false };
    let digits =
        rest.strip_prefix(b".").map_or(0, |rest| 1 + rest.iter().take_while(|b| b.is_ascii_digit()).count());
    let zone = &rest[digits..];
    like(head, "0000-00-00T00:00:00")
        && digits != 1
        && (zone.eq_ignore_ascii_case(b"z") || like(zone, "+00:00"))
}

fn lasts(text: &str) {
    let found = duration::parse(text);
    let units = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
    let expected = units.iter().find_map(|(unit, seconds)| {
        let digits = text.strip_suffix(*unit)?;
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let digits = digits.trim_start_matches('0');
        let number: u128 = if digits.is_empty() { 0 } else { digits.parse().unwrap_or(u128::MAX) };
        let total = number.saturating_mul(*seconds);
        (plain && total <= 36_525 * 86_400)
            .then(|| Duration::from_secs(u64::try_from(total).expect("it fits")))
    });
    assert_eq!(found.ok(), expected, "{text}");
}
