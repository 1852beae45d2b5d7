//! Whose turn it is: free threads go to the endpoint with the fewest requests in flight.

use std::sync::Arc;

use crate::domain::ids::EndpointId;
use crate::store::directory::Route;
use crate::store::handover::Job;
use crate::store::times::SteadyMs;

use super::lane::{Lane, Wish};
use super::{Book, Known};

/// What an endpoint's share of the free threads is divided by.
const SHARE: usize = 16;

impl Book {
    /// Whether a thread is free for an endpoint with so many requests in flight.
    pub(super) fn is_free_for(&self, in_flight: usize) -> bool {
        let free = self.limits.threads.saturating_sub(self.in_flight);
        // The last quarter is for endpoints that have nothing in flight: they do not wait for the outcomes of a backlog.
        let outcomes = self.limits.outcomes - if in_flight == 0 { 0 } else { self.limits.outcomes / 4 };
        !self.halted && self.reported < outcomes && free > 0 && in_flight < (free / SHARE).max(1)
    }

    /// Whether a free thread would find a job.
    pub fn has_work(&self) -> bool {
        self.listed.first().is_some_and(|(in_flight, ..)| self.is_free_for(*in_flight))
    }

    /// The next job for a free thread. `resolved` says whether the name of a target is known; if it is not,
    /// [`Book::resolved`] has to be called when it is.
    pub fn take(
        &mut self,
        now: SteadyMs,
        mut resolved: impl FnMut(&Route) -> bool,
    ) -> Option<(Job, Arc<Route>)> {
        loop {
            let (in_flight, _, id) = *self.listed.first()?;
            if !self.is_free_for(in_flight) {
                return None;
            }
            let route = Arc::clone(&self.lanes.get(&id)?.route);
            let started = self.change(id, |lane| {
                lane.resolving = !resolved(&route);
                lane.start(now)
            });
            if let Some(Some(job)) = started {
                self.in_flight += 1;
                self.waits.add(u64::try_from(now.0 - job.ready_at.0).unwrap_or(0));
                self.known.insert(job.delivery, Known::InFlight);
                self.update(id, now);
                return Some((job, route));
            }
            self.update(id, now);
        }
    }

    /// Brings a lane's places and its timer up to date, after anything that may have changed them.
    pub(super) fn update(&mut self, id: EndpointId, now: SteadyMs) {
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
        // Those that are idle come in the order in which they would get a thread.
        let wish = lane.wish(now).map(|wish| (wish, if wish == Wish::Idle { lane.in_flight } else { 0 }));
        if lane.wanting.map(|(wish, in_flight, _)| (wish, in_flight)) != wish {
            if let Some((wish, in_flight, turn)) = lane.wanting.take() {
                self.wanting.remove(&(wish, in_flight, turn, id));
            }
            if let Some((wish, in_flight)) = wish {
                self.turn += 1;
                lane.wanting = Some((wish, in_flight, self.turn));
                self.wanting.insert((wish, in_flight, self.turn, id));
            }
        }
        let wake = lane.wake_at(now);
        if lane.timer != wake {
            if let Some(at) = lane.timer.take() {
                self.timers.remove(&(at, id));
            }
            if let Some(at) = wake {
                lane.timer = Some(at);
                self.timers.insert((at, id));
            }
        }
    }

    /// Takes a lane that is gone out of all lists.
    pub(super) fn unlist(&mut self, id: EndpointId, lane: &Lane) {
        if let Some((in_flight, turn)) = lane.listed {
            self.listed.remove(&(in_flight, turn, id));
        }
        if let Some((wish, in_flight, turn)) = lane.wanting {
            self.wanting.remove(&(wish, in_flight, turn, id));
        }
        if let Some(at) = lane.timer {
            self.timers.remove(&(at, id));
        }
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
}
