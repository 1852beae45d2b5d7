//! Talking to a running server, through `postrider.sock` or by its URL: one HTTP/1.1 call a connection, blocking.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::config::Remote;
use crate::sender::Line;

use super::answer::{self, Answer};
use super::command::Request;

/// Far more than any answer to a command.
const ANSWER_MAX: usize = 16 * 1024 * 1024;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// No server runs on this data directory: the caller may take the lock and open the file itself.
    #[error("no server listens on {path:?}")]
    NobodyListens {
        /// The socket.
        path: PathBuf,
    },
    /// The socket belongs to another user.
    #[error("{path:?} belongs to another user: run this command as the user that runs the server")]
    Denied {
        /// The socket.
        path: PathBuf,
    },
    /// The server with this URL cannot be reached: nothing was asked.
    #[error("{url}: {why}")]
    Unreachable {
        /// Where.
        url: String,
        /// What is in the way.
        why: String,
    },
    /// The server took the call and has not answered in time: it may still do what was asked.
    #[error("the server has not answered within {} s; it may still be doing what was asked", timeout.as_secs())]
    Timeout {
        /// How long it was given.
        timeout: Duration,
    },
    /// The connection failed on the way: the server may have done what was asked.
    #[error("the connection to the server broke ({0}); it may have done what was asked")]
    Broken(#[source] io::Error),
    /// What came is no answer of a Postrider server.
    #[error("the server's answer cannot be read: {0}")]
    Malformed(&'static str),
}

/// Speaks to one server.
#[derive(Debug, Clone)]
pub struct Client {
    place: Place,
    timeout: Duration,
}

#[derive(Debug, Clone)]
enum Place {
    /// The socket of a data directory.
    Socket(PathBuf),
    /// Another machine's, or one that listens on this one.
    Remote(Arc<Remote>),
}

/// What a connection can do.
trait Connection: Read + Write {
    /// How long a read or a write may take from now on.
    fn patience(&self, patience: Duration) -> io::Result<()>;
}

impl Connection for UnixStream {
    fn patience(&self, patience: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(patience))?;
        self.set_write_timeout(Some(patience))
    }
}

impl Connection for Line {
    fn patience(&self, patience: Duration) -> io::Result<()> {
        self.set_timeout(patience)
    }
}

/// How long connecting to another machine may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

impl Client {
    /// A client of the socket at `path`, with 30 s for a call. It connects when it is asked something.
    pub fn new(path: &Path) -> Self {
        Self { place: Place::Socket(path.to_owned()), timeout: DEFAULT_TIMEOUT }
    }

    /// A client of a server that is reached by its URL.
    pub fn remote(remote: Arc<Remote>) -> Self {
        Self { place: Place::Remote(remote), timeout: DEFAULT_TIMEOUT }
    }

    /// The same with another time for a call, from connecting to the last byte of the answer.
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Makes one call.
    ///
    /// # Errors
    /// [`SocketError`]. A status of 400 and above is an answer.
    pub fn request(&self, request: &Request) -> Result<Answer, SocketError> {
        let started = Stopwatch::start();
        let mut stream = self.connect()?;
        let bytes = render(request, self.remote_server());
        stream.patience(self.timeout).map_err(SocketError::Broken)?;
        let written = stream.write_all(&bytes).and_then(|()| stream.flush());
        // A server that refuses early (too large, stopping) answers and closes before it has read everything.
        let answer = self.read_answer(&mut *stream, started);
        match (written, answer) {
            (_, Ok(answer)) => Ok(answer),
            (Err(error), Err(_)) => Err(self.broken(error)),
            (Ok(()), Err(error)) => Err(error),
        }
    }

    fn remote_server(&self) -> Option<&Remote> {
        match &self.place {
            Place::Remote(remote) => Some(remote),
            Place::Socket(_) => None,
        }
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SocketError> {
        match &self.place {
            Place::Socket(path) => Ok(Box::new(connect_to_socket(path)?)),
            Place::Remote(remote) => {
                let line = Line::open(&remote.url, &remote.extra_ca, self.timeout.min(CONNECT_PATIENCE));
                let line =
                    line.map_err(|why| SocketError::Unreachable { url: remote.url.to_string(), why })?;
                Ok(Box::new(line))
            }
        }
    }

    fn read_answer(&self, stream: &mut dyn Connection, started: Stopwatch) -> Result<Answer, SocketError> {
        let mut bytes = Vec::new();
        let mut piece = vec![0; 16 * 1024];
        loop {
            let left = started.left(self.timeout);
            if left.is_zero() {
                return Err(SocketError::Timeout { timeout: self.timeout });
            }
            stream.patience(left).map_err(SocketError::Broken)?;
            let count = match stream.read(&mut piece) {
                Ok(count) => count,
                // TLS that ends without a word: what came may be whole.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.broken(error)),
            };
            bytes.extend_from_slice(&piece[..count]);
            if let Some(answer) =
                answer::read(&bytes, count == 0).map_err(|wrong| SocketError::Malformed(wrong.0))?
            {
                return Ok(answer);
            }
            if count == 0 {
                return Err(SocketError::Broken(io::ErrorKind::UnexpectedEof.into()));
            }
            if bytes.len() > ANSWER_MAX {
                return Err(SocketError::Malformed("it is longer than 16 MB"));
            }
        }
    }

    fn broken(&self, error: io::Error) -> SocketError {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                SocketError::Timeout { timeout: self.timeout }
            }
            _ => SocketError::Broken(error),
        }
    }
}

fn connect_to_socket(path: &Path) -> Result<UnixStream, SocketError> {
    let path = path.to_owned();
    UnixStream::connect(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => SocketError::NobodyListens { path },
        io::ErrorKind::PermissionDenied => SocketError::Denied { path },
        _ => SocketError::Broken(error),
    })
}

fn render(request: &Request, remote: Option<&Remote>) -> Vec<u8> {
    let Request { method, path, idempotency_key, body } = request;
    let target = remote.map_or_else(|| path.clone(), |remote| remote.path(path));
    let host = remote.map_or_else(|| "localhost".to_owned(), |remote| remote.url.authority().to_owned());
    let bearer = remote.map(|remote| format!("Authorization: Bearer {}\r\n", remote.key.expose()));
    let key = idempotency_key.as_ref().map(|key| format!("Idempotency-Key: {key}\r\n"));
    let content = body
        .as_ref()
        .map(|body| format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
    format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAccept: application/json\r\n\
         User-Agent: postrider-cli/{}\r\n{}{}{}\r\n{}",
        env!("CARGO_PKG_VERSION"),
        bearer.unwrap_or_default(),
        key.unwrap_or_default(),
        content.unwrap_or_default(),
        body.as_deref().unwrap_or_default()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::os::unix::net::UnixListener;
    use std::thread;

    fn get() -> Request {
        Request { method: "GET", path: "/api/v1/keys".to_owned(), idempotency_key: None, body: None }
    }

    /// Asks a server that answers with these bytes and closes; also what it was sent.
    fn ask(request: &Request, answer: &'static [u8]) -> (Result<Answer, SocketError>, String) {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("s.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let expected = render(request, None).len();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = vec![0; expected];
            stream.read_exact(&mut asked).unwrap();
            stream.write_all(answer).unwrap();
            String::from_utf8(asked).unwrap()
        });
        (Client::new(&path).request(request), server.join().unwrap())
    }

    #[test]
    fn a_call_is_sent_whole_and_its_answer_read() {
        let body = Some(json!({ "name": "ü" }).to_string());
        let request = Request { method: "POST", path: "/api/v1/keys".into(), idempotency_key: None, body };
        let (answer, asked) = ask(&request, b"HTTP/1.1 422 X\r\nContent-Length: 10\r\n\r\n{\"a\":true}");
        assert_eq!(
            answer.unwrap(),
            Answer {
                status: 422,
                body: json!({"a": true}),
                text: "{\"a\":true}".to_owned(),
                replayed: false
            }
        );
        assert!(
            asked.starts_with("POST /api/v1/keys HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"),
            "{asked}"
        );
        assert!(asked.ends_with("Content-Length: 13\r\n\r\n{\"name\":\"ü\"}"), "{asked}");
        let (_, asked) = ask(&get(), b"HTTP/1.1 204 No Content\r\n\r\n");
        assert!(!asked.contains("Content-"), "{asked}");
    }

    #[test]
    fn an_answer_that_is_cut_short_is_a_broken_connection() {
        for cut in [&b""[..], b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"] {
            assert!(matches!(ask(&get(), cut).0, Err(SocketError::Broken(_))), "{cut:?}");
        }
    }

    #[test]
    fn nobody_listening_is_told_apart() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("s.sock");
        let nobody = || matches!(Client::new(&path).request(&get()), Err(SocketError::NobodyListens { .. }));
        assert!(nobody(), "no file");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists() && nobody(), "left behind by a process that was killed");
    }

    #[test]
    fn a_server_that_does_not_answer_is_given_up() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("s.sock");
        let _listener = UnixListener::bind(&path).unwrap();
        let answer = Client::new(&path).with_timeout(Duration::from_millis(20)).request(&get());
        assert!(matches!(answer, Err(SocketError::Timeout { .. })), "{answer:?}");
    }
}
