//! `POST /endpoints/{id}/test`.

use std::time::Duration;

use serde_json::json;

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::receiver::{Gate, Receiver, Reply};

#[test]
fn a_test_is_sent_at_once_and_recorded_whatever_the_subscription() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "events": [] }));
    receiver.reply(Reply::status(201).body("thanks"));
    let result = app.test_endpoint(&endpoint);
    shows(&result, &json!({ "success": true, "status_code": 201, "error": null, "response_body": "thanks" }));
    assert!(result["duration_ms"].is_u64());
    let request = receiver.next();
    assert_eq!(request.json()["type"], "webhook.test");
    let delivery = app.delivery(&text(&result, "delivery_id"));
    shows(
        &delivery,
        &json!({ "status": "delivered", "attempts": 1, "event_type": "webhook.test", "test": true }),
    );
    assert_eq!(delivery["attempt_list"][0]["response_body"], "thanks");
    assert_eq!(delivery["event_id"].as_str(), request.header("webhook-id"));

    let fields = json!({ "type": "invoice.paid", "data": { "amount": 1 } });
    app.post(&format!("/endpoints/{endpoint}/test"), &fields).expect(200);
    shows(&receiver.next().json(), &json!({ "type": "invoice.paid", "data": { "amount": 1 } }));
}

#[test]
fn a_test_that_fails_is_not_retried_and_does_not_count_for_health() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let endpoint = app.endpoint_at(&receiver, "/");
    app.change_settings(&json!({ "disable_after_failures": 1, "disable_after_hours": 0 }));
    receiver.always(Reply::status(410).body("no"));
    let result = app.test_endpoint(&endpoint);
    shows(&result, &json!({ "success": false, "status_code": 410, "response_body": "no" }));
    assert!(text(&result, "error").contains("410"));
    shows(&app.delivery(&text(&result, "delivery_id")), &json!({ "status": "failed", "attempts": 1 }));
    shows(
        &app.endpoint(&endpoint),
        &json!({ "enabled": true, "health": "ok", "failure_count": 0, "last_failure_at": null }),
    );
    app.advance(Duration::from_hours(100));
    assert_eq!(receiver.count(), 1);
}

#[test]
fn a_disabled_endpoint_can_be_tested_and_one_without_an_answer_says_why() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "enabled": false }));
    shows(&app.test_endpoint(&endpoint), &json!({ "success": true }));
    app.change_endpoint(&endpoint, &json!({ "timeout_seconds": 1 }));
    receiver.always(Reply::hang());
    let result = app.test_endpoint(&endpoint);
    shows(&result, &json!({ "success": false, "status_code": null, "response_body": null }));
    assert!(text(&result, "error").contains("timed out"), "{result}");
    shows(&app.endpoint(&endpoint), &json!({ "enabled": false, "failure_count": 0 }));
}

#[test]
fn one_test_at_a_time_goes_beside_all_caps() {
    let (app, receiver, gate) = (TestApp::with_manual_clock(), Receiver::start(), Gate::new());
    receiver.always(Reply::ok().gated(&gate));
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "max_in_flight": 1, "rate_limit": 1 }));
    app.publish_many(0..3);
    receiver.wait_in_flight(1);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| app.test_endpoint(&endpoint));
        receiver.wait_in_flight(2);
        let refused = app.post(&format!("/endpoints/{endpoint}/test"), &json!({})).expect(429);
        assert_eq!(refused.json()["code"], "too_many_tests");
        assert!(refused.header("retry-after").is_some());
        gate.open();
        assert_eq!(running.join().expect("an answer")["success"], true);
    });
    assert_eq!(app.test_endpoint(&endpoint)["success"], true, "the next one may go");
}

#[test]
fn a_test_to_where_nothing_may_go_says_which_rule_forbids_it() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    let made = app.create_endpoint(&json!({ "url": "http://nowhere.invalid/", "events": ["*"] }));
    let result = app.test_endpoint(&text(&made, "id"));
    shows(&result, &json!({ "success": false, "status_code": null }));
    assert!(text(&result, "error").contains("nowhere.invalid"), "{result}");
}
