//! Every code of the API is reached by some request. The `match` has no default: a new code needs a row.

use std::time::Duration;

use postrider::domain::limits::{MAX_EVENT_TYPES, MAX_FORMATS};
use postrider::service::Code;
use serde_json::{Value, json};

use crate::support::app::{KEY, TestApp, text};
use crate::support::client::{Client, Response};
use crate::support::problem::{code, problem};
use crate::support::receiver::{Gate, Receiver, Reply};

/// Both wait 10 s for a body that does not come.
const PATIENT: [Code; 2] = [Code::RequestTimeout, Code::Overloaded];

#[test]
fn every_code_is_reached_by_some_request() {
    let patient = PATIENT.map(|code| (code, std::thread::spawn(move || reach(code))));
    let check = |expected: Code, answer: &Response| {
        problem(answer, expected.as_str());
        assert_eq!(code(answer), expected.as_str());
    };
    for expected in Code::ALL.iter().filter(|code| !PATIENT.contains(code)) {
        check(*expected, &reach(*expected));
    }
    for (expected, answer) in patient {
        check(expected, &answer.join().expect("an answer"));
    }
}

fn reach(code: Code) -> Response {
    let app = TestApp::start();
    match code {
        Code::MalformedJson => publish(&app, b"{\"type\":"),
        Code::MalformedRequest => app.client.raw(b"nonsense\r\n\r\n", false).expect("an answer"),
        Code::InvalidQuery => app.client.get("/api/v1/events?limit=0"),
        Code::InvalidHeader => {
            let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "\u{e9}")];
            app.client.request("POST", "/api/v1/events", &headers, Some(b"{\"type\":\"a\",\"data\":1}"))
        }
        Code::Unauthorized => Client::tcp(app.address()).get("/api/v1/events"),
        Code::InsufficientScope => as_reader(&app).delete("/api/v1/endpoints/x"),
        Code::NotFound => app.client.get("/api/v1/endpoints/x"),
        Code::UnknownPath => app.client.get("/api/v2/events"),
        Code::MethodNotAllowed => app.delete("/events"),
        Code::RequestTimeout => app.client.raw(head(&app, 10).as_bytes(), false).expect("an answer"),
        Code::TooLarge => publish(&app, &vec![b' '; 400_000]),
        Code::UnsupportedMediaType => app.client.request("POST", "/api/v1/events", &[], Some(b"{}")),
        Code::Invalid => publish(&app, b"{}"),
        Code::TargetDenied => app.post("/endpoints", &json!({ "url": "https://10.0.0.1/" })),
        Code::UnknownTenant | Code::ReservedEventType | Code::UnknownEventType => strict(&app, code),
        Code::IdTaken | Code::IdempotencyKeyReused | Code::UidTaken | Code::EndpointLimitReached => {
            conflict(&app, code)
        }
        Code::NotRetryable | Code::NotCancelable | Code::TooManyTests => under_way(&app, code),
        Code::BackupRunning => loop {
            // The first is under way for some milliseconds at least.
            let answer = app.post("/backups", &json!({}));
            if answer.status != 202 {
                break answer;
            }
        },
        Code::FormatBuiltIn => app.delete("/formats/standard"),
        Code::FormatLimitReached | Code::EventTypeLimitReached => one_too_many(&app, code),
        Code::FormatInUse | Code::FormatDoesNotFit => used_format(&app, code),
        Code::TooManySecrets => rotate_often(&app),
        Code::NotReplayable | Code::ReplayRunning => replay(&app, code),
        Code::OperatorExists | Code::OperatorInactive | Code::LastAdmin => operators(&app, code),
        Code::ForeignForm => {
            let form = [("Content-Type", "application/x-www-form-urlencoded")];
            app.client.request("POST", "/login", &form, Some(b"csrf=x"))
        }
        Code::Internal => unreadable_row(&app),
        Code::Overloaded => too_many_bodies(&app),
        Code::Unavailable => locked_database(&app),
        Code::NotDelivering => {
            let now = app.service().store().times().clock().monotonic();
            app.service().readiness().set_own_trouble("there is no route".to_owned(), now);
            app.client.get("/readyz")
        }
        Code::Stopping => {
            app.service().store().close();
            app.post("/events", &json!({ "type": "a", "data": 1 }))
        }
    }
}

fn operators(app: &TestApp, code: Code) -> Response {
    let invite = || app.post("/operators", &json!({ "email": "bob@example.com", "role": "viewer" }));
    match code {
        Code::OperatorExists => {
            invite().expect(201);
            invite()
        }
        Code::OperatorInactive => {
            let path = format!("/operators/{}", text(&invite().expect(201).json(), "id"));
            app.patch(&path, &json!({ "active": false })).expect(200);
            app.post(&format!("{path}/link"), &json!({}))
        }
        _ => {
            let first = app.service().register_first_operator("ada@example.com", "correct horse").wait();
            let first = first.expect("an operator").expect("the first one");
            app.patch(&format!("/operators/{first}"), &json!({ "role": "viewer" }))
        }
    }
}

fn publish(app: &TestApp, body: &[u8]) -> Response {
    app.client.request("POST", "/api/v1/events", &[("Content-Type", "application/json")], Some(body))
}

fn as_reader(app: &TestApp) -> Client {
    let made =
        app.post("/keys", &json!({ "name": "reader", "scopes": ["endpoints:read"] })).expect(201).json();
    Client::tcp(app.address()).with_key(&text(&made, "key"))
}

/// The head of a publish with a body of this length, and nothing of the body.
fn head(app: &TestApp, length: usize) -> String {
    format!(
        "POST /api/v1/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {KEY}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n",
        app.address()
    )
}

fn rotate_often(app: &TestApp) -> Response {
    let made = app.post("/endpoints", &json!({ "url": "https://a.test/" })).expect(201).json();
    let rotate = || app.post(&format!("/endpoints/{}/rotate-secret", text(&made, "id")), &json!({}));
    for _ in 0..4 {
        rotate().expect(200);
    }
    rotate()
}

fn strict(app: &TestApp, code: Code) -> Response {
    let event = json!({ "type": "a", "data": 1, "tenant": "new" });
    match code {
        Code::UnknownTenant => app.patch("/settings", &json!({ "strict_tenants": true })).expect(200),
        Code::UnknownEventType => app.patch("/settings", &json!({ "strict_event_types": true })).expect(200),
        _ => app.put_event_type("a", &json!({ "reserved": true })).expect(201),
    };
    app.post("/events", &event)
}

fn conflict(app: &TestApp, code: Code) -> Response {
    let endpoint = |uid: &str| app.post("/endpoints", &json!({ "url": "https://a.test/", "uid": uid }));
    match code {
        Code::IdTaken => {
            app.post("/events", &json!({ "type": "a", "data": 1, "id": "one" })).expect(202);
            app.post("/events", &json!({ "type": "a", "data": 2, "id": "one" }))
        }
        Code::IdempotencyKeyReused => {
            let client = app.client.clone().with_header("Idempotency-Key", "one");
            client.post("/api/v1/events", &json!({ "type": "a", "data": 1 })).expect(202);
            client.post("/api/v1/events", &json!({ "type": "a", "data": 2 }))
        }
        Code::UidTaken => {
            endpoint("one").expect(201);
            endpoint("one")
        }
        _ => {
            app.patch("/settings", &json!({ "endpoint_limit": 0 })).expect(200);
            endpoint("one")
        }
    }
}

/// Makes another format, or another event type, where there are as many as there may be.
fn one_too_many(app: &TestApp, code: Code) -> Response {
    let file = rusqlite::Connection::open(app.data().join("postrider.db")).expect("the database");
    file.busy_timeout(std::time::Duration::from_secs(10)).expect("patience");
    let (most, rows, path) = match code {
        Code::FormatLimitReached => (
            MAX_FORMATS,
            "INSERT INTO formats (name, revision, definition, created_at)
             SELECT 'f-' || i, 1, '{\"signature\":{\"scheme\":\"none\"},\"envelope\":\"data\"}', 1 FROM n",
            "formats/f-",
        ),
        _ => (
            MAX_EVENT_TYPES,
            "INSERT INTO event_types (name, reserved, created_at, updated_at) SELECT 'f-' || i, 0, 1, 1 FROM n",
            "event-types/f-",
        ),
    };
    let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {most})");
    file.execute_batch(&format!("{numbers} {rows}")).expect("all but one");
    let body = if code == Code::FormatLimitReached {
        json!({ "signature": { "scheme": "none" }, "envelope": "data" })
    } else {
        json!({})
    };
    let put = |name: &str, body: &Value| app.client.send_json("PUT", &format!("/api/v1/{path}{name}"), body);
    put("last", &body).expect(201);
    let mut other = body.clone();
    match code {
        Code::FormatLimitReached => other["fixed"] = json!({ "headers": { "X-A": "b" } }),
        _ => other["description"] = json!("what there is can still be changed"),
    }
    put("last", &other).expect(200);
    let refused = put("more", &body);
    app.delete(&format!("/{path}last")).expect(204);
    put("more", &body).expect(201);
    refused
}

/// What cannot be done while a delivery or a test is under way, or when it is over.
fn under_way(app: &TestApp, code: Code) -> Response {
    let receiver = Receiver::start();
    let gate = Gate::new();
    receiver.always(Reply::ok().gated(&gate));
    let endpoint = app.endpoint_at(&receiver, "/");
    let test = || app.client.request("POST", &format!("/api/v1/endpoints/{endpoint}/test"), &[], None);
    if code == Code::TooManyTests {
        return std::thread::scope(|scope| {
            let first = scope.spawn(test);
            receiver.wait_in_flight(1);
            let second = test();
            gate.open();
            first.join().expect("an answer").expect(200);
            second
        });
    }
    let delivery = text(&app.delivery_of(&app.publish("a", &json!(1))), "id");
    let call =
        |what: &str| app.client.request("POST", &format!("/api/v1/deliveries/{delivery}/{what}"), &[], None);
    receiver.wait_in_flight(1);
    let refused = (code == Code::NotRetryable).then(|| call("retry"));
    gate.open();
    app.settle();
    refused.unwrap_or_else(|| call("cancel"))
}

fn used_format(app: &TestApp, code: Code) -> Response {
    let bare = |headers: &Value| json!({ "signature": { "scheme": "none" }, "headers": headers, "envelope": "data" });
    let put = |headers: &Value| app.put_format("own", &bare(headers));
    put(&json!({})).expect(201);
    let endpoint = json!({ "url": "https://a.test/", "format": "own", "headers": { "X-Id": "1" } });
    app.post("/endpoints", &endpoint).expect(201);
    match code {
        Code::FormatInUse => app.delete("/formats/own"),
        _ => put(&json!({ "id": "x-id" })),
    }
}

fn unreadable_row(app: &TestApp) -> Response {
    let id = text(&app.publish("a", &json!(1)), "id");
    let file = rusqlite::Connection::open(app.data().join("postrider.db")).expect("the database");
    file.busy_timeout(Duration::from_secs(5)).expect("a connection");
    file.execute("UPDATE events SET type = 'no type'", []).expect("a row");
    let answer = app.client.get(&format!("/api/v1/events/{id}"));
    let detail = text(&answer.json(), "detail");
    assert!(!detail.contains("type"), "an internal error says what went wrong: {detail}");
    answer
}

/// Bodies that are being read take all room that there is for them.
fn too_many_bodies(app: &TestApp) -> Response {
    app.patch("/settings", &json!({ "data_limit_bytes": 1024 * 1024 })).expect(200);
    let piece = vec![b' '; 1024 * 1024];
    let request = [head(app, piece.len() + 1).as_bytes(), &piece].concat();
    let (sender, answers) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..20 {
            let (sender, client, request) = (sender.clone(), app.client.clone(), &request);
            scope.spawn(move || {
                // Who waits for the last byte gets a 408 in the end, or nothing when the server goes.
                let answer = client.raw(request, false);
                sender.send(answer).expect("a test that waits");
            });
        }
        answers.recv().expect("an answer").expect("a refusal")
    })
}

fn locked_database(app: &TestApp) -> Response {
    let file = rusqlite::Connection::open(app.data().join("postrider.db")).expect("the database");
    file.busy_timeout(Duration::from_secs(5)).expect("a connection");
    file.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let answer = app.post("/events", &json!({ "type": "a", "data": 1 }));
    let ready = app.client.get("/readyz");
    assert_eq!(code(&ready), "unavailable");
    file.execute_batch("ROLLBACK").expect("no lock");
    answer
}

fn replay(app: &TestApp, code: Code) -> Response {
    let receiver = Receiver::start();
    receiver.always(Reply::hang());
    for n in 0..if code == Code::ReplayRunning { 400 } else { 0 } {
        app.publish("a", &json!(n));
    }
    let endpoint = app.endpoint_at(&receiver, "/");
    let path = format!("/endpoints/{endpoint}/replay");
    let body = json!({ "since": "2020-01-01T00:00:00Z", "status": "missing" });
    match code {
        Code::ReplayRunning => app.post(&path, &body).expect(202),
        _ => app.post(&format!("/endpoints/{endpoint}/disable"), &json!({})).expect(200),
    };
    app.post(&path, &body)
}
