//! A blocking HTTP/1.1 client for JSON, over TCP or a Unix socket.
//!
//! Clones share the connections that are kept, so threads can send in parallel. What goes wrong on the way
//! fails the test, except in the `try_` functions.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

mod connection;

use super::process::PATIENCE;
use connection::{Connection, Stream};

/// See the module.
#[derive(Debug, Clone)]
pub struct Client {
    target: Target,
    headers: Vec<(String, String)>,
    kept: Arc<Mutex<Vec<Connection>>>,
}

#[derive(Debug, Clone)]
enum Target {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// An answer, whole.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// In the order and the spelling of the server.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }

    /// The body as text.
    #[track_caller]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body in UTF-8")
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(json) => json,
            Err(error) => {
                panic!("{error} in the {} answer {:?}", self.status, String::from_utf8_lossy(&self.body))
            }
        }
    }

    /// Fails, with the body, unless the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }
}

impl Client {
    /// A client of the server at `address`.
    pub fn tcp(address: SocketAddr) -> Self {
        Self::to(Target::Tcp(address))
    }

    /// A client of the server behind the socket file.
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::to(Target::Unix(path.into()))
    }

    fn to(target: Target) -> Self {
        Self { target, headers: Vec::new(), kept: Arc::default() }
    }

    /// This client, sending a header with every request (with `raw`, none).
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// This client, with an API key.
    pub fn with_key(self, key: &str) -> Self {
        self.with_header("Authorization", &format!("Bearer {key}"))
    }

    /// Sends a request and waits for the answer. A body goes with a `Content-Length` and nothing else: say what
    /// it is in `headers`.
    #[track_caller]
    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Response {
        match self.try_request(method, path, headers, body) {
            Ok(response) => response,
            Err(error) => panic!("{method} {path} had no answer: {error}"),
        }
    }

    /// `request` for a server that may be gone. If a kept connection ends without an answer, the request is
    /// sent once more on a new one, as a server may close an idle connection at any time.
    pub fn try_request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> io::Result<Response> {
        let bytes = self.render(method, path, headers, body);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let answered = match kept {
            Some(mut kept) => match kept.exchange(&bytes, method)? {
                Some(response) => Some((response, kept)),
                None => self.exchange_on_new(&bytes, method)?,
            },
            None => self.exchange_on_new(&bytes, method)?,
        };
        let (response, connection) = answered.ok_or(io::ErrorKind::UnexpectedEof)?;
        if connection.reusable {
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
        Ok(response)
    }

    /// `GET`.
    #[track_caller]
    pub fn get(&self, path: &str) -> Response {
        self.request("GET", path, &[], None)
    }

    /// `DELETE`.
    #[track_caller]
    pub fn delete(&self, path: &str) -> Response {
        self.request("DELETE", path, &[], None)
    }

    /// `POST` of JSON.
    #[track_caller]
    pub fn post(&self, path: &str, json: &Value) -> Response {
        self.send_json("POST", path, json)
    }

    /// Any method with JSON.
    #[track_caller]
    pub fn send_json(&self, method: &str, path: &str, json: &Value) -> Response {
        let body = json.to_string();
        self.request(method, path, &[("Content-Type", "application/json")], Some(body.as_bytes()))
    }

    /// Writes these bytes on a new connection and reads one answer; nothing if the server closes without one.
    /// `half_close` says with a FIN that nothing more will come.
    #[track_caller]
    pub fn raw(&self, bytes: &[u8], half_close: bool) -> Option<Response> {
        let exchange = || {
            let mut connection = self.connect()?;
            // A server that has read enough may answer and close before it has taken everything.
            let _ = connection.stream.write_all(bytes);
            if half_close {
                let _ = connection.stream.finish();
            }
            connection.read_response("GET")
        };
        match exchange() {
            Ok(response) => response,
            Err(error) => panic!("no HTTP answer to {:?}: {error}", String::from_utf8_lossy(bytes)),
        }
    }

    fn render(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Vec<u8> {
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let given = |name: &str| headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        for (name, value) in own.filter(|(name, _)| !given(name)).chain(headers.iter().copied()) {
            head.extend([name, ": ", value, "\r\n"]);
        }
        if !given("host") {
            head.push_str("Host: localhost\r\n");
        }
        if let Some(body) = body {
            head.extend(["Content-Length: ", &body.len().to_string(), "\r\n"]);
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body.unwrap_or_default());
        bytes
    }

    fn exchange_on_new(&self, bytes: &[u8], method: &str) -> io::Result<Option<(Response, Connection)>> {
        let mut connection = self.connect()?;
        Ok(connection.exchange(bytes, method)?.map(|response| (response, connection)))
    }

    fn connect(&self) -> io::Result<Connection> {
        let stream = match &self.target {
            Target::Tcp(address) => {
                let stream = TcpStream::connect_timeout(address, PATIENCE)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                Stream::Tcp(stream)
            }
            Target::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                Stream::Unix(stream)
            }
        };
        Ok(Connection::new(stream))
    }
}
