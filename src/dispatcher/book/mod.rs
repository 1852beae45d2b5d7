//! The dispatcher's bookkeeping: which deliveries are known, which endpoint may send next, what has to be paged
//! from disk. A state machine without I/O, without threads and without a clock.
//!
//! - here: what the store's writer and the delivery threads tell it.
//! - `turns`: whose turn it is. `room`: what is kept in memory. `lane`: one endpoint.
//!
//! Invariants, held by a property test (`tests/model.rs`):
//!
//! 1. A delivery is *known* from hand-over or page until its outcome is committed: queued, in flight, or waiting
//!    for the commit. It is in one of these places once; a page passes over what is known.
//! 2. An endpoint is *whole* when everything of it that is due is known, else *spilled*. Only a page that came
//!    back complete makes it whole, and pages are read by the thread that hands over, so nothing falls between.
//! 3. A delivery that was withdrawn (canceled, its endpoint disabled or deleted) before a thread took it is
//!    never taken.
//! 4. At most [`Limits::bytes`] of payload are queued (and one job more); what does not fit is on disk anyway
//!    and is forgotten here, from the endpoints that have most.
//! 5. An endpoint has at most min(`max_in_flight`, max(1, free threads / 16)) requests in flight, one after three
//!    timeouts in a row; the endpoint with the fewest goes first, then the one that has waited longest.

mod lane;
mod room;
#[cfg(test)]
mod tests;
mod turns;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::domain::ids::{DeliveryId, EndpointId, EventId};
use crate::store::directory::Route;
use crate::store::distribution::{Buckets, Distribution};
use crate::store::handover::{After, Job, Pace, Payload};
use crate::store::times::SteadyMs;

use lane::{Lane, Wish};

/// Waits for a thread, in milliseconds.
const WAITS_MS: [u64; 17] =
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 60_000, 300_000, 1_800_000, 7_200_000];

/// The bounds of a book.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests in flight at most.
    pub threads: usize,
    /// Bytes of payload that are queued at most; at least eight times the greatest payload.
    pub bytes: usize,
    /// Bytes of a page; an eighth of `bytes` at most.
    pub page_bytes: usize,
    /// Outcomes that may wait for their commit.
    pub outcomes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Queued,
    InFlight,
    /// Sent; its outcome is not committed.
    Reported,
}

/// See the module.
pub struct Book {
    limits: Limits,
    lanes: HashMap<EndpointId, Lane>,
    known: HashMap<DeliveryId, Known>,
    /// Lanes that can start a job: by requests in flight, then by turn.
    listed: BTreeSet<(usize, u64, EndpointId)>,
    /// Lanes that want a page: by need, then by turn.
    wanting: BTreeSet<(Wish, usize, u64, EndpointId)>,
    timers: BTreeSet<(SteadyMs, EndpointId)>,
    turn: u64,
    /// Bytes of payload that are queued; and of these, those of urgent jobs.
    bytes: usize,
    urgent_bytes: usize,
    in_flight: usize,
    reported: usize,
    halted: bool,
    /// How long jobs waited until a thread took them, milliseconds.
    waits: Distribution,
}

impl Book {
    /// An empty book.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            lanes: HashMap::new(),
            known: HashMap::new(),
            listed: BTreeSet::new(),
            wanting: BTreeSet::new(),
            timers: BTreeSet::new(),
            turn: 0,
            bytes: 0,
            urgent_bytes: 0,
            in_flight: 0,
            reported: 0,
            halted: false,
            waits: Distribution::new(&WAITS_MS, 1e3),
        }
    }

    /// An endpoint that was there before the start.
    pub fn found(&mut self, route: Arc<Route>, pace: Pace, now: SteadyMs) {
        let id = route.id;
        self.lanes.entry(id).or_insert_with(|| Lane::new(route, pace));
        self.update(id, now);
    }

    /// An endpoint was made or changed.
    pub fn route(&mut self, route: Arc<Route>, now: SteadyMs) {
        let id = route.id;
        let Some(lane) = self.lanes.get_mut(&id) else {
            // Made just now, or one that could not be read at the start: a page tells.
            return self.found(route, Pace::default(), now);
        };
        let enabled = route.enabled;
        let was = std::mem::replace(&mut lane.route, route).enabled;
        if was != enabled {
            lane.whole = false;
            lane.blocked = false;
            self.forget_queue(id);
        }
        self.update(id, now);
    }

    /// An endpoint was deleted.
    pub fn gone(&mut self, id: EndpointId) {
        self.forget_queue(id);
        if let Some(lane) = self.lanes.remove(&id) {
            self.unlist(id, &lane);
        }
    }

    /// An event was accepted with these deliveries.
    pub fn accepted(
        &mut self,
        payload: &Arc<Payload>,
        deliveries: &[(DeliveryId, EndpointId)],
        now: SteadyMs,
    ) {
        for &(delivery, endpoint) in deliveries {
            let Some(lane) = self.lanes.get_mut(&endpoint) else { continue };
            if lane.whole && lane.route.enabled {
                let payload = Arc::clone(payload);
                self.keep(
                    Job { delivery, endpoint, round: 1, attempts: 0, ready_at: now, payload },
                    Lane::push,
                );
            } else {
                lane.whole = false;
            }
            self.update(endpoint, now);
            self.make_room(None, now);
        }
    }

    /// The name of an endpoint's target is known now.
    pub fn resolved(&mut self, id: EndpointId, now: SteadyMs) {
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.resolving = false;
        }
        self.update(id, now);
    }

    /// A thread has sent a delivery; its outcome goes to the writer next.
    pub fn reported(&mut self, delivery: DeliveryId, endpoint: EndpointId, now: SteadyMs) {
        self.known.insert(delivery, Known::Reported);
        self.reported += 1;
        self.in_flight -= 1;
        if let Some(lane) = self.lanes.get_mut(&endpoint) {
            lane.in_flight -= 1;
        }
        self.update(endpoint, now);
    }

    /// An outcome is on disk.
    pub fn settled(&mut self, delivery: DeliveryId, endpoint: EndpointId, after: After, now: SteadyMs) {
        if self.known.get(&delivery) == Some(&Known::Reported) {
            self.known.remove(&delivery);
            self.reported -= 1;
        }
        if let Some(lane) = self.lanes.get_mut(&endpoint) {
            match after {
                After::Over => {}
                After::Due(at) => lane.next_due = Some(lane.next_due.map_or(at, |due| due.min(at))),
                After::Ready => lane.whole = false,
            }
        }
        self.update(endpoint, now);
    }

    /// A delivery is not to be sent any more.
    pub fn withdrawn(&mut self, delivery: DeliveryId, endpoint: EndpointId, now: SteadyMs) {
        self.unqueue(delivery, endpoint);
        self.update(endpoint, now);
    }

    /// No delivery of this event is to be sent any more. Looks at all that is queued.
    pub fn emptied(&mut self, event: EventId, now: SteadyMs) {
        let queued = self.lanes.values().flat_map(Lane::jobs);
        let of_it = queued.filter(|job| job.payload.event == event).map(|job| (job.delivery, job.endpoint));
        for (delivery, endpoint) in of_it.collect::<Vec<_>>() {
            self.withdrawn(delivery, endpoint, now);
        }
    }

    /// A person wants this one sent now. Where memory is full of such, it comes with a page, in its turn.
    pub fn urgent(&mut self, job: Job, now: SteadyMs) {
        let id = job.endpoint;
        self.unqueue(job.delivery, id);
        if self.has_room_for_urgent() {
            self.keep(job, Lane::push_urgent);
        } else if let Some(lane) = self.lanes.get_mut(&id) {
            lane.whole = false;
        }
        self.update(id, now);
        self.make_room(None, now);
    }

    /// Rows of an endpoint became ready on disk.
    pub fn ready(&mut self, id: EndpointId, now: SteadyMs) {
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.whole = false;
            lane.blocked = false;
        }
        self.update(id, now);
    }

    /// The pace of an endpoint after an outcome.
    pub fn pace(&mut self, id: EndpointId, pace: Pace, now: SteadyMs) {
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.pace = pace;
        }
        self.update(id, now);
    }

    /// Nothing starts until this is taken back: outcomes cannot be recorded, or the server stops.
    pub fn halt(&mut self, halted: bool) {
        self.halted = halted;
    }

    /// Whether this delivery is here.
    pub fn knows(&self, delivery: DeliveryId) -> bool {
        self.known.contains_key(&delivery)
    }

    /// Whether a thread has it, or its outcome is not committed yet.
    pub fn in_flight(&self, delivery: DeliveryId) -> bool {
        matches!(self.known.get(&delivery), Some(Known::InFlight | Known::Reported))
    }

    /// Requests in flight, and outcomes that wait for their commit.
    pub fn under_way(&self) -> (usize, usize) {
        (self.in_flight, self.reported)
    }

    /// Deliveries that are queued, and the bytes of their payloads.
    pub fn queued(&self) -> (usize, usize) {
        (self.known.len().saturating_sub(self.in_flight + self.reported), self.bytes)
    }

    /// How long jobs waited until a thread took them, seconds.
    pub fn waits(&self) -> Buckets {
        self.waits.read()
    }

    /// Whether nothing can happen until something new comes: no job can start, nothing is in flight, no outcome
    /// or page is awaited.
    pub fn is_settled(&self, now: SteadyMs) -> bool {
        self.known.values().all(|known| *known == Known::Queued)
            && !self.has_work()
            && self.wants_page().is_none()
            && self.next_tick().is_none_or(|at| now < at)
            && !self.lanes.values().any(|lane| lane.resolving || lane.blocked)
    }
}
