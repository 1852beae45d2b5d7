//! Deleting the data of an event: what is shown, what is sent, what is left in the file.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::problem::code;
use crate::support::receiver::{Gate, Receiver, Reply};

fn blank(app: &TestApp, id: &str) {
    app.delete(&format!("/events/{id}/data")).expect(204);
}

#[test]
fn the_payload_and_the_kept_answers_go_and_the_records_stay() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    receiver.reply(Reply::ok().header("X-Personal", "Ada").body("Dear Ada"));
    app.endpoint_at(&receiver, "/");
    let event = app.publish("test", &json!({ "name": "Ada" }));
    let (event, delivery) = (text(&event, "id"), text(&app.delivery_of(&event), "id"));
    app.settle();
    let before = app.delivery(&delivery);
    shows(&before, &json!({ "status": "delivered", "response_body": "Dear Ada" }));
    blank(&app, &event);
    let shown = app.get(&format!("/events/{event}"));
    shows(&shown, &json!({ "data": null, "type": "test", "deliveries": 1 }));
    let deleted_at = text(&shown, "data_deleted_at");
    assert!(deleted_at >= text(&shown, "created_at"), "{shown}");
    assert_eq!(app.get("/events")["data"][0]["data_deleted_at"], deleted_at.as_str());
    let null = text(&app.publish("test", &Value::Null), "id");
    shows(&app.get(&format!("/events/{null}")), &json!({ "data": null, "data_deleted_at": null }));
    let after = app.delivery(&delivery);
    shows(&after, &json!({ "status": "delivered", "request_body": null, "status_code": 200, "attempts": 1 }));
    let (attempt, whole) = (&after["attempt_list"][0], after.to_string());
    shows(attempt, &json!({ "status_code": 200, "response_body": "", "response_headers": {} }));
    assert_eq!(attempt["started_at"], before["attempt_list"][0]["started_at"]);
    assert!(!whole.contains("Ada"), "{whole}");
    blank(&app, &event);
    let lines = app.audit_of(&event);
    assert_eq!(lines.len(), 1, "{lines:?}");
    shows(&lines[0], &json!({ "action": "event.blank", "after": { "data_deleted_at": deleted_at } }));
}

#[test]
fn what_is_pending_or_held_of_it_is_canceled_and_never_sent() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.always(Reply::status(500).body("secret answer"));
    app.endpoint_with(&receiver, "/retrying", &json!({ "retry_schedule": [60] }));
    let disabled = app.endpoint_with(&receiver, "/held", &json!({}));
    app.disable(&disabled);
    let event = text(&app.publish("test", &json!("secret")), "id");
    app.settle();
    blank(&app, &event);
    for delivery in app.list(&format!("/events/{event}/deliveries")) {
        shows(&delivery, &json!({ "status": "canceled", "held_reason": null, "next_retry_at": null }));
        let refused = app.retry(&text(&delivery, "id"));
        assert_eq!(code(&refused), "not_retryable");
        assert!(refused.text().contains("deleted"), "{}", refused.text());
    }
    app.enable(&disabled);
    app.advance(Duration::from_hours(1));
    assert_eq!(receiver.count(), 1, "the attempt before");
}

#[test]
fn what_waits_in_memory_is_not_sent_either() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let gate = Gate::new();
    receiver.always(Reply::ok().gated(&gate));
    app.endpoint_with(&receiver, "/", &json!({ "max_in_flight": 1 }));
    app.publish("test", &json!(0));
    receiver.wait_in_flight(1);
    let event = text(&app.publish("test", &json!("queued")), "id");
    blank(&app, &event);
    gate.open();
    app.settle();
    assert_eq!(receiver.count(), 1);
}

#[test]
fn the_answer_of_an_attempt_that_was_under_way_is_not_kept() {
    for (reply, status) in [(Reply::ok(), "delivered"), (Reply::status(500), "canceled")] {
        let (app, receiver) = (TestApp::start(), Receiver::start());
        let gate = Gate::new();
        receiver.reply(reply.header("X-Personal", "Ada").body("Dear Ada").gated(&gate));
        app.endpoint_at(&receiver, "/");
        let event = app.publish("test", &json!("Ada"));
        let delivery = text(&app.delivery_of(&event), "id");
        receiver.wait_in_flight(1);
        blank(&app, &text(&event, "id"));
        gate.open();
        app.settle();
        let after = app.delivery(&delivery);
        shows(&after, &json!({ "status": status, "attempts": 1, "request_body": null }));
        assert!(!after.to_string().contains("Ada"), "{after}");
    }
}

#[test]
fn the_bytes_are_gone_from_the_file_and_its_log() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    receiver.always(Reply::ok().body("an-answer-with-personal-data"));
    app.endpoint_at(&receiver, "/");
    let small = text(&app.publish("test", &json!("a-small-payload-with-personal-data")), "id");
    let large = json!("a-large-payload-with-personal-data ".repeat(2_000));
    let large = text(&app.publish("test", &large), "id");
    let kept = text(&app.publish("test", &json!("a-payload-that-stays")), "id");
    app.settle();
    assert!(app.bytes_found("payload-with-personal-data") > 1_000);
    for event in [&small, &large] {
        blank(&app, event);
    }
    assert_eq!(app.bytes_found("payload-with-personal-data"), 0);
    assert_eq!(app.bytes_found("an-answer-with-personal-data"), 1, "that of the event that stays");
    assert_eq!(app.get(&format!("/events/{kept}"))["data"], "a-payload-that-stays");
}

#[test]
fn an_own_id_keeps_its_place_and_a_key_its_answer() {
    let app = TestApp::start();
    let body = json!({ "type": "a", "data": "x", "id": "order-1", "tenant": "acme" });
    let client = app.client.clone().with_header("Idempotency-Key", "k");
    let first = client.post("/api/v1/events", &body).expect(202);
    assert_eq!(app.delete("/events/order-1/data").status, 404, "of another tenant");
    app.delete("/events/order-1/data?tenant=acme").expect(204);
    let again = app.post("/events", &body);
    assert_eq!(code(&again), "id_taken");
    assert!(again.text().contains("data was deleted"), "{}", again.text());
    assert_eq!(client.post("/api/v1/events", &body).expect(202).json(), first.json());
    let shown: Value = app.get("/events/order-1?tenant=acme");
    assert_eq!(shown["data"], json!(null));
}

#[test]
fn the_event_of_a_test_can_be_blanked_as_well() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    receiver.always(Reply::ok().body("Dear Ada"));
    let endpoint = app.endpoint_at(&receiver, "/");
    let tested =
        app.post(&format!("/endpoints/{endpoint}/test"), &json!({ "data": "Ada" })).expect(200).json();
    let delivery = text(&tested, "delivery_id");
    blank(&app, &text(&app.delivery(&delivery), "event_id"));
    assert!(!app.delivery(&delivery).to_string().contains("Ada"));
    assert_eq!(code(&app.retry(&delivery)), "not_retryable");
}
