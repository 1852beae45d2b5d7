//! What a restore holds back stays so until somebody says what becomes of it.

use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::client::Client;
use crate::support::problem::fields;
use crate::support::receiver::Receiver;

/// A server after a restore: an endpoint each of `default` and `acme`, with one delivery that is held back.
fn restored(receiver: &Receiver) -> (TestApp, String, String) {
    let mut app = TestApp::start();
    let mut deliveries = Vec::new();
    for tenant in ["default", "acme"] {
        let fields = json!({ "url": receiver.url("/"), "tenant": tenant, "events": ["*"], "enabled": false });
        app.create_endpoint(&fields);
        let event =
            app.post("/events", &json!({ "type": "a", "data": 1, "tenant": tenant })).expect(202).json();
        deliveries.push(text(&app.delivery_of(&event), "id"));
    }
    app.stop();
    let file = rusqlite::Connection::open(app.data().join("postrider.db")).expect("the database");
    file.execute_batch("UPDATE deliveries SET held_reason = 2; UPDATE endpoints SET enabled = 1")
        .expect("an update");
    drop(file);
    app.restart();
    let acme = deliveries.remove(1);
    (app, deliveries.remove(0), acme)
}

fn release(app: &TestApp, body: &Value) -> u64 {
    let answer = app.post("/deliveries/release", body).expect(202).json();
    app.settle();
    answer["endpoints"].as_u64().expect("a number")
}

#[test]
fn it_is_delivered_or_discarded_for_a_tenant_or_for_all() {
    let receiver = Receiver::start();
    let (app, default, acme) = restored(&receiver);
    app.settle();
    for delivery in [&default, &acme] {
        shows(&app.delivery(delivery), &json!({ "status": "held", "held_reason": "restored" }));
        app.retry(delivery).expect(409);
    }
    assert_eq!(release(&app, &json!({ "held": "discard", "tenant": "acme" })), 1);
    shows(&app.delivery(&acme), &json!({ "status": "canceled", "held_reason": null }));
    shows(&app.delivery(&default), &json!({ "status": "held" }));
    assert_eq!(release(&app, &json!({ "held": "deliver" })), 1);
    app.eventually("it is delivered", |app| (app.status(&default) == "delivered").then_some(()));
    assert_eq!(receiver.count(), 1);
    assert_eq!(app.audit_of("acme")[0]["after"], json!({ "held": "discard", "endpoints": 1 }));
}

#[test]
fn it_is_delivered_for_one_endpoint_by_whom_that_belongs_to() {
    let receiver = Receiver::start();
    let (app, default, acme) = restored(&receiver);
    let body = json!({ "name": "acme", "scopes": ["deliveries:write"], "tenant": "acme" });
    let key = app.post("/keys", &body).expect(201).json();
    let bound = Client::tcp(app.address()).with_key(&text(&key, "key"));
    let path = "/api/v1/deliveries/release";
    let of = |delivery: &str| app.delivery(delivery)["endpoint_id"].clone();
    bound.post(path, &json!({ "held": "deliver", "endpoint": of(&default) })).expect(404);
    bound.post(path, &json!({ "held": "deliver", "tenant": "default" })).expect(404);
    assert_eq!(
        bound.post(path, &json!({ "held": "deliver", "endpoint": of(&acme) })).expect(202).json(),
        json!({ "endpoints": 1 })
    );
    app.eventually("it is delivered", |app| (app.status(&acme) == "delivered").then_some(()));
    bound.post(path, &json!({ "held": "deliver" })).expect(202);
    shows(&app.delivery(&default), &json!({ "status": "held" }));
    let wrong =
        app.post("/deliveries/release", &json!({ "held": "keep", "tenant": "", "all": true })).expect(422);
    assert_eq!(fields(&wrong), ["held", "tenant", "all"]);
    let none = app.post("/deliveries/release", &json!({})).expect(422);
    assert_eq!(fields(&none), ["held"]);
}
