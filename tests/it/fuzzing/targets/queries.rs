//! Parameters of a list: each is what was written, or refused by its name.

use postrider::domain::ids::EventId;
use postrider::domain::matching::Pattern;
use postrider::domain::time::UnixMs;
use postrider::web::query::Query;

const KNOWN: [&str; 6] = ["type", "enabled", "since", "until", "limit", "cursor"];

pub fn target(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let given = pairs(text);
    let mut query = Query::parse(text);
    let first = |name: &str| given.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let count = |name: &str| given.iter().filter(|(known, _)| known == name).count();
    let mut wrong = given.iter().any(|(name, _)| !KNOWN.contains(&name.as_str()));
    wrong |= KNOWN.iter().any(|name| count(name) > 1);

    let pattern = query.parsed("type", Pattern::parse);
    assert_eq!(pattern, first("type").and_then(|text| Pattern::parse(text).ok()));
    wrong |= first("type").is_some() && pattern.is_none();
    let flag = query.flag("enabled");
    assert_eq!(
        flag.map(|flag| flag.to_string()).as_deref(),
        first("enabled").filter(|text| flag.is_some() || *text == "true")
    );
    wrong |= first("enabled").is_some_and(|text| text != "true" && text != "false");
    let span = query.span();
    let time = |name| first(name).map(UnixMs::parse);
    assert_eq!(
        (span.since, span.until),
        (time("since").and_then(Result::ok), time("until").and_then(Result::ok))
    );
    wrong |= [time("since"), time("until")].into_iter().flatten().any(|time| time.is_err());
    let limit = query.limit();
    let meant = first("limit").map(|text| text.parse::<u8>().ok().filter(|rows| (1..=250).contains(rows)));
    assert_eq!(limit, meant.flatten().map_or(50, usize::from), "{text}");
    wrong |= meant == Some(None);
    let cursor = query.cursor(EventId::parse);
    assert_eq!(cursor.map(|id| id.to_string()).as_deref(), first("cursor").filter(|_| cursor.is_some()));
    wrong |= first("cursor").is_some() && cursor.is_none();

    let finished = query.finish();
    assert_eq!(finished.is_err(), wrong, "{finished:?}");
    if let Err(problem) = finished {
        let known = |field: &str| given.iter().any(|(name, _)| name.starts_with(field.trim_end_matches('…')));
        assert!(problem.0.fields.iter().all(|error| known(&error.field)), "{problem:?}");
    }
}

/// Percent-decoding as forms have it (WHATWG URL, section 5.1), byte by byte.
fn pairs(text: &str) -> Vec<(String, String)> {
    let pieces = text.split('&').filter(|piece| !piece.is_empty());
    pieces
        .map(|piece| piece.split_once('=').unwrap_or((piece, "")))
        .map(|(a, b)| (decoded(a), decoded(b)))
        .collect()
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut decoded, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let hex = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).expect("a byte"));
                at += 2;
            }
            (b'+', ..) => decoded.push(b' '),
            (byte, ..) => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
