//! The head of an answer: its size, its pace, its form. A status that can be read decides.

use std::time::Duration;

use super::script::{Act, answer, answer_and_hang, send};
use super::table::{Row, check};

const TOO_LARGE: &str = "the answer's head is larger than 32 KB or has more than 128 fields";
const NOT_HTTP: &str = "the answer is not HTTP/1";
const SECOND: Duration = Duration::from_secs(1);

fn with_fields(count: usize) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{}content-length: 2\r\n\r\nok", "x-field: y\r\n".repeat(count - 1))
        .into_bytes()
}

/// An answer whose head has so many bytes.
fn of_size(bytes: usize) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(bytes - 24)).into_bytes()
}

#[test]
fn a_head_beyond_the_limits_is_a_failure_that_says_so() {
    check(&[
        Row::answers("128 fields", answer(with_fields(128)), 200).body("ok"),
        Row::broken("129 fields", answer(with_fields(129)), TOO_LARGE),
        Row::broken("1,000 fields", answer(with_fields(1_000)), TOO_LARGE),
        Row::answers("32 KB", answer(of_size(32 * 1024)), 200),
        Row::broken("32 KB and a byte", answer(of_size(32 * 1024 + 1)), TOO_LARGE),
        Row::broken("1 MB", answer(of_size(1024 * 1024)), TOO_LARGE),
        Row::broken(
            "endless name",
            vec![Act::Read, send("HTTP/1.1 200 OK\r\n"), Act::Flood(vec![b'x'; 999])],
            TOO_LARGE,
        ),
        Row::broken(
            "endless fields",
            vec![Act::Read, send("HTTP/1.1 200 OK\r\n"), Act::Flood(b"a: b\r\n".to_vec())],
            TOO_LARGE,
        ),
        Row::broken(
            "endless fold",
            vec![Act::Read, send("HTTP/1.1 200 OK\r\na: b"), Act::Flood(b"\r\n c".to_vec())],
            TOO_LARGE,
        ),
        Row::broken(
            "endless reason",
            vec![Act::Read, send("HTTP/1.1 200 "), Act::Flood(b"OK".to_vec())],
            TOO_LARGE,
        ),
        Row::broken("endless blank lines", vec![Act::Read, Act::Flood(b"\r\n".to_vec())], TOO_LARGE),
    ]);
}

#[test]
fn interim_answers_count_towards_the_head() {
    let again = |line: &str, count: usize| {
        format!("HTTP/1.1 {line}\r\n\r\n").repeat(count) + "HTTP/1.1 201 Created\r\n\r\n"
    };
    let endless = |line: &str| vec![Act::Read, Act::Flood(format!("HTTP/1.1 {line}\r\n\r\n").into_bytes())];
    check(&[
        Row::answers("100", answer(again("100 Continue", 1)), 201),
        Row::answers("102, hundreds", answer(again("102 Processing", 500)), 201),
        Row::answers("103", answer(again("103 Early Hints\r\nlink: </a>; rel=preload", 1)), 201),
        Row::answers("199", answer(again("199 What", 3)), 201),
        Row::broken(
            "103, too many",
            answer(again("103 Early Hints\r\nlink: </a>; rel=preload", 2_000)),
            TOO_LARGE,
        ),
        Row::broken("100, endless", endless("100 Continue"), TOO_LARGE),
        Row::broken(
            "100, and the end",
            answer("HTTP/1.1 100 Continue\r\n\r\n"),
            "closed the connection in the middle",
        ),
        Row::broken(
            "100, and nothing",
            answer_and_hang("HTTP/1.1 100 Continue\r\n\r\n"),
            "timed out while reading the answer's headers",
        )
        .slow(),
        Row::answers(
            "101 is an answer",
            answer("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"),
            101,
        ),
        Row::answers(
            "101 and silence",
            answer_and_hang("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"),
            101,
        )
        .slow(),
    ]);
}

#[test]
fn a_slow_head_takes_no_longer_than_the_deadline() {
    let drip = |bytes: &[u8], every| vec![Act::Read, Act::Drip(bytes.to_vec(), every), Act::Close];
    let waits = "timed out while waiting for an answer";
    let reads = "timed out while reading the answer's headers";
    check(&[
        Row::broken("a byte a second", drip(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", SECOND), reads)
            .slow(),
        Row::broken("a byte a ms", drip(&of_size(32 * 1024), Duration::from_millis(1)), reads).slow(),
        Row::answers(
            "a byte a ms that suffices",
            drip(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", Duration::from_millis(1)),
            200,
        ),
        Row::broken("blank lines, a byte a second", drip(&[b'\n'; 99], SECOND), reads).slow(),
        Row::broken("nothing", vec![Act::Read, Act::Hang], waits).slow(),
        Row::broken("nothing, unread", vec![Act::Freeze], waits).slow(),
        Row::broken("a large request, unread", vec![Act::Freeze], "timed out while").slow().large(),
        Row::broken("no end", answer_and_hang("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n"), reads).slow(),
    ]);
}

#[test]
fn what_is_no_status_line_is_told() {
    let refused = |name: &str, bytes: &[u8], words: &str| {
        Row::broken(name, answer(bytes), &format!("{NOT_HTTP}: {words}"))
    };
    check(&[
        refused("SSH", b"SSH-2.0-OpenSSH_9.2p1\r\n", "it begins with \"SSH-2.0-OpenSSH_9.2p1\\r\\n\""),
        refused(
            "SMTP",
            b"220 mail.test ESMTP \x1b[2J\r\n",
            "it begins with \"220 mail.test ESMTP \\x1b[2J\\r\\n\"",
        ),
        refused("TLS", b"\x15\x03\x01\0\x02\x02F", "it is TLS"),
        refused("HTTP/2 SETTINGS", b"\0\0\x12\x04\0\0\0\0\0", "it is HTTP/2"),
        refused(
            "HTTP/2 GOAWAY",
            b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01",
            "it begins with \"\\x00\\x00\\x08\\x07",
        ),
        refused("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "it begins with \"PRI * HTTP/2.0"),
        refused("HTTP/0.9", b"<html>ok</html>", "it begins with \"<html>ok</html>\""),
        refused("HTTP/2", b"HTTP/2 200\r\n\r\n", "it begins with \"HTTP/2 200"),
        refused("HTTP/3.0", b"HTTP/3.0 200 OK\r\n\r\n", "it begins with \"HTTP/3.0 200"),
        refused("lower case", b"http/1.1 200 OK\r\n\r\n", "it begins with \"http/1.1"),
        refused("a blank before", b" HTTP/1.1 200 OK\r\n\r\n", "it begins with \" HTTP/1.1"),
        refused("a mark before", b"\xef\xbb\xbfHTTP/1.1 200 OK\r\n\r\n", "it begins with \"\\xef\\xbb\\xbf"),
        refused("a banner that stays", b"220 hello", "it begins with \"220 hello\""),
        refused("000", b"HTTP/1.1 000 No\r\n\r\n", "it begins with \"HTTP/1.1 000 No"),
        refused("099", b"HTTP/1.1 099 No\r\n\r\n", "it begins with \"HTTP/1.1 099 No"),
        refused("1000", b"HTTP/1.1 1000 No\r\n\r\n", "it begins with \"HTTP/1.1 1000 No"),
        refused("2OO", b"HTTP/1.1 2OO OK\r\n\r\n", "it begins with \"HTTP/1.1 2OO OK"),
        refused("-20", b"HTTP/1.1 -20 OK\r\n\r\n", "it begins with \"HTTP/1.1 -20 OK"),
        refused("nothing behind", b"HTTP/1.1\r\n\r\n", "it begins with \"HTTP/1.1\\r\\n"),
        Row::broken("a banner at once", vec![send("SSH-2.0-x\r\n"), Act::Hang], "it begins with \"SSH-2.0-x"),
    ]);
}

#[test]
fn a_status_counts_however_the_rest_of_the_head_is_written() {
    let status = |name: &str, bytes: &[u8], status| Row::answers(name, answer(bytes), status);
    check(&[
        status("600", b"HTTP/1.1 600 x\r\n\r\n", 600),
        status("999", b"HTTP/1.1 999 x\r\n\r\n", 999),
        status("HTTP/1.0", b"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200).body("until the end"),
        status("HTTP/1.7", b"HTTP/1.7 200 OK\r\n\r\n", 200),
        status("no reason", b"HTTP/1.1 202\r\ncontent-length: 0\r\n\r\n", 202),
        status("two blanks", b"HTTP/1.1  202  Yes\r\ncontent-length: 0\r\n\r\n", 202),
        status("line feeds", b"HTTP/1.1 202 Yes\ncontent-length: 2\n\nok", 202).body("ok"),
        status("blank lines before", b"\r\n\n\r\nHTTP/1.1 202 Yes\r\ncontent-length: 2\r\n\r\nok", 202)
            .body("ok"),
        status("a folded field", b"HTTP/1.1 202 Yes\r\na: one\r\n two\r\n\r\n", 202),
        status("a blank before the colon", b"HTTP/1.1 202 Yes\r\na : b\r\n\r\n", 202),
        status("no colon", b"HTTP/1.1 202 Yes\r\nnothing\r\n\r\n", 202),
        status("no name", b"HTTP/1.1 202 Yes\r\n: nothing\r\n\r\n", 202),
        status("a lone CR", b"HTTP/1.1 202 Yes\r\na: b\rc\r\n\r\n", 202),
        status("404 with odd fields", b"HTTP/1.1 404 \0\r\n\0: \0\r\n\r\n", 404),
    ]);
}
