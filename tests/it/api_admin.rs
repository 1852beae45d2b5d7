//! Settings, tenants and keys over the API: ranges, defaults, what takes effect at once.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::app::{KEY, TestApp, text};
use crate::support::client::{Client, Response};
use crate::support::problem::{code, fields};
use crate::support::receiver::{Receiver, Reply};

/// A setting: its name, its default, values that are taken, values that are not.
fn table() -> Vec<(&'static str, Value, Vec<Value>, Vec<Value>)> {
    let range = |name, default: Value, least: i64, most: i64| {
        let bad = vec![
            json!(least - 1),
            json!(most + 1),
            json!(1.5),
            json!("1"),
            json!(true),
            json!([1]),
            json!({}),
        ];
        (name, default, vec![json!(least), json!(most)], bad)
    };
    let flag = |name| {
        (name, json!(false), vec![json!(true), json!(false)], vec![json!(0), json!("true"), json!([])])
    };
    let waits = json!([5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]);
    vec![
        range("retention_days", json!(30), 1, 3650),
        range("event_retention_days", json!(null), 0, 3650),
        (
            "cleanup_schedule",
            json!("0 30 3 * * *"),
            vec![json!("30 3 * * *"), json!("0 0 4 1 * *"), json!("*/5 * * * *"), json!("0 0 3 * * MON-FRI")],
            vec![
                json!(""),
                json!("daily"),
                json!("* * * *"),
                json!("60 3 * * *"),
                json!("0 0 3 31 2 *"),
                json!("0 0 3 * * 1-5"),
                json!(3),
            ],
        ),
        (
            "retry_schedule",
            waits,
            vec![json!([]), json!([1]), json!(vec![604_800; 20])],
            vec![
                json!([0]),
                json!([604_801]),
                json!(vec![5; 21]),
                json!([1.5]),
                json!(["5"]),
                json!(5),
                json!("5"),
            ],
        ),
        range("failing_after_failures", json!(5), 1, 10_000),
        range("disable_after_failures", json!(10), 0, 1_000_000),
        range("disable_after_hours", json!(120), 0, 8760),
        range("data_limit_bytes", json!(262_144), 1024, 1_048_576),
        range("endpoint_limit", json!(10), 0, 100_000),
        flag("strict_tenants"),
        flag("strict_event_types"),
        range("audit_retention_days", json!(365), 0, 36_500),
        range("alert_collect_minutes", json!(5), 0, 120),
        range("alert_backlog_minutes", json!(60), 0, 10_080),
        range("alert_disk_percent", json!(90), 0, 99),
        range("alert_disk_days", json!(7), 0, 365),
        flag("metrics_per_tenant"),
        (
            "backup_schedule",
            json!("0 30 2 * * *"),
            vec![json!(""), json!("30 2 * * *"), json!("0 0 3 * * SUN")],
            vec![json!("never"), json!(" "), json!("60 3 * * *"), json!(3), json!(false)],
        ),
        range("backups_keep", json!(7), 1, 1000),
        (
            "backup_compress",
            json!(true),
            vec![json!(false), json!(true)],
            vec![json!(0), json!("true"), json!([])],
        ),
    ]
}

#[test]
fn every_setting_is_taken_within_its_range_and_reset_by_null() {
    let mut app = TestApp::start();
    let defaults = app.get("/settings");
    let named: BTreeSet<&str> = table().iter().map(|(name, ..)| *name).collect();
    let known: BTreeSet<&str> = defaults.as_object().expect("settings").keys().map(String::as_str).collect();
    assert_eq!(named, known, "the table names every setting");
    for (name, default, good, bad) in table() {
        assert_eq!(defaults[name], default, "{name}");
        for value in good {
            assert_eq!(
                app.patch("/settings", &json!({ name: value })).expect(200).json()[name],
                value,
                "{name}"
            );
            assert_eq!(app.get("/settings")[name], value);
        }
        let kept = app.get("/settings")[name].clone();
        for value in bad {
            let refused = app.patch("/settings", &json!({ name: value }));
            assert_eq!(refused.status, 422, "{name} {value}: {}", refused.text());
            assert_eq!(fields(&refused), [name], "{value}");
        }
        assert_eq!(app.get("/settings")[name], kept);
    }
    let set = app.get("/settings");
    app.restart();
    assert_eq!(app.get("/settings"), set, "they are on disk");
    let nulls: Value =
        named.iter().map(|name| ((*name).to_owned(), json!(null))).collect::<serde_json::Map<_, _>>().into();
    assert_eq!(app.patch("/settings", &nulls).expect(200).json(), defaults);
}

#[test]
fn settings_change_together_or_not_at_all() {
    let app = TestApp::start();
    let before = app.get("/settings");
    let refused =
        app.patch("/settings", &json!({ "retention_days": 7, "endpoint_limit": -1, "colour": "red" }));
    let mut named = fields(&refused.expect(422));
    named.sort();
    assert_eq!(named, ["colour", "endpoint_limit"]);
    assert_eq!(app.get("/settings"), before);
    let nothing = app.client.request("PATCH", "/api/v1/settings", &[], None).expect(200);
    assert_eq!(nothing.json(), before, "all fields are optional, so a body is");
    let actor = |lines: Vec<Value>| lines.iter().map(|line| text(line, "actor")).collect::<Vec<_>>();
    assert_eq!(actor(app.audit_of("settings")), Vec::<String>::new(), "nothing has changed");
    app.local().send_json("PATCH", "/api/v1/settings", &json!({ "retention_days": 7 })).expect(200);
    assert!(actor(app.audit_of("settings"))[0].starts_with("cli:"));
}

#[test]
fn the_retry_schedule_of_all_holds_for_the_next_failure_unless_an_endpoint_has_its_own() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.always(Reply::status(500));
    app.endpoint_at(&receiver, "/");
    let own = app.create_endpoint(
        &json!({ "url": receiver.url("/own"), "events": ["*"], "tenant": "own", "retry_schedule": [50] }),
    );
    for (schedule, least, most) in
        [(json!([1000]), 1000, 1100), (json!([100, 5]), 100, 110), (json!([]), 0, 0)]
    {
        app.change_settings(&json!({ "retry_schedule": schedule }));
        let delivery = app.send(&json!(1));
        app.settle();
        let seen = app.delivery(&delivery);
        if least == 0 {
            assert_eq!((&seen["status"], &seen["next_retry_at"]), (&json!("failed"), &json!(null)));
        } else {
            let wait = app.advance_to_retry(&delivery).as_secs();
            assert!((least..=most).contains(&wait), "{schedule}: {wait}");
            app.cancel(&delivery);
        }
    }
    app.post("/events", &json!({ "type": "a", "data": 1, "tenant": "own" })).expect(202);
    app.settle();
    let list = format!("/endpoints/{}/deliveries", text(&own, "id"));
    let wait = app.advance_to_retry(&text(&app.list(&list)[0], "id")).as_secs();
    assert!((50..=55).contains(&wait), "{wait}");
}

fn put(app: &TestApp, tenant: &str, body: &Value) -> Response {
    app.client.send_json("PUT", &format!("/api/v1/tenants/{tenant}"), body)
}

#[test]
fn a_tenant_is_made_and_replaced_whole_by_a_put() {
    let app = TestApp::with_manual_clock();
    let made = put(&app, "acme", &json!({ "name": "Acme & Söhne", "endpoint_limit": 3 })).expect(201).json();
    let at = "2026-02-23T14:30:00.000Z";
    let expected = json!({
        "tenant": "acme", "name": "Acme & Söhne", "endpoint_limit": 3, "created_at": at, "updated_at": at,
    });
    assert_eq!(made, expected);
    crate::support::actions::shows(&app.get("/tenants/acme"), &expected);
    app.clock().advance(std::time::Duration::from_secs(1));
    let replaced = app.client.request("PUT", "/api/v1/tenants/acme", &[], None).expect(200).json();
    assert_eq!((&replaced["name"], &replaced["endpoint_limit"]), (&json!(null), &json!(null)));
    assert_eq!(
        (&replaced["created_at"], &replaced["updated_at"]),
        (&json!(at), &json!("2026-02-23T14:30:01.000Z"))
    );
    for (field, bad) in [
        ("name", json!("")),
        ("name", json!("a\nb")),
        ("name", json!("x".repeat(101))),
        ("name", json!(5)),
        ("endpoint_limit", json!(-1)),
        ("endpoint_limit", json!(100_001)),
        ("endpoint_limit", json!(1.5)),
        ("endpoint_limit", json!("3")),
        ("tenant", json!("acme")),
    ] {
        assert_eq!(fields(&put(&app, "acme", &json!({ field: bad })).expect(422)), [field], "{bad}");
    }
    for bad in ["a%20b", "a%2Fb", "%C3%A9", &"x".repeat(65)] {
        assert_eq!(fields(&put(&app, bad, &json!({})).expect(422)), ["tenant"], "{bad}");
        app.client.get(&format!("/api/v1/tenants/{bad}")).expect(404);
    }
    for good in ["ops@example.com", "ops%40example.org", "a.b:c_d-1"] {
        put(&app, good, &json!({ "endpoint_limit": 100_000 })).expect(201);
    }
    assert_eq!(app.get("/tenants/ops@example.org")["tenant"], "ops@example.org");
}

#[test]
fn every_wrong_field_of_a_key_is_named() {
    let app = TestApp::start();
    let scopes = json!(["events:read"]);
    for (body, named) in [
        (json!({}), vec!["name", "scopes"]),
        (json!({ "name": "", "scopes": scopes }), vec!["name"]),
        (json!({ "name": "x".repeat(101), "scopes": scopes }), vec!["name"]),
        (json!({ "name": "k", "scopes": [] }), vec!["scopes"]),
        (json!({ "name": "k", "scopes": "admin" }), vec!["scopes"]),
        (json!({ "name": "k", "scopes": ["admin", "events", "Admin"] }), vec!["scopes[1]", "scopes[2]"]),
        (json!({ "name": "k", "scopes": [1] }), vec!["scopes"]),
        (json!({ "name": "k", "scopes": ["admin"], "tenant": "acme" }), vec!["scopes"]),
        (json!({ "name": "k", "scopes": ["events:read", "metrics:read"], "tenant": "acme" }), vec!["scopes"]),
        (json!({ "name": "k", "scopes": scopes, "tenant": "a b" }), vec!["tenant"]),
        (json!({ "name": "k", "scopes": scopes, "key": "pr_x" }), vec!["key"]),
    ] {
        assert_eq!(fields(&app.post("/keys", &body).expect(422)), named, "{body}");
    }
    app.client.get("/api/v1/tenants/acme").expect(404);
    let twice =
        app.post("/keys", &json!({ "name": "k", "scopes": ["events:read", "events:read"] })).expect(201);
    assert_eq!(twice.json()["scopes"], scopes);
}

#[test]
fn a_key_lives_until_it_is_revoked_and_not_a_request_longer() {
    let app = TestApp::with_manual_clock();
    let made =
        app.post("/keys", &json!({ "name": "CI", "scopes": ["admin"], "tenant": null })).expect(201).json();
    let (id, key) = (text(&made, "id"), text(&made, "key"));
    assert!(key.starts_with("pr_") && key.len() >= 27 && key.ends_with(&text(&made, "hint")), "{made}");
    assert_eq!(
        (&made["last_used_at"], &made["created_at"]),
        (&json!(null), &json!("2026-02-23T14:30:00.000Z"))
    );
    let client = Client::tcp(app.address()).with_key(&key);
    app.clock().advance(std::time::Duration::from_secs(90));
    client.get("/api/v1/keys").expect(200);
    // Nobody waits for the note of a key's use; the queue of what is written is in order.
    app.publish("a", &json!(1));
    let row = app.list("/keys").into_iter().find(|row| row["id"] == id.as_str()).expect("the key");
    assert_eq!((&row["last_used_at"], row.get("key")), (&json!("2026-02-23T14:31:30.000Z"), None));
    client.delete(&format!("/api/v1/keys/{id}")).expect(204);
    let refused = client.get("/api/v1/keys");
    assert_eq!(code(&refused), "unauthorized");
    app.delete(&format!("/keys/{id}")).expect(404);
    let first = app.list("/keys");
    assert_eq!((first.len(), &first[0]["hint"]), (1, &json!(&KEY[KEY.len() - 4..])));
}

#[test]
fn the_keys_of_one_tenant_are_listed_alone() {
    let app = TestApp::start();
    let make = |name: &str, tenant: Value| {
        app.post("/keys", &json!({ "name": name, "scopes": ["events:write"], "tenant": tenant })).expect(201);
    };
    for name in ["first", "second"] {
        make(name, json!("acme"));
    }
    make("of another", json!("globex"));
    make("of all", json!(null));
    let names: Vec<_> = app.list("/keys?tenant=acme").iter().map(|row| text(row, "name")).collect();
    assert_eq!(names, ["second", "first"]);
    let first = app.get("/keys?tenant=acme&limit=1");
    let second = app.get(&format!("/keys?tenant=acme&cursor={}", text(&first, "next_cursor")));
    assert_eq!(text(&second["data"][0], "name"), "first");
    assert!(app.list("/keys?tenant=nobody").is_empty());
    assert_eq!(fields(&app.client.get("/api/v1/keys?tenant=a%20b").expect(400)), ["tenant"]);
}
