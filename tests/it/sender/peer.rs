//! A server that does what a test says, connection by connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

/// A short answer that lets the connection live.
pub const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

pub struct Peer {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
}

/// Leaves connections to `address` unanswered as long as it is kept: a listener that accepts nothing, whose queue is full.
pub struct Deaf {
    pub address: SocketAddr,
    _listener: Socket,
    _queue: Vec<TcpStream>,
}

impl Deaf {
    /// One at such an address, which may have port 0.
    pub fn at(address: SocketAddr) -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&address.into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let patience = Duration::from_millis(300);
        let connect = || TcpStream::connect_timeout(&address, patience).ok();
        let queue: Vec<_> = std::iter::from_fn(connect).take(64).collect();
        assert!(queue.len() < 64, "the queue fills");
        Self { address, _listener: listener, _queue: queue }
    }
}

impl Peer {
    /// Runs `script` for each connection, with its number from 0, on a thread of its own.
    pub fn new(script: impl Fn(usize, TcpStream) + Send + Sync + 'static) -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0)), script)
    }

    /// The same at a known address.
    pub fn at(address: SocketAddr, script: impl Fn(usize, TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, stopped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, stop, script) = (Arc::clone(&connections), Arc::clone(&stopped), Arc::new(script));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (number, script) = (count.fetch_add(1, Ordering::SeqCst), Arc::clone(&script));
                let stream = stream.unwrap();
                thread::spawn(move || script(number, stream));
            }
        });
        Self { address, connections, stopped }
    }

    /// Answers every request with `answer`, and keeps connections.
    pub fn answering(answer: &'static [u8]) -> Self {
        Self::answering_at(SocketAddr::from(([127, 0, 0, 1], 0)), answer)
    }

    /// The same at a known address.
    pub fn answering_at(address: SocketAddr, answer: &'static [u8]) -> Self {
        Self::at(address, move |_, mut stream| {
            while read_request(&mut stream).is_some() {
                if stream.write_all(answer).is_err() {
                    return;
                }
            }
        })
    }

    /// Sends `answer` to the first request and then waits for the other side to close.
    pub fn answering_once(answer: &'static [u8]) -> Self {
        Self::new(move |_, mut stream| {
            if read_request(&mut stream).is_some() && stream.write_all(answer).is_ok() {
                wait_for_close(&mut stream);
            }
        })
    }

    /// Sends `answer` to each request and closes.
    pub fn answering_and_closing(answer: &'static [u8]) -> Self {
        Self::new(move |_, mut stream| {
            if read_request(&mut stream).is_some() {
                // The other side may have had enough already.
                let _ = stream.write_all(answer);
                close(&mut stream);
            }
        })
    }

    /// Answers OK and hands over what came in.
    pub fn recording() -> (Self, mpsc::Receiver<Vec<u8>>) {
        let (heard, requests) = mpsc::channel();
        let peer = Self::new(move |_, mut stream| {
            while let Some(request) = read_request(&mut stream) {
                if heard.send(request).is_err() || stream.write_all(OK).is_err() {
                    return;
                }
            }
        });
        (peer, requests)
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// How many connections were made to it.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// Head and body of the next request; `None` at the end of the connection.
pub fn read_request(stream: &mut impl Read) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 65536];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            if bytes.len() >= end + 4 + length.map_or(0, |length| length.parse().unwrap()) {
                return Some(bytes);
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend(&chunk[..count]),
        }
    }
}

/// Reads until the other side closes.
pub fn wait_for_close(stream: &mut impl Read) {
    let mut chunk = [0; 4096];
    while stream.read(&mut chunk).is_ok_and(|count| count > 0) {}
}

/// Closes without a reset: says goodbye, and waits for the other side to do so.
pub fn close(stream: &mut TcpStream) {
    let _ = stream.shutdown(std::net::Shutdown::Write);
    wait_for_close(stream);
}
