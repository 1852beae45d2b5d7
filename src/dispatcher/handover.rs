//! What the store's writer tells the dispatcher.

use crate::domain::ids::{DeliveryId, EndpointId};
use crate::store::handover::{Change, Handover, Page, PagePlan};
use crate::store::times::SteadyMs;

use super::{Dispatcher, Inner};

impl Handover for Dispatcher {
    fn committed(&self, changes: Vec<Change>) {
        if self.started.get().is_none() {
            // Before the start everything is on disk, and is found there.
            return;
        }
        let now = self.now();
        let mut inner = self.lock();
        for change in changes {
            apply(&mut inner, change, now);
        }
        self.after_change(&mut inner);
    }

    fn in_flight(&self, delivery: DeliveryId) -> bool {
        self.lock().book.in_flight(delivery)
    }

    fn wants_page(&self) -> Option<(EndpointId, PagePlan)> {
        self.started.get()?;
        let mut inner = self.lock();
        inner.nudged = false;
        inner.book.wants_page()
    }

    fn knows(&self, delivery: DeliveryId) -> bool {
        self.lock().book.knows(delivery)
    }

    fn paged(&self, endpoint: EndpointId, page: Option<Page>) {
        let now = self.now();
        let mut inner = self.lock();
        inner.book.paged(endpoint, page, now);
        self.after_change(&mut inner);
    }

    fn unavailable(&self, reason: Option<&str>) {
        let mut inner = self.lock();
        let halted = reason.is_some() || inner.stopping;
        inner.book.halt(halted);
        self.after_change(&mut inner);
    }

    fn time_of_day_changed(&self) {
        self.nightly.wake();
    }
}

fn apply(inner: &mut Inner, change: Change, now: SteadyMs) {
    let book = &mut inner.book;
    match change {
        Change::Accepted(payload, deliveries) => book.accepted(&payload, &deliveries, now),
        Change::Route(route) => book.route(route, now),
        Change::Gone(endpoint) => book.gone(endpoint),
        Change::Settled { delivery, endpoint, after } => book.settled(delivery, endpoint, after, now),
        Change::Pace(endpoint, pace) => book.pace(endpoint, pace, now),
        Change::Withdrawn(delivery, endpoint) => book.withdrawn(delivery, endpoint, now),
        Change::Emptied(event) => book.emptied(event, now),
        Change::Ready(endpoint) => book.ready(endpoint, now),
        Change::Urgent(job) => book.urgent(job, now),
        Change::Express(express) if !inner.stopping => inner.express.push_back(express),
        Change::Express(_) => {}
    }
}
