//! `postrider verify`: whether a signature holds, and if not why.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use postrider::clock::{Clock, SystemClock};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::app::TestApp;
use crate::support::listener::{SECRET, signed};
use crate::support::process::{Ended, PATIENCE, Process};
use crate::support::program::program;
use crate::support::receiver::Receiver;

const OTHER_SECRET: &str = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

/// A captured request in two files.
struct Captured {
    _temp: TempDir,
    headers: PathBuf,
    body: PathBuf,
}

impl Captured {
    fn new(headers: &[(String, String)], body: &[u8]) -> Self {
        let temp = tempfile::tempdir().expect("a temporary directory");
        let (head, content) = (temp.path().join("headers.txt"), temp.path().join("body.json"));
        let lines: String = headers.iter().flat_map(|(name, value)| [name, ": ", value, "\r\n"]).collect();
        fs::write(&head, format!("POST /hook HTTP/1.1\r\n{lines}\r\n")).expect("a file");
        fs::write(&content, body).expect("a file");
        Self { _temp: temp, headers: head, body: content }
    }

    fn signed(age: i64, sent: &[u8], arrives: &[u8]) -> Self {
        let now = SystemClock::new().wall().seconds();
        Self::new(&signed(SECRET, "evt_1", now - age, sent), arrives)
    }

    fn verify(&self, words: &[&str]) -> Ended {
        verify(&self.headers, &self.body, words)
    }
}

fn verify(headers: &Path, body: &Path, words: &[&str]) -> Ended {
    let mut command = program();
    command.arg("verify").arg("--headers").arg(headers).arg("--body").arg(body).args(words);
    Process::spawn(&mut command).wait_for_end(PATIENCE)
}

#[track_caller]
fn fails(captured: &Captured, words: &[&str], says: &str) {
    let ended = captured.verify(words);
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(ended.out.contains(says) && ended.err.is_empty(), "{says}: {ended:?}");
    assert!(!ended.out.contains("whsec_"), "no secret is repeated: {}", ended.out);
}

#[test]
fn a_delivery_of_ours_holds() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    app.create_endpoint(&json!({ "url": receiver.url("/"), "events": ["*"], "secret": SECRET }));
    app.publish("order.paid", &json!({ "name": "Zoë" }));
    let arrived = receiver.next();
    let captured = Captured::new(&arrived.headers, &arrived.body);
    let ended = captured.verify(&["--secret", OTHER_SECRET, "--secret", SECRET]);
    assert!(
        ended.status.success() && ended.out.starts_with("The signature holds: made with secret number 2"),
        "{ended:?}"
    );
    fails(&captured, &["--secret", OTHER_SECRET], "it is the secret of another endpoint, or the body");
}

#[test]
fn a_delivery_in_another_format_holds_and_what_it_lacks_is_named() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    app.create_endpoint(&json!({ "url": receiver.url("/"), "events": ["*"], "secret": "hunter2 hunter2", "format": "stripe" }));
    app.publish("order.paid", &json!({ "total": 29.9 }));
    let arrived = receiver.next();
    let captured = Captured::new(&arrived.headers, &arrived.body);
    let stripe = ["--format", "stripe", "--secret", "hunter2 hunter2"];
    let ended = captured.verify(&stripe);
    assert!(ended.status.success() && ended.out.contains("made with this secret, "), "{ended:?}");
    fails(
        &captured,
        &["--format", "github", "--secret", "hunter2 hunter2"],
        "X-Hub-Signature-256 is missing",
    );
    let pretty = serde_json::to_vec_pretty(&arrived.json()).expect("JSON");
    let changed = Captured::new(&arrived.headers, &pretty);
    fails(&changed, &stripe, "compact JSON, the keys of the envelope in their own order");
}

#[test]
fn age_is_told_with_its_measure_and_can_be_allowed() {
    let old = Captured::signed(7_200, b"{}", b"{}");
    fails(&old, &["--secret", SECRET], "too old: its time is 2 h");
    fails(&old, &["--secret", SECRET], "It was made with this secret over this body.");
    assert!(old.verify(&["--secret", SECRET, "--tolerance", "3h"]).status.success());
    fails(&Captured::signed(-7_200, b"{}", b"{}"), &["--secret", SECRET], "too new");
}

#[test]
fn a_body_that_was_written_again_is_recognised() {
    let sent = r#"{"id":"evt_1","type":"a/b","data":{"z":"é","a":[1,2]}}"#;
    let value: Value = serde_json::from_str(sent).expect("JSON");
    let pretty = serde_json::to_string_pretty(&value).expect("JSON");
    let blanks = r#"{"id": "evt_1", "type": "a/b", "data": {"z": "\u00e9", "a": [1, 2]}}"#;
    let php = r#"{"id":"evt_1","type":"a\/b","data":{"z":"\u00e9","a":[1,2]}}"#;
    let sorted = r#"{"data":{"a":[1,2],"z":"é"},"id":"evt_1","type":"a/b"}"#;
    for (signed, arrives, says) in [
        (sent.to_owned(), format!("{sent}\n"), "without the blanks or line ends around it"),
        (format!("{sent}\n"), sent.to_owned(), "with a line end after it"),
        (sent.to_owned(), blanks.to_owned(), "compact JSON"),
        (blanks.to_owned(), sent.to_owned(), "a blank after commas and colons"),
        (sent.to_owned(), php.to_owned(), "compact JSON, its texts without needless escapes"),
        (php.to_owned(), sent.to_owned(), "\\u and \\/ escapes"),
        (sorted.to_owned(), sent.to_owned(), "its keys sorted"),
        (pretty, sorted.to_owned(), "indented by 2 blanks"),
    ] {
        let captured = Captured::signed(0, signed.as_bytes(), arrives.as_bytes());
        fails(&captured, &["--secret", SECRET], "the body was changed on the way");
        fails(&captured, &["--secret", SECRET], says);
    }
}

#[test]
fn headers_that_are_missing_or_malformed_are_named_together() {
    let headers = [("webhook-timestamp", "yesterday"), ("webhook-signature", "sha256=00")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let captured = Captured::new(&headers, b"{}");
    for says in [
        "webhook-id is missing",
        "webhook-timestamp must be unix seconds",
        "webhook-signature holds no signature",
    ] {
        fails(&captured, &["--secret", SECRET], says);
    }
}

#[test]
fn headers_come_one_by_one_and_the_body_from_standard_input() {
    let captured = Captured::signed(0, b"{}", b"{}");
    let now = SystemClock::new().wall().seconds();
    let mut command = program();
    command.args(["verify", "--secret", SECRET, "--body", "-"]);
    for (name, value) in signed(SECRET, "evt_1", now, b"{}") {
        command.arg("--headers").arg(format!("{name}: {value}"));
    }
    let body = fs::File::open(&captured.body).expect("a file");
    let output = command.stdin(Stdio::from(body)).output().expect("a command");
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn what_cannot_be_judged_exits_with_2() {
    let captured = Captured::signed(0, b"{}", b"{}");
    let nowhere = Path::new("/nowhere/file");
    for (ended, says) in [
        (captured.verify(&[]), "--secret"),
        (captured.verify(&["--secret", "whsec_short"]), "--secret must be"),
        (
            captured.verify(&["--secret", SECRET, "--format", "nonsense"]),
            "--format must be one of standard, github",
        ),
        (captured.verify(&["--secret", SECRET, "--tolerance", "5"]), "such as 30d"),
        (verify(nowhere, &captured.body, &["--secret", SECRET]), "--headers: the file /nowhere/file"),
        (verify(&captured.headers, nowhere, &["--secret", SECRET]), "--body: the file /nowhere/file"),
        (verify(&captured.body, &captured.body, &["--secret", SECRET]), "is no header"),
        (verify(Path::new("-"), Path::new("-"), &["--secret", SECRET]), "standard input can be read once"),
    ] {
        assert_eq!((ended.status.code(), ended.out.as_str()), (Some(2), ""), "{ended:?}");
        assert!(ended.err.contains(says) && !ended.err.contains("whsec_short"), "{says}: {ended:?}");
    }
}
