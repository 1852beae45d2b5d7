//! What a request is answered with, and what is counted of it.

use std::borrow::Cow;

use super::tally::Tally;
use crate::load::request;
use crate::now::now;

/// The answer of a receiver that has nothing to say.
pub const NO_CONTENT: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";
const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";

/// When and what.
pub enum Reply {
    /// These bytes, now.
    Now(Cow<'static, [u8]>),
    /// [`NO_CONTENT`] at this moment.
    At(u64),
    /// Nothing.
    Never,
}

/// Counts a request; its answer.
pub fn reply(tally: &mut Tally, path: &str, body: &[u8]) -> Reply {
    let mut segments = path.split('/').skip(1);
    match segments.next() {
        Some("ok") => {
            count(tally, prefix(path, 2), body);
            Reply::Now(NO_CONTENT.into())
        }
        Some("slow") => {
            let ms: u64 = segments.next().and_then(|ms| ms.parse().ok()).unwrap_or(0);
            Reply::At(count(tally, prefix(path, 3), body) + ms * 1_000_000)
        }
        Some("hang") => {
            count(tally, prefix(path, 2), body);
            Reply::Never
        }
        Some("control") => control(tally, segments.next()),
        _ => Reply::Now(NOT_FOUND.into()),
    }
}

/// The moment of its arrival.
fn count(tally: &mut Tally, class: &str, body: &[u8]) -> u64 {
    let arrived = now();
    tally.count(class, arrived, request::sent_at(body));
    arrived
}

/// The first `segments` segments of a path, without the slash before them.
fn prefix(path: &str, segments: usize) -> &str {
    let end = path.bytes().enumerate().filter(|(_, byte)| *byte == b'/').nth(segments);
    &path[1..end.map_or(path.len(), |(at, _)| at)]
}

fn control(tally: &mut Tally, what: Option<&str>) -> Reply {
    let body = match what {
        Some("reset") => {
            *tally = Tally::default();
            String::new()
        }
        Some("report") => tally.report().to_string(),
        _ => return Reply::Now(NOT_FOUND.into()),
    };
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    Reply::Now((head + &body).into_bytes().into())
}
