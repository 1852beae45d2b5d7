use super::*;
use crate::domain::format::{AttemptOnWire, EventOnWire, builtin};
use crate::domain::time::UnixMs;

const AT: i64 = 1_771_857_000;
const NOW: i64 = AT + 10;
const EVENT: EventOnWire<'static> = EventOnWire {
    id: "evt_1",
    r#type: "order.paid",
    timestamp: UnixMs(AT * 1000),
    tenant: "default",
    data: r#"{"name":"Zo\u00eb","path":"a/b"}"#,
};

/// Document 004's: the body alone is signed, in hexadecimal digits behind a prefix.
const WORKSPACES: &str = r#"{
    "signature": {"scheme": "hmac-sha256-hex", "header": "X-Webhook-Signature", "prefix": "sha256=", "over": "body"},
    "headers": {"id": "X-Webhook-ID", "timestamp": "X-Webhook-Timestamp"},
    "envelope": {"id": "id", "type": "type", "timestamp": {"key": "created_at", "as": "rfc3339"},
                 "data": "data.object", "tenant": {"key": "workspace_id", "as": "number"}}}"#;

fn standard() -> Format {
    Format::standard()
}

fn made(n: u8, format: &Format) -> Secret {
    format.scheme().make([n; 32]).unwrap()
}

/// Headers and body of a request of ours.
fn sent(format: &Format, secret: &Secret) -> (Vec<(String, String)>, Vec<u8>) {
    let signer = format.signer(secret).unwrap().unwrap();
    let attempt = AttemptOnWire { timestamp_seconds: AT, number: 1 };
    let rendered = format.render(&EVENT, &attempt, &[&signer], &[], "Postrider/0");
    (rendered.headers, rendered.body)
}

fn judge(
    format: &Format,
    headers: &[(String, String)],
    body: &[u8],
    secrets: &[Secret],
    now: i64,
) -> Verdict {
    verify(format, Received { headers, body }, secrets, now, 300)
}

fn says(verdict: &Verdict) -> String {
    verdict.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[test]
fn a_request_of_any_format_holds_by_any_of_the_secrets_and_names_its_event() {
    let own = Format::parse("workspaces", WORKSPACES).unwrap();
    for format in builtin::all().iter().map(|format| &**format).chain([&own]) {
        let (other, right) = (made(1, format), made(2, format));
        let (headers, body) = sent(format, &right);
        let verdict = judge(format, &headers, &body, &[other.clone(), right], NOW);
        assert!(verdict.holds() && verdict.signed_by == Some(1), "{}: {verdict:?}", format.name());
        let wrong = judge(format, &headers, &body, &[other], NOW);
        assert_eq!(wrong.reasons, [Reason::NoMatch { secrets: 1 }], "{}", format.name());
        let named = named(format, Received { headers: &headers, body: &body });
        let expected = (Some("evt_1"), Some("order.paid"), Some(EVENT.data));
        assert_eq!((named.id.as_deref(), named.event_type.as_deref(), named.data.as_deref()), expected);
    }
}

#[test]
fn the_age_is_that_of_the_signed_time_and_counts_both_ways() {
    let secret = made(1, &standard());
    let (headers, body) = sent(&standard(), &secret);
    let at = |now| judge(&standard(), &headers, &body, std::slice::from_ref(&secret), now);
    assert_eq!(at(NOW), Verdict { signed_by: Some(0), age_seconds: Some(10), reasons: vec![] });
    assert!(at(AT + 300).holds() && at(AT - 300).holds());
    for (now, word) in [(AT + 301, "too old"), (AT - 301, "too new")] {
        let verdict = at(now);
        assert!(verdict.signed_by == Some(0) && says(&verdict).contains(word), "{verdict:?}");
    }
    let stripe = builtin::find("stripe").unwrap();
    let secret = made(1, stripe);
    let (headers, body) = sent(stripe, &secret);
    let verdict = judge(stripe, &headers, &body, &[secret], AT + 400);
    assert_eq!(
        (verdict.signed_by, verdict.age_seconds),
        (Some(0), Some(400)),
        "it stands with the signature"
    );
    let github = builtin::find("github").unwrap();
    let secret = made(1, github);
    let (headers, body) = sent(github, &secret);
    assert_eq!(judge(github, &headers, &body, &[secret], i64::MAX).age_seconds, None, "no time is signed");
}

#[test]
fn times_of_no_sense_make_no_sense_of_the_age_and_do_no_harm() {
    let secret = made(1, &standard());
    let signer = standard().signer(&secret).unwrap().unwrap();
    for at in [0, i64::MAX / 2, i64::MAX] {
        let attempt = AttemptOnWire { timestamp_seconds: at, number: 1 };
        let rendered = standard().render(&EVENT, &attempt, &[&signer], &[], "x");
        let verdict =
            judge(&standard(), &rendered.headers, &rendered.body, std::slice::from_ref(&secret), NOW);
        assert!(!verdict.holds(), "{at}: {verdict:?}");
    }
}

#[test]
fn a_body_that_was_written_again_is_told_from_another_one() {
    let secret = made(1, &standard());
    let (headers, body) = sent(&standard(), &secret);
    let text = String::from_utf8(body).unwrap();
    let judge =
        |body: &str| judge(&standard(), &headers, body.as_bytes(), std::slice::from_ref(&secret), NOW);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let changed = text.replace("order.paid", "order.lost");
    assert_eq!(judge(&changed).reasons, [Reason::NoMatch { secrets: 1 }]);
    assert_eq!(judge(&changed).age_seconds, Some(10));
    let python = text.replace(':', ": ").replace(',', ", ");
    assert!(says(&judge(&format!("{text}\n"))).contains("without the blanks or line ends"));
    let fixed = python.replace("14: 30: 00", "14:30:00");
    assert!(says(&judge(&fixed)).contains("compact JSON"), "{}", says(&judge(&fixed)));
    assert!(value.is_object());
}

#[test]
fn what_python_and_node_make_of_a_body_is_told_though_its_data_was_published_with_blanks() {
    let event = EventOnWire { data: r#"{"order": 17, "total": 29.5, "name": "é"}"#, ..EVENT };
    let secret = made(1, &standard());
    let signer = standard().signer(&secret).unwrap().unwrap();
    let attempt = AttemptOnWire { timestamp_seconds: AT, number: 1 };
    let sent = standard().render(&event, &attempt, &[&signer], &[], "x");
    let stringify = String::from_utf8(sent.body).unwrap().replace("\": ", "\":").replace(", \"", ",\"");
    let dumps_utf8 = stringify.replace("\":", "\": ").replace(",\"", ", \"");
    let dumps = dumps_utf8.replace('é', "\\u00e9");
    for now in [stringify, dumps, dumps_utf8] {
        let verdict = judge(&standard(), &sent.headers, now.as_bytes(), std::slice::from_ref(&secret), NOW);
        assert!(says(&verdict).contains("data as it was published"), "{now}: {}", says(&verdict));
        assert_eq!(verdict.age_seconds, Some(10));
    }
}

#[test]
fn a_secret_without_its_prefix_or_with_one_too_many_is_recognised() {
    for format in [standard(), (**builtin::find("github").unwrap()).clone()] {
        let shown = made(1, &format);
        let (headers, body) = sent(&format, &shown);
        let bare = secret(&format, shown.expose().strip_prefix(PREFIX).unwrap()).unwrap();
        assert_eq!(judge(&format, &headers, &body, &[bare], NOW).reasons, [Reason::WithPrefix]);
    }
    let github = builtin::find("github").unwrap();
    let (headers, body) = sent(github, &Secret::stored("hunter2 hunter2"));
    let more = secret(github, "whsec_hunter2 hunter2").unwrap();
    assert_eq!(judge(github, &headers, &body, &[more], NOW).reasons, [Reason::WithoutPrefix]);
}

#[test]
fn every_header_that_is_missing_or_malformed_is_named() {
    let secret = made(1, &standard());
    let only = |pairs: &[(&str, &str)]| {
        let headers: Vec<_> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        says(&judge(&standard(), &headers, b"{}", std::slice::from_ref(&secret), NOW))
    };
    let three = only(&[("Webhook-Timestamp", "now")]);
    for word in
        ["webhook-id is missing", "webhook-timestamp must be unix seconds", "webhook-signature is missing"]
    {
        assert!(three.contains(word), "{three}");
    }
    let odd = only(&[
        ("webhook-id", "a"),
        ("webhook-id", "b"),
        ("webhook-timestamp", "1"),
        ("webhook-signature", "sha256=00"),
    ]);
    assert!(
        odd.contains("webhook-id is there more than once") && odd.contains("would look like v1,"),
        "{odd}"
    );
    let stripe = builtin::find("stripe").unwrap();
    let headers = [("Stripe-Signature".to_owned(), format!("time=1,v1={}", "0".repeat(64)))];
    let verdict = judge(stripe, &headers, b"{}", &[made(1, stripe)], NOW);
    assert!(says(&verdict).contains("Stripe-Signature does not have the form"), "{}", says(&verdict));
}

#[test]
fn a_secret_is_what_a_person_has_with_blanks_around_it_and_never_repeated() {
    let shown = made(1, &standard());
    assert_eq!(secret(&standard(), &format!(" {}\n", shown.expose())).unwrap().expose(), shown.expose());
    assert!(!secret(&standard(), "whsec_nonsense").unwrap_err().contains("nonsense"));
    assert!(secret(&standard(), " ").is_err());
    let none = Format::parse("none", r#"{"signature": {"scheme": "none"}, "envelope": "data"}"#).unwrap();
    assert!(secret(&none, "hunter2 hunter2").unwrap_err().contains("does not sign"));
    let keys = r#"{"signature": {"scheme": "ed25519", "header": "webhook-signature", "join": " "},
        "headers": {"id": "webhook-id", "timestamp": "webhook-timestamp"}, "envelope": "data"}"#;
    let keys = Format::parse("keys", keys).unwrap();
    let private = made(3, &keys);
    let public = keys.scheme().public_key(&private).unwrap();
    let (headers, body) = sent(&keys, &private);
    let public = secret(&keys, &public).unwrap();
    assert!(judge(&keys, &headers, &body, &[public], NOW).holds());
    assert!(secret(&keys, "whsec_AAAA").unwrap_err().contains("public key"));
}

#[test]
fn what_is_no_event_names_nothing() {
    for body in [&b"hello"[..], b"[]", b"\xff", b"{\"type\":7}"] {
        let named = named(&standard(), Received { headers: &[], body });
        assert_eq!(named, Named::default());
    }
}
