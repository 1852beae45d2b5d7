//! A scripted webhook receiver on a loopback port, with plain threads and sockets.
//!
//! One receiver serves many endpoints: each path has a script of its own (a queue of replies, then a standing
//! one), behind it a script for all paths, behind that a plain 200. It keeps what it got and counts what is in
//! flight. The `wait_…` functions block until something is so and fail the test, with what the receiver has
//! seen, after half a minute. Dropping it closes its connections and ends its threads; it fails the test if
//! something came that was not HTTP.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use postrider::clock::Stopwatch;

mod connection;
mod log;
mod reply;

use super::process::PATIENCE;
use log::Log;
pub use log::Received;
pub use reply::{Gate, Reply};

/// See the module.
#[derive(Debug)]
pub struct Receiver {
    shared: Arc<Shared>,
    address: SocketAddr,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    log: Mutex<Log>,
    changed: Condvar,
    stopping: Condvar,
    started: Stopwatch,
}

impl Receiver {
    /// A receiver that answers everything with 200, on a free port of 127.0.0.1.
    pub fn start() -> Self {
        Self::on("127.0.0.1:0")
    }

    /// The same on this address and port.
    pub fn on(address: &str) -> Self {
        let listener = TcpListener::bind(address).expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let shared = Arc::new(Shared {
            log: Mutex::default(),
            changed: Condvar::new(),
            stopping: Condvar::new(),
            started: Stopwatch::start(),
        });
        let accepting = Arc::clone(&shared);
        let acceptor = spawn("receiver", move || accept(&accepting, &listener));
        Self { shared, address, acceptor: Some(acceptor) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of `path`, which starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next request on any path without a script of its own is answered with this (they queue up).
    pub fn reply(&self, reply: Reply) {
        self.shared.change(|log| log.all.queue.push_back(reply));
    }

    /// The next request on `path` is answered with this (they queue up).
    pub fn reply_on(&self, path: &str, reply: Reply) {
        self.shared.change(|log| log.path(path).queue.push_back(reply));
    }

    /// Requests for which nothing is queued are answered with this.
    pub fn always(&self, reply: Reply) {
        self.shared.change(|log| log.all.always = Some(reply));
    }

    /// Requests on `path` for which nothing is queued there are answered with this.
    pub fn always_on(&self, path: &str, reply: Reply) {
        self.shared.change(|log| log.path(path).always = Some(reply));
    }

    /// What has come so far, in order.
    pub fn received(&self) -> Vec<Arc<Received>> {
        self.shared.lock().all.received.clone()
    }

    /// What has come so far on `path`, in order.
    pub fn received_on(&self, path: &str) -> Vec<Arc<Received>> {
        self.shared.lock().path(path).received.clone()
    }

    /// How many requests have come.
    pub fn count(&self) -> usize {
        self.shared.lock().all.received.len()
    }

    /// How many requests have come on `path`.
    pub fn count_on(&self, path: &str) -> usize {
        self.shared.lock().path(path).received.len()
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> usize {
        self.shared.lock().accepted
    }

    /// How many requests wait for the end of their answer.
    pub fn in_flight(&self) -> usize {
        let mut log = self.shared.lock();
        log.forget_who_left();
        log.all.in_flight
    }

    /// How many requests were in flight at once at most.
    pub fn peak(&self) -> usize {
        self.shared.lock().all.peak
    }

    /// How many requests on `path` were in flight at once at most.
    pub fn peak_on(&self, path: &str) -> usize {
        self.shared.lock().path(path).peak
    }

    /// Closes every connection, as a receiver that restarts does.
    pub fn drop_connections(&self) {
        for stream in self.shared.lock().connections.values() {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }

    /// Waits until at least `n` requests have come; answers all of them.
    #[track_caller]
    pub fn wait_for(&self, n: usize) -> Vec<Arc<Received>> {
        self.wait(&format!("{n} requests"), |log| {
            (log.all.received.len() >= n).then(|| log.all.received.clone())
        })
    }

    /// Waits until at least `n` requests have come on `path`; answers all of them.
    #[track_caller]
    pub fn wait_for_path(&self, path: &str, n: usize) -> Vec<Arc<Received>> {
        self.wait(&format!("{n} requests on {path}"), |log| {
            let track = log.path(path);
            (track.received.len() >= n).then(|| track.received.clone())
        })
    }

    /// Waits until at least `n` requests are in flight at once.
    #[track_caller]
    pub fn wait_in_flight(&self, n: usize) {
        self.wait(&format!("{n} requests in flight"), |log| (log.all.in_flight >= n).then_some(()));
    }

    /// Waits until nothing is in flight. A caller that leaves while its answer waits at a gate is not noticed.
    #[track_caller]
    pub fn wait_idle(&self) {
        self.wait("nothing in flight", |log| (log.all.in_flight == 0).then_some(()));
    }

    /// Waits until every connection has ended: what a caller that was killed had sent has all come then.
    #[track_caller]
    pub fn wait_disconnected(&self) {
        self.wait("its connections to end", |log| log.connections.is_empty().then_some(()));
    }

    /// Waits for the next request that this has not answered yet.
    #[track_caller]
    pub fn next(&self) -> Arc<Received> {
        self.wait("the next request", |log| log.all.take_next())
    }

    /// Waits for the next request on `path` that this has not answered yet.
    #[track_caller]
    pub fn next_on(&self, path: &str) -> Arc<Received> {
        self.wait(&format!("the next request on {path}"), |log| log.path(path).take_next())
    }

    #[track_caller]
    fn wait<T>(&self, what: &str, mut ready: impl FnMut(&mut Log) -> Option<T>) -> T {
        let waiting = Stopwatch::start();
        let mut log = self.shared.lock();
        loop {
            if let Some(found) = ready(&mut log) {
                return found;
            }
            let left = waiting.left(PATIENCE);
            if left.is_zero() {
                let seen = log.describe();
                drop(log);
                panic!("waited {PATIENCE:?} for {what}, but the receiver got {seen}");
            }
            log.waiters += 1;
            log = self.shared.changed.wait_timeout(log, left).unwrap_or_else(PoisonError::into_inner).0;
            log.waiters -= 1;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.change(Log::stop);
        self.shared.stopping.notify_all();
        // The acceptor looks at `stopped` when it has accepted this one.
        let _ = TcpStream::connect_timeout(&self.address, PATIENCE);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        if std::thread::panicking() {
            return;
        }
        self.wait_disconnected();
        let faults = std::mem::take(&mut self.shared.lock().faults);
        assert!(faults.is_empty(), "the receiver got something that is not HTTP: {faults:#?}");
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the log and wakes who waits for that.
    fn change<T>(&self, with: impl FnOnce(&mut Log) -> T) -> T {
        let mut log = self.lock();
        let result = with(&mut log);
        if log.waiters > 0 {
            self.changed.notify_all();
        }
        result
    }

    /// Keeps a request and says what to do with it; nothing when the receiver stops.
    fn begin(&self, request: Received, stream: &Arc<TcpStream>) -> Option<(usize, Reply)> {
        self.change(|log| (!log.stopped).then(|| log.begin(request, stream)))
    }

    /// Lets `time` pass. Fails when the receiver stops meanwhile.
    fn pause(&self, time: Duration) -> io::Result<()> {
        let waited = self.stopping.wait_timeout_while(self.lock(), time, |log| !log.stopped);
        let stopped = waited.unwrap_or_else(PoisonError::into_inner).0.stopped;
        if stopped { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

fn accept(shared: &Arc<Shared>, listener: &TcpListener) {
    loop {
        let (stream, _) = listener.accept().expect("the receiver can accept connections");
        stream.set_nodelay(true).expect("a socket can be set to send at once");
        let stream = Arc::new(stream);
        let Some(number) = shared.change(|log| log.connect(&stream)) else {
            break;
        };
        let shared = Arc::clone(shared);
        spawn("receiver connection", move || {
            connection::serve(&shared, &stream, number, Plain(&stream));
            shared.change(|log| log.connections.remove(&number));
        });
    }
}

/// A shared stream that reads and writes.
struct Plain<'a>(&'a TcpStream);

impl Read for Plain<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Plain<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let builder = std::thread::Builder::new().name(name.to_owned()).stack_size(256 * 1024);
    builder.spawn(work).expect("the receiver can start a thread")
}
