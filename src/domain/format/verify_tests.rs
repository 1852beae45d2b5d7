use super::*;
use crate::domain::format::{AttemptOnWire, EventOnWire, Rendered, builtin};
use crate::domain::secret::Secret;
use crate::domain::signing::Signer;
use crate::domain::time::UnixMs;

const NOW: i64 = 1_771_857_000;

const EVENT: EventOnWire<'static> = EventOnWire {
    id: "evt_1",
    r#type: "a.b",
    timestamp: UnixMs(NOW * 1000),
    tenant: "acme",
    data: "{\"n\":1}",
};

fn send(format: &Format, secrets: &[Secret]) -> Rendered {
    let signers: Vec<Signer> = secrets.iter().map(|secret| format.signer(secret).unwrap().unwrap()).collect();
    let attempt = AttemptOnWire { timestamp_seconds: NOW, number: 1 };
    format.render(&EVENT, &attempt, &signers.iter().collect::<Vec<_>>(), &[], "x")
}

fn made(format: &Format, n: u8) -> (Secret, String) {
    let secret = format.scheme().make([n; 32]).unwrap();
    let shown = format.scheme().public_key(&secret).unwrap_or_else(|| secret.expose().to_owned());
    (secret, shown)
}

/// Formats of every scheme, with every way of sending what is signed.
fn formats() -> Vec<Format> {
    let own = [
        r#"{"signature":{"scheme":"ed25519","header":"s","join":" "},"headers":{"id":"i","timestamp":"t"},"envelope":"data"}"#,
        r#"{"signature":{"scheme":"hmac-sha1-hex","header":"s","prefix":"{id}/{timestamp}:","over":"id.timestamp.body"},"envelope":"data"}"#,
        r#"{"signature":{"scheme":"hmac-sha256-base64","header":"s","prefix":"HMAC ","over":"id.timestamp.body","join":"; "},
            "headers":{"timestamp":"t"},"envelope":{"id":"meta.id"}}"#,
    ];
    let own = own.map(|text| Format::parse("own", text).unwrap());
    builtin::all().iter().map(|format| (**format).clone()).chain(own).collect()
}

#[test]
fn what_a_format_sends_is_verified_and_nothing_else_is() {
    for format in formats() {
        let ((first, shown), (_, other)) = (made(&format, 1), made(&format, 2));
        let sent = send(&format, &[first]);
        let verify = |body: &[u8], secrets: &[&str]| format.verify(&sent.headers, body, secrets, NOW);
        assert_eq!(
            verify(&sent.body, &[&other, &shown]),
            Ok(Verified { secret: Some(1) }),
            "{}",
            format.name()
        );
        assert_eq!(verify(&sent.body, &[&other]), Err(Refused::NoMatch), "{}", format.name());
        let mut changed = sent.body.clone();
        changed.push(b' ');
        assert_eq!(verify(&changed, &[&shown]), Err(Refused::NoMatch), "{}", format.name());
    }
}

#[test]
fn both_secrets_of_an_overlap_verify_where_the_header_carries_two() {
    for format in formats() {
        let ((new, new_shown), (old, old_shown)) = (made(&format, 1), made(&format, 2));
        let sent = send(&format, &[new, old]);
        let verify = |secret: &str| format.verify(&sent.headers, &sent.body, &[secret], NOW).is_ok();
        assert!(verify(&new_shown), "{}", format.name());
        assert_eq!(verify(&old_shown), format.carries_several_signatures(), "{}", format.name());
    }
}

#[test]
fn age_counts_where_the_time_is_signed_and_only_for_what_is_genuine() {
    for format in formats() {
        let (secret, shown) = made(&format, 1);
        let sent = send(&format, &[secret]);
        let at = |now| format.verify(&sent.headers, &sent.body, &[&shown], now);
        assert!(at(NOW + 300).is_ok() && at(NOW - 300).is_ok(), "{}", format.name());
        let timed = format.signature.needs().timestamp;
        assert_eq!(at(NOW + 301) == Err(Refused::TooOld(301)), timed, "{}", format.name());
        assert_eq!(at(NOW - 301) == Err(Refused::TooNew(301)), timed, "{}", format.name());
        let other = format.verify(&sent.headers, b"[]", &[&shown], NOW + 900);
        assert!(matches!(other, Err(Refused::NoMatch | Refused::Malformed(_))), "{}", format.name());
    }
}

#[test]
fn what_is_missing_or_malformed_is_named() {
    let format = builtin::find("stripe").unwrap();
    let (secret, shown) = made(format, 1);
    let sent = send(format, &[secret]);
    let with = |value: &str| {
        let headers = [("stripe-signature".to_owned(), value.to_owned())];
        format.verify(&headers, &sent.body, &[&shown], NOW)
    };
    assert_eq!(with(&sent.signatures), Ok(Verified { secret: Some(0) }), "whatever the case of the name");
    for bad in ["", "v1=abc", "t=,v0="] {
        assert_eq!(with(bad), Err(Refused::Malformed("Stripe-Signature".to_owned())), "{bad}");
    }
    let none = format.verify(&[], &sent.body, &[&shown], NOW);
    assert_eq!(none, Err(Refused::MissingHeader("Stripe-Signature".to_owned())));
    let standard = Format::standard();
    let refused = standard.verify(&[], b"", &["whsec_?"], NOW).unwrap_err();
    assert!(matches!(&refused, Refused::BadSecret(0, _)) && !refused.to_string().contains('?'), "{refused}");
}

#[test]
fn a_format_without_signatures_proves_nothing_and_refuses_nothing() {
    let format = Format::parse("bare", r#"{"signature":{"scheme":"none"},"envelope":"data"}"#).unwrap();
    assert_eq!(format.verify::<&str>(&[], b"x", &[], NOW), Ok(Verified { secret: None }));
}
