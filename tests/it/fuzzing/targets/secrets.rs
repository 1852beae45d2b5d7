//! Secrets and signatures: what is taken has a key, and the published library verifies what is signed with it.

use data_encoding::{BASE64, BASE64_NOPAD};
use postrider::clock::{Clock, SystemClock};
use postrider::domain::format::{AttemptOnWire, EventOnWire, Format};
use postrider::domain::secret::{KeyForm, PREFIX, Secret};
use postrider::domain::signing::Signer;
use postrider::domain::time::UnixMs;
use standardwebhooks::Webhook;

/// Two secrets, an id, and a body's data.
pub fn target(bytes: &[u8]) {
    let Some([first, second, id, data]) = super::texts(bytes) else { return };
    let taken: Vec<Secret> = [first, second].into_iter().filter_map(checked).collect();
    let signers: Vec<Signer> =
        taken.iter().filter_map(|secret| Format::standard().signer(secret).expect("it has a key")).collect();
    let event = EventOnWire { id, r#type: "a.b", timestamp: UnixMs(0), tenant: "t", data };
    // The library compares it with the clock of the machine.
    let timestamp_seconds = SystemClock::new().wall().seconds();
    let attempt = AttemptOnWire { timestamp_seconds, number: 1 };
    let format = Format::standard();
    let request = format.render(&event, &attempt, &signers.iter().collect::<Vec<_>>(), &[], "x");
    assert_eq!(format.render_recorded(&event, &attempt, &request.signatures, &[], "x"), request);
    if postrider::domain::names::OwnId::parse(id).is_err() {
        return;
    }
    let body = format.body(&event);
    assert!(body.windows(data.len().max(1)).any(|part| part == data.as_bytes() || data.is_empty()));
    let mut headers = http::HeaderMap::new();
    for (name, value) in &request.headers {
        headers.insert(
            http::HeaderName::from_bytes(name.as_bytes()).expect("a name"),
            http::HeaderValue::from_str(value).expect("a value"),
        );
    }
    for secret in &taken {
        let receiver = Webhook::new(secret.expose()).expect("a secret of Standard Webhooks");
        receiver.verify(&body, &headers).expect("a signature that verifies");
        let mut other = body.clone();
        other.push(b' ');
        assert!(receiver.verify(&other, &headers).is_err(), "another body");
    }
    assert_eq!(headers.contains_key("webhook-signature"), !taken.is_empty());
}

/// Takes the secret in both forms as the contract says; the one for `standard`.
fn checked(text: &str) -> Option<Secret> {
    let printable = (8..=128).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    let verbatim = Secret::from_caller(text, KeyForm::Verbatim);
    assert_eq!(verbatim.is_ok(), printable);
    if let Ok(secret) = verbatim {
        assert_eq!((secret.expose(), secret.key(KeyForm::Verbatim)), (text, Some(text.as_bytes().to_vec())));
    }
    let key = match text.strip_prefix(PREFIX) {
        Some(rest) => base64(rest).filter(|key| (24..=64).contains(&key.len())),
        None => printable.then(|| text.as_bytes().to_vec()),
    };
    let decoded = Secret::from_caller(text, KeyForm::Decoded);
    if let Err(message) = &decoded {
        assert!(text.len() < 20 || !message.contains(text), "an error repeats a secret");
    }
    assert_eq!(decoded.as_ref().ok().and_then(|secret| secret.key(KeyForm::Decoded)), key, "{text:?}");
    let secret = decoded.ok()?;
    let shown = secret.expose();
    assert_eq!(Some(shown), Some(format!("{PREFIX}{}", BASE64.encode(&key?))).as_deref());
    assert_eq!(Secret::stored(shown).key(KeyForm::Decoded), secret.key(KeyForm::Decoded));
    assert!(format!("{secret:?}").len() < 12, "it is not shown");
    Some(secret)
}

/// base64 with its padding and without anything else, by way of the form without padding.
fn base64(text: &str) -> Option<Vec<u8>> {
    let plain = text.trim_end_matches('=');
    let bytes = BASE64_NOPAD.decode(plain.as_bytes()).ok()?;
    (text.len().is_multiple_of(4) && text.len() - plain.len() == (3 - bytes.len() % 3) % 3).then_some(bytes)
}
