//! Backups: made while the server goes on, checked, kept as long as the settings say, and whole or not there.

mod fixture;
mod guide;
mod litestream;
mod restoring;
mod scheduled;
mod troubled;

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::GzDecoder;
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::app::TestApp;
use crate::support::process::{Ended, PATIENCE, Process};
use crate::support::program::program;
use crate::support::receiver::Receiver;
use crate::support::server::Server;

pub fn folder() -> (TempDir, PathBuf) {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = temp.path().join("data");
    (temp, data)
}

/// Runs a command on a data directory; how it has ended.
#[track_caller]
pub fn run(data: &Path, words: &[&str]) -> Ended {
    Process::spawn(program().args(words).arg("--data").arg(data)).wait_for_end(PATIENCE)
}

/// Runs one that has to succeed; what it has printed.
#[track_caller]
pub fn done(data: &Path, words: &[&str]) -> String {
    let ended = run(data, words);
    assert!(ended.status.success(), "{words:?}: {ended:?}");
    ended.out.trim_end().to_owned()
}

/// Runs one that has to fail; what it has said.
#[track_caller]
pub fn fails(data: &Path, words: &[&str]) -> String {
    let ended = run(data, words);
    assert_eq!((ended.status.code(), ended.out.as_str()), (Some(1), ""), "{words:?}: {ended:?}");
    ended.err
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// The files in the folder of backups.
pub fn files(data: &Path) -> Vec<String> {
    let entries = fs::read_dir(data.join("backups")).expect("a folder").flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().expect("a name")).collect();
    names.sort();
    names
}

/// Opens a backup that is sound, stands alone and is private.
#[track_caller]
pub fn sound(path: &Path) -> Connection {
    assert_eq!(fs::metadata(path).expect("a file").permissions().mode() & 0o777, 0o600);
    let database = Connection::open(path).expect("a database");
    let verdict: String =
        database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("an answer");
    assert_eq!(verdict, "ok");
    database
}

#[track_caller]
pub fn number(database: &Connection, sql: &str) -> i64 {
    database.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

#[test]
fn a_backup_is_made_by_a_call_and_told_from_its_beginning_to_its_end() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    app.publish("order.paid", &json!({ "order": 1 }));
    app.settle();
    let begun = app.post("/backups", &json!({ "compress": false })).expect(202).json();
    assert_eq!(
        (&begun["by"], &begun["compressed"]),
        (&json!(app.get("/keys")["data"][0]["id"].as_str().map(|id| format!("key:{id}"))), &json!(false))
    );
    let made = app.backup_ended(&begun);
    assert_eq!(
        (&made["status"], &made["kept"], &made["error"]),
        (&json!("done"), &json!(true), &Value::Null),
        "{made}"
    );
    let name = made["file"].as_str().expect("a name");
    assert!(name.starts_with("postrider-20") && name.ends_with("Z-by-hand.db"), "{name}");
    let path = app.data().join("backups").join(name);
    assert_eq!(made["bytes"], fs::metadata(&path).expect("a file").len());
    let copy = sound(&path);
    assert_eq!(number(&copy, "SELECT count(*) FROM deliveries WHERE state = 1"), 1);
    assert_eq!(
        number(&copy, "SELECT count(*) FROM backups WHERE ended_at > 0 AND file IS NOT NULL"),
        1,
        "of itself"
    );
    drop(copy);
    assert_eq!(files(&app.data()), [name], "it stands alone");
    assert_eq!(app.get("/backups")["data"][0], made);
    assert_eq!(app.list("/audit?action=backup.create")[0]["target"], made["id"]);
    fs::remove_file(path).expect("a file");
    assert_eq!(app.get("/backups")["data"][0]["kept"], false);
    let last = app.service().last_backup().expect("a backup");
    assert_eq!((last.id.to_string().as_str(), last.error), (made["id"].as_str().expect("an id"), None));
}

#[test]
fn a_compressed_one_is_what_gzip_reads() {
    let app = TestApp::start();
    let begun = app.post("/backups", &json!({})).expect(202).json();
    assert_eq!(begun["compressed"], true, "as the settings say");
    let made = app.backup_ended(&begun);
    let path = app.data().join("backups").join(made["file"].as_str().expect("a name"));
    let (temp, mut bytes) = (tempfile::tempdir().expect("a folder"), Vec::new());
    GzDecoder::new(fs::File::open(&path).expect("a file")).read_to_end(&mut bytes).expect("gzip");
    assert!(fs::metadata(&path).expect("a file").len() < bytes.len() as u64 / 4);
    let plain = temp.path().join("plain.db");
    fs::write(&plain, bytes).expect("a file");
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o600)).expect("its mode");
    assert_eq!(number(&sound(&plain), "SELECT count(*) FROM keys"), 1);
}

#[test]
fn what_is_accepted_meanwhile_is_accepted_and_every_copy_is_whole() {
    let (_temp, data) = folder();
    let (server, receiver) = (Server::on(&data), Receiver::start());
    server.endpoint(&receiver.url("/"), &json!({}));
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let publisher = scope.spawn(|| {
            let mut count = 0_i64;
            while !over.load(std::sync::atomic::Ordering::Relaxed) {
                server.publish(&json!({ "n": count, "filling": "x".repeat(2_000) })).expect(202);
                count += 1;
            }
            count
        });
        let mut seen = 0;
        for n in 0..4 {
            let before = server.get("/events?limit=1")["data"][0]["id"].as_str().map(str::to_owned);
            let to = data.with_file_name(format!("{n}.db"));
            done(&data, &["backup", text(&to)]);
            let copy = sound(&to);
            let events = number(&copy, "SELECT count(*) FROM events");
            assert!(events >= seen, "{events} after {seen}");
            let deliveries = number(&copy, "SELECT count(*) FROM deliveries");
            assert_eq!(events, deliveries, "no event without its delivery");
            assert!(before.is_none() || events > 0);
            seen = events;
        }
        over.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(publisher.join().expect("all accepted") >= seen);
    });
    assert_eq!(files(&data), Vec::<String>::new(), "each was taken to its file");
    let log = server.stop().err;
    assert!(log.contains("backup made, to be taken elsewhere") && !log.contains("ERROR"), "{log}");
    assert!(!log.contains("file="), "where they are is not known: {log}");
}

#[test]
fn the_command_makes_one_with_and_without_a_server() {
    let (temp, data) = folder();
    let server = Server::on(&data);
    let said = run(&data, &["backup"]);
    assert!(said.status.success() && said.err.contains("does not hold secret.key"), "{said:?}");
    let path = PathBuf::from(said.out.trim_end());
    assert_eq!(path.parent(), Some(data.join("backups").as_path()));
    sound(&path);
    server.stop();
    let kept = files(&data);
    let compressed = temp.path().join("b.db.gz");
    assert_eq!(done(&data, &["backup", "--compress", text(&compressed)]), text(&compressed));
    assert!(fs::read(&compressed).expect("a file").starts_with(&[0x1f, 0x8b]));
    assert!(fails(&data, &["backup", text(&compressed)]).contains("is there already"));
    let made: Value =
        serde_json::from_str(&done(&data, &["backup", "--json", text(&temp.path().join("c.db"))]))
            .expect("JSON");
    assert_eq!((&made["status"], &made["compressed"]), (&json!("done"), &json!(false)));
    let server = Server::on(&data);
    let rows = server.get("/backups")["data"].clone();
    let names = rows.as_array().expect("a list").iter().map(|row| row["file"].as_str().expect("a name"));
    let ends: Vec<_> = names.map(|name| name.split_once("Z-").expect("what for").1).collect();
    assert_eq!(ends, ["elsewhere.db", "elsewhere.db.gz", "by-hand.db"]);
    assert_eq!(files(&data), kept, "one that is taken elsewhere drives out none of these");
    server.stop();
    let missing = temp.path().join("nowhere").join("d.db");
    assert!(fails(&data, &["backup", text(&missing)]).contains("nowhere"));
    let nothing = temp.path().join("nothing");
    assert!(fails(&nothing, &["backup"]).contains("nothing"));
    assert!(!nothing.exists(), "no directory is made for it");
    let usage = run(&data, &["backup", "--with-key"]);
    assert_eq!(usage.status.code(), Some(2), "{usage:?}");
}

#[test]
fn it_goes_through_a_pipe_into_another_directory() {
    let (temp, data) = folder();
    let server = Server::on(&data);
    server.publish(&json!(1)).expect(202);
    let new = temp.path().join("new");
    let script = "\"$0\" backup --with-key --compress - --data \"$1\" | \"$0\" restore - --data \"$2\"";
    let program = program().get_program().to_owned();
    let mut pipe = Command::new("bash");
    pipe.args(["-euo", "pipefail", "-c", script]).arg(program).arg(&data).arg(&new);
    let piped = Process::spawn(&mut pipe).wait_for_end(PATIENCE);
    assert!(piped.status.success(), "{piped:?}");
    assert_eq!(files(&data), Vec::<String>::new(), "nothing with the key is left");
    assert_eq!(
        fs::read(new.join("secret.key")).expect("a key"),
        fs::read(data.join("secret.key")).expect("a key")
    );
    server.stop();
    let restored = Server::on(&new);
    assert_eq!(restored.get("/events")["data"].as_array().map(Vec::len), Some(1));
    restored.stop();
    let database = Connection::open(new.join("postrider.db")).expect("a database");
    assert_eq!(number(&database, "SELECT count(*) FROM meta WHERE name = 'carried_key'"), 0);
}

#[test]
fn what_is_wrong_with_a_call_is_named_and_a_second_one_waits_for_no_first() {
    let app = TestApp::start();
    app.post("/backups", &json!({ "compress": 1, "to": "/etc/passwd" })).expect(422);
    app.client.get("/api/v1/backups/bak_0000000000001").expect(404);
    app.client.get("/api/v1/backups/x").expect(404);
    app.post("/backups/bak_0000000000001/cancel", &json!({})).expect(404);
    let made = app.back_up();
    let again =
        app.post(&format!("/backups/{}/cancel", made["id"].as_str().expect("an id")), &json!({})).expect(202);
    assert_eq!(again.json()["status"], "done", "one that is over stays as it is");
    assert!(app.list("/audit?action=backup.cancel").is_empty());
}
