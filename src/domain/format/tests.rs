//! The built-in formats on the wire; `standard` by the published library.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::format::{AttemptOnWire, EventOnWire, Format, Rendered};
use crate::domain::secret::Secret;
use crate::domain::signing::Signer;
use crate::domain::time::UnixMs;
use proptest::prelude::*;

const EVENT: EventOnWire<'static> = EventOnWire {
    id: "evt_0000000000001",
    r#type: "invoice.paid",
    timestamp: UnixMs(1_771_857_000_000),
    tenant: "default",
    data: "{ \"n\": 12345678901234567890,\"n\":1.0 }",
};

fn signer(secret: &Secret) -> Signer {
    Format::standard().signer(secret).unwrap().unwrap()
}

/// The published library refuses times that are more than five minutes away.
fn attempt_now() -> AttemptOnWire {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    AttemptOnWire { timestamp_seconds: i64::try_from(since.as_secs()).unwrap(), number: 1 }
}

/// Whether the published library accepts the request, used as a receiver with `secret` would use it.
fn verifies(rendered: &Rendered, secret: &Secret) -> bool {
    let mut headers = http::HeaderMap::new();
    for (name, value) in &rendered.headers {
        let name: http::header::HeaderName = name.parse().unwrap();
        assert!(headers.insert(name, value.parse().unwrap()).is_none(), "no header comes twice");
    }
    standardwebhooks::Webhook::new(secret.expose()).unwrap().verify(&rendered.body, &headers).is_ok()
}

#[test]
fn the_body_is_the_envelope_around_the_data_as_sent() {
    let body = String::from_utf8(Format::standard().body(&EVENT)).unwrap();
    let expected = "{\"id\":\"evt_0000000000001\",\"type\":\"invoice.paid\",\
         \"timestamp\":\"2026-02-23T14:30:00.000Z\",\"tenant\":\"default\",\
         \"data\":{ \"n\": 12345678901234567890,\"n\":1.0 }}";
    assert_eq!(body, expected);
}

#[test]
fn headers_are_those_of_standard_webhooks_and_then_the_endpoints() {
    let secret = Secret::generate([3; 32]);
    let extra = [("X-Team".to_owned(), "blue".to_owned())];
    let attempt = AttemptOnWire { timestamp_seconds: 1_771_857_001, number: 2 };
    let rendered =
        Format::standard().render(&EVENT, &attempt, &[&signer(&secret)], &extra, "Postrider/0.1.0");
    let signature = signer(&secret).sign(&[b"evt_0000000000001.1771857001.", &rendered.body]);
    let expected = [
        ("content-type", "application/json"),
        ("user-agent", "Postrider/0.1.0"),
        ("webhook-id", "evt_0000000000001"),
        ("webhook-timestamp", "1771857001"),
        ("webhook-signature", signature.as_str()),
        ("X-Team", "blue"),
    ];
    assert_eq!(rendered.headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(Format::standard().own_headers(), ["webhook-id", "webhook-timestamp", "webhook-signature"]);
}

#[test]
fn each_of_two_live_secrets_verifies_and_another_does_not() {
    let [new, old, other] = [1, 2, 3].map(|n| Secret::generate([n; 32]));
    let signers = [signer(&new), signer(&old)];
    let rendered = Format::standard().render(
        &EVENT,
        &attempt_now(),
        &[&signers[0], &signers[1]],
        &[],
        "Postrider/0.1.0",
    );
    assert!(verifies(&rendered, &new) && verifies(&rendered, &old) && !verifies(&rendered, &other));
}

#[test]
fn without_signers_there_is_no_signature_header() {
    let rendered = Format::standard().render(&EVENT, &attempt_now(), &[], &[], "Postrider/0.1.0");
    assert_eq!(rendered.signatures, "");
    assert!(rendered.headers.iter().all(|(name, _)| name != "webhook-signature"));
}

proptest! {
    #[test]
    fn requests_verify_whatever_the_event_and_render_again_without_secrets(
        id in "[A-Za-z0-9_-]{1,64}", data in "\\PC{0,100}", key in any::<[u8; 32]>(),
    ) {
        let (secret, format, attempt) = (Secret::generate(key), Format::standard(), attempt_now());
        let event = EventOnWire { id: &id, data: &data, ..EVENT };
        let extra = [("x".to_owned(), "y".to_owned())];
        let sent = format.render(&event, &attempt, &[&signer(&secret)], &extra, "Postrider/0.1.0");
        prop_assert!(verifies(&sent, &secret));
        let again = format.render_recorded(&event, &attempt, &sent.signatures, &extra, "Postrider/0.1.0");
        prop_assert_eq!(again, sent);
    }
}

/// A request of a format without secrets, as texts.
fn sent(format: &Format, event: &EventOnWire<'_>) -> (Vec<String>, String) {
    let attempt = AttemptOnWire { timestamp_seconds: 1_771_857_001, number: 3 };
    let signers: Vec<Signer> = ["a secret of mine", "an older one"]
        .map(Secret::stored)
        .iter()
        .filter_map(|s| format.signer(s).ok()?)
        .collect();
    let rendered = format.render(event, &attempt, &signers.iter().collect::<Vec<_>>(), &[], "P/1");
    let headers = rendered.headers.into_iter().skip(2).map(|(name, value)| format!("{name}: {value}"));
    (headers.collect(), String::from_utf8(rendered.body).unwrap())
}

fn hmac_hex(secret: &str, message: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
}

#[test]
fn github_signs_the_data_alone_with_the_newest_secret() {
    let (headers, body) = sent(super::builtin::find("github").unwrap(), &EVENT);
    assert_eq!(body, EVENT.data);
    let signature = hmac_hex("a secret of mine", &body);
    let expected = [
        "X-GitHub-Event: invoice.paid".to_owned(),
        "X-GitHub-Delivery: evt_0000000000001".to_owned(),
        format!("X-Hub-Signature-256: sha256={signature}"),
    ];
    assert_eq!(headers, expected);
}

#[test]
fn stripe_signs_time_and_body_with_every_secret_under_one_prefix() {
    let (headers, body) = sent(super::builtin::find("stripe").unwrap(), &EVENT);
    let expected = format!(
        r#"{{"id":"evt_0000000000001","type":"invoice.paid","created":1771857000,"data":{{"object":{}}},"object":"event"}}"#,
        EVENT.data
    );
    assert_eq!(body, expected);
    let message = format!("1771857001.{body}");
    let (new, old) = (hmac_hex("a secret of mine", &message), hmac_hex("an older one", &message));
    assert_eq!(headers, [format!("Stripe-Signature: t=1771857001,v1={new},v1={old}")]);
}

#[test]
fn cloudevents_have_their_attributes_and_media_type() {
    let format = super::builtin::find("cloudevents").unwrap();
    let attempt = AttemptOnWire { timestamp_seconds: 1_771_857_001, number: 1 };
    let rendered = format.render(&EVENT, &attempt, &[], &[], "P/1");
    assert_eq!(rendered.headers[0].1, "application/cloudevents+json");
    let expected = format!(
        "{{\"id\":\"evt_0000000000001\",\"source\":\"default\",\"type\":\"invoice.paid\",\
         \"time\":\"2026-02-23T14:30:00.000Z\",\"data\":{},\"specversion\":\"1.0\",\"datacontenttype\":\"application/json\"}}",
        EVENT.data
    );
    assert_eq!(String::from_utf8(rendered.body).unwrap(), expected);
}

#[test]
fn forms_of_time_and_tenant_and_nested_keys_come_in_the_order_given() {
    let format = |time: &str| {
        let text = format!(
            r#"{{"signature":{{"scheme":"none"}},"headers":{{"attempt":"X-Attempt"}},
                "envelope":{{"data":"data.object","tenant":{{"key":"workspace_id","as":"number"}},
                             "timestamp":{{"key":"at","as":"{time}"}},"type":"data.kind \"x\""}},
                "fixed":{{"headers":{{"X-B":"2","X-A":"1"}},"envelope":{{"data.v":1.0}}}}}}"#
        );
        Format::parse("own", &text).unwrap()
    };
    let event = |tenant, ms| EventOnWire { tenant, timestamp: UnixMs(ms), data: "[]", ..EVENT };
    for (time, expected) in [
        ("rfc3339_ms", "\"2026-02-23T14:30:00.999Z\""),
        ("rfc3339", "\"2026-02-23T14:30:00Z\""),
        ("unix", "1771857000"),
        ("unix_ms", "1771857000999"),
    ] {
        let (headers, body) = sent(&format(time), &event("456", 1_771_857_000_999));
        let expected = format!(
            r#"{{"data":{{"object":[],"kind \"x\"":"invoice.paid","v":1.0}},"workspace_id":456,"at":{expected}}}"#
        );
        assert_eq!(body, expected);
        assert_eq!(headers, ["X-Attempt: 3", "X-B: 2", "X-A: 1"]);
    }
    for (tenant, written) in [
        ("0", "0"),
        ("-1", "-1"),
        ("9007199254740991", "9007199254740991"),
        ("9007199254740992", "\"9007199254740992\""),
        ("007", "\"007\""),
        ("-0", "\"-0\""),
        ("1.5", "\"1.5\""),
        ("acme", "\"acme\""),
    ] {
        let (_, body) = sent(&format("unix"), &event(tenant, 0));
        assert!(body.contains(&format!("\"workspace_id\":{written},")), "{body}");
    }
}

#[test]
fn an_ecmascript_body_is_signed_as_it_is_sent() {
    let text = r#"{"signature":{"scheme":"hmac-sha256-hex","header":"S"},"envelope":{"id":"10","data":"data","type":"2"},"body":"ecmascript"}"#;
    let event = EventOnWire { data: "{ \"n\": 12.0, \"e\":\"\\u00e9\\/\" }", ..EVENT };
    let (headers, body) = sent(&Format::parse("own", text).unwrap(), &event);
    assert_eq!(body, r#"{"2":"invoice.paid","10":"evt_0000000000001","data":{"n":12,"e":"é/"}}"#);
    assert_eq!(headers, [format!("S: {}", hmac_hex("a secret of mine", &body))]);
}

#[test]
fn built_in_formats_have_names_of_their_own_and_standard_is_the_first() {
    let names: Vec<&str> = super::builtin::all().iter().map(|format| format.name()).collect();
    assert_eq!(names, ["standard", "github", "stripe", "cloudevents"]);
    let several = |name| super::builtin::find(name).unwrap().carries_several_signatures();
    assert!(several("standard") && several("stripe") && several("cloudevents") && !several("github"));
}
