//! A database, or its WAL, of which a part is missing or written over.

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::process::{PATIENCE, until};
use crate::support::server::{Server, Start};

use super::{refuses, used};

#[test]
fn a_damaged_database_is_refused_with_what_to_do() {
    let (_temp, data) = used();
    let file = data.join("postrider.db");
    let whole = fs::read(&file).expect("a database");
    let mut scribbled = whole.clone();
    scribbled[..16].copy_from_slice(b"a letter to you.");
    let letter = b"a letter, and no database".repeat(1_000);
    let at_a_page = &whole[..whole.len() / 2 / 4096 * 4096];
    for damaged in [&whole[..5_000], &whole[..4_096], &whole[..100], at_a_page, &scribbled, &letter] {
        fs::write(&file, damaged).expect("a database");
        refuses(&Start::on(&data), &data, &["postrider.db", "restore"]);
    }
    fs::remove_file(&file).expect("a database");
    fs::create_dir(&file).expect("a folder");
    refuses(&Start::on(&data), &data, &["postrider.db"]);
}

/// A data directory that a killed server has left, with events in its WAL.
fn killed(events: usize) -> (TempDir, PathBuf) {
    let (temp, data) = used();
    let mut server = Server::on(&data);
    for number in 0..events {
        server.publish(&json!({ "number": number, "filling": "x".repeat(3_000) })).expect(202);
    }
    server.process.kill();
    (temp, data)
}

#[test]
fn a_wal_whose_file_is_gone_or_empty_is_not_thrown_away() {
    let (_temp, data) = killed(20);
    let file = data.join("postrider.db");
    let whole = fs::read(&file).expect("a database");
    fs::write(&file, "").expect("a database");
    refuses(
        &Start::on(&data),
        &data,
        &["postrider.db: the file is missing or empty", "postrider.db-wal beside it is not"],
    );
    fs::remove_file(&file).expect("a database");
    refuses(&Start::on(&data), &data, &["put the file back"]);
    assert!(!file.exists(), "no other is made");
    fs::write(&file, whole).expect("a database");
    let server = Server::on(&data);
    assert_eq!(server.get("/events")["data"].as_array().map(Vec::len), Some(20), "all is well again");
    server.stop();
}

#[test]
fn damage_that_a_start_after_a_kill_does_not_meet_is_told_by_readyz() {
    let (_temp, data) = used();
    let path = data.join("postrider.db");
    let database = Connection::open(&path).expect("a database");
    let page: i64 = database
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'idempotent_answers'", [], |row| {
            row.get(0)
        })
        .expect("a page");
    drop(database);
    let mut bytes = fs::read(&path).expect("a database");
    let at = usize::try_from(page - 1).expect("a number") * 4096;
    bytes[at..at + 200].fill(0xff);
    fs::write(&path, bytes).expect("a database");
    let mut server = Server::on(&data);
    server.publish(&json!({ "number": 1 })).expect(202);
    server.process.kill();
    let server = Server::on(&data);
    let (status, body) = until("the damage to be told", PATIENCE, || {
        Some(server.readiness()).filter(|(status, _)| *status != 200)
    });
    let detail = body["detail"].as_str().unwrap_or_default();
    assert_eq!((status, &body["code"]), (503, &json!("unavailable")));
    assert!(detail.contains("the database file is damaged, restore a backup"), "{detail}");
    server.stop();
}

/// The numbers of the events that are there, from the oldest.
fn numbers(server: &Server) -> Vec<u64> {
    let list = server.get("/events?limit=250");
    let ids = list["data"].as_array().expect("a list").iter().rev();
    let number = |event: &Value| {
        let event = server.get(&format!("/events/{}", event["id"].as_str().expect("an id")));
        event["data"]["number"].as_u64().expect("a number")
    };
    ids.map(number).collect()
}

#[test]
fn of_a_wal_that_is_cut_or_scribbled_all_that_is_before_that_is_kept() {
    const EVENTS: u64 = 12;
    let (temp, data) = killed(12);
    let wal = fs::read(data.join("postrider.db-wal")).expect("a WAL");
    let mut kept = Vec::new();
    for part in 0..=8 {
        let at = wal.len() * part / 8;
        let mut scribbled = wal.clone();
        scribbled[at..].fill(b'?');
        for bytes in [&wal[..at], &scribbled] {
            let copy = temp.path().join("copy");
            fs::create_dir(&copy).expect("a folder");
            for name in ["postrider.db", "secret.key"] {
                fs::copy(data.join(name), copy.join(name)).expect("a file");
            }
            fs::write(copy.join("postrider.db-wal"), bytes).expect("a file");
            let server = Server::on(&copy);
            let found = numbers(&server);
            assert_eq!(found, (0..found.len() as u64).collect::<Vec<_>>(), "without a gap, at {at}");
            server.publish(&json!({ "number": 100 })).expect(202);
            server.stop();
            let database = Connection::open(copy.join("postrider.db")).expect("a database");
            let checked: String =
                database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("an answer");
            assert_eq!(checked, "ok", "at {at}");
            kept.push(found.len() as u64);
            fs::remove_dir_all(&copy).expect("a folder");
        }
    }
    assert_eq!((kept[0], kept[kept.len() - 1]), (0, EVENTS), "{kept:?}");
    assert!(kept.is_sorted() && kept.iter().any(|count| (1..EVENTS).contains(count)), "{kept:?}");
}

/// A database in a data directory whose writer was cut off in the middle: half of it is written, and the rollback
/// journal beside it undoes that.
fn half_written(application_id: i32) -> (TempDir, PathBuf) {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = temp.path().join("data");
    fs::create_dir(&data).expect("a folder");
    let names = ["letters.db", "letters.db-journal"];
    let writer = Connection::open(temp.path().join(names[0])).expect("a database");
    writer
        .execute_batch(&format!(
            "PRAGMA application_id = {application_id}; PRAGMA cache_size = 1; CREATE TABLE letters (text);
             WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 200)
                 INSERT INTO letters SELECT printf('%1000s', 'dear') FROM n;
             BEGIN; UPDATE letters SET text = printf('%1000s', 'cheap')"
        ))
        .expect("it writes before it commits");
    for (name, copied) in names.iter().zip(["postrider.db", "postrider.db-journal"]) {
        fs::copy(temp.path().join(name), data.join(copied)).expect("a file");
    }
    (temp, data)
}

#[test]
fn what_another_program_has_left_half_written_is_left_alone() {
    let (_temp, data) = half_written(7);
    let journal = || fs::read(data.join("postrider.db-journal")).expect("a journal");
    let before = journal();
    refuses(&Start::on(&data), &data, &["its last writer was cut off: open it with that program"]);
    assert!(journal() == before, "so is its journal");
}

#[test]
fn what_was_left_half_written_of_our_own_is_undone() {
    let (_temp, data) = half_written(0x5053_5452);
    Server::on(&data).stop();
    let database = Connection::open(data.join("postrider.db")).expect("a database");
    let dear = "SELECT count(*) FROM letters WHERE text LIKE '%dear'";
    assert_eq!(database.query_row(dear, [], |row| row.get::<_, i64>(0)).expect("a number"), 200);
}
