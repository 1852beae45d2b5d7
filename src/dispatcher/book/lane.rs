//! What the dispatcher knows about one endpoint.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::store::directory::Route;
use crate::store::handover::Job;
use crate::store::times::SteadyMs;

/// A page is asked for when fewer jobs than this are queued.
const LOW_WATER: usize = 125;
/// The second in which `rate_limit` attempts may start.
const SECOND_MS: i64 = 1_000;

/// The queue of an endpoint and what bounds it.
pub(super) struct Lane {
    pub(super) route: Arc<Route>,
    /// In the order in which they are sent.
    pub(super) queue: VecDeque<Job>,
    /// Retries that a person asked for: first, and also while the endpoint is paused.
    pub(super) urgent: VecDeque<Job>,
    /// Bytes of both.
    pub(super) bytes: usize,
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
    pub(super) one_at_a_time: bool,
    pub(super) paused_until: Option<SteadyMs>,
    /// Its name is being looked up.
    pub(super) resolving: bool,
    /// Starts of the last second, if there is a rate limit.
    starts: VecDeque<SteadyMs>,
    /// Where it stands among the lanes that have something to send: requests in flight, and turn.
    pub(super) listed: Option<(usize, u64)>,
    pub(super) timer: Option<SteadyMs>,
    pub(super) wanting: bool,
}

impl Lane {
    pub(super) fn new(route: Arc<Route>, whole: bool) -> Self {
        Self {
            route,
            queue: VecDeque::new(),
            urgent: VecDeque::new(),
            bytes: 0,
            in_flight: 0,
            whole,
            blocked: false,
            not_before: None,
            next_due: None,
            one_at_a_time: false,
            paused_until: None,
            resolving: false,
            starts: VecDeque::new(),
            listed: None,
            timer: None,
            wanting: false,
        }
    }

    /// Requests at a time that its settings and its health allow.
    fn cap(&self) -> usize {
        if self.one_at_a_time { 1 } else { self.route.max_in_flight as usize }
    }

    pub(super) fn is_paused(&self, now: SteadyMs) -> bool {
        self.paused_until.is_some_and(|until| now < until)
    }

    /// When the rate allows another start; `None`: now.
    fn rate_opens(&self, now: SteadyMs) -> Option<SteadyMs> {
        let limit = self.route.rate_limit? as usize;
        if self.starts.len() < limit {
            return None;
        }
        let first = self.starts.get(self.starts.len() - limit)?;
        let opens = SteadyMs(first.0 + SECOND_MS);
        (now < opens).then_some(opens)
    }

    /// Whether it has a job that may start now, but for the share of threads.
    pub(super) fn can_start(&self, now: SteadyMs) -> bool {
        let has_job = !self.urgent.is_empty() || (!self.queue.is_empty() && !self.is_paused(now));
        has_job
            && self.route.enabled
            && !self.resolving
            && self.in_flight < self.cap()
            && self.rate_opens(now).is_none()
    }

    /// Whether a page would help. `pressed`: memory is nearly full.
    pub(super) fn wants_page(&self, now: SteadyMs, pressed: bool) -> bool {
        let low = match (pressed, self.in_flight < self.cap()) {
            (false, _) => LOW_WATER,
            (true, true) => 1,
            (true, false) => 0,
        };
        self.route.enabled
            && !self.whole
            && !self.blocked
            && self.not_before.is_none_or(|at| at <= now)
            && !self.is_paused(now)
            && self.queue.len() < low
    }

    /// When it has to be looked at again although nothing happens to it.
    pub(super) fn wake_at(&self, now: SteadyMs) -> Option<SteadyMs> {
        if !self.route.enabled {
            return None;
        }
        let waiting = !self.queue.is_empty() || !self.whole;
        let pause = self.paused_until.filter(|until| now < *until && waiting);
        let rate = self.rate_opens(now).filter(|_| !self.queue.is_empty() || !self.urgent.is_empty());
        let again = self.not_before.filter(|at| now < *at && !self.whole);
        [pause, rate, again, self.next_due].into_iter().flatten().min()
    }

    /// Takes the job that is first.
    pub(super) fn start(&mut self, now: SteadyMs) -> Option<Job> {
        let job = match self.urgent.pop_front() {
            Some(job) => job,
            None => self.queue.pop_front()?,
        };
        self.bytes -= job.payload.weight();
        self.in_flight += 1;
        if let Some(limit) = self.route.rate_limit {
            self.starts.push_back(now);
            while self.starts.len() > limit as usize {
                self.starts.pop_front();
            }
        }
        Some(job)
    }

    pub(super) fn push(&mut self, job: Job) {
        self.bytes += job.payload.weight();
        self.queue.push_back(job);
    }
}
