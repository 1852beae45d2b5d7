//! The writer's queue: bounded in bytes, because a count says nothing about 256 KB bodies.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Stopwatch;

use super::error::StoreError;

/// Something that takes room in the queue.
pub(super) trait Weight {
    /// Bytes, roughly.
    fn weight(&self) -> usize;
    /// Whether nobody waits for an answer to it. Such items let the others pass.
    fn is_told(&self) -> bool;
}

/// How many items that nobody waits for come in a batch at most while others are waited for now and then, and how many
/// for each of these in it: who comes next waits for no more than these, and under full load they keep up.
pub(super) const TOLD: usize = 32;
const TOLD_PER_ASKED: usize = 8;
/// How long after somebody has waited another one is expected.
const LATELY: Duration = Duration::from_secs(1);

struct Inner<T> {
    /// Items that somebody waits for.
    asked: VecDeque<T>,
    /// Items that nobody waits for.
    told: VecDeque<T>,
    bytes: usize,
    closed: bool,
    nudged: bool,
    /// Since the last item came that somebody waits for.
    last_asked: Option<Stopwatch>,
}

impl<T> Inner<T> {
    fn len(&self) -> usize {
        self.asked.len() + self.told.len()
    }

    fn is_asked_lately(&self) -> bool {
        self.last_asked.is_some_and(|last| last.elapsed() < LATELY)
    }
}

/// A queue between many threads and the writer: first in, first out, for either kind of items.
pub(super) struct Queue<T> {
    inner: Mutex<Inner<T>>,
    filled: Condvar,
    limit: usize,
}

/// What a wait for work ended with.
pub(super) enum Taken<T> {
    /// Some work, in order of arrival. Empty after a nudge or when the time was up.
    Items(Vec<T>),
    /// The queue was closed and is empty.
    Closed,
}

impl<T: Weight> Queue<T> {
    pub(super) fn new(limit: usize) -> Self {
        let (asked, told) = (VecDeque::new(), VecDeque::new());
        let inner = Inner { asked, told, bytes: 0, closed: false, nudged: false, last_asked: None };
        Self { inner: Mutex::new(inner), filled: Condvar::new(), limit }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item, unless the queue is full or closed; then the item is dropped.
    pub(super) fn push(&self, item: T) -> Result<(), StoreError> {
        let weight = item.weight();
        let mut inner = self.lock();
        if inner.closed {
            return Err(StoreError::Stopping);
        }
        if inner.bytes > 0 && inner.bytes + weight > self.limit {
            return Err(StoreError::Overloaded);
        }
        self.add(&mut inner, item, weight);
        Ok(())
    }

    /// Adds an item whatever the fill: for what must not be lost and is bounded elsewhere (outcomes).
    /// Refused only when the queue is closed; the item comes back.
    pub(super) fn push_always(&self, item: T) -> Result<(), T> {
        let weight = item.weight();
        let mut inner = self.lock();
        if inner.closed {
            return Err(item);
        }
        self.add(&mut inner, item, weight);
        Ok(())
    }

    fn add(&self, inner: &mut Inner<T>, item: T, weight: usize) {
        inner.bytes += weight;
        if item.is_told() {
            inner.told.push_back(item);
        } else {
            inner.last_asked = Some(Stopwatch::start());
            inner.asked.push_back(item);
        }
        // The writer may also rest, and waits for the first that is asked.
        if inner.len() == 1 || inner.asked.len() == 1 {
            self.filled.notify_one();
        }
    }

    /// Wakes the writer although nothing was added.
    pub(super) fn nudge(&self) {
        self.lock().nudged = true;
        self.filled.notify_one();
    }

    /// No more pushes; what is in the queue is still taken.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
    }

    /// No more pushes, and what waits is dropped: whoever waits for it is told that nobody will take it.
    pub(super) fn abandon(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.bytes = 0;
        let dropped = (std::mem::take(&mut inner.asked), std::mem::take(&mut inner.told));
        drop(inner);
        drop(dropped);
    }

    /// Waits for work (at most `patience`, for ever when `None`) and takes from the front until `last(item)`
    /// says that a batch ends here, or `max` items or `max_bytes` are reached. What nobody waits for comes first, as
    /// far as it has room.
    pub(super) fn take(
        &self,
        patience: Option<Duration>,
        max: usize,
        max_bytes: usize,
        last: impl Fn(&T) -> bool,
    ) -> Taken<T> {
        let mut inner = self.lock();
        while inner.len() == 0 && !inner.closed && !inner.nudged {
            inner = match patience {
                None => self.filled.wait(inner).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let (guard, result) =
                        self.filled.wait_timeout(inner, patience).unwrap_or_else(PoisonError::into_inner);
                    inner = guard;
                    if result.timed_out() {
                        break;
                    }
                    inner
                }
            };
        }
        inner.nudged = false;
        if inner.len() == 0 && inner.closed {
            return Taken::Closed;
        }
        let mut batch = Vec::with_capacity(inner.len().min(max));
        let mut bytes = 0;
        let asked = inner.asked.len();
        // Half of a batch is for those who wait, however many there are.
        let told = match asked {
            0 if inner.is_asked_lately() => TOLD,
            0 => max,
            _ => TOLD_PER_ASKED * asked,
        };
        let told = told.min(if asked > 0 { max.div_ceil(2) } else { max });
        while batch.len() < told && bytes < max_bytes / 2 {
            let Some(item) = inner.told.pop_front() else { break };
            bytes += item.weight();
            batch.push(item);
        }
        while batch.len() < max && bytes < max_bytes {
            let Some(item) = inner.asked.pop_front() else { break };
            bytes += item.weight();
            let ends = last(&item);
            batch.push(item);
            if ends {
                break;
            }
        }
        inner.bytes = inner.bytes.saturating_sub(bytes);
        Taken::Items(batch)
    }

    /// Whether somebody waits for an answer, or did a moment ago.
    pub(super) fn is_asked_lately(&self) -> bool {
        let inner = self.lock();
        !inner.asked.is_empty() || inner.is_asked_lately()
    }

    /// Whether somebody waits for an answer.
    pub(super) fn is_asked(&self) -> bool {
        !self.lock().asked.is_empty()
    }

    /// Waits until somebody waits for an answer, at most this long.
    pub(super) fn rest(&self, patience: Duration) {
        let busy = |inner: &mut Inner<T>| inner.asked.is_empty() && !inner.closed;
        drop(self.filled.wait_timeout_while(self.lock(), patience, busy));
    }

    /// Bytes and items waiting.
    pub(super) fn load(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.bytes, inner.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Weight for usize {
        fn weight(&self) -> usize {
            *self
        }
        fn is_told(&self) -> bool {
            self.is_multiple_of(2)
        }
    }

    fn take(queue: &Queue<usize>) -> Vec<usize> {
        match queue.take(Some(Duration::ZERO), 10, 100, |item| *item == 7) {
            Taken::Items(items) => items,
            Taken::Closed => vec![999],
        }
    }

    #[test]
    fn is_bounded_in_bytes_but_takes_one_item_of_any_size() {
        let queue = Queue::new(10);
        assert!(queue.push(50).is_ok());
        assert!(matches!(queue.push(1), Err(StoreError::Overloaded)));
        assert_eq!(take(&queue), [50]);
        assert!(queue.push(10).is_ok());
        assert!(queue.push_always(5).is_ok(), "outcomes always fit");
    }

    #[test]
    fn a_batch_ends_with_the_item_that_says_so() {
        let queue = Queue::new(1000);
        for item in [1, 7, 3] {
            queue.push(item).unwrap();
        }
        assert_eq!(take(&queue), [1, 7]);
        assert_eq!(take(&queue), [3]);
    }

    #[test]
    fn who_waits_is_not_behind_all_that_nobody_waits_for() {
        let queue = Queue::new(100_000);
        let batch = |max| match queue.take(Some(Duration::ZERO), max, 100_000, |_| false) {
            Taken::Items(items) => items,
            Taken::Closed => Vec::new(),
        };
        for _ in 0..600 {
            queue.push(2).unwrap();
        }
        assert_eq!(batch(300).len(), 300, "nobody waits, nor has");
        queue.push(1).unwrap();
        let first = batch(1_000);
        assert_eq!((first.len(), first.last()), (TOLD_PER_ASKED + 1, Some(&1)));
        assert_eq!(batch(1_000).len(), TOLD);
        for _ in 0..20 {
            queue.push(1).unwrap();
        }
        assert_eq!(batch(10), [2, 2, 2, 2, 2, 1, 1, 1, 1, 1], "half of a batch each");
    }

    #[test]
    fn an_abandoned_queue_keeps_and_takes_nothing() {
        let queue = Queue::new(1000);
        queue.push(1).unwrap();
        queue.abandon();
        assert_eq!(queue.load(), (0, 0));
        assert!(matches!(queue.push(2), Err(StoreError::Stopping)));
    }

    #[test]
    fn a_closed_queue_gives_what_it_has_and_refuses_more() {
        let queue = Queue::new(1000);
        queue.push(1).unwrap();
        queue.close();
        assert!(matches!(queue.push(2), Err(StoreError::Stopping)));
        assert_eq!(queue.push_always(3), Err(3));
        assert_eq!(take(&queue), [1]);
        assert_eq!(take(&queue), [999]);
    }
}
