//! A backup on a disk that fails or is full: told, nothing is left of it, and everything else goes on.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::process::{self, PATIENCE};
use crate::support::server::Server;

use super::check::integrity;
use super::fault::{Fault, Watch, for_each};

/// What a backup makes.
const FILES: [&str; 3] =
    ["backups/unfinished.part", "backups/unfinished.part-journal", "backups/unfinished.gz.part"];
const CALLS: [&str; 8] =
    ["openat", "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "fchmod"];
const EVENTS: usize = 100;

/// A data directory with something in it, so that a backup has several turns.
fn used(data: &Path) {
    let server = Server::on(data);
    // The backups of this test are made by hand.
    server.client.send_json("PATCH", "/api/v1/settings", &json!({ "backup_schedule": "" })).expect(200);
    for n in 0..EVENTS {
        server.publish(&json!({ "n": n, "filling": "x".repeat(50_000) })).expect(202);
    }
    server.stop();
}

/// Makes a backup; how it ended.
fn backup(server: &Server) -> Value {
    let begun = server.post("/backups", &json!({ "compress": true })).expect(202).json();
    let path = format!("/backups/{}", begun["id"].as_str().expect("an id"));
    process::until("the end of the backup", PATIENCE, || {
        let backup = server.get(&path);
        (backup["status"] != "running").then_some(backup)
    })
}

fn files(data: &Path) -> Vec<String> {
    let entries = fs::read_dir(data.join("backups")).expect("a folder").flatten();
    entries.map(|entry| entry.file_name().into_string().expect("a name")).collect()
}

fn cases() -> Vec<Fault> {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = temp.path().join("data");
    used(&data);
    let watch = Watch::on(&data, &FILES);
    let server = watch.start(&data, &CALLS.join(","), None).start();
    assert_eq!(backup(&server)["status"], "done");
    server.stop();
    let mut cases = Vec::new();
    for call in CALLS {
        let count = watch.count(call);
        println!("{call}: {count}");
        for from in [1, count / 3, count.saturating_sub(1), count] {
            let known = |case: &Fault| case.call == call && case.from == from;
            if from > 0 && !cases.iter().any(known) {
                let error = ["ENOSPC", "EIO"][cases.len() % 2];
                cases.push(Fault { call, error, from, lasting: cases.len() % 3 != 0 });
            }
        }
    }
    assert!(cases.len() > 10, "a backup makes calls: {}", cases.len());
    cases
}

#[test]
fn a_backup_that_fails_says_why_leaves_nothing_and_disturbs_nobody() {
    let (cases, struck) = (cases(), AtomicUsize::new(0));
    for_each(&cases, |fault| {
        let temp = tempfile::tempdir().expect("a temporary directory");
        let data = temp.path().join("data");
        used(&data);
        let watch = Watch::on(&data, &FILES);
        let server = watch.start(&data, fault.call, Some(fault)).start();
        let ended = backup(&server);
        if watch.injected() == 0 {
            // The threads share their calls in another way each time.
            assert_eq!(ended["status"], "done", "{ended}");
            return;
        }
        struck.fetch_add(1, Ordering::Relaxed);
        // What fails may be something that a backup can do without.
        if ended["status"] != "done" {
            assert_eq!(ended["status"], "failed", "{ended}");
            let error = ended["error"].as_str().expect("a reason");
            let says = ["disk", "I/O", "space", "os error", "unable to open"];
            assert!(says.iter().any(|says| error.contains(says)), "{error}");
            assert_eq!(files(&data), Vec::<String>::new());
            let last = server.get("/backups");
            assert_eq!(last["data"][0]["status"], "failed");
        }
        assert_eq!(server.readiness().0, 200);
        server.publish(&json!("afterwards")).expect(202);
        Watch::let_go(&server);
        assert_eq!(backup(&server)["status"], "done");
        server.stop();
        let left = files(&data);
        assert!(left.iter().all(|name| name.ends_with(".db.gz")) && !left.is_empty(), "{left:?}");
        integrity(&data);
    });
    let struck = struck.into_inner();
    assert!(struck > cases.len() / 2, "{struck} of {}", cases.len());
}

#[test]
fn a_kill_in_the_middle_of_a_backup_leaves_none_that_is_half() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = temp.path().join("data");
    used(&data);
    for (call, file, from) in [
        ("pwrite64", "unfinished.part", 20),
        ("fdatasync", "unfinished.part", 2),
        ("write", "unfinished.gz.part", 1),
        ("fsync", "unfinished.gz.part", 1),
        ("rename", "unfinished.gz.part", 1),
    ] {
        let path = data.join("backups").join(file);
        let (path, inject) =
            (path.to_str().expect("a path"), format!("inject={call}:signal=KILL:when={from}"));
        let trace = format!("trace={call}");
        let words =
            ["strace", "-D", "-I2", "-f", "-q", "-o", "/dev/null", "-e", &trace, "-e", &inject, "-P", path];
        let mut server = crate::support::server::Start::on(&data).under(&words).start();
        server.post("/backups", &json!({ "compress": true })).expect(202);
        let ended = server.process.wait_for_end(PATIENCE);
        assert_eq!(ended.status.code(), None, "it was killed: {ended:?}");
        let left = files(&data);
        assert!(!left.is_empty() && left.iter().all(|name| name.starts_with("unfinished.")), "{left:?}");
        let server = Server::on(&data);
        assert_eq!(files(&data), Vec::<String>::new(), "the start has tidied");
        let last = &server.get("/backups")["data"][0];
        assert_eq!(
            (&last["status"], &last["error"]),
            (&json!("failed"), &json!("the server ended before it was done"))
        );
        server.stop();
    }
}
