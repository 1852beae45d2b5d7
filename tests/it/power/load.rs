//! What users do while a run is recorded, and what they were told.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::receiver::Receiver;
use crate::support::server::Server;

/// Publishers at once: their commits are shared.
pub(super) const PUBLISHERS: usize = 16;
/// Every so many events one has a second delivery.
const SECOND: usize = 3;
/// Every so many events one is large: the WAL grows, and its rows have pages of their own.
const LARGE: usize = 50;

/// Events that fill the WAL beyond the 16 MB at which readers are made to start afresh.
pub(super) const HUGE: std::ops::Range<Number> = 900_000..900_080;

/// The first of events that are published until the WAL has started afresh.
pub(super) const SMALL: Number = 800_001;

/// The number of an event.
pub(super) type Number = usize;

/// The `data` of an event, as it was published.
pub(super) fn data(number: Number) -> String {
    let length = match number {
        huge if HUGE.contains(&huge) => 220_000,
        large if large.is_multiple_of(LARGE) => 30_000,
        _ => 850,
    };
    format!(r#"{{"mark":"{}","filling":"{}"}}"#, mark(number), "x".repeat(length))
}

/// What stands in the data of this event only.
pub(super) fn mark(number: Number) -> String {
    format!("event-{number:06}-")
}

/// The number of the event that this is the data of.
pub(super) fn number(data: &str) -> Option<Number> {
    data.split_once("event-")?.1.split_once('-')?.0.parse().ok()
}

/// The idempotency key of an event.
pub(super) fn key(number: Number) -> String {
    format!("key-{number}")
}

/// Two endpoints: one for all events, and one for some.
pub(super) fn make_endpoints(server: &Server, receiver: &Receiver) {
    server.endpoint(&receiver.url("/all"), &json!({}));
    server.endpoint(&receiver.url("/second"), &json!({ "events": ["second.*"] }));
}

/// Publishes these events from many threads; the number of each by its id. Ends early if the server does.
pub(super) fn publish(client: &Client, numbers: std::ops::Range<Number>) -> BTreeMap<String, Number> {
    let next = AtomicUsize::new(numbers.start);
    let published = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..PUBLISHERS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= numbers.end {
                        break;
                    }
                    let Ok(id) = publish_one(client, number) else { break };
                    published.lock().unwrap_or_else(PoisonError::into_inner).insert(id, number);
                }
            });
        }
    });
    published.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn publish_one(client: &Client, number: Number) -> io::Result<String> {
    let event_type = if number.is_multiple_of(SECOND) { "second.one" } else { "first.one" };
    let body = format!(r#"{{"type":"{event_type}","data":{}}}"#, data(number));
    let key = key(number);
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key.as_str())];
    let answer = client.try_request("POST", "/api/v1/events", &headers, Some(body.as_bytes()))?.expect(202);
    Ok(id(&answer.json()))
}

fn id(answer: &Value) -> String {
    answer["id"].as_str().expect("an id").to_owned()
}

/// Makes keys, and changes an endpoint's description, which counts, while `publishing` goes on. Ends early if the server
/// does.
pub(super) fn administrate(client: &Client, publishing: &AtomicBool) {
    let send = |method: &str, path: &str, fields: &Value| {
        let headers = [("Content-Type", "application/json")];
        client.try_request(method, path, &headers, Some(fields.to_string().as_bytes()))
    };
    let fields = json!({ "url": "http://127.0.0.1:65535/", "events": ["never"], "description": "0" });
    let Ok(counted) = send("POST", "/api/v1/endpoints", &fields) else { return };
    let path = format!("/api/v1/endpoints/{}", id(&counted.expect(201).json()));
    let mut count = 0;
    while publishing.load(Ordering::Relaxed) {
        count += 1;
        let Ok(changed) = send("PATCH", &path, &json!({ "description": count.to_string() })) else { return };
        changed.expect(200);
        let fields = json!({ "name": format!("key {count}"), "scopes": ["events:read"] });
        let Ok(made) = send("POST", "/api/v1/keys", &fields) else { return };
        made.expect(201);
    }
}
