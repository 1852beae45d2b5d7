//! A connection on which anything can be written, and answers are read one by one.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use crate::support::client::Response;

/// How long an answer, or the end of a connection, may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// See the module.
pub struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&address, PATIENCE).expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
        Self { stream, read: Vec::new() }
    }

    /// Writes; false if the server has closed before it has taken everything.
    pub fn write(&mut self, bytes: &[u8]) -> bool {
        match self.stream.write_all(bytes) {
            Ok(()) => true,
            Err(error) if closed(&error) => false,
            Err(error) => panic!("the server neither takes {} bytes nor closes: {error}", bytes.len()),
        }
    }

    /// Says that nothing more will come.
    pub fn finish(&self) {
        // The server may have closed before.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// The next answer, whole; nothing if the server has closed.
    #[track_caller]
    pub fn answer(&mut self) -> Option<Response> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 32];
            let mut head = httparse::Response::new(&mut headers);
            if let httparse::Status::Complete(start) = head.parse(&self.read).expect("an HTTP answer") {
                let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
                let mut response = Response {
                    status: head.code.expect("a status"),
                    headers: head.headers.iter().map(|h| (h.name.to_owned(), text(h.value))).collect(),
                    body: Vec::new(),
                };
                let length = response.header("content-length").map_or(0, |n| n.parse().expect("a length"));
                while self.read.len() < start + length {
                    assert!(self.fill(), "an answer was cut");
                }
                response.body = self.read[start..start + length].to_vec();
                self.read.drain(..start + length);
                // 100 Continue is not yet the answer.
                if response.status >= 200 {
                    return Some(response);
                }
            } else if !self.fill() {
                assert!(self.read.is_empty(), "an answer was cut: {}", String::from_utf8_lossy(&self.read));
                return None;
            }
        }
    }

    fn fill(&mut self) -> bool {
        let mut piece = [0; 16 * 1024];
        match self.stream.read(&mut piece) {
            Ok(read) => {
                self.read.extend_from_slice(&piece[..read]);
                read > 0
            }
            Err(error) if closed(&error) => false,
            Err(error) => panic!("the server neither answers nor closes: {error}"),
        }
    }
}

fn closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted
    )
}
