//! The heads of answers, good and bad.

use super::*;
use proptest::prelude::*;

fn done(bytes: &[u8]) -> Head {
    match HeadScan::default().step(bytes) {
        Ok(Step::Done(_, head)) => head,
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
    let Ok(Step::Done(length, head)) = scan.step(whole) else { panic!("it is complete") };
    assert_eq!(length, end);
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
}

#[test]
fn a_status_has_three_digits_and_begins_with_1_to_9() {
    for line in ["abc", "099 x", "000", "1000 x", "20 OK", "2OO OK", "-20 x", "+200", "200OK", "", "2 00"] {
        let bytes = format!("HTTP/1.1 {line}\r\n\r\n").into_bytes();
        assert_eq!(kind(&bytes), FailureKind::NotHttp, "{line}");
    }
    assert_eq!(kind(b"HTTP/1.1200 OK\r\n\r\n"), FailureKind::NotHttp);
    assert_eq!(kind(b"HTTP/1.x 200 OK\r\n\r\n"), FailureKind::NotHttp);
    for line in ["200", "200 ", "  200\tOK", "200 a\x1b[31m\0b", "999 x", "600"] {
        let head = done(&format!("HTTP/1.1 {line}\r\n\r\n").into_bytes());
        assert_eq!(head.status, line.trim()[..3].parse::<u16>().unwrap(), "{line}");
    }
    assert_eq!(done(b"HTTP/1.1 200 \xff\xfe\r\n\r\n").status, 200);
}

#[test]
fn malformed_fields_do_not_undo_the_status() {
    let head = done(
        b"HTTP/1.1 200 OK\r\nno colon\r\n of what\r\n: no name\r\nA : 1\r\nb:\xff\0\x1b\r\nc: one\r\n\t two\r\n\
          three \r\nd\0<i>: 4\r5\r\n\r\n",
    );
    let field = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
    let expected =
        [field("a", b"1"), field("b", b"\xff\0\x1b"), field("c", b"one two"), field("d\0<i>", b"4\r5")];
    assert_eq!((head.status, head.headers), (200, expected.to_vec()));
    assert_eq!(head.frame, b"HTTP/1.1 200 \r\n\r\n");
    assert_eq!(done(b"HTTP/1.1 200 OK\n first\na: b\n\n").headers, [field("a", b"b")]);
}

#[test]
fn the_frame_says_where_the_body_ends_and_nothing_else() {
    let frame = |status: &str, fields: &str| {
        let head = done(format!("HTTP/1.{status} x\x01\r\nx: y\r\n{fields}location: z\r\n\r\n").as_bytes());
        String::from_utf8(head.frame).unwrap()
    };
    let (sized, chunked) = ("Content-Length: 2\r\n", "transfer-encoding: chunked\r\n");
    let close = "connection: close\r\n";
    for fields in
        ["", sized, chunked, "content-length: 0\r\n", close, "content-length: 1\r\ncontent-length: 2\r\n"]
    {
        assert_eq!(frame("1 200", fields), format!("HTTP/1.1 200 \r\n{fields}\r\n"));
    }
    assert_eq!(frame("0 404", sized), format!("HTTP/1.0 404 \r\n{sized}\r\n"));
    let both = format!("{sized}{chunked}");
    assert_eq!(frame("1 200", &both), format!("HTTP/1.1 200 \r\n{both}{close}\r\n"));
    assert_eq!(frame("1 204", sized), format!("HTTP/1.1 204 \r\n{sized}{close}\r\n"));
    assert_eq!(frame("1 304", chunked), format!("HTTP/1.1 304 \r\n{chunked}{close}\r\n"));
    assert_eq!(frame("1 204", "content-length: 0\r\n"), "HTTP/1.1 204 \r\ncontent-length: 0\r\n\r\n");
}

#[test]
fn heads_beyond_the_limits_are_refused() {
    let fields = |count: usize| format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(count)).into_bytes();
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
