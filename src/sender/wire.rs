//! One connection to a receiver, plain or TLS, whose every read and write keeps a deadline.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use rustls::ClientConnection;

use super::sockets::Registered;
use crate::clock::Stopwatch;

/// The moment at which an attempt ends, however far it has come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    watch: Stopwatch,
    limit: Duration,
}

impl Deadline {
    /// `limit` after the start of `watch`.
    pub(super) fn new(watch: Stopwatch, limit: Duration) -> Self {
        Self { watch, limit }
    }

    /// What is left; `None` once it has passed.
    pub(super) fn left(&self) -> Option<Duration> {
        Some(self.watch.left(self.limit)).filter(|left| !left.is_zero())
    }
}

/// Why nothing more goes over a connection.
#[derive(Debug)]
pub(super) enum WireError {
    /// The deadline passed.
    Timeout,
    /// The connection broke.
    Io(io::Error),
    /// TLS found fault with what came.
    Tls(rustls::Error),
}

impl From<io::Error> for WireError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::TimedOut { Self::Timeout } else { Self::Io(error) }
    }
}

/// A connection. Dropping it closes it.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Registered,
    limits: Limits,
    tls: Option<Box<ClientConnection>>,
}

/// The socket's own timeouts as they were last set, so that an unhurried call need not set them again.
#[derive(Debug, Default)]
struct Limits {
    read: Duration,
    write: Duration,
}

impl Wire {
    /// A plain connection over a connected socket.
    pub(super) fn new(stream: Registered) -> Self {
        Self { stream, limits: Limits::default(), tls: None }
    }

    /// Whether TLS is spoken.
    pub(super) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Shakes hands; from then on everything is encrypted.
    pub(super) fn start_tls(
        &mut self,
        session: ClientConnection,
        deadline: Deadline,
    ) -> Result<(), WireError> {
        let mut tls = Box::new(session);
        let mut socket = Timed { stream: &self.stream, limits: &mut self.limits, deadline };
        while tls.is_handshaking() {
            flush(&mut tls, &mut socket)?;
            if tls.is_handshaking() && pull(&mut tls, &mut socket)? == 0 {
                return Err(WireError::Io(io::ErrorKind::UnexpectedEof.into()));
            }
        }
        flush(&mut tls, &mut socket)?;
        self.tls = Some(tls);
        Ok(())
    }

    /// Reads what is there, waiting for the first byte; 0 is the end of the connection.
    pub(super) fn read(&mut self, buffer: &mut [u8], deadline: Deadline) -> Result<usize, WireError> {
        let mut socket = Timed { stream: &self.stream, limits: &mut self.limits, deadline };
        let Some(tls) = &mut self.tls else {
            return Ok(socket.read(buffer)?);
        };
        loop {
            match tls.reader().read(buffer) {
                Ok(count) => return Ok(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                Err(error) => return Err(error.into()),
            }
            flush(tls, &mut socket)?;
            pull(tls, &mut socket)?;
        }
    }

    /// Writes all of `bytes`.
    pub(super) fn write_all(&mut self, mut bytes: &[u8], deadline: Deadline) -> Result<(), WireError> {
        let mut socket = Timed { stream: &self.stream, limits: &mut self.limits, deadline };
        let Some(tls) = &mut self.tls else {
            return Ok(socket.write_all(bytes)?);
        };
        while !bytes.is_empty() {
            let taken = tls.writer().write(bytes)?;
            bytes = bytes.get(taken..).unwrap_or_default();
            flush(tls, &mut socket)?;
        }
        Ok(())
    }

    /// Whether a kept connection still stands, with nothing unexpected on it. Does not wait.
    pub(super) fn is_quiet(&mut self) -> bool {
        let stream: &TcpStream = &self.stream;
        match recv(stream, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT) {
            Err(Errno::AGAIN) => true,
            Ok((1.., _)) if self.tls.is_some() => {
                let quiet = self.stream.set_nonblocking(true).is_ok() && self.takes_what_tls_sends();
                quiet && self.stream.set_nonblocking(false).is_ok()
            }
            _ => false,
        }
    }

    /// Session tickets may wait to be read; data or a farewell may not.
    fn takes_what_tls_sends(&mut self) -> bool {
        let mut socket: &TcpStream = &self.stream;
        let Some(tls) = &mut self.tls else { return false };
        loop {
            match tls.read_tls(&mut socket) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(_) | Ok(0) => return false,
                Ok(_) => match tls.process_new_packets() {
                    Ok(state) if !state.peer_has_closed() && state.plaintext_bytes_to_read() == 0 => {}
                    _ => return false,
                },
            }
        }
    }
}

fn flush(tls: &mut ClientConnection, socket: &mut Timed<'_>) -> Result<(), WireError> {
    while tls.wants_write() {
        if tls.write_tls(socket)? == 0 {
            return Err(WireError::Io(io::ErrorKind::WriteZero.into()));
        }
    }
    Ok(())
}

fn pull(tls: &mut ClientConnection, socket: &mut Timed<'_>) -> Result<usize, WireError> {
    let count = tls.read_tls(socket)?;
    if let Err(error) = tls.process_new_packets() {
        // Tells the peer why. It has failed already, so what becomes of the alert does not matter.
        let _: Result<(), WireError> = flush(tls, socket);
        return Err(WireError::Tls(error));
    }
    Ok(count)
}

/// A socket whose calls end at the deadline, with `TimedOut`.
struct Timed<'a> {
    stream: &'a TcpStream,
    limits: &'a mut Limits,
    deadline: Deadline,
}

/// How much too long a socket's own timeout may be before it is set again.
const SLACK: Duration = Duration::from_millis(200);

impl Timed<'_> {
    fn left(&self) -> io::Result<Duration> {
        self.deadline.left().ok_or_else(|| io::ErrorKind::TimedOut.into())
    }

    fn again(result: &io::Result<usize>) -> bool {
        use io::ErrorKind::{Interrupted, WouldBlock};
        result.as_ref().is_err_and(|error| matches!(error.kind(), WouldBlock | Interrupted))
    }
}

/// Whether a timeout of `set` serves for `left`: hardly longer, and not so short that it wakes us often.
fn serves(set: Duration, left: Duration) -> bool {
    set <= left + SLACK && set >= left / 2
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.left()?;
            if !serves(self.limits.read, left) {
                self.stream.set_read_timeout(Some(left))?;
                self.limits.read = left;
            }
            let result = self.stream.read(buffer);
            if !Self::again(&result) {
                return result;
            }
        }
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        loop {
            let left = self.left()?;
            if !serves(self.limits.write, left) {
                self.stream.set_write_timeout(Some(left))?;
                self.limits.write = left;
            }
            let result = self.stream.write(buffer);
            if !Self::again(&result) {
                return result;
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
