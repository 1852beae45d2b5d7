//! The calls about replays: what they refuse, what they answer, whom they serve.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::client::Client;
use crate::support::problem::{code, fields};
use crate::support::receiver::{Gate, Receiver, Reply};

const SINCE: &str = "2020-01-01T00:00:00Z";

fn world() -> (TestApp, Receiver, String) {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": [], "uid": "mine" }));
    (app, receiver, endpoint)
}

#[test]
fn a_wrong_replay_is_refused_with_every_wrong_field() {
    let (app, _receiver, endpoint) = world();
    let path = format!("/endpoints/{endpoint}/replay");
    let wrong = |body: Value, expected: &[&str]| {
        let answer = app.post(&path, &body).expect(422);
        assert_eq!(fields(&answer), expected, "{body}");
    };
    wrong(json!({}), &["since"]);
    wrong(
        json!({ "since": "today", "status": "pending", "dry_run": "yes", "from": 1 }),
        &["since", "status", "dry_run", "from"],
    );
    wrong(json!({ "since": SINCE, "until": SINCE, "events": [] }), &["until", "events"]);
    wrong(json!({ "since": SINCE, "events": ["a..b"] }), &["events[0]"]);
    app.client.request("POST", &format!("/api/v1{path}"), &[], None).expect(415);
    app.post("/endpoints/ep_0000000000000/replay", &json!({ "since": SINCE })).expect(404);
    let answer = app.post(&format!("{path}?since=1"), &json!({ "since": SINCE })).expect(400);
    assert_eq!(code(&answer), "invalid_query");
}

#[test]
fn a_replay_is_answered_as_the_reference_says_and_can_be_looked_up() {
    let (app, _receiver, endpoint) = world();
    let body = json!({ "since": SINCE, "status": "missing", "events": ["a.*"], "dry_run": true });
    let made = app.post("/endpoints/mine/replay", &body).expect(202).json();
    shows(
        &made,
        &json!({ "endpoint_id": endpoint, "tenant": "default", "status": "running", "replayed_status": "missing",
            "since": "2020-01-01T00:00:00.000Z", "until": null, "events": ["a.*"], "dry_run": true, "examined": 0,
            "matched": 0, "done": 0, "blanked": 0, "pruned": 0, "reason": null, "ended_at": null }),
    );
    let id = text(&made, "id");
    assert!(id.starts_with("rpl_"));
    let done = app.replay_done(&id);
    shows(&done, &json!({ "id": id, "status": "done" }));
    for list in ["/replays", "/replays?endpoint=mine", "/replays?tenant=default"] {
        assert_eq!(app.list(list), std::slice::from_ref(&done), "{list}");
    }
    assert_eq!(app.list("/replays?tenant=nobody"), [] as [Value; 0]);
    let canceled = app.post(&format!("/replays/{id}/cancel"), &json!({})).expect(202).json();
    shows(&canceled, &json!({ "status": "done", "reason": null }));
    app.client.get("/api/v1/replays/rpl_0000000000000").expect(404);
    app.client.get("/api/v1/replays/x").expect(404);
    app.client.get("/api/v1/replays?status=done").expect(400);
    assert_eq!(app.audit_of(&id)[0]["action"], "endpoint.replay");
}

#[test]
fn one_replay_at_a_time_goes_on_at_an_endpoint_and_none_at_a_disabled_one() {
    let (app, receiver, endpoint) = world();
    for _ in 0..400 {
        receiver.reply(Reply::status(500));
    }
    app.publish_many(0..400);
    app.settle();
    app.disable(&endpoint);
    let path = format!("/endpoints/{endpoint}/replay");
    let refused = app.post(&path, &json!({ "since": SINCE })).expect(409);
    assert_eq!(code(&refused), "not_replayable");
    app.enable(&endpoint);
    let gate = Gate::new();
    receiver.always(Reply::ok().gated(&gate));
    let first = app.post(&path, &json!({ "since": SINCE })).expect(202).json();
    app.disable(&endpoint);
    let id = text(&first, "id");
    let seen = app.get(&format!("/replays/{id}"));
    shows(&seen, &json!({ "status": "waiting", "ended_at": null }));
    let second = app.post(&path, &json!({ "since": SINCE, "dry_run": true })).expect(409);
    assert_eq!(code(&second), "replay_running");
    assert!(second.text().contains(&id), "{}", second.text());
    let canceled = app.post(&format!("/replays/{id}/cancel"), &json!({})).expect(202).json();
    shows(&canceled, &json!({ "status": "canceled" }));
    assert!(text(&canceled, "reason").starts_with("canceled by key:"));
    app.post(&path, &json!({ "since": SINCE, "dry_run": true })).expect(202);
    gate.open();
}

#[test]
fn a_replay_with_an_idempotency_key_is_started_once() {
    let (app, _receiver, endpoint) = world();
    let path = format!("/api/v1/endpoints/{endpoint}/replay");
    let body = json!({ "since": SINCE, "dry_run": true }).to_string();
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "again")];
    let call = |body: &str| app.client.request("POST", &path, &headers, Some(body.as_bytes()));
    let first = call(&body).expect(202);
    assert_eq!(first.header("Idempotent-Replayed"), None);
    app.replay_done(&text(&first.json(), "id"));
    let again = call(&body).expect(202);
    assert_eq!((again.header("Idempotent-Replayed"), again.text()), (Some("true"), first.text()));
    assert_eq!(code(&call(&format!("{body} ")).expect(409)), "idempotency_key_reused");
    let event = b"{\"type\":\"a\",\"data\":1}";
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "event")];
    app.client.request("POST", "/api/v1/events", &headers, Some(event)).expect(202);
    let other = app.client.request("POST", &path, &headers, Some(body.as_bytes())).expect(409);
    assert_eq!(code(&other), "idempotency_key_reused");
}

#[test]
fn the_idempotency_key_of_a_replay_is_not_free_for_an_event_or_a_batch() {
    let mut app = TestApp::with_manual_clock();
    let receiver = Receiver::start();
    let endpoint = app.endpoint_with(&receiver, "/", &json!({}));
    let event = text(&app.publish("a", &json!(1)), "id");
    let (one, several) =
        (json!({ "type": "a", "data": 1 }), json!({ "events": [{ "type": "a", "data": 1 }] }));
    let under = |app: &TestApp, key: &str, path: &str, body: &Value| {
        app.client.clone().with_header("Idempotency-Key", key).post(&format!("/api/v1{path}"), body)
    };
    let again = json!({ "since": SINCE, "dry_run": true });
    under(&app, "of an endpoint", &format!("/endpoints/{endpoint}/replay"), &again).expect(202);
    under(&app, "of an event", &format!("/events/{event}/replay"), &json!({})).expect(202);
    let events = app.list("/events").len();
    for restart in [false, true] {
        if restart {
            app.restart();
        }
        for key in ["of an endpoint", "of an event"] {
            for (path, body) in [("/events", &one), ("/events/batch", &several)] {
                let refused = under(&app, key, path, body).expect(409);
                assert_eq!(code(&refused), "idempotency_key_reused", "{key} {path}");
            }
        }
    }
    assert_eq!(app.list("/events").len(), events);
    let elsewhere = json!({ "type": "a", "data": 1, "tenant": "acme" });
    under(&app, "of an event", "/events", &elsewhere).expect(202);
    app.clock().advance(Duration::from_hours(24));
    under(&app, "of an event", "/events", &one).expect(202);
}

#[test]
fn a_bound_key_sees_and_starts_replays_of_its_own_tenant_alone() {
    let (app, receiver, endpoint) = world();
    let own = app.create_endpoint(&json!({ "url": receiver.url("/"), "tenant": "acme" }));
    let keyed =
        json!({ "name": "acme", "scopes": ["deliveries:read", "deliveries:write"], "tenant": "acme" });
    let key = app.post("/keys", &keyed).expect(201).json();
    let acme = Client::tcp(app.address()).with_key(&text(&key, "key"));
    let body = json!({ "since": SINCE, "dry_run": true });
    acme.post(&format!("/api/v1/endpoints/{endpoint}/replay"), &body).expect(404);
    let others = app.post(&format!("/endpoints/{endpoint}/replay"), &body).expect(202).json();
    acme.get(&format!("/api/v1/replays/{}", text(&others, "id"))).expect(404);
    acme.post(&format!("/api/v1/replays/{}/cancel", text(&others, "id")), &json!({})).expect(404);
    let id = text(&own, "id");
    let mine = acme.post(&format!("/api/v1/endpoints/{id}/replay"), &body).expect(202).json();
    let list = acme.get("/api/v1/replays").expect(200).json();
    let ids: Vec<_> = list["data"].as_array().unwrap().iter().map(|row| text(row, "id")).collect();
    assert_eq!(ids, [text(&mine, "id")]);
    acme.get("/api/v1/replays?tenant=default").expect(404);
}
