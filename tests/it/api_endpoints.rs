//! The fields of an endpoint over the API: limits, defaults, handles, warnings.

use serde_json::{Map, Value, json};

use crate::support::app::{TestApp, text};
use crate::support::problem::fields;
use crate::support::receiver::Receiver;

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
