//! Document 000: webhooks of families. It shows no receiver and no signature, so nothing is signed and what arrives is
//! compared with its payload.

use serde_json::json;

use super::{Moved, own_headers, refuses_url, strict};
use crate::support::actions::shows;
use crate::support::app::text;
use crate::support::receiver::Reply;

const FOLDER: &str = "000_phosra";

/// "Event Types".
const TYPES: [&str; 12] = [
    "policy.updated",
    "policy.activated",
    "policy.paused",
    "enforcement.completed",
    "enforcement.failed",
    "enforcement.partial",
    "child.created",
    "child.updated",
    "compliance.verified",
    "compliance.error",
    "device.registered",
    "device.report",
];

#[test]
fn the_payload_arrives_field_for_field_and_without_a_signature() {
    let moved = Moved::to_a_new_server(FOLDER);
    shows(&moved.endpoint, &json!({ "unsigned": true, "secret": null, "warnings": [] }));
    let request = moved.deliver_example();
    assert_eq!(own_headers(&request), [""; 0]);
}

#[test]
fn a_second_delivery_is_the_same_to_the_byte_so_that_timestamp_and_ids_tell() {
    let moved = Moved::to_a_new_server(FOLDER);
    moved.receiver.reply(Reply::status(503));
    let first = moved.deliver_example();
    moved.app.settle();
    let delivery = text(&moved.history()[0], "id");
    moved.app.advance_to_retry(&delivery);
    assert_eq!(moved.receiver.next().body, first.body);
    assert_eq!(moved.app.status(&delivery), "delivered");
}

#[test]
fn a_subscription_gets_its_types_of_its_family_and_no_others() {
    let moved = Moved::to_a_new_server(FOLDER);
    let subscribed = moved.endpoint["events"].as_array().expect("a list").clone();
    for event_type in TYPES {
        let event = moved.publish(event_type, &json!({}));
        assert_eq!(event["deliveries"], usize::from(subscribed.contains(&event_type.into())), "{event_type}");
    }
    let other = json!({ "type": "child.created", "data": {}, "tenant": "another-family" });
    assert_eq!(moved.app.post("/events", &other).expect(202).json()["deliveries"], 0);
    moved.app.settle();
    assert_eq!(moved.receiver.count(), subscribed.len());
    moved.app.change_endpoint(&moved.id(), &json!({ "events": TYPES }));
    assert_eq!(moved.publish("device.report", &json!({}))["deliveries"], 1);
}

#[test]
fn five_retries_come_after_their_delays_and_then_it_has_failed_for_good() {
    let moved = Moved::to_a_new_server(FOLDER);
    moved.fail_for_good(&[60, 300, 1800, 7200, 43_200]);
}

#[test]
fn a_test_delivery_is_sent_and_the_history_shows_failures_and_the_next_retry() {
    let moved = Moved::to_a_new_server(FOLDER);
    let result = moved.app.test_endpoint(&moved.id());
    shows(&result, &json!({ "success": true, "status_code": 200 }));
    let request = moved.receiver.next();
    shows(&request.json(), &json!({ "event": "webhook.test", "family_id": moved.tenant() }));
    moved.receiver.always(Reply::status(500));
    moved.publish_example();
    moved.app.settle();
    let page = moved.app.get(&format!("/endpoints/{}/deliveries?limit=20", moved.id()));
    let rows = page["data"].as_array().expect("a list");
    shows(&rows[0], &json!({ "status": "pending", "status_code": 500, "attempts": 1 }));
    assert!(text(&rows[0], "next_retry_at") > text(&rows[0], "created_at"), "{page}");
    shows(&rows[1], &json!({ "status": "delivered", "event_type": "webhook.test", "next_retry_at": null }));
}

#[test]
fn an_answer_has_five_seconds_and_urls_are_https_in_production() {
    shows(&Moved::to_a_new_server(FOLDER).endpoint, &json!({ "timeout_seconds": 5 }));
    refuses_url(&strict(), "http://yourapp.com/webhooks/phosra");
}
