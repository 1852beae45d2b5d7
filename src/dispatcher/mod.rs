//! Floor 3: the only threads that deliver, and the nightly cleanup.
//!
//! - [`book`]: the bookkeeping, a state machine without I/O.
//! - [`Dispatcher`]: the book behind a lock, told by the store's writer what was committed (`handover`).
//! - `threads`: delivery threads that grow and shrink, and the supervisor that starts them and keeps the time.
//! - `attempt`: one attempt: render, sign, send, and what is to be told about it.
//! - `nightly`: the cleanup's schedule. `alerts`: the thread that looks at alerts.

mod alerts;
mod attempt;
pub mod book;
mod handover;
mod nightly;
mod threads;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use crate::clock::{Clock, Stopwatch};
use crate::domain::ids::DeliveryId;
use crate::domain::target::Target;
use crate::sender::{Request, Sender, Sent};
use crate::service::Service;
use crate::service::metrics::DispatcherLoad;
use crate::store::StoreError;
use crate::store::handover::Express;
use crate::store::times::SteadyMs;

use book::{Book, Limits};

/// Bytes of payload in memory, and in a page.
const QUEUED_BYTES: usize = 16 * 1024 * 1024;
const PAGE_BYTES: usize = 2 * 1024 * 1024;
/// Outcomes that may wait for their commit; then nothing more is sent.
const OUTCOMES: usize = 256;
/// Before every time: the supervisor does not sleep.
const AWAKE: SteadyMs = SteadyMs(i64::MIN);

/// Who carries requests. [`Sender`] does; a test may have another.
pub trait Courier: Send + Sync {
    /// See [`Sender::prepare`].
    fn prepare(&self, target: &Target, wake: Box<dyn FnOnce() + Send>) -> bool;
    /// See [`Sender::send`].
    fn send(&self, request: &Request<'_>) -> Sent;
    /// See [`Sender::stop`].
    fn stop(&self);
}

impl Courier for Sender {
    fn prepare(&self, target: &Target, wake: Box<dyn FnOnce() + Send>) -> bool {
        Self::prepare(self, target, wake)
    }

    fn send(&self, request: &Request<'_>) -> Sent {
        Self::send(self, request)
    }

    fn stop(&self) {
        Self::stop(self);
    }
}

/// What all delivery threads share.
struct Inner {
    book: Book,
    express: VecDeque<Express>,
    /// Delivery threads that wait for work, the one that went idle last at the end.
    idle: Vec<Thread>,
    threads: usize,
    /// Of these: was started, and has not yet come to ask for work.
    coming: bool,
    /// When the attempts under way began.
    begun: HashMap<DeliveryId, Stopwatch>,
    /// Until when the supervisor sleeps, unless it is woken; [`AWAKE`] while it looks at the book by itself.
    sleeps_until: SteadyMs,
    /// The writer was told that a page is wanted, and has not looked yet.
    nudged: bool,
    /// How often the supervisor has looked at the book.
    turns: u64,
    stopping: bool,
}

/// What there is once the store is open.
struct Started {
    service: Arc<Service>,
    courier: Arc<dyn Courier>,
}

/// The dispatcher. Made before the store, which is told about it, and started after.
pub struct Dispatcher {
    inner: Mutex<Inner>,
    /// For the supervisor.
    signal: Condvar,
    /// For those who wait until nothing more happens.
    quiet: Condvar,
    clock: Arc<dyn Clock>,
    max_threads: usize,
    started: OnceLock<Started>,
    handles: Mutex<Vec<JoinHandle<()>>>,
    nightly: nightly::Nightly,
    alerting: alerts::Alerting,
}

impl Dispatcher {
    /// A dispatcher with at most `threads` requests in flight.
    pub fn new(threads: u16, clock: Arc<dyn Clock>) -> Arc<Self> {
        let max_threads = usize::from(threads.max(1));
        let limits =
            Limits { threads: max_threads, bytes: QUEUED_BYTES, page_bytes: PAGE_BYTES, outcomes: OUTCOMES };
        let inner = Inner {
            book: Book::new(limits),
            express: VecDeque::new(),
            idle: Vec::new(),
            threads: 0,
            coming: false,
            begun: HashMap::new(),
            sleeps_until: AWAKE,
            nudged: false,
            turns: 0,
            stopping: false,
        };
        Arc::new(Self {
            inner: Mutex::new(inner),
            signal: Condvar::new(),
            quiet: Condvar::new(),
            clock,
            max_threads,
            started: OnceLock::new(),
            handles: Mutex::new(Vec::new()),
            nightly: nightly::Nightly::default(),
            alerting: alerts::Alerting::default(),
        })
    }

    /// Takes over the endpoints of the file and begins to send what is due.
    ///
    /// # Errors
    /// The file cannot be read, or no thread can be started.
    pub fn start(
        self: &Arc<Self>,
        service: Arc<Service>,
        courier: Arc<dyn Courier>,
    ) -> Result<(), StoreError> {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method itself has one lifetime only"
        )]
        let paces = service.store().read(|reader| reader.paces())?;
        let routes = service.store().directory().all();
        if self.started.set(Started { service, courier }).is_err() {
            return Ok(());
        }
        let watched = Arc::downgrade(self);
        if let Some(started) = self.started.get() {
            let probe = move || watched.upgrade().map(|dispatcher| dispatcher.figures());
            started.service.watch_dispatcher(Box::new(probe));
        }
        let now = self.now();
        let mut inner = self.lock();
        for route in routes {
            let pace = paces.get(&route.id).copied().unwrap_or_default();
            inner.book.found(route, pace, now);
        }
        drop(inner);
        let on_move = Arc::downgrade(self);
        self.clock.on_move(Arc::new(move || {
            if let Some(dispatcher) = on_move.upgrade() {
                // Under the lock, so that a supervisor that has looked at the clock already sleeps.
                let inner = dispatcher.lock();
                dispatcher.signal.notify_all();
                drop(inner);
                dispatcher.nightly.wake();
                dispatcher.alerting.wake();
            }
        }));
        let failed = |error: std::io::Error| {
            StoreError::Unavailable(format!("a thread could not be started: {error}"))
        };
        let supervisor = threads::supervise(self).map_err(failed)?;
        let nightly = nightly::start(self).map_err(failed)?;
        alerts::start(self).map_err(failed)?;
        self.handles.lock().unwrap_or_else(PoisonError::into_inner).extend([supervisor, nightly]);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> SteadyMs {
        self.started.get().map_or(SteadyMs(0), |started| started.service.store().times().steady())
    }

    /// Requests in flight, outcomes that wait for their commit, and delivery threads.
    pub fn load(&self) -> (usize, usize, usize) {
        let inner = self.lock();
        let (in_flight, outcomes) = inner.book.under_way();
        (in_flight, outcomes, inner.threads)
    }

    /// What it is at, for `/metrics`.
    fn figures(&self) -> DispatcherLoad {
        let inner = self.lock();
        let (in_flight, unrecorded) = inner.book.under_way();
        let (queued, queued_bytes) = inner.book.queued();
        let (threads, max_threads) = (inner.threads, self.max_threads);
        let waits = inner.book.waits();
        DispatcherLoad { queued, queued_bytes, in_flight, unrecorded, threads, max_threads, waits }
    }

    /// Whether the stop has begun: nothing new starts.
    pub fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    /// Whether the supervisor looks at the book when it is told to, within `patience` of real time. Also while it stops:
    /// there is nothing more to be seen then.
    pub fn turns(&self, patience: Duration) -> bool {
        let watch = Stopwatch::start();
        let mut inner = self.lock();
        let before = inner.turns;
        while inner.turns == before && !inner.stopping {
            let left = watch.left(patience);
            if left.is_zero() {
                return false;
            }
            self.signal.notify_all();
            inner = self.quiet.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Blocks until nothing is in flight and nothing is due, at most `patience` of real time; whether it came to
    /// that. For whoever moves the clock and then wants to see what follows: tests, and the demonstration.
    pub fn wait_until_quiet(&self, patience: Duration) -> bool {
        let watch = Stopwatch::start();
        let mut inner = self.lock();
        loop {
            let now = self.now();
            inner.book.tick(now);
            if inner.express.is_empty() && inner.book.is_settled(now) {
                return true;
            }
            let left = watch.left(patience);
            if left.is_zero() {
                return false;
            }
            // What is awaited may come from the writer, which knows nothing of this wait.
            let slice = left.min(Duration::from_millis(5));
            inner = self.quiet.wait_timeout(inner, slice).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Blocks until no delivery thread is left, at most `patience` of real time; whether it came to that.
    pub fn wait_until_threads_end(&self, patience: Duration) -> bool {
        let idle = |inner: &mut Inner| inner.threads > 0;
        let waited = self.quiet.wait_timeout_while(self.lock(), patience, idle);
        waited.unwrap_or_else(PoisonError::into_inner).0.threads == 0
    }

    /// Stops: nothing new starts; what is in flight may finish for `patience` and is cut then. What finished is
    /// handed to the store. May be called twice.
    pub fn stop(&self, patience: Duration) {
        let watch = Stopwatch::start();
        let mut inner = self.lock();
        inner.stopping = true;
        inner.book.halt(true);
        inner.express.clear();
        for thread in inner.idle.drain(..) {
            thread.unpark();
        }
        self.signal.notify_all();
        self.nightly.stop();
        while inner.threads > 0 && !watch.left(patience).is_zero() {
            inner = self
                .quiet
                .wait_timeout(inner, watch.left(patience))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        let cut = inner.threads;
        drop(inner);
        if let Some(started) = self.started.get() {
            if cut > 0 {
                tracing::warn!(
                    deliveries = cut,
                    "cut while in flight; they are sent again at the next start"
                );
            }
            started.courier.stop();
        }
        let mut inner = self.lock();
        // Cut calls end within moments; a connect in progress may take until its deadline, and is left behind.
        let watch = Stopwatch::start();
        while inner.threads > 0 && !watch.left(Duration::from_secs(1)).is_zero() {
            let left = watch.left(Duration::from_secs(1));
            inner = self.quiet.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(inner);
        self.alerting.stop();
        for handle in self.handles.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            if handle.join().is_err() {
                tracing::error!("a thread of the dispatcher had panicked");
            }
        }
    }
}
