//! Ids and cursors: a text and its number are one, in the same order, and everything else is refused.

use postrider::domain::ids::{DeliveryId, EndpointId, EventId, KeyId, ReplayId, first_at, looks_like_ours};
use postrider::domain::names::{OwnId, Uid};
use postrider::domain::time::UnixMs;
use postrider::web::query::Numbered;

const ALPHABET: &str = "0123456789abcdefghjkmnpqrstvwxyz";

/// Any text; its first sixteen bytes are two numbers as well.
pub fn target(bytes: &[u8]) {
    let (numbers, _) = bytes.as_chunks::<8>();
    let number = |at: usize| i64::from_be_bytes(numbers.get(at).copied().unwrap_or_default()) & i64::MAX;
    printed(number(0), number(1));
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    parsed(text);
    let rows = Numbered("rows");
    let row = rows.parse(&format!("rows:{text}"));
    assert_eq!(row.map(|row| row.to_string()).as_deref(), row.map(|_| text), "a row's number has one text");
    assert!(row.is_some() || text.parse::<i64>().is_err() || text.starts_with(['-', '+', '0']), "{text}");
    assert!(rows.parse(text).is_none_or(|row| rows.cursor(row) == text), "{text}");
}

fn printed(a: i64, b: i64) {
    let text = EventId(a).to_string();
    assert_eq!(EventId::parse(&text), Some(EventId(a)));
    assert_eq!(text.cmp(&EventId(b).to_string()), a.cmp(&b), "texts sort as numbers do");
    assert!(looks_like_ours(&text) && OwnId::parse(&text).is_err() && Uid::parse(&text).is_err());
    assert!([DeliveryId::parse(&text).is_some(), KeyId::parse(&text).is_some()] == [false, false]);
    assert!(first_at(UnixMs(a)) >= 0 && (a >= b || first_at(UnixMs(a)) <= first_at(UnixMs(b))));
}

fn parsed(text: &str) {
    let found = [
        ("evt_", EventId::parse(text).map(|id| (id.0, id.to_string()))),
        ("ep_", EndpointId::parse(text).map(|id| (id.0, id.to_string()))),
        ("dlv_", DeliveryId::parse(text).map(|id| (id.0, id.to_string()))),
        ("key_", KeyId::parse(text).map(|id| (id.0, id.to_string()))),
        ("rpl_", ReplayId::parse(text).map(|id| (id.0, id.to_string()))),
    ];
    for (prefix, found) in found {
        let expected = text.strip_prefix(prefix).and_then(value);
        assert_eq!(found.as_ref().map(|(number, _)| *number), expected, "{text}");
        assert!(found.is_none_or(|(_, again)| again == text && looks_like_ours(text)), "{text}");
    }
}

/// Thirteen digits to the base 32, of 63 bits.
fn value(digits: &str) -> Option<i64> {
    let mut number = 0_i64;
    for digit in digits.chars() {
        let value = ALPHABET.find(digit)?;
        number = number.checked_mul(32)?.checked_add(i64::try_from(value).ok()?)?;
    }
    (digits.len() == 13).then_some(number)
}
