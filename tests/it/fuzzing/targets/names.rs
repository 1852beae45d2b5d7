//! Names that callers choose: only their letters, and none that would need escaping anywhere.

use postrider::domain::format::{AttemptOnWire, EventOnWire, Format};
use postrider::domain::limits;
use postrider::domain::names::{EventType, IdempotencyKey, OwnId, TenantName, Uid};
use postrider::domain::scope::{KeyText, Scope, Scopes};
use postrider::domain::time::UnixMs;
use serde_json::Value;

/// A type, a tenant, an id, an idempotency key and a key's text.
pub fn target(bytes: &[u8]) {
    let Some([event_type, tenant, id, key, secret]) = super::texts(bytes) else { return };
    let of = |text: &str, most: usize, others: &str| {
        let letter = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
        (1..=most).contains(&text.len()) && text.chars().all(letter)
    };
    let segments = event_type.split('.').all(|segment| !segment.is_empty());
    assert_eq!(EventType::parse(event_type).is_ok(), of(event_type, 128, "_.:/-") && segments);
    let folder = matches!(tenant, "." | "..");
    assert_eq!(TenantName::parse(tenant).is_ok(), of(tenant, 64, "_.:@-") && !folder);
    assert_eq!(OwnId::parse(id).is_ok(), of(id, 64, "_-") && !ours(id));
    let begins = !id.starts_with(['.', ':', '-']);
    assert_eq!(Uid::parse(id).is_ok(), of(id, 64, "_.:-") && begins && !ours(id));
    let printable = key.chars().all(|c| (' '..='~').contains(&c));
    assert_eq!(IdempotencyKey::parse(key).is_ok(), (1..=255).contains(&key.len()) && printable);
    let token = secret.strip_prefix("pr_").is_some_and(|rest| rest.len() >= 24 && of(rest, 253, "._~+/=-"));
    assert_eq!(KeyText::parse(secret).is_ok_and(|text| text.expose() == secret), token);
    if let Err(message) = KeyText::parse(secret) {
        assert!(secret.len() < 24 || !message.contains(secret), "an error repeats a key");
    }
    prose(key);
    scopes(key);
    if EventType::parse(event_type).is_ok() && TenantName::parse(tenant).is_ok() && OwnId::parse(id).is_ok() {
        body(event_type, tenant, id);
    }
}

fn ours(text: &str) -> bool {
    ["evt_", "ep_", "dlv_", "key_", "rpl_"].iter().any(|prefix| {
        let rest = text.strip_prefix(prefix).unwrap_or_default();
        rest.len() == 13 && rest.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

fn prose(text: &str) {
    let length = text.chars().count();
    let control = |c: &char| c.is_control();
    let shown = text.chars().filter(control).all(|c| "\n\r\t".contains(c)) && length <= 500;
    assert_eq!(limits::description(text).is_ok(), shown);
    let blank = text.chars().all(char::is_whitespace);
    assert_eq!(
        limits::display_name(text).is_ok(),
        !blank && length <= 100 && !text.chars().any(char::is_control)
    );
    let key = (1..=64).contains(&length) && !text.chars().any(char::is_control);
    assert_eq!(limits::metadata([(text, text)]).is_ok(), key);
}

fn scopes(text: &str) {
    let names: Vec<&str> = text.split(' ').collect();
    let known: Option<Vec<Scope>> = names.iter().map(|name| Scope::parse(name)).collect();
    let parsed = Scopes::parse(&names);
    assert_eq!(parsed.is_ok(), known.is_some() && names.len() <= 16);
    if let (Ok(scopes), Some(known)) = (parsed, known) {
        assert!(known.iter().all(|scope| scopes.allows(*scope)));
        let again: Vec<String> = scopes.to_string().split(' ').map(str::to_owned).collect();
        assert_eq!(Scopes::parse(&again), Ok(scopes));
        let bound = known.iter().all(|scope| !matches!(scope, Scope::Admin | Scope::MetricsRead));
        assert_eq!(scopes.check_bound().is_ok(), bound);
    }
}

/// What is sent says what was taken, without escapes.
fn body(event_type: &str, tenant: &str, id: &str) {
    let event =
        EventOnWire { id, r#type: event_type, timestamp: UnixMs(0), tenant, data: "[1.0 , \"\\u0041\"]" };
    let attempt = AttemptOnWire { timestamp_seconds: 1, number: 1 };
    let request = Format::standard().render(&event, &attempt, &[], &[], "x");
    let text = std::str::from_utf8(&request.body).expect("UTF-8");
    assert!(text.ends_with("\"data\":[1.0 , \"\\u0041\"]}") && request.body.capacity() < 1000);
    let read: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(
        (&read["id"], &read["type"], &read["tenant"]),
        (&id.into(), &event_type.into(), &tenant.into())
    );
    assert_eq!(read.as_object().map(serde_json::Map::len), Some(5));
    assert!(http::HeaderValue::from_str(id).is_ok_and(|value| value == id));
}
