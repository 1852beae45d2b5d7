//! `"body": "ecmascript"` compared with Node itself, over documents that are made at random from a fixed seed.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::process::{Command, Stdio};

use serde_json::json;

use super::Moved;
use crate::support::foreign::root;

const DOCUMENTS: usize = 4000;

/// `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).expect("fewer sides than a word")
    }

    fn one_of(&mut self, all: &[&'static str]) -> &'static str {
        all[self.roll(all.len())]
    }
}

fn blank(dice: &mut Dice, text: &mut String) {
    text.push_str(dice.one_of(&["", "", "", "", " ", "\n", "\t ", "\r\n"]));
}

fn digits(dice: &mut Dice, most: usize, text: &mut String) {
    for _ in 0..=dice.roll(most) {
        let _ = write!(text, "{}", dice.roll(10));
    }
}

fn number(dice: &mut Dice, text: &mut String) {
    let odd = [
        "0",
        "-0",
        "-0.0",
        "12.0",
        "1e21",
        "1E400",
        "-1e400",
        "0.1",
        "5e-324",
        "2e-324",
        "1e-7",
        "0.000001",
        "123456789012345680000",
        "9007199254740993",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "4.35",
        "0.30000000000000004",
        "2.2250738585072011e-308",
        "1e23",
        "100000000000000000000000",
        "0e9999",
        "1e-400",
    ];
    if dice.roll(3) == 0 {
        return text.push_str(dice.one_of(&odd));
    }
    text.push_str(dice.one_of(&["", "", "-"]));
    if dice.roll(4) == 0 {
        text.push('0');
    } else {
        let _ = write!(text, "{}", 1 + dice.roll(9));
        if dice.roll(2) == 0 {
            digits(dice, 24, text);
        }
    }
    if dice.roll(2) == 0 {
        text.push('.');
        digits(dice, 20, text);
    }
    if dice.roll(3) == 0 {
        text.push_str(dice.one_of(&["e", "E", "e+", "e-", "E-"]));
        let _ = write!(text, "{}", dice.roll(330));
    }
}

fn string(dice: &mut Dice, text: &mut String) {
    text.push('"');
    for _ in 0..dice.roll(8) {
        text.push_str(dice.one_of(&[
            "a",
            "Z",
            "7",
            " ",
            "/",
            "é",
            "😀",
            "\u{2028}",
            "\u{2029}",
            "\u{7f}",
            "\u{80}",
            "\u{feff}",
            "\u{fffd}",
            r"\/",
            r#"\""#,
            r"\\",
            r"\b",
            r"\f",
            r"\n",
            r"\r",
            r"\t",
            r"\u00e9",
            r"\u0041",
            r"\u0000",
            r"\u001F",
            r"\u007f",
            r"\u2028",
            r"\ud83d\ude00",
            r"\uD83D",
            r"\udfff",
            r"\ude00\ud83d",
            r"\uffff",
            "<",
            "&",
            "'",
        ]));
    }
    text.push('"');
}

fn key(dice: &mut Dice, text: &mut String) {
    if dice.roll(3) == 0 {
        return string(dice, text);
    }
    let _ = write!(
        text,
        "\"{}\"",
        dice.one_of(&[
            "",
            "a",
            "b",
            r"\u0061",
            "10",
            "9",
            "0",
            "-0",
            "01",
            "-1",
            "1.5",
            r"\u0031",
            "4294967294",
            "4294967295",
            "4294967296",
            "9007199254740991",
            "__proto__",
            "constructor",
            "toJSON",
            "hasOwnProperty",
            "length",
            "é",
        ])
    );
}

fn value(dice: &mut Dice, depth: usize, text: &mut String) {
    blank(dice, text);
    match dice.roll(if depth == 0 { 5 } else { 9 }) {
        0 => text.push_str(dice.one_of(&["null", "true", "false"])),
        1 | 2 => number(dice, text),
        3 | 4 => string(dice, text),
        5 | 6 => list(dice, text, ('[', ']'), |dice, text| value(dice, depth - 1, text)),
        _ => list(dice, text, ('{', '}'), |dice, text| {
            blank(dice, text);
            key(dice, text);
            blank(dice, text);
            text.push(':');
            value(dice, depth - 1, text);
        }),
    }
    blank(dice, text);
}

fn list(dice: &mut Dice, text: &mut String, ends: (char, char), mut one: impl FnMut(&mut Dice, &mut String)) {
    text.push(ends.0);
    match dice.roll(7) {
        0 => blank(dice, text),
        count => {
            for n in 0..count {
                if n > 0 {
                    text.push(',');
                }
                one(dice, text);
            }
        }
    }
    text.push(ends.1);
}

/// What `JSON.stringify(JSON.parse(text))` makes of each text, in one process of Node.
fn written_by_node(texts: &[String]) -> Vec<String> {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let all = temp.path().join("texts");
    std::fs::write(&all, texts.join("\0") + "\0").expect("a file");
    let mut node = Command::new("node");
    node.arg(root().join("tests/seeds/003_generic/stringify.js"));
    let output =
        node.stdin(Stdio::from(File::open(&all).expect("a file"))).output().expect("node can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let written = String::from_utf8(output.stdout).expect("UTF-8");
    written.split_terminator('\0').map(str::to_owned).collect()
}

/// Publishes each text as the data of the event `doc-N`; what arrives, by id.
fn sent(moved: &Moved, texts: &[String]) -> HashMap<String, String> {
    moved.app.change_endpoint(&moved.id(), &json!({ "max_in_flight": 256 }));
    let headers = [("Content-Type", "application/json")];
    for (batch, texts) in texts.chunks(1000).enumerate() {
        let event = |(n, text): (usize, &String)| {
            format!(r#"{{"id":"doc-{}","type":"user.created","data":{text}}}"#, batch * 1000 + n)
        };
        let events: Vec<String> = texts.iter().enumerate().map(event).collect();
        let body = format!(r#"{{"events":[{}]}}"#, events.join(","));
        moved.app.client.request("POST", "/api/v1/events/batch", &headers, Some(body.as_bytes())).expect(202);
    }
    let requests = moved.receiver.wait_for(texts.len());
    let by_id = |body: String| {
        let id = body.split('"').nth(3).expect("an id").to_owned();
        (id, body)
    };
    requests.iter().map(|request| by_id(String::from_utf8(request.body.clone()).expect("UTF-8"))).collect()
}

#[test]
fn thousands_of_documents_are_sent_as_node_writes_them() {
    let moved = Moved::to_a_new_server("003_generic");
    let mut dice = Dice(5);
    let document = |_| {
        let mut text = String::new();
        value(&mut dice, 5, &mut text);
        text
    };
    let texts: Vec<String> = (0..DOCUMENTS).map(document).collect();
    let expected = written_by_node(&texts);
    assert_eq!(expected.len(), DOCUMENTS);
    let changed = texts.iter().zip(&expected).filter(|(text, written)| text != written).count();
    assert!(changed > DOCUMENTS / 2, "only {changed} are written otherwise than they came");
    let bodies = sent(&moved, &texts);
    for (n, written) in expected.iter().enumerate() {
        let head =
            format!(r#"{{"id":"doc-{n}","type":"user.created","created_at":"2026-02-23T14:30:00Z","data":"#);
        assert_eq!(bodies[&format!("doc-{n}")], format!("{head}{written}}}"), "of {}", texts[n]);
    }
    // And what was sent is what a receiver gets that parses it and writes it again.
    let bodies: Vec<String> = bodies.into_values().collect();
    assert_eq!(written_by_node(&bodies), bodies);
}
