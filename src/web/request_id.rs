//! Ids of requests: in the answer, in the log, and taken from nothing that a client sends.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::random::{self, Random};

/// The id of one request: 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Counts from a random start, so that ids of two processes do not meet and each costs one addition.
#[derive(Debug)]
pub struct RequestIds {
    next: AtomicU64,
}

impl RequestIds {
    /// Ids of a process.
    pub fn new(random: &dyn Random) -> Self {
        Self { next: AtomicU64::new(u64::from_le_bytes(random::bytes(random))) }
    }

    /// The next id.
    pub fn next(&self) -> RequestId {
        RequestId(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededRandom;

    #[test]
    fn ids_differ_and_have_sixteen_digits() {
        let ids = RequestIds::new(&SeededRandom::new(1));
        let (first, second) = (ids.next().to_string(), ids.next().to_string());
        assert_ne!(first, second);
        assert!(first.len() == 16 && first.bytes().all(|b| b.is_ascii_hexdigit()), "{first}");
    }
}
