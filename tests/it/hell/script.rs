//! A receiver that does on each connection what a list says, byte for byte.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::sender::peer::{close, read_request, wait_for_close};

/// What is done next.
#[derive(Debug, Clone)]
pub enum Act {
    /// Takes the whole request in.
    Read,
    /// Takes so many bytes in.
    ReadSome(usize),
    /// Sends this.
    Send(Vec<u8>),
    /// Sends this, a byte at a time.
    Drip(Vec<u8>, Duration),
    /// Sends this again and again until nobody listens any more.
    Flood(Vec<u8>),
    /// Says goodbye, and waits for the other side to do so.
    Close,
    /// Ends the connection with a reset.
    Reset,
    /// Takes in what comes, until the other side closes.
    Hang,
    /// Leaves the connection as it is and reads nothing, until the end of the test.
    Freeze,
}

pub fn send(bytes: impl AsRef<[u8]>) -> Act {
    Act::Send(bytes.as_ref().to_vec())
}

/// Reads the request, sends this and closes.
pub fn answer(bytes: impl AsRef<[u8]>) -> Vec<Act> {
    vec![Act::Read, send(bytes), Act::Close]
}

/// Reads the request, sends this and waits.
pub fn answer_and_hang(bytes: impl AsRef<[u8]>) -> Vec<Act> {
    vec![Act::Read, send(bytes), Act::Hang]
}

/// See the module. Dropping it ends its connections.
pub struct Scripted {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    connections: AtomicUsize,
    stopped: Mutex<bool>,
    stopping: Condvar,
}

impl Shared {
    fn is_stopped(&self) -> bool {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `time` went by without a stop.
    fn pause(&self, time: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.stopping.wait_timeout_while(stopped, time, |stopped| !*stopped);
        !*waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Scripted {
    /// Does `acts` on every connection.
    pub fn start(acts: Vec<Act>) -> Self {
        Self::each(move |shared, stream| {
            let mut wire = stream.try_clone().expect("a second handle");
            run(shared, &mut wire, &stream, &acts);
        })
    }

    /// Shakes hands by TLS, then does `acts`.
    pub fn start_tls(config: Arc<ServerConfig>, acts: Vec<Act>) -> Self {
        Self::each(move |shared, stream| {
            let session = ServerConnection::new(Arc::clone(&config)).expect("a session");
            let mut wire = StreamOwned::new(session, stream.try_clone().expect("a second handle"));
            run(shared, &mut wire, &stream, &acts);
        })
    }

    /// Sends what a TLS server would, a byte at a time.
    pub fn start_slow_tls(config: Arc<ServerConfig>, every: Duration) -> Self {
        Self::each(move |shared, mut stream| {
            let mut session = ServerConnection::new(Arc::clone(&config)).expect("a session");
            while session.read_tls(&mut stream).is_ok_and(|count| count > 0)
                && session.process_new_packets().is_ok()
            {
                let mut flight = Vec::new();
                while session.wants_write() {
                    session.write_tls(&mut flight).expect("a list takes everything");
                }
                if drip(shared, &mut stream, &flight, every).is_err() {
                    return;
                }
            }
        })
    }

    fn each(serve: impl Fn(&Shared, TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let (known, serve) = (Arc::clone(&shared), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if known.is_stopped() {
                    return;
                }
                known.connections.fetch_add(1, Ordering::SeqCst);
                let (shared, serve) = (Arc::clone(&known), Arc::clone(&serve));
                let stream = stream.expect("a connection");
                // What was sent has left when the connection ends.
                stream.set_nodelay(true).expect("a socket can be set to send at once");
                thread::spawn(move || serve(&shared, stream));
            }
        });
        Self { address, shared }
    }

    /// How many connections it was given.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        *self.shared.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.stopping.notify_all();
        // The acceptor looks whether it should stop when it has accepted this one.
        let _ = TcpStream::connect(self.address);
    }
}

/// The other side may leave at any moment; the script ends then.
fn run(shared: &Shared, wire: &mut (impl Read + Write), stream: &TcpStream, acts: &[Act]) {
    for act in acts {
        if do_one(shared, wire, stream, act).is_err() {
            return;
        }
    }
}

fn do_one(shared: &Shared, wire: &mut (impl Read + Write), stream: &TcpStream, act: &Act) -> io::Result<()> {
    match act {
        Act::Read => read_request(wire).map(drop).ok_or_else(|| io::ErrorKind::UnexpectedEof.into()),
        Act::ReadSome(count) => wire.read_exact(&mut vec![0; *count]),
        Act::Send(bytes) => wire.write_all(bytes).and_then(|()| wire.flush()),
        Act::Drip(bytes, every) => drip(shared, wire, bytes, *every),
        Act::Flood(bytes) => loop {
            wire.write_all(bytes)?;
        },
        Act::Close => {
            close(&mut stream.try_clone()?);
            Ok(())
        }
        Act::Reset => {
            socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
            // Closed by the end of the script.
            Err(io::ErrorKind::ConnectionAborted.into())
        }
        Act::Hang => {
            wait_for_close(wire);
            Ok(())
        }
        Act::Freeze => pause(shared, Duration::from_hours(1)),
    }
}

fn drip(shared: &Shared, wire: &mut impl Write, bytes: &[u8], every: Duration) -> io::Result<()> {
    for byte in bytes {
        wire.write_all(&[*byte])?;
        wire.flush()?;
        pause(shared, every)?;
    }
    Ok(())
}

fn pause(shared: &Shared, time: Duration) -> io::Result<()> {
    if shared.pause(time) { Ok(()) } else { Err(io::ErrorKind::ConnectionAborted.into()) }
}
