//! Disabled endpoints: what is held for them, and what becomes of it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::actions::{numbers, shows};
use crate::support::app::{TestApp, text};
use crate::support::receiver::{Gate, Receiver, Reply};

const MANY: usize = 1_300;

/// An endpoint with one request at a time, which waits at a gate; more events wait behind it.
fn blocked(events: usize) -> (TestApp, Receiver, Gate, String) {
    let (app, receiver, gate) = (TestApp::with_manual_clock(), Receiver::start(), Gate::new());
    receiver.always(Reply::ok().gated(&gate));
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "max_in_flight": 1 }));
    app.publish_many(0..events);
    receiver.wait_in_flight(1);
    (app, receiver, gate, endpoint)
}

/// Waits until so many deliveries have this status.
#[track_caller]
fn wait_for_status(app: &TestApp, status: &str, count: usize) -> Vec<Value> {
    app.eventually(&format!("{count} {status}"), |app| {
        let rows = app.list(&format!("/deliveries?status={status}"));
        (rows.len() == count).then_some(rows)
    })
}

#[test]
fn thousands_are_held_at_once_and_released_in_order_at_the_endpoints_pace() {
    let (app, receiver, gate, endpoint) = blocked(MANY);
    let ids: Vec<_> = app.list("/deliveries").iter().map(|row| text(row, "id")).collect();
    app.disable(&endpoint);
    for id in [&ids[0], &ids[MANY / 2], &ids[MANY - 2], &ids[MANY - 1]] {
        shows(&app.delivery(id), &json!({ "status": "held", "held_reason": "endpoint_disabled" }));
    }
    app.publish_many(MANY..MANY + 5);
    wait_for_status(&app, "held", MANY + 5);
    gate.open();
    app.settle();
    assert_eq!(app.status(&ids[MANY - 1]), "delivered", "what was in flight when it was disabled");
    assert_eq!(receiver.count(), 1);

    app.change_endpoint(&endpoint, &json!({ "max_in_flight": 1 }));
    app.enable(&endpoint);
    for id in [&ids[0], &ids[MANY / 2]] {
        assert_ne!(app.status(id), "held", "at once");
    }
    app.publish_many(MANY + 5..MANY + 10);
    receiver.wait_for(MANY + 10);
    app.settle();
    assert_eq!(numbers(&receiver, "/"), (0..MANY + 10).collect::<Vec<_>>(), "in order, each once");
    assert_eq!(receiver.peak(), 1);
    assert_eq!(app.list("/deliveries?status=delivered").len(), MANY + 10);
}

#[test]
fn disabling_takes_effect_for_the_very_next_attempt() {
    let (app, receiver, gate, endpoint) = blocked(20);
    app.disable(&endpoint);
    gate.open();
    app.settle();
    assert_eq!(receiver.count(), 1);
    wait_for_status(&app, "held", 19);
}

#[test]
fn a_failure_in_flight_while_its_endpoint_is_disabled_is_held() {
    let (app, receiver, gate) = (TestApp::with_manual_clock(), Receiver::start(), Gate::new());
    receiver.always(Reply::status(500).gated(&gate));
    let endpoint = app.endpoint_at(&receiver, "/");
    let delivery = app.send(&json!(1));
    receiver.wait_in_flight(1);
    app.disable(&endpoint);
    gate.open();
    app.settle();
    shows(&app.delivery(&delivery), &json!({ "status": "held", "attempts": 1, "next_retry_at": null }));
}

#[test]
fn an_enabled_endpoint_gets_a_new_round_for_each_that_was_held() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.always(Reply::status(500));
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": [10] }));
    let delivery = app.send(&json!(1));
    app.settle();
    app.disable(&endpoint);
    shows(&app.delivery(&delivery), &json!({ "status": "held", "next_retry_at": null }));
    app.advance(Duration::from_hours(1));
    assert_eq!(receiver.count(), 1);
    app.enable(&endpoint);
    app.settle();
    shows(&app.delivery(&delivery), &json!({ "status": "pending", "attempts": 2 }));
    app.advance(Duration::from_secs(11));
    let over = app.delivery(&delivery);
    shows(&over, &json!({ "status": "failed", "attempts": 3 }));
    let rounds: Vec<_> =
        over["attempt_list"].as_array().expect("a list").iter().map(|a| &a["round"]).collect();
    assert_eq!(rounds, [1, 2, 2]);
}

#[test]
fn what_is_discarded_is_canceled_and_what_comes_after_is_sent() {
    let (app, receiver, gate, endpoint) = blocked(600);
    app.disable(&endpoint);
    gate.open();
    app.settle();
    let oldest = text(wait_for_status(&app, "held", 599).last().expect("held ones"), "id");
    app.post(&format!("/endpoints/{endpoint}/enable"), &json!({ "held": "discard" })).expect(200);
    assert_eq!(app.status(&oldest), "canceled", "at once");
    app.publish_many(600..605);
    app.settle();
    wait_for_status(&app, "canceled", 599);
    app.settle();
    assert_eq!(numbers(&receiver, "/"), [0, 600, 601, 602, 603, 604]);
}

#[test]
fn deleting_an_endpoint_cancels_what_is_pending_and_keeps_it_readable() {
    let (app, receiver, gate, endpoint) = blocked(300);
    let ids: Vec<_> = app.list("/deliveries").iter().map(|row| text(row, "id")).collect();
    app.delete_endpoint(&endpoint);
    assert_eq!((app.status(&ids[0]), app.status(&ids[298])), ("canceled".to_owned(), "canceled".to_owned()));
    gate.open();
    app.settle();
    wait_for_status(&app, "canceled", 299);
    assert_eq!((receiver.count(), app.status(&ids[299])), (1, "delivered".to_owned()));
    app.retry(&ids[0]).expect(409);
    assert_eq!(app.publish("test", &json!(1))["deliveries"], 0);
}

#[test]
fn a_failure_in_flight_while_its_endpoint_is_deleted_is_canceled() {
    let (app, receiver, gate) = (TestApp::with_manual_clock(), Receiver::start(), Gate::new());
    receiver.always(Reply::status(500).gated(&gate));
    let endpoint = app.endpoint_at(&receiver, "/");
    let delivery = app.send(&json!(1));
    receiver.wait_in_flight(1);
    app.delete_endpoint(&endpoint);
    gate.open();
    app.settle();
    shows(&app.delivery(&delivery), &json!({ "status": "canceled", "attempts": 1 }));
    app.advance(Duration::from_hours(1));
    assert_eq!(receiver.count(), 1);
}

#[test]
fn an_endpoint_that_skips_gets_no_deliveries_while_it_is_disabled() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "while_disabled": "skip", "enabled": false }));
    shows(&app.endpoint(&endpoint), &json!({ "enabled": false, "disabled_reason": "manual" }));
    assert_eq!(app.publish("test", &json!({ "n": 1 }))["deliveries"], 0);
    app.enable(&endpoint);
    assert_eq!(app.publish("test", &json!({ "n": 2 }))["deliveries"], 1);
    app.settle();
    assert_eq!(numbers(&receiver, "/"), [2]);
}

#[test]
fn an_endpoint_made_disabled_holds_until_it_is_patched() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "enabled": false }));
    let delivery = app.send(&json!({ "n": 1 }));
    shows(&app.delivery(&delivery), &json!({ "status": "held", "held_reason": "endpoint_disabled" }));
    app.retry(&delivery).expect(409);
    app.change_endpoint(&endpoint, &json!({ "enabled": true }));
    app.settle();
    assert_eq!(app.status(&delivery), "delivered");
}

#[test]
fn changing_ones_mind_quickly_loses_nothing_and_sends_nothing_twice() {
    let (app, receiver, gate, endpoint) = blocked(600);
    for _ in 0..5 {
        app.disable(&endpoint);
        app.enable(&endpoint);
    }
    gate.open();
    receiver.wait_for(600);
    app.settle();
    assert_eq!(numbers(&receiver, "/"), (0..600).collect::<Vec<_>>());
    assert_eq!(app.list("/deliveries?status=delivered").len(), 600);
}

#[test]
fn a_change_to_many_goes_on_after_a_restart() {
    let (mut app, receiver, gate, endpoint) = blocked(MANY);
    app.disable(&endpoint);
    gate.open();
    app.restart();
    wait_for_status(&app, "held", MANY - 1);
    app.enable(&endpoint);
    app.restart();
    receiver.wait_for(MANY);
    app.settle();
    assert_eq!(numbers(&receiver, "/"), (0..MANY).collect::<Vec<_>>());
}
