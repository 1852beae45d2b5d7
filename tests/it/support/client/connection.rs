//! One connection of the client: writes bytes, reads answers.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;

use super::Response;

/// An open connection, and what was read from it beyond the last answer.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: Stream,
    buffer: Vec<u8>,
    /// Whether another request may follow.
    pub(super) reusable: bool,
}

/// Either kind of socket.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    /// Says that nothing more will come.
    pub(super) fn finish(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Self::Unix(stream) => stream.shutdown(Shutdown::Write),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Connection {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, buffer: Vec::new(), reusable: true }
    }

    /// Sends a request and reads its answer; nothing if the server closed without one.
    pub(super) fn exchange(&mut self, request: &[u8], method: &str) -> io::Result<Option<Response>> {
        // If the server has closed, reading says so; it may have answered before.
        let written = self.stream.write_all(request);
        match self.read_response(method) {
            Ok(None) => written.map(|()| None).or_else(closed_is_none),
            other => other,
        }
    }

    /// Reads an answer; nothing if the server closes before its first byte.
    pub(super) fn read_response(&mut self, method: &str) -> io::Result<Option<Response>> {
        loop {
            let Some((mut response, head)) = self.read_head()? else {
                return Ok(None);
            };
            self.buffer.drain(..head);
            if response.status < 200 {
                continue;
            }
            let field = |name| response.header(name).map(str::to_ascii_lowercase);
            self.reusable = field("connection").is_none_or(|value| value != "close");
            response.body = if method == "HEAD" || matches!(response.status, 204 | 304) {
                Vec::new()
            } else if field("transfer-encoding").is_some_and(|value| value == "chunked") {
                self.read_chunks()?
            } else if let Some(length) = field("content-length") {
                let length = length.parse().map_err(io::Error::other)?;
                self.take(length)?
            } else {
                self.reusable = false;
                while self.fill()? {}
                std::mem::take(&mut self.buffer)
            };
            return Ok(Some(response));
        }
    }

    fn read_head(&mut self) -> io::Result<Option<(Response, usize)>> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 64];
            let mut parsed = httparse::Response::new(&mut headers);
            if let httparse::Status::Complete(head) = parsed.parse(&self.buffer).map_err(io::Error::other)? {
                let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
                let headers = parsed.headers.iter().map(|h| (h.name.to_owned(), text(h.value))).collect();
                let status = parsed.code.unwrap_or_default();
                return Ok(Some((Response { status, headers, body: Vec::new() }, head)));
            }
            let nothing_yet = self.buffer.is_empty();
            match self.fill() {
                Ok(true) => {}
                Ok(false) if nothing_yet => return Ok(None),
                Ok(false) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if nothing_yet => return closed_is_none(error),
                Err(error) => return Err(error),
            }
        }
    }

    fn read_chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let parsed = httparse::parse_chunk_size(&self.buffer);
            match parsed.map_err(|_| io::Error::other("a wrong chunk size"))? {
                httparse::Status::Complete((start, length)) => {
                    self.buffer.drain(..start);
                    let length = usize::try_from(length).map_err(io::Error::other)?;
                    body.extend(self.take(length)?);
                    self.take(2)?;
                    if length == 0 {
                        return Ok(body);
                    }
                }
                httparse::Status::Partial => self.must_fill()?,
            }
        }
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < length {
            self.must_fill()?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    fn must_fill(&mut self) -> io::Result<()> {
        if self.fill()? { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Reads some more; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        let mut chunk = [0; 16 * 1024];
        let read = loop {
            match self.stream.read(&mut chunk) {
                // A wait with a time limit ends so when a debugger looks at the process.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.buffer.extend_from_slice(&chunk[..read]);
        Ok(read > 0)
    }
}

/// A connection that the other side has closed is no answer; anything else is an error.
fn closed_is_none<T>(error: io::Error) -> io::Result<Option<T>> {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
            Ok(None)
        }
        _ => Err(error),
    }
}
