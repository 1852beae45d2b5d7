//! What must have come of all that was acknowledged.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::receiver::{Received, Receiver};

use super::file::File;
use super::operators::{Done, secret_of_change};
use super::publishers::Acknowledged;
use super::switches::Switched;
use super::tally::{Expected, Kill, Track};

/// Everything that happened.
pub(super) struct Story {
    pub(super) events: Vec<Acknowledged>,
    pub(super) kills: Vec<Kill>,
    pub(super) switched: Vec<Switched>,
    pub(super) retried: Vec<(Done, String)>,
    pub(super) repeated: Vec<(Done, String)>,
    pub(super) canceled: Vec<Done>,
    pub(super) hurried: Vec<Done>,
    pub(super) changes: Vec<Done>,
    pub(super) deleted: Vec<(Done, String)>,
    /// Ids, by path.
    pub(super) endpoints: BTreeMap<&'static str, String>,
}

impl Story {
    /// What an endpoint has to get that subscribes to this.
    pub(super) fn expected(&self, path: &str, pattern: &str) -> Expected {
        let mut expected = Expected::default();
        let switched = self.switched.iter().find(|switched| switched.path == path);
        let matches = |event: &&Acknowledged| pattern == "*" || event.event_type == pattern;
        for event in self.events.iter().filter(matches) {
            let (must, may) = match (path, switched) {
                ("/frozen", _) => (false, false),
                ("/discarded", Some(switched)) => {
                    (switched.was_enabled_for_good_at(event), !switched.was_disabled_at(event))
                }
                ("/skipped", Some(switched)) => {
                    (switched.was_enabled_at(event), !switched.was_disabled_at(event))
                }
                _ => (true, true),
            };
            if must {
                expected.must.insert(event.id.clone());
            } else if may {
                expected.may.insert(event.id.clone());
            }
        }
        expected
    }

    /// What was done to single deliveries, and to endpoints, had its effect.
    pub(super) fn assert_operators_obeyed(&self, tracks: &BTreeMap<&str, Track>, receiver: &Receiver) {
        for (retry, _) in &self.retried {
            let came = tracks["/failing"].came_after(&retry.target, retry.came_before);
            assert!(came > 0, "a retry that was acknowledged was not sent: {retry:?}");
        }
        for retry in &self.hurried {
            let came = tracks["/waiting"].came_after(&retry.target, retry.came_before);
            assert!(came > 0, "what waits was not sent when somebody asked: {retry:?}");
        }
        for cancel in &self.canceled {
            let came = tracks["/waiting"].came_after(&cancel.target, cancel.came_by);
            assert_eq!(came, 0, "it was canceled and sent all the same: {cancel:?}");
        }
        let mut again: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (retry, sent) in &self.repeated {
            again.entry(&retry.target).or_default().insert(sent);
        }
        for (event, sent) in again {
            let came = tracks["/again"].came_after(event, 0);
            assert!(came > sent.len(), "{event} came {came} times, and was sent again as {sent:?}");
        }
        self.assert_changes_stay(receiver);
        for (deletion, path) in &self.deleted {
            let orders: Vec<usize> = receiver.received_on(path).iter().map(|request| request.order).collect();
            for kill in self.kills.iter().filter(|kill| kill.server >= deletion.span.server) {
                let late = orders.iter().filter(|order| **order > kill.received).count();
                assert_eq!(late, 0, "{path} was deleted: {deletion:?}, {kill:?}");
            }
        }
    }

    /// A change that was acknowledged is in every request of the servers that follow, and each is whole: header and
    /// secret of a request are of the same change.
    fn assert_changes_stay(&self, receiver: &Receiver) {
        let requests = receiver.received_on("/fast");
        let mut kills = self.kills.iter().peekable();
        let mut least = 0;
        for request in &requests {
            while let Some(kill) = kills.next_if(|kill| kill.received < request.order) {
                let before = self.changes.iter().take_while(|change| change.span.server <= kill.server);
                least = before.count();
            }
            let shown = request.header("x-change").map_or(0, |number| number.parse().expect("a number"));
            assert!(shown >= least, "request {} shows change {shown}, but {least} was made", request.order);
            if shown > 0 {
                assert_signed(request, &secret_of_change(shown));
            }
        }
    }

    /// The rows say of each delivery what has become of it.
    pub(super) fn assert_rows_agree(&self, file: &File, tracks: &BTreeMap<&str, Track>) {
        for (path, endpoint) in &self.endpoints {
            let delivered = file.events_of(endpoint, "1");
            let missing: Vec<_> = delivered.iter().filter(|id| !tracks[path].has(id)).collect();
            assert!(missing.is_empty(), "delivered to {path} by the rows alone: {missing:?}");
            let over: &[&str] = match *path {
                "/discarded" => &["1", "5"],
                "/failing" => &["4"],
                "/waiting" => &["2", "4", "5"],
                "/frozen" => &["3"],
                _ => &["1"],
            };
            let other: Vec<String> =
                (0..6).map(|state| state.to_string()).filter(|state| !over.contains(&&**state)).collect();
            let other = file.events_of(endpoint, &other.join(","));
            assert!(other.is_empty(), "{path}: in states where they cannot be: {other:?}");
        }
        let canceled = file.events_of(&self.endpoints["/waiting"], "5");
        for cancel in &self.canceled {
            assert!(canceled.contains(&cancel.target), "{cancel:?}");
        }
        for (deletion, _) in &self.deleted {
            let open = file.events_of(&deletion.target, "0,2,3");
            assert!(open.is_empty(), "open at an endpoint that was deleted, {deletion:?}: {open:?}");
        }
        for (path, pattern, _) in super::ENDPOINTS {
            let rows = file.events_of(&self.endpoints[path], "0,1,2,3,4,5");
            let matches = |event: &&Acknowledged| *pattern == "*" || event.event_type == *pattern;
            let all = self.events.iter().filter(matches);
            if *path == "/skipped" {
                let expected = self.expected(path, pattern);
                assert!(expected.must.is_subset(&rows), "skipped while it was enabled");
                assert!(rows.iter().all(|id| expected.must.contains(id) || expected.may.contains(id)));
            } else {
                assert_eq!(rows, all.map(|event| event.id.clone()).collect(), "{path}");
            }
        }
    }
}

/// The request carries the signature that this secret makes.
fn assert_signed(request: &Received, secret: &str) {
    let header = |name| request.header(name).unwrap_or_else(|| panic!("no {name} in {request:?}"));
    let seconds = header("webhook-timestamp").parse().expect("seconds");
    let webhook = standardwebhooks::Webhook::from_bytes(secret.as_bytes().to_vec()).expect("a secret");
    let signature = webhook.sign(header("webhook-id"), seconds, &request.body).expect("a signature");
    assert_eq!(header("webhook-signature"), signature, "by {secret}");
}
