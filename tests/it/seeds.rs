//! Five webhook systems that were moved here: their documents in `tests/seeds`, each as a format, an endpoint, an event
//! and the receivers that it shows, and every rule that it states.

mod ecmascript;
mod generic;
mod krafter;
mod phosra;
mod workspaces;
mod zyra;

use std::sync::Arc;
use std::time::Duration;

use postrider::clock::Clock;
use postrider::domain::time::UnixMs;
use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::foreign::root;
use crate::support::receiver::{Received, Receiver, Reply};

/// A server to which a document's system has moved, with its endpoint.
struct Moved {
    app: TestApp,
    receiver: Receiver,
    folder: &'static str,
    /// Where the endpoint's URL leads at the receiver.
    path: String,
    /// As it was answered when it was made.
    endpoint: Value,
}

/// A file of a document's folder.
fn file(folder: &str, name: &str) -> String {
    let path = root().join("tests/seeds").join(folder).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// JSON without the blanks between its parts.
fn squeezed(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let keep = |character: &char| {
        let is_part = in_string || !character.is_ascii_whitespace();
        in_string ^= *character == '"' && !escaped;
        escaped = in_string && *character == '\\' && !escaped;
        is_part
    };
    json.chars().filter(keep).collect()
}

impl Moved {
    /// Moves a document's system to a new server with a manual clock.
    fn to_a_new_server(folder: &'static str) -> Self {
        let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
        let (_, name) = folder.split_once('_').expect("a number and a name");
        app.put_format(name, &file(folder, "format.json")).expect(201);
        let mut fields: Value = serde_json::from_str(&file(folder, "endpoint.json")).expect("JSON");
        let url = text(&fields, "url");
        let path = format!("/{}", url.splitn(4, '/').nth(3).expect("a path"));
        fields["url"] = receiver.url(&path).into();
        let endpoint = app.create_endpoint(&fields);
        shows(&endpoint, &fields);
        Self { app, receiver, folder, path, endpoint }
    }

    fn id(&self) -> String {
        text(&self.endpoint, "id")
    }

    fn tenant(&self) -> String {
        text(&self.endpoint, "tenant")
    }

    fn secret(&self) -> String {
        text(&self.endpoint, "secret")
    }

    /// Publishes the document's example, without blanks; the answer.
    #[track_caller]
    fn publish_example(&self) -> Value {
        self.app.publish_text(&squeezed(&file(self.folder, "event.json")))
    }

    /// Publishes an event of the endpoint's tenant; the answer.
    #[track_caller]
    fn publish(&self, event_type: &str, data: &Value) -> Value {
        let event = json!({ "type": event_type, "data": data, "tenant": self.tenant() });
        self.app.post("/events", &event).expect(202).json()
    }

    /// Publishes the example and takes what arrives, which has to be the document's payload: every field, in its order.
    #[track_caller]
    fn deliver_example(&self) -> Arc<Received> {
        self.publish_example();
        let request = self.receiver.next();
        assert_eq!((request.method.as_str(), &request.path), ("POST", &self.path));
        let payload = squeezed(&file(self.folder, "payload.json"));
        assert_eq!(String::from_utf8_lossy(&request.body), payload);
        assert_eq!(request.header("content-type"), Some("application/json"));
        request
    }

    /// Lets a delivery fail until nothing more is tried, and sees each retry come when its document says; the delivery.
    #[track_caller]
    fn fail_for_good(&self, waits: &[u64]) -> Value {
        self.receiver.always(Reply::status(500).body("not today"));
        self.publish_example();
        self.app.settle();
        let delivery = text(&self.history()[0], "id");
        for (done, wait) in waits.iter().enumerate() {
            let seen = self.app.delivery(&delivery);
            shows(&seen, &json!({ "status": "pending", "attempts": done + 1, "status_code": 500 }));
            let due = UnixMs::parse(&text(&seen, "next_retry_at")).expect("a time").0;
            let due = due - self.app.clock().wall().0;
            let wait_ms = i64::try_from(wait * 1000).expect("a short one");
            assert!((wait_ms..=wait_ms * 11 / 10).contains(&due), "{due} ms instead of {wait} s");
            self.app.advance(Duration::from_millis(wait * 1000 - 1));
            assert_eq!(self.receiver.count(), done + 1, "too early");
            self.app.advance(Duration::from_millis(1 + wait * 100));
            assert_eq!(self.receiver.count(), done + 2, "not sent after {wait} s and 10 %");
        }
        let over = self.app.delivery(&delivery);
        let attempts = waits.len() + 1;
        shows(&over, &json!({ "status": "failed", "attempts": attempts, "next_retry_at": null }));
        self.app.advance(Duration::from_hours(24 * 7));
        assert_eq!(self.receiver.count(), attempts, "never again");
        over
    }

    /// The rows of the endpoint's delivery history, the newest first.
    fn history(&self) -> Vec<Value> {
        self.app.list(&format!("/endpoints/{}/deliveries", self.id()))
    }
}

/// The names of the headers that are not every request's, in lower case.
fn own_headers(request: &Received) -> Vec<String> {
    let common = ["host", "content-length", "content-type", "user-agent", "accept", "accept-encoding"];
    let names = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase());
    names.filter(|name| !common.contains(&name.as_str())).collect()
}

/// A server with the rules of production.
fn strict() -> TestApp {
    TestApp::builder().with("POSTRIDER_DEV", "0").start()
}

/// Fails unless a URL is refused at a server with the rules of production.
#[track_caller]
fn refuses_url(app: &TestApp, url: &str) {
    let refused = app.post("/endpoints", &json!({ "url": url })).expect(422);
    assert_eq!(crate::support::problem::fields(&refused), ["url"], "{url}");
}
