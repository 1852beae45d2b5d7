//! What the dispatcher knows about one endpoint.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::domain::ids::DeliveryId;
use crate::store::directory::Route;
use crate::store::handover::{Job, Pace};
use crate::store::times::SteadyMs;

/// A page is asked for when fewer jobs than this are queued.
const LOW_WATER: usize = 125;
/// The second in which `rate_limit` attempts may start.
const SECOND_MS: i64 = 1_000;

/// Why an endpoint wants a page. The first goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wish {
    /// It could start a job now and has none.
    Idle,
    /// Its queue will be empty soon.
    Low,
}

/// The queue of an endpoint and what bounds it.
pub(super) struct Lane {
    pub(super) route: Arc<Route>,
    /// In the order in which they are sent.
    queue: VecDeque<Job>,
    /// Retries that a person asked for: first, and also while the endpoint is paused.
    urgent: VecDeque<Job>,
    /// Bytes of either.
    queue_bytes: usize,
    urgent_bytes: usize,
    /// Requests that threads are sending.
    pub(super) in_flight: usize,
    /// Everything that is due is known. If not, it is *spilled*: what is handed over only counts.
    pub(super) whole: bool,
    /// The last page brought nothing although there is more: a change to many rows has to go on first.
    pub(super) blocked: bool,
    /// The last page could not be read; not before this time again.
    pub(super) not_before: Option<SteadyMs>,
    /// When the first retry that is not known falls due.
    pub(super) next_due: Option<SteadyMs>,
    pub(super) pace: Pace,
    /// Its name is being looked up.
    pub(super) resolving: bool,
    /// Starts of the last second, if there is a rate limit.
    starts: VecDeque<SteadyMs>,
    /// Its key among the lanes that can start a job.
    pub(super) listed: Option<(usize, u64)>,
    /// Its key among the lanes that want a page.
    pub(super) wanting: Option<(Wish, usize, u64)>,
    pub(super) timer: Option<SteadyMs>,
}

impl Lane {
    /// A lane of which nothing is known: what is due of it is on disk.
    pub(super) fn new(route: Arc<Route>, pace: Pace) -> Self {
        Self {
            route,
            queue: VecDeque::new(),
            urgent: VecDeque::new(),
            queue_bytes: 0,
            urgent_bytes: 0,
            in_flight: 0,
            whole: false,
            blocked: false,
            not_before: None,
            next_due: None,
            pace,
            resolving: false,
            starts: VecDeque::new(),
            listed: None,
            wanting: None,
            timer: None,
        }
    }

    /// Bytes of what is queued, and of what is urgent.
    pub(super) fn bytes(&self) -> (usize, usize) {
        (self.queue_bytes, self.urgent_bytes)
    }

    /// Requests at a time that its settings and its health allow.
    fn cap(&self) -> usize {
        if self.pace.one_at_a_time { 1 } else { self.route.max_in_flight as usize }
    }

    fn is_paused(&self, now: SteadyMs) -> bool {
        self.pace.paused_until.is_some_and(|until| now < until)
    }

    /// When the rate allows another start; `None`: now.
    fn rate_opens(&self, now: SteadyMs) -> Option<SteadyMs> {
        let limit = self.route.rate_limit? as usize;
        let first = self.starts.get(self.starts.len().checked_sub(limit)?)?;
        let opens = SteadyMs(first.0 + SECOND_MS);
        (now < opens).then_some(opens)
    }

    /// Whether it may start an urgent job now, but for the share of threads.
    fn is_open(&self, now: SteadyMs) -> bool {
        self.route.enabled && !self.resolving && self.in_flight < self.cap() && self.rate_opens(now).is_none()
    }

    /// Whether it has a job that may start now, but for the share of threads.
    pub(super) fn can_start(&self, now: SteadyMs) -> bool {
        let has_job = !self.urgent.is_empty() || (!self.queue.is_empty() && !self.is_paused(now));
        has_job && self.is_open(now)
    }

    /// Whether a page would help, and how much.
    pub(super) fn wish(&self, now: SteadyMs) -> Option<Wish> {
        let may = self.route.enabled
            && !self.whole
            && !self.blocked
            && self.not_before.is_none_or(|at| at <= now)
            && !self.is_paused(now)
            && self.queue.len() < LOW_WATER;
        let idle = self.queue.is_empty() && self.urgent.is_empty() && self.is_open(now);
        may.then_some(if idle { Wish::Idle } else { Wish::Low })
    }

    /// When it has to be looked at again although nothing happens to it.
    pub(super) fn wake_at(&self, now: SteadyMs) -> Option<SteadyMs> {
        if !self.route.enabled {
            return None;
        }
        let waiting = !self.queue.is_empty() || !self.whole;
        let pause = self.pace.paused_until.filter(|until| now < *until && waiting);
        let rate = self.rate_opens(now).filter(|_| waiting || !self.urgent.is_empty());
        let again = self.not_before.filter(|at| now < *at && !self.whole);
        [pause, rate, again, self.next_due].into_iter().flatten().min()
    }

    /// Takes the job that is first and may start, if there is one.
    pub(super) fn start(&mut self, now: SteadyMs) -> Option<Job> {
        if !self.can_start(now) {
            return None;
        }
        let job = if let Some(job) = self.urgent.pop_front() {
            self.urgent_bytes -= job.payload.weight();
            job
        } else {
            let job = self.queue.pop_front()?;
            self.queue_bytes -= job.payload.weight();
            job
        };
        self.in_flight += 1;
        if let Some(limit) = self.route.rate_limit {
            self.starts.push_back(now);
            while self.starts.len() > limit as usize {
                self.starts.pop_front();
            }
        }
        Some(job)
    }

    /// A job for the end of the queue.
    pub(super) fn push(&mut self, job: Job) {
        self.queue_bytes += job.payload.weight();
        self.queue.push_back(job);
    }

    /// A job that a person asked for.
    pub(super) fn push_urgent(&mut self, job: Job) {
        self.urgent_bytes += job.payload.weight();
        self.urgent.push_back(job);
    }

    /// Takes a delivery out of its queue.
    pub(super) fn remove(&mut self, delivery: DeliveryId) {
        for (queue, bytes) in
            [(&mut self.queue, &mut self.queue_bytes), (&mut self.urgent, &mut self.urgent_bytes)]
        {
            if let Some(at) = queue.iter().position(|job| job.delivery == delivery)
                && let Some(job) = queue.remove(at)
            {
                *bytes -= job.payload.weight();
            }
        }
    }

    /// Gives back, from the end of the queue, what is above `level` bytes, but not the first `keep` jobs.
    pub(super) fn shrink(&mut self, level: usize, keep: usize) -> Vec<DeliveryId> {
        let mut given = Vec::new();
        while self.queue_bytes > level && self.queue.len() > keep {
            let Some(job) = self.queue.pop_back() else { break };
            self.queue_bytes -= job.payload.weight();
            given.push(job.delivery);
        }
        if !given.is_empty() {
            self.whole = false;
        }
        given
    }

    /// Empties both queues.
    pub(super) fn clear(&mut self) -> Vec<DeliveryId> {
        (self.queue_bytes, self.urgent_bytes) = (0, 0);
        self.queue.drain(..).chain(self.urgent.drain(..)).map(|job| job.delivery).collect()
    }

    /// All jobs of both queues.
    pub(super) fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.queue.iter().chain(&self.urgent)
    }
}
