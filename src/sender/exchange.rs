//! One request and its answer on one connection: buffers, limits, and what came of it.

use std::net::SocketAddr;
use std::time::Duration;

use super::failure::{Failure, FailureKind};
use super::head::{Head, HeadScan, MAX_HEAD, Step};
use super::pool::Connection;
use super::tls;
use super::wire::{Deadline, WireError};
use crate::clock::Stopwatch;
use crate::domain::target::Target;

/// Reading of a body stops here.
pub(super) const MAX_BODY: usize = 64 * 1024;
/// Head and body of a request leave in one write if they fit.
const OUTPUT: usize = 16 * 1024;
/// After a deadline that passed while sending: time to take an answer that is there already.
const GRACE: Duration = Duration::from_millis(50);
/// The input begins small, because most answers are, and grows with the head.
const INPUT: usize = 4 * 1024;

/// A request under way.
#[derive(Debug)]
pub(super) struct Exchange {
    connection: Connection,
    deadline: Deadline,
    output: Vec<u8>,
    /// How much of `output` waits to be sent.
    pending: usize,
    input: Vec<u8>,
    start: usize,
    end: usize,
    /// Whether the last look at the input used some of it.
    progress: bool,
    scan: HeadScan,
    watch: Stopwatch,
    sent: Option<Duration>,
    heard: Option<Duration>,
    body_read: usize,
    write_error: Option<WireError>,
    ended: Option<WireError>,
    refused: Option<Failure>,
    head: Option<Head>,
    complete: bool,
}

/// What is left of an exchange.
pub(super) struct Outcome {
    /// The connection, if it can carry another request.
    pub(super) connection: Option<Connection>,
    /// A kept connection ended before the first byte of an answer: the request may be sent once more.
    pub(super) unheard: bool,
    /// From the request's last byte to the answer's first.
    pub(super) wait: Option<Duration>,
    /// From the answer's first byte to its last.
    pub(super) read: Option<Duration>,
    /// The head, or why there is none; `None` if the connection was not even used.
    pub(super) result: Option<Result<Head, Failure>>,
}

impl Exchange {
    /// For a request whose head and body have about these sizes; of `head` it is at least the true one.
    pub(super) fn new(connection: Connection, deadline: Deadline, head: usize, body: usize) -> Self {
        Self {
            connection,
            deadline,
            // The whole head has to fit.
            output: vec![0; (head + body).min(OUTPUT).max(head)],
            pending: 0,
            input: Vec::new(),
            start: 0,
            end: 0,
            progress: false,
            scan: HeadScan::default(),
            watch: Stopwatch::start(),
            sent: None,
            heard: None,
            body_read: 0,
            write_error: None,
            ended: None,
            refused: None,
            head: None,
            complete: false,
        }
    }

    /// What came of it.
    pub(super) fn outcome(self: Box<Self>, target: &Target) -> Outcome {
        let wait = self.heard.or_else(|| self.sent.map(|_| self.watch.elapsed()));
        let wait = wait.zip(self.sent).map(|(heard, sent)| heard.saturating_sub(sent));
        let read = self.heard.map(|heard| self.watch.elapsed().saturating_sub(heard));
        let unheard =
            self.connection.kept && self.heard.is_none() && matches!(self.ended, Some(WireError::Io(_)));
        let failure = self.failure(target);
        let reusable = self.complete && self.start == self.end && self.write_error.is_none();
        let result = match (self.head, failure) {
            (Some(head), _) => Some(Ok(head)),
            (None, Some(failure)) => Some(Err(failure)),
            (None, None) => None,
        };
        Outcome { connection: Some(self.connection).filter(|_| reusable), unheard, wait, read, result }
    }

    fn failure(&self, target: &Target) -> Option<Failure> {
        if let Some(refused) = &self.refused {
            return Some(refused.clone());
        }
        let address = self.connection.address;
        let (kind, message) = match (self.ended.as_ref()?, &self.write_error) {
            (WireError::Tls(error), _) => return Some(tls::failure(error, target, address)),
            (WireError::Timeout, Some(_)) => {
                (FailureKind::SendTimeout, format!("timed out while sending the request to {address}"))
            }
            (WireError::Timeout, None) if self.heard.is_none() => {
                (FailureKind::WaitTimeout, format!("timed out while waiting for an answer from {address}"))
            }
            (WireError::Timeout, None) => (
                FailureKind::HeadTimeout,
                format!("timed out while reading the answer's headers from {address}"),
            ),
            (WireError::Io(_), _) if self.heard.is_some() => (
                FailureKind::ClosedEarly,
                format!("{address} closed the connection in the middle of the answer's headers"),
            ),
            (WireError::Io(_), Some(_)) => (
                FailureKind::ClosedEarly,
                format!("{address} closed the connection while the request was being sent"),
            ),
            (WireError::Io(_), None) => {
                (FailureKind::ClosedEarly, format!("{address} closed the connection without answering"))
            }
        };
        Some(Failure::new(kind, message))
    }

    /// The address at the other end.
    pub(super) fn address(&self) -> SocketAddr {
        self.connection.address
    }

    /// Whether TLS is spoken.
    pub(super) fn is_tls(&self) -> bool {
        self.connection.wire.is_tls()
    }

    /// The answer was read to its end.
    pub(super) fn complete(&mut self) {
        self.complete = true;
    }

    /// Room for more of the request.
    pub(super) fn output(&mut self) -> &mut [u8] {
        self.output.get_mut(self.pending..).unwrap_or_default()
    }

    /// So much was put into [`Exchange::output`]. It is sent when that is full or an answer is wanted.
    pub(super) fn written(&mut self, amount: usize) {
        self.pending = (self.pending + amount).min(self.output.len());
        if self.pending == self.output.len() {
            self.send();
        }
    }

    /// Errors are kept: the answer may be there all the same (a 413 before the body has come in).
    fn send(&mut self) {
        let bytes = self.output.get(..self.pending).unwrap_or_default();
        if self.write_error.is_none() && !bytes.is_empty() {
            self.write_error = self.connection.wire.write_all(bytes, self.deadline).err();
        }
        self.pending = 0;
    }

    /// What came in and is not used up.
    pub(super) fn input(&self) -> &[u8] {
        self.input.get(self.start..self.end).unwrap_or_default()
    }

    /// So much of [`Exchange::input`] is used up.
    pub(super) fn consume(&mut self, amount: usize) {
        self.progress = amount > 0;
        self.start = (self.start + amount).min(self.end);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Whether there is input that was not looked at in vain.
    pub(super) fn can_use_input(&self) -> bool {
        self.progress && self.start < self.end
    }

    /// Waits for the head of the answer, and after that for more of its body. False is the end of the input.
    pub(super) fn await_input(&mut self) -> Result<bool, ()> {
        if self.head.is_none() {
            return self.await_head();
        }
        if self.body_read >= MAX_BODY {
            return Err(());
        }
        let count = self.read().map_err(|_| ())?;
        self.body_read += count;
        Ok(count > 0)
    }

    fn await_head(&mut self) -> Result<bool, ()> {
        if self.refused.is_some() || self.ended.is_some() {
            return Err(());
        }
        self.send();
        // The request is out; while we wait, its memory is somebody else's.
        self.output = Vec::new();
        self.sent = Some(self.watch.elapsed());
        if matches!(self.write_error, Some(WireError::Timeout)) {
            // A receiver that refuses a large body may have said so without reading it.
            self.deadline = Deadline::new(Stopwatch::start(), GRACE);
        }
        loop {
            match self.read() {
                Ok(0) => self.ended = Some(WireError::Io(std::io::ErrorKind::UnexpectedEof.into())),
                Ok(_) => {
                    self.heard.get_or_insert(self.watch.elapsed());
                    if self.scan_head()? {
                        return Ok(true);
                    }
                }
                Err(error) => self.ended = Some(error),
            }
            if self.ended.is_some() {
                return Err(());
            }
        }
    }

    /// Whether the head is complete.
    fn scan_head(&mut self) -> Result<bool, ()> {
        loop {
            let bytes = self.input.get(self.start..self.end).unwrap_or_default();
            match self.scan.step(bytes) {
                Ok(Step::More) => return Ok(false),
                Ok(Step::Interim(length)) => self.consume(length),
                Ok(Step::Done(length, head)) => {
                    self.input.splice(self.start..self.start + length, head.frame.iter().copied());
                    self.end = self.end - length + head.frame.len();
                    self.head = Some(head);
                    return Ok(true);
                }
                Err(failure) => {
                    self.refused = Some(failure);
                    return Err(());
                }
            }
        }
    }

    fn read(&mut self) -> Result<usize, WireError> {
        if self.start > 0 {
            self.input.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.input.len() {
            if self.end > MAX_HEAD {
                return Err(WireError::Io(std::io::ErrorKind::InvalidData.into()));
            }
            self.input.resize((self.end * 2).clamp(INPUT, MAX_HEAD + 1), 0);
        }
        let room = self.input.get_mut(self.end..).unwrap_or_default();
        let count = self.connection.wire.read(room, self.deadline)?;
        self.end += count;
        Ok(count)
    }
}
