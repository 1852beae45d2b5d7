//! `GET`, timed to the last byte of the answer: reading what is in it takes no part of the time.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::Fallible;
use crate::http::{self, Found};
use crate::now::{now, since};
use crate::server::{KEY, Server};

/// A connection to a server.
pub struct Get {
    stream: TcpStream,
    input: Vec<u8>,
}

/// An answer.
pub struct Got {
    /// Its status.
    pub status: u16,
    /// From the first byte sent to the last one read; nanoseconds.
    pub took: u64,
    /// Its body.
    pub body: Value,
}

impl Get {
    /// Connects.
    pub fn open(server: &Server) -> Fallible<Self> {
        let stream = TcpStream::connect(server.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(std::time::Duration::from_secs(30)))?;
        Ok(Self { stream, input: vec![0; 64 * 1024] })
    }

    /// A call below `/api/v1`; fails unless the answer is a success.
    pub fn api(&mut self, path: &str) -> Fallible<Got> {
        let got = self.root(&format!("/api/v1{path}"))?;
        if got.status == 200 { Ok(got) } else { Err(format!("{path}: {} {}", got.status, got.body).into()) }
    }

    /// Any call.
    pub fn root(&mut self, path: &str) -> Fallible<Got> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {KEY}\r\n\r\n");
        let (sent, mut filled) = (now(), 0);
        self.stream.write_all(request.as_bytes())?;
        loop {
            if filled == self.input.len() {
                self.input.resize(2 * filled, 0);
            }
            let count = self.stream.read(&mut self.input[filled..])?;
            if count == 0 {
                return Err(format!("{path}: the server has closed the connection").into());
            }
            filled += count;
            let bytes = &self.input[..filled];
            if let Found::Whole(answer) = http::answer(bytes)? {
                let took = since(sent);
                let body = serde_json::from_slice(&bytes[answer.body])?;
                return Ok(Got { status: answer.status, took, body });
            }
        }
    }
}
