//! Document 003: a generic API with a receiver in Express, which verifies the body that it has parsed and written again,
//! and one in Flask, which verifies the body as it came.

use serde_json::{Value, json};

use super::{Moved, own_headers};
use crate::support::actions::shows;
use crate::support::app::text;
use crate::support::foreign::{Judge, all_judge};
use crate::support::receiver::Reply;

const FOLDER: &str = "003_generic";
const SECRET: &str = "whsec_abc123...";

fn receivers() -> [Judge; 2] {
    ["003_generic/receiver.js", "003_generic/receiver.py"].map(Judge::receiver)
}

#[test]
fn both_receivers_of_the_document_accept_what_is_right_and_nothing_else() {
    let moved = Moved::to_a_new_server(FOLDER);
    let request = moved.deliver_example();
    assert_eq!(own_headers(&request), ["x-webhook-signature"]);
    let secrets = (SECRET, "whsec_abc124...");
    all_judge(&receivers(), &request, secrets, "X-Webhook-Signature", ("John", "Jane"));
}

#[test]
fn the_receiver_in_express_accepts_data_however_it_is_written() {
    let moved = Moved::to_a_new_server(FOLDER);
    for data in [
        r#"{ "a" : 1 ,"b": [ 1 , 2 ] }"#,
        r#"{"total": 12.0, "big": 1e21, "long": 12345678901234567890, "none": -0, "over": 1e400, "least": 5e-324}"#,
        r#"{"url": "https:\/\/example.com", "name": "Ren\u00e9e", "raw": "Renée \u2028"}"#,
        r#"{"10": 1, "9": 2, "b": 3, "a": 4, "-1": 5, "01": 6}"#,
        r#"{"__proto__": {"admin": true}, "constructor": 1, "toJSON": 2}"#,
        r#"{"a": 1, "b": 2, "a": 3}"#,
        r#"{"half": "\ud83d", "other": "\ude00", "both": "\ud83d\ude00"}"#,
        "[ 1.50, null, \"\" ]",
        "12.0",
    ] {
        let event = format!(r#"{{"type":"user.created","data":{data}}}"#);
        moved.app.publish_text(&event);
        let request = moved.receiver.next();
        for receiver in receivers() {
            let verdict = receiver.judge(&request, SECRET);
            assert!(verdict.accepts(), "{receiver:?}, {data}: {verdict:?}");
        }
    }
}

#[test]
fn a_secret_of_ones_own_is_answered_as_it_is_and_active_is_enabled() {
    let moved = Moved::to_a_new_server(FOLDER);
    let expected = json!({
        "secret": SECRET, "enabled": true, "events": ["user.created", "user.updated", "project.created"],
        "created_at": "2026-02-23T14:30:00.000Z",
    });
    shows(&moved.endpoint, &expected);
    moved.app.change_endpoint(&moved.id(), &json!({ "enabled": false }));
    moved.publish_example();
    moved.app.settle();
    assert_eq!(moved.receiver.count(), 0, "not while it is inactive");
    moved.app.change_endpoint(&moved.id(), &json!({ "enabled": true }));
    moved.receiver.wait_for(1);
}

#[test]
fn the_first_of_five_attempts_is_immediate_and_then_it_has_failed() {
    Moved::to_a_new_server(FOLDER).fail_for_good(&[30, 300, 1800, 7200]);
}

#[test]
fn the_history_shows_what_was_delivered_and_the_error_of_what_was_not() {
    let moved = Moved::to_a_new_server(FOLDER);
    moved.publish_example();
    moved.app.settle();
    moved.receiver.reply(Reply::status(500));
    let second = moved.publish("user.updated", &json!({ "id": "user_123" }));
    moved.app.settle();
    // A kept connection that ends before an answer gets another try on a fresh one, in the same attempt.
    moved.receiver.reply(Reply::close());
    moved.receiver.reply(Reply::close());
    moved.publish("project.created", &json!({}));
    moved.app.settle();
    let rows = moved.history();
    let delivered = json!({
        "event_id": "evt_abc123", "status": "delivered", "status_code": 200, "attempts": 1, "error": null,
        "delivered_at": "2026-02-23T14:30:00.000Z",
    });
    shows(&rows[2], &delivered);
    shows(
        &rows[1],
        &json!({ "event_id": second["id"], "status": "pending", "status_code": 500, "attempts": 1 }),
    );
    assert!(text(&rows[1], "error").contains("500"), "{}", rows[1]);
    shows(&rows[0], &json!({ "status_code": null, "delivered_at": null }));
    assert!(text(&rows[0], "error").contains("connection"), "{}", rows[0]);
}

#[test]
fn a_test_is_verified_like_any_other_delivery() {
    let moved = Moved::to_a_new_server(FOLDER);
    shows(&moved.app.test_endpoint(&moved.id()), &json!({ "success": true, "error": Value::Null }));
    let data = json!({ "type": "user.created", "data": { "id": "user_test", "name": "Test User" } });
    moved.app.post(&format!("/endpoints/{}/test", moved.id()), &data).expect(200);
    for request in moved.receiver.wait_for(2) {
        for receiver in receivers() {
            let verdict = receiver.judge(&request, SECRET);
            assert!(verdict.accepts(), "{receiver:?}: {verdict:?}");
        }
    }
    shows(&moved.receiver.received()[1].json(), &data);
}
