//! The invariants of a book, counted anew from its lanes.

use std::collections::{BTreeMap, HashSet};

use super::super::lane::Lane;
use super::super::{Book, Known};
use crate::store::times::SteadyMs;

impl Book {
    /// Panics if counts, lists or timers do not fit the lanes.
    pub(super) fn check(&self, now: SteadyMs) {
        self.check_places();
        self.check_counts();
        for (id, lane) in &self.lanes {
            let place = lane.can_start(now).then_some(lane.in_flight);
            // What is paused or at its rate is found out by its timer, so a list may lag behind the clock.
            let overdue = lane.timer.is_some_and(|at| at <= now);
            assert!(overdue || lane.listed.map(|key| key.0) == place, "{id} is listed as {:?}", lane.listed);
            assert!(
                overdue || lane.wanting.map(|key| key.0) == lane.wish(now),
                "{id} wants {:?}",
                lane.wanting
            );
            assert!(overdue || lane.timer == lane.wake_at(now), "the timer of {id}");
        }
        let keys = |key: fn(&Lane) -> bool| self.lanes.values().filter(|lane| key(lane)).count();
        assert_eq!(self.listed.len(), keys(|lane| lane.listed.is_some()));
        assert_eq!(self.wanting.len(), keys(|lane| lane.wanting.is_some()));
        assert_eq!(self.timers.len(), keys(|lane| lane.timer.is_some()));
        for (id, lane) in &self.lanes {
            assert!(lane.listed.is_none_or(|(n, turn)| self.listed.contains(&(n, turn, *id))));
            assert!(lane.wanting.is_none_or(|(wish, n, turn)| self.wanting.contains(&(wish, n, turn, *id))));
            assert!(lane.timer.is_none_or(|at| self.timers.contains(&(at, *id))));
        }
    }

    fn check_places(&self) {
        let mut queued = HashSet::new();
        for lane in self.lanes.values() {
            for job in lane.jobs() {
                assert!(queued.insert(job.delivery), "{} is queued twice", job.delivery);
                assert_eq!(self.known.get(&job.delivery), Some(&Known::Queued));
                assert_eq!(job.endpoint, lane.route.id);
            }
        }
        let known = self.known.values().filter(|known| **known == Known::Queued).count();
        assert_eq!(known, queued.len(), "known as queued, and not in a queue");
    }

    fn check_counts(&self) {
        let mut count = BTreeMap::from([("in flight", 0), ("reported", 0)]);
        for known in self.known.values() {
            match known {
                Known::InFlight => *count.entry("in flight").or_default() += 1,
                Known::Reported => *count.entry("reported").or_default() += 1,
                Known::Queued => {}
            }
        }
        assert_eq!((count["in flight"], count["reported"]), (self.in_flight, self.reported));
        let of_lanes: usize = self.lanes.values().map(|lane| lane.in_flight).sum();
        assert!(of_lanes <= self.in_flight, "requests of deleted endpoints are under way too");
        let weights = |lane: &Lane| lane.jobs().map(|job| job.payload.weight()).sum::<usize>();
        assert_eq!(self.bytes, self.lanes.values().map(weights).sum::<usize>());
        let urgent: usize = self.lanes.values().map(|lane| lane.bytes().1).sum();
        assert_eq!(self.urgent_bytes, urgent);
        assert!(self.bytes <= self.limits.bytes + self.limits.bytes / 16, "{} bytes", self.bytes);
    }
}
