//! What a connection and the requests on it tell each other, so that nothing is read before somebody wants it.
//!
//! The HTTP library reads ahead: it makes requests of all that has come, however many, while the first of them is
//! answered, and reads on behind a body that nobody wants. [`super::connection`] asks here before it reads.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;

/// Shared by a connection and the request that is being answered on it.
#[derive(Debug, Default)]
pub(super) struct Flow {
    phase: Cell<Phase>,
    /// Requests so far: a change tells the connection that a head was complete.
    begun: Cell<u64>,
    /// Whether the request has a body that was not read to its end.
    unread: Cell<bool>,
    /// Whose read waits for the end of the work.
    waiting: RefCell<Option<Waker>>,
}

/// What comes next on the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Phase {
    /// The head of a request.
    #[default]
    Head,
    /// Nothing before the answer.
    Work,
    /// The body, for which a handler waits.
    Body,
    /// The rest of a body that nobody wants.
    Rest,
}

impl Flow {
    pub(super) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// How many requests have begun.
    pub(super) fn begun(&self) -> u64 {
        self.begun.get()
    }

    /// Wakes this one when the phase is another.
    pub(super) fn wait(&self, waker: &Waker) {
        *self.waiting.borrow_mut() = Some(waker.clone());
    }

    fn turn_to(&self, phase: Phase) {
        self.phase.set(phase);
        if phase != Phase::Work
            && let Some(waiting) = self.waiting.take()
        {
            waiting.wake();
        }
    }

    /// A request has come, with a body or without; its answer is ready when this is dropped.
    pub(super) fn begin(self: &Rc<Self>, body: bool) -> Work {
        self.begun.set(self.begun.get() + 1);
        self.unread.set(body);
        self.turn_to(Phase::Work);
        Work(Rc::clone(self))
    }

    /// The body is being read, until this is dropped.
    pub(super) fn read_body(self: &Rc<Self>) -> Reading {
        self.turn_to(Phase::Body);
        Reading(Rc::clone(self))
    }
}

/// A request is being answered.
#[derive(Debug)]
pub(super) struct Work(Rc<Flow>);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.turn_to(if self.0.unread.get() { Phase::Rest } else { Phase::Head });
    }
}

/// A handler waits for a body.
#[derive(Debug)]
pub(super) struct Reading(Rc<Flow>);

impl Reading {
    /// The body is complete.
    pub(super) fn complete(self) {
        self.0.unread.set(false);
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.turn_to(Phase::Work);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_was_read_is_followed_by_a_head_and_another_by_its_rest() {
        let flow = Rc::new(Flow::default());
        let work = flow.begin(true);
        assert_eq!(flow.phase(), Phase::Work);
        let reading = flow.read_body();
        assert_eq!(flow.phase(), Phase::Body);
        reading.complete();
        assert_eq!(flow.phase(), Phase::Work);
        drop(work);
        assert_eq!((flow.phase(), flow.begun()), (Phase::Head, 1));
        let work = flow.begin(true);
        drop(flow.read_body());
        drop(work);
        assert_eq!((flow.phase(), flow.begun()), (Phase::Rest, 2));
        drop(flow.begin(false));
        assert_eq!(flow.phase(), Phase::Head);
    }
}
