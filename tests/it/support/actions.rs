//! What a user does about deliveries, one method each, and what a test wants to know of them.

use std::sync::Arc;
use std::time::Duration;

use postrider::clock::Clock;
use postrider::domain::time::UnixMs;
use serde_json::{Value, json};

use super::app::{TestApp, text};
use super::client::Response;
use super::process::{self, PATIENCE};
use super::receiver::{Gate, Receiver};

impl TestApp {
    /// Makes an endpoint that receives everything at this path, with more fields; its id.
    #[track_caller]
    pub fn endpoint_with(&self, receiver: &Receiver, path: &str, more: &Value) -> String {
        let mut fields = json!({ "url": receiver.url(path), "events": ["*"] });
        for (name, value) in more.as_object().expect("fields") {
            fields[name] = value.clone();
        }
        text(&self.create_endpoint(&fields), "id")
    }

    /// Publishes a body as it is.
    #[track_caller]
    pub fn publish_text(&self, body: &str) -> Value {
        let headers = [("Content-Type", "application/json")];
        self.client.request("POST", "/api/v1/events", &headers, Some(body.as_bytes())).expect(202).json()
    }

    /// Publishes an event of the type `test`; the id of its only delivery.
    #[track_caller]
    pub fn send(&self, data: &Value) -> String {
        text(&self.delivery_of(&self.publish("test", data)), "id")
    }

    /// Publishes `n` events with `data` `{"n": 0}` and on.
    #[track_caller]
    pub fn publish_many(&self, numbers: std::ops::Range<usize>) {
        for n in numbers {
            self.publish("test", &json!({ "n": n }));
        }
    }

    /// Makes or changes a format. `json!` sorts keys: a definition whose order counts is a text.
    #[track_caller]
    pub fn put_format(&self, name: &str, definition: &(impl ToString + ?Sized)) -> Response {
        let (path, headers) = (format!("/api/v1/formats/{name}"), [("Content-Type", "application/json")]);
        self.client.request("PUT", &path, &headers, Some(definition.to_string().as_bytes()))
    }

    #[track_caller]
    pub fn retry(&self, delivery: &str) -> Response {
        self.post(&format!("/deliveries/{delivery}/retry"), &json!({}))
    }

    #[track_caller]
    pub fn cancel(&self, delivery: &str) -> Response {
        self.post(&format!("/deliveries/{delivery}/cancel"), &json!({}))
    }

    #[track_caller]
    pub fn enable(&self, endpoint: &str) -> Value {
        self.post(&format!("/endpoints/{endpoint}/enable"), &json!({})).expect(200).json()
    }

    #[track_caller]
    pub fn disable(&self, endpoint: &str) -> Value {
        self.post(&format!("/endpoints/{endpoint}/disable"), &json!({})).expect(200).json()
    }

    #[track_caller]
    pub fn change_endpoint(&self, endpoint: &str, fields: &Value) -> Value {
        self.patch(&format!("/endpoints/{endpoint}"), fields).expect(200).json()
    }

    #[track_caller]
    pub fn delete_endpoint(&self, endpoint: &str) {
        self.delete(&format!("/endpoints/{endpoint}")).expect(204);
    }

    #[track_caller]
    pub fn endpoint(&self, endpoint: &str) -> Value {
        self.get(&format!("/endpoints/{endpoint}"))
    }

    #[track_caller]
    pub fn test_endpoint(&self, endpoint: &str) -> Value {
        self.post(&format!("/endpoints/{endpoint}/test"), &json!({})).expect(200).json()
    }

    #[track_caller]
    pub fn change_settings(&self, fields: &Value) {
        self.patch("/settings", fields).expect(200);
    }

    #[track_caller]
    pub fn put_event_type(&self, name: &str, fields: &Value) -> Response {
        self.client.send_json("PUT", &format!("/api/v1/event-types/{name}"), fields)
    }

    /// The status of a delivery.
    #[track_caller]
    pub fn status(&self, delivery: &str) -> String {
        text(&self.delivery(delivery), "status")
    }

    /// All deliveries that a filter shows, the newest first, page by page.
    #[track_caller]
    pub fn list(&self, path_and_query: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor = String::new();
        loop {
            let joint = if path_and_query.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path_and_query}{joint}limit=250{cursor}"));
            rows.extend(page["data"].as_array().expect("a list").iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }

    /// Moves the clock to the moment at which the delivery is due; how long that was.
    #[track_caller]
    pub fn advance_to_retry(&self, delivery: &str) -> Duration {
        let delivery = self.delivery(delivery);
        let due = UnixMs::parse(&text(&delivery, "next_retry_at")).expect("a time");
        let wait = u64::try_from(due.0 - self.clock().wall().0).expect("a time to come");
        self.advance(Duration::from_millis(wait));
        Duration::from_millis(wait)
    }

    /// How often these bytes stand in the files of the database.
    pub fn bytes_found(&self, needle: &str) -> usize {
        let (data, needle) = (self.data(), needle.as_bytes());
        let files = ["postrider.db", "postrider.db-wal"];
        let bytes = files.iter().map(|file| std::fs::read(data.join(file)).unwrap_or_default());
        bytes.map(|bytes| bytes.windows(needle.len()).filter(|window| *window == needle).count()).sum()
    }

    /// The lines of the audit log about `target`, the oldest first: `action`, `actor`, `after`.
    #[track_caller]
    pub fn audit_of(&self, target: &str) -> Vec<Value> {
        let file = self.data().join("postrider.db");
        let file = rusqlite::Connection::open_with_flags(file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY);
        let file = file.expect("a database");
        let mut rows = file
            .prepare("SELECT action, actor, coalesce(after, 'null') FROM audit WHERE target = ?1 ORDER BY id")
            .expect("a query");
        let line = |row: &rusqlite::Row<'_>| {
            let after: Value = serde_json::from_str(&row.get::<_, String>(2)?).expect("JSON");
            Ok(
                json!({ "action": row.get::<_, String>(0)?, "actor": row.get::<_, String>(1)?, "after": after }),
            )
        };
        rows.query_map([target], line).expect("rows").map(|row| row.expect("a row")).collect()
    }

    /// Restarts, and lets answers that wait at `gate` go as soon as nothing new is sent: each request in flight ends
    /// during the stop.
    #[track_caller]
    pub fn restart_at(&mut self, gate: &Gate, in_flight: usize) {
        let dispatcher = Arc::clone(self.dispatcher());
        std::thread::scope(|scope| {
            let restarting = scope.spawn(|| self.restart());
            process::until("the stop to begin", PATIENCE, || dispatcher.is_stopping().then_some(()));
            gate.let_through(in_flight);
            restarting.join().expect("a server that starts again");
        });
    }

    /// Asks until there is an answer.
    #[track_caller]
    pub fn eventually<T>(&self, what: &str, mut ask: impl FnMut(&Self) -> Option<T>) -> T {
        process::until(what, PATIENCE, || ask(self))
    }
}

/// The numbers in `data.n` of what arrived on a path, in order.
pub fn numbers(receiver: &Receiver, path: &str) -> Vec<usize> {
    let number = |value: &Value| value["data"]["n"].as_u64().expect("a number");
    let all = receiver.received_on(path);
    all.iter().map(|request| usize::try_from(number(&request.json())).expect("a small one")).collect()
}

/// Fails unless these fields of an answer are so.
#[track_caller]
pub fn shows(answer: &Value, fields: &Value) {
    for (name, value) in fields.as_object().expect("fields") {
        assert_eq!(&answer[name], value, "{name} in {answer}");
    }
}
