//! Headers of an endpoint: what is taken is a header to everyone, and none of those that are ours.

use postrider::domain::format::Format;
use postrider::domain::headers::{CustomHeaders, MASK, MAX_BYTES, MAX_HEADERS};

/// Lines of a name, a colon and a value: those that are there, and then those that are sent.
pub fn target(bytes: &[u8]) {
    let Some([there, sent]) = super::texts(bytes) else { return };
    let own = Format::standard().own_headers();
    let none = CustomHeaders::default();
    let current = CustomHeaders::from_caller(pairs(there), &none, &own).unwrap_or_default();
    let given = pairs(sent);
    let taken = CustomHeaders::from_caller(given.clone(), &current, &own);
    let meant: Vec<_> = given.iter().map(|pair| meant(pair, &current)).collect();
    let good = meant.iter().all(|pair| pair.as_ref().is_some_and(|(name, value)| good(name, value)))
        && given.len() <= MAX_HEADERS
        && meant.iter().flatten().map(|(name, value)| name.len() + value.len()).sum::<usize>() <= MAX_BYTES
        && (1..given.len())
            .all(|at| !given[..at].iter().any(|(name, _)| name.eq_ignore_ascii_case(&given[at].0)));
    assert_eq!(taken.is_ok(), good, "{taken:?}");
    let Ok(taken) = taken else { return };
    assert_eq!(taken.expose(), meant.into_iter().flatten().collect::<Vec<_>>());
    assert!(taken.masked().all(|(_, value)| value == MASK) && taken.fit(&own).is_ok());
    for (name, value) in taken.expose() {
        let parsed = http::HeaderName::from_bytes(name.as_bytes()).expect("a name");
        assert!(parsed.as_str().eq_ignore_ascii_case(name));
        assert_eq!(http::HeaderValue::from_str(value).expect("a value").to_str().ok(), Some(value.as_str()));
    }
    let names = taken.expose().iter().map(|(name, _)| (name.clone(), String::new())).collect();
    let shown = format!("{:?}", CustomHeaders::stored(names));
    assert_eq!(format!("{taken:?}"), shown, "what is shown depends on the names alone");
    let masked = taken.masked().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(CustomHeaders::from_caller(masked, &taken, &own), Ok(taken), "masks keep everything");
}

fn pairs(lines: &str) -> Vec<(String, String)> {
    let pair = |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.to_owned()));
    lines.split('\n').filter_map(pair).collect()
}

/// A mask means the value that is there.
fn meant((name, value): &(String, String), current: &CustomHeaders) -> Option<(String, String)> {
    if value != MASK {
        return Some((name.clone(), value.clone()));
    }
    let kept = current.expose().iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    kept.map(|(_, value)| (name.clone(), value.clone()))
}

fn good(name: &str, value: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let ours = [
        "host",
        "content-length",
        "content-type",
        "transfer-encoding",
        "connection",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "user-agent",
    ];
    !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
        && !ours.contains(&lower.as_str())
        && !lower.starts_with("proxy-")
        && !lower.starts_with("webhook-")
        && value.chars().all(|c| (' '..='~').contains(&c) || c == '\t')
        && value == value.trim_matches([' ', '\t'])
}
