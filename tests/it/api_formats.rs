//! Formats: a team's own wire, from its definition to the bytes that arrive.

use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::mac;
use crate::support::problem::{code, fields};
use crate::support::receiver::{Received, Receiver};

const SECRET: &str = "a secret that is long enough";

/// The headers of a request that a format or an endpoint has set.
fn own_headers(request: &Received) -> Vec<(String, String)> {
    let common = ["host", "content-length", "content-type", "user-agent", "accept", "accept-encoding"];
    let own = |(name, _): &&(String, String)| !common.contains(&name.to_ascii_lowercase().as_str());
    request.headers.iter().filter(own).cloned().collect()
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

const ACME: &str = r#"{
    "signature": {"scheme": "hmac-sha256-hex", "header": "x-acme-signature", "prefix": "sha256="},
    "headers": {"event": "x-acme-event", "id": "x-acme-id", "timestamp": "x-acme-time", "attempt": "x-acme-try"},
    "envelope": {"id": "id", "type": "event", "timestamp": {"key": "created_at", "as": "rfc3339"},
                 "tenant": {"key": "workspace_id", "as": "number"}, "data": "data.object"},
    "fixed": {"headers": {"x-acme-version": "2"}, "envelope": {"api": "v2"}}
}"#;

#[test]
fn a_format_decides_about_every_header_and_byte() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.put_format("acme", ACME).expect(201);
    let endpoint = json!({
        "url": receiver.url("/"), "events": ["*"], "tenant": "456", "format": "acme", "secret": SECRET,
        "headers": { "x-team": "blue" },
    });
    let made = app.create_endpoint(&endpoint);
    shows(
        &made,
        &json!({ "format": "acme", "secret": SECRET, "unsigned": false, "public_key": null, "warnings": [] }),
    );
    // The order of keys in the request is not the one of the envelope.
    let event = app.publish_text(
        r#"{"data":{ "n": 12345678901234567890, "id":123},"type":"post.created","tenant":"456","id":"own-1",
            "timestamp":"2024-01-15T10:30:00.999Z"}"#,
    );
    assert_eq!(event["deliveries"], 1);
    let request = receiver.next();
    let body = r#"{"id":"own-1","event":"post.created","created_at":"2024-01-15T10:30:00Z","workspace_id":456,"data":{"object":{ "n": 12345678901234567890, "id":123}},"api":"v2"}"#;
    assert_eq!(String::from_utf8_lossy(&request.body), body);
    let signature = format!("sha256={}", mac::sha256_hex(SECRET, body.as_bytes()));
    let expected = pairs([
        ("x-acme-event", "post.created"),
        ("x-acme-id", "own-1"),
        ("x-acme-time", "1771857000"),
        ("x-acme-try", "1"),
        ("x-acme-signature", &signature),
        ("x-acme-version", "2"),
        ("x-team", "blue"),
    ]);
    assert_eq!(own_headers(&request), expected);
    assert_eq!(request.header("content-type"), Some("application/json"));
}

#[test]
fn every_scheme_signs_what_its_format_says() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let bare = |scheme: &str, over: &str| {
        json!({
            "signature": { "scheme": scheme, "header": "x-sig", "prefix": "t={timestamp},i={id};", "over": over },
            "envelope": "data",
        })
    };
    for (scheme, over) in [
        ("hmac-sha256-hex", "body"),
        ("hmac-sha256-base64", "timestamp.body"),
        ("hmac-sha1-hex", "id.timestamp.body"),
    ] {
        app.put_format(scheme, &bare(scheme, over)).expect(201);
        let path = format!("/{scheme}");
        let id = app.endpoint_with(&receiver, &path, &json!({ "format": scheme, "secret": SECRET }));
        let event = text(&app.publish("a", &json!([1])), "id");
        let request = receiver.next_on(&path);
        let header = request.header("x-sig").expect("a signature");
        let time = header.strip_prefix("t=").and_then(|rest| rest.split(',').next()).expect("a time");
        let message = match over {
            "body" => "[1]".to_owned(),
            "timestamp.body" => format!("{time}.[1]"),
            _ => format!("{event}.{time}.[1]"),
        };
        let signature = match scheme {
            "hmac-sha256-hex" => mac::sha256_hex(SECRET, message.as_bytes()),
            "hmac-sha256-base64" => mac::sha256_base64(SECRET, message.as_bytes()),
            _ => mac::sha1_hex(SECRET, message.as_bytes()),
        };
        assert_eq!(header, format!("t={time},i={event};{signature}"));
        app.delete_endpoint(&id);
    }
}

#[test]
fn a_change_holds_for_the_next_attempt_and_old_ones_are_shown_as_they_were() {
    let (mut app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.put_format("acme", ACME).expect(201);
    let more = json!({ "format": "acme", "secret": SECRET, "retry_schedule": [60] });
    app.endpoint_with(&receiver, "/", &more);
    receiver.reply(crate::support::receiver::Reply::status(500));
    let delivery = app.send(&json!({ "n": 1 }));
    app.settle();
    let first = receiver.next();
    let changed = json!({
        "signature": { "scheme": "hmac-sha1-hex", "header": "x-new-signature" }, "envelope": "data",
        "fixed": { "headers": { "content-type": "application/x.acme+json" } },
    });
    let answer = app.put_format("acme", &changed).expect(200).json();
    shows(&answer, &json!({ "name": "acme", "built_in": false, "revision": 2, "body": "verbatim" }));
    app.advance_to_retry(&delivery);
    let second = receiver.next();
    assert_eq!(String::from_utf8_lossy(&second.body), r#"{"n":1}"#);
    let signature = mac::sha1_hex(SECRET, &second.body);
    assert_eq!(own_headers(&second), pairs([("x-new-signature", &signature)]));
    assert_eq!(second.header("content-type"), Some("application/x.acme+json"));
    for restarted in [false, true] {
        let shown = app.delivery(&delivery);
        let headers = |n: usize| shown["attempt_list"][n]["request_headers"].clone();
        for (n, request) in [&first, &second].into_iter().enumerate() {
            for (name, value) in own_headers(request) {
                assert_eq!(headers(n)[&name], value, "{restarted}");
            }
        }
        assert!(headers(0).get("x-new-signature").is_none() && headers(1).get("x-acme-id").is_none());
        assert_eq!(shown["request_body"], r#"{"n":1}"#, "that of the last attempt");
        let own_body = |n: usize| &shown["attempt_list"][n]["request_body"];
        assert_eq!(own_body(0).as_str().map(str::as_bytes), Some(first.body.as_slice()), "{restarted}");
        assert_eq!(own_body(1), &Value::Null, "that of the delivery");
        app.restart();
    }
    app.publish("a", &json!([]));
    assert_eq!(receiver.next().header("x-new-signature"), Some(mac::sha1_hex(SECRET, b"[]").as_str()));
}

#[test]
fn formats_that_are_built_in_are_shown_to_copy_and_not_changed() {
    let app = TestApp::start();
    let names: Vec<String> = app.list("/formats").iter().map(|format| text(format, "name")).collect();
    assert_eq!(names, ["standard", "github", "stripe", "cloudevents"]);
    for name in names {
        let mut shown = app.get(&format!("/formats/{name}"));
        shows(&shown, &json!({ "name": name, "built_in": true, "revision": 0, "updated_at": null }));
        for refused in [app.put_format(&name, ACME), app.delete(&format!("/formats/{name}"))] {
            assert_eq!((refused.status, code(&refused).as_str()), (409, "format_built_in"));
        }
        for field in ["name", "built_in", "revision", "updated_at"] {
            shown.as_object_mut().expect("an object").remove(field);
        }
        let copy = app.put_format(&format!("{name}-2"), &shown).expect(201).json();
        shows(&copy, &shown);
    }
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("/formats?limit=3{cursor}"));
        paged.extend(page["data"].as_array().expect("a list").iter().map(|format| text(format, "name")));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected = [
        "standard",
        "github",
        "stripe",
        "cloudevents",
        "cloudevents-2",
        "github-2",
        "standard-2",
        "stripe-2",
    ];
    assert_eq!(paged, expected);
}

#[test]
fn a_wrong_definition_is_refused_with_every_field_and_nothing_is_kept() {
    let app = TestApp::start();
    let wrong = json!({
        "signature": { "scheme": "md5", "header": "host", "prefix": "{now}" }, "headers": { "id": "a b" },
        "envelope": { "id": "x", "type": "x.y" }, "colour": 1,
    });
    let refused = app.put_format("own", &wrong).expect(422);
    let expected =
        ["signature.scheme", "signature.header", "signature.prefix", "headers.id", "colour", "envelope.type"];
    assert_eq!(fields(&refused), expected);
    assert_eq!(fields(&app.put_format("a%20b", &json!({})).expect(422)), ["name", "signature", "envelope"]);
    assert_eq!(code(&app.put_format("own", &json!([]))), "malformed_json");
    app.client.get("/api/v1/formats/own").expect(404);
    app.delete("/formats/own").expect(404);
    assert_eq!(app.list("/formats").len(), 4);
}

#[test]
fn a_format_in_use_is_not_deleted_and_the_refusal_says_by_whom() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    app.put_format("acme", ACME).expect(201);
    let id = app.endpoint_with(&receiver, "/", &json!({ "format": "acme", "enabled": false }));
    let refused = app.delete("/formats/acme").expect(409);
    assert_eq!(code(&refused), "format_in_use");
    assert!(text(&refused.json(), "detail").contains(&format!("1 endpoint ({id})")), "{}", refused.text());
    app.change_endpoint(&id, &json!({ "format": null, "secret": null }));
    app.delete("/formats/acme").expect(204);
    let refused = app.patch(&format!("/endpoints/{id}"), &json!({ "format": "acme" })).expect(422);
    assert_eq!(fields(&refused), ["format"]);
    assert!(refused.text().contains("standard, github, stripe, cloudevents"), "{}", refused.text());
    assert_eq!(
        app.put_format("acme", ACME).expect(201).json()["revision"],
        2,
        "old attempts may refer to the first"
    );
    let actions: Vec<Value> = app.audit_of("acme").into_iter().map(|line| line["action"].clone()).collect();
    assert_eq!(actions, ["format.put", "format.delete", "format.put"]);
}

#[test]
fn a_change_that_endpoints_do_not_fit_is_refused_and_says_which() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    app.put_format("acme", ACME).expect(201);
    let more = json!({ "format": "acme", "secret": SECRET, "headers": { "X-Team": "blue" } });
    let id = app.endpoint_with(&receiver, "/", &more);
    let mut changed = json!({
        "signature": { "scheme": "standard", "header": "webhook-signature" },
        "headers": { "id": "x-team", "timestamp": "webhook-timestamp" }, "envelope": "data",
    });
    let refused = app.put_format("acme", &changed).expect(409);
    assert_eq!(code(&refused), "format_does_not_fit");
    assert_eq!(fields(&refused), ["headers.x-team", "signature.scheme"]);
    assert!(refused.text().contains(&id) && !refused.text().contains(SECRET), "{}", refused.text());
    assert_eq!(app.get("/formats/acme")["revision"], 1);
    changed["headers"]["id"] = "webhook-id".into();
    app.change_endpoint(&id, &json!({ "format": "standard", "secret": null }));
    app.put_format("acme", &changed).expect(200);
    app.change_endpoint(&id, &json!({ "format": "acme" }));
}

#[test]
fn an_unchanged_definition_makes_no_revision() {
    let app = TestApp::start();
    assert_eq!(app.put_format("acme", ACME).expect(201).json()["revision"], 1);
    assert_eq!(app.put_format("acme", ACME).expect(200).json()["revision"], 1);
    assert_eq!(app.audit_of("acme").len(), 1);
}

#[test]
fn a_preview_is_the_request_that_would_be_sent() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let preview = |name: &str, body: &Value| app.post(&format!("/formats/{name}/preview"), body);
    let event = json!({ "type": "a.b", "data": { "n": 1 }, "secret": SECRET });
    let shown = preview("stripe", &event).expect(200).json();
    app.endpoint_with(&receiver, "/", &json!({ "format": "stripe", "secret": SECRET }));
    app.publish("a.b", &json!({ "n": 1 }));
    let request = receiver.next();
    let body = text(&shown, "body");
    assert_eq!(shown["headers"]["content-length"], body.len().to_string());
    let time = "1771857000";
    let signature = mac::sha256_hex(SECRET, format!("{time}.{body}").as_bytes());
    assert_eq!(shown["headers"]["stripe-signature"], format!("t={time},v1={signature}"));
    let without_id = |body: &str| body.split_once(',').expect("an id").1.to_owned();
    assert_eq!(without_id(&body), without_id(&String::from_utf8_lossy(&request.body)));
    assert!(shown.get("secret").is_none(), "the caller's own is not repeated");
    let made = preview("github", &json!({ "type": "a", "data": [1.0] })).expect(200).json();
    let signature = mac::sha256_hex(&text(&made, "secret"), b"[1.0]");
    assert_eq!((&made["body"], &made["method"]), (&json!("[1.0]"), &json!("POST")));
    assert_eq!(made["headers"]["x-hub-signature-256"], format!("sha256={signature}"));
    let unsigned = preview("github", &json!({ "type": "a", "data": null, "secret": "" })).expect(200).json();
    assert!(unsigned["headers"].get("x-hub-signature-256").is_none() && unsigned.get("secret").is_none());
    assert_eq!(
        fields(&preview("github", &json!({ "secret": 1, "x": 1 })).expect(422)),
        ["type", "data", "secret", "x"]
    );
    let refused = preview("standard", &json!({ "type": "a", "data": 1, "secret": "" })).expect(422);
    assert_eq!(fields(&refused), ["secret"]);
    preview("other", &event).expect(404);
    assert_eq!(receiver.count(), 1, "nothing but the event was sent");
}

#[test]
fn an_ecmascript_body_is_what_a_receiver_gets_that_writes_it_again() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let again = r#"{"signature": {"scheme": "hmac-sha256-hex", "header": "x-webhook-signature"},
                    "envelope": {"type": "event", "data": "data"}, "body": "ecmascript"}"#;
    app.put_format("again", again).expect(201);
    app.endpoint_with(&receiver, "/", &json!({ "format": "again", "secret": SECRET }));
    app.publish_text(r#"{"type":"a","data":{ "b": 12.0, "10": 1e21, "2":"\/\u00e9", "b":[ -0, 1e400 ] }}"#);
    let request = receiver.next();
    let body = r#"{"event":"a","data":{"2":"/é","10":1e+21,"b":[0,null]}}"#;
    assert_eq!(String::from_utf8_lossy(&request.body), body);
    let signature = mac::sha256_hex(SECRET, body.as_bytes());
    assert_eq!(request.header("x-webhook-signature"), Some(signature.as_str()));
}

#[test]
fn a_format_is_previewed_before_it_is_made() {
    let app = TestApp::with_manual_clock();
    let preview = |definition: &Value, secret: &Value| {
        let body = json!({ "definition": definition, "type": "a.b", "data": [1.0], "secret": secret });
        app.post("/formats/preview", &body)
    };
    let github = app.get("/formats/github");
    let definition = json!({
        "signature": github["signature"], "headers": github["headers"], "envelope": { "data": "payload" },
    });
    let shown = preview(&definition, &json!(SECRET)).expect(200).json();
    assert_eq!(shown["body"], r#"{"payload":[1.0]}"#);
    let signature = mac::sha256_hex(SECRET, br#"{"payload":[1.0]}"#);
    assert_eq!(shown["headers"]["x-hub-signature-256"], format!("sha256={signature}"));
    let wrong = json!({ "signature": { "scheme": "rot13", "colour": 1 }, "envelope": "data", "format": 1 });
    let wrong = json!({ "definition": wrong, "type": "a..b", "data": 1 });
    let mut wrong = fields(&app.post("/formats/preview", &wrong).expect(422));
    wrong.sort();
    assert_eq!(wrong[1..], ["definition.signature.colour", "definition.signature.scheme", "type"]);
    let none = json!({ "definition": 7, "type": "a", "data": 1 });
    assert_eq!(fields(&app.post("/formats/preview", &none).expect(422)), ["definition"]);
    assert_eq!(fields(&app.post("/formats/preview", &json!({})).expect(422)), ["definition", "type", "data"]);
    assert_eq!(app.get("/formats")["data"].as_array().map(Vec::len), Some(4), "nothing was written");
}

#[test]
fn no_format_is_called_preview() {
    let app = TestApp::start();
    let refused = app.put_format("preview", ACME).expect(405);
    assert_eq!(refused.header("allow"), Some("POST"));
    app.post("/formats/preview/preview", &json!({ "type": "a", "data": 1 })).expect(404);
}

#[test]
fn a_built_in_format_is_copied_by_the_fields_that_its_refusal_names() {
    let app = TestApp::start();
    let refused = app.put_format("standard", &json!({})).expect(409);
    assert_eq!(code(&refused), "format_built_in");
    let fields = ["signature", "headers", "envelope", "fixed", "body"];
    assert!(refused.text().contains("signature, headers, envelope, fixed and body"), "{}", refused.text());
    for name in ["standard", "github", "stripe", "cloudevents"] {
        let shown = app.get(&format!("/formats/{name}"));
        let copy: serde_json::Map<String, Value> =
            fields.iter().map(|field| ((*field).to_owned(), shown[field].clone())).collect();
        app.put_format(&format!("{name}-copy"), &Value::Object(copy)).expect(201);
    }
}
