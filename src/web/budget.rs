//! Memory that many share, counted in bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes of one kind may be in memory at once.
#[derive(Debug, Clone)]
pub struct Budget {
    left: Arc<AtomicUsize>,
    all: usize,
}

/// Bytes taken from a [`Budget`], given back when it is dropped.
#[derive(Debug)]
pub struct Taken {
    budget: Budget,
    bytes: usize,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self { left: Arc::new(AtomicUsize::new(bytes)), all: bytes }
    }

    /// Nothing as yet, to add to.
    pub fn open(&self) -> Taken {
        Taken { budget: self.clone(), bytes: 0 }
    }

    /// Whether so many bytes are there at this moment.
    pub fn has(&self, bytes: usize) -> bool {
        self.left.load(Ordering::Relaxed) >= bytes
    }

    /// So many bytes, or all of it for what is larger; nothing if they are not there.
    pub fn take(&self, bytes: usize) -> Option<Taken> {
        let mut taken = self.open();
        taken.add(bytes.min(self.all)).then_some(taken)
    }
}

impl Taken {
    /// Takes more; whether it was there.
    #[must_use]
    pub fn add(&mut self, bytes: usize) -> bool {
        let left = &self.budget.left;
        let taken =
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok();
        if taken {
            self.bytes += bytes;
        }
        taken
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.budget.left.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_gets_back_what_was_taken() {
        let budget = Budget::new(10);
        let mut one = budget.open();
        assert!(one.add(6) && one.add(4));
        assert!(!budget.open().add(1));
        drop(one);
        assert!(budget.open().add(10));
        assert!(budget.open().add(10));
    }

    #[test]
    fn what_is_larger_than_the_budget_takes_all_of_it() {
        let budget = Budget::new(10);
        let all = budget.take(11).unwrap();
        assert!(budget.take(1).is_none() && !budget.has(1));
        drop(all);
        assert!(budget.has(10) && !budget.has(11));
        assert!(budget.take(1).is_some() && budget.take(10).is_some());
        let one = budget.take(1);
        assert!(budget.take(11).is_none());
        drop(one);
    }
}
