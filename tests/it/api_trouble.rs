//! Trouble on our side: what callers are told while nothing can be written, and that it ends by itself.

use std::time::Duration;

use postrider::clock::Stopwatch;
use serde_json::{Value, json};

use crate::support::app::{TestApp, text};
use crate::support::client::Response;
use crate::support::problem::problem;
use crate::support::receiver::Receiver;

/// Holds the database's write lock, as another program would.
fn lock(app: &TestApp) -> rusqlite::Connection {
    let file = rusqlite::Connection::open(app.data().join("postrider.db")).expect("the database");
    file.busy_timeout(Duration::from_secs(10)).expect("a connection");
    file.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    file
}

/// Calls that write, about what is there.
fn calls(app: &TestApp, receiver: &Receiver) -> Vec<(&'static str, String, Value)> {
    let endpoint = text(&app.create_endpoint(&json!({ "url": receiver.url("/"), "events": ["*"] })), "id");
    app.disable(&endpoint);
    let delivery = app.send(&json!(1));
    let key = app.post("/keys", &json!({ "name": "k", "scopes": ["admin"] })).expect(201).json();
    vec![
        // Before its endpoint is enabled, which would send it.
        ("POST", format!("/deliveries/{delivery}/cancel"), json!({})),
        ("POST", "/events".to_owned(), json!({ "type": "a", "data": 1 })),
        ("POST", "/endpoints".to_owned(), json!({ "url": receiver.url("/") })),
        ("PATCH", format!("/endpoints/{endpoint}"), json!({ "description": "x" })),
        ("POST", format!("/endpoints/{endpoint}/enable"), json!({})),
        ("POST", format!("/endpoints/{endpoint}/test"), json!({})),
        ("POST", "/keys".to_owned(), json!({ "name": "k2", "scopes": ["admin"] })),
        ("PUT", "/tenants/acme".to_owned(), json!({})),
        ("PATCH", "/settings".to_owned(), json!({ "retention_days": 7 })),
        ("DELETE", format!("/keys/{}", text(&key, "id")), json!({})),
        ("DELETE", format!("/endpoints/{endpoint}"), json!({})),
    ]
}

fn send(app: &TestApp, (method, path, body): &(&'static str, String, Value)) -> Response {
    let path = format!("/api/v1{path}");
    match *method {
        "DELETE" => app.client.delete(&path),
        method => app.client.send_json(method, &path, body),
    }
}

#[test]
fn while_the_database_is_locked_writing_is_refused_for_now_and_reading_goes_on() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let calls = calls(&app, &receiver);
    let locked = lock(&app);
    let waited = Stopwatch::start();
    let refused: Vec<Response> = std::thread::scope(|scope| {
        let threads: Vec<_> = calls.iter().map(|call| scope.spawn(|| send(&app, call))).collect();
        threads.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    });
    for (answer, call) in refused.iter().zip(&calls) {
        let document = problem(answer, &call.1);
        assert_eq!((answer.status, &document["code"]), (503, &json!("unavailable")), "{} {}", call.0, call.1);
        assert!(text(&document, "detail").contains("/readyz"), "{document}");
    }
    // The writer waits for two seconds. Twice or three times that is a matter of how they come.
    let one_after_the_other = Duration::from_secs(2) * u32::try_from(calls.len()).expect("a few");
    assert!(waited.elapsed() < one_after_the_other, "each has waited for the lock: {:?}", waited.elapsed());
    app.client.get("/healthz").expect(200);
    let ready = problem(&app.client.get("/readyz").expect(503), "readyz");
    assert!(text(&ready, "detail").contains("nothing can be written"), "{ready}");
    for list in ["events", "endpoints", "deliveries", "keys", "tenants", "settings"] {
        app.get(&format!("/{list}"));
    }
    assert_eq!(app.list("/events").len(), 1);
    drop(locked);
    app.eventually("it is ready again", |app| (app.client.get("/readyz").status == 200).then_some(()));
    for call in &calls {
        let answer = send(&app, call);
        assert!(answer.status < 300, "{} {}: {}", call.0, call.1, answer.text());
    }
}

#[test]
fn a_cleanup_waits_for_the_database_or_says_why_it_could_not() {
    let app = TestApp::start();
    let locked = lock(&app);
    let answer = std::thread::scope(|scope| {
        let cleaning = scope.spawn(|| app.post("/cleanups", &json!({})));
        let refused = app.post("/events", &json!({ "type": "a", "data": 1 }));
        assert_eq!(refused.status, 503);
        drop(locked);
        cleaning.join().expect("an answer")
    });
    match answer.status {
        200 => assert!(answer.json()["started_at"].is_string(), "{}", answer.text()),
        _ => assert_eq!(problem(&answer, "a cleanup")["code"], "unavailable"),
    }
    app.eventually("it is ready again", |app| (app.client.get("/readyz").status == 200).then_some(()));
    app.post("/cleanups", &json!({})).expect(200);
}

#[test]
fn rows_that_cannot_be_read_show_their_request_id_and_nothing_else() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let endpoint = app.endpoint_at(&receiver, "/");
    let event = app.publish("a", &json!(1));
    app.settle();
    let delivery = text(&app.delivery_of(&event), "id");
    let file = lock(&app);
    file.execute_batch("UPDATE events SET type = 'no type'; UPDATE tenants SET name = 'no tenant'; COMMIT")
        .unwrap();
    for path in [
        format!("/events/{}", text(&event, "id")),
        "/events".to_owned(),
        "/deliveries".to_owned(),
        format!("/deliveries/{delivery}"),
        "/tenants".to_owned(),
        format!("/endpoints/{endpoint}"),
    ] {
        let answer = app.client.get(&format!("/api/v1{path}"));
        let document = problem(&answer, &path);
        assert_eq!((answer.status, &document["code"]), (500, &json!("internal")), "{path}");
        let id = text(&document, "request_id");
        assert!(text(&document, "detail").contains(&id), "{document}");
        for hint in ["no type", "no tenant", "column", "UPDATE", "sqlite", "/data/"] {
            assert!(!answer.text().contains(hint), "{path} tells {hint}: {document}");
        }
    }
    app.client.get("/healthz").expect(200);
    app.get("/settings");
}

#[test]
fn a_head_that_does_not_come_in_time_is_a_problem() {
    let app = TestApp::start();
    let late = app.client.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\n", false).expect("an answer");
    assert_eq!((late.status, &problem(&late, "half a head")["code"]), (408, &json!("request_timeout")));
}
