//! `GET`, timed to the last byte of the answer: reading what is in it takes no part of the time.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::ops::Range;

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
        let answer = self.answer(path, &format!("authorization: Bearer {KEY}"))?;
        let body = serde_json::from_slice(&self.input[answer.body])?;
        Ok(Got { status: answer.status, took: answer.took, body })
    }

    /// A page of the console, for whom this cookie signs in: how long it takes. Fails unless it is a page, or a file.
    pub fn page(&mut self, path: &str, cookie: &str) -> Fallible<u64> {
        let answer = self.answer(path, &format!("accept: text/html\r\ncookie: {cookie}"))?;
        if answer.status == 200 {
            return Ok(answer.took);
        }
        let text = String::from_utf8_lossy(&self.input[answer.body]);
        Err(format!("{path}: {} {text}", answer.status).into())
    }

    fn answer(&mut self, path: &str, headers: &str) -> Fallible<Timed> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: bench\r\n{headers}\r\n\r\n");
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
            if let Found::Whole(answer) = http::answer(&self.input[..filled])? {
                return Ok(Timed { status: answer.status, took: since(sent), body: answer.body });
            }
        }
    }
}

/// An answer that is in the buffer.
struct Timed {
    status: u16,
    took: u64,
    body: Range<usize>,
}
