//! What each kind of alert sends, byte for byte.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::sender::tls::{authority, identity, named};
use crate::support::app::{START, TestApp, text};
use crate::support::smtp::{MailServer, Way};

use super::World;

#[test]
fn an_alert_that_goes_to_an_endpoint_is_a_signed_event_for_it_alone() {
    let world = World::new();
    world.app.endpoint_at(&world.receiver, "/all");
    let ops = json!({ "url": world.receiver.url("/ops"), "tenant": "ops" });
    let made = world.app.create_endpoint(&ops);
    let id = world.make(&json!({ "kind": "webhook", "endpoint": text(&made, "id") }));
    world.dead("acme", 7);
    world.tell();
    world.app.settle();
    let got = world.receiver.next_on("/ops");
    assert!(got.header("webhook-signature").is_some_and(|value| value.starts_with("v1,")));
    let body = got.json();
    assert_eq!((&body["type"], &body["tenant"]), (&json!("postrider.alert"), &json!("ops")));
    let data = &body["data"];
    assert_eq!((&data["title"], &data["test"]), (&json!("7 endpoints are failing"), &json!(false)));
    let group = &data["groups"][0];
    assert_eq!(
        (&group["condition"], &group["ended"], &group["count"]),
        (&json!("endpoint_failing"), &json!(false), &json!(7))
    );
    assert_eq!(group["first"].as_array().map(Vec::len), Some(5));
    assert_eq!(group["first"][0]["endpoint"]["tenant"], "acme");
    assert_eq!(world.receiver.count_on("/all"), 0, "nobody else gets it, whatever they subscribe to");
    // Nor by a replay, of the event or of what they missed.
    let alert = &world.app.get("/events?type=postrider.alert&tenant=ops")["data"][0];
    let again =
        world.app.post(&format!("/events/{}/replay", text(alert, "id")), &json!({})).expect(409).json();
    assert_eq!(again["code"], "not_replayable");
    let curious = json!({ "url": world.receiver.url("/curious"), "tenant": "ops", "events": ["*"] });
    let curious = text(&world.app.create_endpoint(&curious), "id");
    let missed = json!({ "status": "missing", "since": "2020-01-01T00:00:00Z" });
    world.app.post(&format!("/endpoints/{curious}/replay"), &missed).expect(202);
    world.app.settle();
    assert_eq!(world.receiver.count_on("/curious"), 0);
    world.app.disable(&text(&made, "id"));
    let tested = world.app.post(&format!("/alerts/{id}/test"), &json!({})).expect(200).json();
    assert_eq!(tested["success"], false);
    assert!(text(&tested, "error").contains("is disabled; enable it"), "{tested}");
}

#[test]
fn an_alert_by_mail_has_a_subject_and_a_text() {
    let (world, mail) = (World::new(), MailServer::start());
    let server = json!({
        "host": "127.0.0.1", "port": mail.port(), "security": "none", "user": "ada", "password": "s3cret-of-ada",
        "from": "postrider@example.com",
    });
    world.app.client.send_json("PUT", "/api/v1/mail-server", &server).expect(200);
    // The customer's own address.
    let id = world.make(&json!({ "kind": "email", "email": "dev@acme.example", "tenant": "acme" }));
    world.dead("acme", 1);
    world.tell();
    let got = mail.wait_for(1).remove(0);
    assert_eq!(
        (got.from.as_str(), got.to.as_slice()),
        ("postrider@example.com", &["dev@acme.example".to_owned()][..])
    );
    assert_eq!(got.login, Some(("ada".to_owned(), "s3cret-of-ada".to_owned())));
    assert_eq!(got.header("Subject"), Some("[Postrider] 1 endpoint is failing"));
    let url = world.receiver.url("/dead/acme");
    // Without the address of the console, where customers have no business.
    let expected =
        format!("1 endpoint is failing:\n- acme {url}: its last attempt has failed, since {START}");
    assert_eq!(got.text().trim_end(), expected);
    mail.refuse("554 5.7.1 no thanks");
    let tested = world.app.post(&format!("/alerts/{id}/test"), &json!({})).expect(200).json();
    let error = text(&tested, "error");
    assert!(error.contains("did not take it") && error.contains("no thanks"), "{error}");
    assert_eq!(world.app.bytes_found("s3cret-of-ada"), 0, "the password is encrypted at rest");
}

#[test]
fn mail_goes_over_tls_or_not_at_all() {
    let authority = authority();
    let config = identity(&named("localhost"), Some(&authority));
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, authority.pem()).expect("a file");
    let app = TestApp::builder().with("POSTRIDER_EXTRA_CA", file.to_str().expect("a path in UTF-8")).start();
    let alert = json!({ "kind": "email", "email": "ada@example.com" });
    let id = text(&app.post("/alerts", &alert).expect(201).json(), "id");
    let test = |security: &str, server: &MailServer| {
        let fields = json!({
            "host": "localhost", "port": server.port(), "security": security, "user": "ada", "password": "s3cret",
            "from": "postrider@example.com",
        });
        app.client.send_json("PUT", "/api/v1/mail-server", &fields).expect(200);
        app.post(&format!("/alerts/{id}/test"), &json!({})).expect(200).json()
    };
    for (security, way) in [("tls", Way::Tls(Arc::clone(&config))), ("starttls", Way::StartTls(config))] {
        let server = MailServer::by(way);
        assert_eq!(test(security, &server)["error"], Value::Null, "{security}");
        let got = server.wait_for(1).remove(0);
        assert_eq!(got.login, Some(("ada".to_owned(), "s3cret".to_owned())), "{security}");
    }
    // A server that cannot encrypt gets neither the password nor the mail.
    let clear = MailServer::start();
    assert_eq!(test("starttls", &clear)["success"], false);
    let other = MailServer::by(Way::Tls(identity(&named("other.test"), Some(&authority))));
    let refused = test("tls", &other);
    assert!(text(&refused, "error").contains("the name in its certificate"), "{refused}");
}

#[test]
fn discord_gets_its_own_form() {
    let world = World::new();
    let id = world.make(&json!({ "kind": "discord", "url": world.receiver.url("/discord") }));
    let tested = world.app.post(&format!("/alerts/{id}/test"), &json!({})).expect(200).json();
    assert_eq!((&tested["success"], &tested["error"]), (&json!(true), &Value::Null));
    let got = world.receiver.next_on("/discord");
    let content = format!(
        "**Postrider: This is a test**\nAlerts arrive here. Nothing has happened.\nhttp://{}",
        world.app.address()
    );
    assert_eq!(got.json(), json!({ "content": content, "allowed_mentions": { "parse": [] }, "flags": 4 }));
    assert_eq!(got.header("content-type"), Some("application/json"));
}
