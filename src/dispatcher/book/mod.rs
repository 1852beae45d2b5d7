//! The dispatcher's bookkeeping: which deliveries are known, which endpoint may send next, what has to be paged
//! from disk. A state machine without I/O, without threads and without a clock.
//!
//! Invariants, held by a property test (`book/tests.rs`):
//!
//! 1. A delivery is *known* from hand-over or page until its outcome is committed: queued, in flight, or waiting
//!    for the commit. It is in one of these places once; a page passes over what is known.
//! 2. An endpoint is *whole* when everything of it that is due is known, else *spilled*. Only a page that came
//!    back complete makes it whole, and pages are read by the thread that hands over, so nothing falls between.
//! 3. A delivery that was withdrawn (canceled, its endpoint disabled or deleted) before a thread took it is
//!    never taken.
//! 4. At most [`Limits::bytes`] of payload are queued (and one page more); what does not fit is on disk anyway
//!    and is forgotten here, from the endpoint that has most.
//! 5. An endpoint has at most min(`max_in_flight`, max(1, free threads / 16)) requests in flight, one after three
//!    timeouts in a row; the endpoint with the fewest goes first, then the one that has waited longest.

mod lane;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use crate::domain::ids::{DeliveryId, EndpointId};
use crate::store::directory::Route;
use crate::store::handover::{After, Job, PAGE_ROWS, Pace, Page, PagePlan, Payload};
use crate::store::times::SteadyMs;

use lane::Lane;

/// What an endpoint's share of the free threads is divided by.
const SHARE: usize = 16;
/// How long to wait after a page that could not be read.
const PAGE_RETRY_MS: i64 = 1_000;

/// The bounds of a book.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests in flight at most.
    pub threads: usize,
    /// Bytes of payload that are queued at most.
    pub bytes: usize,
    /// Bytes of a page.
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
    timers: BTreeSet<(SteadyMs, EndpointId)>,
    wanting: VecDeque<EndpointId>,
    turn: u64,
    bytes: usize,
    in_flight: usize,
    reported: usize,
    halted: bool,
}

impl Book {
    /// An empty book.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            lanes: HashMap::new(),
            known: HashMap::new(),
            listed: BTreeSet::new(),
            timers: BTreeSet::new(),
            wanting: VecDeque::new(),
            turn: 0,
            bytes: 0,
            in_flight: 0,
            reported: 0,
            halted: false,
        }
    }

    /// An endpoint that was there before the start: whatever is due of it is on disk.
    pub fn found(&mut self, route: Arc<Route>, pace: Pace, now: SteadyMs) {
        let id = route.id;
        let mut lane = Lane::new(route, false);
        (lane.one_at_a_time, lane.paused_until) = (pace.one_at_a_time, pace.paused_until);
        self.lanes.insert(id, lane);
        self.update(id, now);
    }

    /// An endpoint was made or changed.
    pub fn route(&mut self, route: Arc<Route>, now: SteadyMs) {
        let id = route.id;
        let enabled = route.enabled;
        match self.lanes.get_mut(&id) {
            // Made just now: nothing of it can be on disk.
            None => {
                self.lanes.insert(id, Lane::new(route, true));
            }
            Some(lane) => {
                let was = std::mem::replace(&mut lane.route, route).enabled;
                if was != enabled {
                    lane.whole = false;
                    lane.blocked = false;
                    self.forget_queue(id);
                }
            }
        }
        self.update(id, now);
    }

    /// An endpoint was deleted.
    pub fn gone(&mut self, id: EndpointId, now: SteadyMs) {
        self.forget_queue(id);
        if let Some(lane) = self.lanes.remove(&id) {
            self.unlist(id, &lane);
        }
        self.update(id, now);
    }

    /// Forgets what is queued: it is on disk.
    fn forget_queue(&mut self, id: EndpointId) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        for job in lane.queue.drain(..).chain(lane.urgent.drain(..)) {
            self.known.remove(&job.delivery);
        }
        self.bytes -= std::mem::take(&mut lane.bytes);
    }

    /// An event was accepted with these deliveries.
    pub fn accepted(
        &mut self,
        payload: &Arc<Payload>,
        deliveries: &[(DeliveryId, EndpointId)],
        now: SteadyMs,
    ) {
        for (delivery, endpoint) in deliveries {
            let Some(lane) = self.lanes.get_mut(endpoint) else { continue };
            if lane.whole && lane.route.enabled {
                let job = Job {
                    delivery: *delivery,
                    endpoint: *endpoint,
                    round: 1,
                    attempts: 0,
                    payload: Arc::clone(payload),
                };
                self.bytes += payload.weight();
                lane.push(job);
                self.known.insert(*delivery, Known::Queued);
                self.make_room();
            } else {
                lane.whole = false;
            }
            self.update(*endpoint, now);
        }
    }

    /// Where memory is full, the endpoint that has most queued gives half of it back.
    fn make_room(&mut self) {
        while self.bytes > self.limits.bytes {
            let Some(lane) = self.lanes.values_mut().max_by_key(|lane| lane.bytes) else { return };
            let target = lane.bytes / 2;
            let before = lane.bytes;
            while lane.bytes > target {
                let Some(job) = lane.queue.pop_back() else { break };
                lane.bytes -= job.payload.weight();
                self.bytes -= job.payload.weight();
                self.known.remove(&job.delivery);
                lane.whole = false;
            }
            if lane.bytes == before {
                // Only urgent jobs are left; they are few.
                return;
            }
        }
    }

    /// The next endpoint that wants a page.
    pub fn wants_page(&mut self, now: SteadyMs) -> Option<(EndpointId, PagePlan)> {
        let pressed = self.is_pressed();
        while let Some(id) = self.wanting.front().copied() {
            match self.lanes.get_mut(&id) {
                Some(lane) if lane.wants_page(now, pressed) => {
                    let plan = PagePlan { rows: PAGE_ROWS, bytes: self.limits.page_bytes };
                    return Some((id, plan));
                }
                Some(lane) => lane.wanting = false,
                None => {}
            }
            self.wanting.pop_front();
        }
        None
    }

    fn is_pressed(&self) -> bool {
        self.bytes > self.limits.bytes / 4 * 3
    }

    /// A page was read, or could not be.
    pub fn paged(&mut self, id: EndpointId, page: Option<Page>, now: SteadyMs) {
        if self.wanting.front() == Some(&id) {
            self.wanting.pop_front();
        }
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.wanting = false;
        match page {
            None => lane.not_before = Some(SteadyMs(now.0 + PAGE_RETRY_MS)),
            Some(page) => {
                lane.not_before = None;
                lane.whole = page.complete;
                lane.blocked = !page.complete && page.jobs.is_empty();
                lane.next_due = page.next_due;
                for job in page.jobs {
                    if self.known.contains_key(&job.delivery) || !lane.route.enabled {
                        continue;
                    }
                    self.known.insert(job.delivery, Known::Queued);
                    self.bytes += job.payload.weight();
                    lane.push(job);
                }
                self.make_room();
            }
        }
        self.update(id, now);
    }

    /// The next job for a free thread. `resolved` says whether the name of a target is known; if it is not,
    /// [`Book::resolved`] has to be called when it is.
    pub fn take(
        &mut self,
        now: SteadyMs,
        mut resolved: impl FnMut(&Route) -> bool,
    ) -> Option<(Job, Arc<Route>)> {
        loop {
            if self.halted || self.reported >= self.limits.outcomes || self.in_flight >= self.limits.threads {
                return None;
            }
            let (in_flight, _, id) = *self.listed.first()?;
            let share = ((self.limits.threads - self.in_flight) / SHARE).max(1);
            if in_flight >= share {
                return None;
            }
            let lane = self.lanes.get_mut(&id)?;
            if !resolved(&lane.route) {
                lane.resolving = true;
                self.update(id, now);
                continue;
            }
            let before = lane.bytes;
            let job = if lane.can_start(now) { lane.start(now) } else { None };
            let route = Arc::clone(&lane.route);
            self.bytes -= before - lane.bytes;
            if let Some(job) = job {
                self.in_flight += 1;
                self.known.insert(job.delivery, Known::InFlight);
                self.update(id, now);
                return Some((job, route));
            }
            self.update(id, now);
        }
    }

    /// Whether a free thread would find a job.
    pub fn has_work(&self) -> bool {
        let Some((in_flight, ..)) = self.listed.first() else { return false };
        let free = self.limits.threads.saturating_sub(self.in_flight);
        !self.halted && self.reported < self.limits.outcomes && free > 0 && *in_flight < (free / SHARE).max(1)
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

    fn unqueue(&mut self, delivery: DeliveryId, endpoint: EndpointId) {
        if self.known.get(&delivery) != Some(&Known::Queued) {
            return;
        }
        self.known.remove(&delivery);
        let Some(lane) = self.lanes.get_mut(&endpoint) else { return };
        let before = lane.bytes;
        for queue in [&mut lane.queue, &mut lane.urgent] {
            if let Some(at) = queue.iter().position(|job| job.delivery == delivery)
                && let Some(job) = queue.remove(at)
            {
                lane.bytes -= job.payload.weight();
            }
        }
        self.bytes -= before - lane.bytes;
    }

    /// A person wants this one sent now.
    pub fn urgent(&mut self, job: Job, now: SteadyMs) {
        let id = job.endpoint;
        self.unqueue(job.delivery, id);
        if self.known.contains_key(&job.delivery) {
            return;
        }
        if let Some(lane) = self.lanes.get_mut(&id) {
            if self.bytes > self.limits.bytes {
                lane.whole = false;
            } else {
                self.known.insert(job.delivery, Known::Queued);
                self.bytes += job.payload.weight();
                lane.bytes += job.payload.weight();
                lane.urgent.push_back(job);
            }
        }
        self.update(id, now);
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
            (lane.one_at_a_time, lane.paused_until) = (pace.one_at_a_time, pace.paused_until);
        }
        self.update(id, now);
    }

    /// Nothing starts until this is taken back: outcomes cannot be recorded, or the server stops.
    pub fn halt(&mut self, halted: bool) {
        self.halted = halted;
    }

    /// Looks at the endpoints whose time has come.
    pub fn tick(&mut self, now: SteadyMs) {
        while let Some((at, id)) = self.timers.first().copied() {
            if now < at {
                return;
            }
            self.timers.pop_first();
            if let Some(lane) = self.lanes.get_mut(&id) {
                lane.timer = None;
                if lane.next_due.is_some_and(|due| due <= now) {
                    lane.next_due = None;
                    lane.whole = false;
                }
            }
            self.update(id, now);
        }
    }

    /// When [`Book::tick`] has to be called next.
    pub fn next_tick(&self) -> Option<SteadyMs> {
        self.timers.first().map(|(at, _)| *at)
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

    /// Whether nothing can happen until something new comes: no job can start, nothing is in flight, no outcome
    /// or page is awaited.
    pub fn is_settled(&mut self, now: SteadyMs) -> bool {
        self.known.values().all(|known| *known == Known::Queued)
            && !self.has_work()
            && self.wants_page(now).is_none()
            && self.next_tick().is_none_or(|at| now < at)
            && !self.lanes.values().any(|lane| lane.resolving || lane.blocked)
    }

    /// Brings lists, timer and wish for a page of a lane up to date.
    fn update(&mut self, id: EndpointId, now: SteadyMs) {
        let pressed = self.is_pressed();
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let place = lane.can_start(now).then_some(lane.in_flight);
        if lane.listed.map(|(in_flight, _)| in_flight) != place {
            if let Some((in_flight, turn)) = lane.listed.take() {
                self.listed.remove(&(in_flight, turn, id));
            }
            if let Some(in_flight) = place {
                self.turn += 1;
                lane.listed = Some((in_flight, self.turn));
                self.listed.insert((in_flight, self.turn, id));
            }
        }
        let wake = lane.wake_at(now);
        if lane.timer != wake {
            if let Some(at) = lane.timer.take() {
                self.timers.remove(&(at, id));
            }
            if let Some(at) = wake {
                self.timers.insert((at, id));
                lane.timer = Some(at);
            }
        }
        if !lane.wanting && lane.wants_page(now, pressed) {
            lane.wanting = true;
            self.wanting.push_back(id);
        }
    }

    fn unlist(&mut self, id: EndpointId, lane: &Lane) {
        if let Some((in_flight, turn)) = lane.listed {
            self.listed.remove(&(in_flight, turn, id));
        }
        if let Some(at) = lane.timer {
            self.timers.remove(&(at, id));
        }
    }
}
