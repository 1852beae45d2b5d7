//! What the receiver has got, what is in flight, and which reply comes next.

use std::collections::{HashMap, VecDeque};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use super::reply::{Gate, Reply};

/// One request, whole.
#[derive(Debug, Clone)]
pub struct Received {
    /// `POST`.
    pub method: String,
    /// The target up to the question mark.
    pub path: String,
    /// What follows the question mark.
    pub query: Option<String>,
    /// In the order and the spelling of the sender.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
    /// Which connection it came on, counted from 1.
    pub connection: usize,
    /// The order of arrival over all paths, counted from 1.
    pub order: usize,
    /// When its last byte had arrived, since the receiver's start.
    pub at: Duration,
}

impl Received {
    /// The value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        match serde_json::from_slice(&self.body) {
            Ok(json) => json,
            Err(error) => panic!("{error} in {:?}", String::from_utf8_lossy(&self.body)),
        }
    }
}

/// Everything behind the receiver's lock.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) all: Track,
    paths: HashMap<String, Track>,
    /// Requests without a finished answer, by their order.
    flights: HashMap<usize, Flight>,
    /// Open connections, by number.
    pub(super) connections: HashMap<usize, Arc<TcpStream>>,
    /// How many connections were accepted.
    pub(super) accepted: usize,
    /// What came and was not HTTP.
    pub(super) faults: Vec<String>,
    /// How many threads wait for a change.
    pub(super) waiters: usize,
    pub(super) stopped: bool,
}

/// The requests and the script of one path, or of all of them.
#[derive(Debug, Default)]
pub(super) struct Track {
    pub(super) received: Vec<Arc<Received>>,
    pub(super) in_flight: usize,
    pub(super) peak: usize,
    pub(super) queue: VecDeque<Reply>,
    pub(super) always: Option<Reply>,
    /// How many `next` has handed out.
    pub(super) taken: usize,
}

#[derive(Debug)]
struct Flight {
    path: String,
    stream: Arc<TcpStream>,
    gate: Option<Gate>,
    /// Its thread neither reads nor writes, so that others may look whether the caller is still there.
    idle: bool,
    /// It is only still here because its thread is, at the gate.
    left: bool,
}

impl Track {
    fn next_reply(&mut self) -> Option<Reply> {
        self.queue.pop_front().or_else(|| self.always.clone())
    }

    fn depart(&mut self) {
        self.in_flight += 1;
        self.peak = self.peak.max(self.in_flight);
    }

    pub(super) fn take_next(&mut self) -> Option<Arc<Received>> {
        let next = self.received.get(self.taken).cloned()?;
        self.taken += 1;
        Some(next)
    }
}

impl Log {
    pub(super) fn path(&mut self, path: &str) -> &mut Track {
        if !self.paths.contains_key(path) {
            self.paths.insert(path.to_owned(), Track::default());
        }
        self.paths.get_mut(path).expect("it was inserted")
    }

    /// Keeps a new connection and answers its number; nothing when the receiver stops.
    pub(super) fn connect(&mut self, stream: &Arc<TcpStream>) -> Option<usize> {
        if self.stopped {
            return None;
        }
        self.accepted += 1;
        self.connections.insert(self.accepted, Arc::clone(stream));
        Some(self.accepted)
    }

    /// Keeps the request and counts it as in flight. Answers its order and what to do with it:
    /// the script of its path goes before the script for all.
    pub(super) fn begin(&mut self, mut request: Received, stream: &Arc<TcpStream>) -> (usize, Reply) {
        let would_be_a_peak = |track: &Track| track.in_flight >= track.peak;
        if would_be_a_peak(&self.all) || would_be_a_peak(self.path(&request.path)) {
            self.forget_who_left();
        }
        request.order = self.all.received.len() + 1;
        let (order, path) = (request.order, request.path.clone());
        let request = Arc::new(request);
        self.all.received.push(Arc::clone(&request));
        self.all.depart();
        let track = self.path(&path);
        track.received.push(request);
        track.depart();
        let reply = track.next_reply().or_else(|| self.all.next_reply()).unwrap_or_else(Reply::ok);
        let flight = Flight {
            path,
            stream: Arc::clone(stream),
            gate: reply.gate.clone(),
            idle: reply.starts_idle(),
            left: false,
        };
        self.flights.insert(order, flight);
        (order, reply)
    }

    /// Says whether the request's thread leaves its connection alone for now.
    pub(super) fn set_idle(&mut self, order: usize, idle: bool) {
        if let Some(flight) = self.flights.get_mut(&order) {
            flight.idle = idle;
        }
    }

    /// The request is no longer in flight.
    pub(super) fn end(&mut self, order: usize) {
        if let Some(flight) = self.flights.remove(&order).filter(|flight| !flight.left) {
            self.land(&flight.path);
        }
    }

    fn land(&mut self, path: &str) {
        self.all.in_flight -= 1;
        self.path(path).in_flight -= 1;
    }

    /// Ends the requests whose caller has closed the connection while the answer was held back.
    ///
    /// The thread of such a request notices late or, at a gate, not at all; the caller may have sent the next
    /// one by then, which would count as two at a time.
    pub(super) fn forget_who_left(&mut self) {
        let mut landed = Vec::new();
        for flight in self.flights.values_mut().filter(|flight| flight.idle && !flight.left) {
            flight.left = caller_has_left(&flight.stream);
            if flight.left {
                landed.push(flight.path.clone());
            }
        }
        for path in landed {
            self.land(&path);
        }
    }

    /// Closes every connection and opens every gate somebody waits at.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
        for stream in self.connections.values() {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        for gate in self.flights.values().filter_map(|flight| flight.gate.as_ref()) {
            gate.open();
        }
    }

    /// A few lines for a test that waited in vain.
    pub(super) fn describe(&self) -> String {
        use std::fmt::Write as _;
        let mut text = format!(
            "{} requests on {} connections, {} in flight, at most {} at once",
            self.all.received.len(),
            self.accepted,
            self.all.in_flight,
            self.all.peak
        );
        let skipped = self.all.received.len().saturating_sub(20);
        for request in self.all.received.iter().skip(skipped) {
            let Received { method, path, order, connection, at, body, .. } = &**request;
            let body = String::from_utf8_lossy(&body[..body.len().min(120)]);
            let _ =
                write!(text, "\n  #{order} {method} {path} on connection {connection} after {at:?}: {body}");
        }
        for fault in &self.faults {
            let _ = write!(text, "\n  not HTTP: {fault}");
        }
        text
    }
}

/// Looks at the connection without taking anything from it. A caller that waits for an answer sends nothing, so
/// anything that can be read is the end of the connection (or a TLS close).
fn caller_has_left(stream: &TcpStream) -> bool {
    if stream.set_nonblocking(true).is_err() {
        return true;
    }
    let looked = stream.peek(&mut [0]);
    let _ = stream.set_nonblocking(false);
    !looked.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}
