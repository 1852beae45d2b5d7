//! A tenant as a whole: what it has, in one call, and its end.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::client::Client;
use crate::support::receiver::{Gate, Receiver, Reply};

/// A tenant with an endpoint, a bound key and some events, of which one has an id of its own.
fn acme(app: &TestApp, receiver: &Receiver) -> (String, Client) {
    let fields = json!({ "url": receiver.url("/acme"), "tenant": "acme", "events": ["*"], "uid": "mine" });
    let endpoint = text(&app.create_endpoint(&fields), "id");
    let body = json!({ "name": "bound", "scopes": ["events:write", "endpoints:read"], "tenant": "acme" });
    let key = app.post("/keys", &body).expect(201).json();
    let bound = Client::tcp(app.address()).with_key(&text(&key, "key"));
    for n in 0..5 {
        bound
            .post("/api/v1/events", &json!({ "type": "a", "data": n, "id": format!("order-{n}") }))
            .expect(202);
    }
    (endpoint, bound)
}

impl TestApp {
    #[track_caller]
    fn deletion_done(&self, deletion: &Value) -> Value {
        let path = format!("/tenant-deletions/{}", text(deletion, "id"));
        self.eventually("the tenant's data is gone", |app| {
            let deletion = app.get(&path);
            (deletion["status"] == "done").then_some(deletion)
        })
    }

    fn rows(&self, sql: &str) -> i64 {
        let file = rusqlite::Connection::open(self.data().join("postrider.db")).expect("the database");
        file.query_row(sql, [], |row| row.get(0)).expect("a number")
    }
}

#[test]
fn everything_about_a_tenant_is_in_one_call() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let (endpoint, bound) = acme(&app, &receiver);
    app.settle();
    app.disable(&endpoint);
    app.post("/events", &json!({ "type": "a", "data": 1, "tenant": "acme" })).expect(202);
    app.client.send_json("PUT", "/api/v1/tenants/acme", &json!({ "name": "Acme Ltd" })).expect(200);
    let expected = json!({ "tenant": "acme", "name": "Acme Ltd", "endpoints": 1, "pending": 0, "held": 1,
        "last_24h": { "delivered": 5, "failed": 0, "attempts": 5 } });
    shows(&app.get("/tenants/acme"), &expected);
    shows(&bound.get("/api/v1/tenants/acme").expect(200).json(), &expected);
    shows(&app.get("/tenants/default"), &json!({ "endpoints": 0, "pending": 0, "held": 0 }));
}

#[test]
fn a_tenant_is_deleted_with_all_its_data_and_the_job_says_how_much() {
    let (mut app, receiver) = (TestApp::start(), Receiver::start());
    let (endpoint, bound) = acme(&app, &receiver);
    app.endpoint_at(&receiver, "/other");
    app.publish("kept", &json!(1));
    app.settle();
    let answer = app.delete("/tenants/acme").expect(202);
    let deletion = answer.json();
    shows(&deletion, &json!({ "tenant": "acme", "endpoints": 1, "keys": 1 }));
    assert_eq!(
        answer.header("Location"),
        Some(format!("/api/v1/tenant-deletions/{}", text(&deletion, "id")).as_str())
    );
    bound.get("/api/v1/tenants/acme").expect(401);
    app.client.get("/api/v1/tenants/acme").expect(404);
    app.client.get(&format!("/api/v1/endpoints/{endpoint}")).expect(404);
    app.client.get("/api/v1/events/order-1?tenant=acme").expect(404);
    assert_eq!(app.list("/deliveries").len(), 1);
    app.restart();
    let done = app.deletion_done(&deletion);
    shows(&done, &json!({ "events": 5, "deliveries": 5, "attempts": 5, "endpoints": 1, "keys": 1 }));
    assert_eq!(
        (app.rows("SELECT count(*) FROM events"), app.rows("SELECT count(*) FROM deliveries")),
        (1, 1)
    );
    assert_eq!(app.list("/tenant-deletions"), [done]);
    assert_eq!(app.audit_of("acme").last().expect("a line")["action"], "tenant.delete");
    app.delete("/tenants/acme").expect(404);
    app.client.get("/api/v1/tenant-deletions/del_0000000000000").expect(404);
}

#[test]
fn nothing_that_was_the_tenants_is_left_in_the_file_its_log_or_the_audit_log() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    receiver.always(Reply::ok().header("X-Personal", "personal-answer").body("personal-answer"));
    let put = |name: &str| app.client.send_json("PUT", "/api/v1/tenants/acme", &json!({ "name": name }));
    put("personal-name").expect(201);
    let fields = json!({ "url": receiver.url("/personal-path"), "tenant": "acme", "events": ["*"],
        "uid": "personal-uid", "description": "personal-text", "metadata": { "who": "personal-metadata" },
        "filters": {} });
    let endpoint = text(&app.create_endpoint(&fields), "id");
    let change = json!({ "description": "personal-change" });
    app.client.send_json("PATCH", &format!("/api/v1/endpoints/{endpoint}"), &change).expect(200);
    let key = json!({ "name": "personal-key", "scopes": ["events:write"], "tenant": "acme" });
    app.post("/keys", &key).expect(201);
    for n in 0..20 {
        let data = format!("personal-data {n} ").repeat(if n % 2 == 0 { 1 } else { 1_000 });
        let client = app.client.clone().with_header("Idempotency-Key", &format!("personal-idempotency-{n}"));
        let event = json!({ "type": "a", "tenant": "acme", "data": data, "id": format!("personal-{n}") });
        client.post("/api/v1/events", &event).expect(202);
    }
    app.settle();
    assert!(app.bytes_found("personal-") > 10_000);
    let deletion = app.delete("/tenants/acme").expect(202).json();
    app.deletion_done(&deletion);
    app.eventually("the bytes are gone", |app| (app.bytes_found("personal-") == 0).then_some(()));
    let lines = app.list("/audit");
    let of = |target: &str| {
        let lines: Vec<_> = lines.iter().filter(|line| line["target"] == target).collect();
        assert!(lines.iter().all(|line| line["actor"].is_string() && line["created_at"].is_string()));
        lines.iter().map(|line| text(line, "action")).collect::<Vec<_>>()
    };
    assert_eq!(of("acme"), ["tenant.delete", "tenant.put"]);
    assert_eq!(of(&endpoint), ["endpoint.change", "endpoint.create"]);
}

#[test]
fn a_tenant_that_is_put_as_it_is_stays_as_it_is() {
    let app = TestApp::with_manual_clock();
    let put = |body: &Value| app.client.send_json("PUT", "/api/v1/tenants/acme", body);
    put(&json!({})).expect(201);
    let made = app.get("/tenants/acme");
    app.advance(Duration::from_secs(1));
    shows(&put(&json!({})).expect(200).json(), &json!({ "updated_at": made["updated_at"] }));
    assert_eq!((app.get("/tenants/acme"), app.audit_of("acme").len()), (made.clone(), 1));
    let changed = put(&json!({ "name": "Acme" })).expect(200).json();
    assert_ne!(changed["updated_at"], made["updated_at"]);
    assert_eq!(app.audit_of("acme").len(), 2);
}

#[test]
fn a_tenant_of_the_same_name_is_a_new_one() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    acme(&app, &receiver);
    app.settle();
    let deletion = app.delete("/tenants/acme").expect(202).json();
    let event = json!({ "type": "b", "data": 2, "id": "order-1", "tenant": "acme" });
    let again = app.post("/events", &event).expect(202);
    assert_eq!(again.header("Idempotent-Replayed"), None, "ids of the old one are free");
    shows(&again.json(), &json!({ "deliveries": 0 }));
    let fields = json!({ "url": receiver.url("/new"), "tenant": "acme", "events": ["*"], "uid": "mine" });
    app.create_endpoint(&fields);
    app.deletion_done(&deletion);
    let kept = app.list("/events?tenant=acme");
    assert_eq!(kept.len(), 1);
    shows(&kept[0], &json!({ "id": "order-1", "type": "b" }));
    shows(&app.get("/tenants/acme"), &json!({ "endpoints": 1, "name": null }));
}

#[test]
fn nothing_more_is_sent_for_a_deleted_tenant_and_what_is_in_flight_comes_back_to_nobody() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let gate = Gate::new();
    receiver.always_on("/acme", Reply::status(500).gated(&gate));
    let fields =
        json!({ "url": receiver.url("/acme"), "tenant": "acme", "events": ["*"], "max_in_flight": 1 });
    app.create_endpoint(&fields);
    for n in 0..5 {
        app.post("/events", &json!({ "type": "a", "data": n, "tenant": "acme" })).expect(202);
    }
    receiver.wait_in_flight(1);
    let deletion = app.delete("/tenants/acme").expect(202).json();
    app.deletion_done(&deletion);
    gate.open();
    app.settle();
    assert_eq!(receiver.count_on("/acme"), 1);
    assert_eq!(
        app.rows("SELECT (SELECT count(*) FROM attempts) + (SELECT count(*) FROM endpoint_health)"),
        0
    );
}

#[test]
fn a_test_that_ends_after_its_tenant_leaves_nothing() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let gate = Gate::new();
    receiver.always(Reply::ok().gated(&gate));
    let endpoint = text(&app.create_endpoint(&json!({ "url": receiver.url("/"), "tenant": "acme" })), "id");
    std::thread::scope(|scope| {
        let test = scope.spawn(|| app.post(&format!("/endpoints/{endpoint}/test"), &json!({})));
        receiver.wait_in_flight(1);
        let deletion = app.delete("/tenants/acme").expect(202).json();
        app.deletion_done(&deletion);
        gate.open();
        test.join().expect("an answer").expect(404);
    });
    assert_eq!(app.rows("SELECT (SELECT count(*) FROM deliveries) + (SELECT count(*) FROM attempts)"), 0);
}

#[test]
fn the_default_tenant_is_made_anew_at_once() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    app.change_settings(&json!({ "strict_tenants": true }));
    app.endpoint_at(&receiver, "/");
    app.publish("a", &json!(1));
    app.settle();
    let deletion = app.delete("/tenants/default").expect(202).json();
    shows(&app.get("/tenants/default"), &json!({ "endpoints": 0 }));
    shows(&app.publish("a", &json!(2)), &json!({ "tenant": "default", "deliveries": 0 }));
    shows(&app.deletion_done(&deletion), &json!({ "events": 1, "endpoints": 1 }));
    app.endpoint_at(&receiver, "/");
    app.publish("a", &json!(3));
    app.settle();
    assert_eq!(receiver.count(), 2);
}
