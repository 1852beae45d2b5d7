//! The guide about the log: it lists every message at warning or above, and none that is gone.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::receiver::{Receiver, Reply};
use crate::support::server::Start;

const GUIDE: &str = include_str!("../../templates/docs/messages.md");

/// Level and message of every warning and error in the source, its tests left out.
fn in_source() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the source") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = std::fs::read_to_string(&path).expect("a file of the source");
                let source = source.split("#[cfg(test)]\nmod tests {").next().expect("the source");
                // Under another name the macros would not be found.
                assert!(
                    !source.contains("use tracing::{") || path.ends_with("app/logging.rs"),
                    "{}",
                    path.display()
                );
                for level in ["warn", "error"] {
                    for call in source.split(&format!("tracing::{level}!(")).skip(1) {
                        found.insert((level.to_owned(), message(call)));
                    }
                }
            }
        }
    }
    found
}

/// The text that ends the arguments of a call.
fn message(call: &str) -> String {
    let (mut depth, mut texts, mut characters) = (1, Vec::new(), call.chars());
    while let Some(character) = characters.next() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            '"' => {
                let mut text = String::new();
                loop {
                    match characters.next().expect("the end of a text") {
                        '"' => break,
                        '\\' => text.extend(characters.next()),
                        other => text.push(other),
                    }
                }
                texts.push(text);
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    let last = texts.pop().unwrap_or_else(|| panic!("no message in {call:.100}"));
    assert!(!last.contains('{'), "{last:?} is made when it is written, and cannot be looked up");
    last
}

/// Level and message of every row of the guide's tables, which says what to do.
fn in_guide() -> BTreeSet<(String, String)> {
    let rows = GUIDE.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.map(|row| {
        let (message, rest) = row.split_once("` | ").expect("a message in backquotes");
        let (level, advice) = rest.split_once(" | ").expect("a level and what to do");
        assert!(advice.trim_end_matches(" |").len() > 20, "{message} says too little");
        (level.to_owned(), message.to_owned())
    });
    rows.collect()
}

#[test]
fn the_guide_lists_every_message_that_may_need_a_hand_and_none_that_is_gone() {
    let (source, guide) = (in_source(), in_guide());
    let missing: Vec<_> = source.difference(&guide).collect();
    let gone: Vec<_> = guide.difference(&source).collect();
    assert!(source.len() > 30, "the source logs in another way: {source:?}");
    assert!(
        missing.is_empty() && gone.is_empty(),
        "not in templates/docs/messages.md: {missing:#?}; not in the source any more: {gone:#?}"
    );
}

/// The first line of a log of JSON objects with this message.
#[track_caller]
fn line_of(log: &str, message: &str) -> Value {
    let mut lines = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON alone"));
    lines.find(|line| line["message"] == message).unwrap_or_else(|| panic!("no {message:?} in {log}"))
}

#[test]
fn a_start_is_in_the_log_and_details_are_where_they_are_asked_for() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let receiver = Receiver::start();
    receiver.always(Reply::status(500));
    let server = Start::on(&temp.path().join("data"))
        .flag("--log-format=json")
        .flag("--log-level=debug")
        .with("POSTRIDER_PUBLIC_URL", "https://hooks.example.com")
        .start();
    let public = server.process.line("people reach it at ").expect("the other address");
    assert_eq!(public, "https://hooks.example.com, through your reverse proxy");
    let endpoint = server.endpoint(&receiver.url("/?token=hush"), &json!({}));
    server.publish(&json!(1)).expect(202);
    server.process.wait_for_log("an attempt failed", 1);
    Client::tcp(server.address).with_key("pr_hush").get("/api/v1/endpoints").expect(401);
    let address = server.address.to_string();
    let log = server.stop().err;
    let started = line_of(&log, "started");
    assert_eq!(
        (&started["version"], &started["address"]),
        (&env!("CARGO_PKG_VERSION").into(), &address.into())
    );
    let failed = line_of(&log, "an attempt failed");
    assert_eq!((&failed["endpoint"], &failed["status"]), (&endpoint.into(), &500.into()));
    assert_eq!(line_of(&log, "refused a request without a valid key")["path"], "/api/v1/endpoints");
    assert!(!log.contains("hush"), "{log}");
}
