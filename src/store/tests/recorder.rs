//! The dispatcher's place: keeps what the writer tells, and asks for pages.

use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::domain::ids::{DeliveryId, EndpointId, EventId};
use crate::store::handover::{After, Change, Handover, Pace, Page, PagePlan};

/// A [`Change`] without what tests do not look at.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Told {
    Accepted(EventId, Vec<(DeliveryId, EndpointId)>),
    Route(EndpointId, bool),
    Gone(EndpointId),
    Settled(DeliveryId, After),
    Pace(EndpointId, Pace),
    Withdrawn(DeliveryId),
    Emptied(EventId),
    Ready(EndpointId),
    Other,
}

#[derive(Default)]
pub(super) struct Notes {
    pub(super) told: Vec<Told>,
    pub(super) known: HashSet<DeliveryId>,
    pub(super) wanted: VecDeque<(EndpointId, PagePlan)>,
    pub(super) pages: Vec<Option<Page>>,
    pub(super) trouble: Vec<Option<String>>,
    /// How often the time of day, or what depends on it, was another.
    pub(super) time_changes: usize,
}

#[derive(Default)]
pub(super) struct Recorder {
    notes: Mutex<Notes>,
    changed: Condvar,
}

impl Recorder {
    pub(super) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was told since the last call.
    pub(super) fn told(&self) -> Vec<Told> {
        std::mem::take(&mut self.notes().told)
    }

    /// Waits for something that the writer's thread tells.
    pub(super) fn wait_for(&self, what: &str, seen: impl Fn(&Notes) -> bool) {
        let waited = self.changed.wait_timeout_while(self.notes(), Duration::from_secs(20), |n| !seen(n));
        let waited = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.1.timed_out(), "never happened: {what}");
    }

    fn note(&self, with: impl FnOnce(&mut Notes)) {
        with(&mut self.notes());
        self.changed.notify_all();
    }
}

impl Handover for Recorder {
    fn committed(&self, changes: Vec<Change>) {
        let told = changes.into_iter().map(|change| match change {
            Change::Accepted(payload, ready) => Told::Accepted(payload.event, ready),
            Change::Route(route) => Told::Route(route.id, route.enabled),
            Change::Gone(id) => Told::Gone(id),
            Change::Settled { delivery, after, .. } => Told::Settled(delivery, after),
            Change::Pace(id, pace) => Told::Pace(id, pace),
            Change::Withdrawn(delivery, _) => Told::Withdrawn(delivery),
            Change::Emptied(event) => Told::Emptied(event),
            Change::Ready(id) => Told::Ready(id),
            Change::Urgent(_) | Change::Express(_) => Told::Other,
        });
        self.note(|notes| notes.told.extend(told));
    }

    fn in_flight(&self, delivery: DeliveryId) -> bool {
        self.knows(delivery)
    }

    fn wants_page(&self) -> Option<(EndpointId, PagePlan)> {
        self.notes().wanted.front().copied()
    }

    fn knows(&self, delivery: DeliveryId) -> bool {
        self.notes().known.contains(&delivery)
    }

    fn paged(&self, _endpoint: EndpointId, page: Option<Page>) {
        self.note(|notes| {
            notes.wanted.pop_front();
            notes.pages.push(page);
        });
    }

    fn unavailable(&self, reason: Option<&str>) {
        self.note(|notes| notes.trouble.push(reason.map(str::to_owned)));
    }

    fn time_of_day_changed(&self) {
        self.note(|notes| notes.time_changes += 1);
    }
}
