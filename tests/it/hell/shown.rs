//! Whatever a receiver says is kept and shown as valid JSON that still means what was said.

use serde_json::json;

use crate::support::app::TestApp;

use super::script::{Scripted, answer};
use super::table::{Row, check};

const MARKUP: &str = "<script>alert('\"&amp;')</script><!--";

#[test]
fn markup_and_control_characters_come_back_as_they_came() {
    let odd =
        "\0\u{1}\u{8}\t\u{b}\u{c}\u{1b}[31m\u{7f}\u{85}\u{202e}\u{feff}\u{fffd}é漢🦀\\u0000\"'`${x}{{x}}%00";
    let body = format!("{odd}\r\n\n\r{MARKUP}");
    let head = format!("HTTP/1.1 500 {odd}{MARKUP}\r\nX-<b>\0\u{1b}é: v\0\u{1b}[2J{MARKUP}\r\n");
    let fields = format!(
        "X-Twice: 1\r\nx-twice: 2\r\nx-twice:\r\nX-Fold: a\r\n \t b\r\nX-Tab: a\tb\r\nX-CR: a\rb\r\nX-Colon: a: b:c\r\nnothing\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let headers = json!({
        "x-<b>\0\u{1b}é": format!("v\0\u{1b}[2J{MARKUP}"),
        "x-twice": ["1", "2", ""],
        "x-fold": "a b",
        "x-tab": "a\tb",
        "x-cr": "a\rb",
        "x-colon": "a: b:c",
        "content-length": body.len().to_string(),
    });
    check(&[Row::answers("odd", answer(format!("{head}{fields}{body}")), 500).headers(headers).body(body)]);
}

#[test]
fn what_is_not_utf_8_is_shown_with_replacement_characters() {
    let head = |length: usize| format!("HTTP/1.1 404 \u{e9}\r\ncontent-length: {length}\r\n");
    let with =
        |fields: &[u8], body: &[u8]| answer([head(body.len()).as_bytes(), fields, b"\r\n", body].concat());
    let field = |value: &str, length: usize| json!({ "content-length": length.to_string(), "x-a": value });
    // Cut in the middle of a character by the limit of 2 KB.
    let long = format!("{}é", "x".repeat(2047));
    check(&[
        Row::answers("latin-1", with(b"X-A: caf\xe9\r\n", b"caf\xe9 \xff\xfe"), 404)
            .headers(field("caf\u{fffd}", 7))
            .body("caf\u{fffd} \u{fffd}\u{fffd}"),
        Row::answers("a surrogate", with(b"X-A: \xed\xa0\x80\r\n", b"\xed\xa0\x80"), 404)
            .headers(field("\u{fffd}\u{fffd}\u{fffd}", 3))
            .body("\u{fffd}\u{fffd}\u{fffd}"),
        Row::answers("overlong", with(b"X-A: \xc0\x80\r\n", b"\xc0\x80\xf8\x88"), 404)
            .headers(field("\u{fffd}\u{fffd}", 4))
            .body("\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
        Row::answers("cut in a character", with(b"", long.as_bytes()), 404)
            .body(format!("{}\u{fffd}", "x".repeat(2047))),
        Row::answers("UTF-16", with(b"", b"\xff\xfeh\0i\0"), 404).body("\u{fffd}\u{fffd}h\0i\0"),
    ]);
}

#[test]
fn eight_kilobytes_of_headers_are_kept_whatever_is_in_them() {
    let value = |bytes: usize| "<".repeat(bytes);
    let head = format!("HTTP/1.1 500 x\r\na: {}\r\nb: {}\r\nc: late\r\n\r\n", value(8_000), value(8_000));
    let headers = json!({ "a": value(8_000), "b": value(8192 - 8_000 - 2) });
    check(&[Row::answers("large", answer(head), 500).headers(headers)]);
}

#[test]
fn what_is_no_answer_is_quoted_in_one_line() {
    let quote = |name: &str, bytes: &[u8], words: &str| Row::broken(name, answer(bytes), words);
    check(&[
        quote("control characters", b"\0\x1b[2J\x07\r\nx", "it begins with \"\\x00\\x1b[2J\\x07\\r\\nx\""),
        quote("markup", MARKUP.as_bytes(), "it begins with \"<script>alert(\\'\\\"&amp;\\')</script>"),
        quote("not UTF-8", b"\xff\xfe\xed\xa0\x80", "it begins with \"\\xff\\xfe\\xed\\xa0\\x80\""),
        quote("UTF-8", "é\u{202e}".as_bytes(), "it begins with \"\\xc3\\xa9\\xe2\\x80\\xae\""),
    ]);
}

#[test]
fn a_test_call_shows_the_same() {
    let receiver = Scripted::start(answer(b"HTTP/1.1 500 \0\x1b\r\n\0: \0\r\n\r\n\0\x1b\xff<b>"));
    let app = TestApp::start();
    let url = format!("http://{}/", receiver.address);
    let made = app.create_endpoint(&json!({ "url": url, "events": ["*"] }));
    let told = app.test_endpoint(made["id"].as_str().expect("an id"));
    assert_eq!((&told["success"], &told["status_code"]), (&json!(false), &json!(500)), "{told}");
}
