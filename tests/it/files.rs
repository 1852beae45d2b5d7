//! The data directory as the program finds and leaves it: modes, key, database.

mod cut;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use postrider::clock::Stopwatch;
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::support::process::Ended;
use crate::support::program::program;
use crate::support::server::{Server, Start};

fn folder() -> (TempDir, PathBuf) {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = temp.path().join("data");
    (temp, data)
}

/// A data directory that a server has used, with a secret in its database.
fn used() -> (TempDir, PathBuf) {
    let (temp, data) = folder();
    let server = Server::on(&data);
    server.endpoint("http://127.0.0.1:1025/", &json!({}));
    server.stop();
    (temp, data)
}

/// The modes of everything in a directory and of itself, `.`.
fn modes(data: &Path) -> BTreeMap<String, u32> {
    let mode = |path: &Path| fs::symlink_metadata(path).expect("a file").permissions().mode() & 0o7777;
    let entries = fs::read_dir(data).expect("a directory").map(|entry| entry.expect("an entry"));
    let mut modes: BTreeMap<_, _> = entries
        .map(|entry| (entry.file_name().into_string().expect("a name"), mode(&entry.path())))
        .collect();
    modes.insert(".".to_owned(), mode(data));
    modes
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("a file of ours");
}

fn private() -> BTreeMap<String, u32> {
    let files = [
        "postrider.db",
        "postrider.db-shm",
        "postrider.db-wal",
        "postrider.lock",
        "postrider.sock",
        "secret.key",
    ];
    let files = files.map(|name| (name.to_owned(), 0o600));
    files.into_iter().chain([(".".to_owned(), 0o700), ("backups".to_owned(), 0o700)]).collect()
}

/// Starts a server that has to refuse, with these words, and leaves every byte of the database as it is.
#[track_caller]
fn refuses(start: &Start, data: &Path, says: &[&str]) -> Ended {
    // A WAL that is not there, and an empty one, are the same to SQLite.
    let files =
        || ["postrider.db", "postrider.db-wal"].map(|name| fs::read(data.join(name)).unwrap_or_default());
    let before = files();
    let ended = start.refused();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(
        ended.err.starts_with("postrider: ") && ended.err.lines().count() == 1,
        "one sentence: {}",
        ended.err
    );
    for words in says {
        assert!(ended.err.contains(words), "{words:?} is not in {}", ended.err);
    }
    assert!(files() == before, "the database is as it was");
    ended
}

#[test]
fn every_file_is_private_whatever_the_umask_says() {
    for umask in ["umask 000", "umask 777"] {
        let (_temp, data) = folder();
        let server = Start::on(&data).after(umask).start();
        assert_eq!(modes(&data), private(), "{umask}");
        server.stop();
    }
}

#[test]
fn wrong_modes_are_repaired_at_the_next_start() {
    let (_temp, data) = used();
    for (file, folder) in [(0o666, 0o777), (0o400, 0o500)] {
        for name in ["postrider.db", "postrider.lock", "secret.key"] {
            chmod(&data.join(name), file);
        }
        chmod(&data.join("backups"), folder);
        chmod(&data, 0o755);
        let server = Server::on(&data);
        assert_eq!(modes(&data), private());
        server.publish(&json!(1)).expect(202);
        server.stop();
    }
}

#[test]
fn a_missing_key_stops_the_start_and_no_other_is_made() {
    let (_temp, data) = used();
    let key = data.join("secret.key");
    let kept = fs::read(&key).expect("a key");
    fs::remove_file(&key).expect("a key");
    refuses(&Start::on(&data), &data, &["secret.key\" is missing", "put the file back from your copy"]);
    assert!(!key.exists());

    symlink(data.join("nowhere"), &key).expect("a link");
    refuses(&Start::on(&data), &data, &["secret.key\" is missing"]);
    fs::remove_file(&key).expect("a link");

    fs::write(&key, kept).expect("a key");
    let server = Server::on(&data);
    let endpoints = server.get("/endpoints");
    assert_eq!(endpoints["data"].as_array().map(Vec::len), Some(1), "all is well again");
    server.stop();
}

#[test]
fn a_key_that_cannot_be_used_stops_the_start() {
    let (_temp, data) = used();
    let key = data.join("secret.key");
    let text = fs::read_to_string(&key).expect("a key");
    for damaged in
        ["", "# only a comment\n", &text[..text.len() - 10], "not base64 at all!\n", &format!("{text}{text}")]
    {
        fs::write(&key, damaged).expect("a key");
        refuses(&Start::on(&data), &data, &["secret.key\" is damaged", "put the file back"]);
    }
    let other = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n";
    fs::write(&key, other).expect("a key");
    refuses(
        &Start::on(&data),
        &data,
        &["not the key that this database was made with", "put the right one back"],
    );

    fs::remove_file(&key).expect("a key");
    fs::create_dir(&key).expect("a folder");
    refuses(&Start::on(&data), &data, &["cannot read the key in", "secret.key"]);
}

#[test]
fn a_wrong_key_is_refused_without_touching_what_a_kill_has_left() {
    let (_temp, data) = folder();
    let mut server = Server::on(&data);
    server.endpoint("http://127.0.0.1:1025/", &json!({}));
    server.process.kill();
    let key = data.join("secret.key");
    let right = fs::read(&key).expect("a key");
    fs::write(&key, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n").expect("a key");
    let ended = Start::on(&data).refused();
    assert!(ended.err.contains("not the key that this database was made with"), "{ended:?}");
    fs::write(&key, right).expect("a key");
    assert_eq!(Server::on(&data).get("/endpoints")["data"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let (_temp, data) = folder();
    fs::create_dir(&data).expect("a folder");
    let other = Connection::open(data.join("postrider.db")).expect("a database");
    other.execute_batch("CREATE TABLE letters (text); INSERT INTO letters VALUES ('dear')").expect("a table");
    drop(other);
    refuses(&Start::on(&data), &data, &["postrider.db", "another program", "another data directory"]);
    assert!(!data.join("secret.key").exists(), "nothing of ours is added");
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let (_temp, data) = used();
    let newer = Connection::open(data.join("postrider.db")).expect("a database");
    newer.pragma_update(None, "user_version", 1_000).expect("a version");
    newer.pragma_update(None, "journal_mode", "DELETE").expect("a mode");
    drop(newer);
    refuses(&Start::on(&data), &data, &["newer Postrider", "restore a backup"]);
}

#[test]
fn a_database_that_is_gone_beside_its_backups_is_not_begun_anew() {
    let (_temp, data) = used();
    let database = data.join("postrider.db");
    let whole = fs::read(&database).expect("a database");
    fs::write(data.join("backups/postrider-20260223T023000Z.db.gz"), "a backup").expect("a file");
    fs::write(&database, "").expect("a file");
    refuses(
        &Start::on(&data),
        &data,
        &["postrider.db", "is missing or empty", "postrider restore", "begin anew"],
    );
    let doctor = program().args(["doctor", "--data"]).arg(&data).output().expect("it runs");
    let says = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(says.contains("has backups of it"), "{says}");

    fs::remove_file(&database).expect("a file");
    let ended = Start::on(&data).refused();
    assert!(ended.err.contains("is missing or empty"), "{ended:?}");
    assert!(!database.exists(), "nothing is made");
    fs::write(&database, whole).expect("a file");
    Server::on(&data).stop();
}

#[test]
fn a_database_file_that_is_mounted_for_reading_is_told_as_such() {
    let (_temp, data) = used();
    let mounts = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && exec \"$@\"";
    let file = data.join("postrider.db");
    let wrapper =
        ["unshare", "--map-root-user", "--mount", "sh", "-c", mounts, file.to_str().expect("a path")];
    refuses(&Start::on(&data).under(&wrapper), &data, &["postrider.db", "for writing"]);
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    let (temp, data) = folder();
    fs::write(&data, "a letter").expect("a file");
    for (path, says) in [
        (data.clone(), "is not a directory"),
        (data.join("below"), "a part of the path is a file"),
        (PathBuf::from("/proc/postrider"), "cannot create"),
        (temp.path().join("x".repeat(120)), "too long"),
    ] {
        let ended = Start::on(&path).refused();
        assert!(ended.err.contains(says) && ended.err.contains(path.to_str().expect("a path")), "{ended:?}");
    }
    assert_eq!(fs::read(&data).expect("a file"), b"a letter");
}

#[test]
fn a_read_only_file_system_is_told_as_such() {
    let (_temp, data) = used();
    let mounts = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && exec \"$@\"";
    let path = data.to_str().expect("a path");
    let start = Start::on(&data).under(&["unshare", "--map-root-user", "--mount", "sh", "-c", mounts, path]);
    refuses(&start, &data, &["cannot", "for writing", "ReadWritePaths="]);
    let mut doctor = Command::new("unshare");
    doctor.args(["--map-root-user", "--mount", "sh", "-c", mounts, path]);
    let said = doctor
        .args([env!("CARGO_BIN_EXE_postrider"), "doctor", "--data", path])
        .output()
        .expect("unshare, of util-linux");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("cannot be written: its file system is read-only"), "{said}");
}

#[test]
fn a_full_disk_stops_the_start_with_a_sentence() {
    let (_temp, data) = folder();
    let ended = Start::on(&data).after("trap '' XFSZ; ulimit -f 0").refused();
    assert!(ended.err.starts_with("postrider: cannot write"), "{ended:?}");
    let server = Server::on(&data);
    assert_eq!(server.readiness().0, 200, "what was left of that start does no harm");
    server.stop();
}

#[test]
fn a_port_that_is_in_use_is_named() {
    let (_temp, data) = folder();
    let first = Server::on(&data);
    let (_other_temp, other) = folder();
    let start = Start::on(&other).with("POSTRIDER_LISTEN", &first.address.to_string());
    let ended = start.refused();
    assert_eq!(ended.status.code(), Some(1));
    let says = format!("cannot listen on {}", first.address);
    assert!(ended.err.contains(&says) && ended.err.contains("--listen (POSTRIDER_LISTEN)"), "{ended:?}");
    assert_eq!(first.readiness().0, 200);
    Server::on(&other).stop();
}

#[test]
fn a_second_server_on_the_same_directory_is_refused_and_the_first_goes_on() {
    let (_temp, data) = folder();
    let first = Server::on(&data);
    let ended = Start::on(&data).refused();
    assert_eq!(ended.status.code(), Some(1));
    let says = format!("another Postrider process (pid {})", first.process.pid());
    assert!(ended.err.contains(&says) && ended.err.contains("--data"), "{ended:?}");
    // Within 2 s: the best of three, as others run beside this test.
    let refused = || {
        let watch = Stopwatch::start();
        Start::on(&data).refused();
        watch.elapsed()
    };
    let soonest = (0..3).map(|_| refused()).min().expect("three");
    assert!(soonest < Duration::from_secs(2), "{soonest:?}");
    first.endpoint("http://127.0.0.1:1025/", &json!({}));
    assert!(data.join("postrider.sock").exists(), "the second has not taken the first's socket away");
    first.stop();
    Server::on(&data).stop();
}
