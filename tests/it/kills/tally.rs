//! What the receiver should have got, and what it has got.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::receiver::Receiver;

use super::publishers::Acknowledged;
use super::{ENDPOINTS, FLAKY};

/// The receiver at a kill.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kill {
    /// Requests that had come.
    pub(super) received: usize,
    /// Those of them that were without an answer.
    pub(super) in_flight: usize,
}

/// A delivery that was answered with 200 twice, by the order of arrival of both requests.
#[derive(Debug)]
pub(super) struct Twice {
    pub(super) path: &'static str,
    pub(super) first: usize,
    pub(super) second: usize,
}

/// See the module.
pub(super) struct Tally {
    events: usize,
    expected: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Tally {
    pub(super) fn new(events: &[Acknowledged]) -> Self {
        let ids: BTreeSet<&str> = events.iter().map(|event| event.id.as_str()).collect();
        assert_eq!(ids.len(), events.len(), "an event for each key");
        let expected = ENDPOINTS.into_iter().map(|(path, pattern)| {
            let matches = |event: &&Acknowledged| pattern.ends_with('*') || event.event_type == pattern;
            (path, events.iter().filter(matches).map(|event| event.id.clone()).collect())
        });
        Self { events: events.len(), expected: expected.collect() }
    }

    pub(super) fn events(&self) -> usize {
        self.events
    }

    /// The events that the endpoint at this path has to get.
    pub(super) fn expected(&self, path: &str) -> &BTreeSet<String> {
        &self.expected[path]
    }

    /// The events that were answered with 200 on a path: id and order of arrival.
    fn delivered(receiver: &Receiver, path: &str) -> Vec<(String, usize)> {
        let all = receiver.received_on(path);
        let answered = all.iter().enumerate().filter(|(at, _)| path != "/flaky" || at % FLAKY != 0);
        answered
            .map(|(_, request)| (request.header("webhook-id").expect("an id").to_owned(), request.order))
            .collect()
    }

    /// Waits until every endpoint has got all that it has to get, and nothing else.
    pub(super) fn wait_until_complete(&self, receiver: &Receiver) {
        for (path, expected) in &self.expected {
            loop {
                let count = receiver.count_on(path);
                let got: BTreeSet<String> =
                    Self::delivered(receiver, path).into_iter().map(|(id, _)| id).collect();
                let surplus: Vec<_> = got.difference(expected).collect();
                assert!(surplus.is_empty(), "{path} got what nobody has published: {surplus:?}");
                if got.len() == expected.len() {
                    break;
                }
                receiver.wait_for_path(path, count + 1);
            }
        }
    }

    /// Every delivery that arrived again after it had been answered with 200.
    pub(super) fn repeated(&self, receiver: &Receiver) -> Vec<Twice> {
        let mut repeated = Vec::new();
        for path in self.expected.keys().copied() {
            let mut last: BTreeMap<String, usize> = BTreeMap::new();
            for (id, order) in Self::delivered(receiver, path) {
                if let Some(first) = last.insert(id, order) {
                    repeated.push(Twice { path, first, second: order });
                }
            }
        }
        repeated
    }
}
