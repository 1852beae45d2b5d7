//! What replays send: to the right endpoint, as often as was asked for, also over a restart.

use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::problem::code;
use crate::support::receiver::{Gate, Receiver, Reply};

const SINCE: &str = "2020-01-01T00:00:00Z";

impl TestApp {
    /// Waits until a replay is over; how it ended.
    #[track_caller]
    pub fn replay_done(&self, id: &str) -> Value {
        let replay = self.eventually("the replay ends", |app| {
            let replay = app.get(&format!("/replays/{id}"));
            (!replay["ended_at"].is_null()).then_some(replay)
        });
        self.settle();
        replay
    }

    /// Replays an endpoint to the end; how that ended.
    #[track_caller]
    fn replay(&self, endpoint: &str, fields: &Value) -> Value {
        let mut body = json!({ "since": SINCE });
        for (name, value) in fields.as_object().expect("fields") {
            body[name] = value.clone();
        }
        let made = self.post(&format!("/endpoints/{endpoint}/replay"), &body).expect(202).json();
        self.replay_done(&text(&made, "id"))
    }

    #[track_caller]
    fn replay_event(&self, event: &Value, body: &Value) -> usize {
        let path = format!("/events/{}/replay", text(event, "id"));
        let answer = self.post(&path, body).expect(202).json();
        assert_eq!(answer.as_object().map(serde_json::Map::len), Some(1), "{answer}");
        self.settle();
        usize::try_from(answer["deliveries"].as_u64().expect("a number")).expect("a small one")
    }

    fn deliveries_of(&self, event: &Value) -> Vec<Value> {
        self.list(&format!("/events/{}/deliveries", text(event, "id")))
    }
}

fn world() -> (TestApp, Receiver, String) {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let endpoint = app.endpoint_with(&receiver, "/a", &json!({ "retry_schedule": [] }));
    (app, receiver, endpoint)
}

#[test]
fn what_failed_is_sent_again_in_the_same_delivery() {
    let (app, receiver, endpoint) = world();
    for _ in 0..3 {
        receiver.reply(Reply::status(500));
    }
    let ids: Vec<_> = (0..4)
        .map(|n| {
            let id = app.send(&json!({ "n": n }));
            app.settle();
            id
        })
        .collect();
    let dry = app.replay(&endpoint, &json!({ "dry_run": true }));
    shows(&dry, &json!({ "status": "done", "examined": 3, "matched": 3, "done": 0 }));
    assert_eq!(receiver.count(), 4, "a dry run sends nothing");
    let replay = app.replay(&endpoint, &json!({}));
    shows(&replay, &json!({ "status": "done", "examined": 3, "matched": 3, "done": 3 }));
    assert_eq!(receiver.count(), 7);
    for id in &ids[..3] {
        shows(&app.delivery(id), &json!({ "status": "delivered", "attempts": 2, "replay_of": null }));
    }
    shows(&app.delivery(&ids[3]), &json!({ "attempts": 1 }));
    shows(&app.replay(&endpoint, &json!({})), &json!({ "matched": 0 }));
}

#[test]
fn what_was_delivered_is_sent_again_as_new_deliveries_with_the_same_webhook_id() {
    let (app, receiver, endpoint) = world();
    let (one, two) = (app.publish("a.b", &json!(1)), app.publish("x", &json!(2)));
    app.settle();
    let replay = app.replay(&endpoint, &json!({ "status": "delivered", "events": ["a.*"] }));
    shows(&replay, &json!({ "examined": 2, "matched": 1, "done": 1 }));
    let deliveries = app.deliveries_of(&one);
    assert_eq!(deliveries.len(), 2);
    shows(&deliveries[0], &json!({ "status": "delivered", "replay_of": deliveries[1]["id"] }));
    assert_eq!(app.deliveries_of(&two).len(), 1);
    let ids: Vec<_> = receiver.received_on("/a").iter().map(|request| request.json()["id"].clone()).collect();
    assert_eq!(ids.iter().filter(|id| **id == one["id"]).count(), 2);
}

#[test]
fn what_is_missing_is_sent_by_what_the_endpoint_wants_now() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let before: Vec<_> = (0..3).map(|n| app.publish("a.b", &json!({ "n": n, "vip": n == 1 }))).collect();
    let fields = json!({ "events": ["a.b"], "filters": { "vip": true } });
    let endpoint = app.endpoint_with(&receiver, "/late", &fields);
    app.test_endpoint(&endpoint);
    app.publish("a.b", &json!({ "vip": true }));
    app.settle();
    assert_eq!(receiver.count(), 2);
    let replay = app.replay(&endpoint, &json!({ "status": "missing" }));
    shows(&replay, &json!({ "matched": 1, "done": 1 }));
    assert_eq!(receiver.count(), 3);
    shows(&app.delivery_of(&before[1]), &json!({ "status": "delivered", "replay_of": null }));
    shows(&app.replay(&endpoint, &json!({ "status": "missing" })), &json!({ "done": 0 }));
}

#[test]
fn a_replay_goes_on_after_a_restart() {
    let (mut app, receiver, endpoint) = world();
    for _ in 0..600 {
        receiver.reply(Reply::status(500));
    }
    app.publish_many(0..600);
    app.settle();
    let made =
        app.post(&format!("/endpoints/{endpoint}/replay"), &json!({ "since": SINCE })).expect(202).json();
    app.restart();
    let replay = app.replay_done(&text(&made, "id"));
    shows(&replay, &json!({ "status": "done", "matched": 600, "done": 600 }));
    let delivered = app.list("/deliveries?status=delivered");
    assert_eq!(delivered.len(), 600);
    assert!(delivered.iter().all(|delivery| delivery["attempts"] == 2));
}

#[test]
fn a_deleted_endpoint_ends_its_replay() {
    let (app, receiver, endpoint) = world();
    app.disable(&endpoint);
    app.publish_many(0..3);
    app.enable(&endpoint);
    app.settle();
    let gate = Gate::new();
    receiver.always(Reply::ok().gated(&gate));
    let made = app
        .post(&format!("/endpoints/{endpoint}/replay"), &json!({ "since": SINCE, "status": "delivered" }))
        .expect(202)
        .json();
    app.delete_endpoint(&endpoint);
    gate.open();
    let replay = app.replay_done(&text(&made, "id"));
    assert!(replay["status"] == "canceled" || replay["done"] == 3, "{replay}");
    app.post(&format!("/endpoints/{endpoint}/replay"), &json!({ "since": SINCE })).expect(404);
}

#[test]
fn an_event_is_delivered_again_to_all_that_match_now() {
    let (app, receiver, first) = world();
    let event = app.publish("a", &json!(1));
    app.settle();
    let second = app.endpoint_with(&receiver, "/b", &json!({}));
    app.endpoint_with(&receiver, "/c", &json!({ "events": ["other"] }));
    let held = app.endpoint_with(&receiver, "/d", &json!({ "enabled": false }));
    app.endpoint_with(&receiver, "/e", &json!({ "enabled": false, "while_disabled": "skip" }));
    assert_eq!(app.replay_event(&event, &json!({})), 3);
    let of = |endpoint: &str| -> Vec<Value> {
        app.deliveries_of(&event).into_iter().filter(|row| row["endpoint_id"] == endpoint).collect()
    };
    let (old, new) = (&of(&first)[1], &of(&first)[0]);
    shows(new, &json!({ "status": "delivered", "replay_of": old["id"] }));
    shows(&of(&second)[0], &json!({ "status": "delivered", "replay_of": null }));
    shows(&of(&held)[0], &json!({ "status": "held", "held_reason": "endpoint_disabled" }));
    assert_eq!(receiver.count(), 3);
    assert_eq!(app.audit_of(&text(&event, "id"))[0]["after"], json!({ "endpoint": null, "deliveries": 3 }));
}

#[test]
fn an_event_is_delivered_again_to_the_one_endpoint_that_is_named() {
    let (app, receiver, first) = world();
    let own = app.create_endpoint(&json!({ "url": receiver.url("/b"), "events": ["other"], "uid": "mine" }));
    let event = app.post("/events", &json!({ "type": "a", "data": 1, "id": "order-1" })).expect(202).json();
    app.settle();
    assert_eq!(app.replay_event(&event, &json!({ "endpoint": "mine" })), 1);
    assert_eq!(app.replay_event(&event, &json!({ "endpoint": first })), 1);
    assert_eq!(app.replay_event(&event, &json!({ "endpoint": first })), 1);
    assert_eq!((receiver.received_on("/a").len(), receiver.received_on("/b").len()), (3, 1));
    let foreign = app.create_endpoint(&json!({ "url": receiver.url("/"), "tenant": "acme" }));
    app.post("/events/order-1/replay", &json!({ "endpoint": foreign["id"] })).expect(404);
    app.post("/events/order-2/replay", &json!({})).expect(404);
    app.post("/events/order-1/replay", &json!({ "endpoints": 1 })).expect(422);
    app.disable(&text(&own, "id"));
    let refused = app.post("/events/order-1/replay", &json!({ "endpoint": "mine" })).expect(409);
    assert_eq!(code(&refused), "not_replayable");
}

#[test]
fn an_event_is_delivered_again_once_for_each_idempotency_key() {
    let (app, receiver, _endpoint) = world();
    let event = app.publish("a", &json!(1));
    let path = format!("/api/v1/events/{}/replay", text(&event, "id"));
    for replayed in [None, Some("true"), Some("true")] {
        let answer = app.client.request("POST", &path, &[("Idempotency-Key", "k")], None).expect(202);
        assert_eq!((answer.header("Idempotent-Replayed"), answer.text()), (replayed, "{\"deliveries\":1}"));
    }
    app.settle();
    assert_eq!(receiver.count(), 2);
}
