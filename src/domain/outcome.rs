//! What becomes of a delivery after an attempt.
//!
//! A delivery thread reports a fact. The store's writer asks [`decide`] with what its transaction sees, so an
//! operator's word that was committed first always holds.

use std::time::Duration;

use super::delivery::State;
use super::retry::RetrySchedule;
use super::retry_after::RetryAfter;

/// What happened in an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// The head of the answer said 2xx.
    Delivered,
    /// Anything else that is the receiver's doing.
    Failed {
        /// The deadline passed.
        timed_out: bool,
        /// The answer was 410: the endpoint is gone.
        gone: bool,
        /// `Retry-After` of a 429 or 503.
        retry_after: Option<RetryAfter>,
    },
    /// It failed on our side (no route, no descriptors, no resolver): uses up no attempt.
    OurTrouble,
}

/// The delivery as the transaction sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its state.
    pub state: State,
    /// Its round; a new one starts when a person retries it or an endpoint is enabled.
    pub round: u32,
    /// Attempts made in this round, not counting the one that is reported.
    pub round_attempts: u32,
}

/// The endpoint as the transaction sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointIs {
    /// Receives.
    Enabled,
    /// Was disabled before this outcome, or by it (410, or failing for too long).
    Disabled,
    /// Was deleted.
    Deleted,
}

/// What the row becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Stays as it is: a person has decided otherwise meanwhile.
    Unchanged,
    /// Delivered.
    Delivered,
    /// Waits for so long, then is tried again.
    Wait(Duration),
    /// Failed for good.
    Failed,
    /// Held until the endpoint is enabled.
    Held,
    /// Canceled with its endpoint.
    Canceled,
}

/// The shortest and longest wait after a failure on our side.
pub const OUR_TROUBLE_WAIT: (Duration, Duration) = (Duration::from_secs(10), Duration::from_mins(1));

/// Decides what becomes of the delivery.
///
/// `round` is the round in which the attempt was made, `jitter` is random.
pub fn decide(
    fact: Fact,
    round: u32,
    standing: Standing,
    endpoint: EndpointIs,
    schedule: &RetrySchedule,
    jitter: u32,
) -> Next {
    if fact == Fact::Delivered {
        // Whatever was decided meanwhile: the receiver has it.
        return if standing.state == State::Delivered { Next::Unchanged } else { Next::Delivered };
    }
    if !standing.state.is_pending() || standing.round != round {
        return Next::Unchanged;
    }
    match endpoint {
        EndpointIs::Disabled => return Next::Held,
        EndpointIs::Deleted => return Next::Canceled,
        EndpointIs::Enabled => {}
    }
    let retry_after = match fact {
        Fact::OurTrouble => return Next::Wait(own_wait(jitter)),
        Fact::Failed { retry_after, .. } => retry_after.map_or(Duration::ZERO, |asked| asked.delivery),
        Fact::Delivered => Duration::ZERO,
    };
    match schedule.delay(standing.round_attempts + 1, jitter) {
        None => Next::Failed,
        Some(wait) => Next::Wait(wait.max(retry_after)),
    }
}

fn own_wait(jitter: u32) -> Duration {
    let (least, most) = OUR_TROUBLE_WAIT;
    least + most.saturating_sub(least).mul_f64(f64::from(jitter) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: Fact = Fact::Failed { timed_out: false, gone: false, retry_after: None };
    const STATES: [State; 6] =
        [State::Ready, State::Delivered, State::Waiting, State::Held, State::Failed, State::Canceled];

    fn after(fact: Fact, state: State, round_attempts: u32, endpoint: EndpointIs) -> Next {
        let standing = Standing { state, round: 2, round_attempts };
        decide(fact, 2, standing, endpoint, &RetrySchedule::default(), 0)
    }

    #[test]
    fn a_success_delivers_whatever_was_decided_meanwhile() {
        for state in STATES {
            let expected = if state == State::Delivered { Next::Unchanged } else { Next::Delivered };
            assert_eq!(after(Fact::Delivered, state, 0, EndpointIs::Deleted), expected);
            let older = Standing { state, round: 3, round_attempts: 0 };
            let next = decide(Fact::Delivered, 2, older, EndpointIs::Enabled, &RetrySchedule::default(), 0);
            assert_eq!(next, expected);
        }
    }

    #[test]
    fn a_failure_leaves_alone_what_a_person_decided() {
        for state in [State::Held, State::Canceled, State::Failed, State::Delivered] {
            assert_eq!(after(FAILED, state, 0, EndpointIs::Enabled), Next::Unchanged);
        }
        let renewed = Standing { state: State::Ready, round: 3, round_attempts: 0 };
        let next = decide(FAILED, 2, renewed, EndpointIs::Enabled, &RetrySchedule::default(), 0);
        assert_eq!(next, Next::Unchanged);
    }

    #[test]
    fn a_failure_waits_by_the_schedule_until_it_is_used_up() {
        assert_eq!(after(FAILED, State::Ready, 0, EndpointIs::Enabled), Next::Wait(Duration::from_secs(5)));
        assert_eq!(
            after(FAILED, State::Waiting, 8, EndpointIs::Enabled),
            Next::Wait(Duration::from_hours(24))
        );
        assert_eq!(after(FAILED, State::Waiting, 9, EndpointIs::Enabled), Next::Failed);
    }

    #[test]
    fn retry_after_postpones_and_never_advances() {
        let asked = |seconds: u32| Fact::Failed {
            timed_out: false,
            gone: false,
            retry_after: crate::domain::retry_after::parse(
                &seconds.to_string(),
                crate::domain::time::UnixMs(0),
            ),
        };
        let wait = |seconds| after(asked(seconds), State::Ready, 0, EndpointIs::Enabled);
        assert_eq!(wait(1), Next::Wait(Duration::from_secs(5)));
        assert_eq!(wait(600), Next::Wait(Duration::from_mins(10)));
        assert_eq!(wait(1_000_000), Next::Wait(Duration::from_hours(24)));
    }

    #[test]
    fn a_failure_at_a_disabled_endpoint_is_held_and_at_a_deleted_one_canceled() {
        assert_eq!(after(FAILED, State::Ready, 9, EndpointIs::Disabled), Next::Held);
        assert_eq!(after(Fact::OurTrouble, State::Ready, 0, EndpointIs::Disabled), Next::Held);
        assert_eq!(after(FAILED, State::Ready, 0, EndpointIs::Deleted), Next::Canceled);
    }

    #[test]
    fn trouble_of_our_own_is_tried_again_within_a_minute_however_many_attempts_are_behind() {
        for jitter in [0, 1 << 30, u32::MAX] {
            let standing = Standing { state: State::Waiting, round: 1, round_attempts: 9 };
            let schedule = RetrySchedule::default();
            let Next::Wait(wait) =
                decide(Fact::OurTrouble, 1, standing, EndpointIs::Enabled, &schedule, jitter)
            else {
                panic!("must wait")
            };
            assert!(OUR_TROUBLE_WAIT.0 <= wait && wait <= OUR_TROUBLE_WAIT.1);
        }
    }
}
