//! The formats that are built in, verified by the published packages that their receivers use. Nothing of ours
//! verifies anything here. Real time, as the packages refuse what is old.

use std::sync::Arc;

use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::support::app::{TestApp, text};
use crate::support::foreign::{Judge, all_judge, with_body, without};
use crate::support::receiver::{Received, Receiver};

const SECRET: &str = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
const OTHER: &str = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
const CHANGE: (&str, &str) = (r#""amount":4200"#, r#""amount":4201"#);

/// An endpoint of a format, and what was sent to it: text, numbers, and what JSON may escape.
struct Sent {
    request: Arc<Received>,
    endpoint: Value,
}

fn send(app: &TestApp, format: &str, secret: Option<&str>) -> Sent {
    let receiver = Receiver::start();
    let fields = json!({ "url": receiver.url("/"), "events": ["*"], "format": format, "secret": secret });
    let endpoint = app.create_endpoint(&fields);
    app.publish_text(
        r#"{"type":"invoice.paid","data":{ "amount":4200, "note":"5 € \u00e9 \/ 😀", "big": 12345678901234567890 }}"#,
    );
    let request = receiver.next();
    app.settle();
    Sent { request, endpoint }
}

/// Whether the package of crates.io takes a request.
fn in_rust(request: &Received, secret: &str) -> bool {
    let mut headers = http::HeaderMap::new();
    for (name, value) in &request.headers {
        let name = http::HeaderName::try_from(name.as_str()).expect("a header name");
        headers.insert(name, value.parse().expect("a header value"));
    }
    Webhook::new(secret).expect("a secret").verify(&request.body, &headers).is_ok()
}

#[test]
fn standard_is_accepted_by_standardwebhooks_for_rust_python_and_node() {
    let app = TestApp::start();
    for given in [Some(SECRET), None] {
        let Sent { request, endpoint } = send(&app, "standard", given);
        let secret = text(&endpoint, "secret");
        assert!(in_rust(&request, &secret));
        assert!(!in_rust(&with_body(&request, CHANGE.0, CHANGE.1), &secret), "another body");
        assert!(!in_rust(&request, OTHER), "another secret");
        let judges = [Judge::package("standard.py"), Judge::package("standard.mjs")];
        all_judge(&judges, &request, (&secret, OTHER), "webhook-signature", CHANGE);
        for header in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            let wrong = without(&request, header);
            assert!(!in_rust(&wrong, &secret), "{header}");
            assert!(judges.iter().all(|judge| !judge.judge(&wrong, &secret).accepts()), "{header}");
        }
        assert_eq!(Judge::package("standard.py").judge(&request, &secret).text, "invoice.paid");
        app.delete_endpoint(&text(&endpoint, "id"));
    }
}

#[test]
fn during_a_rotation_each_package_takes_the_old_secret_and_the_new_one() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let made = app.create_endpoint(&json!({ "url": receiver.url("/"), "events": ["*"], "secret": SECRET }));
    let path = format!("/endpoints/{}/rotate-secret", text(&made, "id"));
    app.post(&path, &json!({ "secret": OTHER })).expect(200);
    app.publish("invoice.paid", &json!({ "amount": 4200 }));
    let request = receiver.next();
    for secret in [SECRET, OTHER] {
        assert!(in_rust(&request, secret));
        for package in ["standard.py", "standard.mjs"] {
            let verdict = Judge::package(package).judge(&request, secret);
            assert!(verdict.accepts(), "{package}: {verdict:?}");
        }
    }
}

#[test]
fn ed25519_is_accepted_by_pynacl_and_by_node() {
    let app = TestApp::start();
    let asymmetric = r#"{
        "signature": {"scheme": "ed25519", "header": "webhook-signature", "join": " "},
        "headers": {"id": "webhook-id", "timestamp": "webhook-timestamp"},
        "envelope": {"id": "id", "type": "type", "timestamp": "timestamp", "data": "data"}
    }"#;
    app.put_format("asymmetric", asymmetric).expect(201);
    let another = text(&send(&app, "asymmetric", None).endpoint, "public_key");
    let Sent { request, endpoint } = send(&app, "asymmetric", None);
    let judges = [Judge::package("asymmetric.py"), Judge::package("asymmetric.mjs")];
    let keys = (text(&endpoint, "public_key"), another);
    for header in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        all_judge(&judges, &request, (&keys.0, &keys.1), header, CHANGE);
    }
}

#[test]
fn github_is_accepted_by_octokit() {
    let app = TestApp::start();
    let Sent { request, .. } = send(&app, "github", Some("It's a Secret to Everybody"));
    let judge = Judge::package("github.mjs");
    let secrets = ("It's a Secret to Everybody", "It's a secret to everybody");
    all_judge(std::slice::from_ref(&judge), &request, secrets, "X-Hub-Signature-256", CHANGE);
    assert_eq!(judge.judge(&request, secrets.0).text, "invoice.paid");
}

#[test]
fn stripe_is_accepted_by_the_check_of_stripes_package() {
    let app = TestApp::start();
    let Sent { request, .. } = send(&app, "stripe", Some(SECRET));
    let judge = Judge::package("stripe.mjs");
    all_judge(std::slice::from_ref(&judge), &request, (SECRET, OTHER), "Stripe-Signature", CHANGE);
    let read: Value = serde_json::from_str(&judge.judge(&request, SECRET).text).expect("JSON");
    assert_eq!((&read["type"], &read["object"]), (&json!("invoice.paid"), &json!("event")));
    assert_eq!(read["data"]["object"]["amount"], 4200);
}

#[test]
fn a_rotation_in_stripes_format_is_accepted_with_either_secret() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let fields = json!({ "url": receiver.url("/"), "events": ["*"], "format": "stripe", "secret": SECRET });
    let made = app.create_endpoint(&fields);
    app.post(&format!("/endpoints/{}/rotate-secret", text(&made, "id")), &json!({ "secret": OTHER }))
        .expect(200);
    app.publish("invoice.paid", &json!({ "amount": 4200 }));
    let request = receiver.next();
    for secret in [SECRET, OTHER] {
        let verdict = Judge::package("stripe.mjs").judge(&request, secret);
        assert!(verdict.accepts(), "{verdict:?}");
    }
}

#[test]
fn cloudevents_is_parsed_by_cloudevents_for_python() {
    let app = TestApp::start();
    let Sent { request, endpoint } = send(&app, "cloudevents", None);
    let (judge, secret) = (Judge::package("structured.py"), text(&endpoint, "secret"));
    all_judge(std::slice::from_ref(&judge), &request, (&secret, OTHER), "webhook-signature", CHANGE);
    let read: Value = serde_json::from_str(&judge.judge(&request, &secret).text).expect("JSON");
    let sent = request.json();
    for (name, value) in [
        ("specversion", "1.0"),
        ("type", "invoice.paid"),
        ("source", "default"),
        ("datacontenttype", "application/json"),
    ] {
        assert_eq!(read[name], value, "{name}");
    }
    assert_eq!(read["id"], sent["id"]);
    assert_eq!(read["data"], sent["data"]);
}
