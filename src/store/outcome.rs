//! Writing down what happened in an attempt, and deciding what follows from it.
//!
//! An outcome is a fact reported by a delivery thread. Everything that it leads to (retry, failed, held, an
//! endpoint disabled) is decided here, from what the transaction sees.

use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use crate::domain::delivery::{HeldReason, State};
use crate::domain::ids::{DeliveryId, EndpointId};
use crate::domain::outcome::{self, EndpointIs, Fact, Next, Standing};
use crate::domain::time::UnixMs;

use super::endpoints::DisabledReason;
use super::error::StoreError;
use super::handover::{After, Change};
use super::times::SteadyMs;
use super::tx::Tx;

/// Milliseconds that the phases of a request took; `None`: it did not come to that, or a kept connection was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PhasesMs {
    /// Looking the name up.
    pub dns: Option<u32>,
    /// Connecting.
    pub connect: Option<u32>,
    /// The TLS handshake.
    pub tls: Option<u32>,
    /// From the last byte sent to the head of the answer.
    pub wait: Option<u32>,
    /// Reading the body.
    pub read: Option<u32>,
}

/// One HTTP request and what came of it.
#[derive(Debug, Clone)]
pub struct AttemptRecord {
    /// The revision of the endpoint that it was made with.
    pub revision: i64,
    /// The revision of the format.
    pub format_revision: i64,
    /// When it started, by the wall clock.
    pub started_at: UnixMs,
    /// How long it took, milliseconds.
    pub duration_ms: u32,
    /// By phase.
    pub phases: PhasesMs,
    /// The address that was dialled.
    pub address: Option<String>,
    /// The signatures that it carried, as sent.
    pub signatures: String,
    /// The status of the answer.
    pub status_code: Option<u16>,
    /// One line that a person can act on.
    pub error: Option<String>,
    /// The answer's header lines, at most 8 KB.
    pub response_headers: Vec<u8>,
    /// The first 2 KB of the answer's body.
    pub response_body: Vec<u8>,
}

/// What a delivery thread reports.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Delivery, endpoint and round that it is about.
    pub delivery: DeliveryId,
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The round in which the attempt was made.
    pub round: u32,
    /// What happened.
    pub fact: Fact,
    /// Random, for the wait before a retry.
    pub jitter: u32,
    /// The request and its answer.
    pub attempt: AttemptRecord,
}

impl AttemptRecord {
    /// The same without what the receiver has answered but its status.
    pub(super) fn without_answer(&self) -> Self {
        Self { response_headers: Vec::new(), response_body: Vec::new(), ..self.clone() }
    }
}

impl Outcome {
    pub(super) fn weight(&self) -> usize {
        self.attempt.response_headers.len() + self.attempt.response_body.len() + 512
    }
}

/// A delivery as far as an outcome concerns it: as it stands, or is about to.
struct Row {
    standing: Standing,
    attempts: u32,
    created_at: UnixMs,
}

impl Tx<'_> {
    /// Writes an outcome. A delivery that is not there any more is no error.
    pub(super) fn settle(&mut self, outcome: &Outcome) -> Result<(), StoreError> {
        let Outcome { delivery, endpoint, .. } = *outcome;
        let Some(row) = self.standing(delivery, endpoint)? else {
            self.gathered.changes.push(Change::Settled { delivery, endpoint, after: After::Over });
            return Ok(());
        };
        let endpoint_is = self.judge_endpoint(outcome)?;
        let schedule = match self.route(endpoint).and_then(|route| route.retry_schedule.clone()) {
            Some(own) => own,
            None => self.settings().retry_schedule.clone(),
        };
        let next = outcome::decide(
            outcome.fact,
            outcome.round,
            row.standing,
            endpoint_is,
            &schedule,
            outcome.jitter,
        );
        let counts = outcome.fact != Fact::OurTrouble;
        if counts {
            let number = row.attempts + 1;
            // Deleting an event's data cancels what is pending of it; nobody may keep the answer of an attempt that was
            // under way.
            if row.standing.state == State::Canceled && self.is_blanked_for(delivery)? {
                self.insert_attempt(delivery, number, outcome.round, &outcome.attempt.without_answer())?;
            } else {
                self.insert_attempt(delivery, number, outcome.round, &outcome.attempt)?;
            }
        }
        let after = self.write_next(outcome, &row, next)?;
        self.count(outcome, &row, next);
        self.gathered.changes.push(Change::Settled { delivery, endpoint, after });
        Ok(())
    }

    fn standing(&self, delivery: DeliveryId, endpoint: EndpointId) -> Result<Option<Row>, StoreError> {
        let row = self
            .connection()
            .prepare_cached(
                "SELECT state, round, round_attempts, attempts, held_reason, created_at FROM deliveries WHERE id = ?1",
            )?
            .query_row([delivery.0], |row| {
                let state = row.get::<_, i64>(0)?;
                let state =
                    State::from_number(state).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, state))?;
                let standing = Standing { state, round: row.get(1)?, round_attempts: row.get(2)? };
                let held = row.get::<_, Option<i64>>(4)?.and_then(HeldReason::from_number);
                Ok((standing, held, row.get(3)?, UnixMs(row.get(5)?)))
            })
            .optional()?;
        let Some((standing, held, attempts, created_at)) = row else { return Ok(None) };
        let standing = self.foreseen(delivery, endpoint, standing, held)?;
        Ok(Some(Row { standing, attempts, created_at }))
    }

    /// Keeps the endpoint's health, and disables it where the rules say so. What is it afterwards?
    fn judge_endpoint(&mut self, outcome: &Outcome) -> Result<EndpointIs, StoreError> {
        let id = outcome.endpoint;
        let Some(route) = self.route(id) else { return Ok(EndpointIs::Deleted) };
        let was = if route.enabled { EndpointIs::Enabled } else { EndpointIs::Disabled };
        let (now, steady, up) = (self.now, self.steady, self.up_ms);
        let settings = self.settings();
        let row = self.health(id)?;
        match outcome.fact {
            Fact::OurTrouble => return Ok(was),
            // A pause goes on: what succeeds during it started before it, or was sent by a person.
            Fact::Delivered => row.health = row.health.after_success(now),
            Fact::Failed { timed_out, retry_after, .. } => {
                row.health = row.health.after_failure(now, up, timed_out, false);
                if let Some(pause) = retry_after {
                    row.paused_until = row.paused_until.max(Some(steady.plus(pause.endpoint)));
                }
            }
        }
        let pace = row.pace();
        let failing =
            row.health.should_disable(settings.disable_after_failures, settings.disable_after_hours, up);
        self.gathered.changes.push(Change::Pace(id, pace));
        let reason = match outcome.fact {
            Fact::Failed { gone: true, .. } => Some(DisabledReason::Gone),
            Fact::Failed { .. } if failing => Some(DisabledReason::Failing),
            _ => None,
        };
        match reason {
            Some(reason) if route.enabled => {
                self.disable_endpoint(id, reason, None, &crate::store::audit::Actor::system())?;
                // A delivery whose attempts are used up has failed all the same; see `write_next`.
                Ok(if reason == DisabledReason::Gone { EndpointIs::Disabled } else { EndpointIs::Enabled })
            }
            _ => Ok(was),
        }
    }

    /// Writes the row as decided.
    fn write_next(&mut self, outcome: &Outcome, row: &Row, next: Next) -> Result<After, StoreError> {
        let counted = u32::from(outcome.fact != Fact::OurTrouble);
        let round_counted = if row.standing.round == outcome.round { counted } else { 0 };
        // A delivery that would wait for its next attempt is held when this outcome has disabled its endpoint.
        let disabled = self.route(outcome.endpoint).is_none_or(|route| !route.enabled);
        let next = if disabled && matches!(next, Next::Wait(_)) { Next::Held } else { next };
        let (state, due, held) = match next {
            Next::Unchanged => (row.standing.state, None, None),
            Next::Delivered => (State::Delivered, None, None),
            Next::Wait(wait) => (State::Waiting, Some(self.due(wait)), None),
            Next::Failed => (State::Failed, None, None),
            Next::Held => (State::Held, None, Some(HeldReason::EndpointDisabled as i64)),
            Next::Canceled => (State::Canceled, None, None),
        };
        if next == Next::Unchanged {
            self.connection()
                .prepare_cached(
                    "UPDATE deliveries SET attempts = attempts + ?2, round_attempts = round_attempts + ?3 WHERE id = ?1",
                )?
                .execute(params![outcome.delivery.0, counted, round_counted])?;
        } else {
            let trouble = if counted == 0 { outcome.attempt.error.as_deref() } else { None };
            let delivered_at = (next == Next::Delivered).then_some(self.now.0);
            self.connection()
                .prepare_cached(
                    "UPDATE deliveries SET state = ?2, due_at = ?3, held_reason = ?4, attempts = attempts + ?5,
                         round_attempts = round_attempts + ?6, delivered_at = ?7, own_trouble = ?8 WHERE id = ?1",
                )?
                .execute(params![
                    outcome.delivery.0,
                    state as i64,
                    due.map(|due| due.0),
                    held,
                    counted,
                    round_counted,
                    delivered_at,
                    trouble
                ])?;
        }
        Ok(match (state, due) {
            (State::Waiting, Some(due)) => After::Due(due),
            // It was renewed by a person while this attempt was under way.
            (State::Ready | State::Waiting, _) => After::Ready,
            _ => After::Over,
        })
    }

    fn due(&self, wait: Duration) -> SteadyMs {
        self.steady.plus(wait)
    }

    fn count(&mut self, outcome: &Outcome, row: &Row, next: Next) {
        self.gathered.tally.failures.count(outcome);
        if outcome.fact == Fact::OurTrouble {
            return;
        }
        if next == Next::Failed
            && let Ok(row) = self.health(outcome.endpoint)
        {
            row.health.exhausted = true;
        }
        let hour = self.hour(outcome.endpoint);
        hour.attempt(outcome.fact == Fact::Delivered, outcome.attempt.duration_ms);
        match next {
            Next::Delivered => {
                hour.delivered += 1;
                let age = self.now.0 - row.created_at.0;
                self.gathered.tally.delivered(age);
            }
            Next::Failed => hour.failed += 1,
            _ => {}
        }
    }
}
