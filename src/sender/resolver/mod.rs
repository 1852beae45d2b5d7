//! Names to addresses, without making a delivery wait: a cache in front of a few threads that ask the system.
//!
//! Threads start when a name waits and all others are busy, and end when they have been idle for 10 s, down to 4.
//! 64 are enough for any number of names that get answers. A name that has waited for 100 ms all the same waits for
//! names that hang, and gets a thread of its own, up to [`Resolver::new`]'s limit: so names whose servers never
//! answer do not delay others. What is remembered for how long is the [`cache`]'s.

mod cache;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use self::cache::{Cache, Waker};
pub(super) use self::cache::{Known, Unresolved};
use super::failure::{Failure, FailureKind};
use super::keeper::Alarm;
use super::lookup::{Lookup, LookupError};
use super::wire::Deadline;
use crate::clock::Stopwatch;
use crate::panics;

const MIN_THREADS: usize = 4;
/// Threads that start at once.
const PROMPT_THREADS: usize = 64;
/// How long a name may wait for one of them.
const PATIENCE: Duration = Duration::from_millis(100);
const IDLE: Duration = Duration::from_secs(10);
/// getaddrinfo and the modules that it loads are content with this.
const STACK: usize = 512 * 1024;

/// The cache and its threads.
pub(super) struct Resolver {
    lookup: Arc<dyn Lookup>,
    watch: Stopwatch,
    alarm: Arc<Alarm>,
    max_threads: usize,
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    cache: Cache,
    /// Names that wait for a thread, and since when.
    queue: VecDeque<(Duration, Arc<str>)>,
    threads: usize,
    idle: usize,
    stopped: bool,
}

impl Unresolved {
    /// What that means for a request to `name`.
    pub(super) fn failure(self, name: &str) -> Failure {
        match self.error {
            LookupError::NoSuchName => Failure::new(
                FailureKind::NameNotFound,
                format!("no such name: {name} does not exist or has no address"),
            ),
            LookupError::Temporary(why) if self.silent => Failure::new(
                FailureKind::ResolverSilent,
                format!("this machine's resolver answers for no name at all ({name}: {why}); check its DNS"),
            ),
            LookupError::Temporary(why) => {
                Failure::new(FailureKind::ResolverTrouble, format!("could not resolve {name}: {why}"))
            }
        }
    }
}

impl Resolver {
    /// `hanging`: how many names may hang at once without delaying others.
    pub(super) fn new(lookup: Arc<dyn Lookup>, alarm: Arc<Alarm>, hanging: usize) -> Arc<Self> {
        let watch = Stopwatch::start();
        let max_threads = PROMPT_THREADS + hanging;
        Arc::new(Self { lookup, watch, alarm, max_threads, state: Mutex::default(), work: Condvar::new() })
    }

    /// What is known about `name`; otherwise it is being looked up, and `wake` is called once when that ends.
    pub(super) fn ask(self: &Arc<Self>, name: &str, wake: Option<Waker>) -> Option<Known> {
        let now = self.watch.elapsed();
        let mut state = self.lock();
        if state.stopped {
            let error = LookupError::Temporary("Postrider is stopping".to_owned());
            return Some(Err(Unresolved { error, silent: true }));
        }
        let asked = state.cache.ask(name, now);
        if let Some(name) = asked.start {
            self.start(&mut state, name);
        }
        if let Some(wake) = wake.filter(|_| asked.known.is_none()) {
            state.cache.wait(name, wake);
        }
        asked.known
    }

    /// Waits for what is known about `name`, until the deadline; `None` when that passed.
    pub(super) fn wait(self: &Arc<Self>, name: &str, deadline: Deadline) -> Option<Known> {
        if let Some(known) = self.ask(name, None) {
            return Some(known);
        }
        loop {
            let (wake, woken) = mpsc::sync_channel(1);
            // The receiver may be gone by then; nobody waits any more.
            let wake = move || wake.try_send(()).unwrap_or_default();
            if let Some(known) = self.ask(name, Some(Box::new(wake))) {
                return Some(known);
            }
            let left = deadline.left()?;
            if woken.recv_timeout(left).is_err() {
                return None;
            }
        }
    }

    /// Gives up on what takes too long, and helps names that wait behind it; when to come again.
    pub(super) fn tick(self: &Arc<Self>) -> Option<Duration> {
        let now = self.watch.elapsed();
        let mut state = self.lock();
        let (wakers, next) = state.cache.give_up(now);
        let relief = self.relieve(&mut state, now);
        drop(state);
        call(wakers);
        [next, relief].into_iter().flatten().min()
    }

    /// Gives threads of their own to names that have waited for too long; when the next one will have.
    fn relieve(self: &Arc<Self>, state: &mut State, now: Duration) -> Option<Duration> {
        while (PROMPT_THREADS..self.max_threads).contains(&state.threads) {
            let (since, name) = state.queue.front()?;
            let left = PATIENCE.saturating_sub(now.saturating_sub(*since));
            if !left.is_zero() {
                return Some(left);
            }
            if !self.spawn(state, Some(Arc::clone(name))) {
                return Some(PATIENCE);
            }
            state.queue.pop_front();
        }
        None
    }

    /// Ends the threads as soon as they come back, and wakes everyone who waits.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        state.queue.clear();
        let wakers = state.cache.all_wakers();
        drop(state);
        self.work.notify_all();
        call(wakers);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(self: &Arc<Self>, state: &mut State, name: Arc<str>) {
        state.queue.push_back((self.watch.elapsed(), name));
        self.alarm.poke();
        if state.idle >= state.queue.len() {
            self.work.notify_one();
        } else if state.threads < PROMPT_THREADS {
            self.spawn(state, None);
        }
    }

    /// Starts a thread, with a name to begin with or with whichever comes next.
    fn spawn(self: &Arc<Self>, state: &mut State, first: Option<Arc<str>>) -> bool {
        let this = Arc::clone(self);
        let thread = thread::Builder::new().name("resolver".to_owned()).stack_size(STACK);
        match thread.spawn(move || this.work(first)) {
            Ok(_) => state.threads += 1,
            // The name waits for another thread, or is given up on after its 5 s.
            Err(error) => {
                tracing::warn!(%error, "cannot start a thread that resolves names");
                return false;
            }
        }
        true
    }

    fn work(self: Arc<Self>, first: Option<Arc<str>>) {
        let mut next = first.or_else(|| self.next());
        while let Some(name) = next {
            let found = panics::caught(|| self.lookup.lookup(&name))
                .unwrap_or_else(|_| Err(LookupError::Temporary("the lookup failed unexpectedly".to_owned())));
            self.settle(&name, found);
            next = self.next();
        }
    }

    /// Takes in what was found out about a name, whoever asked.
    pub(super) fn settle(self: &Arc<Self>, name: &Arc<str>, found: Result<Vec<IpAddr>, LookupError>) {
        let now = self.watch.elapsed();
        let mut state = self.lock();
        let (wakers, probe) = state.cache.settle(name, found, now);
        if let Some(probe) = probe.filter(|_| !state.stopped) {
            self.start(&mut state, probe);
        }
        drop(state);
        call(wakers);
    }

    /// The next name to look up; `None` ends the thread.
    fn next(&self) -> Option<Arc<str>> {
        let mut state = self.lock();
        loop {
            if let Some((_, name)) = state.queue.pop_front() {
                return Some(name);
            }
            if state.stopped {
                state.threads -= 1;
                return None;
            }
            state.idle += 1;
            let (woken, waited) = self.work.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if waited.timed_out() && state.queue.is_empty() && state.threads > MIN_THREADS {
                state.threads -= 1;
                return None;
            }
        }
    }
}

fn call(wakers: Vec<Waker>) {
    for wake in wakers {
        wake();
    }
}
