//! What endpoints sign with, format by format: unsigned, with a secret of one's own, with a key that is made here.

use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::mac;
use crate::support::problem::fields;
use crate::support::receiver::Receiver;

const SECRET: &str = "a secret that is long enough";

#[test]
fn an_endpoint_goes_unsigned_only_where_its_scheme_allows() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let fields_of = |format: &str, secret: &Value| json!({ "url": receiver.url("/"), "events": ["*"], "format": format, "secret": secret });
    assert_eq!(fields(&app.post("/endpoints", &fields_of("standard", &json!(""))).expect(422)), ["secret"]);
    let made = app.create_endpoint(&fields_of("github", &json!("")));
    shows(&made, &json!({ "unsigned": true, "secret": null }));
    assert!(made["warnings"][0].as_str().is_some_and(|warning| warning.contains("unsigned")), "{made}");
    let path = format!("/endpoints/{}", text(&made, "id"));
    app.publish("a", &json!(1));
    assert_eq!(receiver.next().header("x-hub-signature-256"), None);
    assert_eq!(fields(&app.patch(&path, &json!({ "format": "standard" })).expect(422)), ["secret"]);
    let signed = app.patch(&path, &json!({ "secret": null })).expect(200).json();
    assert_eq!(signed["unsigned"], false);
    app.publish("a", &json!(1));
    let signature = format!("sha256={}", mac::sha256_hex(&text(&signed, "secret"), b"1"));
    assert_eq!(receiver.next().header("x-hub-signature-256"), Some(signature.as_str()));
    app.patch(&path, &json!({ "secret": "" })).expect(200);
    assert_eq!(app.get(&path)["unsigned"], true);
    let bare = json!({ "signature": { "scheme": "none" }, "headers": { "id": "x-id" }, "envelope": "data" });
    app.put_format("bare", &bare).expect(201);
    app.patch(&path, &json!({ "format": "bare" })).expect(200);
    shows(&app.get(&path), &json!({ "unsigned": true, "format": "bare" }));
    assert_eq!(fields(&app.post("/endpoints", &fields_of("bare", &json!(SECRET))).expect(422)), ["secret"]);
    let made = app.create_endpoint(&fields_of("bare", &Value::Null));
    shows(&made, &json!({ "unsigned": true, "secret": null, "warnings": [] }));
}

#[test]
fn a_change_of_format_that_the_secret_does_not_fit_is_refused() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let id = app.endpoint_with(&receiver, "/", &json!({ "format": "github", "secret": SECRET }));
    let path = format!("/endpoints/{id}");
    let change = |fields: &Value| app.patch(&path, fields);
    assert_eq!(fields(&change(&json!({ "format": "standard" })).expect(422)), ["secret"]);
    change(&json!({ "format": "stripe" })).expect(200);
    let made = change(&json!({ "format": "standard", "secret": null })).expect(200).json();
    assert!(text(&made, "secret").starts_with("whsec_"));
    change(&json!({ "format": "github" })).expect(200);
    app.publish("a", &json!(1));
    let request = receiver.next();
    let signature = format!("sha256={}", mac::sha256_hex(&text(&made, "secret"), b"1"));
    assert_eq!(request.header("x-hub-signature-256"), Some(signature.as_str()), "the whole text is the key");
}

#[test]
fn with_ed25519_the_key_is_made_here_and_only_its_public_half_is_shown() {
    let (mut app, receiver) = (TestApp::start(), Receiver::start());
    let asymmetric = json!({
        "signature": { "scheme": "ed25519", "header": "webhook-signature", "join": " " },
        "headers": { "id": "webhook-id", "timestamp": "webhook-timestamp" },
        "envelope": { "type": "type", "timestamp": "timestamp", "data": "data" },
    });
    app.put_format("asymmetric", &asymmetric).expect(201);
    let endpoint = json!({ "url": receiver.url("/"), "events": ["*"], "format": "asymmetric" });
    for secret in [SECRET, "", "whsk_AAAA"] {
        let mut with = endpoint.clone();
        with["secret"] = secret.into();
        assert_eq!(fields(&app.post("/endpoints", &with).expect(422)), ["secret"]);
    }
    let made = app.create_endpoint(&endpoint);
    shows(&made, &json!({ "secret": null, "unsigned": false, "warnings": [] }));
    let (path, public_key) = (format!("/endpoints/{}", text(&made, "id")), text(&made, "public_key"));
    assert!(public_key.starts_with("whpk_"));
    let verifies = |app: &TestApp| {
        app.publish("a", &json!(1));
        let request = receiver.next();
        let signature = request.header("webhook-signature").expect("a signature").to_owned();
        assert!(mac::ed25519(&public_key, &request, &signature), "{signature}");
    };
    verifies(&app);
    assert_eq!(app.list("/endpoints")[0]["public_key"], public_key);
    app.restart();
    assert_eq!(app.get(&path)["public_key"], public_key);
    verifies(&app);
    let refused = app.patch(&path, &json!({ "format": "github" })).expect(422);
    assert_eq!(fields(&refused), ["secret"], "a key that nobody was shown signs nothing else");
    let shown =
        app.post("/formats/asymmetric/preview", &json!({ "type": "a", "data": 1 })).expect(200).json();
    assert!(shown.get("secret").is_none() && text(&shown, "public_key").starts_with("whpk_"));
}
