//! Document 001: webhooks of apps, with scopes. It shows no receiver; its rule is the header `x-krafter-signature`, which
//! is read here as what the platform's other webhooks are: the hexadecimal HMAC-SHA256 of the body under the secret.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Moved, own_headers, refuses_url, strict};
use crate::support::actions::shows;
use crate::support::app::text;
use crate::support::client::Client;
use crate::support::mac;
use crate::support::problem::code;
use crate::support::receiver::Reply;

const FOLDER: &str = "001_krafter";

/// "Coming soon".
const RESERVED: [&str; 5] = [
    "notification.delivered",
    "notification.clicked",
    "notification.failed",
    "subscriber.registered",
    "subscriber.unsubscribed",
];

/// Who has a key with this scope for the app.
fn with_scope(moved: &Moved, scope: &str) -> Client {
    let key = json!({ "name": scope, "scopes": [scope], "tenant": moved.tenant() });
    let key = moved.app.post("/keys", &key).expect(201).json();
    Client::tcp(moved.app.address()).with_key(&text(&key, "key"))
}

#[test]
fn the_payload_is_signed_in_the_header_of_the_document() {
    let moved = Moved::to_a_new_server(FOLDER);
    let request = moved.deliver_example();
    assert_eq!(own_headers(&request), ["x-krafter-signature"]);
    let signature = request.header("x-krafter-signature").expect("a signature");
    assert_eq!(moved.secret(), "whsec_a1b2c3d4e5f6g7h8i9j0");
    assert_eq!(signature, mac::sha256_hex("whsec_a1b2c3d4e5f6g7h8i9j0", &request.body));
    assert_ne!(signature, mac::sha256_hex("whsec_a1b2c3d4e5f6g7h8i9j1", &request.body), "another secret");
    let changed = String::from_utf8_lossy(&request.body).replace("1200", "1201");
    assert_ne!(signature, mac::sha256_hex("whsec_a1b2c3d4e5f6g7h8i9j0", changed.as_bytes()), "another body");
}

#[test]
fn without_a_secret_the_header_is_missing_altogether() {
    let moved = Moved::to_a_new_server(FOLDER);
    let made = moved.app.change_endpoint(&moved.id(), &json!({ "secret": "" }));
    assert_eq!(made["unsigned"], true);
    assert_eq!(own_headers(&moved.deliver_example()), [""; 0]);
    moved.app.change_endpoint(&moved.id(), &json!({ "secret": "another secret of theirs" }));
    moved.publish_example();
    let request = moved.receiver.next();
    let signature = mac::sha256_hex("another secret of theirs", &request.body);
    assert_eq!(request.header("x-krafter-signature"), Some(signature.as_str()), "replaced at once");
}

#[test]
fn a_key_for_reading_lists_and_only_one_for_writing_changes() {
    let moved = Moved::to_a_new_server(FOLDER);
    let (reader, writer) = (with_scope(&moved, "endpoints:read"), with_scope(&moved, "endpoints:write"));
    let one = format!("/api/v1/endpoints/{}", moved.id());
    let fields = json!({ "url": moved.receiver.url("/second"), "format": "krafter" });
    for refused in [
        reader.post("/api/v1/endpoints", &fields),
        reader.send_json("PATCH", &one, &json!({ "enabled": false })),
        reader.delete(&one),
        writer.get("/api/v1/endpoints"),
    ] {
        assert_eq!((refused.status, code(&refused).as_str()), (403, "insufficient_scope"));
    }
    moved.app.create_endpoint(&json!({ "url": moved.receiver.url("/"), "tenant": "another-app" }));
    let list = reader.get("/api/v1/endpoints").expect(200).json();
    let listed = list["data"].as_array().expect("a list");
    assert_eq!(listed.len(), 1, "those of its app alone: {list}");
    shows(
        &listed[0],
        &json!({
            "id": moved.id(), "tenant": moved.tenant(), "url": moved.receiver.url("/webhooks/push"),
            "events": ["notification.sent"], "enabled": true, "failure_count": 0,
            "created_at": "2026-02-23T14:30:00.000Z", "updated_at": "2026-02-23T14:30:00.000Z",
        }),
    );
    let made = writer.post("/api/v1/endpoints", &fields).expect(201).json();
    shows(&made, &json!({ "enabled": true, "events": [], "tenant": moved.tenant() }));
    assert_eq!(writer.delete(&format!("/api/v1/endpoints/{}", text(&made, "id"))).expect(204).text(), "");
}

#[test]
fn without_events_nothing_fires_and_the_answer_says_so() {
    let moved = Moved::to_a_new_server(FOLDER);
    moved.app.delete_endpoint(&moved.id());
    let fields = json!({ "url": moved.receiver.url("/"), "tenant": moved.tenant(), "format": "krafter", "secret": "" });
    let made = moved.app.create_endpoint(&fields);
    let warnings = made["warnings"].as_array().expect("a list");
    assert!(warnings.iter().any(|warning| warning.to_string().contains("events")), "{made}");
    assert_eq!(moved.publish_example()["deliveries"], 0);
    moved.app.change_endpoint(&text(&made, "id"), &json!({ "events": ["notification.sent"] }));
    assert_eq!(moved.publish_example()["deliveries"], 1);
}

#[test]
fn an_update_changes_what_is_given_and_a_disabled_webhook_gets_nothing_later_either() {
    let moved = Moved::to_a_new_server(FOLDER);
    let before = moved.app.endpoint(&moved.id());
    moved.app.advance(Duration::from_hours(1));
    let change = json!({ "events": ["notification.sent"], "enabled": false });
    let answer = moved.app.change_endpoint(&moved.id(), &change);
    shows(
        &answer,
        &json!({ "enabled": false, "updated_at": "2026-02-23T15:30:00.000Z", "disabled_reason": "manual" }),
    );
    let mut after = moved.app.endpoint(&moved.id());
    for field in ["enabled", "updated_at", "disabled_reason", "disabled_at", "health"] {
        after[field] = before[field].clone();
    }
    assert_eq!(after, before, "nothing else");
    assert_eq!(moved.publish_example()["deliveries"], 0);
    moved.app.change_endpoint(&moved.id(), &json!({ "enabled": true }));
    moved.app.settle();
    assert_eq!(moved.receiver.count(), 0, "what was sent meanwhile is not made up for");
    moved.publish_example();
    let request = moved.receiver.next();
    let signature = mac::sha256_hex(&moved.secret(), &request.body);
    assert_eq!(request.header("x-krafter-signature"), Some(signature.as_str()), "the secret was kept");
}

#[test]
fn after_a_delete_nothing_is_sent_not_even_what_was_to_be_retried() {
    let moved = Moved::to_a_new_server(FOLDER);
    moved.receiver.reply(Reply::status(500));
    let delivery = text(&moved.app.delivery_of(&moved.publish_example()), "id");
    moved.app.settle();
    moved.app.delete_endpoint(&moved.id());
    assert_eq!(moved.publish_example()["deliveries"], 0);
    moved.app.advance(Duration::from_hours(24));
    assert_eq!((moved.receiver.count(), moved.app.status(&delivery).as_str()), (1, "canceled"));
    moved.app.client.get(&format!("/api/v1/endpoints/{}", moved.id())).expect(404);
}

#[test]
fn reserved_names_are_taken_in_events_and_not_emitted() {
    let moved = Moved::to_a_new_server(FOLDER);
    for name in RESERVED {
        moved.app.put_event_type(name, &json!({ "reserved": true, "group": "push" })).expect(201);
    }
    let mut events = RESERVED.to_vec();
    events.push("notification.sent");
    let answer = moved.app.change_endpoint(&moved.id(), &json!({ "events": events }));
    assert_eq!(answer["events"], json!(events));
    for name in RESERVED {
        let event = json!({ "type": name, "data": Value::Null, "tenant": moved.tenant() });
        assert_eq!(code(&moved.app.post("/events", &event).expect(422)), "reserved_event_type");
    }
    moved.deliver_example();
    assert_eq!(moved.receiver.count(), 1);
}

#[test]
fn a_failure_is_counted_at_the_webhook() {
    let moved = Moved::to_a_new_server(FOLDER);
    moved.receiver.reply(Reply::status(500));
    moved.publish_example();
    moved.app.settle();
    assert_eq!(moved.app.endpoint(&moved.id())["failure_count"], 1);
}

#[test]
fn urls_that_lead_inside_are_refused() {
    let app = strict();
    for url in [
        "http://example.com/webhooks/push",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://192.168.0.1/",
        "https://169.254.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://printer.local/",
        "https://metadata.google.internal/",
    ] {
        refuses_url(&app, url);
    }
}
