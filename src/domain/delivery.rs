//! The states of a delivery: those in the file, and the statuses that the API shows.

use serde::{Deserialize, Serialize};

/// The state of a delivery's row. The numbers are the file's and never change their meaning.
///
/// "In flight" is not among them: one process owns the file and keeps that in memory, so that after a crash
/// everything that was in flight is simply due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i64)]
pub enum State {
    /// To be sent as soon as its turn comes, in the order of ids.
    Ready = 0,
    /// A receiver answered 2xx.
    Delivered = 1,
    /// To be sent when its due time has come.
    Waiting = 2,
    /// Not to be sent until an operator says so.
    Held = 3,
    /// All attempts of the round failed.
    Failed = 4,
    /// Given up by a person, or with its endpoint.
    Canceled = 5,
}

impl State {
    /// Reads the file's number.
    pub fn from_number(number: i64) -> Option<Self> {
        [Self::Ready, Self::Delivered, Self::Waiting, Self::Held, Self::Failed, Self::Canceled]
            .into_iter()
            .find(|state| *state as i64 == number)
    }

    /// Whether it may still be sent without a person's doing.
    pub fn is_pending(self) -> bool {
        matches!(self, Self::Ready | Self::Waiting)
    }

    /// What the API calls it.
    pub fn status(self) -> Status {
        match self {
            Self::Ready | Self::Waiting => Status::Pending,
            Self::Delivered => Status::Delivered,
            Self::Held => Status::Held,
            Self::Failed => Status::Failed,
            Self::Canceled => Status::Canceled,
        }
    }
}

/// The status of a delivery as the API shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waiting for its first attempt or a retry.
    Pending,
    /// Kept back; `held_reason` says why.
    Held,
    /// Answered with 2xx.
    Delivered,
    /// Attempts used up.
    Failed,
    /// Given up.
    Canceled,
}

impl Status {
    /// The word that the API shows.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Held => "held",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

/// The filter `?status=` of a list of deliveries: a status, or `retrying` (pending with attempts behind it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusFilter {
    /// See [`Status::Pending`].
    Pending,
    /// Pending, and at least one attempt was made.
    Retrying,
    /// See [`Status::Held`].
    Held,
    /// See [`Status::Delivered`].
    Delivered,
    /// See [`Status::Failed`].
    Failed,
    /// See [`Status::Canceled`].
    Canceled,
}

impl StatusFilter {
    /// The words that the filter takes, for error messages.
    pub const WORDS: &str = "pending, retrying, held, delivered, failed or canceled";

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "pending" => Self::Pending,
            "retrying" => Self::Retrying,
            "held" => Self::Held,
            "delivered" => Self::Delivered,
            "failed" => Self::Failed,
            "canceled" => Self::Canceled,
            _ => return None,
        })
    }

    /// The states of the file that can pass.
    pub fn states(self) -> &'static [State] {
        match self {
            Self::Pending | Self::Retrying => &[State::Ready, State::Waiting],
            Self::Held => &[State::Held],
            Self::Delivered => &[State::Delivered],
            Self::Failed => &[State::Failed],
            Self::Canceled => &[State::Canceled],
        }
    }

    /// Whether a delivery in `state` after `attempts` passes.
    pub fn passes(self, state: State, attempts: u32) -> bool {
        self.states().contains(&state) && (self != Self::Retrying || attempts > 0)
    }
}

/// Why a delivery is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(i64)]
pub enum HeldReason {
    /// Its endpoint is disabled.
    EndpointDisabled = 1,
    /// It was pending in a backup that was restored.
    Restored = 2,
}

impl HeldReason {
    /// Reads the file's number.
    pub fn from_number(number: i64) -> Option<Self> {
        [Self::EndpointDisabled, Self::Restored].into_iter().find(|reason| *reason as i64 == number)
    }
}

/// How a delivery came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i64)]
pub enum Made {
    /// Together with its event.
    WithEvent = 0,
    /// Later, by a replay or the retry of a delivered one.
    Replay = 1,
    /// By `POST /endpoints/{id}/test`.
    Test = 2,
}

impl Made {
    /// Reads the file's number.
    pub fn from_number(number: i64) -> Option<Self> {
        [Self::WithEvent, Self::Replay, Self::Test].into_iter().find(|made| *made as i64 == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back() {
        for number in 0..=5 {
            assert_eq!(State::from_number(number).map(|state| state as i64), Some(number));
        }
        assert_eq!(State::from_number(6), None);
        assert_eq!(HeldReason::from_number(2), Some(HeldReason::Restored));
        assert_eq!([2, 3].map(Made::from_number), [Some(Made::Test), None]);
    }

    #[test]
    fn retrying_is_pending_with_attempts_behind_it() {
        assert!(StatusFilter::Retrying.passes(State::Waiting, 1));
        assert!(!StatusFilter::Retrying.passes(State::Ready, 0));
        assert!(StatusFilter::Pending.passes(State::Ready, 0));
        assert!(!StatusFilter::Pending.passes(State::Held, 1));
    }
}
