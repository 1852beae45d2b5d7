//! What the receiver does with a request: the answer, and how it goes wrong.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// One scripted answer. Made by a constructor, changed by the methods below, which can be combined.
#[derive(Debug, Clone)]
pub struct Reply {
    pub(super) gate: Option<Gate>,
    pub(super) reach: Reach,
    pub(super) pace: Option<Pace>,
    pub(super) then: Then,
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    raw: bool,
}

/// How much of the answer is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reach {
    Nothing,
    HalfTheHead,
    HeadAndHalfTheBody,
    Everything,
}

/// From where on the answer is written byte by byte, and how long each byte waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) body_only: bool,
    pub(super) every: Duration,
}

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Keep,
    Close,
    Hang,
}

impl Reply {
    /// An answer with this status, no body, on a connection that is kept.
    pub fn status(status: u16) -> Self {
        Self {
            gate: None,
            reach: Reach::Everything,
            pace: None,
            then: Then::Keep,
            status,
            headers: Vec::new(),
            body: Vec::new(),
            raw: false,
        }
    }

    /// 200.
    pub fn ok() -> Self {
        Self::status(200)
    }

    /// 302 to `location`.
    pub fn redirect(location: &str) -> Self {
        Self::status(302).header("Location", location)
    }

    /// These bytes instead of an HTTP answer; then the connection is closed.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { raw: true, then: Then::Close, ..Self::ok().body(bytes) }
    }

    /// Never answers. In flight until the caller gives up.
    pub fn hang() -> Self {
        Self { reach: Reach::Nothing, then: Then::Hang, ..Self::ok() }
    }

    /// Closes the connection before the first byte of an answer.
    pub fn close() -> Self {
        Self { reach: Reach::Nothing, then: Then::Close, ..Self::ok() }
    }

    /// Adds a header. `Content-Length` replaces the right one; `Connection: close` is meant.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close") {
            self.then = Then::Close;
        }
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The body.
    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// Waits at the gate before the first byte is written.
    pub fn gated(self, gate: &Gate) -> Self {
        Self { gate: Some(gate.clone()), ..self }
    }

    /// Closes in the middle of the head.
    pub fn cut_in_head(self) -> Self {
        Self { reach: Reach::HalfTheHead, then: Then::Close, ..self }
    }

    /// Closes in the middle of the body, which must not be empty.
    pub fn cut_in_body(self) -> Self {
        assert!(self.body.len() > 1, "a body of {} bytes has no middle", self.body.len());
        Self { reach: Reach::HeadAndHalfTheBody, then: Then::Close, ..self }
    }

    /// Stops in the middle of the body, which must not be empty, and hangs.
    pub fn hang_in_body(self) -> Self {
        Self { then: Then::Hang, ..self.cut_in_body() }
    }

    /// Writes the whole answer byte by byte, each after `every`.
    pub fn trickle(self, every: Duration) -> Self {
        Self { pace: Some(Pace { body_only: false, every }), ..self }
    }

    /// Writes the head at once and the body byte by byte, each after `every`.
    pub fn trickle_body(self, every: Duration) -> Self {
        Self { pace: Some(Pace { body_only: true, every }), ..self }
    }

    /// Closes the connection after the answer, without having said so.
    pub fn then_close(self) -> Self {
        Self { then: Then::Close, ..self }
    }

    /// Whether the connection is first left alone: at a gate, or for good.
    pub(super) fn starts_idle(&self) -> bool {
        self.gate.is_some() || matches!((self.reach, self.then), (Reach::Nothing, Then::Hang))
    }

    /// The bytes to write, and how many of them are the head.
    pub(super) fn bytes(&self) -> (Vec<u8>, usize) {
        if self.raw {
            return (self.body.clone(), self.body.len());
        }
        let mut bytes = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.headers {
            bytes.extend([name, ": ", value, "\r\n"]);
        }
        let bodiless = matches!(self.status, 100..200 | 204 | 304);
        if !bodiless && !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
            bytes.extend(["content-length: ", &self.body.len().to_string(), "\r\n"]);
        }
        bytes.push_str("\r\n");
        let mut bytes = bytes.into_bytes();
        let head = bytes.len();
        bytes.extend_from_slice(&self.body);
        let written = match self.reach {
            Reach::Nothing => 0,
            Reach::HalfTheHead => head / 2,
            Reach::HeadAndHalfTheBody => head + self.body.len() / 2,
            Reach::Everything => bytes.len(),
        };
        bytes.truncate(written);
        (bytes, head.min(written))
    }
}

/// Holds answers back until the test lets them go. Clones are the same gate.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<(Mutex<Passes>, Condvar)>);

#[derive(Debug, Default)]
struct Passes {
    open: bool,
    left: usize,
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets everything through, from now on.
    pub fn open(&self) {
        self.change(|passes| passes.open = true);
    }

    /// Lets `n` more answers through.
    pub fn let_through(&self, n: usize) {
        self.change(|passes| passes.left += n);
    }

    fn change(&self, with: impl FnOnce(&mut Passes)) {
        let (passes, changed) = &*self.0;
        with(&mut passes.lock().unwrap_or_else(PoisonError::into_inner));
        changed.notify_all();
    }

    pub(super) fn pass(&self) {
        let (passes, changed) = &*self.0;
        let passes = passes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut passes = changed
            .wait_while(passes, |passes| !passes.open && passes.left == 0)
            .unwrap_or_else(PoisonError::into_inner);
        passes.left = passes.left.saturating_sub(1);
    }
}
