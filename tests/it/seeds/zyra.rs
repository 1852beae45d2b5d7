//! Document 002: webhooks of organisations, with a dashboard.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Moved, own_headers, refuses_url, strict};
use crate::support::actions::shows;
use crate::support::app::text;
use crate::support::foreign::{Judge, all_judge};
use crate::support::problem::code;
use crate::support::receiver::Reply;

const FOLDER: &str = "002_zyra";

/// "The event catalogue".
const TYPES: [&str; 18] = [
    "device.online",
    "device.offline",
    "device.approved",
    "device.removed",
    "virtual_server.created",
    "virtual_server.started",
    "virtual_server.stopped",
    "virtual_server.terminated",
    "virtual_server.error",
    "job.queued",
    "job.started",
    "job.completed",
    "job.failed",
    "sla.breach.started",
    "sla.breach.resolved",
    "invoice.generated",
    "invoice.paid",
    "payment.failed",
];

fn receivers() -> [Judge; 2] {
    ["002_zyra/receiver.py", "002_zyra/receiver.js"].map(Judge::receiver)
}

#[test]
fn both_receivers_of_the_document_accept_what_is_right_and_nothing_else() {
    let moved = Moved::to_a_new_server(FOLDER);
    let request = moved.deliver_example();
    assert_eq!(own_headers(&request), ["x-zyra-event", "x-zyra-signature"]);
    let secret = moved.secret();
    let secrets = (secret.as_str(), "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=");
    all_judge(&receivers(), &request, secrets, "X-Zyra-Signature", ("backup-17", "backup-18"));
    for receiver in receivers() {
        assert_eq!(receiver.judge(&request, &secret).text, "job.completed", "the event's type in its header");
    }
}

#[test]
fn a_secret_of_32_bytes_is_made_and_shown_once() {
    let moved = Moved::to_a_new_server(FOLDER);
    let secret = moved.secret();
    let bytes = data_encoding::BASE64.decode(secret.strip_prefix("whsec_").expect("its prefix").as_bytes());
    assert_eq!(bytes.expect("base64").len(), 32);
    let id = moved.id();
    moved.app.test_endpoint(&id);
    let changed = moved.app.change_endpoint(&id, &json!({ "description": "prod" }));
    for shown in [changed, moved.app.endpoint(&id), moved.app.get("/endpoints"), moved.app.get("/audit")] {
        assert!(!shown.to_string().contains(&secret[6..]), "{shown}");
    }
}

#[test]
fn an_organisation_has_ten_endpoints_and_the_eleventh_is_refused() {
    let moved = Moved::to_a_new_server(FOLDER);
    let fields = json!({ "url": moved.receiver.url("/"), "tenant": "acme" });
    for _ in 1..10 {
        moved.app.create_endpoint(&fields);
    }
    let refused = moved.app.post("/endpoints", &fields);
    assert_eq!((refused.status, code(&refused).as_str()), (409, "endpoint_limit_reached"));
    moved.app.create_endpoint(&json!({ "url": moved.receiver.url("/"), "tenant": "globex" }));
}

#[test]
fn only_what_is_on_the_list_of_events_arrives() {
    let moved = Moved::to_a_new_server(FOLDER);
    for event_type in TYPES {
        moved.publish(event_type, &json!({}));
    }
    moved.app.settle();
    let mut arrived: Vec<String> = moved.history().iter().map(|row| text(row, "event_type")).collect();
    arrived.reverse();
    assert_eq!(arrived, ["virtual_server.started", "virtual_server.stopped", "job.completed"]);
}

#[test]
fn five_attempts_are_made_from_two_seconds_on_and_counted_at_the_endpoint() {
    let moved = Moved::to_a_new_server(FOLDER);
    shows(&moved.app.endpoint(&moved.id()), &json!({ "failure_count": 0, "last_failure_at": null }));
    let over = moved.fail_for_good(&[2, 4, 8, 16]);
    let attempts = over["attempt_list"].as_array().expect("a list");
    let last = text(&attempts[4], "started_at");
    let endpoint = moved.app.endpoint(&moved.id());
    shows(&endpoint, &json!({ "failure_count": 5, "health": "failing", "last_failure_at": last }));
    moved.receiver.always(Reply::ok());
    moved.publish_example();
    moved.app.settle();
    shows(&moved.app.endpoint(&moved.id()), &json!({ "failure_count": 0, "health": "ok" }));
}

#[test]
fn each_row_of_the_history_shows_type_attempts_status_and_2_kb_of_the_answer() {
    let moved = Moved::to_a_new_server(FOLDER);
    moved.receiver.reply(Reply::status(201).body("y".repeat(5000)));
    moved.publish_example();
    moved.app.settle();
    let row = moved.history().remove(0);
    let expected = json!({
        "event_type": "job.completed", "attempts": 1, "status_code": 201, "status": "delivered",
        "response_body": "y".repeat(2048),
    });
    shows(&row, &expected);
}

#[test]
fn anything_but_2xx_counts_as_a_failure() {
    let moved = Moved::to_a_new_server(FOLDER);
    for (n, status) in [301, 400, 401, 404, 500, 503].into_iter().enumerate() {
        moved.receiver.reply(Reply::status(status));
        moved.publish("job.completed", &json!(n));
        moved.app.settle();
        shows(&moved.history()[0], &json!({ "status": "pending", "status_code": status }));
    }
    assert_eq!(moved.app.endpoint(&moved.id())["failure_count"], 6);
}

#[test]
fn a_test_event_has_a_sample_payload_that_the_receivers_verify() {
    let moved = Moved::to_a_new_server(FOLDER);
    shows(&moved.app.test_endpoint(&moved.id()), &json!({ "success": true, "status_code": 200 }));
    let request = moved.receiver.next();
    for receiver in receivers() {
        assert_eq!(receiver.judge(&request, &moved.secret()).text, "webhook.test");
    }
    assert!(request.json().as_object().is_some_and(|sample| !sample.is_empty()), "{:?}", request.json());
}

#[test]
fn what_was_done_to_an_endpoint_is_in_the_audit_log() {
    let moved = Moved::to_a_new_server(FOLDER);
    let id = moved.id();
    moved.app.change_endpoint(&id, &json!({ "description": "dev ops bus" }));
    moved.app.post(&format!("/endpoints/{id}/rotate-secret"), &json!({ "overlap_seconds": 0 })).expect(200);
    moved.app.disable(&id);
    moved.app.delete_endpoint(&id);
    let lines = moved.app.list(&format!("/audit?target={id}"));
    let actions: Vec<Value> = lines.iter().rev().map(|line| line["action"].clone()).collect();
    let expected = ["create", "change", "rotate_secret", "disable", "delete"];
    assert_eq!(actions, expected.map(|action| json!(format!("endpoint.{action}"))));
    let change = &lines[3];
    assert_eq!(
        (&change["before"]["description"], &change["after"]["description"]),
        (&json!("prod ops bus"), &json!("dev ops bus"))
    );
}

#[test]
fn deliveries_are_removed_after_thirty_days() {
    let moved = Moved::to_a_new_server(FOLDER);
    let delivery = text(&moved.app.delivery_of(&moved.publish_example()), "id");
    let cleanup = || moved.app.post("/cleanups", &json!({})).expect(200).json();
    moved.app.advance(Duration::from_hours(24 * 30 - 1));
    cleanup();
    assert_eq!(moved.app.status(&delivery), "delivered");
    moved.app.advance(Duration::from_hours(2));
    assert_eq!(cleanup()["deliveries"], 1);
    moved.app.client.get(&format!("/api/v1/deliveries/{delivery}")).expect(404);
}

#[test]
fn loopback_is_refused_and_an_answer_has_ten_seconds() {
    let app = strict();
    for url in ["https://localhost/", "https://127.0.0.1/"] {
        refuses_url(&app, url);
    }
    assert_eq!(Moved::to_a_new_server(FOLDER).endpoint["timeout_seconds"], 10);
}
