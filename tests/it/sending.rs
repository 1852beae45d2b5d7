//! `postrider send`: publishing from the command line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::process::{Ended, PATIENCE, Process};
use crate::support::program::program;
use crate::support::receiver::Receiver;
use crate::support::server::Server;

fn folder() -> (TempDir, PathBuf) {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = temp.path().join("data");
    (temp, data)
}

fn command(data: &Path, words: &[&str]) -> Command {
    let mut command = program();
    command.arg("send").args(words).arg("--data-dir").arg(data);
    command
}

fn run(data: &Path, words: &[&str]) -> Ended {
    Process::spawn(&mut command(data, words)).wait_for_end(PATIENCE)
}

/// Publishes; the event as it is printed.
#[track_caller]
fn sent(data: &Path, words: &[&str]) -> Value {
    let ended = run(data, words);
    assert!(ended.status.success(), "{words:?}: {ended:?}");
    serde_json::from_str(&ended.out).expect("an event as JSON")
}

#[test]
fn an_event_goes_through_the_running_server_with_its_data_byte_for_byte() {
    let (_temp, data) = folder();
    let (server, receiver) = (Server::on(&data), Receiver::start());
    server.endpoint(&receiver.url("/hook"), &json!({}));
    let given = r#"{ "n": 12345678901234567890, "total":29.90 }"#;
    let event = sent(&data, &["order.paid", "--data", given]);
    assert_eq!(
        (&event["type"], &event["tenant"], &event["deliveries"]),
        (&json!("order.paid"), &json!("default"), &json!(1))
    );
    server.wait_for_status(&event, "delivered");
    let arrived = receiver.next();
    assert_eq!(arrived.header("webhook-id"), event["id"].as_str());
    assert!(String::from_utf8_lossy(&arrived.body).contains(given));
    server.stop();
}

#[test]
fn data_comes_from_a_file_or_from_standard_input() {
    let (temp, data) = folder();
    let server = Server::on(&data);
    let file = temp.path().join("data.json");
    fs::write(&file, "[1, 2]\n").expect("a file");
    let event = sent(&data, &["a.b", "--data", &format!("@{}", file.display())]);
    let path = format!("/events/{}", event["id"].as_str().expect("an id"));
    assert_eq!(server.get(&path)["data"], json!([1, 2]));
    let input = fs::File::open(&file).expect("a file");
    let output =
        command(&data, &["a.b", "--data", "-"]).stdin(Stdio::from(input)).output().expect("a command");
    let event: Value = serde_json::from_slice(&output.stdout).expect("an event as JSON");
    let path = format!("/events/{}", event["id"].as_str().expect("an id"));
    assert_eq!(server.get(&path)["data"], json!([1, 2]));
    server.stop();
}

#[test]
fn every_field_of_an_event_can_be_given_and_a_repetition_is_harmless() {
    let (_temp, data) = folder();
    let server = Server::on(&data);
    let words =
        ["a.b", "--data", "null", "--tenant", "acme", "--id", "own-1", "--timestamp", "2026-02-23T14:30:00Z"];
    let event = sent(&data, &words);
    assert_eq!((&event["id"], &event["tenant"]), (&json!("own-1"), &json!("acme")));
    assert_eq!(event["timestamp"], "2026-02-23T14:30:00.000Z");
    assert_eq!(sent(&data, &words)["created_at"], event["created_at"]);
    let keyed = ["a.b", "--data", "-7", "--idempotency-key", "once"];
    assert_eq!(sent(&data, &keyed)["id"], sent(&data, &keyed)["id"]);
    for repeated in [&words[..], &keyed] {
        let ended = run(&data, repeated);
        assert!(ended.err.starts_with("Accepted before, with no delivery; nothing"), "{}", ended.err);
    }
    let fresh = run(&data, &["a.b", "--data", "1"]);
    assert!(fresh.err.starts_with("Accepted, with no delivery."), "{}", fresh.err);
    server.stop();
}

#[test]
fn without_a_server_the_event_waits_for_the_next_one() {
    let (_temp, data) = folder();
    let receiver = Receiver::start();
    let server = Server::on(&data);
    server.endpoint(&receiver.url("/hook"), &json!({}));
    server.stop();
    let ended = run(&data, &["order.paid", "--data", "{}"]);
    assert!(ended.status.success() && ended.err.contains("the next one delivers it"), "{ended:?}");
    let event: Value = serde_json::from_str(&ended.out).expect("an event as JSON");
    let server = Server::on(&data);
    server.wait_for_status(&event, "delivered");
    server.stop();
}

#[test]
fn a_folder_that_cannot_be_used_is_told_with_the_flag_that_names_it() {
    let (_temp, data) = folder();
    let nothing = run(&data, &["a", "--data", "1"]).err;
    assert!(nothing.contains("with --data-dir or POSTRIDER_DATA"), "{nothing}");
}

#[test]
fn what_is_wrong_is_named() {
    let (_temp, data) = folder();
    assert!(run(&data, &["a.b", "--data", "1"]).err.contains("there is no Postrider database in"));
    let server = Server::on(&data);
    let refused = run(&data, &["a..b", "--data", "1", "--tenant", "a b"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.err.contains("  TYPE: ") && refused.err.contains("  --tenant: "), "{}", refused.err);
    for (words, says) in [
        (vec!["a.b", "--data", "hello"], "must be JSON, @FILE or -"),
        (vec!["a.b", "--data", "@/nowhere.json"], "/nowhere.json"),
        (vec!["a.b"], "--data"),
        (vec!["--data", "1"], "TYPE"),
        (vec!["a.b", "--data", "1", "--idempotency-key", "a\r\nx: y"], "--idempotency-key must be"),
    ] {
        let refused = run(&data, &words);
        assert_eq!((refused.status.code(), refused.out.as_str()), (Some(2), ""), "{words:?}: {refused:?}");
        assert!(refused.err.contains(says), "{words:?}: {}", refused.err);
    }
    let warned = run(&data, &["a.b", "--data", "1"]);
    assert!(warned.err.contains("has no endpoint"), "{}", warned.err);
    server.stop();
}
