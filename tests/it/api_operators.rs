//! Operators through the API: invited, listed, changed, given a new link.

use serde_json::{Value, json};

use crate::support::app::{TestApp, text};
use crate::support::problem::{code, fields};

fn invite(app: &TestApp, email: &str, role: &str) -> Value {
    app.post("/operators", &json!({ "email": email, "role": role })).expect(201).json()
}

#[test]
fn who_is_invited_is_pending_and_the_link_is_shown_once() {
    let app =
        TestApp::builder().manual_clock().with("POSTRIDER_PUBLIC_URL", "https://hooks.example.com/").start();
    let mut made = invite(&app, "Ada@Example.com", "viewer");
    let link = text(&made, "link");
    assert!(link.starts_with("https://hooks.example.com/join/"), "{link}");
    assert_eq!(link.len(), "https://hooks.example.com/join/".len() + 43);
    assert_eq!(text(&made, "link_expires_at"), "2026-02-26T14:30:00.000Z");
    let shown = made.as_object_mut().expect("an operator");
    shown.remove("link");
    shown.remove("link_expires_at");
    let path = format!("/operators/{}", text(&made, "id"));
    assert_eq!((&made["email"], &made["role"]), (&json!("ada@example.com"), &json!("viewer")));
    assert_eq!((&made["active"], &made["pending"]), (&json!(true), &json!(true)));
    assert_eq!(app.get(&path), made);
    assert_eq!(app.get("/operators")["data"], json!([made]));
}

#[test]
fn every_wrong_field_of_an_operator_is_named() {
    let app = TestApp::start();
    let wrong =
        app.post("/operators", &json!({ "email": "ada", "role": "owner", "name": "Ada" })).expect(422);
    assert_eq!(fields(&wrong), ["email", "role", "name"]);
    assert_eq!(fields(&app.post("/operators", &json!({})).expect(422)), ["email", "role"]);
    let path = format!("/operators/{}", text(&invite(&app, "ada@example.com", "viewer"), "id"));
    let wrong = app.patch(&path, &json!({ "role": "Admin", "active": "no", "email": "b@c" })).expect(422);
    assert_eq!(fields(&wrong), ["role", "active", "email"]);
    let taken = app.post("/operators", &json!({ "email": "ADA@example.com", "role": "admin" })).expect(409);
    assert_eq!((code(&taken).as_str(), fields(&taken)), ("operator_exists", vec!["email".to_owned()]));
    for id in ["op_0000000000001", "bob@example.com", "ada"] {
        app.client.get(&format!("/api/v1/operators/{id}")).expect(404);
        app.patch(&format!("/operators/{id}"), &json!({ "active": false })).expect(404);
        app.post(&format!("/operators/{id}/link"), &json!({})).expect(404);
    }
}

#[test]
fn an_operator_is_changed_and_the_audit_log_says_how() {
    let app = TestApp::start();
    let id = text(&invite(&app, "ada@example.com", "viewer"), "id");
    let path = format!("/operators/{id}");
    let changed = app.patch(&path, &json!({ "role": "admin" })).expect(200).json();
    assert_eq!((&changed["role"], &changed["active"]), (&json!("admin"), &json!(true)));
    assert_eq!(app.patch(&path, &json!({})).expect(200).json(), changed, "what is absent stays");
    let ended = app.patch(&path, &json!({ "active": false })).expect(200).json();
    assert_eq!((&ended["role"], &ended["active"]), (&json!("admin"), &json!(false)));
    app.post(&format!("{path}/link"), &json!({})).expect(409);
    app.patch(&path, &json!({ "active": true })).expect(200);
    let link = app.post(&format!("{path}/link"), &json!({})).expect(201).json();
    let audit = app.get(&format!("/audit?target={id}"))["data"].clone();
    let lines = audit.as_array().expect("lines");
    let actions: Vec<_> = lines.iter().rev().map(|line| text(line, "action")).collect();
    assert_eq!(
        actions,
        ["operator.invite", "operator.update", "operator.update", "operator.update", "operator.link"]
    );
    assert_eq!(lines[2]["before"], json!({ "role": "admin", "active": true }));
    assert_eq!(lines[2]["after"], json!({ "role": "admin", "active": false }));
    let secret = text(&link, "link").rsplit('/').next().expect("a text").to_owned();
    assert!(!audit.to_string().contains(&secret), "the link is shown once");
}

#[test]
fn an_operator_is_also_found_by_the_address() {
    let app = TestApp::start();
    let made = invite(&app, "Ada+x@example.com", "viewer");
    let path = "/operators/ADA%2Bx@example.com";
    assert_eq!(app.get(path)["id"], made["id"]);
    app.patch(path, &json!({ "role": "admin" })).expect(200);
    app.post(&format!("{path}/link"), &json!({})).expect(201);
    let audit = app.list(&format!("/audit?target={}", text(&made, "id")));
    let actions: Vec<_> = audit.iter().map(|line| text(line, "action")).collect();
    assert_eq!(actions, ["operator.link", "operator.update", "operator.invite"]);
}

#[test]
fn the_last_active_admin_stays_one() {
    let app = TestApp::builder()
        .with("POSTRIDER_ADMIN_EMAIL", "ada@example.com")
        .with("POSTRIDER_ADMIN_PASSWORD", "correct horse")
        .start();
    let first = app.get("/operators")["data"][0].clone();
    assert_eq!((&first["email"], &first["pending"]), (&json!("ada@example.com"), &json!(false)));
    let path = format!("/operators/{}", text(&first, "id"));
    // Somebody who has not come yet cannot take over.
    invite(&app, "bob@example.com", "admin");
    for change in [json!({ "role": "viewer" }), json!({ "active": false })] {
        assert_eq!(code(&app.patch(&path, &change).expect(409)), "last_admin");
    }
    assert_eq!(app.get(&path), first);
}

#[test]
fn operators_come_in_pages() {
    let app = TestApp::start();
    for n in 0..3 {
        invite(&app, &format!("{n}@example.com"), "viewer");
    }
    let first = app.get("/operators?limit=2");
    assert_eq!(first["data"][0]["email"], "2@example.com");
    let rest = app.get(&format!("/operators?limit=2&cursor={}", text(&first, "next_cursor")));
    assert_eq!((&rest["data"][0]["email"], &rest["next_cursor"]), (&json!("0@example.com"), &Value::Null));
}
