//! One row for each receiver: what it does, and what has to be told of the attempt.

use std::sync::Arc;
use std::time::Duration;

use postrider::clock::Stopwatch;
use rustls::ServerConfig;
use serde_json::{Value, json};

use crate::support::app::{TestApp, text};
use crate::support::receiver::Receiver;

use super::script::{Act, Scripted};

/// The timeout where none is expected to pass: a hang fails the test all the same.
const UNHURRIED: u64 = 30;
/// The timeout where it is expected to pass.
const SLOW: u64 = 2;
/// How much later than its deadline an attempt may end.
const LATE: Duration = Duration::from_secs(2);
/// An attempt that is late this often is not late because the machine is busy.
const TRIES: usize = 3;
/// All rows together.
const PATIENCE: Duration = Duration::from_mins(2);

/// A receiver and what is expected of an attempt to reach it.
pub struct Row {
    name: String,
    receiver: Scripted,
    url: String,
    timeout: u64,
    data: Value,
    status: Option<u16>,
    error: String,
    body: Option<String>,
    headers: Option<Value>,
    connections: Option<usize>,
}

impl Row {
    /// A receiver that fails to answer, and words of the sentence about it.
    pub fn broken(name: impl Into<String>, acts: Vec<Act>, error: &str) -> Self {
        Self::of(name.into(), Scripted::start(acts), error)
    }

    /// A receiver that answers with this status, whatever else it does.
    pub fn answers(name: impl Into<String>, acts: Vec<Act>, status: u16) -> Self {
        Self { status: Some(status), ..Self::broken(name, acts, "") }
    }

    /// This receiver, with whom it fails so.
    pub fn of(name: String, receiver: Scripted, error: &str) -> Self {
        let url = format!("http://{}/hook", receiver.address);
        Self {
            name,
            receiver,
            url,
            timeout: UNHURRIED,
            data: json!({ "n": 1 }),
            status: None,
            error: error.to_owned(),
            body: None,
            headers: None,
            connections: Some(1),
        }
    }

    /// The same over TLS, under this name.
    pub fn tls(name: &str, host: &str, config: &Arc<ServerConfig>, acts: Vec<Act>, error: &str) -> Self {
        Self::of(name.to_owned(), Scripted::start_tls(Arc::clone(config), acts), error).under(host)
    }

    /// Reached by `https://` and this name.
    pub fn under(mut self, host: &str) -> Self {
        self.url = format!("https://{host}:{}/hook", self.receiver.address.port());
        self
    }

    /// With a status after all.
    pub fn status(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }

    /// It takes until the deadline.
    pub fn slow(self) -> Self {
        Self { timeout: SLOW, ..self }
    }

    /// What is kept of the body.
    pub fn body(self, body: impl Into<String>) -> Self {
        Self { body: Some(body.into()), ..self }
    }

    /// What is kept of the headers.
    pub fn headers(self, headers: Value) -> Self {
        Self { headers: Some(headers), ..self }
    }

    /// Is sent a body of some 250 KB.
    pub fn large(self) -> Self {
        Self { data: json!("x".repeat(250_000)), ..self }
    }

    /// Its connections do not count.
    pub fn any_connections(self) -> Self {
        Self { connections: None, ..self }
    }

    fn is_delivered(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// What is wrong with a delivery and its only attempt; nothing if they are as they should be.
    fn faults(&self, delivery: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        let mut differs = |what: &str, is: &Value, should: &Value| {
            if is != should {
                faults.push(format!("{what} is {is} and should be {should}"));
            }
        };
        differs(
            "status",
            &delivery["status"],
            &json!(if self.is_delivered() { "delivered" } else { "failed" }),
        );
        differs("attempts", &delivery["attempts"], &json!(1));
        let attempt = &delivery["attempt_list"][0];
        for shown in [delivery, attempt] {
            differs("status_code", &shown["status_code"], &json!(self.status));
        }
        differs("the delivery's error", &delivery["error"], &attempt["error"]);
        if let Some(body) = &self.body {
            differs("response_body", &attempt["response_body"], &json!(body));
        }
        if let Some(headers) = &self.headers {
            differs("response_headers", &attempt["response_headers"], headers);
        }
        let error = attempt["error"].as_str();
        let expected = self.status.map_or(self.error.clone(), |status| format!("answered {status}"));
        if self.is_delivered() {
            differs("error", &attempt["error"], &Value::Null);
        } else if !error.is_some_and(|error| error.contains(&expected) && !error.contains(char::is_control)) {
            faults.push(format!("the error is {error:?} and should be a line with {expected:?}"));
        }
        if let Some(connections) = self.connections
            && self.receiver.connections() != connections
        {
            faults.push(format!("it was given {} connections", self.receiver.connections()));
        }
        faults
    }

    fn is_late(&self, delivery: &Value) -> bool {
        let took = delivery["attempt_list"][0]["duration_ms"].as_u64().map(Duration::from_millis);
        took.is_none_or(|took| took > Duration::from_secs(self.timeout) + LATE)
    }

    fn endpoint(&self, app: &TestApp, tenant: &str) {
        let fields = json!({
            "url": self.url, "tenant": tenant, "events": ["*"], "retry_schedule": [], "timeout_seconds": self.timeout,
        });
        app.create_endpoint(&fields);
    }

    /// Publishes an event for this row; its delivery.
    fn send(&self, app: &TestApp, tenant: &str) -> String {
        let event = json!({ "type": "test", "tenant": tenant, "data": self.data });
        text(&app.delivery_of(&app.post("/events", &event).expect(202).json()), "id")
    }
}

/// Sends an event to each of the receivers, all at once, and to a healthy one beside them.
#[track_caller]
pub fn check(rows: &[Row]) {
    check_with(&TestApp::start(), rows);
}

/// The same on a server that is set up already.
#[track_caller]
pub fn check_with(app: &TestApp, rows: &[Row]) {
    let healthy = Receiver::start();
    app.endpoint_at(&healthy, "/healthy");
    let tenants: Vec<String> = (0..rows.len()).map(|n| format!("hell-{n}")).collect();
    for (row, tenant) in rows.iter().zip(&tenants) {
        row.endpoint(app, tenant);
    }
    let sent: Vec<String> = rows.iter().zip(&tenants).map(|(row, tenant)| row.send(app, tenant)).collect();
    let meanwhile = app.send(&json!("meanwhile"));
    healthy.wait_for(1);
    let mut faults = Vec::new();
    for ((row, tenant), delivery) in rows.iter().zip(&tenants).zip(sent) {
        let mut delivery = settled(app, &delivery);
        faults.extend(row.faults(&delivery).into_iter().map(|fault| format!("{}: {fault}", row.name)));
        for _ in 1..TRIES {
            if !row.is_late(&delivery) {
                break;
            }
            delivery = settled(app, &row.send(app, tenant));
        }
        if row.is_late(&delivery) {
            faults.push(format!(
                "{}: it ended late, after {} ms",
                row.name, delivery["attempt_list"][0]["duration_ms"]
            ));
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    let afterwards = app.send(&json!("afterwards"));
    for delivery in [meanwhile, afterwards] {
        assert_eq!(settled(app, &delivery)["status"], "delivered");
    }
}

/// The delivery, once nothing more happens to it.
#[track_caller]
fn settled(app: &TestApp, delivery: &str) -> Value {
    let watch = Stopwatch::start();
    loop {
        let shown = app.delivery(delivery);
        if matches!(shown["status"].as_str(), Some("delivered" | "failed")) {
            return shown;
        }
        assert!(!watch.left(PATIENCE).is_zero(), "the attempt does not end: {shown}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
