//! The HTTP library's own refusals, as problem documents.
//!
//! When a request's head cannot be read, or does not come in time, there is no request yet: the library answers
//! with a bare head, past every handler and middleware, and closes. Such a head is known by what it lacks, the
//! request's id, which every answer of ours has; it is always the last thing that is written.

use crate::service::Code;

use super::errors::REQUEST_ID;
use super::problem::{self, Problem};

const END: &[u8] = b"\r\n\r\n";

/// Where in `bytes` a bare refusal starts, and its status. Our own answers end with a document, and JSON has no
/// blank lines outside of which a status line could stand, so the first comparison settles nearly every write.
pub(super) fn bare_refusal(bytes: &[u8]) -> Option<(usize, u16)> {
    let head = bytes.strip_suffix(END)?;
    let start = memchr::memmem::rfind(head, b"HTTP/1.")?;
    let head = head.get(start..)?;
    let status: u16 = std::str::from_utf8(head.get(9..12)?).ok()?.parse().ok()?;
    let ours = memchr::memmem::find(head, REQUEST_ID.as_str().as_bytes()).is_some();
    let one_head = memchr::memmem::find(head, END).is_none();
    (status >= 400 && one_head && !ours).then_some((start, status))
}

/// The answer in place of a bare one, whose date it takes over.
pub(super) fn refusal(status: u16, bare: &[u8], request_id: &str) -> Vec<u8> {
    let problem = match status {
        408 => {
            Problem::new(Code::RequestTimeout, "the head of the request did not come in time; send it again")
        }
        431 => {
            Problem::new(Code::TooLarge, "the head of the request is too long; send fewer or shorter headers")
        }
        500.. => Problem::internal("the HTTP library failed"),
        _ => Problem::new(Code::MalformedRequest, "the request line or a header is not as HTTP/1.1 wants it"),
    };
    if status >= 500 {
        tracing::error!(request_id, status, "the HTTP library has failed");
    }
    let status = problem::status(problem.0.code.kind());
    let document = problem::document(&problem.0, request_id);
    let bare = String::from_utf8_lossy(bare);
    let date = bare
        .split("\r\n")
        .find(|line| line.starts_with("date:"))
        .unwrap_or("x-content-type-options: nosniff");
    format!(
        "HTTP/1.1 {} {}\r\ncontent-length: {}\r\nconnection: close\r\ncontent-type: application/problem+json\r\n\
         cache-control: no-store\r\n{REQUEST_ID}: {request_id}\r\n{date}\r\n\r\n{document}",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default(),
        document.len(),
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: &[u8] =
        b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\ndate: now\r\n\r\n";

    #[test]
    fn a_bare_refusal_is_known_by_the_id_that_it_lacks() {
        assert_eq!(bare_refusal(BARE), Some((0, 431)));
        let before = b"HTTP/1.1 202 Accepted\r\nx-request-id: 1\r\n\r\n{}";
        assert_eq!(bare_refusal(&[before.as_slice(), BARE].concat()), Some((before.len(), 431)));
    }

    #[test]
    fn answers_of_ours_and_pieces_of_answers_pass() {
        for passes in [
            &b"HTTP/1.1 404 Not Found\r\nx-request-id: 1\r\n\r\n"[..],
            b"HTTP/1.1 204 No Content\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"HTTP/1.1 400 Bad Request\r\ncontent-le",
            b"{\"data\":1}",
            b"\r\n\r\n",
            b"HTTP/1.",
        ] {
            assert_eq!(bare_refusal(passes), None, "{}", String::from_utf8_lossy(passes));
        }
    }

    #[test]
    fn a_refusal_is_a_whole_answer_with_its_length() {
        let text = String::from_utf8(refusal(431, BARE, "r1")).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 413 Payload Too Large\r\n") && head.ends_with("\r\ndate: now"));
        assert!(
            head.contains(&format!("content-length: {}\r\n", body.len()))
                && head.contains("x-request-id: r1")
        );
        assert!(body.contains("\"code\":\"too_large\"") && body.contains("\"request_id\":\"r1\""));
    }
}
