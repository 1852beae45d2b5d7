//! Publishing the same thing twice: idempotency keys and own ids, over restarts, in parallel, between tenants.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::app::{TestApp, text};
use crate::support::client::{Client, Response};
use crate::support::problem::{code, fields};
use crate::support::receiver::Receiver;

/// Publishes these bytes under a key.
fn under(app: &TestApp, key: &str, body: &str) -> Response {
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key)];
    app.client.request("POST", "/api/v1/events", &headers, Some(body.as_bytes()))
}

fn replayed(answer: &Response) -> bool {
    assert!([200, 202].contains(&answer.status), "{}", answer.text());
    answer.header("idempotent-replayed") == Some("true")
}

#[test]
fn a_key_gives_the_same_answer_again_also_after_restarts() {
    let (mut app, receiver) = (TestApp::start(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    let body = r#"{"type":"a","data":{"n":1}}"#;
    let first = under(&app, "k", body);
    assert!(!replayed(&first));
    app.settle();
    // Another endpoint would get the event if it were published again.
    app.endpoint_at(&receiver, "/other");
    for _ in 0..2 {
        app.restart();
        let again = under(&app, "k", body);
        assert!(replayed(&again));
        assert_eq!((again.status, again.text()), (first.status, first.text()));
        assert_eq!(code(&under(&app, "k", r#"{"type":"a","data":{"n":2}}"#)), "idempotency_key_reused");
        assert_eq!(code(&under(&app, "k", r#"{"type":"a","data":{"n": 1}}"#)), "idempotency_key_reused");
    }
    app.settle();
    assert_eq!((receiver.count(), app.list("/events").len()), (1, 1));
}

#[test]
fn a_warning_is_part_of_the_same_answer() {
    let app = TestApp::start();
    let body = r#"{"type":"a","data":1,"tenant":"empty"}"#;
    let first = under(&app, "k", body);
    assert_eq!(first.json()["warnings"].as_array().map(Vec::len), Some(1));
    app.create_endpoint(&json!({ "url": "https://a.test/", "tenant": "empty", "events": ["*"] }));
    assert_eq!(under(&app, "k", body).text(), first.text());
}

#[test]
fn a_key_is_forgotten_after_a_day() {
    let app = TestApp::with_manual_clock();
    let body = r#"{"type":"a","data":1}"#;
    let first = under(&app, "k", body);
    app.clock().advance(Duration::from_millis(86_400_000 - 1));
    assert!(replayed(&under(&app, "k", body)));
    app.clock().advance(Duration::from_millis(1));
    let other = under(&app, "k", r#"{"type":"b","data":2}"#);
    assert!(!replayed(&other) && other.json()["id"] != first.json()["id"]);
    assert!(replayed(&under(&app, "k", r#"{"type":"b","data":2}"#)));
    assert_eq!(code(&under(&app, "k", body)), "idempotency_key_reused");
}

#[test]
fn a_refused_request_leaves_its_key_free() {
    let app = TestApp::start();
    for (body, status) in [
        (r#"{"type":"a"}"#, 422),
        (r#"{"type":"a","data":"#, 400),
        (r#"{"type":"a","data":1,"id":"a.b"}"#, 422),
    ] {
        under(&app, "k", body).expect(status);
    }
    app.post("/events", &json!({ "type": "a", "data": 1, "id": "taken" })).expect(202);
    under(&app, "k", r#"{"type":"a","data":2,"id":"taken"}"#).expect(409);
    assert!(!replayed(&under(&app, "k", r#"{"type":"a","data":1}"#)));
}

#[test]
fn fifty_requests_with_one_key_make_one_event() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    let bodies = [r#"{"type":"a","data":1}"#; 50];
    let answers = in_parallel(&app, &bodies, |app, body| under(app, "k", body));
    let ids: BTreeSet<String> = answers.iter().map(|answer| text(&answer.json(), "id")).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(answers.iter().filter(|answer| !replayed(answer)).count(), 1);
    app.settle();
    assert_eq!((receiver.count(), app.list("/events").len()), (1, 1));
}

#[test]
fn fifty_requests_with_one_own_id_and_two_contents_make_one_event() {
    let app = TestApp::start();
    let bodies: Vec<String> =
        (0..50).map(|n| json!({ "type": "a", "data": n % 2, "id": "order-1" }).to_string()).collect();
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    let answers = in_parallel(&app, &bodies, |app, body| {
        app.client.request(
            "POST",
            "/api/v1/events",
            &[("Content-Type", "application/json")],
            Some(body.as_bytes()),
        )
    });
    let kept = app.get("/events/order-1")["data"].as_u64().expect("a number");
    for (n, answer) in (0..50).zip(&answers) {
        if n % 2 == kept {
            assert_eq!(answer.status, 202, "{}", answer.text());
        } else {
            assert_eq!(code(answer), "id_taken");
        }
    }
    let made = answers.iter().filter(|answer| answer.status == 202 && !replayed(answer)).count();
    assert_eq!((made, app.list("/events").len()), (1, 1));
}

fn in_parallel(
    app: &TestApp,
    bodies: &[&str],
    send: impl Fn(&TestApp, &str) -> Response + Sync,
) -> Vec<Response> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = bodies.iter().map(|body| scope.spawn(|| send(app, body))).collect();
        threads.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    })
}

#[test]
fn keys_and_own_ids_are_each_tenants_own() {
    let app = TestApp::start();
    let body = |tenant: &str| json!({ "type": "a", "data": 1, "id": "one", "tenant": tenant }).to_string();
    for tenant in ["acme", "globex", "default"] {
        assert!(!replayed(&under(&app, "k", &body(tenant))), "{tenant}");
        assert!(replayed(&under(&app, "k", &body(tenant))), "{tenant}");
        assert_eq!(app.get(&format!("/events/one?tenant={tenant}"))["tenant"], tenant);
    }
    assert_eq!(app.get("/events/one")["tenant"], "default");
    // Two API keys of one tenant share them.
    let made =
        app.post("/keys", &json!({ "name": "a", "scopes": ["events:write"], "tenant": "acme" })).json();
    let bound = Client::tcp(app.address()).with_key(&text(&made, "key")).with_header("Idempotency-Key", "k");
    let other = bound.post("/api/v1/events", &json!({ "type": "b", "data": 1 }));
    assert_eq!(code(&other), "idempotency_key_reused");
}

/// Publishes with the own id `one` and what else is given.
fn own(app: &TestApp, more: &Value) -> Response {
    let mut body = json!({ "type": "a", "data": { "n": 1 }, "id": "one" });
    for (name, value) in more.as_object().expect("fields") {
        body[name] = value.clone();
    }
    app.post("/events", &body)
}

#[test]
fn an_own_id_with_the_same_content_is_the_same_event_also_after_a_restart() {
    let (mut app, receiver) = (TestApp::start(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    let first = own(&app, &json!({}));
    assert!(!replayed(&first));
    assert_eq!(first.json()["id"], "one");
    app.settle();
    let stored = first.json()["timestamp"].clone();
    for restart in [false, true] {
        if restart {
            app.restart();
        }
        for same in [json!({}), json!({ "timestamp": stored }), json!({ "timestamp": null })] {
            let again = own(&app, &same);
            assert!(replayed(&again), "{same}");
            assert_eq!(again.text(), first.text());
        }
        let others = [
            json!({ "type": "b" }),
            json!({ "data": { "n": 2 } }),
            json!({ "data": { "n": 1.0 } }),
            json!({ "timestamp": "2020-01-01T00:00:00Z" }),
        ];
        for other in others {
            let taken = own(&app, &other);
            assert_eq!(
                (code(&taken).as_str(), fields(&taken)),
                ("id_taken", vec!["id".to_owned()]),
                "{other}"
            );
        }
    }
    app.settle();
    let came = receiver.received();
    assert_eq!(came.len(), 1);
    assert_eq!((came[0].header("webhook-id"), &came[0].json()["id"]), (Some("one"), &json!("one")));
}

#[test]
fn an_own_id_with_a_time_is_the_same_event_with_that_time_or_none() {
    let app = TestApp::start();
    let at = json!({ "timestamp": "2026-02-20T00:00:00+01:00" });
    assert!(!replayed(&own(&app, &at)));
    assert!(replayed(&own(&app, &at)));
    assert!(replayed(&own(&app, &json!({ "timestamp": "2026-02-19T23:00:00.000Z" }))));
    assert!(replayed(&own(&app, &json!({}))));
    assert_eq!(code(&own(&app, &json!({ "timestamp": "2026-02-19T23:00:00.001Z" }))), "id_taken");
}

#[test]
fn an_own_id_is_found_under_a_key_and_without() {
    let app = TestApp::start();
    let body = r#"{"type":"a","data":{"n":1},"id":"one"}"#;
    assert!(!replayed(&under(&app, "k", body)));
    assert!(replayed(&own(&app, &json!({}))));
    assert!(replayed(&under(&app, "k2", body)));
    assert_eq!(
        code(&under(&app, "k", r#"{"type":"a","data":{"n":1},"id":"two"}"#)),
        "idempotency_key_reused"
    );
}

#[test]
fn keys_in_any_other_form_are_refused_by_name() {
    let app = TestApp::start();
    let body = r#"{"type":"a","data":1}"#;
    for bad in ["", "é", &"k".repeat(256)] {
        let answer = under(&app, bad, body);
        assert_eq!(
            (code(&answer).as_str(), fields(&answer)),
            ("invalid_header", vec!["Idempotency-Key".to_owned()])
        );
    }
    let long = "~".repeat(255);
    for good in ["k", "order 17", "\"quoted\"", long.as_str()] {
        assert!(!replayed(&under(&app, good, body)), "{good}");
    }
}
