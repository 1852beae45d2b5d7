//! Long work that the writer does in small turns: who is next.

use std::collections::VecDeque;

/// What a turn came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// There is more to do.
    More,
    /// There is more to do, and something else has to happen first: a commit, after which it is looked at again.
    Blocked,
    /// All is done.
    Over,
}

/// Jobs that are not over, in turn.
#[derive(Debug)]
pub(super) struct Jobs<T> {
    ready: VecDeque<T>,
    blocked: Vec<T>,
}

impl<T: Copy + PartialEq> Jobs<T> {
    /// Those that a stop has left unfinished.
    pub(super) fn of(found: Vec<T>) -> Self {
        Self { ready: found.into(), blocked: Vec::new() }
    }

    /// A job was committed.
    pub(super) fn add(&mut self, job: T) {
        self.ready.push_back(job);
    }

    /// The job whose turn it is; it goes to the end of the queue.
    pub(super) fn next(&mut self) -> Option<T> {
        let job = self.ready.pop_front()?;
        self.ready.push_back(job);
        Some(job)
    }

    /// Notes what a job's turn came to.
    pub(super) fn turned(&mut self, job: T, turn: Turn) {
        if turn == Turn::More {
            return;
        }
        self.ready.retain(|other| *other != job);
        if turn == Turn::Blocked {
            self.blocked.push(job);
        }
    }

    /// Something was committed: what was blocked may go on.
    pub(super) fn look_again(&mut self) {
        self.ready.extend(self.blocked.drain(..));
    }

    /// Whether a turn is worth its while now.
    pub(super) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_take_turns_and_a_blocked_one_rests_until_something_happens() {
        let mut jobs = Jobs::of(vec![1, 2]);
        assert_eq!((jobs.next(), jobs.next(), jobs.next()), (Some(1), Some(2), Some(1)));
        jobs.turned(1, Turn::Blocked);
        jobs.turned(2, Turn::Over);
        assert!(!jobs.is_ready() && jobs.next().is_none());
        jobs.add(3);
        jobs.look_again();
        assert_eq!((jobs.next(), jobs.next(), jobs.next()), (Some(3), Some(1), Some(3)));
    }
}
