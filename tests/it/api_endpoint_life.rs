//! The life of an endpoint over the API: disabled, enabled, deleted, and how many a tenant may have.

use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::problem::{code, fields};
use crate::support::receiver::{Receiver, Reply};

#[test]
fn a_disabled_endpoint_says_why_and_since_when() {
    let app = TestApp::with_manual_clock();
    let id = text(&app.create_endpoint(&json!({ "url": "https://a.test/", "events": ["*"] })), "id");
    let call = |what: &str, body: &Value| app.post(&format!("/endpoints/{id}/{what}"), body);
    let at = "2026-02-23T14:30:00.000Z";
    let seen = call("disable", &json!({ "note": "moving house\nuntil May" })).expect(200).json();
    shows(
        &seen,
        &json!({ "enabled": false, "health": "disabled", "disabled_reason": "manual", "disabled_at": at }),
    );
    assert_eq!(seen["disabled_note"], "moving house\nuntil May");
    for bad in [json!({ "note": 5 }), json!({ "note": "x".repeat(501) }), json!({ "note": "\u{7}" })] {
        assert_eq!(fields(&call("disable", &bad).expect(422)), ["note"]);
    }
    for bad in [json!({ "held": "keep" }), json!({ "held": true })] {
        assert_eq!(fields(&call("enable", &bad).expect(422)), ["held"]);
    }
    assert_eq!(fields(&call("enable", &json!({ "note": "x" })).expect(422)), ["note"], "of another call");
    let seen = call("enable", &json!({ "held": null })).expect(200).json();
    shows(&seen, &json!({ "enabled": true, "health": "ok", "disabled_reason": null, "disabled_note": null }));
    assert_eq!(seen["disabled_at"], Value::Null);
    let seen = app.patch(&format!("/endpoints/{id}"), &json!({ "enabled": false })).expect(200).json();
    shows(&seen, &json!({ "enabled": false, "disabled_reason": "manual", "disabled_note": null }));
}

#[test]
fn the_deliveries_of_a_deleted_endpoint_stay_readable() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    receiver.reply(Reply::ok());
    receiver.always(Reply::status(500));
    let fields = json!({ "url": receiver.url("/"), "uid": "erp", "events": ["*"] });
    let id = text(&app.create_endpoint(&fields), "id");
    let done = app.send(&json!(1));
    app.settle();
    let pending = app.send(&json!(2));
    app.settle();
    app.delete_endpoint(&id);
    for (method, path) in [
        ("GET", String::new()),
        ("PATCH", String::new()),
        ("DELETE", String::new()),
        ("POST", "/enable".to_owned()),
        ("POST", "/disable".to_owned()),
        ("POST", "/test".to_owned()),
    ] {
        for name in [id.as_str(), "erp"] {
            let answer = app.client.request(method, &format!("/api/v1/endpoints/{name}{path}"), &[], None);
            assert_eq!((answer.status, code(&answer).as_str()), (404, "not_found"), "{method} {name}{path}");
        }
    }
    assert!(app.list("/endpoints").is_empty());
    for list in [
        format!("/endpoints/{id}/deliveries"),
        format!("/deliveries?endpoint={id}"),
        "/deliveries".to_owned(),
    ] {
        let shown: Vec<_> =
            app.list(&list).iter().map(|row| (text(row, "id"), text(row, "status"))).collect();
        let expected = [(pending.clone(), "canceled".to_owned()), (done.clone(), "delivered".to_owned())];
        assert_eq!(shown, expected, "{list}");
    }
    let shown = app.delivery(&done);
    assert_eq!(shown["attempt_list"][0]["url"], receiver.url("/"));
    assert!(shown["request_body"].is_string(), "{shown}");
    app.retry(&done).expect(409);
    app.create_endpoint(&fields);
}

#[test]
fn a_tenant_has_as_many_endpoints_as_its_limit_or_the_setting_says() {
    let app = TestApp::start();
    let make = |tenant: &str| app.post("/endpoints", &json!({ "url": "https://a.test/", "tenant": tenant }));
    let full = |tenant: &str, limit: u32| {
        let refused = make(tenant);
        assert_eq!((refused.status, code(&refused).as_str()), (409, "endpoint_limit_reached"), "{tenant}");
        assert!(text(&refused.json(), "detail").contains(&limit.to_string()), "{}", refused.text());
    };
    for _ in 0..10 {
        make("acme").expect(201);
    }
    full("acme", 10);
    app.change_settings(&json!({ "endpoint_limit": 11 }));
    let id = text(&make("acme").expect(201).json(), "id");
    app.change_settings(&json!({ "endpoint_limit": 2 }));
    full("acme", 2);
    app.delete_endpoint(&id);
    full("acme", 2);
    let put = |limit: Value| {
        app.client.send_json("PUT", "/api/v1/tenants/acme", &json!({ "endpoint_limit": limit }))
    };
    put(json!(11)).expect(200);
    make("acme").expect(201);
    full("acme", 11);
    put(json!(null)).expect(200);
    full("acme", 2);
    put(json!(0)).expect(200);
    full("acme", 0);
    make("globex").expect(201);
    make("globex").expect(201);
    full("globex", 2);
    assert_eq!(app.list("/endpoints?tenant=acme").len(), 11, "what is there stays");
}

#[test]
fn filters_with_numbers_beyond_a_double_are_kept_and_audited_as_they_came() {
    let app = TestApp::start();
    let headers = [("Content-Type", "application/json")];
    let body = br#"{"url":"https://a.test/","filters":{"n":1e400}}"#;
    let made = app.client.request("POST", "/api/v1/endpoints", &headers, Some(body)).expect(201);
    assert!(made.text().contains(r#""filters":{"n":1e400}"#), "{}", made.text());
    let (_, rest) = made.text().split_once("\"id\":\"").expect("an id");
    let id = rest.split('"').next().expect("an id");
    app.client
        .request("PATCH", &format!("/api/v1/endpoints/{id}"), &headers, Some(br#"{"filters":{"n":7}}"#))
        .expect(200);
    let lines = app.audit_of(id);
    assert_eq!(lines[0]["after"]["filters"], r#"{"n":1e400}"#);
    assert_eq!(lines[1]["after"], json!({ "filters": { "n": 7 } }));
}
