//! Starts on a disk that fails: refused with a sentence that says what to do, and what was left of them stands in
//! the way of no later start.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::json;

use crate::support::length::short_or_long;
use crate::support::process::PATIENCE;
use crate::support::server::Server;

use super::check::integrity;
use super::fault::{Fault, Watch, for_each};

/// Everything that a start makes or writes in its directory.
const FILES: [&str; 11] = [
    "",
    "backups",
    "backups/unfinished.part",
    "postrider.db",
    "postrider.db-journal",
    "postrider.db-wal",
    "postrider.db-shm",
    "secret.key",
    "secret.key.new",
    "postrider.lock",
    "postrider.sock",
];

const CALLS: [&str; 12] = [
    "mkdir",
    "chmod",
    "fchmod",
    "openat",
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "ftruncate",
    "fallocate",
    "rename",
    "unlink",
];

/// One of them has to be in the sentence.
const ADVICE: [&str; 5] = ["free some space", "make room", "the system's log", "may write", "let it belong"];

/// The data directory of a case, before its server is started.
type Make = fn(&Path);

/// The cases of a start on such a directory: each call that it makes, failing once and from then on.
fn cases(make: Make) -> Vec<Fault> {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = temp.path().join("data");
    make(&data);
    let watch = Watch::on(&data, &FILES);
    watch.start(&data, &CALLS.join(","), None).start().stop();
    let mut cases = Vec::new();
    for call in CALLS {
        let count = watch.count(call);
        // Most writes are pages of the schema, one as the other.
        let chosen = (1..=count).filter(|n| *n <= short_or_long(10, count) || n % 16 == 0 || *n == count);
        for (from, lasting) in chosen.flat_map(|n| [(n, false), (n, true)]) {
            let errors = short_or_long(&["EIO", "ENOSPC"][from % 2..][..1], &["EIO", "ENOSPC"]);
            cases.extend(errors.iter().map(|error| Fault { call, error, from, lasting }));
        }
    }
    assert!(cases.len() > 50, "a start makes calls: {}", cases.len());
    cases
}

/// Starts a server with the fault; then without.
fn start_twice(make: Make, fault: &Fault, check: impl Fn(&Path, bool)) {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = temp.path().join("data");
    make(&data);
    let watch = Watch::on(&data, &FILES);
    let mut process = watch.start(&data, fault.call, Some(fault)).spawn();
    let started = process.line("postrider listens on http://").is_some();
    if started {
        assert!(data.join("postrider.db-wal").exists(), "whatever starts has a WAL");
        process.signal("TERM");
    }
    let ended = process.wait_for_end(PATIENCE);
    assert!(watch.injected() > 0, "the fault has struck");
    assert!(!ended.err.contains("panic"), "{ended:?}");
    assert_eq!(ended.status.code(), Some(i32::from(!started)), "{ended:?}");
    if !started {
        let said = ended.err.lines().last().expect("a sentence");
        assert!(said.starts_with("postrider: "), "{ended:?}");
        assert!(ADVICE.iter().any(|advice| said.contains(advice)), "it does not say what to do: {said}");
    }
    check(&data, started);
    let server = Server::on(&data);
    assert_eq!(server.readiness().0, 200);
    server.endpoint("http://127.0.0.1:1025/", &json!({}));
    server.publish(&json!(1)).expect(202);
    server.stop();
    check(&data, true);
    integrity(&data);
}

#[test]
fn a_first_start_that_fails_says_why_and_the_next_one_goes_on() {
    let cases = cases(|_| {});
    for_each(&cases, |fault| start_twice(|_| {}, fault, |_, _| {}));
}

/// A database of the version before the first, with a row.
fn older(data: &Path) {
    fs::create_dir(data).expect("a folder");
    let older = Connection::open(data.join("postrider.db")).expect("a database");
    older
        .execute_batch(
            "PRAGMA application_id = 0x50535452; CREATE TABLE of_old (x INTEGER) STRICT;
             INSERT INTO of_old VALUES (7)",
        )
        .expect("a table");
}

/// The old row is there, and once it is upgraded, so is the copy from before, and nothing half made.
fn has_kept(data: &Path, upgraded: bool) {
    let row = |path: PathBuf| {
        let database = Connection::open(path).expect("a database");
        database.query_row("SELECT x FROM of_old", [], |row| row.get::<_, i64>(0)).expect("the old row")
    };
    assert_eq!(row(data.join("postrider.db")), 7);
    if upgraded {
        let copies: Vec<_> = fs::read_dir(data.join("backups")).expect("a folder").flatten().collect();
        assert!(!copies.is_empty(), "it was copied before");
        for copy in copies {
            assert!(copy.file_name().to_string_lossy().ends_with(".db"), "{copy:?} is half made");
            assert_eq!(row(copy.path()), 7);
        }
    }
}

#[test]
fn an_upgrade_that_fails_leaves_the_older_database_and_the_next_start_makes_up_for_it() {
    let cases = cases(older);
    for_each(&cases, |fault| start_twice(older, fault, has_kept));
}
