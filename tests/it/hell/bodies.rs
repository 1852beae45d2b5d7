//! The body of an answer: once the head is in, nothing in it matters to the outcome.

use std::time::Duration;

use super::script::{Act, answer, answer_and_hang, send};
use super::table::{Row, check};

const HEAD: &str = "HTTP/1.1 200 OK\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

fn after(head: &str, then: impl IntoIterator<Item = Act>) -> Vec<Act> {
    [Act::Read, send(head)].into_iter().chain(then).collect()
}

#[test]
fn a_body_that_does_not_end_is_cut() {
    let kept = "x".repeat(2048);
    let length = format!("{HEAD}content-length: 99999999\r\n\r\n");
    let open = format!("{HEAD}\r\n");
    let flood = |bytes: &[u8]| [Act::Flood(bytes.to_vec())];
    let drip = |bytes: &[u8]| [Act::Drip(bytes.to_vec(), Duration::from_secs(1))];
    check(&[
        Row::answers("endless", after(&open, flood(&[b'x'; 4096])), 200).body(&kept),
        Row::answers("endless within a length", after(&length, flood(&[b'x'; 4096])), 200).body(&kept),
        Row::answers("endless chunks", after(CHUNKED, flood(b"2\r\nxx\r\n")), 200).body(&kept),
        Row::answers("endless small chunks", after(CHUNKED, flood(b"1;a=b\r\nx\r\n")), 200).body(&kept),
        Row::answers(
            "an endless chunk",
            after(CHUNKED, [send("ffffffff\r\n"), Act::Flood(vec![b'x'; 999])]),
            200,
        )
        .body(&kept),
        Row::answers("an endless size", after(CHUNKED, flood(b"0")), 200).body(""),
        Row::answers("an endless extension", after(CHUNKED, [send("1;"), Act::Flood(b"a=b;".to_vec())]), 200)
            .body(""),
        Row::answers(
            "endless trailers",
            after(CHUNKED, [send("1\r\nx\r\n0\r\n"), Act::Flood(b"a: b\r\n".to_vec())]),
            200,
        )
        .body("x"),
        Row::answers(
            "an endless trailer",
            after(CHUNKED, [send("1\r\nx\r\n0\r\na: "), Act::Flood(b"bbbb".to_vec())]),
            200,
        )
        .body("x"),
        Row::answers("a byte a second", after(&length, drip(&[b'x'; 99])), 200).slow(),
        Row::answers("a byte a second until the end", after(&open, drip(&[b'x'; 99])), 200).slow(),
        Row::answers("a chunk a second", after(CHUNKED, drip(b"1\r\nx\r\n1\r\nx\r\n0\r\n\r\n")), 200).slow(),
        Row::answers("never comes", answer_and_hang(&length), 200).slow().body(""),
        Row::answers("stops", answer_and_hang(format!("{length}some")), 200).slow().body("some"),
        Row::answers(
            "refuses slowly",
            answer_and_hang("HTTP/1.1 503 No\r\ncontent-length: 9\r\n\r\nnot"),
            503,
        )
        .slow()
        .body("not"),
    ]);
}

/// A megabyte of zeroes, packed by gzip, in some 1 KB.
const GZIP: &[u8] = include_bytes!("bomb.gz");

#[test]
fn what_is_packed_stays_packed() {
    let packed = |encoding: &str, bytes: &[u8]| {
        let head = format!("{HEAD}content-encoding: {encoding}\r\ncontent-length: {}\r\n\r\n", bytes.len());
        Row::answers(encoding, answer([head.as_bytes(), bytes].concat()), 200)
            .body(String::from_utf8_lossy(bytes))
    };
    // The same by zlib, and by brotli's way to say one byte a great many times.
    let zlib = &GZIP[10..GZIP.len() - 8];
    let brotli = b"\x5b\xff\xff\x03\xf8\xa5\x1b\x16\x0a\xfe\xff\x07";
    let head = format!("{HEAD}transfer-encoding: gzip, chunked\r\n\r\n{:x}\r\n", GZIP.len());
    let chunked = [head.as_bytes(), GZIP, b"\r\n0\r\n\r\n"].concat();
    check(&[
        packed("gzip", GZIP),
        packed("deflate", zlib),
        packed("br", brotli),
        packed("gzip, gzip, gzip", GZIP),
        packed("zstd", b"\x28\xb5\x2f\xfd\x00\x58"),
        Row::answers("transfer-encoding: gzip", answer(chunked), 200),
    ]);
}

#[test]
fn a_length_that_lies_changes_nothing() {
    let with = |name: &str, fields: &str, body: &str| {
        Row::answers(name, answer(format!("{HEAD}{fields}\r\n\r\n{body}")), 200)
    };
    check(&[
        with("too long", "content-length: 100", "cut").body("cut"),
        with("too short", "content-length: 2", "okay").body("ok"),
        with("zero", "content-length: 0", "more").body(""),
        with("negative", "content-length: -1", "ok"),
        with("plus", "content-length: +2", "ok"),
        with("hexadecimal", "content-length: 0x2", "ok"),
        with("no number", "content-length: many", "ok"),
        with("empty", "content-length:", "ok"),
        with("2^64 - 1", "content-length: 18446744073709551615", "ok").body("ok"),
        with("2^64", "content-length: 18446744073709551616", "ok"),
        with("two that differ", "content-length: 1\r\ncontent-length: 2", "ok"),
        with("two in one", "content-length: 2, 2", "ok"),
        with("and chunks", "content-length: 3\r\ntransfer-encoding: chunked", "2\r\nok\r\n0\r\n\r\n"),
        with("and other chunks", "transfer-encoding: chunked\r\ncontent-length: 3", "2\r\nok\r\n0\r\n\r\n"),
        with("of an unknown encoding", "transfer-encoding: wild\r\ncontent-length: 2", "ok"),
        with("chunked twice", "transfer-encoding: chunked, chunked", "2\r\nok\r\n0\r\n\r\n"),
        with("a size that is too large", "transfer-encoding: chunked", "ffffffffffffffff\r\nok").body("ok"),
        with("a size beyond all", "transfer-encoding: chunked", "1ffffffffffffffff\r\nok"),
        with("a negative size", "transfer-encoding: chunked", "-2\r\nok"),
        with("no size", "transfer-encoding: chunked", "\r\nok"),
        with("chunks without a line end", "transfer-encoding: chunked", "2\r\nokay2\r\n"),
        Row::answers(
            "204 with a body",
            answer("HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\nok"),
            204,
        ),
        Row::answers(
            "204 with chunks",
            answer("HTTP/1.1 204 No\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            204,
        ),
        Row::answers(
            "304 with a body",
            answer("HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\nok"),
            304,
        ),
        Row::answers("205 with a body", answer("HTTP/1.1 205 Reset\r\n\r\nok"), 205),
    ]);
}
