//! `/alerts` and `/mail-server`: what is taken, what is refused, and that no credential is ever shown.

use serde_json::{Value, json};

use crate::support::app::{TestApp, text};
use crate::support::problem::{code, fields};
use crate::support::receiver::Receiver;

/// Part of a URL that nobody may see.
const TOKEN: &str = "T0KEN-of-the-chat";

fn alert(app: &TestApp, fields: &Value) -> Value {
    app.post("/alerts", fields).expect(201).json()
}

#[test]
fn an_alert_is_made_read_changed_and_deleted() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let url = receiver.url(&format!("/{TOKEN}"));
    let made = alert(&app, &json!({ "kind": "slack", "url": url, "name": "On call" }));
    let id = text(&made, "id");
    assert!(id.starts_with("alr_"), "{made}");
    for (field, value) in [
        ("name", json!("On call")),
        ("kind", json!("slack")),
        ("tenant", Value::Null),
        ("url", json!("•••")),
        ("email", Value::Null),
        ("endpoint", Value::Null),
        ("enabled", json!(true)),
        ("last_sent_at", Value::Null),
        ("last_error", Value::Null),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    assert_eq!(made["conditions"].as_array().map(Vec::len), Some(9));
    assert_eq!(app.get(&format!("/alerts/{id}")), made);
    let wanted = json!({ "conditions": ["disk", "backlog"], "enabled": false, "url": "•••", "name": null });
    let changed = app.patch(&format!("/alerts/{id}"), &wanted).expect(200).json();
    assert_eq!((&changed["conditions"], &changed["enabled"]), (&json!(["disk", "backlog"]), &json!(false)));
    assert_eq!(changed["name"], "slack");
    app.post(&format!("/alerts/{id}/test"), &json!({})).expect(200);
    assert_eq!(receiver.count_on(&format!("/{TOKEN}")), 1, "the URL was kept");
    assert_eq!(app.list("/alerts").len(), 1);
    app.delete(&format!("/alerts/{id}")).expect(204);
    assert_eq!(code(&app.delete(&format!("/alerts/{id}")).expect(404)), "not_found");
    let actions: Vec<_> = app.audit_of(&id).iter().map(|line| text(line, "action")).collect();
    assert_eq!(actions, ["alert.create", "alert.update", "alert.test", "alert.delete"]);
}

#[test]
fn a_credential_is_never_shown_and_encrypted_at_rest() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let url = receiver.url(&format!("/{TOKEN}"));
    let made = alert(&app, &json!({ "kind": "discord", "url": url }));
    let id = text(&made, "id");
    let again = receiver.url(&format!("/{TOKEN}/2"));
    app.patch(&format!("/alerts/{id}"), &json!({ "url": again })).expect(200);
    let server =
        json!({ "host": "smtp.example.com", "user": "ada", "password": TOKEN, "from": "a@example.com" });
    let set = app.client.send_json("PUT", "/api/v1/mail-server", &server).expect(200).json();
    assert_eq!(set["password"], "•••");
    for path in ["/alerts", "/audit", "/mail-server"] {
        assert!(!app.get(path).to_string().contains(TOKEN), "{path}");
    }
    assert_eq!(app.bytes_found(TOKEN), 0);
}

#[test]
fn every_wrong_field_is_named() {
    let app = TestApp::start();
    for (body, wrong) in [
        (json!({}), vec!["kind"]),
        (json!({ "kind": "pigeon" }), vec!["kind"]),
        (json!({ "kind": "email" }), vec!["email"]),
        (json!({ "kind": "email", "email": "nobody" }), vec!["email"]),
        (json!({ "kind": "slack", "email": "a@b.c" }), vec!["url", "email"]),
        (json!({ "kind": "webhook", "endpoint": "ep_0000000000000" }), vec!["endpoint"]),
        (json!({ "kind": "email", "email": "a@b.c", "conditions": ["fire"] }), vec!["conditions"]),
        (json!({ "kind": "email", "email": "a@b.c", "conditions": [] }), vec!["conditions"]),
        (
            json!({ "kind": "email", "email": "a@b.c", "conditions": ["endpoint_recovered"] }),
            vec!["conditions"],
        ),
        (
            json!({ "kind": "email", "email": "a@b.c", "tenant": "acme", "conditions": ["disk"] }),
            vec!["conditions"],
        ),
        (
            json!({ "kind": "email", "email": "a@b.c", "tenant": "a b", "name": "x\ny", "colour": 1 }),
            vec!["colour", "name", "tenant"],
        ),
        (json!({ "kind": "email", "email": 1, "enabled": "yes" }), vec!["email", "enabled"]),
    ] {
        let answer = app.post("/alerts", &body).expect(422);
        let (mut found, mut wrong) = (fields(&answer), wrong);
        found.sort_unstable();
        wrong.sort_unstable();
        assert_eq!(found, wrong, "{body}: {}", answer.text());
    }
    assert_eq!(app.list("/alerts").len(), 0);
}

#[test]
fn a_url_of_an_alert_is_judged_as_that_of_an_endpoint() {
    let app = TestApp::start();
    for url in ["https://10.0.0.1/", "http://169.254.169.254/latest", "https://[fd00:ec2::254]/"] {
        let refused = app.post("/alerts", &json!({ "kind": "slack", "url": url })).expect(422);
        assert_eq!(
            (code(&refused), fields(&refused)),
            ("target_denied".to_owned(), vec!["url".to_owned()]),
            "{url}"
        );
    }
    for url in ["ftp://a.test/", "https://ada:secret@a.test/", "hooks"] {
        let refused = app.post("/alerts", &json!({ "kind": "discord", "url": url })).expect(422);
        assert_eq!(fields(&refused), ["url"], "{url}");
        assert!(!refused.text().contains("secret"), "{}", refused.text());
    }
    let secure = TestApp::builder().with("POSTRIDER_DEV", "0").start();
    let url = "http://a.example/";
    let refused = secure.post("/alerts", &json!({ "kind": "slack", "url": url })).expect(422);
    assert_eq!(fields(&refused), ["url"]);
}

#[test]
fn the_guard_holds_when_an_alert_is_sent_as_well() {
    let app = TestApp::start();
    // A name that leads nowhere when it is saved leads to this server itself when it is used.
    let own = format!("http://127.0.0.1:{}/", app.address().port());
    let refused = app.post("/alerts", &json!({ "kind": "slack", "url": own })).expect(422);
    assert_eq!(code(&refused), "target_denied");
    let made = alert(&app, &json!({ "kind": "slack", "url": "http://nowhere.invalid/hook" }));
    let path = format!("/alerts/{}/test", text(&made, "id"));
    let tested = app.post(&path, &json!({})).expect(200).json();
    assert_eq!(tested["success"], false);
    assert!(text(&tested, "error").contains("nowhere.invalid"), "{tested}");
}

#[test]
fn a_mail_server_is_set_kept_and_forgotten() {
    let app = TestApp::start();
    let put = |body: &Value| app.client.send_json("PUT", "/api/v1/mail-server", body);
    app.client.get("/api/v1/mail-server").expect(404);
    let server =
        json!({ "host": "SMTP.example.com", "user": "ada", "password": "one", "from": "a@example.com" });
    let set = put(&server).expect(200).json();
    let expected = json!({
        "host": "smtp.example.com", "port": 587, "security": "starttls", "user": "ada", "password": "•••",
        "from": "a@example.com",
    });
    assert_eq!((set, app.get("/mail-server")), (expected.clone(), expected));
    let mut kept = server.clone();
    kept["password"] = "•••".into();
    put(&kept).expect(200);
    kept["host"] = "evil.example.com".into();
    assert_eq!(fields(&put(&kept).expect(422)), ["password"], "it is not handed to another server");
    let clear = json!({ "host": "smtp.example.com", "security": "none", "from": "a@example.com" });
    assert_eq!(fields(&put(&clear).expect(422)), ["security"]);
    assert_eq!(fields(&put(&json!({})).expect(422)), ["host", "from"]);
    app.delete("/mail-server").expect(204);
    app.delete("/mail-server").expect(404);
    let actions: Vec<_> = app.audit_of("mail_server").iter().map(|line| text(line, "action")).collect();
    assert_eq!(actions, ["mail_server.put", "mail_server.put", "mail_server.delete"]);
}

#[test]
fn without_a_mail_server_a_test_says_what_to_do() {
    let app = TestApp::start();
    let made = alert(&app, &json!({ "kind": "email", "email": "ada@example.com" }));
    let tested = app.post(&format!("/alerts/{}/test", text(&made, "id")), &json!({})).expect(200).json();
    assert!(text(&tested, "error").contains("PUT /api/v1/mail-server"), "{tested}");
    let shown = app.get(&format!("/alerts/{}", text(&made, "id")));
    assert_eq!(shown["last_error"], tested["error"]);
}

#[test]
fn the_alerts_of_a_tenant_go_with_it() {
    let app = TestApp::start();
    let own = alert(&app, &json!({ "kind": "email", "email": "dev@acme.example", "tenant": "acme" }));
    alert(&app, &json!({ "kind": "email", "email": "ada@example.com" }));
    app.delete("/tenants/acme").expect(202);
    app.client.get(&format!("/api/v1/alerts/{}", text(&own, "id"))).expect(404);
    assert_eq!(app.list("/alerts").len(), 1);
}
