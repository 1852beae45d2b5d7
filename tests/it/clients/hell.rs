//! Odd clients that keep at it, all at once, until they are told to stop.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::support::app::KEY;

use super::rows;

/// See the module.
pub struct Hell {
    stop: Arc<AtomicBool>,
    turns: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
}

/// A socket that is never waited for.
struct Odd {
    stream: TcpStream,
    sent: usize,
}

impl Odd {
    fn connect(address: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_nonblocking(true).expect("a socket");
        Some(Self { stream, sent: 0 })
    }

    /// Writes some more of these bytes, over and over; false if the server has closed.
    fn write(&mut self, bytes: &[u8], at_most: usize) -> bool {
        let from = self.sent % bytes.len();
        let to = bytes.len().min(from.saturating_add(at_most));
        match self.stream.write(&bytes[from..to]) {
            Ok(written) => {
                self.sent += written;
                written > 0
            }
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }

    /// Takes what there is; false if the server has closed.
    fn read(&mut self) -> bool {
        let mut piece = [0; 16 * 1024];
        match self.stream.read(&mut piece) {
            Ok(read) => read > 0,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

/// A kind of odd client.
struct Kind {
    clients: usize,
    bytes: Vec<u8>,
    /// Bytes of each turn.
    pace: usize,
    reads: bool,
    pause: Duration,
}

/// Bytes that a client writes in a turn: enough to be a nuisance, and not so many that the odd clients themselves take
/// the processors.
const PIECE: usize = 64 * 1024;

fn kinds() -> Vec<Kind> {
    let second = Duration::from_secs(1);
    let short = Duration::from_millis(50);
    let kind = |clients, bytes: Vec<u8>, pace, reads, pause| Kind { clients, bytes, pace, reads, pause };
    let auth = format!("Host: x\r\nAuthorization: Bearer {KEY}\r\n");
    let slow_head = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "b".repeat(100));
    let slow_body = rows::event(format!("{{\"type\":\"a\",\"data\":\"{}\"}}", "x".repeat(4_000)));
    let health = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2_000).into_bytes();
    let list = format!("GET /api/v1/deliveries?limit=250 HTTP/1.1\r\n{auth}\r\n").repeat(100).into_bytes();
    let head = rows::publish("Transfer-Encoding: chunked");
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let endless = format!("{head}{}", chunk.repeat(1_000)).into_bytes();
    let declared = [rows::publish("Content-Length: 1073741824").as_bytes(), &vec![b' '; 1 << 20]].concat();
    let long_head = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nA: {}", "b".repeat(120_000)).into_bytes();
    let deep = rows::event("[".repeat(200_000));
    let extension = format!("{head}5;{}", "a".repeat(1 << 20)).into_bytes();
    vec![
        // Idle ones, which send nothing.
        kind(500, Vec::new(), 0, true, second),
        kind(100, slow_head.into_bytes(), 1, true, second),
        kind(100, slow_body, 1, true, second),
        kind(20, health, PIECE, false, short),
        kind(40, list, PIECE, false, short),
        kind(4, endless, PIECE, true, short),
        kind(4, declared, PIECE, true, short),
        kind(200, long_head, PIECE, true, second),
        kind(4, deep, PIECE, true, short),
        kind(20, extension, PIECE, true, short),
        kind(4, b"\x16\x03\x01\x02\x00\x01\r\n\r\n".to_vec(), PIECE, true, short),
    ]
}

impl Hell {
    /// Lets all kinds loose.
    pub fn start(address: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let turns = Arc::new(AtomicUsize::new(0));
        let start = |kind: Kind| {
            let (stop, turns) = (Arc::clone(&stop), Arc::clone(&turns));
            std::thread::spawn(move || {
                let mut clients: Vec<Option<Odd>> = (0..kind.clients).map(|_| None).collect();
                while !stop.load(Ordering::Relaxed) {
                    for client in &mut clients {
                        turn(client, &kind, address);
                    }
                    turns.fetch_add(1, Ordering::Relaxed);
                    std::thread::park_timeout(kind.pause);
                }
            })
        };
        let threads = kinds().into_iter().map(start).collect();
        Self { stop, turns, threads }
    }

    /// How many times a kind of client has done what it does.
    pub fn turns(&self) -> usize {
        self.turns.load(Ordering::Relaxed)
    }

    /// How many clients there are.
    pub fn clients() -> usize {
        kinds().iter().map(|kind| kind.clients).sum()
    }

    /// Closes all their connections.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.thread().unpark();
            thread.join().expect("a client without a fault of its own");
        }
    }
}

/// Does its next step; a client whose connection was closed takes another.
fn turn(client: &mut Option<Odd>, kind: &Kind, address: SocketAddr) {
    let Some(odd) = client else {
        *client = Odd::connect(address);
        return;
    };
    let goes_on = (!kind.reads || odd.read()) && (kind.bytes.is_empty() || odd.write(&kind.bytes, kind.pace));
    if !goes_on {
        *client = None;
    }
}
