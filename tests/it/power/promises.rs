//! What the server has said by a moment: each is a promise that survives the loss of power.

use std::collections::BTreeMap;

use serde_json::Value;

use super::steps::{Act, Phase, Step};

/// What an answer of 200, 201 or 202 promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Promise {
    /// The event is there, with so many deliveries.
    Event { id: String, deliveries: u32 },
    /// The endpoint is there with its secret; its description is this or, if it counts, a later one.
    Endpoint { id: String, description: String },
    /// The key is there.
    Key { id: String },
}

/// Promises, each with the number of the step at which its first byte may have left.
pub(super) fn read(steps: &[Step]) -> Vec<(usize, Promise)> {
    let answers = steps.iter().enumerate().filter(|(_, step)| step.phase == Phase::Begins);
    answers
        .filter_map(|(number, step)| match &step.act {
            Act::Say { data } => promise(data).map(|promise| (number, promise)),
            _ => None,
        })
        .collect()
}

fn promise(answer: &[u8]) -> Option<Promise> {
    let answer = std::str::from_utf8(answer).expect("an answer in UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("head and body in one write");
    if !head.starts_with("HTTP/1.1 2") {
        return None;
    }
    let body: Value = serde_json::from_str(body).expect("a body that is JSON, in one write with its head");
    let id = body["id"].as_str()?.to_owned();
    let promise = match id.split_once('_')?.0 {
        "evt" => Promise::Event {
            id,
            deliveries: serde_json::from_value(body["deliveries"].clone()).expect("a count"),
        },
        "ep" => {
            let description = body["description"].as_str().expect("a text").to_owned();
            Promise::Endpoint { id, description }
        }
        "key" => Promise::Key { id },
        _ => panic!("what does this promise? {body}"),
    };
    Some(promise)
}

/// All that was promised before a step, the last word on each thing.
pub(super) struct Promised {
    /// Deliveries by event.
    pub(super) events: BTreeMap<String, u32>,
    /// Descriptions by endpoint.
    pub(super) endpoints: BTreeMap<String, String>,
    pub(super) keys: Vec<String>,
}

impl Promised {
    pub(super) fn before(step: usize, promises: &[(usize, Promise)]) -> Self {
        let mut all = Self { events: BTreeMap::new(), endpoints: BTreeMap::new(), keys: Vec::new() };
        for (_, promise) in promises.iter().take_while(|(said, _)| *said < step) {
            match promise.clone() {
                Promise::Event { id, deliveries } => drop(all.events.insert(id, deliveries)),
                Promise::Endpoint { id, description } => drop(all.endpoints.insert(id, description)),
                Promise::Key { id } => all.keys.push(id),
            }
        }
        all
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.endpoints.is_empty() && self.keys.is_empty()
    }
}
