//! What is kept of an attempt, and shown again as it was.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use postrider::dispatcher::Courier;
use postrider::domain::target::Target;
use postrider::sender::{Request, Sender, Sent};
use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::receiver::{Received, Receiver, Reply};

/// The headers of a request as one delivery shows them: but for the values of the endpoint's own.
fn as_shown(request: &Received, own: &[&str]) -> Value {
    let shown = |(name, value): &(String, String)| {
        let masked = own.iter().any(|own| own.eq_ignore_ascii_case(name));
        (name.to_lowercase(), json!(if masked { "•••" } else { value.as_str() }))
    };
    Value::Object(request.headers.iter().map(shown).collect())
}

fn lowercased(headers: &Value) -> Value {
    let headers = headers.as_object().expect("headers");
    Value::Object(headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect())
}

#[test]
fn old_requests_are_shown_as_they_were_whatever_was_changed_since() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.reply(Reply::status(500));
    let endpoint = app.endpoint_with(&receiver, "/one", &json!({ "headers": { "X-Team": "red" } }));
    let delivery = app.send(&json!({ "n": 1.0 }));
    app.settle();
    app.change_endpoint(
        &endpoint,
        &json!({
            "url": receiver.url("/two"), "headers": { "X-Other": "blue", "Authorization": "x" },
            "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        }),
    );
    app.advance_to_retry(&delivery);
    app.change_endpoint(&endpoint, &json!({ "url": receiver.url("/three"), "headers": {} }));
    let seen = app.delivery(&delivery);
    let attempts = seen["attempt_list"].as_array().expect("a list");
    let sent = receiver.received();
    assert_eq!((attempts.len(), sent.len()), (2, 2));
    for (attempt, (request, (path, own))) in attempts
        .iter()
        .zip(sent.iter().zip([("/one", vec!["x-team"]), ("/two", vec!["x-other", "authorization"])]))
    {
        assert_eq!(request.path, path);
        assert_eq!(lowercased(&attempt["request_headers"]), as_shown(request, &own));
        assert_eq!(attempt["url"], json!(receiver.url(path)));
        assert_eq!(attempt["address"], json!(receiver.address().to_string()));
        assert_eq!(seen["request_body"].as_str().map(str::as_bytes), Some(request.body.as_slice()));
    }
    assert_ne!(
        attempts[0]["request_headers"]["webhook-signature"],
        attempts[1]["request_headers"]["webhook-signature"]
    );
}

/// The head lines that came, as the member of an answer: their spelling and order, credentials masked.
fn head_as_shown(request: &Received, masked: &[&str]) -> String {
    let line = |(name, value): &(String, String)| {
        let value = if masked.contains(&name.as_str()) { "•••" } else { value };
        format!("{}:{}", json!(name), json!(value))
    };
    let lines: Vec<String> = request.headers.iter().map(line).collect();
    format!("{{{}}}", lines.join(","))
}

#[test]
fn a_shown_head_is_the_one_on_the_wire_in_its_spelling_and_order() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let own = json!({ "format": "github", "headers": { "X-Zebra": "z", "Authorization": "Bearer x", "A-First": "a" } });
    app.endpoint_with(&receiver, "/", &own);
    let delivery = app.send(&json!({ "n": 1 }));
    app.settle();
    let request = receiver.next();
    let shown = app.client.get(&format!("/api/v1/deliveries/{delivery}")).expect(200);
    let expected = head_as_shown(&request, &["x-zebra", "authorization", "a-first"]);
    assert!(
        shown.text().contains(&format!("\"request_headers\":{expected}")),
        "{expected} in {}",
        shown.text()
    );
    let event = json!({ "type": "test", "data": { "n": 1 }, "secret": "" });
    let preview = app.post("/formats/github/preview", &event).expect(200);
    let names = |head: &str| {
        let members: serde_json::Map<String, Value> = serde_json::from_str(head).expect("an object");
        let mut names: Vec<String> = members.keys().cloned().collect();
        names.sort_by_key(|name| head.find(&format!("\"{name}\":")));
        names
    };
    let head = preview.text().split_once("\"headers\":").expect("headers").1.to_owned();
    let head = head.split_inclusive('}').next().expect("an object").to_owned();
    let of_format = ["host", "x-zebra", "authorization", "a-first", "x-hub-signature-256"];
    let mut sent = names(&expected);
    sent.retain(|name| !of_format.contains(&name.as_str()));
    assert_eq!(names(&head), sent);
}

#[test]
fn an_attempt_shows_when_and_how_long_and_what_was_answered() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let answer =
        Reply::status(418).header("X-Kind", "teapot").header("Set-Cookie", "a=1").header("Set-Cookie", "b=2");
    receiver.reply(answer.body("short and stout"));
    app.endpoint_at(&receiver, "/");
    let delivery = app.send(&json!(1));
    app.settle();
    let seen = app.delivery(&delivery);
    let attempt = &seen["attempt_list"][0];
    shows(
        attempt,
        &json!({
            "number": 1, "round": 1, "started_at": "2026-02-23T14:30:00.000Z", "status_code": 418,
            "response_body": "short and stout"
        }),
    );
    assert_eq!(lowercased(&attempt["response_headers"])["x-kind"], "teapot");
    assert_eq!(lowercased(&attempt["response_headers"])["set-cookie"], json!(["a=1", "b=2"]));
    let phases = &attempt["phases_ms"];
    assert!(phases["connect"].is_u64() && phases["wait"].is_u64() && phases["tls"].is_null(), "{phases}");
    assert!(attempt["duration_ms"].is_u64() && attempt["error"].is_string());
    shows(
        &seen,
        &json!({ "status_code": 418, "response_body": "short and stout", "error": attempt["error"] }),
    );
}

#[test]
fn the_first_2_kb_of_a_body_and_8_kb_of_headers_are_kept() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let mut answer = Reply::status(500).body("é".repeat(50_000));
    for n in 0..100 {
        answer = answer.header(&format!("X-Header-{n}"), &"v".repeat(200));
    }
    receiver.reply(answer);
    app.endpoint_at(&receiver, "/");
    let delivery = app.send(&json!(1));
    app.settle();
    let seen = app.delivery(&delivery);
    assert_eq!(text(&seen, "response_body"), "é".repeat(1024));
    let attempt = &seen["attempt_list"][0];
    assert_eq!(attempt["response_body"], seen["response_body"]);
    let kept = attempt["response_headers"].as_object().expect("headers").len();
    assert!((30..45).contains(&kept), "{kept} headers of 200 bytes");
}

#[test]
fn a_body_that_is_no_text_is_shown_as_well_as_it_can_be() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.reply(Reply::status(500).body(vec![0xff, 0x00, b'a', 0xc3]));
    app.endpoint_at(&receiver, "/");
    let delivery = app.send(&json!(1));
    app.settle();
    assert_eq!(text(&app.delivery(&delivery), "response_body"), "\u{fffd}\0a\u{fffd}");
}

/// Panics at its first request.
struct Clumsy {
    sender: Arc<Sender>,
    done: AtomicBool,
}

impl Courier for Clumsy {
    fn prepare(&self, target: &Target, wake: Box<dyn FnOnce() + Send>) -> bool {
        self.sender.prepare(target, wake)
    }

    fn send(&self, request: &Request<'_>) -> Sent {
        assert!(self.done.swap(true, Ordering::Relaxed), "what a test wants to see in the log");
        self.sender.send(request)
    }

    fn stop(&self) {
        self.sender.stop();
    }
}

#[test]
fn a_panic_is_a_failed_attempt_and_its_thread_lives_on() {
    let clumsy = |sender| Arc::new(Clumsy { sender, done: AtomicBool::new(false) }) as Arc<dyn Courier>;
    let app =
        TestApp::builder().with("POSTRIDER_DELIVERY_THREADS", "1").manual_clock().courier(clumsy).start();
    let receiver = Receiver::start();
    let endpoint = app.endpoint_at(&receiver, "/");
    let delivery = app.send(&json!(1));
    app.settle();
    let seen = app.delivery(&delivery);
    shows(&seen, &json!({ "status": "pending", "attempts": 1, "status_code": null }));
    assert!(text(&seen, "error").contains("defect in Postrider"), "{seen}");
    assert_eq!(app.endpoint(&endpoint)["failure_count"], 1);
    let other = app.send(&json!(2));
    app.settle();
    assert_eq!(app.status(&other), "delivered");
    app.advance_to_retry(&delivery);
    shows(&app.delivery(&delivery), &json!({ "status": "delivered", "attempts": 2, "error": null }));
}
