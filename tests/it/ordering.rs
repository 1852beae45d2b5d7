//! The order in which an endpoint receives, and what the next attempt looks like after a change.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::support::actions::numbers;
use crate::support::app::TestApp;
use crate::support::receiver::{Gate, Received, Receiver, Reply};

fn ids(requests: &[Arc<Received>]) -> Vec<String> {
    requests.iter().map(|request| request.header("webhook-id").expect("an id").to_owned()).collect()
}

#[test]
fn one_request_at_a_time_receives_in_the_order_of_acceptance() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_with(&receiver, "/", &json!({ "max_in_flight": 1 }));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| app.publish_many(0..50));
        }
    });
    app.settle();
    let got = ids(&receiver.received());
    let mut accepted: Vec<_> = app.list("/events").iter().map(|row| row["id"].clone()).collect();
    accepted.reverse();
    assert_eq!(got.len(), 400);
    assert_eq!(json!(got), json!(accepted));
    assert_eq!(receiver.peak(), 1);
}

#[test]
fn the_order_outlasts_memory_and_restarts() {
    let (mut app, receiver, gate) = (TestApp::with_manual_clock(), Receiver::start(), Gate::new());
    receiver.always(Reply::ok().gated(&gate));
    app.endpoint_with(&receiver, "/", &json!({ "max_in_flight": 1 }));
    app.publish_many(0..300);
    receiver.wait_in_flight(1);
    gate.let_through(1);
    receiver.wait_for(2);
    app.restart_at(&gate, 1);
    app.publish_many(300..400);
    gate.open();
    app.settle();
    assert_eq!(numbers(&receiver, "/"), (0..400).collect::<Vec<_>>());
}

#[test]
fn a_failure_lets_the_others_pass_and_comes_back_later() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.reply(Reply::status(500));
    app.endpoint_with(&receiver, "/", &json!({ "max_in_flight": 1 }));
    app.publish_many(0..5);
    app.settle();
    app.advance(Duration::from_secs(6));
    assert_eq!(numbers(&receiver, "/"), [0, 1, 2, 3, 4, 0]);
}

#[test]
fn a_changed_url_holds_for_the_very_next_attempt() {
    let (app, receiver, gate) = (TestApp::with_manual_clock(), Receiver::start(), Gate::new());
    receiver.always_on("/old", Reply::status(500).gated(&gate));
    let endpoint = app.endpoint_with(&receiver, "/old", &json!({ "max_in_flight": 1 }));
    app.publish_many(0..3);
    receiver.wait_in_flight(1);
    app.change_endpoint(&endpoint, &json!({ "url": receiver.url("/new"), "headers": { "X-New": "yes" } }));
    gate.open();
    app.settle();
    assert_eq!((numbers(&receiver, "/old"), numbers(&receiver, "/new")), (vec![0], vec![1, 2]));
    app.advance(Duration::from_secs(6));
    assert_eq!(numbers(&receiver, "/new"), [1, 2, 0]);
    assert!(receiver.received_on("/new").iter().all(|request| request.header("x-new") == Some("yes")));
}
