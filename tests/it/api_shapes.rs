//! What answers hold: exactly the fields of the reference, times and durations in their one form.

use serde_json::{Value, json};

use crate::support::app::{TestApp, text};
use crate::support::problem::fields;
use crate::support::receiver::{Receiver, Reply};

/// Checks the members of an object, in their order in the answer.
#[track_caller]
fn members(value: &Value, expected: &str) {
    let mut known: Vec<&str> = expected.split_whitespace().collect();
    let mut found: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    known.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, known, "{value}");
    forms("", value);
}

/// Checks the form of everything in an answer whose name says what it is.
#[track_caller]
fn forms(name: &str, value: &Value) {
    match value {
        Value::Object(all) => all.iter().for_each(|(name, value)| forms(name, value)),
        Value::Array(all) => all.iter().for_each(|value| forms(name, value)),
        Value::String(text) if name.ends_with("_at") || name == "timestamp" => {
            let digits: Vec<bool> = text.chars().map(|c| c.is_ascii_digit()).collect();
            let form: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
            assert_eq!(form, "0000-00-00T00:00:00.000Z", "{name}: {digits:?}");
        }
        Value::String(text) if name == "id" || name.ends_with("_id") && name != "request_id" => {
            let (prefix, rest) = text.split_once('_').expect("a prefix");
            let known = ["evt", "ep", "dlv", "key", "rpl", "del", "aud", "alr", "bak"];
            assert!(known.contains(&prefix), "{name}: {text}");
            let right = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
            assert!(rest.len() == 13 && rest.bytes().all(right), "{name}: {text}");
        }
        Value::Number(number) if ["seconds", "_ms"].iter().any(|end| name.ends_with(end)) => {
            assert!(number.is_u64(), "{name}: {number}");
        }
        _ => assert!(!name.ends_with("_at") || value.is_null(), "{name}: {value}"),
    }
}

const ENDPOINT: &str = "id uid tenant url description events filters headers format metadata enabled \
    disabled_reason disabled_note disabled_at health failure_count first_failure_at last_failure_at \
    last_success_at retry_schedule timeout_seconds rate_limit max_in_flight while_disabled unsigned public_key \
    last_rotation disable_at created_at updated_at";
/// What the answer about one endpoint has besides.
const ALONE: &str = "held held_more next_retry_at";
const DELIVERY: &str = "id event_id event_type endpoint_id tenant status held_reason attempts status_code \
    response_body error next_retry_at created_at delivered_at replay_of test";
const EVENT: &str = "id type tenant timestamp created_at deliveries";

#[test]
fn answers_hold_the_fields_of_the_reference_and_no_others() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    receiver.reply(Reply::status(500).body("no"));
    let fields = json!({ "url": receiver.url("/"), "events": ["*"], "headers": { "X-A": "b" }, "retry_schedule": [1] });
    let made = app.create_endpoint(&fields);
    members(&made, &format!("{ENDPOINT} secret warnings"));
    let path = format!("/endpoints/{}", text(&made, "id"));
    members(&app.get(&path), &format!("{ENDPOINT} {ALONE}"));
    members(&app.patch(&path, &json!({})).expect(200).json(), &format!("{ENDPOINT} warnings"));
    members(&app.post(&format!("{path}/enable"), &json!({})).expect(200).json(), ENDPOINT);
    let event = app.publish("a", &json!(1));
    members(&event, EVENT);
    members(&app.get(&format!("/events/{}", text(&event, "id"))), &format!("{EVENT} data data_deleted_at"));
    members(&app.get("/events")["data"][0], &format!("{EVENT} data_deleted_at"));
    app.settle();
    members(&app.delivery_of(&event), DELIVERY);
    members(&app.get("/deliveries")["data"][0], DELIVERY);
    let one = app.delivery(&text(&app.delivery_of(&event), "id"));
    members(&one, &format!("{DELIVERY} attempt_list request_body"));
    let attempt = "number round started_at duration_ms phases_ms url address status_code error request_headers \
        request_body response_headers response_body";
    members(&one["attempt_list"][0], attempt);
    members(&one["attempt_list"][0]["phases_ms"], "dns connect tls wait read");
    let test = app.post(&format!("{path}/test"), &json!({})).expect(200).json();
    members(&test, "success status_code duration_ms error response_body delivery_id");
    let key = app.post("/keys", &json!({ "name": "k", "scopes": ["admin"] })).expect(201).json();
    members(&key, "id name scopes tenant hint created_at last_used_at key");
    members(&app.get("/keys")["data"][0], "id name scopes tenant hint created_at last_used_at");
    members(
        &app.get("/tenants/default"),
        "tenant name endpoint_limit created_at updated_at endpoints pending held last_24h",
    );
    members(&app.get("/tenants")["data"][0], "tenant name endpoint_limit created_at updated_at");
    let named = "name description group reserved created_at updated_at has_schema";
    let put = app.put_event_type("a", &json!({ "example": 1 })).expect(201).json();
    members(&put, &format!("{named} example schema"));
    members(&app.get("/event-types/a"), &format!("{named} example schema"));
    members(&app.get("/event-types")["data"][0], named);
    let batch = json!({ "events": [{ "type": "a", "data": 1 }] });
    let batch = app.post("/events/batch", &batch).expect(202).json();
    members(&batch["data"][0], &format!("{EVENT} replayed"));
    jobs(&app, &path);
    let report = app.post("/cleanups", &json!({})).expect(200).json();
    forms("", &report);
    assert_eq!(app.get("/cleanups")["data"][0], report);
    members(&app.client.get("/readyz").expect(200).json(), "status");
}

fn jobs(app: &TestApp, endpoint: &str) {
    let replay = "id endpoint_id tenant status replayed_status since until events dry_run examined matched done \
        blanked pruned reason created_at ended_at";
    let body = json!({ "since": "2020-01-01T00:00:00Z", "dry_run": true });
    let made = app.post(&format!("{endpoint}/replay"), &body).expect(202).json();
    members(&made, replay);
    members(&app.get(&format!("/replays/{}", text(&made, "id"))), replay);
    members(&app.get("/replays")["data"][0], replay);
    let backup = "id status stage percent by compressed file kept bytes started_at ended_at error";
    let begun = app.post("/backups", &json!({})).expect(202).json();
    members(&begun, backup);
    members(&app.get(&format!("/backups/{}", text(&begun, "id"))), backup);
    members(&app.get("/backups")["data"][0], backup);
    app.client.send_json("PUT", "/api/v1/tenants/gone", &json!({})).expect(201);
    let deletion = "id tenant status endpoints keys events deliveries attempts created_at ended_at";
    members(&app.delete("/tenants/gone").expect(202).json(), deletion);
    members(&app.get("/tenant-deletions")["data"][0], deletion);
}

#[test]
fn bodies_that_may_be_left_out_may_be_left_out() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let endpoint = format!("/api/v1/endpoints/{}", app.endpoint_at(&receiver, "/"));
    let delivery = format!("/api/v1/deliveries/{}", app.send(&json!(1)));
    app.put_event_type("a", &json!({})).expect(201);
    app.settle();
    for (method, path, status) in [
        ("PATCH", endpoint.clone(), 200),
        ("POST", format!("{endpoint}/disable"), 200),
        ("POST", format!("{endpoint}/enable"), 200),
        ("POST", format!("{endpoint}/test"), 200),
        ("POST", format!("{delivery}/retry"), 202),
        ("POST", format!("{delivery}/cancel"), 409),
        ("PUT", "/api/v1/tenants/default".to_owned(), 200),
        ("PUT", "/api/v1/event-types/a".to_owned(), 200),
        ("PATCH", "/api/v1/settings".to_owned(), 200),
        ("POST", "/api/v1/cleanups".to_owned(), 200),
    ] {
        let json = [("Content-Type", "application/json")];
        for (headers, body) in
            [(&[][..], None), (&[][..], Some("")), (&json[..], Some("")), (&json[..], Some("{}"))]
        {
            let answer = app.client.request(method, &path, headers, body.map(str::as_bytes));
            assert_eq!(answer.status, status, "{method} {path} {body:?}: {}", answer.text());
        }
        for (headers, body, status) in [
            (&[][..], "{}", 415),
            (&[("Content-Type", "text/plain")][..], "{}", 415),
            (&json[..], "[]", 400),
            (&json[..], "null", 400),
            (&json[..], "{\"colour\":1}", 422),
        ] {
            let answer = app.client.request(method, &path, headers, Some(body.as_bytes()));
            assert_eq!(answer.status, status, "{method} {path} {headers:?} {body}: {}", answer.text());
            assert!(status != 422 || fields(&answer) == ["colour"], "{}", answer.text());
        }
        let long = vec![b' '; 2 * 1024 * 1024];
        let answer = app.client.request(method, &path, &json, Some(&long)).expect(413);
        assert!(text(&answer.json(), "detail").contains("at most"), "{}", answer.text());
    }
}

#[test]
fn what_a_test_sends_is_checked_as_an_event_is() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    app.change_settings(&json!({ "data_limit_bytes": 1024 }));
    let path = format!("/endpoints/{}/test", app.endpoint_at(&receiver, "/"));
    for bad in
        [json!({ "type": "a b" }), json!({ "type": "" }), json!({ "type": 1 }), json!({ "type": "a.*" })]
    {
        assert_eq!(fields(&app.post(&path, &bad).expect(422)), ["type"], "{bad}");
    }
    app.post(&path, &json!({ "data": "x".repeat(1022) })).expect(200);
    let refused = app.post(&path, &json!({ "data": "x".repeat(1023) })).expect(413);
    assert!(text(&refused.json(), "detail").contains("1024"), "{}", refused.text());
    receiver.reply(Reply::status(302).header("Location", "http://127.0.0.1/"));
    let failed = app.post(&path, &json!({ "type": "a.b", "data": { "n": 1 } })).expect(200).json();
    assert_eq!((&failed["success"], &failed["status_code"]), (&json!(false), &json!(302)));
    let shown = app.delivery(&text(&failed, "delivery_id"));
    assert_eq!(
        (&shown["status"], &shown["event_type"], &shown["attempts"]),
        (&json!("failed"), &json!("a.b"), &json!(1))
    );
    assert_eq!(receiver.received().last().expect("a request").json()["data"], json!({ "n": 1 }));
}
