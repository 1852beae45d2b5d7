//! What a person does to one delivery: retry it, cancel it.
//!
//! Both judge the delivery by the state that it is about to have. A change to all deliveries of the endpoint that
//! has not reached this row yet would undo what is written here, so until it has, a retry is refused.

use std::sync::Arc;

use rusqlite::params;

use crate::domain::delivery::{Made, State};
use crate::domain::ids::DeliveryId;

use super::audit::{Actor, Audited};
use super::bulk;
use super::deliveries::{DeliveryRow, NewDelivery};
use super::error::StoreError;
use super::handover::{Change, Job};
use super::tx::Tx;

/// Why a delivery cannot be retried or canceled.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Its endpoint was deleted.
    #[error("the endpoint was deleted")]
    EndpointGone,
    /// The data of its event was deleted.
    #[error("the data of the event was deleted")]
    Blanked,
    /// Its endpoint is disabled.
    #[error("the endpoint is disabled")]
    EndpointDisabled,
    /// It is held back by a restore.
    #[error("the delivery is held back")]
    Held,
    /// An attempt is under way.
    #[error("an attempt is under way")]
    InFlight,
    /// A change to all deliveries of its endpoint is about to reach it.
    #[error("a change to all deliveries of the endpoint is under way")]
    Changing,
    /// It is over: delivered, failed or canceled.
    #[error("the delivery is over")]
    Over,
    /// The file.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Tx<'_> {
    /// Sends a delivery again: a failed or canceled one in a new round, a pending one now, in its round, and a
    /// delivered one as a new delivery. Answers the one that is sent.
    ///
    /// # Errors
    /// [`Refusal`], of which [`Refusal::Over`] never.
    pub fn retry_delivery(&mut self, row: &DeliveryRow, actor: &Actor) -> Result<DeliveryId, Refusal> {
        if self.is_blanked(row.event)? {
            return Err(Refusal::Blanked);
        }
        let route = self.route(row.endpoint).ok_or(Refusal::EndpointGone)?;
        if !route.enabled {
            return Err(Refusal::EndpointDisabled);
        }
        if self.handover.in_flight(row.id) {
            return Err(Refusal::InFlight);
        }
        let sent = match row.state {
            State::Held => return Err(Refusal::Held),
            State::Delivered => self.deliver_again(row)?,
            _ if self.is_changing(row)? => {
                // What an enabling is about to release is about to be sent as it is.
                return if row.state.is_pending() { Ok(row.id) } else { Err(Refusal::Changing) };
            }
            State::Ready | State::Waiting => self.make_ready(row.id, false)?,
            State::Failed | State::Canceled => self.make_ready(row.id, true)?,
        };
        self.hand_over(sent, row)?;
        self.audit_delivery(row, actor, "delivery.retry", Some(serde_json::json!({ "delivery": sent })))?;
        Ok(sent)
    }

    /// Gives a delivery up that is pending or held. What is in flight is not called back: a success still makes
    /// it delivered.
    ///
    /// # Errors
    /// [`Refusal::Over`] when there is nothing to give up.
    pub fn cancel_delivery(&mut self, row: &DeliveryRow, actor: &Actor) -> Result<(), Refusal> {
        if !row.state.is_pending() && row.state != State::Held {
            return Err(Refusal::Over);
        }
        self.withdraw(row.id, row.endpoint)?;
        self.audit_delivery(row, actor, "delivery.cancel", None)?;
        Ok(())
    }

    /// Tells the dispatcher: at once, and also while the endpoint is paused.
    fn hand_over(&mut self, delivery: DeliveryId, row: &DeliveryRow) -> Result<(), Refusal> {
        let (round, attempts) = self
            .connection()
            .prepare_cached("SELECT round, attempts FROM deliveries WHERE id = ?1")?
            .query_row([delivery.0], |found| Ok((found.get(0)?, found.get(1)?)))?;
        let (payload, _) = super::events::payload(self.connection(), row.event)?
            .ok_or_else(|| StoreError::Internal(format!("{delivery} belongs to no event")))?;
        let payload = Arc::new(payload);
        self.gathered.changes.push(Change::Urgent(Job {
            delivery,
            endpoint: row.endpoint,
            round,
            attempts,
            ready_at: self.steady,
            payload,
        }));
        Ok(())
    }

    /// Whether a change to all deliveries of the endpoint has yet to reach this one.
    fn is_changing(&self, row: &DeliveryRow) -> Result<bool, Refusal> {
        let changes = bulk::changes(self.connection(), row.endpoint)?;
        Ok(changes.iter().any(|change| change.done_to < row.id.0 && row.id.0 <= change.up_to))
    }

    /// A new round of a delivery that is over.
    pub(super) fn begin_round(&self, id: DeliveryId) -> rusqlite::Result<()> {
        self.make_ready(id, true).map(drop)
    }

    fn make_ready(&self, id: DeliveryId, new_round: bool) -> rusqlite::Result<DeliveryId> {
        self.connection()
            .prepare_cached(
                "UPDATE deliveries SET state = 0, held_reason = NULL, due_at = NULL, own_trouble = NULL,
                     delivered_at = NULL, round = round + ?2,
                     round_attempts = CASE WHEN ?2 = 1 THEN 0 ELSE round_attempts END
                 WHERE id = ?1",
            )?
            .execute(params![id.0, i64::from(new_round)])?;
        Ok(id)
    }

    fn deliver_again(&mut self, row: &DeliveryRow) -> Result<DeliveryId, Refusal> {
        let id = DeliveryId(self.allot());
        self.insert_delivery(&NewDelivery {
            id,
            event: row.event,
            endpoint: row.endpoint,
            tenant_id: row.tenant_id,
            state: State::Ready,
            made: Made::Replay,
            replay_of: Some(row.id),
        })?;
        Ok(id)
    }

    fn audit_delivery(
        &mut self,
        row: &DeliveryRow,
        actor: &Actor,
        action: &'static str,
        after: Option<serde_json::Value>,
    ) -> Result<(), StoreError> {
        let before = Some(serde_json::json!({ "status": row.state.status() }));
        let (target, tenant_id) = (row.id.to_string(), Some(row.tenant_id));
        self.audit(Audited { actor, action, target, tenant_id, before, after })
    }
}
