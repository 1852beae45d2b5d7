//! Why an event went where it went, and not elsewhere.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::problem::code;
use crate::support::receiver::Receiver;

/// The row of the endpoint with this uid.
fn row(app: &TestApp, event: &str, uid: &str) -> Value {
    let rows = app.list(&format!("/events/{event}/matching"));
    rows.into_iter().find(|row| row["uid"] == uid).expect("a row")
}

#[test]
fn each_endpoint_has_the_rule_that_did_not_match() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let make = |uid: &str, more: Value| {
        let mut fields = json!({ "url": receiver.url("/"), "uid": uid, "events": ["post.*"] });
        fields.as_object_mut().expect("fields").extend(more.as_object().expect("fields").clone());
        text(&app.create_endpoint(&fields), "id")
    };
    make("all", json!({}));
    make("other", json!({ "events": ["invoice.*"] }));
    make("status", json!({ "filters": { "author.id": 7, "status": "published" } }));
    make("either", json!({ "filters": { "tag": ["a", "b"] } }));
    make("long", json!({ "filters": { "text": "x" } }));
    let skips = make("skips", json!({ "while_disabled": "skip" }));
    app.disable(&skips);
    let holds = make("holds", json!({}));
    app.disable(&holds);
    let changed = make("changed", json!({ "events": ["none"] }));
    app.clock().advance(Duration::from_secs(1));
    let data = json!({ "author": { "id": 7 }, "status": "draft", "text": "y".repeat(2000) });
    let event = text(&app.publish("post.made", &data), "id");
    app.settle();
    app.clock().advance(Duration::from_secs(1));
    make("later", json!({}));
    app.change_endpoint(&changed, &json!({ "events": ["*"] }));
    let said = |uid: &str| row(&app, &event, uid);
    let all = said("all");
    shows(
        &all,
        &json!({ "reason": "delivered_to", "matched": true, "filter": null, "changed_since": false }),
    );
    assert_eq!(app.delivery(&text(&all, "delivery_id"))["endpoint_id"], all["endpoint_id"]);
    shows(&said("other"), &json!({ "reason": "not_subscribed", "matched": false, "delivery_id": null }));
    shows(
        &said("status"),
        &json!({
            "reason": "filter", "matched": false,
            "filter": { "path": "status", "wanted": "published", "got": "draft", "got_kind": "string" },
            "message": "The filter status wants \"published\", and the data has \"draft\".",
        }),
    );
    let missing = json!({ "path": "tag", "wanted": ["a", "b"], "got": null, "got_kind": "missing" });
    assert_eq!(said("either")["filter"], missing);
    assert_eq!(
        said("long")["filter"],
        json!({ "path": "text", "wanted": "x", "got": null, "got_kind": "string" })
    );
    shows(&said("skips"), &json!({ "reason": "skipped_while_disabled", "matched": true, "enabled": false }));
    shows(&said("holds"), &json!({ "reason": "delivered_to", "enabled": false }));
    shows(&said("changed"), &json!({ "reason": "matches_now", "matched": true, "changed_since": true }));
    shows(&said("later"), &json!({ "reason": "made_later", "matched": true, "changed_since": true }));
    // A replay makes a delivery.
    app.post(&format!("/events/{event}/replay"), &json!({ "endpoint": "later" })).expect(202);
    shows(&said("later"), &json!({ "reason": "delivered_to" }));
    // Without the data filters say nothing.
    app.delete(&format!("/events/{event}/data")).expect(204);
    shows(&said("either"), &json!({ "reason": "data_deleted", "matched": null, "filter": null }));
    shows(&said("other"), &json!({ "reason": "not_subscribed", "matched": false }));
}

#[test]
fn it_comes_in_pages_and_only_to_those_who_may_see_the_event() {
    let app = TestApp::start();
    for _ in 0..5 {
        app.create_endpoint(&json!({ "url": "https://a.test/", "tenant": "acme", "events": ["none"] }));
    }
    let event =
        app.post("/events", &json!({ "type": "a", "data": 1, "tenant": "acme", "id": "own" })).expect(202);
    assert_eq!(event.json()["deliveries"], 0);
    let page = app.get("/events/own/matching?tenant=acme&limit=3");
    assert_eq!(page["data"].as_array().map(Vec::len), Some(3));
    let next = text(&page, "next_cursor");
    let rest = app.get(&format!("/events/own/matching?tenant=acme&limit=3&cursor={next}"));
    assert_eq!((rest["data"].as_array().map(Vec::len), &rest["next_cursor"]), (Some(2), &Value::Null));
    assert_eq!(code(&app.client.get("/api/v1/events/own/matching").expect(404)), "not_found");
}
