//! Endpoints that are disabled and enabled all the time.

use std::sync::Arc;
use std::thread::JoinHandle;

use postrider::random::{Random, SeededRandom};
use serde_json::json;

use crate::support::receiver::Receiver;

use super::line::{Line, Span};
use super::publishers::Acknowledged;
use super::tally::Kill;

/// Events that are acknowledged between two switches, at most.
const STEPS: usize = 60;
/// Requests that may be in flight at an endpoint.
const IN_FLIGHT: usize = 16;

/// A time in which an endpoint was disabled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    disabled: Span,
    enabled: Span,
    /// Requests that had come when the disabling was answered, and before the enabling was asked for.
    came: (usize, usize),
}

/// What was done to an endpoint, in order.
pub(super) struct Switched {
    pub(super) path: &'static str,
    pub(super) windows: Vec<Window>,
}

/// Starts to disable and enable an endpoint; `held` is what becomes of what is held meanwhile.
pub(super) fn start(
    line: &Arc<Line>,
    receiver: &Arc<Receiver>,
    seed: u64,
    (path, endpoint): (&'static str, String),
    held: &'static str,
) -> JoinHandle<Switched> {
    let (line, receiver) = (Arc::clone(line), Arc::clone(receiver));
    std::thread::spawn(move || {
        let random = SeededRandom::new(seed);
        let mut windows = Vec::new();
        while !line.is_finishing() {
            let switch = |word: &str, body: serde_json::Value| {
                let (answer, span) =
                    line.send("POST", &format!("/api/v1/endpoints/{endpoint}/{word}"), &body);
                answer.expect(200);
                span
            };
            line.wait_for_more(random.u32() as usize % STEPS);
            let disabled = switch("disable", json!({}));
            let came_at_disable = receiver.count();
            line.wait_for_more(random.u32() as usize % STEPS);
            let came = (came_at_disable, receiver.count());
            let enabled = switch("enable", json!({ "held": held }));
            windows.push(Window { disabled, enabled, came });
        }
        Switched { path, windows }
    })
}

impl Switched {
    /// Whether the endpoint was disabled when this event was accepted, for certain.
    pub(super) fn was_disabled_at(&self, event: &Acknowledged) -> bool {
        self.windows
            .iter()
            .any(|window| window.disabled.ended < event.span.begun && event.span.ended < window.enabled.begun)
    }

    /// Whether it was enabled, for certain.
    pub(super) fn was_enabled_at(&self, event: &Acknowledged) -> bool {
        self.windows
            .iter()
            .all(|window| event.span.ended < window.disabled.begun || window.enabled.ended < event.span.begun)
    }

    /// Whether the event was accepted after it was enabled for the last time.
    pub(super) fn was_enabled_for_good_at(&self, event: &Acknowledged) -> bool {
        self.windows.iter().all(|window| window.enabled.ended < event.span.begun)
    }

    /// While it was disabled nothing came but what had been in flight; behind a kill nothing at all.
    pub(super) fn assert_held(&self, receiver: &Receiver, kills: &[Kill]) {
        let orders: Vec<usize> =
            receiver.received_on(self.path).iter().map(|request| request.order).collect();
        for window in &self.windows {
            let (from, to) = window.came;
            let within = |from: usize| orders.iter().filter(|order| from < **order && **order <= to).count();
            let late = within(from);
            assert!(
                late <= IN_FLIGHT,
                "{late} requests came on {} while it was disabled: {window:?}",
                self.path
            );
            for kill in kills.iter().filter(|kill| window.disabled.server <= kill.server) {
                let late = within(kill.received);
                assert_eq!(late, 0, "{} got requests while it was disabled: {window:?}, {kill:?}", self.path);
            }
        }
    }
}
