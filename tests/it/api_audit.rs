//! The audit log: who did what, to what, from where, and what it looked like before and after.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::app::{KEY, TestApp, text};
use crate::support::client::Client;
use crate::support::problem::{code, fields};
use crate::support::receiver::Receiver;

/// The only line about a target, or the newest of several.
#[track_caller]
fn line(app: &TestApp, query: &str) -> Value {
    app.get(&format!("/audit?{query}"))["data"].as_array().expect("a list").first().expect("a line").clone()
}

#[test]
fn a_line_says_who_did_what_when_and_from_where() {
    let app = TestApp::with_manual_clock();
    app.patch("/settings", &json!({ "retention_days": 7, "endpoint_limit": 10 })).expect(200);
    let found = line(&app, "action=settings.change");
    let names: Vec<&String> = found.as_object().expect("an object").keys().collect();
    assert_eq!(
        names,
        ["action", "actor", "address", "after", "before", "created_at", "id", "target", "tenant"]
    );
    let expected = json!({
        "id": found["id"], "created_at": "2026-02-23T14:30:00.000Z", "actor": found["actor"], "address": "127.0.0.1",
        "action": "settings.change", "target": "settings", "tenant": null,
        "before": { "retention_days": 30 }, "after": { "retention_days": 7 },
    });
    assert_eq!(found, expected, "only what has changed");
    assert!(text(&found, "actor").starts_with("key:key_") && text(&found, "id").starts_with("aud_"));
    app.local().send_json("PATCH", "/api/v1/settings", &json!({ "retention_days": 8 })).expect(200);
    let local = line(&app, "action=settings.change");
    assert!(text(&local, "actor").starts_with("cli:"), "{local}");
    assert_eq!(local["address"], json!(null), "it came by no network");
}

#[test]
fn behind_a_trusted_proxy_the_client_is_named_and_a_stranger_is_not_believed() {
    for (trusted, expected) in [("127.0.0.0/8", "198.51.100.7"), ("10.0.0.0/8", "127.0.0.1")] {
        let app = TestApp::builder().with("POSTRIDER_TRUSTED_PROXY", trusted).start();
        let client = Client::tcp(app.address()).with_key(KEY);
        let client = client.with_header("X-Forwarded-For", "1.1.1.1, 198.51.100.7");
        client.send_json("PUT", "/api/v1/tenants/acme", &json!({})).expect(201);
        client.post("/api/v1/cleanups", &json!({})).expect(200);
        for action in ["tenant.put", "cleanup.run"] {
            assert_eq!(line(&app, &format!("action={action}"))["address"], expected, "{action}");
        }
    }
}

#[test]
fn every_change_is_there_and_no_secret() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let endpoint = app.endpoint_with(
        &receiver,
        "/",
        &json!({ "tenant": "acme", "secret": secret, "headers": { "X-Token": "hunter2" } }),
    );
    app.change_endpoint(&endpoint, &json!({ "description": "new", "headers": { "X-Token": "hunter3" } }));
    app.test_endpoint(&endpoint);
    app.post(&format!("/endpoints/{endpoint}/disable"), &json!({ "note": "broken" })).expect(200);
    app.enable(&endpoint);
    app.post("/events", &json!({ "type": "a", "data": 1, "tenant": "acme" })).expect(202);
    app.settle();
    let delivery = text(&app.list("/deliveries?type=a")[0], "id");
    app.retry(&delivery).expect(202);
    app.delete_endpoint(&endpoint);
    let key = app
        .post("/keys", &json!({ "name": "CI", "scopes": ["events:read"], "tenant": "acme" }))
        .expect(201)
        .json();
    app.delete(&format!("/keys/{}", text(&key, "id"))).expect(204);
    app.post("/deliveries/release", &json!({ "held": "discard" })).expect(202);
    let actions: Vec<String> = app.list("/audit").iter().rev().map(|line| text(line, "action")).collect();
    let expected = [
        "key.create",
        "endpoint.create",
        "endpoint.change",
        "endpoint.test",
        "endpoint.disable",
        "endpoint.enable",
        "delivery.retry",
        "endpoint.delete",
        "key.create",
        "key.revoke",
        "delivery.release",
    ];
    assert_eq!(actions, expected);
    let all = Value::from(app.list("/audit")).to_string();
    for private in
        ["hunter", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY", "whsec_", KEY, &text(&key, "key")]
    {
        assert!(!all.contains(private), "{private} in {all}");
    }
    let deleted = line(&app, "action=endpoint.delete");
    assert_eq!((&deleted["before"]["url"], &deleted["after"]), (&json!(receiver.url("/")), &json!(null)));
    let revoked = line(&app, "action=key.revoke");
    assert_eq!(
        (&revoked["before"], &revoked["tenant"]),
        (&json!({ "name": "CI", "scopes": ["events:read"], "tenant": "acme" }), &json!("acme"))
    );
}

#[test]
fn enabling_and_disabling_show_what_the_endpoint_was_before() {
    let app = TestApp::start();
    let made = app.create_endpoint(&json!({ "url": "https://a.test/" }));
    let id = text(&made, "id");
    let call = |what: &str, body: &Value| app.post(&format!("/endpoints/{id}/{what}"), body).expect(200);
    call("disable", &json!({ "note": "moving" }));
    call("disable", &json!({ "note": "moved" }));
    call("enable", &json!({ "held": "discard" }));
    app.change_endpoint(&id, &json!({ "enabled": false }));
    let told: Vec<Value> = app
        .list(&format!("/audit?target={id}"))
        .iter()
        .rev()
        .skip(1)
        .map(|line| json!([line["action"], line["before"], line["after"]]))
        .collect();
    let by_hand =
        |note: Value| json!({ "enabled": false, "disabled_reason": "manual", "disabled_note": note });
    let was_enabled = |fields: Value| {
        let mut before = json!({ "enabled": true });
        for name in fields.as_object().expect("fields").keys().filter(|name| *name != "enabled") {
            before[name] = Value::Null;
        }
        before
    };
    let plain = json!({ "enabled": false, "disabled_reason": "manual" });
    let expected = [
        json!(["endpoint.disable", was_enabled(by_hand(json!("moving"))), by_hand(json!("moving"))]),
        json!(["endpoint.disable", { "disabled_note": "moving" }, { "disabled_note": "moved" }]),
        json!(["endpoint.enable", by_hand(json!("moved")),
            { "enabled": true, "disabled_reason": null, "disabled_note": null, "held": "discard" }]),
        json!(["endpoint.disable", was_enabled(plain.clone()), plain]),
    ];
    assert_eq!(told, expected);
}

#[test]
fn filters_show_what_they_say_alone_and_together() {
    let app = TestApp::with_manual_clock();
    for (n, tenant) in ["acme", "globex", "acme"].into_iter().enumerate() {
        app.clock().advance(Duration::from_mins(10));
        let made = app.create_endpoint(&json!({ "url": "https://a.test/", "tenant": tenant }));
        app.disable(&text(&made, "id"));
        app.local().send_json("PATCH", "/api/v1/settings", &json!({ "retention_days": n + 1 })).expect(200);
    }
    let all = app.list("/audit");
    assert_eq!(all.len(), 10);
    let of =
        |name: &str, value: &str| all.iter().filter(|line| line[name] == value).cloned().collect::<Vec<_>>();
    let (actor, target) = (text(&all[1], "actor"), text(&all[1], "target"));
    let after =
        |time: &str| all.iter().filter(|line| text(line, "created_at").as_str() >= time).cloned().collect();
    let until =
        |time: &str| all.iter().filter(|line| text(line, "created_at").as_str() < time).cloned().collect();
    let time = "2026-02-23T14:50:00.000Z";
    let table: Vec<(String, Vec<Value>)> = vec![
        (format!("actor={actor}"), of("actor", &actor)),
        ("actor=system".to_owned(), of("actor", "system")),
        ("actor=key".to_owned(), vec![]),
        ("action=endpoint.create".to_owned(), of("action", "endpoint.create")),
        ("action=*".to_owned(), all.clone()),
        (format!("target={target}"), of("target", &target)),
        ("tenant=acme".to_owned(), of("tenant", "acme")),
        ("tenant=nobody".to_owned(), vec![]),
        (format!("since={time}"), after(time)),
        (format!("until={time}"), until(time)),
        ("action=endpoint.*&tenant=globex".to_owned(), of("tenant", "globex")),
        (format!("target={target}&action=endpoint.disable"), vec![all[1].clone()]),
    ];
    for (query, expected) in table {
        assert_eq!(app.list(&format!("/audit?{query}")), expected, "{query}");
        let first = app.get(&format!("/audit?{query}&limit=1"));
        assert_eq!(first["data"].as_array().expect("a list").first(), expected.first(), "{query}");
    }
    for bad in
        ["actor=", "target=", "action=", "action=a..b", "tenant=a%20b", "since=today", "until=x", "limit=0"]
    {
        let refused = app.client.get(&format!("/api/v1/audit?{bad}"));
        let name = bad.split('=').next().expect("a name").to_owned();
        assert_eq!((code(&refused).as_str(), fields(&refused)), ("invalid_query", vec![name]), "{bad}");
    }
}

#[test]
fn a_rare_filter_costs_no_more_and_still_comes_to_its_end() {
    let app = TestApp::start();
    app.local().send_json("PUT", "/api/v1/tenants/first", &json!({})).expect(201);
    let file = rusqlite::Connection::open(app.data().join("postrider.db")).expect("the database");
    file.busy_timeout(Duration::from_secs(10)).expect("patience");
    file.execute_batch(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
         INSERT INTO audit (id, at, actor, action, target)
         SELECT (SELECT max(id) FROM audit) + i, 1, 'system', 'x.y', 'z' FROM n",
    )
    .expect("rows");
    let (mut pages, mut cursor, mut found) = (0, String::new(), Vec::new());
    loop {
        let page = app.get(&format!("/audit?action=tenant.put{cursor}"));
        found.extend(page["data"].as_array().expect("a list").iter().cloned());
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert!((2..=4).contains(&pages), "{pages}");
    assert_eq!((found.len(), &found[0]["target"]), (1, &json!("first")));
}

#[test]
fn old_lines_go_with_the_cleanup_after_their_own_retention() {
    let app = TestApp::with_manual_clock();
    app.patch("/settings", &json!({ "audit_retention_days": 90 })).expect(200);
    let days = |n: u64| app.clock().advance(Duration::from_hours(24) * u32::try_from(n).expect("a few"));
    let clean = || app.post("/cleanups", &json!({})).expect(200);
    days(89);
    clean();
    assert_eq!(app.list("/audit?action=settings.change").len(), 1);
    days(2);
    clean();
    assert_eq!(app.list("/audit?action=settings.change").len(), 0);
    assert_eq!(app.list("/audit?action=cleanup.run").len(), 2, "what is younger stays");
}
