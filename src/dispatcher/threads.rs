//! Delivery threads, and the supervisor.
//!
//! A thread takes a job, sends it, tells what happened and takes the next. With nothing to do it waits, and ends
//! after [`IDLE_LIFE`]. Who went idle last is woken first, so that the others can end. A new one is started only
//! when a job has waited for [`STARVING`] with nobody idle, nor on the way: one thread for each ready job would be far
//! too many, and where the processors are taken a thread that was started comes late. Where
//! [`BUSY`] attempts began a moment ago, threads are not what is missing: attempts come faster than 3,200 a second, and
//! more threads would mostly wait for a processor and take memory. A job then waits for [`STARVING_BUSY`].

use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::domain::ids::{DeliveryId, EndpointId};
use crate::store::directory::Route;
use crate::store::handover::{Express, Job};
use crate::store::outcome::Outcome;
use crate::store::times::SteadyMs;

use super::{AWAKE, Dispatcher, Inner, Started, attempt};

const IDLE_LIFE: Duration = Duration::from_secs(10);
const STARVING: Duration = Duration::from_millis(1);
const STARVING_BUSY: Duration = Duration::from_millis(100);
/// So many attempts under way that have begun within the last [`YOUNG`]. Those of slow receivers are older.
const BUSY: usize = 64;
const YOUNG: Duration = Duration::from_millis(20);
/// When to try again after the system has refused a thread.
const GROW_AGAIN: Duration = Duration::from_secs(1);
/// Threads above the cap, for `POST /endpoints/{id}/test`, which goes beside all queues.
const EXPRESS_THREADS: usize = 32;
/// A delivery thread's stack: TLS handshakes are the deepest that happens on it.
const STACK: usize = 512 * 1024;

enum Task {
    Deliver(Job, Arc<Route>),
    Express(Express),
}

enum Next {
    Task(Task),
    Wait,
    /// The server stops.
    End,
}

/// What a thread has sent, to be told to the book and then to the store.
struct Told {
    delivery: DeliveryId,
    endpoint: EndpointId,
    /// `None`: the server's stop has cut it. It stays pending, and is sent at the next start.
    outcome: Option<Outcome>,
}

/// The place of a delivery thread among those that there may be: free again when the thread ends, however it does.
struct Place<'a>(&'a Dispatcher);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.lock().threads -= 1;
        self.0.quiet.notify_all();
    }
}

impl Dispatcher {
    /// After the book has changed: wakes a thread if there is work, and the supervisor if it sleeps too long.
    pub(super) fn after_change(&self, inner: &mut Inner) {
        if has_work(inner) {
            match inner.idle.pop() {
                Some(thread) => thread.unpark(),
                None => self.signal.notify_all(),
            }
        }
        // Also when there is work: who takes it may be away for as long as a receiver hangs.
        if inner.book.next_tick().is_some_and(|at| at < inner.sleeps_until) {
            self.signal.notify_all();
        }
        self.quiet.notify_all();
    }

    fn next_task(self: &Arc<Self>, inner: &mut Inner, started: &Started, now: SteadyMs) -> Option<Task> {
        if let Some(express) = inner.express.pop_front() {
            return Some(Task::Express(express));
        }
        let resolved = |route: &Route| match &route.target {
            Ok(target) => started.courier.prepare(target, self.waker(route.id)),
            // The attempt says why.
            Err(_) => true,
        };
        let (job, route) = inner.book.take(now, resolved)?;
        inner.begun.insert(job.delivery, Stopwatch::start());
        Some(Task::Deliver(job, route))
    }

    /// Called by the resolver, on a thread of its own, when the name of the endpoint's target is known.
    fn waker(self: &Arc<Self>, endpoint: EndpointId) -> Box<dyn FnOnce() + Send> {
        let dispatcher = Arc::downgrade(self);
        Box::new(move || {
            if let Some(dispatcher) = dispatcher.upgrade() {
                let now = dispatcher.now();
                let mut inner = dispatcher.lock();
                inner.book.resolved(endpoint, now);
                dispatcher.after_change(&mut inner);
            }
        })
    }

    /// A delivery thread's life.
    fn work(self: &Arc<Self>, started: &Started) {
        let _place = Place(self);
        self.lock().coming = false;
        let mut sent: Option<Told> = None;
        loop {
            let next = self.next(started, sent.as_ref());
            // Before the next attempt, which may hang.
            if let Some(outcome) = sent.take().and_then(|told| told.outcome) {
                started.service.store().settle(outcome);
            }
            match next {
                Next::Task(Task::Deliver(job, route)) => {
                    let outcome = attempt::run(started, &job, &route);
                    sent = Some(Told { delivery: job.delivery, endpoint: job.endpoint, outcome });
                }
                Next::Task(Task::Express(express)) => attempt::express(started, express),
                Next::Wait if self.wait_for_work() => {}
                Next::Wait | Next::End => break,
            }
        }
    }

    /// What a thread does next. In the same hold of the lock, which all threads want, as what it has sent is told.
    fn next(self: &Arc<Self>, started: &Started, sent: Option<&Told>) -> Next {
        let now = self.now();
        let mut inner = self.lock();
        if let Some(told) = sent {
            inner.begun.remove(&told.delivery);
            inner.book.reported(told.delivery, told.endpoint, now);
        }
        if inner.stopping {
            return Next::End;
        }
        let task = self.next_task(&mut inner, started, now);
        if task.is_none() {
            inner.idle.push(std::thread::current());
        }
        want_page(&mut inner, started);
        self.after_change(&mut inner);
        task.map_or(Next::Wait, Next::Task)
    }

    /// Waits on the idle stack. `false`: nobody came for a while, or the server stops; the thread is to end.
    fn wait_for_work(&self) -> bool {
        let me = std::thread::current().id();
        let watch = Stopwatch::start();
        loop {
            std::thread::park_timeout(watch.left(IDLE_LIFE));
            let mut inner = self.lock();
            if inner.stopping {
                return false;
            }
            let Some(at) = inner.idle.iter().position(|thread| thread.id() == me) else { return true };
            if watch.left(IDLE_LIFE).is_zero() {
                inner.idle.remove(at);
                return false;
            }
        }
    }

    /// The supervisor's life: keeps the time, and starts threads where they are missing.
    fn supervise(self: &Arc<Self>, started: &Started) {
        let mut inner = self.lock();
        while !inner.stopping {
            inner.book.tick(self.now());
            inner.turns += 1;
            self.quiet.notify_all();
            want_page(&mut inner, started);
            if self.may_grow(&inner) {
                inner = self.grow_if_starved(inner);
                // The time of a job, or a stop, may have come meanwhile.
                continue;
            }
            if has_work(&inner)
                && let Some(thread) = inner.idle.pop()
            {
                thread.unpark();
            }
            let next = inner.book.next_tick();
            inner.sleeps_until = next.unwrap_or(SteadyMs(i64::MAX));
            let due = next.map(|at| started.service.store().times().monotonic_of(at));
            let patience = due.and_then(|due| self.clock.sleep_until(due));
            inner = match patience {
                Some(patience) => {
                    self.signal.wait_timeout(inner, patience).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.signal.wait(inner).unwrap_or_else(PoisonError::into_inner),
            };
            inner.sleeps_until = AWAKE;
        }
    }

    fn may_grow(&self, inner: &Inner) -> bool {
        is_starved(inner) && !inner.coming && inner.threads < self.max_threads + EXPRESS_THREADS
    }

    /// Gives a job a moment to find a thread, and starts another if it does not.
    fn grow_if_starved<'a>(self: &'a Arc<Self>, mut inner: MutexGuard<'a, Inner>) -> MutexGuard<'a, Inner> {
        let watch = Stopwatch::start();
        loop {
            let patience = if is_busy(&inner) { STARVING_BUSY } else { STARVING };
            let left = watch.left(patience);
            if !is_starved(&inner) || left.is_zero() {
                break;
            }
            // Attempts may turn out to be slow ones meanwhile.
            let left = left.min(STARVING);
            inner = self.signal.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if self.may_grow(&inner) && !self.grow(&mut inner) {
            // The threads that there are go on meanwhile.
            inner = self.signal.wait_timeout(inner, GROW_AGAIN).unwrap_or_else(PoisonError::into_inner).0;
        }
        inner
    }

    /// Starts another thread, if the system lets it.
    fn grow(self: &Arc<Self>, inner: &mut Inner) -> bool {
        let dispatcher = Arc::clone(self);
        let thread =
            std::thread::Builder::new().name("delivery".to_owned()).stack_size(STACK).spawn(move || {
                if let Some(started) = dispatcher.started.get() {
                    dispatcher.work(started);
                }
            });
        match thread {
            Ok(_) => {
                inner.threads += 1;
                inner.coming = true;
                true
            }
            Err(error) => {
                tracing::warn!(%error, threads = inner.threads, "another delivery thread could not be started");
                false
            }
        }
    }
}

fn has_work(inner: &Inner) -> bool {
    !inner.express.is_empty() || inner.book.has_work()
}

/// Tells the writer that a page is wanted, unless it knows.
fn want_page(inner: &mut Inner, started: &Started) {
    if !inner.nudged && inner.book.wants_page().is_some() {
        inner.nudged = true;
        started.service.store().nudge();
    }
}

/// Whether a job waits and nobody is there to take it.
fn is_starved(inner: &Inner) -> bool {
    !inner.stopping && has_work(inner) && inner.idle.is_empty()
}

/// Whether attempts begin so fast that it is not threads that are missing.
fn is_busy(inner: &Inner) -> bool {
    let young = |begun: &&Stopwatch| begun.elapsed() < YOUNG;
    inner.threads >= BUSY && inner.begun.values().filter(young).count() >= BUSY
}

/// Starts the supervisor.
pub(super) fn supervise(dispatcher: &Arc<Dispatcher>) -> std::io::Result<JoinHandle<()>> {
    let dispatcher = Arc::clone(dispatcher);
    std::thread::Builder::new().name("dispatcher".to_owned()).spawn(move || {
        if let Some(started) = dispatcher.started.get() {
            dispatcher.supervise(started);
        }
    })
}
