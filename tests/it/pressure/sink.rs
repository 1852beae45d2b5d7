//! A receiver that counts: one thread, and nothing is kept but how often each event has come.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use postrider::clock::Stopwatch;

const LISTENER: Token = Token(usize::MAX);

/// See the module.
pub struct Sink {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<HashMap<String, usize>>,
    /// Milliseconds from a request to its answer.
    delay: AtomicU64,
    stop: AtomicBool,
}

struct Line {
    stream: TcpStream,
    read: Vec<u8>,
    /// Bytes of a body that are still to come and are not kept.
    skip: usize,
    /// When the answer is due.
    due: Option<Duration>,
}

impl Sink {
    /// Answers everything with 200.
    pub fn start() -> Self {
        let listener = TcpListener::bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let running = Arc::clone(&shared);
        let thread = std::thread::spawn(move || run(&running, listener));
        Self { address, shared, thread: Some(thread) }
    }

    /// From now on each answer takes so long.
    pub fn delay(&self, delay: Duration) {
        let delay = u64::try_from(delay.as_millis()).expect("a short time");
        self.shared.delay.store(delay, Ordering::Relaxed);
    }

    /// How often this event has come.
    pub fn count_of(&self, event: &str) -> usize {
        self.lock().get(event).copied().unwrap_or_default()
    }

    /// How many events have come.
    pub fn events(&self) -> usize {
        self.lock().len()
    }

    /// The events that have come more than once.
    pub fn repeated(&self) -> Vec<String> {
        self.lock().iter().filter(|(_, times)| **times > 1).map(|(event, _)| event.clone()).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, usize>> {
        self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(shared: &Shared, mut listener: TcpListener) {
    let mut poll = Poll::new().expect("an epoll");
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE).expect("a socket");
    let mut events = Events::with_capacity(1024);
    let mut lines: HashMap<usize, Line> = HashMap::new();
    let mut next = 0;
    let watch = Stopwatch::start();
    while !shared.stop.load(Ordering::Relaxed) {
        poll.poll(&mut events, Some(Duration::from_millis(5))).expect("an epoll");
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    poll.registry().register(&mut stream, Token(next), Interest::READABLE).expect("a socket");
                    lines.insert(next, Line { stream, read: Vec::new(), skip: 0, due: None });
                    next += 1;
                }
            } else if let Some(line) = lines.get_mut(&event.token().0)
                && !read(shared, line, watch.elapsed())
            {
                lines.remove(&event.token().0);
            }
        }
        let now = watch.elapsed();
        lines.retain(|_, line| line.due.is_none_or(|due| due > now) || answer(line));
    }
}

/// Takes what has come; false if the caller has closed.
fn read(shared: &Shared, line: &mut Line, now: Duration) -> bool {
    let mut piece = [0; 16 * 1024];
    loop {
        match line.stream.read(&mut piece) {
            Ok(0) => return false,
            Ok(read) => {
                let skipped = read.min(line.skip);
                line.skip -= skipped;
                line.read.extend_from_slice(&piece[skipped..read]);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(_) => return false,
        }
        if let Some(end) = memchr::memmem::find(&line.read, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&line.read[..end]).to_ascii_lowercase();
            let field = |name: &str| {
                head.lines()
                    .find_map(|at| at.strip_prefix(name))
                    .expect("a field of a delivery")
                    .trim()
                    .to_owned()
            };
            let length: usize = field("content-length:").parse().expect("a length");
            let body = line.read.len() - end - 4;
            line.skip = length.checked_sub(body).expect("one request at a time");
            line.read.clear();
            let mut seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
            *seen.entry(field("webhook-id:")).or_default() += 1;
            line.due = Some(now + Duration::from_millis(shared.delay.load(Ordering::Relaxed)));
        }
    }
    line.skip > 0 || line.due.is_none_or(|due| due > now) || answer(line)
}

/// Answers when the body is there; false if the caller has closed.
fn answer(line: &mut Line) -> bool {
    if line.due.is_none() || line.skip > 0 {
        return true;
    }
    line.due = None;
    line.stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_ok()
}
