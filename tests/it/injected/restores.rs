//! A restore that is killed at one of its calls, or whose calls fail: the old database is there, or the new one, whole and
//! with its key.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::support::process::{Ended, PATIENCE, Process};
use crate::support::program::program;
use crate::support::server::Server;

use super::check::{integrity, number};
use super::fault::for_each;

const CALLS: [&str; 9] =
    ["openat", "write", "pwrite64", "fsync", "fdatasync", "rename", "unlink", "mkdir", "ftruncate"];

/// What happens to a call.
#[derive(Debug)]
struct Cut {
    call: &'static str,
    from: usize,
    what: &'static str,
}

/// A directory with two events, and a backup of another one with five that carries its key.
struct Saved {
    _temp: tempfile::TempDir,
    old: PathBuf,
    backup: PathBuf,
}

fn filled(data: &Path, events: usize) {
    let server = Server::on(data);
    for n in 0..events {
        server.publish(&json!({ "n": n, "filling": "x".repeat(20_000) })).expect(202);
    }
    server.stop();
}

impl Saved {
    fn new() -> Self {
        let temp = tempfile::tempdir().expect("a temporary directory");
        let (old, other) = (temp.path().join("old"), temp.path().join("other"));
        filled(&old, 2);
        filled(&other, 5);
        let backup = temp.path().join("backup.db");
        let mut command = program();
        command.args(["backup", "--with-key"]).arg(&backup).arg("--data").arg(&other);
        assert!(Process::spawn(&mut command).wait_for_end(PATIENCE).status.success());
        Self { _temp: temp, old, backup }
    }

    fn copy(&self, to: &Path) {
        fs::create_dir(to).expect("a folder");
        for name in ["postrider.db", "secret.key"] {
            fs::copy(self.old.join(name), to.join(name)).expect("a file");
        }
    }

    /// Restores under strace; how it has ended, and what strace has seen.
    fn restore(&self, data: &Path, cut: Option<&Cut>) -> (Ended, String) {
        let trace = data.with_extension("trace");
        let mut strace = Command::new("strace");
        strace.args(["-D", "-I2", "-f", "-q", "-o"]).arg(&trace);
        let calls = cut.map_or_else(|| CALLS.join(","), |cut| cut.call.to_owned());
        strace.args(["-e", &format!("trace={calls}")]);
        if let Some(Cut { call, from, what }) = cut {
            strace.args(["-e", &format!("inject={call}:{what}:when={from}")]);
        }
        strace.arg(program().get_program()).arg("restore").arg(&self.backup).arg("--data").arg(data);
        let ended = Process::spawn(&mut strace).wait_for_end(PATIENCE);
        (ended, fs::read_to_string(&trace).unwrap_or_default())
    }
}

/// The calls that touch the data directory come last: the program's start makes some before.
fn cases(saved: &Saved) -> Vec<Cut> {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = temp.path().join("data");
    saved.copy(&data);
    let (ended, trace) = saved.restore(&data, None);
    assert!(ended.status.success(), "{ended:?}");
    let mut cases = Vec::new();
    for call in CALLS {
        let name = format!("{call}(");
        let count = trace.lines().filter(|line| line.contains(&name)).count();
        let step = (count / 6).max(1);
        println!("{call}: {count}");
        for from in (1..=count).filter(|n| *n == count || n % step == 0 || call == "rename") {
            cases.push(Cut { call, from, what: "signal=KILL" });
            cases.extend((call != "openat").then_some(Cut { call, from, what: "error=ENOSPC" }));
        }
    }
    assert!(cases.len() > 30, "{}", cases.len());
    cases
}

#[test]
fn a_restore_that_is_cut_off_leaves_the_old_database_or_the_new_one() {
    let saved = Saved::new();
    let (old, new) = (AtomicCount::default(), AtomicCount::default());
    for_each(&cases(&saved), |cut| {
        let temp = tempfile::tempdir().expect("a temporary directory");
        let data = temp.path().join("data");
        saved.copy(&data);
        let (ended, _) = saved.restore(&data, Some(cut));
        assert!(!ended.err.contains("panic"), "{ended:?}");
        // It starts, so that the key fits, and opens what is there.
        let server = Server::on(&data);
        assert_eq!(server.readiness().0, 200);
        server.stop();
        let events = number(&integrity(&data), "SELECT count(*) FROM events");
        assert!(events == 2 || events == 5, "{events}");
        assert!(events == 5 || !ended.status.success(), "it said that it is restored");
        if events == 2 { &old } else { &new }.add();
        let left: Vec<_> =
            fs::read_dir(&data).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
        assert!(left.iter().all(|name| !name.to_string_lossy().contains("restor")), "{left:?}");
    });
    assert!(old.get() > 0 && new.get() > 0, "{} {}", old.get(), new.get());
}

#[derive(Default)]
struct AtomicCount(std::sync::atomic::AtomicUsize);

impl AtomicCount {
    fn add(&self) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    fn get(&self) -> usize {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}
