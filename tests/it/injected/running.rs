//! A server that runs on a disk that fails: see [`Story`].

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::support::length::short_or_long;
use crate::support::receiver::Receiver;
use crate::support::server::Server;

use super::check::{integrity, number};
use super::fault::{Fault, Watch, for_each};
use super::story::{DEAD, EVENTS, PATHS, Story, Until};

/// What the writer writes; the third file, `postrider.db-shm`, is mapped, and grows as the server starts.
const FILES: [&str; 2] = ["postrider.db", "postrider.db-wal"];
const CALLS: [&str; 6] = ["pwrite64", "fdatasync", "fsync", "ftruncate", "fallocate", "unlink"];

/// Events that are there from long ago, each with one delivery, for the cleanup.
const OLD: usize = 40;

/// A data directory that was in use a long time ago.
fn used() -> TempDir {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = temp.path().join("data");
    let (server, receiver) = (Server::on(&data), Receiver::start());
    let endpoint = server.endpoint(&receiver.url("/old"), &json!({}));
    for _ in 0..OLD {
        server.publish(&json!("x".repeat(5_000))).expect(202);
    }
    receiver.wait_for(OLD);
    server.client.delete(&format!("/api/v1/endpoints/{endpoint}")).expect(204);
    server.stop();
    let database = Connection::open(data.join("postrider.db")).expect("a database");
    let past = "SET created_at = created_at - 40 * 86400000";
    database.execute_batch(&format!("UPDATE events {past}; UPDATE deliveries {past}")).expect("older rows");
    assert_eq!(number(&database, "SELECT sum(delivered) FROM hourly"), as_number(OLD));
    temp
}

fn as_number(count: usize) -> i64 {
    i64::try_from(count).expect("a small number")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder");
    for name in ["postrider.db", "secret.key"] {
        fs::copy(from.join("data").join(name), to.join(name)).expect("a file");
    }
}

/// A case: the fault, and how it ends.
#[derive(Debug)]
struct Case {
    fault: Fault,
    until: Until,
}

/// The calls that a life without a fault makes, and from those the cases.
fn cases(old: &Path) -> Vec<Case> {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = temp.path().join("data");
    copy(old, &data);
    let (receiver, watch) = (Receiver::start(), Watch::on(&data, &FILES));
    let server = watch.start(&data, &CALLS.join(","), None).start();
    let mut story = Story::new(&receiver, &data, server, Watch::on(&data, &FILES), Until::Once);
    story.tell();
    story.stop();
    let mut cases = Vec::new();
    for call in CALLS {
        let count = watch.count(call);
        println!("{call}: {count}");
        let step = short_or_long((count / 5).max(1), 1);
        // The last of all, and some in between.
        for from in (1..=count).filter(|n| *n == 1 || (count - n) % step == 0) {
            let turn = cases.len();
            let until = [Until::Room, Until::Once, Until::Kill][turn % 3];
            let error = ["ENOSPC", "EIO"][turn / 3 % 2];
            cases.push(Case { fault: Fault { call, error, from, lasting: until != Until::Once }, until });
        }
    }
    assert!(cases.len() > 10, "a life makes calls: {}", cases.len());
    cases
}

#[test]
fn a_disk_that_fails_loses_nothing_repeats_nothing_and_all_resumes() {
    let old = used();
    let cases = cases(old.path());
    for_each(&cases, |case| live(old.path(), case));
}

fn live(old: &Path, case: &Case) {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = temp.path().join("data");
    copy(old, &data);
    let (receiver, watch) = (Receiver::start(), Watch::on(&data, &FILES));
    let server = watch.start(&data, case.fault.call, Some(&case.fault)).start();
    let mut story = Story::new(&receiver, &data, server, Watch::on(&data, &FILES), case.until);
    story.tell();
    let (acknowledged, killed, troubles) = (story.acknowledged.clone(), story.killed, story.troubles);
    let (_, log) = if case.until == Until::Once { story.stop() } else { story.kill() };
    assert!(!log.contains("panic"), "{log}");
    let quiet = [" INFO ", "refused a request"];
    let said = log.lines().filter(|line| !quiet.iter().any(|word| line.contains(word))).count();
    assert!(said <= 5 + 5 * troubles, "{said} lines of trouble:\n{log}");

    let server = Server::on(&data);
    for (key, event) in &acknowledged {
        let event = json!({ "id": event });
        server.get(&format!("/events/{}", event["id"].as_str().expect("an id")));
        server.wait_for_status(&event, if key == DEAD { "failed" } else { "delivered" });
    }
    server.stop();
    assert_sent(&receiver, &acknowledged, killed);
    assert_kept(&data, killed);
}

/// Each event arrived at each endpoint once; after a kill, what was in flight or not written down, once more.
fn assert_sent(receiver: &Receiver, acknowledged: &BTreeMap<String, String>, killed: bool) {
    for path in PATHS {
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        let all = receiver.received_on(path);
        // The first one was answered with 500.
        for request in all.iter().skip(usize::from(path == "/flaky")) {
            *times.entry(request.header("webhook-id").expect("an id").to_owned()).or_default() += 1;
        }
        for (key, id) in acknowledged.iter().filter(|(key, _)| *key != DEAD) {
            let times = times.remove(id).unwrap_or_default();
            assert!(times == 1 || (killed && times == 2), "{key} was sent to {path} {times} times");
        }
        assert!(times.is_empty(), "{path} got what nobody acknowledged: {times:?}");
    }
    let dead = receiver.count_on("/dead");
    assert!(dead == 1 || (killed && dead == 2), "{dead} attempts without a retry");
}

/// The file is sound, holds what it has to, and counts it right.
fn assert_kept(data: &Path, killed: bool) {
    let database = integrity(data);
    let is = |sql: &str, expected: usize| assert_eq!(number(&database, sql), as_number(expected), "{sql}");
    let delivered = EVENTS * PATHS.len();
    is("SELECT count(*) FROM events", EVENTS + 1);
    is("SELECT count(DISTINCT idempotency_key) FROM events", EVENTS + 1);
    is("SELECT count(*) FROM deliveries", delivered + 1);
    is("SELECT sum(deliveries) FROM events", delivered + 1);
    is("SELECT count(*) FROM deliveries WHERE delivered_at IS NOT NULL", delivered);
    is("SELECT sum(delivered) FROM hourly", OLD + delivered);
    is("SELECT sum(failed) FROM hourly", 1);
    is("SELECT sum(attempts_ok) FROM hourly", OLD + delivered);
    let failed = number(&database, "SELECT sum(attempts_failed) FROM hourly");
    assert!(failed == 2 || (killed && failed == 1), "{failed} failed attempts");
    let attempts = number(&database, "SELECT count(*) FROM attempts");
    assert_eq!(attempts, as_number(delivered) + failed);
    assert_eq!(number(&database, "SELECT sum(attempts) FROM deliveries"), attempts);
    is("SELECT count(*) FROM endpoints", PATHS.len() + 1);
    is("SELECT count(*) FROM cleanups WHERE error IS NULL AND ended_at IS NOT NULL", 1);
}
