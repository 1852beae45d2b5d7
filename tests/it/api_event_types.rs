//! The catalogue of event types: making, showing and deleting them, schemas, reserved names, strict mode, tests.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::app::{TestApp, text};
use crate::support::client::Response;
use crate::support::problem::{code, fields};
use crate::support::receiver::Receiver;

fn put(app: &TestApp, name: &str, body: &Value) -> Response {
    app.put_event_type(name, body)
}

fn publish(app: &TestApp, event_type: &str, data: &Value) -> Response {
    app.post("/events", &json!({ "type": event_type, "data": data }))
}

fn names(list: &Value) -> Vec<String> {
    list["data"].as_array().expect("a list").iter().map(|row| text(row, "name")).collect()
}

#[test]
fn a_type_is_made_shown_replaced_and_deleted() {
    let app = TestApp::start();
    let whole = json!({
        "description": "An invoice was paid.", "group": "Billing", "example": { "total": 7 },
        "schema": { "type": "object", "required": ["total"] }, "reserved": false,
    });
    let made = put(&app, "invoice.paid", &whole).expect(201).json();
    assert_eq!(app.get("/event-types/invoice.paid"), made);
    for (field, value) in whole.as_object().expect("fields") {
        assert_eq!(&made[field], value, "{field}");
    }
    assert_eq!(made["name"], "invoice.paid");
    let replaced = put(&app, "invoice.paid", &json!({})).expect(200).json();
    assert_eq!((&replaced["schema"], &replaced["description"]), (&json!(null), &json!(null)));
    assert_eq!(replaced["created_at"], made["created_at"]);
    app.delete("/event-types/invoice.paid").expect(204);
    for answer in
        [app.client.get("/api/v1/event-types/invoice.paid"), app.delete("/event-types/invoice.paid")]
    {
        assert_eq!(code(&answer), "not_found");
    }
}

#[test]
fn schema_and_example_come_back_byte_for_byte_and_survive_a_restart() {
    let mut app = TestApp::start();
    let body = br#"{"schema": { "maximum" : 1.50e1 } ,"example": 1.0e0}"#;
    let headers = [("Content-Type", "application/json")];
    app.client.request("PUT", "/api/v1/event-types/a", &headers, Some(body)).expect(201);
    app.restart();
    let shown = app.client.get("/api/v1/event-types/a").expect(200);
    assert!(shown.text().contains(r#""example":1.0e0,"schema":{ "maximum" : 1.50e1 }"#), "{}", shown.text());
    publish(&app, "a", &json!(15)).expect(202);
    assert_eq!(fields(&publish(&app, "a", &json!(16))), ["data"]);
}

#[test]
fn the_list_is_paged_the_newest_first_without_what_is_long() {
    let app = TestApp::start();
    for name in ["b", "a", "urn:x/y", "c"] {
        put(&app, name, &json!({ "example": 1, "schema": true })).expect(201);
    }
    put(&app, "b", &json!({ "group": "g" })).expect(200);
    let all = app.get("/event-types");
    assert_eq!((names(&all).len(), &all["next_cursor"]), (4, &json!(null)));
    assert!(all["data"][0].get("schema").is_none() && all["data"][0].get("example").is_none(), "{all}");
    let (mut paged, mut path) = (Vec::new(), "/event-types?limit=1".to_owned());
    loop {
        let page = app.get(&path);
        paged.extend(names(&page));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/event-types?limit=1&cursor={cursor}");
    }
    assert_eq!(paged, names(&all));
    assert_eq!(app.get("/event-types/urn:x/y")["name"], "urn:x/y");
    assert_eq!(app.get("/event-types/urn:x%2Fy")["name"], "urn:x/y");
    for bad in ["limit=0", "cursor=x", "cursor=5", "group=g"] {
        assert_eq!(code(&app.client.get(&format!("/api/v1/event-types?{bad}"))), "invalid_query", "{bad}");
    }
}

#[test]
fn the_list_is_searched_by_name_group_and_description() {
    let app = TestApp::start();
    put(&app, "invoice.paid", &json!({ "group": "Geld", "schema": true })).expect(201);
    put(&app, "order.paid", &json!({ "description": "Mit Ä" })).expect(201);
    put(&app, "user.made", &json!({ "group": "Money" })).expect(201);
    let found = |search: &str| names(&app.get(&format!("/event-types?search={search}")));
    assert_eq!(found("PAID"), ["order.paid", "invoice.paid"]);
    assert_eq!(found("mon"), ["user.made"]);
    assert_eq!(found("%C3%A4"), ["order.paid"], "in whatever case, of all letters");
    assert_eq!(found("25%25"), Vec::<String>::new());
    let first = app.get("/event-types?search=paid&limit=1");
    assert_eq!(names(&first), ["order.paid"]);
    let cursor = text(&first, "next_cursor");
    let second = app.get(&format!("/event-types?search=paid&limit=1&cursor={cursor}"));
    assert_eq!(
        (names(&second), &second["data"][0]["has_schema"]),
        (vec!["invoice.paid".to_owned()], &json!(true))
    );
    assert_eq!(first["data"][0]["has_schema"], false);
    assert_eq!(code(&app.client.get("/api/v1/event-types?search=+")), "invalid_query");
}

#[test]
fn every_wrong_field_of_a_type_is_named_at_once() {
    let app = TestApp::start();
    let body = json!({
        "description": "x".repeat(501), "group": " ", "example": 1, "colour": 1,
        "schema": { "type": "strng", "properties": { "a": { "pattern": 5 } } },
    });
    let mut wrong = fields(&put(&app, "a..b", &body).expect(422));
    wrong.sort();
    assert_eq!(
        wrong,
        ["colour", "description", "group", "name", "schema.properties.a.pattern", "schema.type"]
    );
    let body = json!({ "schema": { "properties": { "n": { "type": "integer" } } }, "example": { "n": "x" } });
    assert_eq!(fields(&put(&app, "a", &body).expect(422)), ["example.n"]);
    assert_eq!(fields(&put(&app, "a", &json!({ "example": "x".repeat(70_000) })).expect(422)), ["example"]);
    assert_eq!(
        fields(&put(&app, "a", &json!({ "reserved": 1, "schema": [] })).expect(422)),
        ["reserved", "schema"]
    );
    assert_eq!(names(&app.get("/event-types")), Vec::<String>::new());
}

#[test]
fn a_schema_refuses_data_that_does_not_fit_with_every_path_and_none_of_its_values() {
    let app = TestApp::start();
    let schema = json!({
        "type": "object", "required": ["id", "total"], "additionalProperties": false,
        "properties": {
            "id": { "type": "string" }, "total": { "type": "number", "minimum": 0 },
            "lines": { "items": { "properties": { "sku": { "pattern": "^[A-Z]{3}$" } } } },
        },
    });
    put(&app, "order.paid", &json!({ "schema": schema })).expect(201);
    publish(&app, "order.paid", &json!({ "id": "1", "total": 2.5, "lines": [{ "sku": "ABC" }] })).expect(202);
    let refused = publish(
        &app,
        "order.paid",
        &json!({ "id": 5, "lines": [{ "sku": "ABC" }, { "sku": "private" }], "card": "4242" }),
    );
    assert_eq!((refused.status, code(&refused).as_str()), (422, "invalid"));
    let mut wrong = fields(&refused);
    wrong.sort();
    assert_eq!(wrong, ["data.card", "data.id", "data.lines[1].sku", "data.total"]);
    assert!(!refused.text().contains("private") && !refused.text().contains("4242"), "{}", refused.text());
    let event =
        json!({ "type": "order.paid", "data": { "id": 5, "total": 1 }, "timestamp": "now", "colour": 1 });
    let mut wrong = fields(&app.post("/events", &event).expect(422));
    wrong.sort();
    assert_eq!(wrong, ["colour", "data.id", "timestamp"], "all at once");
    publish(&app, "order.other", &json!(1)).expect(202);
    put(&app, "order.paid", &json!({})).expect(200);
    publish(&app, "order.paid", &json!(1)).expect(202);
}

#[test]
fn a_reserved_type_can_be_subscribed_to_and_tested_and_not_published() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    put(&app, "endpoint.disabled", &json!({ "reserved": true })).expect(201);
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "events": ["endpoint.disabled"] }));
    let refused = publish(&app, "endpoint.disabled", &json!(1));
    assert_eq!((code(&refused).as_str(), fields(&refused)), ("reserved_event_type", vec!["type".to_owned()]));
    app.post(&format!("/endpoints/{endpoint}/test"), &json!({ "type": "endpoint.disabled" })).expect(200);
    app.delete("/event-types/endpoint.disabled").expect(204);
    publish(&app, "endpoint.disabled", &json!(1)).expect(202);
}

#[test]
fn strict_mode_refuses_what_is_not_in_the_catalogue_published_or_subscribed_to() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    put(&app, "known", &json!({})).expect(201);
    let before = app.endpoint_with(&receiver, "/", &json!({ "events": ["unknown"] }));
    app.change_settings(&json!({ "strict_event_types": true }));
    assert_eq!(code(&publish(&app, "unknown", &json!(1))), "unknown_event_type");
    publish(&app, "known", &json!(1)).expect(202);
    let endpoint = |events: Value| json!({ "url": receiver.url("/"), "events": events });
    app.post("/endpoints", &endpoint(json!(["known", "un.*", "*"]))).expect(201);
    let events = json!(["known", "unknown", "other.one", "a..b"]);
    let refused = app.post("/endpoints", &endpoint(events.clone())).expect(422);
    let mut wrong = fields(&refused);
    wrong.sort();
    assert_eq!(wrong, ["events[1]", "events[2]", "events[3]"]);
    let path = format!("/endpoints/{before}");
    let mut wrong = fields(&app.patch(&path, &json!({ "events": events, "timeout_seconds": 0 })).expect(422));
    wrong.sort();
    assert_eq!(wrong, ["events[1]", "events[2]", "events[3]", "timeout_seconds"]);
    app.patch(&path, &json!({ "description": "what it had it keeps" })).expect(200);
    app.patch(&path, &json!({ "events": ["known"] })).expect(200);
}

#[test]
fn a_test_without_data_sends_the_example_of_its_type() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let path = format!("/endpoints/{}/test", app.endpoint_at(&receiver, "/"));
    put(&app, "invoice.paid", &json!({ "example": { "total": 7 } })).expect(201);
    let sent = |body: &Value| {
        app.post(&path, body).expect(200);
        receiver.next().json()["data"].clone()
    };
    assert_eq!(sent(&json!({ "type": "invoice.paid" })), json!({ "total": 7 }));
    assert_eq!(sent(&json!({ "type": "invoice.paid", "data": 1 })), json!(1));
    assert_eq!(sent(&json!({}))["test"], true);
    put(&app, "webhook.test", &json!({ "example": "ours" })).expect(201);
    assert_eq!(sent(&json!({})), json!("ours"));
}

/// Whoever publishes what takes long to check holds nobody else up, and is answered in the end.
#[test]
fn hostile_data_against_a_hostile_pattern_is_refused_soon() {
    let app = TestApp::start();
    app.change_settings(&json!({ "data_limit_bytes": 1024 * 1024 }));
    put(&app, "hostile", &json!({ "schema": { "pattern": "^(([a-z])+.)+[A-Z]([a-z])+$" } })).expect(201);
    put(&app, "many", &json!({ "schema": { "items": { "type": "string" }, "uniqueItems": true } }))
        .expect(201);
    let started = postrider::clock::Stopwatch::start();
    assert_eq!(fields(&publish(&app, "hostile", &json!("a".repeat(1_000_000))).expect(422)), ["data"]);
    let refused = publish(&app, "many", &json!(vec![1; 400_000])).expect(422);
    assert!(refused.body.len() < 20_000 && fields(&refused).len() <= 51, "{}", refused.text().len());
    assert!(started.elapsed() < Duration::from_mins(1), "{:?}", started.elapsed());
    for schema in [json!({ "pattern": "(a{1000}){1000}" }), json!({ "$ref": "https://example.com/s.json" })] {
        assert_eq!(put(&app, "a", &json!({ "schema": schema })).status, 422, "{schema}");
    }
}

#[test]
fn a_put_of_what_is_there_changes_nothing() {
    let app = TestApp::with_manual_clock();
    let whole = json!({ "description": "x", "schema": { "type": "object" } });
    let made = put(&app, "a", &whole).expect(201).json();
    app.advance(Duration::from_mins(1));
    assert_eq!(put(&app, "a", &whole).expect(200).json(), made);
    assert_eq!(app.audit_of("a").len(), 1);
    assert_ne!(put(&app, "a", &json!({})).expect(200).json()["updated_at"], made["updated_at"]);
}
