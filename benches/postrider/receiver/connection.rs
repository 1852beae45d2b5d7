//! One connection of the receiver.

use std::io::{ErrorKind, Read, Write};

use mio::net::TcpStream;

use crate::http::{self, Found};

/// Room for what is read: most requests come whole.
const ROOM: usize = 16 * 1024;

/// A connection; see [`Connection::on_event`].
pub struct Connection {
    /// See `Serving::serial`.
    pub serial: u64,
    stream: TcpStream,
    input: Vec<u8>,
    filled: usize,
    /// Bytes that the request at the start of `input` needs at least.
    needed: usize,
    /// Whether a request waits for its answer.
    waits: bool,
    answering: Answering,
}

/// The way back.
#[derive(Default)]
pub struct Answering {
    output: Vec<u8>,
    answered: bool,
}

/// Whether a connection lives on.
pub enum Heard {
    /// It does.
    All,
    /// It has ended.
    End,
}

impl Answering {
    /// Answers the request.
    pub fn answer(&mut self, bytes: &[u8]) {
        self.output.extend_from_slice(bytes);
        self.answered = true;
    }
}

impl Connection {
    /// A new one.
    pub fn new(stream: TcpStream, serial: u64) -> Self {
        Self {
            serial,
            stream,
            input: vec![0; ROOM],
            filled: 0,
            needed: 1,
            waits: false,
            answering: Answering::default(),
        }
    }

    /// Answers the request that waits.
    pub fn answer(&mut self, bytes: &[u8]) {
        self.waits = false;
        self.answering.output.extend_from_slice(bytes);
    }

    /// Reads and writes what can be; gives each whole request, by path and body, to `take`.
    pub fn on_event(&mut self, mut take: impl FnMut(&mut Answering, &str, &[u8])) -> Heard {
        loop {
            if self.take_requests(&mut take).is_err() || self.write().is_err() {
                return Heard::End;
            }
            match self.read() {
                Ok(true) => {}
                Ok(false) => return Heard::All,
                Err(_) => return Heard::End,
            }
        }
    }

    fn take_requests(&mut self, take: &mut impl FnMut(&mut Answering, &str, &[u8])) -> Result<(), String> {
        let mut start = 0;
        while !self.waits && self.filled - start >= self.needed {
            let bytes = &self.input[start..self.filled];
            match http::request(bytes)? {
                Found::Part(needed) => self.needed = needed,
                Found::Whole(request) => {
                    let path =
                        std::str::from_utf8(&bytes[request.path]).map_err(|error| error.to_string())?;
                    self.answering.answered = false;
                    take(&mut self.answering, path, &bytes[request.body.clone()]);
                    self.waits = !self.answering.answered;
                    self.needed = 1;
                    start += request.body.end;
                }
            }
        }
        self.input.copy_within(start..self.filled, 0);
        self.filled -= start;
        Ok(())
    }

    /// Writes what can be written.
    fn write(&mut self) -> std::io::Result<()> {
        let output = &mut self.answering.output;
        while !output.is_empty() {
            match self.stream.write(output) {
                Ok(written) => drop(output.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads once; whether anything came. An end is an error.
    fn read(&mut self) -> std::io::Result<bool> {
        let room = self.needed.max(self.filled + ROOM / 2);
        if self.input.len() < room {
            self.input.resize(room, 0);
        }
        match self.stream.read(&mut self.input[self.filled..]) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.filled += count;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }
}
