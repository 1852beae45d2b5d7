//! A receiver that counts and forgets: for hours of load, of which the other one would keep every request.
//!
//! The first part of the path says how it answers; `data.at` in a body, microseconds by its own watch, says how long
//! the event has been on its way.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use postrider::clock::Stopwatch;

/// How long a slow endpoint takes.
const SLOW: Duration = Duration::from_millis(100);
const LARGEST: usize = 64 * 1024;

/// How an endpoint answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Manner {
    Good,
    Slow,
    Failing,
    Flapping,
}

pub(super) const MANNERS: [Manner; 4] = [Manner::Good, Manner::Slow, Manner::Failing, Manner::Flapping];

impl Manner {
    /// In paths and event types.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Slow => "slow",
            Self::Failing => "failing",
            Self::Flapping => "flapping",
        }
    }
}

/// See the module. Its threads end with their connections, or with the test.
pub(super) struct Counter {
    shared: Arc<Shared>,
    pub(super) address: SocketAddr,
}

struct Shared {
    watch: Stopwatch,
    /// A flapping endpoint is up for so long, then down.
    flaps: Duration,
    seen: Mutex<Seen>,
}

/// What has come.
#[derive(Debug, Default, Clone)]
pub(super) struct Seen {
    /// Requests that were answered with 200, and with 500.
    pub(super) answered: BTreeMap<(Manner, u16), u64>,
    /// How long events to good endpoints took since this was last asked for, microseconds.
    pub(super) latencies: Vec<u64>,
}

impl Counter {
    pub(super) fn start(flaps: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let shared = Arc::new(Shared { watch: Stopwatch::start(), flaps, seen: Mutex::default() });
        let accepting = Arc::clone(&shared);
        spawn(move || {
            for stream in listener.incoming() {
                let (shared, stream) = (Arc::clone(&accepting), stream.expect("a connection"));
                spawn(move || shared.serve(stream));
            }
        });
        Self { shared, address }
    }

    /// Microseconds by its watch.
    pub(super) fn micros(&self) -> u64 {
        self.shared.micros()
    }

    /// How often it has answered so.
    pub(super) fn answered(&self, manner: Manner, status: u16) -> u64 {
        self.shared.lock().answered.get(&(manner, status)).copied().unwrap_or(0)
    }

    /// The latencies since the last look.
    pub(super) fn take_latencies(&self) -> Vec<u64> {
        std::mem::take(&mut self.shared.lock().latencies)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.watch.elapsed().as_micros()).expect("a few hours")
    }

    /// Answers requests until the other side ends the connection.
    fn serve(&self, mut stream: TcpStream) {
        stream.set_nodelay(true).expect("a socket");
        let mut bytes = Vec::new();
        while let Some(length) = next_request(&mut stream, &mut bytes) {
            let status = self.answer(&bytes[..length]);
            bytes.drain(..length);
            let answer = format!("HTTP/1.1 {status} Counted\r\ncontent-length: 0\r\n\r\n");
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, request: &[u8]) -> u16 {
        let path = after(request, b"POST /").expect("a POST");
        let manner = MANNERS.into_iter().find(|manner| path.starts_with(manner.word().as_bytes()));
        let manner = manner.expect("a path that says how to answer");
        let is_up = (self.watch.elapsed().as_millis() / self.flaps.as_millis()).is_multiple_of(2);
        let status = match manner {
            Manner::Good => 200,
            Manner::Slow => {
                std::thread::park_timeout(SLOW);
                200
            }
            Manner::Flapping if is_up => 200,
            Manner::Failing | Manner::Flapping => 500,
        };
        let mut seen = self.lock();
        *seen.answered.entry((manner, status)).or_default() += 1;
        if manner == Manner::Good {
            let sent = number(after(request, b"\"at\":").expect("when it was sent"));
            seen.latencies.push(self.micros().saturating_sub(sent));
        }
        status
    }
}

/// Reads until a request is whole; its length, or nothing at the end of the connection.
fn next_request(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<usize> {
    let mut chunk = [0; 8 * 1024];
    loop {
        if let Some(length) = whole(bytes) {
            return Some(length);
        }
        assert!(bytes.len() < LARGEST, "no request is that large");
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

fn whole(bytes: &[u8]) -> Option<usize> {
    let head = memchr::memmem::find(bytes, b"\r\n\r\n")? + 4;
    let lower = bytes[..head].to_ascii_lowercase();
    let length = head + usize::try_from(number(after(&lower, b"content-length: ")?)).ok()?;
    (bytes.len() >= length).then_some(length)
}

fn after<'a>(bytes: &'a [u8], what: &[u8]) -> Option<&'a [u8]> {
    memchr::memmem::find(bytes, what).map(|at| &bytes[at + what.len()..])
}

/// The digits that stand first.
fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
}

fn spawn(work: impl FnOnce() + Send + 'static) {
    let builder = std::thread::Builder::new().name("counter".to_owned()).stack_size(128 * 1024);
    builder.spawn(work).expect("the receiver can start a thread");
}
