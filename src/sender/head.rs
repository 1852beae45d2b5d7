//! The head of an answer, read from the raw bytes: the outcome of an attempt is decided by it alone.
//!
//! Done here and not left to the HTTP client, so that its limits are ours and nothing in the body, or in the
//! headers that announce it, can turn a status that came in into a failure.

use super::failure::{Failure, FailureKind, shown};

#[cfg(test)]
mod tests;

/// The most that the heads of one answer may take, those of 1xx included.
pub const MAX_HEAD: usize = 32 * 1024;
const MAX_FIELDS: usize = 128;
/// How much of the fields' names and values is kept.
const KEPT: usize = 8 * 1024;

/// Status and headers of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The status code, 100 to 999.
    pub status: u16,
    /// Names in lower case and values, as many as fit in 8 KB.
    pub headers: Vec<(String, Vec<u8>)>,
    /// A head for the HTTP client that says no more than it needs: the status, and where the body ends. It would refuse
    /// a whole answer for the sake of one malformed field.
    pub(super) frame: Vec<u8>,
}

/// What the bytes so far amount to.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// The head goes on.
    More,
    /// So many bytes are a 1xx answer, to be skipped.
    Interim(usize),
    /// So many bytes are the head, which is complete.
    Done(usize, Head),
}

/// Looks for the end of the head as bytes come in, each byte once.
#[derive(Debug, Default)]
pub struct HeadScan {
    /// Bytes of the current head that hold no end.
    seen: usize,
    /// Bytes of 1xx heads before it.
    skipped: usize,
}

impl HeadScan {
    /// Looks at all bytes of the current head, the new ones at the end.
    pub fn step(&mut self, bytes: &[u8]) -> Result<Step, Failure> {
        let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let rest = bytes.get(blank..).unwrap_or_default();
        if !b"HTTP/1.".iter().zip(rest).all(|(wanted, byte)| wanted == byte) {
            return Err(not_http(rest));
        }
        let Some(end) = find_end(bytes, blank.max(self.seen.saturating_sub(2))) else {
            self.seen = bytes.len();
            return if self.skipped + bytes.len() > MAX_HEAD { Err(too_large()) } else { Ok(Step::More) };
        };
        if self.skipped + end > MAX_HEAD {
            return Err(too_large());
        }
        let head = parse(bytes.get(..end).unwrap_or_default())?;
        if (100..200).contains(&head.status) && head.status != 101 {
            (self.seen, self.skipped) = (0, self.skipped + end);
            return Ok(Step::Interim(end));
        }
        Ok(Step::Done(end, head))
    }
}

/// The place after the first empty line, looking for line ends from `from` on.
fn find_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == b'\n')? + 1;
        match bytes.get(at..)? {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
}

/// Takes a head apart. Only its status line can be wrong: a receiver whose fields are malformed has answered all the
/// same. A line that is no field is left out, a folded one (RFC 9112, 5.2) is joined with a space.
fn parse(bytes: &[u8]) -> Result<Head, Failure> {
    let mut lines = bytes
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .skip_while(|line| line.is_empty());
    let (version, status) =
        lines.next().and_then(status).ok_or_else(|| not_http(bytes.trim_ascii_start()))?;
    let mut fields: Vec<(&[u8], Vec<u8>)> = Vec::new();
    let mut count = 0;
    for line in lines.take_while(|line| !line.is_empty()) {
        let folded = line.starts_with(b" ") || line.starts_with(b"\t");
        if let Some((_, value)) = fields.last_mut().filter(|_| folded) {
            value.push(b' ');
            value.extend(line.trim_ascii());
            continue;
        }
        count += 1;
        if count > MAX_FIELDS {
            return Err(too_large());
        }
        // Without a colon or a name it is no field; it stands here for the lines that may be folded onto it.
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or_default();
        let (name, value) = line.split_at_checked(colon).unwrap_or_default();
        fields.push((name.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii().to_vec()));
    }
    let frame = frame(version, status, &fields);
    Ok(Head { status, headers: kept(fields), frame })
}

/// See [`Head::frame`]. A body that a status cannot have, or with two ends, is the last thing on its connection: what
/// follows could be taken for the answer to the next request.
fn frame(version: u8, status: u16, fields: &[(&[u8], Vec<u8>)]) -> Vec<u8> {
    let minor = u8::from(version != b'0');
    let mut frame = format!("HTTP/1.{minor} {status} \r\n").into_bytes();
    let (mut sized, mut chunked) = (false, false);
    for (name, value) in fields {
        let (length, coding) =
            (name.eq_ignore_ascii_case(b"content-length"), name.eq_ignore_ascii_case(b"transfer-encoding"));
        if length || coding || name.eq_ignore_ascii_case(b"connection") {
            for part in [*name, b": ", value, b"\r\n"] {
                frame.extend(part);
            }
        }
        sized |= length && value != b"0";
        chunked |= coding;
    }
    if (sized && chunked) || (matches!(status, 204 | 304) && (sized || chunked)) {
        frame.extend(b"connection: close\r\n");
    }
    frame.extend(b"\r\n");
    frame
}

/// Version and status in a status line: `HTTP/1.`, a digit, blanks, three digits that begin with 1 to 9, and, after a
/// blank, a reason that can be anything.
fn status(line: &[u8]) -> Option<(u8, u16)> {
    let (version, rest) = line.strip_prefix(b"HTTP/1.")?.split_first()?;
    let code = rest.trim_ascii_start();
    let (digits, reason) = code.split_at_checked(3)?;
    let apart = code.len() < rest.len() && reason.first().is_none_or(u8::is_ascii_whitespace);
    let is_one = version.is_ascii_digit() && digits.iter().all(u8::is_ascii_digit) && apart;
    let number = digits.iter().fold(0, |number, digit| number * 10 + u16::from(digit.wrapping_sub(b'0')));
    (is_one && number >= 100).then_some((*version, number))
}

/// The first 8 KB of names and values.
fn kept(fields: Vec<(&[u8], Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
    let mut left = KEPT;
    let mut headers = Vec::with_capacity(fields.len());
    for (name, mut value) in fields.into_iter().filter(|(name, _)| !name.is_empty()) {
        let Some(room) = left.checked_sub(name.len()) else {
            break;
        };
        value.truncate(room);
        left = room - value.len();
        headers.push((String::from_utf8_lossy(name).to_ascii_lowercase(), value));
    }
    headers
}

fn not_http(bytes: &[u8]) -> Failure {
    let what = match bytes {
        [0x15, 3, ..] => "it is TLS; is it https://?".to_owned(),
        [0, 0, _, 4, ..] => "it is HTTP/2 without being asked; Postrider speaks HTTP/1.1".to_owned(),
        _ => format!("it begins with {}", shown(bytes)),
    };
    Failure::new(FailureKind::NotHttp, format!("the answer is not HTTP/1: {what}"))
}

fn too_large() -> Failure {
    Failure::new(
        FailureKind::HeadTooLarge,
        "the answer's head is larger than 32 KB or has more than 128 fields",
    )
}
