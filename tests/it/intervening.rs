//! What a person does to one delivery: retry it, cancel it, in each status and during an attempt.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::receiver::{Gate, Receiver, Reply};

/// A delivery of an endpoint with one retry after 10 s; the receiver answers with these statuses, then 200.
fn delivery(statuses: &[u16]) -> (TestApp, Receiver, String, String) {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    for status in statuses {
        receiver.reply(Reply::status(*status));
    }
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": [10] }));
    let delivery = app.send(&json!(1));
    app.settle();
    (app, receiver, endpoint, delivery)
}

fn rounds(delivery: &Value) -> Vec<u64> {
    let attempts = delivery["attempt_list"].as_array().expect("a list");
    attempts.iter().filter_map(|attempt| attempt["round"].as_u64()).collect()
}

#[test]
fn a_pending_delivery_is_sent_now_and_its_round_goes_on() {
    let (app, receiver, _, id) = delivery(&[500, 500]);
    shows(&app.retry(&id).expect(202).json(), &json!({ "id": id, "status": "pending" }));
    app.settle();
    let seen = app.delivery(&id);
    shows(&seen, &json!({ "status": "failed", "attempts": 2, "next_retry_at": null }));
    assert_eq!(rounds(&seen), [1, 1]);
    app.advance(Duration::from_hours(1));
    assert_eq!(receiver.count(), 2, "the retry that was due is gone");
}

#[test]
fn a_failed_delivery_gets_a_new_round() {
    let (app, _receiver, endpoint, id) = delivery(&[500, 500, 500]);
    app.advance(Duration::from_secs(11));
    assert_eq!(app.status(&id), "failed");
    app.retry(&id).expect(202);
    app.settle();
    shows(&app.delivery(&id), &json!({ "status": "pending", "attempts": 3 }));
    app.advance(Duration::from_secs(11));
    let seen = app.delivery(&id);
    shows(&seen, &json!({ "status": "delivered", "attempts": 4, "error": null }));
    assert_eq!(rounds(&seen), [1, 1, 2, 2]);
    shows(&app.endpoint(&endpoint), &json!({ "health": "ok" }));
}

#[test]
fn a_canceled_delivery_can_be_sent_after_all() {
    let (app, receiver, _, id) = delivery(&[500]);
    shows(&app.cancel(&id).expect(202).json(), &json!({ "status": "canceled", "next_retry_at": null }));
    app.advance(Duration::from_hours(1));
    assert_eq!(receiver.count(), 1);
    app.cancel(&id).expect(409);
    app.retry(&id).expect(202);
    app.settle();
    let seen = app.delivery(&id);
    shows(&seen, &json!({ "status": "delivered", "attempts": 2 }));
    assert_eq!(rounds(&seen), [1, 2]);
}

#[test]
fn a_delivered_one_is_sent_again_as_a_new_delivery() {
    let (app, receiver, endpoint, id) = delivery(&[]);
    app.cancel(&id).expect(409);
    let again = app.retry(&id).expect(202).json();
    assert_ne!(text(&again, "id"), id);
    shows(&again, &json!({ "replay_of": id, "endpoint_id": endpoint }));
    app.settle();
    shows(&app.delivery(&id), &json!({ "status": "delivered", "attempts": 1 }));
    shows(
        &app.delivery(&text(&again, "id")),
        &json!({ "status": "delivered", "attempts": 1, "replay_of": id }),
    );
    let both = receiver.received();
    assert_eq!(both.len(), 2);
    assert_eq!(both[0].header("webhook-id"), both[1].header("webhook-id"));
    assert_eq!(app.list(&format!("/events/{}/deliveries", text(&again, "event_id"))).len(), 2);
}

#[test]
fn a_held_one_is_not_retried_and_can_be_canceled() {
    let (app, receiver, endpoint, id) = delivery(&[500]);
    app.disable(&endpoint);
    let refused = app.retry(&id).expect(409).json();
    assert!(text(&refused, "detail").contains("enable"), "{refused}");
    app.cancel(&id).expect(202);
    app.enable(&endpoint);
    app.settle();
    assert_eq!((receiver.count(), app.status(&id)), (1, "canceled".to_owned()));
}

#[test]
fn nothing_of_a_deleted_endpoint_is_retried() {
    let (app, receiver, endpoint, delivered) = delivery(&[]);
    app.delete_endpoint(&endpoint);
    let refused = app.retry(&delivered).expect(409).json();
    assert!(text(&refused, "detail").contains("deleted"), "{refused}");
    assert_eq!(receiver.count(), 1);
}

#[test]
fn what_is_in_flight_is_not_retried() {
    let (app, receiver, gate) = (TestApp::with_manual_clock(), Receiver::start(), Gate::new());
    receiver.always(Reply::ok().gated(&gate));
    app.endpoint_at(&receiver, "/");
    let id = app.send(&json!(1));
    receiver.wait_in_flight(1);
    app.retry(&id).expect(409);
    gate.open();
    app.settle();
    shows(&app.delivery(&id), &json!({ "status": "delivered", "attempts": 1 }));
    assert_eq!(receiver.count(), 1);
}

#[test]
fn a_cancel_during_an_attempt_wins_over_a_later_retry_and_not_over_a_success() {
    for (status, becomes) in [(500, "canceled"), (410, "canceled"), (200, "delivered")] {
        let (app, receiver, gate) = (TestApp::with_manual_clock(), Receiver::start(), Gate::new());
        receiver.always(Reply::status(status).gated(&gate));
        app.endpoint_at(&receiver, "/");
        let id = app.send(&json!(1));
        receiver.wait_in_flight(1);
        app.cancel(&id).expect(202);
        assert_eq!(app.status(&id), "canceled");
        gate.open();
        app.settle();
        shows(&app.delivery(&id), &json!({ "status": becomes, "attempts": 1, "next_retry_at": null }));
        app.advance(Duration::from_hours(1));
        assert_eq!(receiver.count(), 1);
    }
}

#[test]
fn what_is_canceled_while_it_waits_in_the_queue_is_never_sent() {
    let (app, receiver, gate) = (TestApp::with_manual_clock(), Receiver::start(), Gate::new());
    receiver.always(Reply::ok().gated(&gate));
    app.endpoint_with(&receiver, "/", &json!({ "max_in_flight": 1 }));
    app.send(&json!(0));
    receiver.wait_in_flight(1);
    let waiting: Vec<_> = (1..10).map(|n| app.send(&json!(n))).collect();
    for id in &waiting[1..] {
        app.cancel(id).expect(202);
    }
    gate.open();
    app.settle();
    assert_eq!(receiver.count(), 2);
    shows(&app.delivery(&waiting[5]), &json!({ "status": "canceled", "attempts": 0, "attempt_list": [] }));
}

#[test]
fn a_retry_by_hand_goes_before_what_waits() {
    let (app, receiver, gate) = (TestApp::with_manual_clock(), Receiver::start(), Gate::new());
    receiver.always(Reply::ok().gated(&gate));
    app.endpoint_with(&receiver, "/", &json!({ "max_in_flight": 1 }));
    let all: Vec<_> = (0..10).map(|n| app.send(&json!(n))).collect();
    receiver.wait_in_flight(1);
    app.retry(&all[9]).expect(202);
    gate.open();
    app.settle();
    let data: Vec<_> = receiver.received().iter().map(|request| request.json()["data"].clone()).collect();
    assert_eq!(data, [0, 9, 1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn whatever_people_do_at_once_every_attempt_is_recorded_and_every_delivery_ends() {
    const EACH: usize = 120;
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": vec![60; 20] }));
    app.change_settings(&json!({ "disable_after_failures": 0, "disable_after_hours": 0 }));
    for n in 0..3 * EACH {
        receiver.reply(if n % 3 == 0 { Reply::ok() } else { Reply::status(500) });
    }
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| app.publish_many(0..EACH));
        }
        scope.spawn(|| {
            for _ in 0..20 {
                app.disable(&endpoint);
                app.change_endpoint(&endpoint, &json!({ "max_in_flight": 3 }));
                app.enable(&endpoint);
            }
        });
        scope.spawn(|| {
            for _ in 0..15 {
                for row in app.list("/deliveries?status=pending").iter().step_by(7) {
                    app.retry(&text(row, "id"));
                }
                for row in app.list("/deliveries?status=retrying").iter().take(1) {
                    app.cancel(&text(row, "id"));
                }
            }
        });
    });
    for _ in 0..25 {
        app.advance(Duration::from_secs(67));
    }
    // A retry that came when it was delivered already has made another delivery.
    let rows = app.list("/deliveries");
    assert_eq!(rows.iter().filter(|row| row["replay_of"].is_null()).count(), 2 * EACH);
    let (mut recorded, mut sent) = (BTreeMap::<String, u64>::new(), BTreeMap::<String, u64>::new());
    for row in &rows {
        assert!(["delivered", "canceled"].contains(&text(row, "status").as_str()), "{row}");
        *recorded.entry(text(row, "event_id")).or_default() += row["attempts"].as_u64().expect("a number");
    }
    for request in receiver.received() {
        *sent.entry(request.header("webhook-id").expect("an id").to_owned()).or_default() += 1;
    }
    recorded.retain(|_, attempts| *attempts > 0);
    assert_eq!(recorded, sent);
}
