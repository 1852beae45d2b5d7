//! One connection of a load: a request, its answer, the next request.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;

use mio::net::TcpStream;

use super::Prepared;
use crate::Fallible;
use crate::http::{self, Found};
use crate::now::now;

/// See the module.
pub struct Connection {
    pub stream: TcpStream,
    /// When the request that waits for its answer was sent.
    pub sent: u64,
    output: Vec<u8>,
    written: usize,
    input: Vec<u8>,
    filled: usize,
}

impl Connection {
    /// Connects.
    pub fn open(target: SocketAddr) -> Fallible<Self> {
        Ok(Self::on(connect(target)?))
    }

    /// One to send with and one to read with, for two threads.
    pub fn open_split(target: SocketAddr) -> Fallible<(Self, Self)> {
        let stream = connect(target)?;
        Ok((Self::on(stream.try_clone()?), Self::on(stream)))
    }

    fn on(stream: std::net::TcpStream) -> Self {
        let stream = TcpStream::from_std(stream);
        Self { stream, sent: 0, output: Vec::new(), written: 0, input: vec![0; 16 * 1024], filled: 0 }
    }

    /// Sends a request now, as far as the system takes it.
    pub fn send(&mut self, request: &Prepared, number: u64) -> Fallible<()> {
        self.output.clear();
        self.written = 0;
        self.sent = now();
        request.write(&mut self.output, self.sent, number);
        self.write()
    }

    /// Writes what can be written.
    pub fn write(&mut self) -> Fallible<()> {
        while self.written < self.output.len() {
            match self.stream.write(&self.output[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Whether all of the request is written.
    pub fn is_written(&self) -> bool {
        self.written == self.output.len()
    }

    /// The status of the answer, once all of it is there.
    pub fn read(&mut self) -> Fallible<Option<u16>> {
        loop {
            if self.filled == self.input.len() {
                self.input.resize(2 * self.filled, 0);
            }
            match self.stream.read(&mut self.input[self.filled..]) {
                Ok(0) => return Err("the server has closed a connection of the load".into()),
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error.into()),
            }
            if let Found::Whole(answer) = http::answer(&self.input[..self.filled])? {
                // Without pipelining nothing follows an answer.
                self.filled = 0;
                return Ok(Some(answer.status));
            }
        }
    }
}

fn connect(target: SocketAddr) -> std::io::Result<std::net::TcpStream> {
    let stream = std::net::TcpStream::connect(target)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}
