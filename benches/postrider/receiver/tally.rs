//! What the receiver has counted, by class of request.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::histogram::Histogram;

/// All counts.
#[derive(Default)]
pub struct Tally {
    /// Connections that were opened.
    pub connections: u64,
    classes: HashMap<String, Counted>,
}

#[derive(Default)]
struct Counted {
    requests: u64,
    first: u64,
    last: u64,
    latency: Histogram,
}

impl Tally {
    /// Counts a request that arrived at one moment and was sent at another, if it says so.
    pub fn count(&mut self, class: &str, arrived: u64, sent: Option<u64>) {
        let counted = match self.classes.get_mut(class) {
            Some(counted) => counted,
            None => self
                .classes
                .entry(class.to_owned())
                .or_insert_with(|| Counted { first: arrived, ..Counted::default() }),
        };
        counted.requests += 1;
        counted.last = arrived;
        if let Some(sent) = sent {
            counted.latency.record(arrived.saturating_sub(sent));
        }
    }

    /// All of it, as [`super::Report`] reads it.
    pub fn report(&self) -> Value {
        let classes = self.classes.iter().map(|(class, counted)| {
            let told = json!({
                "requests": counted.requests,
                "first": counted.first,
                "last": counted.last,
                "latency": counted.latency.to_json(),
            });
            (class.clone(), told)
        });
        json!({ "connections": self.connections, "classes": Value::Object(classes.collect()) })
    }
}
