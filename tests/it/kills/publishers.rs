//! Threads that publish without a pause and repeat what was not answered, under the same key.

use std::sync::Arc;
use std::thread::JoinHandle;

use serde_json::{Value, json};

use super::line::{Line, Span};

const THREADS: usize = 4;
/// Every so many events of a thread one is rare.
const RARE: usize = 8;

/// An event that was acknowledged.
#[derive(Debug, Clone)]
pub(super) struct Acknowledged {
    pub(super) id: String,
    pub(super) event_type: &'static str,
    /// When it was accepted, at some moment in between.
    pub(super) span: Span,
    key: String,
    body: String,
    answer: Value,
}

/// See the module.
pub(super) struct Publishers {
    threads: Vec<JoinHandle<Vec<Acknowledged>>>,
}

impl Publishers {
    /// Starts to publish.
    pub(super) fn start(line: &Arc<Line>) -> Self {
        let threads = (0..THREADS)
            .map(|thread| {
                let line = Arc::clone(line);
                std::thread::spawn(move || publish_on(&line, thread))
            })
            .collect();
        Self { threads }
    }

    /// All that was acknowledged, once every thread has brought what it has begun to its end.
    pub(super) fn finish(self) -> Vec<Acknowledged> {
        let threads = self.threads.into_iter();
        threads.flat_map(|thread| thread.join().expect("a publisher that has not failed")).collect()
    }
}

fn publish_on(line: &Line, thread: usize) -> Vec<Acknowledged> {
    let mut acknowledged = Vec::new();
    while !line.is_finishing() {
        let number = acknowledged.len();
        let event_type = match number {
            _ if number % RARE == 0 => "number.rare",
            _ if number % 2 == 0 => "number.even",
            _ => "number.odd",
        };
        let key = format!("thread-{thread}-{number}");
        let body = json!({ "type": event_type, "data": { "number": number } }).to_string();
        let (answer, span) = publish(line, &key, &body);
        let answer = answer.expect(202).json();
        let id = answer["id"].as_str().expect("an id").to_owned();
        acknowledged.push(Acknowledged { id, event_type, span, key, body, answer });
        line.acknowledge();
    }
    acknowledged
}

fn publish(line: &Line, key: &str, body: &str) -> (crate::support::client::Response, Span) {
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key)];
    line.call("POST", "/api/v1/events", &headers, Some(body))
}

/// Repeats every call that was acknowledged: it is answered as it was.
pub(super) fn assert_every_key_holds(line: &Line, events: &[Acknowledged]) {
    std::thread::scope(|scope| {
        for part in events.chunks(events.len().div_ceil(THREADS)) {
            scope.spawn(move || {
                for event in part {
                    let (answer, _) = publish(line, &event.key, &event.body);
                    let answer = answer.expect(202);
                    assert_eq!(answer.header("idempotent-replayed"), Some("true"), "{event:?}");
                    assert_eq!(answer.json(), event.answer, "{event:?}");
                }
            });
        }
    });
}
