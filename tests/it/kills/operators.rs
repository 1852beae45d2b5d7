//! What people do to single deliveries, endpoints and keys while servers are killed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread::JoinHandle;

use postrider::random::{Random, SeededRandom};
use serde_json::{Value, json};

use crate::support::receiver::Receiver;

use super::line::{Line, Span};

/// Events that are acknowledged between two calls, at most.
const STEPS: usize = 20;

/// Something that was acknowledged: to what, by which server, and how many requests had come by then.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) target: String,
    pub(super) span: Span,
    /// Before it was asked for.
    pub(super) came_before: usize,
    /// When it was answered.
    pub(super) came_by: usize,
}

/// One person: does something, again and again.
pub(super) struct Operator {
    pub(super) line: Arc<Line>,
    pub(super) receiver: Arc<Receiver>,
    random: SeededRandom,
}

impl Operator {
    pub(super) fn new(line: &Arc<Line>, receiver: &Arc<Receiver>, seed: u64) -> Self {
        Self { line: Arc::clone(line), receiver: Arc::clone(receiver), random: SeededRandom::new(seed) }
    }

    /// Lets this person work on a thread; what was acknowledged to them.
    pub(super) fn start<T: Send + 'static>(
        self,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> JoinHandle<T> {
        std::thread::spawn(move || work(&self))
    }

    /// Waits a little; `false` when it is time to end.
    pub(super) fn goes_on(&self) -> bool {
        self.line.wait_for_more(self.number(STEPS));
        !self.line.is_finishing()
    }

    pub(super) fn number(&self, below: usize) -> usize {
        self.random.u32() as usize % below
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> (crate::support::client::Response, Done) {
        let came_before = self.receiver.count();
        let (answer, span) = self.line.send("POST", &format!("/api/v1{path}"), body);
        (answer, Done { target: path.to_owned(), span, came_before, came_by: self.receiver.count() })
    }

    /// One of the newest deliveries of an endpoint with this status that is not in `known`.
    fn delivery(&self, endpoint: &str, status: &str, known: &BTreeSet<String>) -> Option<Value> {
        let list =
            self.line.get(&format!("/api/v1/endpoints/{endpoint}/deliveries?limit=40&status={status}"));
        let list = list.expect(200).json();
        let unknown = |row: &&Value| !known.contains(row["id"].as_str().expect("an id"));
        let rows: Vec<&Value> = list["data"].as_array().expect("a list").iter().filter(unknown).collect();
        if rows.is_empty() { None } else { Some(rows[self.number(rows.len())].clone()) }
    }

    /// Retries deliveries of this status; for each the event's id, and the delivery that is sent.
    pub(super) fn retry(&self, endpoint: &str, status: &str) -> Vec<(Done, String)> {
        let mut retried = Vec::new();
        while self.goes_on() {
            let Some(row) = self.delivery(endpoint, status, &BTreeSet::new()) else { continue };
            let (answer, done) = self.post(&format!("/deliveries/{}/retry", text(&row, "id")), &json!({}));
            // An attempt is under way: of another retry.
            if answer.status != 409 {
                let sent = text(&answer.expect(202).json(), "id");
                retried.push((Done { target: text(&row, "event_id"), ..done }, sent));
            }
        }
        retried
    }

    /// Cancels deliveries that wait for a retry, and sends others now; both by the event's id.
    pub(super) fn give_up_or_hurry(&self, endpoint: &str) -> (Vec<Done>, Vec<Done>) {
        let (mut canceled, mut hurried, mut known) = (Vec::new(), Vec::new(), BTreeSet::new());
        while self.goes_on() {
            let Some(row) = self.delivery(endpoint, "retrying", &known) else { continue };
            let id = text(&row, "id");
            known.insert(id.clone());
            let cancels = self.number(2) == 0;
            let word = if cancels { "cancel" } else { "retry" };
            let (answer, done) = self.post(&format!("/deliveries/{id}/{word}"), &json!({}));
            let done = Done { target: text(&row, "event_id"), ..done };
            match (cancels, answer.status) {
                // Over already: a server that was killed had done it, or had sent it.
                (true, 202 | 409) => canceled.push(done),
                (false, 202) => hurried.push(done),
                (false, 409) => {}
                _ => panic!("{answer:?}"),
            }
        }
        (canceled, hurried)
    }

    /// Sends test calls, which count for nothing.
    pub(super) fn test(&self, endpoint: &str) -> usize {
        let mut recorded = 0;
        while self.goes_on() {
            let (answer, _) = self.post(&format!("/endpoints/{endpoint}/test"), &json!({}));
            let answer = answer.expect(200).json();
            assert_eq!(answer["status_code"], 500, "{answer}");
            recorded += 1;
        }
        recorded
    }

    /// Changes a header of an endpoint's requests to 1, 2, 3 and on, and its secret with it.
    pub(super) fn change(&self, endpoint: &str) -> Vec<Done> {
        let mut changes = Vec::new();
        while self.goes_on() {
            let number = (changes.len() + 1).to_string();
            let secret = secret_of_change(changes.len() + 1);
            let fields =
                json!({ "headers": { "X-Change": number }, "description": number, "secret": secret });
            let (answer, span) = self.line.send("PATCH", &format!("/api/v1/endpoints/{endpoint}"), &fields);
            assert_eq!(answer.expect(200).json()["description"], json!(number));
            let came_by = self.receiver.count();
            changes.push(Done { target: number, span, came_before: came_by, came_by });
        }
        let shown = self.line.get(&format!("/api/v1/endpoints/{endpoint}")).expect(200).json();
        assert_eq!(shown["description"], json!(changes.len().to_string()), "the last that was acknowledged");
        changes
    }

    /// Makes endpoints, each with a path of its own, and deletes them again; the deletions, by the endpoint's id and
    /// path.
    pub(super) fn make_and_delete(&self) -> Vec<(Done, String)> {
        let mut deleted = Vec::new();
        while self.goes_on() {
            let uid = format!("brief-{}", deleted.len());
            let path = format!("/{uid}");
            let fields = json!({ "url": self.receiver.url(&path), "uid": uid, "events": ["*"], "retry_schedule": [1],
                "timeout_seconds": 30 });
            let (answer, _) = self.post("/endpoints", &fields);
            // A server that was killed may have made it.
            assert!(matches!(answer.status, 201 | 409), "{answer:?}");
            let id = text(&self.line.get(&format!("/api/v1/endpoints/{uid}")).expect(200).json(), "id");
            self.line.wait_for_more(self.number(STEPS));
            let came_before = self.receiver.count();
            let (answer, span) = self.line.call("DELETE", &format!("/api/v1/endpoints/{id}"), &[], None);
            assert!(matches!(answer.status, 204 | 404), "{answer:?}");
            let done = Done { target: id, span, came_before, came_by: self.receiver.count() };
            self.line.get(&format!("/api/v1/endpoints/{uid}")).expect(404);
            deleted.push((done, path));
        }
        deleted
    }
}

/// The secret that an endpoint has since this change.
pub(super) fn secret_of_change(number: usize) -> String {
    format!("the-secret-of-change-number-{number}")
}

pub(super) fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}")).to_owned()
}
