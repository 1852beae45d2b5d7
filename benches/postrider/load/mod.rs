//! The load: prepared requests, sent by a closed loop or at a steady pace.

mod closed;
mod connection;
mod paced;
pub mod request;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

pub use closed::Closed;
pub use paced::Paced;
pub use request::Prepared;

use crate::Fallible;
use crate::histogram::Histogram;
use crate::now::{nanos, since};

/// When a load ends. What is on its way then is still answered.
#[derive(Debug, Clone, Copy)]
pub enum Until<'a> {
    /// So many requests are sent.
    Sent(u64),
    /// So many seconds have passed since the first request.
    Seconds(f64),
    /// Somebody says so.
    Told(&'a AtomicBool),
}

impl Until<'_> {
    /// Whether a load that began at `first` and has sent so many requests ends now.
    fn over(self, first: u64, sent: u64) -> bool {
        match self {
            Self::Sent(count) => sent >= count,
            Self::Seconds(length) => since(first) >= nanos(length),
            Self::Told(told) => told.load(Ordering::Relaxed),
        }
    }
}

/// What came of a load.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// Requests sent.
    pub sent: u64,
    /// Answers by status.
    pub by_status: BTreeMap<u16, u64>,
    /// From a request to its answer.
    pub latency: Histogram,
    /// The moment of the first request.
    pub first: u64,
    /// The moment of the last answer.
    pub last: u64,
    /// Requests that were sent more than 1 ms after their moment, in a paced load.
    pub late: u64,
}

impl Answers {
    fn answered(&mut self, status: u16, sent: u64, at: u64) {
        *self.by_status.entry(status).or_default() += 1;
        self.latency.record(at.saturating_sub(sent));
        self.last = at;
    }

    /// Answers with this status.
    pub fn with_status(&self, status: u16) -> u64 {
        self.by_status.get(&status).copied().unwrap_or(0)
    }

    /// Fails unless every answer has this status, and there are any.
    pub fn only(&self, status: u16) -> Fallible<()> {
        if self.sent > 0 && self.with_status(status) == self.sent {
            return Ok(());
        }
        Err(format!("{} requests; answers that are not all {status}: {:?}", self.sent, self.by_status).into())
    }
}
