//! A load that does not wait: so many publishes a second on many connections, whatever becomes of them, on one
//! thread.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use postrider::clock::Stopwatch;

use crate::support::app::KEY;

/// How it is to be.
#[derive(Debug, Clone)]
pub struct Load {
    pub connections: usize,
    /// Publishes a second; nothing: as many as are answered.
    pub rate: Option<usize>,
    pub time: Duration,
    /// Bytes of data of the nth event.
    pub size: fn(usize) -> usize,
    /// Before the number in the events' own ids.
    pub prefix: &'static str,
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The own ids of the events that were acknowledged.
    pub accepted: Vec<String>,
    /// Refused for now, and told when to come back.
    pub refused: usize,
    /// Connections that were cut under a request.
    pub cut: usize,
    /// Publishes that were due while every connection waited for an answer.
    pub late: usize,
    /// Anything else.
    pub wrong: Vec<String>,
}

struct Line {
    stream: TcpStream,
    /// What is being sent, and how much of it was.
    out: Vec<u8>,
    sent: usize,
    read: Vec<u8>,
    id: String,
}

/// See the module.
struct Loader<'a> {
    load: &'a Load,
    address: SocketAddr,
    poll: Poll,
    lines: Vec<Line>,
    free: VecDeque<usize>,
    next: usize,
    outcome: Outcome,
}

impl Load {
    /// Puts it on the server.
    pub fn run(&self, address: SocketAddr) -> Outcome {
        let poll = Poll::new().expect("an epoll");
        let mut loader = Loader {
            load: self,
            address,
            poll,
            lines: Vec::new(),
            free: (0..self.connections).collect(),
            next: 0,
            outcome: Outcome::default(),
        };
        for at in 0..self.connections {
            let line = loader.connect(at);
            loader.lines.push(line);
        }
        loader.run();
        loader.outcome
    }
}

impl Loader<'_> {
    fn connect(&self, at: usize) -> Line {
        let mut stream = TcpStream::connect(self.address).expect("a socket");
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(at), both).expect("a socket");
        Line { stream, out: Vec::new(), sent: 0, read: Vec::new(), id: String::new() }
    }

    fn run(&mut self) {
        let watch = Stopwatch::start();
        let mut events = Events::with_capacity(1024);
        let answers = Duration::from_secs(30);
        loop {
            let elapsed = watch.elapsed();
            if elapsed < self.load.time {
                self.send_what_is_due(elapsed);
            } else if self.free.len() == self.load.connections {
                return;
            }
            assert!(
                elapsed < self.load.time + answers,
                "{} have no answer",
                self.load.connections - self.free.len()
            );
            self.poll.poll(&mut events, Some(Duration::from_millis(1))).expect("an epoll");
            for event in &events {
                self.step(event.token().0);
            }
        }
    }

    fn send_what_is_due(&mut self, elapsed: Duration) {
        let due = self.load.rate.map_or(usize::MAX, |rate| {
            usize::try_from(elapsed.as_micros() * rate as u128 / 1_000_000).expect("a small number")
        });
        while self.next + self.outcome.late < due {
            let Some(at) = self.free.pop_front() else {
                if due != usize::MAX {
                    self.outcome.late = due - self.next;
                }
                return;
            };
            let line = &mut self.lines[at];
            line.id = format!("{}-{}", self.load.prefix, self.next);
            line.out = render(&line.id, (self.load.size)(self.next));
            line.sent = 0;
            self.next += 1;
            self.step(at);
        }
    }

    /// Writes and reads what it can.
    fn step(&mut self, at: usize) {
        let line = &mut self.lines[at];
        let mut open = true;
        while line.sent < line.out.len() && open {
            match line.stream.write(&line.out[line.sent..]) {
                Ok(written) => line.sent += written,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => {
                    break;
                }
                // The answer may be there all the same.
                Err(_) => line.sent = line.out.len(),
            }
        }
        let mut piece = [0; 4096];
        while open {
            match line.stream.read(&mut piece) {
                Ok(0) => open = false,
                Ok(read) => line.read.extend_from_slice(&piece[..read]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => {
                    break;
                }
                Err(_) => open = false,
            }
        }
        let waits = !line.out.is_empty();
        let answer = if waits { take_answer(&mut line.read) } else { None };
        let answered = answer.is_some();
        if let Some((head, close)) = answer {
            self.note(at, &head);
            open &= !close;
        } else if !open && waits {
            self.outcome.cut += 1;
        }
        if waits && (answered || !open) {
            self.lines[at].out = Vec::new();
            self.free.push_back(at);
        }
        if !open {
            self.lines[at] = self.connect(at);
        }
    }

    fn note(&mut self, at: usize, answer: &str) {
        let outcome = &mut self.outcome;
        match &answer[9..12] {
            "202" => outcome.accepted.push(self.lines[at].id.clone()),
            "503" if answer.contains("retry-after: ") => outcome.refused += 1,
            _ => outcome.wrong.push(answer.to_owned()),
        }
    }
}

fn render(id: &str, size: usize) -> Vec<u8> {
    let body = format!("{{\"type\":\"a\",\"id\":\"{id}\",\"data\":\"{}\"}}", "x".repeat(size));
    format!(
        "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A whole answer, in small letters, and whether the connection ends with it.
fn take_answer(read: &mut Vec<u8>) -> Option<(String, bool)> {
    let text = std::str::from_utf8(read).ok()?;
    let end = text.find("\r\n\r\n")? + 4;
    let head = text[..end].to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1)?.split("\r\n").next()?;
    let all = end + length.parse::<usize>().expect("a length");
    let answer = text.get(..all)?.to_ascii_lowercase();
    read.drain(..all);
    Some((answer, head.contains("connection: close")))
}
