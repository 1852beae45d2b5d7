//! One connection of the receiver: reads requests, plays replies.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use super::Shared;
use super::log::Received;
use super::reply::{Reply, Then};

/// The largest head of a request.
const HEAD_BYTES: usize = 64 * 1024;

/// Serves a connection until either side ends it. `io` is the stream, or TLS on top of it.
pub(super) fn serve(shared: &Shared, stream: &Arc<TcpStream>, number: usize, mut io: impl Read + Write) {
    let mut buffer = Vec::new();
    loop {
        match read_request(&mut io, &mut buffer) {
            Ok(Some(mut request)) => {
                request.connection = number;
                request.at = shared.started.elapsed();
                match answer(shared, request, stream, &mut io) {
                    Ok(true) => {}
                    Ok(false) | Err(_) => break,
                }
            }
            Ok(None) | Err(Broken::Cut) => break,
            Err(Broken::NotHttp(why)) => {
                shared.change(|log| log.faults.push(format!("connection {number}: {why}")));
                let _ = io.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
                break;
            }
        }
    }
    let _ = io.flush();
    let _ = stream.shutdown(Shutdown::Both);
}

/// Does what the script says. Answers whether the connection goes on.
fn answer(
    shared: &Shared,
    request: Received,
    stream: &Arc<TcpStream>,
    io: &mut impl Write,
) -> io::Result<bool> {
    let last = request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let Some((order, reply)) = shared.begin(request, stream) else {
        return Ok(false);
    };
    let played = play(shared, order, &reply, stream, io);
    shared.change(|log| log.end(order));
    played?;
    Ok(reply.then == Then::Keep && !last)
}

fn play(
    shared: &Shared,
    order: usize,
    reply: &Reply,
    stream: &TcpStream,
    io: &mut impl Write,
) -> io::Result<()> {
    if let Some(gate) = &reply.gate {
        gate.pass();
        shared.change(|log| log.set_idle(order, false));
    }
    let (bytes, head) = reply.bytes();
    let at_once = match reply.pace {
        None => bytes.len(),
        Some(pace) if pace.body_only => head,
        Some(_) => 0,
    };
    // A caller that has the last byte may send the next request at once: this one is no longer in flight then.
    let ends_here = reply.then != Then::Hang;
    if ends_here && at_once == bytes.len() {
        shared.change(|log| log.end(order));
    }
    io.write_all(&bytes[..at_once])?;
    for (index, byte) in bytes.iter().enumerate().skip(at_once) {
        shared.pause(reply.pace.map(|pace| pace.every).unwrap_or_default())?;
        if ends_here && index + 1 == bytes.len() {
            shared.change(|log| log.end(order));
        }
        io.write_all(std::slice::from_ref(byte))?;
        io.flush()?;
    }
    io.flush()?;
    if reply.then == Then::Hang {
        shared.change(|log| log.set_idle(order, true));
        wait_until_caller_leaves(shared, stream);
    }
    Ok(())
}

fn wait_until_caller_leaves(shared: &Shared, mut stream: &TcpStream) {
    while let Err(error) = stream.read(&mut [0]) {
        if error.kind() != io::ErrorKind::WouldBlock {
            return;
        }
        // Somebody who holds the lock looks whether the caller has left; it blocks again afterwards.
        shared.change(|_| ());
    }
}

/// Why no request could be read.
enum Broken {
    /// The connection ended, or failed, within a request.
    Cut,
    /// What came cannot be understood.
    NotHttp(String),
}

/// The next request, or nothing if the connection ended between two.
fn read_request(io: &mut impl Read, buffer: &mut Vec<u8>) -> Result<Option<Received>, Broken> {
    loop {
        if let Some((request, head, length)) = parse_head(buffer)? {
            while buffer.len() < head + length {
                if !read_more(io, buffer)? {
                    return Err(Broken::Cut);
                }
            }
            let body = buffer[head..head + length].to_vec();
            buffer.drain(..head + length);
            return Ok(Some(Received { body, ..request }));
        }
        if buffer.len() > HEAD_BYTES {
            return Err(Broken::NotHttp(format!("a head of more than {HEAD_BYTES} bytes")));
        }
        if !read_more(io, buffer)? {
            return if buffer.is_empty() { Ok(None) } else { Err(Broken::Cut) };
        }
    }
}

fn read_more(io: &mut impl Read, buffer: &mut Vec<u8>) -> Result<bool, Broken> {
    let mut chunk = [0; 16 * 1024];
    let read = io.read(&mut chunk).map_err(|_| Broken::Cut)?;
    buffer.extend_from_slice(&chunk[..read]);
    Ok(read > 0)
}

/// The request without its body, the length of its head and of its body; nothing as long as the head is not whole.
fn parse_head(buffer: &[u8]) -> Result<Option<(Received, usize, usize)>, Broken> {
    let not_http = |why: &dyn std::fmt::Display| {
        let start = String::from_utf8_lossy(&buffer[..buffer.len().min(200)]);
        Broken::NotHttp(format!("{why}: {start:?}"))
    };
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut parsed = httparse::Request::new(&mut headers);
    let head = match parsed.parse(buffer) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(not_http(&error)),
    };
    let target = parsed.path.unwrap_or_default();
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let request = Received {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.map(str::to_owned),
        headers: parsed.headers.iter().map(|h| (h.name.to_owned(), text(h.value))).collect(),
        body: Vec::new(),
        connection: 0,
        order: 0,
        at: std::time::Duration::ZERO,
    };
    if request.header("transfer-encoding").is_some() {
        return Err(not_http(&"a request must have a Content-Length, not a Transfer-Encoding"));
    }
    let length = request.header("content-length").map_or(Ok(0), str::parse);
    length.map(|length| Some((request, head, length))).map_err(|error| not_http(&error))
}
