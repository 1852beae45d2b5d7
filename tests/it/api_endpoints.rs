//! Endpoints over the API: every field with its limits and default, handles, warnings, lists, the end of one.

use serde_json::{Map, Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::problem::{code, fields};
use crate::support::receiver::{Receiver, Reply};

/// A field that can be changed: its default, values that are taken, and values that are not.
struct Field {
    name: &'static str,
    default: Value,
    good: Vec<Value>,
    bad: Vec<Value>,
}

fn long(n: usize) -> Value {
    json!("x".repeat(n))
}

/// An object with so many members.
fn members(n: usize) -> Value {
    (0..n).map(|n| (format!("k{n}"), json!("v"))).collect::<Map<_, _>>().into()
}

fn numbers(name: &'static str, default: Value, least: i64, most: i64) -> Field {
    let bad =
        vec![json!(least - 1), json!(most + 1), json!(-1), json!(1.5), json!("5"), json!(true), json!([])];
    Field { name, default, good: vec![json!(least), json!(most)], bad }
}

fn table() -> Vec<Field> {
    let field = |name, default, good, bad| Field { name, default, good, bad };
    vec![
        field(
            "uid",
            json!(null),
            vec![json!("erp"), json!("A.b:c_d-1"), long(64)],
            vec![
                json!(""),
                json!("a b"),
                json!(".."),
                json!("-a"),
                json!("a/b"),
                json!("ep_0123456789abc"),
                long(65),
            ],
        ),
        field(
            "description",
            json!(""),
            vec![json!("Ä\n\t"), long(500)],
            vec![json!("\u{1b}"), long(501), json!(1)],
        ),
        field(
            "events",
            json!([]),
            vec![json!(["*"]), json!(["a.b", "c.*"]), json!(vec!["a"; 500])],
            vec![json!("*"), json!([1]), json!({}), json!(vec!["a"; 501])],
        ),
        field(
            "filters",
            json!({}),
            vec![json!({ "a": 1 }), json!({ "a.b": ["x", null, true] }), members(20)],
            vec![json!([]), json!("a"), members(21)],
        ),
        field(
            "metadata",
            json!({}),
            vec![json!({ "team": "blue", "a": "" }), members(20)],
            vec![json!([]), json!({ "a": 1 }), members(21)],
        ),
        field(
            "retry_schedule",
            json!(null),
            vec![json!([]), json!([1]), json!([604_800]), json!(vec![5; 20])],
            vec![
                json!([0]),
                json!([604_801]),
                json!(vec![5; 21]),
                json!([1.5]),
                json!([-1]),
                json!("5"),
                json!(5),
            ],
        ),
        numbers("timeout_seconds", json!(10), 1, 30),
        numbers("rate_limit", json!(null), 1, 1000),
        numbers("max_in_flight", json!(16), 1, 256),
        field(
            "while_disabled",
            json!("hold"),
            vec![json!("skip"), json!("hold")],
            vec![json!("drop"), json!(""), json!(1)],
        ),
        field("enabled", json!(true), vec![json!(false), json!(true)], vec![json!("yes"), json!(1)]),
        field(
            "format",
            json!("standard"),
            vec![json!("standard")],
            vec![json!("nothing"), json!(""), json!(1)],
        ),
    ]
}

#[test]
fn every_field_is_taken_within_its_limits_and_reset_by_null() {
    let app = TestApp::start();
    app.change_settings(&json!({ "endpoint_limit": 1000 }));
    let id = text(&app.create_endpoint(&json!({ "url": "https://a.test/" })), "id");
    let path = format!("/endpoints/{id}");
    for Field { name, default, good, bad } in table() {
        assert_eq!(app.get(&path)[name], default, "{name} by default");
        for value in good {
            let made = app.create_endpoint(&json!({ "url": "https://a.test/", name: value }));
            assert_eq!(made[name], value, "{name} at a create");
            app.delete_endpoint(&text(&made, "id"));
            assert_eq!(app.patch(&path, &json!({ name: value })).expect(200).json()[name], value);
            assert_eq!(app.patch(&path, &json!({})).expect(200).json()[name], value, "{name} is kept");
        }
        for value in bad {
            for answer in [
                app.post("/endpoints", &json!({ "url": "https://a.test/", name: value })),
                app.patch(&path, &json!({ name: value })),
            ] {
                assert_eq!(answer.status, 422, "{name} {value}: {}", answer.text());
                let named = fields(&answer);
                assert!(
                    !named.is_empty() && named.iter().all(|field| field.starts_with(name)),
                    "{name}: {named:?}"
                );
            }
        }
        assert_eq!(
            app.patch(&path, &json!({ name: null })).expect(200).json()[name],
            default,
            "{name} is reset"
        );
        let created = app.create_endpoint(&json!({ "url": "https://a.test/", name: null }));
        assert_eq!(created[name], default, "null at a create is absent");
        app.delete_endpoint(&text(&created, "id"));
    }
}

#[test]
fn wrong_entries_of_lists_and_objects_are_named_one_by_one() {
    let app = TestApp::start();
    let answer = app.post(
        "/endpoints",
        &json!({
            "url": "https://a.test/",
            "events": ["ok", "a..b", "*.a"],
            "filters": { "ok": 1, "": 1, "a": {} },
            "metadata": { "": "v", "long": "x".repeat(513) },
            "headers": { "X-Ok": "v", "Host": "v", "webhook-id": "v", "a b": "v", "X-Bad": "line\nbreak" },
        }),
    );
    assert_eq!(answer.status, 422);
    let mut named = fields(&answer);
    named.sort();
    let expected = [
        "events[1]",
        "events[2]",
        "filters.",
        "filters.a",
        "headers.Host",
        "headers.X-Bad",
        "headers.a b",
        "headers.webhook-id",
        "metadata.",
        "metadata.long",
    ];
    assert_eq!(named, expected);
    assert!(!answer.text().contains("break"), "the value of a header is not repeated");
}

#[test]
fn a_uid_stands_for_the_id_in_every_call() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    for tenant in ["default", "acme"] {
        let fields = json!({ "url": receiver.url("/"), "uid": "erp", "events": ["*"], "tenant": tenant });
        let id = app.create_endpoint(&fields)["id"].clone();
        let path = |rest: &str| match tenant {
            "default" => format!("/endpoints/erp{rest}"),
            _ => format!("/endpoints/erp{rest}?tenant={tenant}"),
        };
        assert_eq!(app.get(&path(""))["id"], id);
        assert_eq!(app.patch(&path(""), &json!({ "description": "x" })).expect(200).json()["id"], id);
        assert_eq!(app.post(&path("/disable"), &json!({})).expect(200).json()["id"], id);
        assert_eq!(app.post(&path("/enable"), &json!({})).expect(200).json()["id"], id);
        assert_eq!(app.post(&path("/test"), &json!({})).expect(200).json()["success"], true);
        assert_eq!(app.get(&path("/deliveries"))["data"][0]["endpoint_id"], id);
        let list = format!("/deliveries?endpoint=erp&tenant={tenant}");
        assert_eq!(app.get(&list)["data"][0]["endpoint_id"], id);
        app.client.get(&format!("/api/v1/endpoints/{}?tenant=other", id.as_str().unwrap())).expect(404);
        app.delete(&path("")).expect(204);
        app.client.get(&format!("/api/v1{}", path(""))).expect(404);
    }
}

#[test]
fn what_is_probably_not_meant_is_warned_of() {
    let app = TestApp::start();
    let count = |fields: &Value| app.create_endpoint(fields)["warnings"].as_array().expect("warnings").len();
    assert_eq!(count(&json!({ "url": "https://a.test/" })), 1, "no events");
    assert_eq!(count(&json!({ "url": "https://a.test/", "events": ["*"] })), 0);
    let weak = json!({ "url": "https://a.test/", "events": ["*"], "secret": "8 bytes!" });
    assert_eq!(count(&weak), 1, "a short secret");
    assert_eq!(count(&json!({ "url": "https://nobody.example/", "secret": "8 bytes!" })), 3);
}

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
