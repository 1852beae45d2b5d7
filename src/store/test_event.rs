//! An event that is made to test one endpoint: it matches nothing and goes beside all queues.

use std::sync::Arc;

use crate::domain::ids::{DeliveryId, EventId};
use crate::domain::names::EventType;

use super::directory::Route;
use super::error::StoreError;
use super::handover::{Change, Express, Job, Payload};
use super::matched::Matched;
use super::outcome::Outcome;
use super::publish::{EventRow, NewEvent};
use super::tx::Tx;

/// What is to be sent. It is checked already.
#[derive(Debug)]
pub struct TestEvent {
    /// The type.
    pub event_type: EventType,
    /// The bytes of `data`.
    pub data: Arc<str>,
}

impl Tx<'_> {
    /// Writes a test event down and, with the commit, hands it to the dispatcher. `done` is called with the
    /// outcome, on a thread that it must not block; it is dropped if nothing is sent. Its delivery is made by
    /// [`Tx::record_test`].
    pub fn send_test(
        &mut self,
        event: TestEvent,
        route: Arc<Route>,
        done: impl FnOnce(Job, Outcome) + Send + 'static,
    ) -> Result<(), StoreError> {
        let id = EventId(self.allot());
        let event = NewEvent {
            tenant: route.tenant.clone(),
            event_type: event.event_type,
            data: event.data,
            timestamp: None,
            own_id: None,
            idempotency: None,
            matched: Matched::nothing(),
        };
        self.insert_event(&EventRow {
            id,
            tenant_id: route.tenant_id,
            timestamp: self.now,
            deliveries: 0,
            without_endpoints: false,
            event: &event,
        })?;
        let payload = Payload {
            event: id,
            public_id: id.to_string().into(),
            event_type: event.event_type,
            tenant: event.tenant,
            timestamp: self.now,
            data: event.data,
        };
        let job = Job {
            delivery: DeliveryId(0),
            endpoint: route.id,
            round: 1,
            attempts: 0,
            payload: Arc::new(payload),
        };
        let sent = job.clone();
        let done = Box::new(move |outcome| done(sent, outcome));
        self.gathered.changes.push(Change::Express(Express { job, route, done }));
        Ok(())
    }
}
