//! A connection that bounds what a client can make the server keep: how much is read ahead, and how long a slow
//! client is waited for. On its way out, bare refusals become problem documents (see [`super::refusal`]).
//!
//! - At most 16 KB and 16 requests are read in a turn of the HTTP library, and nothing while a request is being
//!   answered or an answer cannot be written: the library would make requests of everything that has come.
//! - The library times the head of the first request on a connection. Those of later ones are timed here, coarsely:
//!   the timer that runs is not reset by each request, so that a busy connection costs nothing.
//! - What is left of a body that nobody wants is read for a moment, so that the answer arrives.
//! - A client that takes nothing of its answer is cut off.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::rt::time::{Sleep, sleep};
use actix_web::web::{Bytes, Data};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::budget::Taken;
use super::flow::{Flow, Phase};
use super::refusal;
use super::state::AppState;

/// Bytes that are read in a turn, roughly: as many as the library's buffer then grows to.
const TURN: usize = 16 * 1024;
/// Requests that are read in a turn, if they are there: those that fit into the library's queue.
const HEADS: usize = 16;
/// Bytes of an incomplete head that are free. Longer ones share a budget.
const SHORT_HEAD: usize = 8 * 1024;
/// The longest head that the library reads.
const LONG_HEAD: usize = 128 * 1024;
/// Bytes of an unwanted body that are read before the connection is closed.
const REST: usize = 64 * 1024 * 1024;

/// How long a client is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Until the head of a request is complete; up to twice that for those after the first.
    pub(super) head: Duration,
    /// Until what is left of an unwanted body has come.
    pub(super) rest: Duration,
    /// Until the client takes some more of an answer.
    pub(super) answer: Duration,
}

type Timer = Option<Pin<Box<Sleep>>>;

/// A TCP or Unix stream.
pub(super) struct Connection<Io> {
    io: Io,
    state: Data<AppState>,
    patience: Patience,
    flow: Rc<Flow>,
    refusal: Option<Refusal>,
    turn: Turn,
    /// What was read beyond the requests of this turn.
    ahead: Bytes,
    /// What has come since the last request began.
    incoming: Incoming,
    /// Runs while the client takes nothing.
    stalled: Timer,
}

/// What was read in this turn.
#[derive(Default)]
struct Turn {
    bytes: usize,
    over: bool,
}

/// A head on its way, or the rest of a body.
struct Incoming {
    request: u64,
    bytes: usize,
    long: Option<Taken>,
    timer: Timer,
    /// The request before which the timer was started, and for what.
    timed: (u64, Phase),
}

/// The answer that goes out instead of a bare one.
struct Refusal {
    bytes: Vec<u8>,
    written: usize,
}

impl<Io> Connection<Io> {
    pub(super) fn new(io: Io, state: &Data<AppState>, patience: Patience) -> Self {
        Self {
            io,
            state: state.clone(),
            patience,
            flow: Rc::default(),
            refusal: None,
            turn: Turn::default(),
            ahead: Bytes::new(),
            incoming: Incoming { request: 0, bytes: 0, long: None, timer: None, timed: (0, Phase::Head) },
            stalled: None,
        }
    }

    /// The stream.
    pub(super) fn get_ref(&self) -> &Io {
        &self.io
    }

    /// What requests on it tell.
    pub(super) fn flow(&self) -> Rc<Flow> {
        Rc::clone(&self.flow)
    }

    /// Ends the turn: the library works on what it has got.
    fn end_turn(&mut self) {
        self.turn = Turn::default();
    }

    /// Whether the client has had its time. Nothing: it has to wait, and the caller is woken in the end.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let phase = self.flow.phase();
        let incoming = &mut self.incoming;
        let started_for = (incoming.request, phase);
        if phase == Phase::Body || (phase == Phase::Head && incoming.bytes == 0) {
            return Poll::Pending;
        }
        loop {
            let timer = incoming.timer.get_or_insert_with(|| {
                incoming.timed = started_for;
                Box::pin(sleep(if phase == Phase::Rest { self.patience.rest } else { self.patience.head }))
            });
            // One for the rest of a body is shorter than what may still run.
            if phase != Phase::Rest || incoming.timed == started_for {
                ready!(timer.as_mut().poll(cx));
            }
            incoming.timer = None;
            if incoming.timed == started_for {
                return Poll::Ready(());
            }
        }
    }

    /// Notes what is handed on, and keeps back what is more than a turn's requests.
    fn hand_on(&mut self, buffer: &mut ReadBuf<'_>, before: usize) {
        let given = &buffer.filled()[before..];
        if let Some(end) = end_of_heads(given) {
            let rest = [&given[end..], &self.ahead].concat();
            self.ahead = rest.into();
            self.turn.over = true;
            buffer.set_filled(before + end);
        }
        let bytes = buffer.filled().len() - before;
        self.turn.bytes += bytes;
        self.turn.over |= self.turn.bytes >= TURN;
        if self.flow.phase() != Phase::Body {
            self.incoming.bytes += bytes;
        }
    }
}

impl<Io: AsyncRead + Unpin> Connection<Io> {
    /// Fills the buffer, from what was kept back first.
    fn poll_bytes(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, buffer);
        }
        let piece = self.ahead.split_to(self.ahead.len().min(buffer.remaining()));
        buffer.put_slice(&piece);
        Poll::Ready(Ok(()))
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Connection<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.stalled.is_some() {
            // Writing wakes.
            return Poll::Pending;
        }
        if this.turn.over {
            this.end_turn();
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let phase = this.flow.phase();
        if phase == Phase::Work {
            this.end_turn();
            this.flow.wait(cx.waker());
            return Poll::Pending;
        }
        if this.turn.bytes == 0 && !this.incoming.goes_on(&this.flow, &this.state) {
            return this.poll_deadline(cx).map(|()| Err(io::ErrorKind::TimedOut.into()));
        }
        if phase == Phase::Rest && (this.incoming.bytes > REST || this.poll_deadline(cx).is_ready()) {
            // As if the client had closed.
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        match this.poll_bytes(cx, buffer) {
            Poll::Ready(Ok(())) => {
                this.hand_on(buffer, before);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                this.end_turn();
                let late = if phase == Phase::Rest { Ok(()) } else { Err(io::ErrorKind::TimedOut.into()) };
                this.poll_deadline(cx).map(|()| late)
            }
        }
    }
}

impl Incoming {
    /// At the start of a turn: forgets what belongs to a request that has begun. False: the head is long, and there
    /// is no room for another long one.
    fn goes_on(&mut self, flow: &Flow, state: &AppState) -> bool {
        if self.request != flow.begun() {
            (self.request, self.bytes, self.long) = (flow.begun(), 0, None);
        }
        if flow.phase() == Phase::Head && self.bytes > SHORT_HEAD && self.long.is_none() {
            self.long = state.heads.take(LONG_HEAD);
            return self.long.is_some();
        }
        true
    }
}

/// Where the last request that fits into a turn ends, if there is more. A head ends with a blank line.
fn end_of_heads(bytes: &[u8]) -> Option<usize> {
    let ends = memchr::memchr_iter(b'\n', bytes).filter_map(|at| match bytes[at + 1..] {
        [b'\n', ..] => Some(at + 2),
        [b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    });
    ends.skip(HEADS - 1).take(1).find(|end| *end < bytes.len())
}

impl<Io: AsyncWrite + Unpin> Connection<Io> {
    /// Writes, and says when the client takes nothing any more.
    fn poll_send(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.io).poll_write(cx, bytes);
        if sent.is_ready() {
            self.stalled = None;
            return sent;
        }
        let patience = self.patience.answer;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stalled.as_mut().poll(cx));
        tracing::debug!("a client takes nothing of its answer; its connection is closed");
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Connection<Io> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.refusal.is_none() {
            match refusal::bare_refusal(bytes) {
                None => return this.poll_send(cx, bytes),
                Some((0, status)) => {
                    let id = this.state.ids.next().to_string();
                    this.refusal = Some(Refusal { bytes: refusal::refusal(status, bytes, &id), written: 0 });
                }
                // First the answers that wait before it.
                Some((start, _)) => return this.poll_send(cx, &bytes[..start]),
            }
        }
        while let Some(mut refusal) = this.refusal.take() {
            let sent = this.poll_send(cx, &refusal.bytes[refusal.written..]);
            if let Poll::Ready(Ok(written)) = sent {
                refusal.written += written;
            }
            if refusal.written < refusal.bytes.len() {
                this.refusal = Some(refusal);
            }
            if ready!(sent)? == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
