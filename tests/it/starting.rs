//! What waits at a start is sent, and memory does not limit how much may wait.

use std::time::Duration;

use serde_json::json;

use crate::support::actions::{numbers, shows};
use crate::support::app::TestApp;
use crate::support::receiver::{Gate, Receiver, Reply};

#[test]
fn what_is_due_is_sent_after_a_start_within_each_endpoints_caps() {
    let (mut app, receiver, gate) = (TestApp::with_manual_clock(), Receiver::start(), Gate::new());
    receiver.always(Reply::ok().gated(&gate));
    app.endpoint_with(&receiver, "/one", &json!({ "max_in_flight": 1 }));
    app.endpoint_with(&receiver, "/four", &json!({ "max_in_flight": 4 }));
    app.publish_many(0..200);
    receiver.wait_in_flight(5);
    let started = receiver.count();
    app.restart_at(&gate, 5);
    receiver.wait_in_flight(5);
    assert_eq!(receiver.count(), 2 * started, "no stampede");
    gate.open();
    app.settle();
    assert_eq!((receiver.peak_on("/one"), receiver.peak_on("/four")), (1, 4));
    assert_eq!(numbers(&receiver, "/one"), (0..200).collect::<Vec<_>>());
    let mut all = numbers(&receiver, "/four");
    all.sort_unstable();
    assert_eq!(all, (0..200).collect::<Vec<_>>());
}

#[test]
fn a_scheduled_retry_outlasts_restarts_and_is_late_by_nothing_but_the_downtime() {
    let (mut app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.always(Reply::status(500));
    app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": [3600, 3600] }));
    let delivery = app.send(&json!(1));
    app.settle();
    let due = app.delivery(&delivery)["next_retry_at"].clone();
    for _ in 0..3 {
        app.restart();
        shows(&app.delivery(&delivery), &json!({ "status": "pending", "next_retry_at": due }));
        app.advance(Duration::from_mins(19));
    }
    assert_eq!(receiver.count(), 1);
    app.advance(Duration::from_mins(10));
    assert_eq!(receiver.count(), 2);
    app.stop();
    app.clock().advance(Duration::from_hours(2));
    app.restart();
    app.settle();
    assert_eq!(receiver.count(), 3, "due while it was down");
    shows(&app.delivery(&delivery), &json!({ "status": "failed", "attempts": 3 }));
}

#[test]
fn an_attempt_that_ends_during_the_stop_is_recorded() {
    let (mut app, receiver, gate) = (TestApp::with_manual_clock(), Receiver::start(), Gate::new());
    receiver.always(Reply::ok().gated(&gate));
    app.endpoint_at(&receiver, "/");
    let delivery = app.send(&json!(1));
    receiver.wait_in_flight(1);
    app.restart_at(&gate, 1);
    app.settle();
    shows(&app.delivery(&delivery), &json!({ "status": "delivered", "attempts": 1 }));
    assert_eq!(receiver.count(), 1);
}

#[test]
fn a_disabled_endpoint_stays_disabled_and_a_new_key_of_settings_stays() {
    let (mut app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let endpoint = app.endpoint_at(&receiver, "/");
    app.change_settings(&json!({ "retry_schedule": [7] }));
    app.disable(&endpoint);
    let held = app.send(&json!(1));
    app.restart();
    app.settle();
    assert_eq!((receiver.count(), app.status(&held)), (0, "held".to_owned()));
    assert_eq!(app.get("/settings")["retry_schedule"], json!([7]));
    app.enable(&endpoint);
    app.settle();
    assert_eq!(app.status(&held), "delivered");
}

#[test]
fn more_than_fits_into_memory_is_delivered_once_in_order_and_delays_nobody() {
    const MANY: usize = 1_200;
    let (app, receiver, gate) = (TestApp::with_manual_clock(), Receiver::start(), Gate::new());
    receiver.always_on("/slow", Reply::ok().gated(&gate));
    app.endpoint_with(&receiver, "/slow", &json!({ "max_in_flight": 1, "events": ["large"] }));
    app.endpoint_with(&receiver, "/calm", &json!({ "events": ["small"] }));
    // Some 36 MB, of which 16 are kept in memory.
    let filler = "x".repeat(30_000);
    for n in 0..MANY {
        app.publish("large", &json!({ "n": n, "filler": filler }));
        if n % 100 == 0 {
            app.publish("small", &json!({ "n": n }));
            receiver.wait_for_path("/calm", n / 100 + 1);
        }
    }
    assert_eq!(receiver.count_on("/slow"), 1);
    gate.let_through(600);
    receiver.wait_for_path("/slow", 600);
    for n in MANY..MANY + 20 {
        app.publish("large", &json!({ "n": n, "filler": filler }));
    }
    gate.open();
    app.settle();
    assert_eq!(numbers(&receiver, "/slow"), (0..MANY + 20).collect::<Vec<_>>());
    assert_eq!(receiver.peak_on("/slow"), 1);
}
