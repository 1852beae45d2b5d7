//! Every list of the API, with every filter that it takes.

use postrider::domain::ids::{self, DeliveryId, EndpointId, EventId};
use postrider::domain::time::UnixMs;
use postrider::random::{Random, SeededRandom};

use super::History;
use crate::fill::seed::tenant;

/// Of most events, of every eighth, and of none.
const TYPES: [&str; 5] = ["", "type=order.created", "type=user.deleted", "type=invoice.*", "type=none.such"];
const STATUSES: [&str; 7] = [
    "",
    "status=delivered",
    "status=pending",
    "status=retrying",
    "status=held",
    "status=failed",
    "status=canceled",
];

/// A list with its filters; the cursor is still missing.
pub struct Call {
    /// Path and parameters.
    pub path: String,
    /// What makes a cursor of an id, where the list has one.
    cursor: fn(i64) -> String,
}

/// Draws what a call leaves open.
pub struct Draw<'a> {
    history: &'a History,
    random: SeededRandom,
}

impl<'a> Draw<'a> {
    /// The same numbers in every run.
    pub fn new(history: &'a History) -> Self {
        Self { history, random: SeededRandom::new(4) }
    }

    fn below(&self, end: u64) -> u64 {
        let mut bytes = [0; 8];
        self.random.fill(&mut bytes);
        u64::from_le_bytes(bytes) % end.max(1)
    }

    fn moment(&self) -> UnixMs {
        let span = (self.history.until.0 - self.history.since.0).unsigned_abs();
        UnixMs(self.history.since.0 + i64::try_from(self.below(span)).unwrap_or(0))
    }

    /// An endpoint; half of the time one of the last few, whose deliveries have come to rare ends.
    pub fn endpoint(&self) -> &'a str {
        let all = &self.history.endpoints;
        let rare = usize::try_from(self.below(8)).unwrap_or(0);
        let any = usize::try_from(self.below(all.len() as u64)).unwrap_or(0);
        if rare < 4 { &all[all.len() - 1 - rare] } else { &all[any] }
    }

    /// A call with a cursor at any depth, or none.
    pub fn page(&self, call: &Call, nth: usize) -> String {
        let join = if call.path.contains('?') { '&' } else { '?' };
        let limit = ["250", "50"][nth % 2];
        let page = format!("{}{join}limit={limit}", call.path);
        if nth.is_multiple_of(4) {
            page
        } else {
            format!("{page}&cursor={}", (call.cursor)(ids::first_at(self.moment())))
        }
    }
}

/// Each list with each combination of its filters, each value of them drawn.
pub fn all(draw: &Draw<'_>) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut add = |path: &str, parameters: &[&str], cursor: fn(i64) -> String| {
        let given: Vec<_> = parameters.iter().copied().filter(|given| !given.is_empty()).collect();
        let join = if given.is_empty() { "" } else { "?" };
        calls.push(Call { path: format!("{path}{join}{}", given.join("&")), cursor });
    };
    let event = |id| EventId(id).to_string();
    let delivery = |id| DeliveryId(id).to_string();
    for with_span in [false, true] {
        let span = || if with_span { spanning(draw) } else { String::new() };
        for event_type in TYPES {
            for of in [String::new(), of_tenant(draw)] {
                add("/events", &[event_type, &of, &span()], event);
            }
            for status in STATUSES {
                add("/deliveries", &[status, event_type, &span()], delivery);
                add("/deliveries", &[status, event_type, &of_tenant(draw), &span()], delivery);
                let of_endpoint = format!("endpoint={}", draw.endpoint());
                add("/deliveries", &[status, event_type, &of_endpoint, &span()], delivery);
                let path = format!("/endpoints/{}/deliveries", draw.endpoint());
                add(&path, &[status, event_type, &span()], delivery);
            }
        }
    }
    for filter in ["", "enabled=true", "enabled=false", "health=ok", "health=failing", "health=disabled"] {
        add("/endpoints", &[filter], |id| EndpointId(id).to_string());
        add("/endpoints", &[filter, &of_tenant(draw)], |id| EndpointId(id).to_string());
    }
    add("/tenants", &[], |id| format!("tenants:{id}"));
    add("/tenants", &["search=nt-7"], |id| format!("tenants:{id}"));
    add("/cleanups", &[], |id| format!("cleanups:{id}"));
    add("/keys", &[], |id| postrider::domain::ids::KeyId(id).to_string());
    calls
}

/// The last tenants own the endpoints whose deliveries have come to rare ends.
fn of_tenant(draw: &Draw<'_>) -> String {
    let rare = draw.below(8);
    let tenants = draw.history.tenants as u64;
    let number = if rare < 4 { tenants - 1 - rare } else { draw.below(tenants) };
    format!("tenant={}", tenant(usize::try_from(number).unwrap_or(0)))
}

fn spanning(draw: &Draw<'_>) -> String {
    let (one, other) = (draw.moment(), draw.moment());
    format!("since={}&until={}", one.min(other), one.max(other))
}
