//! A steady pace: each request has its moment, whether the ones before are answered or not.
//!
//! One thread sleeps until shortly before the moment, spins the rest and sends; another one notes the answers as
//! they come. Times count from the actual sending.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};

use super::connection::Connection;
use super::{Answers, Prepared, Until};
use crate::Fallible;
use crate::now::{at, nanos, now, since};

/// How often the reading thread looks whether all is over, when no answers come.
const LOOK: Duration = Duration::from_millis(20);
/// Seconds that an answer, or a free connection, may stay away.
const PATIENCE: f64 = 30.0;
/// A request that was sent so much after its moment counts as late.
const LATE: u64 = 1_000_000;

/// See the module.
#[derive(Clone, Copy)]
pub struct Paced<'a> {
    /// Where to.
    pub target: SocketAddr,
    /// Requests per second.
    pub per_second: f64,
    /// Connections: requests that may wait for their answers at a time.
    pub connections: usize,
    /// Sent in turn, over and over.
    pub requests: &'a [Prepared],
    /// The number of the first request, for its idempotency key.
    pub number: u64,
    /// When it ends.
    pub until: Until<'a>,
}

/// What the two threads share.
struct Shared {
    /// Connections without a request on its way. They are used in turn: the server closes one that was never used.
    free: Mutex<VecDeque<usize>>,
    /// When the request on each connection was sent.
    sent_at: Vec<AtomicU64>,
    sent: AtomicU64,
    sent_all: AtomicBool,
}

impl Paced<'_> {
    /// Runs it.
    ///
    /// # Errors
    /// When a connection breaks, or an answer stays away for 30 s.
    pub fn run(self) -> Fallible<Answers> {
        let pairs = (0..self.connections).map(|_| Connection::open_split(self.target));
        let (senders, readers): (Vec<_>, Vec<_>) = pairs.collect::<Fallible<Vec<_>>>()?.into_iter().unzip();
        let shared = Shared {
            free: Mutex::new((0..self.connections).collect()),
            sent_at: (0..self.connections).map(|_| AtomicU64::new(0)).collect(),
            sent: AtomicU64::new(0),
            sent_all: AtomicBool::new(false),
        };
        std::thread::scope(|scope| {
            let reading = scope.spawn(|| read(readers, &shared));
            let first = now();
            let sending = self.send(senders, first, &shared);
            shared.sent_all.store(true, Ordering::Release);
            let mut answers = reading.join().map_err(|_| "the reading thread has panicked")??;
            (answers.first, answers.late) = (first, sending?);
            answers.sent = shared.sent.load(Ordering::Acquire);
            Ok(answers)
        })
    }

    /// Sends all; how many were late.
    fn send(&self, mut connections: Vec<Connection>, first: u64, shared: &Shared) -> Fallible<u64> {
        let step = nanos(1.0 / self.per_second);
        let (mut count, mut late) = (0, 0);
        while !self.until.over(first, count) {
            let moment = first + (count + 1) * step;
            at(moment);
            let token = shared.take_free()?;
            let turn = usize::try_from(count % self.requests.len() as u64)?;
            let connection = &mut connections[token];
            late += u64::from(since(moment) > LATE);
            // Before the request is out, or its answer might come first.
            shared.sent_at[token].store(now(), Ordering::Release);
            shared.sent.fetch_add(1, Ordering::AcqRel);
            connection.send(&self.requests[turn], self.number + count)?;
            while !connection.is_written() {
                std::thread::yield_now();
                connection.write()?;
            }
            count += 1;
        }
        Ok(late)
    }
}

impl Shared {
    fn take_free(&self) -> Fallible<usize> {
        let asked = now();
        loop {
            if let Some(token) = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop_front() {
                return Ok(token);
            }
            if since(asked) > nanos(PATIENCE) {
                return Err("no connection of the paced load has had its answer for 30 s".into());
            }
            std::thread::yield_now();
        }
    }
}

fn read(mut connections: Vec<Connection>, shared: &Shared) -> Fallible<Answers> {
    let mut poll = Poll::new()?;
    for (token, connection) in connections.iter_mut().enumerate() {
        poll.registry().register(&mut connection.stream, Token(token), Interest::READABLE)?;
    }
    let mut events = Events::with_capacity(connections.len());
    let (mut answers, mut answered, mut heard) = (Answers::default(), 0, now());
    while !shared.sent_all.load(Ordering::Acquire) || answered < shared.sent.load(Ordering::Acquire) {
        match poll.poll(&mut events, Some(LOOK)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            let token = event.token().0;
            if let Some(status) = connections[token].read()? {
                heard = now();
                answers.answered(status, shared.sent_at[token].load(Ordering::Acquire), heard);
                answered += 1;
                shared.free.lock().unwrap_or_else(PoisonError::into_inner).push_back(token);
            }
        }
        if shared.sent_all.load(Ordering::Acquire) && since(heard) > nanos(PATIENCE) {
            return Err("answers of the paced load stay away".into());
        }
    }
    Ok(answers)
}
