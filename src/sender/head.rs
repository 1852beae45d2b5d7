//! The head of an answer, read from the raw bytes: the outcome of an attempt is decided by it alone.
//!
//! Done here and not left to the HTTP client, so that its limits are ours and nothing in the body, or in the
//! headers that announce it, can turn a status that came in into a failure.

use super::failure::{Failure, FailureKind, shown};

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
}

/// What the bytes so far amount to.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// The head goes on.
    More,
    /// So many bytes are a 1xx answer, to be skipped.
    Interim(usize),
    /// The head is complete.
    Done(Head),
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
        Ok(Step::Done(head))
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

fn parse(bytes: &[u8]) -> Result<Head, Failure> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    let status = match response.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => response.code.filter(|code| *code >= 100),
        Ok(httparse::Status::Partial) => None,
        Err(httparse::Error::TooManyHeaders) => return Err(too_large()),
        Err(error) => {
            let message = format!("the answer is not HTTP/1: {error}; it begins with {}", shown(bytes));
            return Err(Failure::new(FailureKind::NotHttp, message));
        }
    };
    let status = status.ok_or_else(|| not_http(bytes))?;
    let mut left = KEPT;
    let mut headers = Vec::with_capacity(response.headers.len());
    for field in response.headers.iter() {
        let Some(room) = left.checked_sub(field.name.len()) else {
            break;
        };
        let value = field.value.get(..room).unwrap_or(field.value);
        left = room - value.len();
        headers.push((field.name.to_ascii_lowercase(), value.to_vec()));
    }
    Ok(Head { status, headers })
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn done(bytes: &[u8]) -> Head {
        match HeadScan::default().step(bytes) {
            Ok(Step::Done(head)) => head,
            other => panic!("{other:?}"),
        }
    }

    fn kind(bytes: &[u8]) -> FailureKind {
        HeadScan::default().step(bytes).unwrap_err().kind
    }

    #[test]
    fn a_head_is_taken_however_it_is_cut() {
        let whole = b"HTTP/1.1 201 Created\r\nX-A: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\nrest";
        let end = whole.len() - 4;
        let mut scan = HeadScan::default();
        for cut in 1..end {
            assert_eq!(scan.step(&whole[..cut]), Ok(Step::More), "{cut}");
        }
        let Ok(Step::Done(head)) = scan.step(whole) else { panic!("it is complete") };
        assert_eq!(head.status, 201);
        assert_eq!(head.headers[2], ("set-cookie".to_owned(), b"b".to_vec()));
    }

    #[test]
    fn bare_line_feeds_and_leading_empty_lines_are_accepted() {
        assert_eq!(done(b"\r\n\r\nHTTP/1.0 204\n\n").status, 204);
        assert_eq!(done(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").status, 101);
    }

    #[test]
    fn interim_answers_are_skipped_until_they_are_too_much() {
        let interim = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n";
        let mut scan = HeadScan::default();
        let steps = (0..)
            .map(|_| scan.step(interim))
            .take_while(|step| step.as_ref().is_ok_and(|step| *step == Step::Interim(interim.len())));
        assert_eq!(steps.count(), MAX_HEAD / interim.len());
    }

    #[test]
    fn what_is_not_http_is_seen_at_the_first_bytes() {
        for bytes in [
            &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
            b"220 mail ESMTP",
            b"\x15\x03\x01",
            b"\0\0\x12\x04\0",
            b"HTTP/2 200",
        ] {
            assert_eq!(kind(bytes), FailureKind::NotHttp, "{bytes:?}");
        }
        for bytes in
            [&b"HTTP/1.1 abc\r\n\r\n"[..], b"HTTP/1.1 099 x\r\n\r\n", b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"]
        {
            assert_eq!(kind(bytes), FailureKind::NotHttp, "{bytes:?}");
        }
    }

    #[test]
    fn heads_beyond_the_limits_are_refused() {
        let fields =
            |count: usize| format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(count)).into_bytes();
        assert_eq!(done(&fields(MAX_FIELDS)).headers.len(), MAX_FIELDS);
        assert_eq!(kind(&fields(MAX_FIELDS + 1)), FailureKind::HeadTooLarge);
        let long =
            |bytes: usize| format!("HTTP/1.1 200 OK\r\na: {}\r\n\r\n", "x".repeat(bytes - 24)).into_bytes();
        assert_eq!(done(&long(MAX_HEAD)).status, 200);
        assert_eq!(kind(&long(MAX_HEAD + 1)), FailureKind::HeadTooLarge);
        assert_eq!(kind(&long(MAX_HEAD + 100)[..=MAX_HEAD]), FailureKind::HeadTooLarge, "without its end");
    }

    #[test]
    fn eight_kilobytes_of_headers_are_kept() {
        let head = done(format!("HTTP/1.1 200 OK\r\na: {}\r\nb: c\r\n\r\n", "x".repeat(9000)).as_bytes());
        assert_eq!(head.headers.len(), 1);
        assert_eq!(head.headers[0].1.len(), KEPT - 1);
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_cutting_them_changes_nothing(
            tail in prop::collection::vec(any::<u8>(), 0..80), at in 0..80usize, http: bool,
        ) {
            let mut bytes = if http { b"HTTP/1.1 200 OK\r\n".to_vec() } else { Vec::new() };
            bytes.extend(&tail);
            let whole = HeadScan::default().step(&bytes);
            let mut scan = HeadScan::default();
            let first = scan.step(&bytes[..at.min(bytes.len())]);
            if first == Ok(Step::More) {
                prop_assert_eq!(scan.step(&bytes), whole);
            }
        }
    }
}
