//! An event that is made to test one endpoint: it matches nothing and goes beside all queues.

use std::sync::Arc;

use rusqlite::params;

use crate::domain::delivery::{Made, State};
use crate::domain::ids::{DeliveryId, EventId};
use crate::domain::names::EventType;
use crate::domain::outcome::Fact;

use super::deliveries::NewDelivery;
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
            ready_at: self.steady,
            payload: Arc::new(payload),
        };
        let sent = job.clone();
        let done = Box::new(move |outcome| done(sent, outcome));
        self.gathered.changes.push(Change::Express(Express { job, route, done }));
        Ok(())
    }

    /// Writes a test call down: its delivery and its only attempt, which count for nothing.
    pub fn record_test(
        &mut self,
        outcome: &Outcome,
        job: &Job,
        tenant_id: i64,
    ) -> Result<DeliveryId, StoreError> {
        let delivery = DeliveryId(self.allot());
        let state = if outcome.fact == Fact::Delivered { State::Delivered } else { State::Failed };
        let delivered_at = (state == State::Delivered).then_some(self.now);
        self.insert_delivery(&NewDelivery {
            id: delivery,
            event: job.payload.event,
            endpoint: outcome.endpoint,
            tenant_id,
            state,
            made: Made::Test,
            replay_of: None,
        })?;
        self.connection()
            .prepare_cached(
                "UPDATE deliveries SET attempts = ?2, round_attempts = ?2, delivered_at = ?3, own_trouble = ?4 WHERE id = ?1",
            )?
            .execute(params![
                delivery.0,
                u32::from(outcome.fact != Fact::OurTrouble),
                delivered_at.map(|at| at.0),
                if outcome.fact == Fact::OurTrouble { outcome.attempt.error.as_deref() } else { None },
            ])?;
        if outcome.fact != Fact::OurTrouble {
            if self.is_blanked(job.payload.event)? {
                self.insert_attempt(delivery, 1, 1, &outcome.attempt.without_answer())?;
            } else {
                self.insert_attempt(delivery, 1, 1, &outcome.attempt)?;
            }
        }
        Ok(delivery)
    }
}
