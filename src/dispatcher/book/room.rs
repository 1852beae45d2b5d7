//! What is kept in memory: which endpoint gets a page, and who gives back when memory is full.
//!
//! Up to three quarters of [`Limits::bytes`](super::Limits) every endpoint whose queue runs low is read ahead.
//! Above that (*pressed*) a page is read only for an endpoint that could start a job and has none, when no job
//! in memory can start: so whatever fills the memory, and however long that hangs, nobody waits for it, and a
//! page is never read twice without a job started in between. Above the limit those who have most give back,
//! down to half of it. Each of these passes looks at all endpoints, and the next one is at least an eighth of
//! the limit away.

use crate::domain::ids::{DeliveryId, EndpointId};
use crate::store::handover::{Job, PAGE_ROWS, Page, PagePlan};
use crate::store::times::SteadyMs;

use super::lane::{Lane, Wish};
use super::{Book, Known};

/// How long to wait after a page that could not be read.
const PAGE_RETRY_MS: i64 = 1_000;
/// A page is at most this part of the memory, and urgent jobs are at most twice as much.
const PAGE_PART: usize = 8;

impl Book {
    /// The next endpoint that wants a page.
    pub fn wants_page(&self) -> Option<(EndpointId, PagePlan)> {
        let (wish, in_flight, _, id) = *self.wanting.first()?;
        let room = self.limits.bytes.saturating_sub(self.bytes);
        if self.is_pressed() && (wish != Wish::Idle || self.has_work() || !self.is_free_for(in_flight)) {
            return None;
        }
        let bytes = self.limits.page_bytes.min(self.limits.bytes / PAGE_PART).min(room);
        Some((id, PagePlan { rows: PAGE_ROWS, bytes }))
    }

    fn is_pressed(&self) -> bool {
        self.bytes > self.limits.bytes / 4 * 3
    }

    /// A page was read, or could not be.
    pub fn paged(&mut self, id: EndpointId, page: Option<Page>, now: SteadyMs) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        // Whatever came of it, the next one that this endpoint wants is behind those of the others.
        if let Some((wish, in_flight, turn)) = lane.wanting.take() {
            self.wanting.remove(&(wish, in_flight, turn, id));
        }
        match page {
            None => lane.not_before = Some(SteadyMs(now.0 + PAGE_RETRY_MS)),
            Some(page) => {
                lane.not_before = None;
                lane.whole = page.complete;
                lane.blocked = !page.complete && page.jobs.is_empty();
                lane.next_due = page.next_due;
                for job in page.jobs {
                    self.keep(job, Lane::push);
                }
            }
        }
        self.update(id, now);
        self.make_room(Some(id), now);
    }

    /// Queues a job, unless it is known.
    pub(super) fn keep(&mut self, job: Job, push: impl FnOnce(&mut Lane, Job)) {
        let (delivery, endpoint) = (job.delivery, job.endpoint);
        if !self.known.contains_key(&delivery) && self.change(endpoint, |lane| push(lane, job)).is_some() {
            self.known.insert(delivery, Known::Queued);
        }
    }

    /// Takes a delivery out of its queue, if it is in one.
    pub(super) fn unqueue(&mut self, delivery: DeliveryId, endpoint: EndpointId) {
        if self.known.get(&delivery) == Some(&Known::Queued) {
            self.known.remove(&delivery);
            self.change(endpoint, |lane| lane.remove(delivery));
        }
    }

    /// Forgets what is queued: it is on disk.
    pub(super) fn forget_queue(&mut self, id: EndpointId) {
        for delivery in self.change(id, Lane::clear).unwrap_or_default() {
            self.known.remove(&delivery);
        }
    }

    /// Whether another urgent job fits. They are not given back when memory is full.
    pub(super) fn has_room_for_urgent(&self) -> bool {
        self.urgent_bytes < self.limits.bytes / PAGE_PART * 2
    }

    /// Changes the queues of a lane, and keeps the count of bytes.
    pub(super) fn change<T>(&mut self, id: EndpointId, work: impl FnOnce(&mut Lane) -> T) -> Option<T> {
        let lane = self.lanes.get_mut(&id)?;
        let (queue, urgent) = lane.bytes();
        let result = work(lane);
        let (queue_now, urgent_now) = lane.bytes();
        self.bytes = self.bytes + queue_now + urgent_now - queue - urgent;
        self.urgent_bytes = self.urgent_bytes + urgent_now - urgent;
        Some(result)
    }

    /// Where memory is full, those that have most give back what is above a level that is the same for all.
    /// The first job of `reader`, whose page has just been read, stays: without it the page were in vain.
    pub(super) fn make_room(&mut self, reader: Option<EndpointId>, now: SteadyMs) {
        if self.bytes <= self.limits.bytes {
            return;
        }
        let target = self.limits.bytes / 2;
        let mut queues: Vec<_> = self.lanes.iter().map(|(id, lane)| (lane.bytes().0, *id)).collect();
        queues.sort_unstable_by(|a, b| b.cmp(a));
        let level = level(&queues, self.bytes - target);
        for (bytes, id) in queues {
            // A job is given back whole, so the level may be more than reached before the last one.
            if bytes <= level || self.bytes <= target {
                return;
            }
            let keep = usize::from(reader == Some(id));
            for delivery in self.change(id, |lane| lane.shrink(level, keep)).unwrap_or_default() {
                self.known.remove(&delivery);
            }
            self.update(id, now);
        }
    }
}

/// The greatest level such that cutting all queues, the longest of which is first, down to it frees `excess`
/// bytes; 0 if that is more than they have.
fn level(queues: &[(usize, EndpointId)], excess: usize) -> usize {
    let mut sum = 0;
    for (at, (bytes, _)) in queues.iter().enumerate() {
        sum += bytes;
        let next = queues.get(at + 1).map_or(0, |(bytes, _)| *bytes);
        if let Some(rest) = sum.checked_sub(excess)
            && rest / (at + 1) >= next
        {
            return rest / (at + 1);
        }
    }
    0
}
