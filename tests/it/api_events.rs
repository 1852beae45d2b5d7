//! Events over the API: `data` byte for byte, limits, names, times, tenants.

use serde_json::{Value, json};

use crate::support::app::{TestApp, text};
use crate::support::client::Response;
use crate::support::problem::{code, fields, problem};
use crate::support::receiver::Receiver;

fn publish(app: &TestApp, body: &str) -> Response {
    let headers = [("Content-Type", "application/json")];
    app.client.request("POST", "/api/v1/events", &headers, Some(body.as_bytes()))
}

/// What stands after `"data":` in an answer or a delivery, which ends with it.
#[track_caller]
fn data_of(text: &str) -> &str {
    let (_, rest) = text.split_once("\"data\":").expect("data");
    let rest = rest.strip_suffix('}').expect("the end of an object");
    rest.strip_suffix(",\"data_deleted_at\":null").unwrap_or(rest)
}

#[test]
fn data_comes_back_and_arrives_byte_for_byte() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    let deep = format!("{}1{}", "[".repeat(64), "]".repeat(64));
    for data in [
        "null",
        "true",
        "\"\"",
        "-0",
        "-0.0e-0",
        "1.0",
        "1E400",
        "123456789012345678901234567890",
        "0.1000000000000000055511151231257827021181583404541015625",
        "[]",
        "{}",
        "[ 1 ,\n\t2 ]",
        "{\"b\":1,\"a\":2,\"b\":3}",
        "{\"\":{\"\":null}}",
        "\"\\u0000\\ud800\\/\\u00e9é😀\\\"\"",
        "\"</script>&\u{2028}\u{7f}\"",
        deep.as_str(),
    ] {
        let id =
            text(&publish(&app, &format!("{{\"data\": {data} ,\"type\":\"a\"}}")).expect(202).json(), "id");
        let shown = app.client.get(&format!("/api/v1/events/{id}")).expect(200);
        assert_eq!(data_of(shown.text()), data);
        let request = receiver.next();
        assert_eq!(data_of(std::str::from_utf8(&request.body).expect("UTF-8")), data);
        app.settle();
        let delivery = app.list(&format!("/events/{id}/deliveries")).remove(0);
        let body = text(&app.delivery(&text(&delivery, "id")), "request_body");
        assert_eq!(body.as_bytes(), request.body, "rendered again");
    }
}

#[test]
fn the_limit_of_data_is_a_setting_that_holds_at_once() {
    let app = TestApp::start();
    let send =
        |length: usize| publish(&app, &format!("{{\"type\":\"a\",\"data\":\"{}\"}}", "x".repeat(length - 2)));
    for limit in [256 * 1024, 1024, 1024 * 1024, 256 * 1024] {
        app.change_settings(&json!({ "data_limit_bytes": limit }));
        send(limit).expect(202);
        let refused = send(limit + 1);
        assert_eq!(code(&refused), "too_large");
        let detail = text(&refused.json(), "detail");
        assert!(detail.contains(&limit.to_string()) && detail.contains("data_limit_bytes"), "{detail}");
    }
    // So much that it is not even read.
    let refused = send(2 * 1024 * 1024);
    assert!(text(&refused.json(), "detail").contains("bytes"), "{}", refused.text());
    assert_eq!(refused.status, 413);
}

#[test]
fn names_that_are_not_allowed_are_refused_by_field() {
    let app = TestApp::start();
    let long = |n: usize| json!("x".repeat(n));
    let good = json!({ "type": "a", "data": 1 });
    let with = |field: &str, value: &Value| {
        let mut body = good.clone();
        body[field] = value.clone();
        app.post("/events", &body)
    };
    let wrong = [
        ("type", vec![json!(null), json!(1), json!(""), json!("."), json!("a."), json!(".a"), json!("a..b")]),
        ("type", vec![json!("a b"), json!("a*"), json!("é"), json!("a\u{0}"), json!(["a"]), long(129)]),
        ("tenant", vec![json!(""), json!("a/b"), json!("a b"), json!("é"), json!(7), json!({}), long(65)]),
        ("id", vec![json!(""), json!("a.b"), json!("a:b"), json!("a b"), json!("a\n"), json!(7), long(65)]),
        ("id", vec![json!("evt_0000000000000"), json!("dlv_0000000000000"), json!("ep_0000000000000")]),
        ("timestamp", vec![json!(""), json!(1_771_857_000), json!("2026-02-23"), json!("now"), json!(true)]),
        ("timestamp", vec![json!("1969-12-31T23:59:59Z"), json!("10000-01-01T00:00:00Z")]),
        ("timestamp", vec![json!("2026-02-23T14:30:00"), json!("2026-02-30T14:30:00Z")]),
        ("colour", vec![json!(null), json!(1)]),
        ("Type", vec![json!("a")]),
    ];
    for (field, values) in wrong {
        for value in values {
            let answer = with(field, &value);
            assert_eq!(answer.status, 422, "{field} {value}: {}", answer.text());
            assert_eq!(fields(&answer), [field], "{value}");
        }
    }
    for (field, value) in [
        ("type", long(128)),
        ("type", json!("urn:x/y-z_1.V2")),
        ("tenant", json!("ops@example.com:1_.-")),
        ("tenant", long(64)),
        ("tenant", json!(null)),
        ("id", long(64)),
        ("id", json!("-_-")),
        ("id", json!("evt_1")),
        ("timestamp", json!("1970-01-01T00:00:00Z")),
        ("timestamp", json!("2026-02-23T14:30:00.123456789+23:00")),
        ("data", json!(null)),
    ] {
        assert_eq!(with(field, &value).status, 202, "{field} {value}");
    }
}

#[test]
fn every_wrong_field_is_named_at_once() {
    let app = TestApp::start();
    let body = json!({ "type": 1, "tenant": "a b", "id": "", "timestamp": 5, "payload": {}, "Data": 1 });
    let mut named = fields(&app.post("/events", &body));
    named.sort();
    assert_eq!(named, ["Data", "data", "id", "payload", "tenant", "timestamp", "type"]);
    let twice = publish(&app, r#"{"type":"a","type":"b","data":1,"data":2}"#);
    assert_eq!((twice.status, fields(&twice)), (422, vec!["type".to_owned(), "data".to_owned()]));
}

#[test]
fn times_are_utc_with_milliseconds_wherever_they_stand() {
    let app = TestApp::with_manual_clock();
    let event = json!({ "type": "a", "data": 1, "timestamp": "2026-02-23T15:30:00.9996+01:00" });
    let answer = app.post("/events", &event).expect(202).json();
    assert_eq!(answer["timestamp"], "2026-02-23T14:30:00.999Z");
    assert_eq!(answer["created_at"], "2026-02-23T14:30:00.000Z");
    let plain = app.publish("a", &json!(1));
    assert_eq!(plain["timestamp"], plain["created_at"]);
    let shown = app.get(&format!("/events/{}", text(&answer, "id")));
    assert_eq!((&shown["timestamp"], &shown["created_at"]), (&answer["timestamp"], &answer["created_at"]));
}

#[test]
fn an_event_for_a_tenant_without_endpoints_is_kept_with_a_warning() {
    let app = TestApp::start();
    let send =
        |tenant: &str| app.post("/events", &json!({ "type": "a", "data": 1, "tenant": tenant })).expect(202);
    let answer = send("acme").json();
    assert_eq!(answer["deliveries"], 0);
    assert!(answer["warnings"][0].as_str().is_some_and(|text| text.contains("acme")), "{answer}");
    assert_eq!(app.get("/tenants/acme")["tenant"], "acme", "it is made by being named");
    let fields = json!({ "url": "https://a.test/", "tenant": "acme", "events": ["b"] });
    let endpoint = text(&app.create_endpoint(&fields), "id");
    let answer = send("acme").json();
    assert_eq!(
        (&answer["deliveries"], answer.get("warnings")),
        (&json!(0), None),
        "it has one that does not match"
    );
    app.delete_endpoint(&endpoint);
    assert_eq!(send("acme").json()["warnings"].as_array().map(Vec::len), Some(1));
}

#[test]
fn strict_tenants_have_to_be_made_first_by_a_put() {
    let mut app = TestApp::start();
    app.change_settings(&json!({ "strict_tenants": true }));
    app.restart();
    let event = json!({ "type": "a", "data": 1, "tenant": "acme" });
    let endpoint = json!({ "url": "https://a.test/", "tenant": "acme" });
    let key = json!({ "name": "k", "scopes": ["events:write"], "tenant": "acme" });
    for (path, body) in [("/events", &event), ("/endpoints", &endpoint), ("/keys", &key)] {
        let refused = app.post(path, body);
        let detail = text(&problem(&refused, path), "detail");
        assert_eq!((refused.status, code(&refused).as_str()), (422, "unknown_tenant"), "{path}");
        assert_eq!(fields(&refused), ["tenant"], "{path}");
        assert!(detail.contains("strict_tenants") && detail.contains("PUT"), "{detail}");
    }
    app.client.get("/api/v1/tenants/acme").expect(404);
    app.client.send_json("PUT", "/api/v1/tenants/acme", &json!({})).expect(201);
    app.post("/events", &event).expect(202);
    app.post("/endpoints", &endpoint).expect(201);
    app.post("/keys", &key).expect(201);
}
