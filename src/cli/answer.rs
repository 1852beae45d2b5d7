//! Reading an HTTP/1.1 answer from bytes that have arrived.

use serde_json::Value;

use super::chunked::{self, Chunked};

const HEADERS_MAX: usize = 128;

/// An answer of the server, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as JSON; null if it is empty, a text if it is one.
    pub body: Value,
    /// The body as it came.
    pub text: String,
    /// The call was answered before, and nothing was done again (`Idempotent-Replayed: true`).
    pub replayed: bool,
}

/// What is wrong with bytes that are no answer of a Postrider server.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);

/// The answer in `bytes`, or none if it has not all arrived. `ended`: nothing more will.
pub(super) fn read(mut bytes: &[u8], ended: bool) -> Result<Option<Answer>, Malformed> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut head = httparse::Response::new(&mut headers);
        let length = match head.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(Malformed("it is not HTTP")),
        };
        bytes = &bytes[length..];
        match head.code.unwrap_or_default() {
            // Interim answers (RFC 9110, section 15.2) come before the one that counts.
            100 | 102..200 => {}
            status => return read_final(status, head.headers, bytes, ended),
        }
    }
}

fn read_final(
    status: u16,
    headers: &[httparse::Header<'_>],
    after: &[u8],
    ended: bool,
) -> Result<Option<Answer>, Malformed> {
    let body = if status == 204 { Some(Vec::new()) } else { read_body(headers, after, ended)? };
    let Some(body) = body else { return Ok(None) };
    let text = String::from_utf8(body).map_err(|_| Malformed("its body is not in UTF-8"))?;
    let plain =
        value_of(headers, "content-type").is_some_and(|media_type| media_type.starts_with(b"text/plain"));
    let body = match text.as_str() {
        "" => Value::Null,
        text if plain => Value::String(text.to_owned()),
        text => match serde_json::from_str(text) {
            Ok(body) => body,
            // A reverse proxy's own page, whose status says all.
            Err(_) if status >= 300 => Value::Null,
            Err(_) => return Err(Malformed("its body is not JSON")),
        },
    };
    let replayed = value_of(headers, "idempotent-replayed").is_some_and(|value| value == b"true");
    Ok(Some(Answer { status, body, text, replayed }))
}

fn value_of<'a>(headers: &[httparse::Header<'a>], name: &str) -> Option<&'a [u8]> {
    headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
}

/// The body as its headers delimit it (RFC 9112, section 6.3), or none if it has not all arrived.
fn read_body(
    headers: &[httparse::Header<'_>],
    after: &[u8],
    ended: bool,
) -> Result<Option<Vec<u8>>, Malformed> {
    if value_of(headers, "transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked")) {
        return match chunked::join(after) {
            Chunked::Complete(body) => Ok(Some(body)),
            Chunked::Partial => Ok(None),
            Chunked::Malformed => Err(Malformed("its chunks are malformed")),
        };
    }
    let Some(length) = value_of(headers, "content-length") else {
        return Ok(ended.then(|| after.to_vec()));
    };
    let length: usize = std::str::from_utf8(length)
        .ok()
        .and_then(|length| length.parse().ok())
        .ok_or(Malformed("its Content-Length is not a number"))?;
    Ok(after.get(..length).map(<[u8]>::to_vec))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body(answer: &[u8]) -> Value {
        let answer = read(answer, true).unwrap().unwrap();
        answer.body
    }

    fn malformed(answer: &[u8]) -> &'static str {
        read(answer, true).unwrap_err().0
    }

    #[test]
    fn a_body_is_delimited_by_length_by_chunks_or_by_the_end() {
        assert_eq!(body(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}more"), json!({}));
        assert_eq!(
            body(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"),
            json!({})
        );
        assert_eq!(body(b"HTTP/1.1 200 OK\r\n\r\n[1]"), json!([1]));
        assert_eq!(body(b"HTTP/1.1 204 No Content\r\n\r\n"), Value::Null);
        assert_eq!(
            body(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n7"),
            json!(7)
        );
    }

    #[test]
    fn a_text_is_a_text_and_json_is_kept_as_it_came() {
        let answer = |head: &str, body: &str| {
            let length = body.len();
            let bytes = format!("HTTP/1.1 200 OK\r\n{head}Content-Length: {length}\r\n\r\n{body}");
            read(bytes.as_bytes(), true).unwrap().unwrap()
        };
        assert_eq!(answer("Content-Type: text/plain; charset=utf-8\r\n", "curl").body, json!("curl"));
        let exact = "{\"n\": 12345678901234567890.10}";
        assert_eq!(answer("Content-Type: application/json\r\n", exact).text, exact);
    }

    #[test]
    fn an_answer_that_was_given_before_says_so() {
        let told = |header: &str| {
            let answer = format!("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n{header}\r\n");
            read(answer.as_bytes(), false).unwrap().unwrap().replayed
        };
        assert!(
            told("Idempotent-Replayed: true\r\n") && !told("") && !told("Idempotent-Replayed: false\r\n")
        );
    }

    #[test]
    fn what_is_no_answer_of_ours_is_told() {
        assert_eq!(malformed(b"SSH-2.0-OpenSSH\r\n\r\n"), "it is not HTTP");
        assert_eq!(malformed(b"HTTP/1.1 200 OK\r\n\r\n<html>"), "its body is not JSON");
        assert_eq!(
            malformed(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
            "its Content-Length is not a number"
        );
        let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
        assert_eq!(malformed(chunks), "its chunks are malformed");
    }

    #[test]
    fn an_answer_is_not_one_before_its_end() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";
        for cut in 0..whole.len() {
            assert_eq!(read(&whole[..cut], false), Ok(None), "{cut}");
        }
        assert_eq!(
            read(b"HTTP/1.1 200 OK\r\n\r\n[", false),
            Ok(None),
            "delimited by the end, which is not there"
        );
    }
}
