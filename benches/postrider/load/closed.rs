//! A closed loop: each connection sends its next request when it has the answer to the last. One thread, on epoll.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};

use super::connection::Connection;
use super::{Answers, Prepared, Until};
use crate::Fallible;
use crate::now::now;

/// How long all answers may stay away.
const PATIENCE: Duration = Duration::from_secs(30);

/// See the module.
#[derive(Clone, Copy)]
pub struct Closed<'a> {
    /// Where to.
    pub target: SocketAddr,
    /// Connections, and so requests on their way at a time.
    pub connections: usize,
    /// Sent in turn, over and over.
    pub requests: &'a [Prepared],
    /// The number of the first request, for its idempotency key.
    pub number: u64,
    /// When it ends.
    pub until: Until<'a>,
}

struct Running<'a> {
    load: Closed<'a>,
    connections: Vec<Connection>,
    answers: Answers,
    waiting: usize,
}

impl Closed<'_> {
    /// Runs it.
    ///
    /// # Errors
    /// When a connection breaks, or no answer comes for 30 s.
    pub fn run(self) -> Fallible<Answers> {
        let mut poll = Poll::new()?;
        let mut connections = Vec::new();
        for token in 0..self.connections {
            let mut connection = Connection::open(self.target)?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut connection.stream, Token(token), interest)?;
            connections.push(connection);
        }
        let mut running = Running { load: self, connections, answers: Answers::default(), waiting: 0 };
        running.answers.first = now();
        for token in 0..self.connections {
            running.send_next(token)?;
        }
        let mut events = Events::with_capacity(self.connections);
        while running.waiting > 0 {
            match poll.poll(&mut events, Some(PATIENCE)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            if events.is_empty() {
                return Err(format!("{} requests have no answer after {PATIENCE:?}", running.waiting).into());
            }
            for event in &events {
                // What was answered until then says why.
                let heard = running.on(event.token().0);
                heard.map_err(|error| format!("{error}; answers: {:?}", running.answers.by_status))?;
            }
        }
        Ok(running.answers)
    }
}

impl Running<'_> {
    fn send_next(&mut self, token: usize) -> Fallible<()> {
        if self.load.until.over(self.answers.first, self.answers.sent) {
            return Ok(());
        }
        let turn = self.answers.sent % self.load.requests.len() as u64;
        let request = &self.load.requests[usize::try_from(turn)?];
        self.connections[token].send(request, self.load.number + self.answers.sent)?;
        self.answers.sent += 1;
        self.waiting += 1;
        Ok(())
    }

    fn on(&mut self, token: usize) -> Fallible<()> {
        let connection = &mut self.connections[token];
        connection.write()?;
        if let Some(status) = connection.read()? {
            self.answers.answered(status, connection.sent, now());
            self.waiting -= 1;
            self.send_next(token)?;
        }
        Ok(())
    }
}
