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

/// Reads, of some 4 KB each, that a look at a kept connection may take: there is no deadline in it.
const MAX_PROBES: usize = 8;

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
    /// Nothing can be written any more, while what has come in can still be read.
    shut: bool,
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
        Self { stream, limits: Limits::default(), tls: None, shut: false }
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
            if !self.shut {
                flush(tls, &mut socket)?;
            }
            pull(tls, &mut socket)?;
        }
    }

    /// Writes all of `bytes`.
    pub(super) fn write_all(&mut self, mut bytes: &[u8], deadline: Deadline) -> Result<(), WireError> {
        let mut socket = Timed { stream: &self.stream, limits: &mut self.limits, deadline };
        let Some(tls) = &mut self.tls else {
            return Ok(socket.write_all(bytes)?);
        };
        self.shut = true;
        while !bytes.is_empty() {
            let taken = tls.writer().write(bytes)?;
            bytes = bytes.get(taken..).unwrap_or_default();
            flush(tls, &mut socket)?;
        }
        self.shut = false;
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

    /// Session tickets may wait to be read; data or a farewell may not, nor more than belongs to a handshake.
    fn takes_what_tls_sends(&mut self) -> bool {
        let mut socket: &TcpStream = &self.stream;
        let Some(tls) = &mut self.tls else { return false };
        for _ in 0..MAX_PROBES {
            match tls.read_tls(&mut socket) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(_) | Ok(0) => return false,
                Ok(_) => match tls.process_new_packets() {
                    Ok(state) if !state.peer_has_closed() && state.plaintext_bytes_to_read() == 0 => {}
                    _ => return false,
                },
            }
        }
        false
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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::{Arc, mpsc};

    use rcgen::{CertificateParams, KeyPair};
    use rustls::pki_types::PrivateKeyDer;
    use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection};

    use super::*;
    use crate::sender::sockets::Sockets;

    /// Whether a TLS connection is quiet on which a server has sent so many session tickets after the handshake.
    fn is_quiet_after(tickets: usize) -> bool {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec!["a.test".to_owned()]).unwrap().self_signed(&key).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let client = client.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let server =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let mut server =
            server.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
        server.send_tls13_tickets = tickets;

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (told, tell) = mpsc::channel();
        std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let mut session = ServerConnection::new(Arc::new(server)).unwrap();
            session.complete_io(&mut stream).unwrap();
            while session.wants_write() {
                session.write_tls(&mut stream).unwrap();
            }
            told.send(()).unwrap();
            stream.read(&mut [0]).unwrap_or_default();
        });
        let sockets = Arc::new(Sockets::default());
        let mut wire = Wire::new(sockets.register(stream).unwrap());
        let session =
            ClientConnection::new(Arc::new(client.with_no_client_auth()), "a.test".try_into().unwrap());
        let deadline = Deadline::new(Stopwatch::start(), Duration::from_secs(20));
        wire.start_tls(session.unwrap(), deadline).unwrap();
        tell.recv_timeout(Duration::from_secs(20)).unwrap();
        wire.is_quiet()
    }

    #[test]
    fn a_few_session_tickets_are_quiet_and_a_flood_of_them_is_not() {
        assert!(is_quiet_after(0));
        assert!(is_quiet_after(4));
        assert!(!is_quiet_after(400));
    }
}
