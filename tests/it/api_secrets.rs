//! Secrets are shown once, and the values of headers never: not in answers, nor in the file, nor in the log.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::app::{TestApp, text};
use crate::support::client::Client;
use crate::support::problem::fields;
use crate::support::receiver::{Receiver, Reply};
use crate::support::server::Server;

const SECRET: &str = "whsec_MDEyMzQ1Njc4OUFCQ0RFRjAxMjM0NTY3ODlBQkNERUY=";
const SECOND: &str = "a second secret of mine";
const VALUE: &str = "Bearer very-private-token";

/// Everything that must not be found, in every form in which it could be.
fn private() -> Vec<String> {
    let bare = |secret: &str| secret.trim_start_matches("whsec_").trim_end_matches('=').to_owned();
    vec![
        bare(SECRET),
        "0123456789ABCDEF0123456789ABCDEF".to_owned(),
        SECOND.to_owned(),
        "YSBzZWNvbmQgc2VjcmV0IG9mIG1pbm".to_owned(),
        "very-private-token".to_owned(),
    ]
}

#[track_caller]
fn hides(what: &str, shown: &str, private: &[String]) {
    for secret in private {
        assert!(!shown.contains(secret.as_str()), "{what} shows {secret}");
    }
}

/// All bytes of the database with its log, as text.
fn file(data: &Path) -> String {
    let mut bytes = Vec::new();
    for name in ["postrider.db", "postrider.db-wal"] {
        bytes.extend(std::fs::read(data.join(name)).unwrap_or_default());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn endpoint(receiver: &Receiver) -> Value {
    json!({
        "url": receiver.url("/"), "uid": "erp", "events": ["*"], "secret": SECRET,
        "headers": { "Authorization": VALUE, "X-Team": "blue-team-value" }, "retry_schedule": [],
    })
}

#[test]
fn no_answer_shows_a_secret_or_a_headers_value_a_second_time() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    receiver.always(Reply::status(500));
    let mut private = private();
    let created = app.create_endpoint(&endpoint(&receiver));
    assert_eq!(created["secret"], SECRET);
    hides("the create", &created["headers"].to_string(), &private);
    let id = text(&created, "id");
    let path = format!("/endpoints/{id}");
    let set = app.patch(&path, &json!({ "secret": SECOND })).expect(200).json();
    assert_eq!(set["secret"], "whsec_YSBzZWNvbmQgc2VjcmV0IG9mIG1pbmU=");
    let made = text(&app.patch(&path, &json!({ "secret": null })).expect(200).json(), "secret");
    assert_eq!(made.len(), "whsec_".len() + 44);
    private.push(made.trim_start_matches("whsec_").to_owned());
    let delivery = app.send(&json!(1));
    app.settle();
    let headers = json!({ "Authorization": "•••", "X-Team": "•••" });
    for shown in [
        app.patch(&path, &json!({ "description": "x" })).expect(200).json(),
        app.post(&format!("{path}/disable"), &json!({})).expect(200).json(),
        app.post(&format!("{path}/enable"), &json!({})).expect(200).json(),
        app.get(&path),
        app.get("/endpoints/erp"),
        app.get("/endpoints")["data"][0].clone(),
    ] {
        hides("an endpoint", &shown.to_string(), &private);
        assert_eq!((shown.get("secret"), &shown["headers"]), (None, &headers), "{shown}");
    }
    let shown = app.delivery(&delivery);
    hides("a delivery", &shown.to_string(), &private);
    assert_eq!(shown["attempt_list"][0]["request_headers"]["authorization"], "•••");
    let audit: Vec<Value> = app.audit_of(&id);
    assert_eq!(audit[0]["action"], "endpoint.create");
    hides("the audit log", &Value::from(audit).to_string(), &private);
    hides("the file", &file(&app.data()), &private);
}

#[test]
fn a_wrong_secret_or_header_is_not_repeated() {
    let app = TestApp::start();
    for bad in ["whsec_very-private-token", "whsec_", "", "short", "very-private-token\n", &"x".repeat(129)] {
        let answer = app.post("/endpoints", &json!({ "url": "https://a.test/", "secret": bad })).expect(422);
        assert_eq!(fields(&answer), ["secret"], "{bad}");
        hides("a refusal", answer.text(), &private());
    }
    let wrong =
        [json!({ "A": ["very-private-token"] }), json!({ "A": "very-private-token\r\nB: c" }), json!(SECRET)];
    for bad in wrong {
        let answer = app.post("/endpoints", &json!({ "url": "https://a.test/", "headers": bad })).expect(422);
        hides("a refusal", answer.text(), &private());
    }
    let answer = app.post("/endpoints", &json!({ "url": "https://a.test/", "secret": { "key": SECRET } }));
    hides("a refusal", answer.expect(422).text(), &private());
}

#[test]
fn masked_headers_keep_their_values_and_new_ones_take_theirs() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let path = format!("/endpoints/{}", text(&app.create_endpoint(&endpoint(&receiver)), "id"));
    let arrive = |headers: &Value| {
        app.patch(&path, &json!({ "headers": headers })).expect(200);
        app.publish("a", &json!(1));
        let request = receiver.next();
        ["authorization", "x-team", "x-new"].map(|name| request.header(name).map(str::to_owned))
    };
    let some = |text: &str| Some(text.to_owned());
    let masked = app.get(&path)["headers"].clone();
    assert_eq!(
        arrive(&masked),
        [some(VALUE), some("blue-team-value"), None],
        "what is shown can be sent back"
    );
    assert_eq!(
        arrive(&json!({ "AUTHORIZATION": "•••", "X-New": "n" })),
        [some(VALUE), None, some("n")],
        "whatever the case; what is left out goes"
    );
    assert_eq!(arrive(&json!({ "X-New": "m" })), [None, None, some("m")]);
    let refused = app.patch(&path, &json!({ "headers": { "X-Gone": "•••", "X-New": "•••" } })).expect(422);
    assert_eq!(fields(&refused), ["headers.X-Gone"]);
    let refused = app.post("/endpoints", &json!({ "url": "https://a.test/", "headers": { "A": "•••" } }));
    assert_eq!(fields(&refused.expect(422)), ["headers.A"]);
    assert_eq!(arrive(&json!(null)), [None, None, None]);
}

#[test]
fn the_text_of_an_api_key_is_shown_once_and_kept_nowhere() {
    let mut app = TestApp::start();
    let made = app.post("/keys", &json!({ "name": "ci", "scopes": ["admin"] })).expect(201).json();
    let key = text(&made, "key");
    let client = Client::tcp(app.address()).with_key(&key);
    let secret = [key.trim_start_matches("pr_").to_owned()];
    hides("the list", client.get("/api/v1/keys").expect(200).text(), &secret);
    hides("the audit log", &Value::from(app.audit_of(&text(&made, "id"))).to_string(), &secret);
    hides("the file", &file(&app.data()), &secret);
    app.restart();
    Client::tcp(app.address()).with_key(&key).get("/api/v1/keys").expect(200);
    hides("the file", &file(&app.data()), &secret);
}

#[test]
fn the_log_tells_no_secret() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let receiver = Receiver::start();
    receiver.reply(Reply::status(410).body("gone"));
    let server = Server::on(&dir.path().join("data"));
    let made = server.post("/endpoints", &endpoint(&receiver)).expect(201).json();
    server.publish(&json!("private-data-of-an-event"));
    receiver.wait_for(1);
    let path = format!("/api/v1/endpoints/{}", text(&made, "id"));
    server
        .client
        .send_json("PATCH", &path, &json!({ "secret": SECOND, "headers": { "A": VALUE } }))
        .expect(200);
    let refused = json!({ "secret": [SECRET], "headers": { "A": [VALUE] }, "url": format!("https://u:{VALUE}@x.test/") });
    server.client.send_json("PATCH", &path, &refused).expect(422);
    server.client.get("/api/v1/events?cursor=very-private-token").expect(400);
    let mut private = private();
    private.push("private-data-of-an-event".to_owned());
    private.push(crate::support::app::KEY.trim_start_matches("pr_").to_owned());
    let ended = server.stop();
    assert!(ended.err.contains("stopping"), "a log to look at: {}", ended.err);
    hides("the log", &ended.err, &private);
    hides("standard output", &ended.out, &private);
}
