//! Replacing a secret: both sign for a while, then the new one alone.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::client::Response;
use crate::support::mac;
use crate::support::problem::{code, fields};
use crate::support::receiver::Receiver;

const OWN: &str = "whsec_MDEyMzQ1Njc4OUFCQ0RFRjAxMjM0NTY3ODlBQkNERUY=";

fn rotate(app: &TestApp, endpoint: &str, body: &Value) -> Response {
    app.post(&format!("/endpoints/{endpoint}/rotate-secret"), body)
}

/// An endpoint with these fields; its id and its secret.
fn endpoint(app: &TestApp, receiver: &Receiver, more: &Value) -> (String, String) {
    let mut fields = json!({ "url": receiver.url("/"), "events": ["*"] });
    for (name, value) in more.as_object().expect("fields") {
        fields[name] = value.clone();
    }
    let made = app.create_endpoint(&fields);
    (text(&made, "id"), made["secret"].as_str().unwrap_or_default().to_owned())
}

/// The signatures of the next request.
fn signatures(app: &TestApp, receiver: &Receiver) -> String {
    app.publish("a", &json!(1));
    receiver.next().header("webhook-signature").unwrap_or_default().to_owned()
}

/// Those that these secrets make of the request that came last, in this order.
fn expected(receiver: &Receiver, secrets: &[&str]) -> String {
    let request = receiver.received().pop().expect("a request");
    secrets.iter().map(|secret| mac::standard(secret, &request)).collect::<Vec<_>>().join(" ")
}

fn secrets_in_file(app: &TestApp) -> i64 {
    let file = rusqlite::Connection::open(app.data().join("postrider.db")).expect("the database");
    file.query_row("SELECT count(*) FROM endpoint_secrets", [], |row| row.get(0)).expect("a number")
}

#[test]
fn both_secrets_sign_for_the_overlap_and_then_the_new_one_alone() {
    let (mut app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let (id, old) = endpoint(&app, &receiver, &json!({}));
    assert_eq!(app.endpoint(&id)["last_rotation"], Value::Null);
    let rotated = rotate(&app, &id, &json!({ "overlap_seconds": 3600 })).expect(200).json();
    let new = text(&rotated, "secret");
    assert!(new != old && new.starts_with("whsec_"));
    let last = json!({
        "rotated_at": "2026-02-23T14:30:00.000Z", "old_secret_expires_at": "2026-02-23T15:30:00.000Z",
    });
    shows(&rotated, &json!({ "id": id, "last_rotation": last, "warnings": [] }));
    assert_eq!(signatures(&app, &receiver), expected(&receiver, &[&new, &old]));
    app.restart();
    app.advance(Duration::from_secs(3599));
    assert_eq!(signatures(&app, &receiver), expected(&receiver, &[&new, &old]));
    app.advance(Duration::from_secs(1));
    assert_eq!(signatures(&app, &receiver), expected(&receiver, &[&new]));
    let shown = app.endpoint(&id);
    assert_eq!(shown["last_rotation"], last, "also when it is over");
    assert!(shown.get("secret").is_none());
    let audit = Value::from(app.audit_of(&id));
    assert_eq!(audit[1]["action"], "endpoint.rotate_secret");
    assert_eq!(audit[1]["after"], json!({ "secret": "replaced", "overlap_seconds": 3600 }));
    assert!(!audit.to_string().contains("whsec_"), "{audit}");
}

#[test]
fn a_day_is_the_overlap_when_none_is_named_and_zero_ends_the_old_secret_at_once() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let (id, _) = endpoint(&app, &receiver, &json!({}));
    let rotated = app.client.request("POST", &format!("/api/v1/endpoints/{id}/rotate-secret"), &[], None);
    let until = rotated.expect(200).json()["last_rotation"]["old_secret_expires_at"].clone();
    assert_eq!(until, "2026-02-24T14:30:00.000Z");
    let now = rotate(&app, &id, &json!({ "secret": OWN, "overlap_seconds": 0 })).expect(200).json();
    shows(&now, &json!({ "secret": OWN }));
    assert_eq!(now["last_rotation"]["old_secret_expires_at"], now["last_rotation"]["rotated_at"]);
    assert_eq!(signatures(&app, &receiver), expected(&receiver, &[OWN]));
    assert_eq!(secrets_in_file(&app), 1);
}

#[test]
fn a_replaced_secret_counts_as_a_rotation_without_overlap() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let (id, _) = endpoint(&app, &receiver, &json!({}));
    app.change_endpoint(&id, &json!({ "secret": OWN }));
    let at = "2026-02-23T14:30:00.000Z";
    let last = json!({ "rotated_at": at, "old_secret_expires_at": at });
    assert_eq!(app.endpoint(&id)["last_rotation"], last);
    assert_eq!(signatures(&app, &receiver), expected(&receiver, &[OWN]));
}

#[test]
fn a_format_that_carries_one_signature_takes_the_new_secret_alone() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let (id, _) = endpoint(&app, &receiver, &json!({ "format": "github" }));
    let refused = rotate(&app, &id, &json!({ "overlap_seconds": 1 })).expect(422);
    assert_eq!(fields(&refused), ["overlap_seconds"]);
    let new = text(&rotate(&app, &id, &json!({})).expect(200).json(), "secret");
    app.publish("a", &json!(1));
    let signature = format!("sha256={}", mac::sha256_hex(&new, b"1"));
    assert_eq!(receiver.next().header("x-hub-signature-256"), Some(signature.as_str()));
    let (id, old) = endpoint(&app, &receiver, &json!({ "format": "stripe", "tenant": "s" }));
    let new = text(&rotate(&app, &id, &json!({})).expect(200).json(), "secret");
    app.post("/events", &json!({ "type": "a", "data": 1, "tenant": "s" })).expect(202);
    let request = receiver.next();
    let header = request.header("stripe-signature").expect("signatures");
    let time = header.strip_prefix("t=").and_then(|rest| rest.split(',').next()).expect("a time");
    let message = [time.as_bytes(), b".", &request.body].concat();
    let (new, old) = (mac::sha256_hex(&new, &message), mac::sha256_hex(&old, &message));
    assert_eq!(header, format!("t={time},v1={new},v1={old}"));
}

#[test]
fn wrong_fields_are_named_and_no_secret_is_repeated() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let (id, _) = endpoint(&app, &receiver, &json!({}));
    for (body, expected) in [
        (json!({ "secret": "short", "overlap_seconds": -1 }), vec!["secret", "overlap_seconds"]),
        (json!({ "secret": "", "overlap_seconds": 604_801 }), vec!["secret", "overlap_seconds"]),
        (json!({ "secret": 1, "overlap_seconds": "a", "x": 1 }), vec!["secret", "overlap_seconds", "x"]),
        (json!({ "secret": "whsec_very-private" }), vec!["secret"]),
    ] {
        let refused = rotate(&app, &id, &body).expect(422);
        assert_eq!(fields(&refused), expected, "{body}");
        assert!(!refused.text().contains("very-private"), "{}", refused.text());
    }
    let bare = json!({ "signature": { "scheme": "none" }, "envelope": "data" });
    app.put_format("bare", &bare).expect(201);
    let (id, _) = endpoint(&app, &receiver, &json!({ "format": "bare" }));
    assert_eq!(fields(&rotate(&app, &id, &json!({})).expect(422)), ["secret"]);
    rotate(&app, "ep_0000000000000", &json!({})).expect(404);
    assert_eq!(app.endpoint(&id)["last_rotation"], Value::Null);
}

#[test]
fn asymmetric_keys_overlap_as_well() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let asymmetric = json!({
        "signature": { "scheme": "ed25519", "header": "webhook-signature", "join": " " },
        "headers": { "id": "webhook-id", "timestamp": "webhook-timestamp" }, "envelope": "data",
    });
    app.put_format("asymmetric", &asymmetric).expect(201);
    let (id, _) = endpoint(&app, &receiver, &json!({ "format": "asymmetric" }));
    let old = text(&app.endpoint(&id), "public_key");
    assert_eq!(fields(&rotate(&app, &id, &json!({ "secret": OWN })).expect(422)), ["secret"]);
    let rotated = rotate(&app, &id, &json!({})).expect(200).json();
    assert!(rotated.get("secret").is_none());
    let new = text(&rotated, "public_key");
    assert_ne!(new, old);
    let header = signatures(&app, &receiver);
    let request = receiver.received().pop().expect("a request");
    let (first, second) = header.split_once(' ').expect("two signatures");
    assert!(mac::ed25519(&new, &request, first) && mac::ed25519(&old, &request, second), "{header}");
}

#[test]
fn secrets_that_have_ended_are_deleted_and_a_sixth_at_a_time_is_refused() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let (id, first) = endpoint(&app, &receiver, &json!({}));
    let short = json!({ "overlap_seconds": 60 });
    let mut made = vec![first];
    made.extend((0..4).map(|_| text(&rotate(&app, &id, &short).expect(200).json(), "secret")));
    let refused = rotate(&app, &id, &short).expect(409);
    assert_eq!(code(&refused), "too_many_secrets");
    assert!(refused.text().contains("from 2026-02-23T14:31:00.000Z on"), "{}", refused.text());
    let newest: Vec<&str> = made.iter().rev().map(String::as_str).collect();
    assert_eq!(signatures(&app, &receiver), expected(&receiver, &newest), "all sign as long as was said");
    assert_eq!(secrets_in_file(&app), 5);
    app.advance(Duration::from_mins(1));
    rotate(&app, &id, &short).expect(200);
    assert_eq!(secrets_in_file(&app), 2, "the next rotation takes them away");
    app.advance(Duration::from_mins(1));
    app.post("/cleanups", &json!({})).expect(200);
    assert_eq!(secrets_in_file(&app), 1, "and so does a cleanup");
    assert_eq!(signatures(&app, &receiver).split(' ').count(), 1);
}

/// What the API says of the last rotation, and when it says that the secret before stops signing.
fn rotated_and_expires(app: &TestApp, id: &str) -> (String, String) {
    let last = &app.endpoint(id)["last_rotation"];
    (text(last, "rotated_at"), text(last, "old_secret_expires_at"))
}

#[test]
fn a_change_that_cannot_carry_the_secret_before_ends_the_overlap_and_says_so() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let joined = json!({
        "signature": { "scheme": "hmac-sha256-hex", "header": "x-sig", "join": "," }, "envelope": "data",
    });
    app.put_format("joined", &joined).expect(201);
    let changes = [
        (json!({ "format": "stripe" }), json!({ "format": "github" })),
        (json!({ "format": "stripe" }), json!({ "secret": "" })),
        (json!({ "format": "joined", "secret": "no whsec, first" }), json!({ "format": "standard" })),
    ];
    for (n, (before, change)) in changes.into_iter().enumerate() {
        let (id, _) = endpoint(&app, &receiver, &before);
        app.advance(Duration::from_mins(1));
        // The new one fits `standard`, the one before does not.
        rotate(&app, &id, &json!({ "secret": OWN })).expect(200);
        app.advance(Duration::from_mins(1));
        let now = format!("2026-02-23T14:{}:00.000Z", 30 + 2 * (n + 1));
        let answer = app.patch(&format!("/endpoints/{id}"), &change).expect(200).json();
        let told = answer["warnings"].to_string();
        assert!(told.contains("the overlap of the last rotation has ended"), "{change}: {told}");
        let (rotated, expires) = rotated_and_expires(&app, &id);
        assert_eq!(expires, now, "{change}");
        assert!(rotated < expires, "{change}");
        let again = app.patch(&format!("/endpoints/{id}"), &json!({ "format": "github" })).expect(200).json();
        assert!(!again["warnings"].to_string().contains("overlap"), "once is enough: {again}");
    }
    let (id, _) = endpoint(&app, &receiver, &json!({ "format": "joined" }));
    let rotated = rotate(&app, &id, &json!({})).expect(200).json();
    let kept = app.patch(&format!("/endpoints/{id}"), &json!({ "format": "standard" })).expect(200).json();
    assert_eq!(kept["warnings"], json!([]), "both fit");
    assert_eq!(kept["last_rotation"], rotated["last_rotation"]);
}

#[test]
fn a_format_keeps_its_join_while_an_endpoint_rotates() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let format = |join: Value| json!({ "signature": { "scheme": "hmac-sha256-hex", "header": "x-sig", "join": join }, "envelope": "data" });
    app.put_format("joined", &format(json!(","))).expect(201);
    let (id, _) = endpoint(&app, &receiver, &json!({ "format": "joined" }));
    rotate(&app, &id, &json!({ "overlap_seconds": 60 })).expect(200);
    let refused = app.put_format("joined", &format(Value::Null)).expect(409);
    assert_eq!(
        (code(&refused).as_str(), fields(&refused)),
        ("format_does_not_fit", vec!["signature.join".to_owned()])
    );
    assert!(
        refused.text().contains(&id) && refused.text().contains("2026-02-23T14:31:00.000Z"),
        "{}",
        refused.text()
    );
    app.put_format("joined", &format(json!(";"))).expect(200);
    app.advance(Duration::from_mins(1));
    app.put_format("joined", &format(Value::Null)).expect(200);
}

#[test]
fn the_secret_that_signs_is_not_rotated_to() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let (id, _) = endpoint(&app, &receiver, &json!({ "secret": OWN }));
    let refused = rotate(&app, &id, &json!({ "secret": OWN })).expect(422);
    assert_eq!(fields(&refused), ["secret"]);
    assert!(!refused.text().contains(OWN), "{}", refused.text());
    assert_eq!(app.endpoint(&id)["last_rotation"], Value::Null);
}

#[test]
fn a_secret_that_is_removed_is_audited_as_such() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let (id, _) = endpoint(&app, &receiver, &json!({ "format": "github" }));
    for (secret, word) in [(json!(""), "removed"), (json!(OWN), "replaced")] {
        app.change_endpoint(&id, &json!({ "secret": secret }));
        let lines = app.audit_of(&id);
        let newest = lines.iter().find(|line| line["after"]["secret"] == word);
        assert!(newest.is_some(), "{word}: {lines:?}");
    }
}
