//! Odd values in every field of every call: taken or refused, never a failure inside, and nothing breaks after.

use serde_json::json;

use crate::support::app::TestApp;
use crate::support::client::Response;
use crate::support::problem::problem;
use crate::support::receiver::Receiver;

/// JSON texts that programs trip over.
fn odd() -> Vec<String> {
    let mut odd: Vec<String> = [
        "null",
        "true",
        "0",
        "-1",
        "1e400",
        "-1e400",
        "1e-400",
        "1.5",
        "0.1e1",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "4294967296",
        "\"\"",
        "\" \"",
        "\"\\u0000\"",
        "\"a\\u0000b\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\ud83d\\ude00\"",
        "\"\u{feff}x\"",
        "\"\u{202e}evil\"",
        "\"../../etc/passwd\"",
        "\"'; DROP TABLE events; --\"",
        "\"%00\"",
        "\"${jndi:x}\"",
        "\"<script>\"",
        "\"https://a.test/\"",
        "\"whsec_\"",
        "\"•••\"",
        "[]",
        "{}",
        "[null]",
        "[[]]",
        "[{}]",
        "[\"\\u0000\"]",
        "[1e400]",
        "{\"\":\"\"}",
        "{\"a\":1,\"a\":2}",
        "{\"\\u0000\":\"\\u0000\"}",
        "{\"\\ud800\":\"x\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":1e400}",
        "{\"__proto__\":{}}",
        "{\"a.b\":[\"x\"]}",
    ]
    .map(str::to_owned)
    .to_vec();
    odd.push(format!("\"{}\"", "x".repeat(5000)));
    odd.push(format!("\"{}\"", "😀".repeat(300)));
    odd.push(format!("[{}]", vec!["\"a.b\""; 600].join(",")));
    odd.push(format!("{}{}", "[".repeat(62), "]".repeat(62)));
    odd.push(format!("{{{}}}", (0..50).map(|n| format!("\"k{n}\":\"v\"")).collect::<Vec<_>>().join(",")));
    odd
}

/// Sends a body; anything but a failure inside will do.
#[track_caller]
fn send(app: &TestApp, method: &str, path: &str, body: &str) -> Response {
    let headers = [("Content-Type", "application/json")];
    let answer = app.client.request(method, path, &headers, Some(body.as_bytes()));
    let what = format!("{method} {path} {}", body.chars().take(200).collect::<String>());
    assert!(answer.status < 500, "{what}: {}", answer.text());
    if answer.status >= 400 {
        problem(&answer, &what);
    }
    answer
}

#[test]
fn odd_values_in_any_field_break_nothing() {
    let (mut app, receiver) = (TestApp::start(), Receiver::start());
    app.change_settings(&json!({ "endpoint_limit": 100_000 }));
    let endpoint = format!("/api/v1/endpoints/{}", app.endpoint_at(&receiver, "/"));
    let full = "url tenant uid events description secret enabled filters headers format metadata retry_schedule \
        timeout_seconds rate_limit max_in_flight while_disabled";
    let (test, enable, disable) =
        (format!("{endpoint}/test"), format!("{endpoint}/enable"), format!("{endpoint}/disable"));
    let calls = [
        ("POST", "/api/v1/events", "\"type\":\"a\",\"data\":1", "type data tenant id timestamp"),
        ("POST", "/api/v1/endpoints", "\"url\":\"https://a.test/\"", full),
        ("PATCH", endpoint.as_str(), "\"description\":\"x\"", full),
        ("POST", test.as_str(), "\"type\":null", "type data"),
        ("POST", disable.as_str(), "\"note\":null", "note"),
        ("POST", enable.as_str(), "\"held\":null", "held"),
        ("POST", "/api/v1/keys", "\"name\":\"k\",\"scopes\":[\"events:read\"]", "name scopes tenant"),
        ("PUT", "/api/v1/tenants/acme", "\"name\":null", "name endpoint_limit"),
        ("POST", "/api/v1/cleanups", "\"dry_run\":true", "older_than_seconds dry_run"),
        ("POST", "/api/v1/backups", "\"compress\":true", "compress"),
    ];
    for (method, path, base, names) in calls {
        for name in names.split_whitespace() {
            for value in odd() {
                // In place of a field of the base, which would be there twice otherwise.
                let others = base.split(',').filter(|field| !field.contains(&format!("\"{name}\"")));
                let mut fields: Vec<&str> = others.collect();
                let odd = format!("\"{name}\":{value}");
                fields.push(&odd);
                send(&app, method, path, &format!("{{{}}}", fields.join(",")));
            }
        }
        for value in odd() {
            send(&app, method, path, &value);
            send(&app, method, path, &format!("{{{value}:1}}"));
        }
    }
    still_well(&app);
    app.restart();
    still_well(&app);
}

#[test]
fn odd_values_in_settings_break_nothing() {
    let app = TestApp::start();
    let names: Vec<String> = app.get("/settings").as_object().expect("settings").keys().cloned().collect();
    for name in &names {
        for value in odd() {
            send(&app, "PATCH", "/api/v1/settings", &format!("{{\"{name}\":{value}}}"));
            send(&app, "PATCH", "/api/v1/settings", &format!("{{\"{name}\":null}}"));
        }
    }
    still_well(&app);
}

#[test]
fn odd_data_is_matched_and_delivered() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let filters = json!({ "a": ["x", 2, null], "b.c": true });
    app.endpoint_with(&receiver, "/filtered", &json!({ "filters": filters }));
    app.endpoint_at(&receiver, "/all");
    let mut accepted = 0;
    for value in odd() {
        for data in [value.clone(), format!("{{\"a\":{value},\"b\":{{\"c\":{value}}}}}")] {
            let answer = send(&app, "POST", "/api/v1/events", &format!("{{\"type\":\"a\",\"data\":{data}}}"));
            accepted += usize::from(answer.status == 202);
        }
    }
    app.settle();
    assert_eq!(receiver.count_on("/all"), accepted);
    assert!(accepted > 90, "{accepted}");
    still_well(&app);
}

/// Everything can still be listed and shown. Answers are not parsed: what somebody else sent may be beyond what
/// this test's JSON library takes.
#[track_caller]
fn still_well(app: &TestApp) {
    app.settle();
    for list in ["events", "endpoints", "deliveries", "keys", "tenants", "cleanups"] {
        let rows = app.client.get(&format!("/api/v1/{list}?limit=250")).expect(200);
        let ids = rows.text().split("\"id\":\"").skip(1).filter_map(|rest| rest.split('"').next());
        for id in ids.filter(|id| id.starts_with("evt_") || id.starts_with("ep_") || id.starts_with("dlv_")) {
            app.client.get(&format!("/api/v1/{list}/{id}")).expect(200);
        }
    }
    app.publish("still.here", &json!(1));
}
