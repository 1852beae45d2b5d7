//! The receiver: a process of its own with one thread on epoll, so that it is never what is measured.
//!
//! It answers by the first segment of the path:
//!
//! - `/ok…`: 204 at once; `/slow/MS…`: 204 after so many milliseconds; `/hang…`: never.
//! - `/control/reset` forgets all counts; `/control/report` tells them, as JSON, by class. The class of a request is its
//!   path up to the second slash after `ok` and `hang` (`ok/TAG`), and up to the third after `slow` (`slow/MS/TAG`).
//!
//! A body that says `"sent": NANOSECONDS` (see [`crate::load::request`]) is a latency, from there to its last byte read.

mod answer;
mod connection;
mod handle;
mod tally;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Write};
use std::time::Duration;

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

use self::answer::{Reply, reply};
use self::connection::{Connection, Heard};
pub use self::handle::{Class, Receiver};
use self::tally::Tally;
use crate::Fallible;
use crate::now::now;

/// The first argument that turns the benchmark into the receiver.
pub const ARGUMENT: &str = "receiver";

const LISTENER: Token = Token(usize::MAX);

/// An answer that is to be sent later.
type Due = Reverse<(u64, usize, u64)>;

struct Serving {
    poll: Poll,
    listener: TcpListener,
    /// By token.
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// Tells a connection from an earlier one with the same token.
    serial: u64,
    /// Moment, token and serial number of each connection that waits for its answer.
    due: BinaryHeap<Due>,
    tally: Tally,
}

/// Serves until the process that has started it ends. Prints its port first.
///
/// # Errors
/// When the system refuses something.
pub fn serve() -> Fallible<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let mut listener = TcpListener::bind(([127, 0, 0, 1], 0).into())?;
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", listener.local_addr()?.port())?;
    out.flush()?;
    let mut serving = Serving {
        poll,
        listener,
        connections: Vec::new(),
        free: Vec::new(),
        serial: 0,
        due: BinaryHeap::new(),
        tally: Tally::default(),
    };
    let mut events = Events::with_capacity(1024);
    loop {
        serving.turn(&mut events)?;
    }
}

impl Serving {
    fn turn(&mut self, events: &mut Events) -> io::Result<()> {
        let left = self.due.peek().map(|Reverse((at, ..))| Duration::from_nanos(at.saturating_sub(now())));
        match self.poll.poll(events, left) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in &*events {
            match event.token() {
                LISTENER => self.accept()?,
                Token(token) => self.on(token),
            }
        }
        self.answer_due();
        Ok(())
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            stream.set_nodelay(true)?;
            let token = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            self.poll.registry().register(
                &mut stream,
                Token(token),
                Interest::READABLE | Interest::WRITABLE,
            )?;
            self.serial += 1;
            self.tally.connections += 1;
            self.connections[token] = Some(Connection::new(stream, self.serial));
        }
    }

    /// Something can be read or written.
    fn on(&mut self, token: usize) {
        // An event may be about a connection that was closed a moment ago.
        let Some(connection) = self.connections.get_mut(token).and_then(Option::as_mut) else { return };
        let (tally, due) = (&mut self.tally, &mut self.due);
        let serial = connection.serial;
        let heard = connection.on_event(|request, path, body| match reply(tally, path, body) {
            Reply::Now(bytes) => request.answer(&bytes),
            Reply::At(moment) => due.push(Reverse((moment, token, serial))),
            Reply::Never => {}
        });
        if let Heard::End = heard {
            self.close(token);
        }
    }

    fn close(&mut self, token: usize) {
        // Dropping the stream takes it out of the poll.
        if self.connections[token].take().is_some() {
            self.free.push(token);
        }
    }

    fn answer_due(&mut self) {
        while let Some(Reverse((moment, token, serial))) = self.due.peek().copied() {
            if moment > now() {
                return;
            }
            self.due.pop();
            let waiting = self.connections[token].as_mut().filter(|connection| connection.serial == serial);
            if let Some(connection) = waiting {
                connection.answer(answer::NO_CONTENT);
                // What the caller has sent meanwhile.
                self.on(token);
            }
        }
    }
}
