//! Filters: those that are taken, and whether they hold, against a plain look-up in a tree.

use std::collections::HashSet;

use postrider::domain::filters::{Filters, MAX_FILTERS};
use postrider::domain::json::MAX_DEPTH;

use super::model::{self, Json, Kind};

/// The filters, and the data.
pub fn target(bytes: &[u8]) {
    let Some([text, data]) = super::texts(bytes) else { return };
    let parsed = Filters::parse(text);
    let read = model::read(text).json;
    let deep = model::read(text).deepest > MAX_DEPTH;
    if !deep {
        assert_eq!(parsed.is_ok(), read.as_ref().is_some_and(good), "{:?}", parsed.as_ref().err());
    }
    let (Ok(filters), Some(wanted)) = (parsed, read) else { return };
    assert_eq!(filters.is_empty(), wanted.members().is_none_or(<[_]>::is_empty));
    let held = filters.hold(data);
    if let Some(json) = model::read(data).json {
        assert_eq!(held, holds(&wanted, &json));
        let alike = format!(" {{\"a\":{data}, \"b\" :0}}");
        let below = below(&wanted);
        if let Some(below) = below.as_deref().and_then(|text| Filters::parse(text).ok()) {
            assert_eq!(below.hold(&alike), held, "the same one level down");
        }
    }
}

/// Whether these are filters.
fn good(json: &Json<'_>) -> bool {
    let members = match &json.kind {
        Kind::Null => return true,
        Kind::Object(members) if members.len() <= MAX_FILTERS => members,
        _ => return false,
    };
    let mut seen = HashSet::new();
    members.iter().all(|(path, value)| {
        let Some(path) = path else { return false };
        let values = match &value.kind {
            Kind::Array(values) if (1..=100).contains(&values.len()) => values.iter().collect(),
            Kind::Array(_) => return false,
            _ => vec![value],
        };
        seen.insert(path)
            && path.len() <= 256
            && path.split('.').count() <= MAX_DEPTH
            && path.split('.').all(|key| !key.is_empty())
            && values.into_iter().all(good_value)
    })
}

fn good_value(value: &Json<'_>) -> bool {
    value.text.len() <= 1024
        && match &value.kind {
            Kind::Array(_) | Kind::Object(_) | Kind::Text(None) => false,
            Kind::Number => exponent(value.text) <= 1_000_000_000,
            _ => true,
        }
}

/// How large the exponent of a number is, either way.
fn exponent(text: &str) -> i128 {
    let digits = text.split(['e', 'E']).nth(1).unwrap_or("0").trim_start_matches(['+', '-', '0']);
    if digits.is_empty() { 0 } else { digits.parse().unwrap_or(i128::MAX) }
}

/// Whether all filters hold for the data.
pub fn holds(filters: &Json<'_>, data: &Json<'_>) -> bool {
    let Some(members) = filters.members() else { return true };
    members.iter().all(|(path, wanted)| {
        let mut keys = path.as_deref().unwrap_or_default().split('.');
        let Some(found) = keys.try_fold(data, |json, key| json.last(key)) else { return false };
        match &wanted.kind {
            Kind::Array(values) => values.iter().any(|value| equal(value, found)),
            _ => equal(wanted, found),
        }
    })
}

fn equal(wanted: &Json<'_>, found: &Json<'_>) -> bool {
    match (&wanted.kind, &found.kind) {
        (Kind::Null, Kind::Null) => true,
        (Kind::Bool(a), Kind::Bool(b)) => a == b,
        (Kind::Text(Some(a)), Kind::Text(Some(b))) => a == b,
        // An exponent that the model does not read is far beyond all that a filter may have.
        (Kind::Number, Kind::Number) => {
            model::decimal(found.text).is_some_and(|found| model::decimal(wanted.text) == Some(found))
        }
        _ => false,
    }
}

/// The same filters on what stands under the key `a`.
fn below(filters: &Json<'_>) -> Option<String> {
    let quoted = |(path, value): &(Option<String>, Json<'_>)| {
        let path = serde_json::to_string(&format!("a.{}", path.as_deref()?)).ok()?;
        Some(format!("{path}:{}", value.text))
    };
    let members: Option<Vec<_>> = filters.members()?.iter().map(quoted).collect();
    Some(format!("{{{}}}", members?.join(",")))
}
