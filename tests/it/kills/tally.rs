//! What the receiver should have got, and what it has got.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::process;
use crate::support::receiver::Receiver;

use super::{FLAKY, OUTCOMES, OVERTAKEN, PATIENCE};

/// A kill.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kill {
    /// The server that was killed, or that was followed by the one that was killed while it started.
    pub(super) server: usize,
    /// Requests that the receiver had got by then.
    pub(super) received: usize,
    /// Those of them that were without an answer.
    pub(super) in_flight: usize,
}

/// A delivery that was answered with 200 twice, by the order of arrival of both requests.
#[derive(Debug)]
struct Twice {
    path: &'static str,
    first: usize,
    second: usize,
}

/// What an endpoint has to get, and what else it may get, by id.
#[derive(Debug, Default)]
pub(super) struct Expected {
    pub(super) must: BTreeSet<String>,
    pub(super) may: BTreeSet<String>,
}

/// What has come on a path and was answered with 200.
pub(super) struct Track {
    path: &'static str,
    seen: usize,
    /// Orders of arrival, by id.
    got: BTreeMap<String, Vec<usize>>,
}

impl Track {
    pub(super) fn of(path: &'static str) -> Self {
        Self { path, seen: 0, got: BTreeMap::new() }
    }

    fn read(&mut self, receiver: &Receiver) {
        for request in &receiver.received_on(self.path)[self.seen..] {
            if self.path != "/flaky" || !self.seen.is_multiple_of(FLAKY) {
                let id = request.header("webhook-id").expect("an id").to_owned();
                self.got.entry(id).or_default().push(request.order);
            }
            self.seen += 1;
        }
    }

    /// How often an event has come after so many requests in all.
    pub(super) fn came_after(&self, id: &str, received: usize) -> usize {
        self.got.get(id).map_or(0, |orders| orders.iter().filter(|order| **order > received).count())
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.got.contains_key(id)
    }

    /// Waits until all has come that has to; nothing else may have.
    pub(super) fn wait_until_complete(&mut self, receiver: &Receiver, expected: &Expected) {
        self.read(receiver);
        while let Some(missing) = expected.must.iter().find(|id| !self.has(id)) {
            process::until(&format!("{missing} to come on {}", self.path), PATIENCE, || {
                (receiver.count_on(self.path) > self.seen).then_some(())
            });
            self.read(receiver);
        }
        let unwanted = |id: &&String| !expected.must.contains(*id) && !expected.may.contains(*id);
        let surplus: Vec<_> = self.got.keys().filter(unwanted).collect();
        assert!(surplus.is_empty(), "{} got what it should not have: {surplus:?}", self.path);
    }

    fn repeated(&self) -> impl Iterator<Item = Twice> + '_ {
        let path = self.path;
        let pairs = self.got.values().flat_map(|orders| orders.windows(2));
        pairs.map(move |pair| Twice { path, first: pair[0], second: pair[1] })
    }
}

/// Only what was in flight at a kill was sent again, or what waited for the commit of its outcome; how much that was.
pub(super) fn assert_only_what_was_in_flight_was_repeated<'a>(
    tracks: impl Iterator<Item = &'a Track>,
    kills: &[Kill],
) -> usize {
    let bound: usize = kills.iter().map(|kill| kill.in_flight + OUTCOMES).sum();
    let repeated: Vec<Twice> = tracks.flat_map(Track::repeated).collect();
    assert!(repeated.len() <= bound, "{} were sent twice, and {bound} could be", repeated.len());
    for twice in &repeated {
        let Some(kill) =
            kills.iter().find(|kill| twice.first <= kill.received && kill.received < twice.second)
        else {
            panic!("sent twice without a kill in between: {twice:?}");
        };
        // Outcomes are written in order of arrival, so only the last ones before a kill can be lost. One of `/slow`
        // is told long after its request has come.
        let behind = kill.received - twice.first;
        assert!(
            behind <= OUTCOMES + kill.in_flight + OVERTAKEN || twice.path == "/slow",
            "{behind} requests came before the kill: {twice:?}"
        );
    }
    repeated.len()
}
