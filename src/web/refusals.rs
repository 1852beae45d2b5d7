//! Lines in the log about refused requests: a full disk must not be filled further by telling of it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Stopwatch;

/// A line at most this often.
const EVERY: Duration = Duration::from_secs(1);

/// When the last line was written, and how many refusals nothing was said about since.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<(Option<Stopwatch>, u64)>);

impl Refusals {
    /// Whether another refusal gets its line; if so, how many got none before it.
    pub(super) fn tell(&self) -> Option<u64> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.0.is_some_and(|last| last.elapsed() < EVERY) {
            inner.1 += 1;
            return None;
        }
        let (_, untold) = std::mem::replace(&mut *inner, (Some(Stopwatch::start()), 0));
        Some(untold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_refusal_is_told_and_a_flood_is_not() {
        let (refusals, watch) = (Refusals::default(), Stopwatch::start());
        assert_eq!(refusals.tell(), Some(0));
        let told = (0..10_000).filter(|_| refusals.tell().is_some()).count();
        let seconds = usize::try_from(watch.elapsed().as_secs()).unwrap();
        assert!(told <= seconds, "{told} lines in {seconds} s");
    }

    #[test]
    fn a_line_says_how_many_had_none() {
        let refusals = Refusals::default();
        refusals.tell();
        let mut silent = 0;
        let untold = loop {
            match refusals.tell() {
                Some(untold) => break untold,
                None => silent += 1,
            }
            std::thread::park_timeout(Duration::from_millis(20));
        };
        assert_eq!(untold, silent);
    }
}
