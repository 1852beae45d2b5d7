//! As much of HTTP/1.1 as the load and the receiver need of each other and of Postrider.

use std::ops::Range;

/// Header lines of a message at most.
const HEADERS: usize = 32;

/// What a buffer begins with.
pub enum Found<T> {
    /// A whole message.
    Whole(T),
    /// A part of one; so many bytes of it at least are needed to go on.
    Part(usize),
}

/// A request.
pub struct Request {
    /// Where its path is in the buffer.
    pub path: Range<usize>,
    /// Where its body is; it ends where the next message begins.
    pub body: Range<usize>,
}

/// An answer.
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Where its body is; it ends where the next message begins.
    pub body: Range<usize>,
}

/// The request at the start of `bytes`.
///
/// # Errors
/// What is wrong with it.
pub fn request(bytes: &[u8]) -> Result<Found<Request>, String> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) = parsed.parse(bytes).map_err(|error| error.to_string())? else {
        return Ok(Found::Part(bytes.len() + 1));
    };
    let end = head + length(parsed.headers)?.ok_or("a body without content-length")?;
    // The path is a part of `bytes`: method, blank, path.
    let start = parsed.method.map_or(0, str::len) + 1;
    let path = start..start + parsed.path.map_or(0, str::len);
    Ok(whole(end, bytes, || Request { path, body: head..end }))
}

/// The answer at the start of `bytes`.
///
/// # Errors
/// What is wrong with it.
pub fn answer(bytes: &[u8]) -> Result<Found<Answer>, String> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut parsed = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = parsed.parse(bytes).map_err(|error| error.to_string())? else {
        return Ok(Found::Part(bytes.len() + 1));
    };
    let status = parsed.code.unwrap_or(0);
    let end = head + length(parsed.headers)?.ok_or("an answer without content-length")?;
    Ok(whole(end, bytes, || Answer { status, body: head..end }))
}

fn whole<T>(end: usize, bytes: &[u8], message: impl FnOnce() -> T) -> Found<T> {
    if bytes.len() < end { Found::Part(end) } else { Found::Whole(message()) }
}

/// The length of the body; `None` for one whose end is told in another way.
fn length(headers: &[httparse::Header<'_>]) -> Result<Option<usize>, String> {
    for header in headers {
        if header.name.eq_ignore_ascii_case("transfer-encoding") {
            return Ok(None);
        }
        if header.name.eq_ignore_ascii_case("content-length") {
            let text = std::str::from_utf8(header.value).map_err(|error| error.to_string())?;
            return text.parse().map(Some).map_err(|_| format!("content-length: {text}"));
        }
    }
    Ok(Some(0))
}
