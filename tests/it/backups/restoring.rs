//! Restoring: checked before anything is touched, what it replaces is kept, and nothing is sent that may have been sent.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use postrider::clock::Stopwatch;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::process;
use crate::support::receiver::{Receiver, Reply};
use crate::support::server::{Server, Start};

use super::{done, fails, folder, number, run, sound, text};

/// A data directory with a backup of it: at an endpoint one delivery is done, and three wait for another attempt.
struct Saved {
    _temp: tempfile::TempDir,
    data: PathBuf,
    backup: PathBuf,
    receiver: Receiver,
    endpoint: String,
}

const PENDING: usize = 3;

impl Saved {
    fn new() -> Self {
        let (temp, data) = folder();
        let (server, receiver) = (Server::on(&data), Receiver::start());
        let endpoint = server.endpoint(&receiver.url("/"), &json!({ "retry_schedule": [1, 1] }));
        let first = server.publish(&json!("before")).expect(202).json();
        server.wait_for_status(&first, "delivered");
        receiver.always(Reply::status(500));
        let slow = json!({ "retry_schedule": [100_000] });
        server.client.send_json("PATCH", &format!("/api/v1/endpoints/{endpoint}"), &slow).expect(200);
        for n in 0..PENDING {
            server.publish(&json!({ "n": n })).expect(202);
        }
        receiver.wait_for(1 + PENDING);
        process::until("the outcomes", process::PATIENCE, || {
            let waiting = server.get("/deliveries?status=retrying");
            (waiting["data"].as_array().map(Vec::len) == Some(PENDING)).then_some(())
        });
        let backup = temp.path().join("saved.db.gz");
        done(&data, &["backup", "--compress", text(&backup)]);
        // What happens afterwards is lost.
        receiver.always(Reply::ok());
        server.publish(&json!("after")).expect(202);
        receiver.wait_for(2 + PENDING);
        server.stop();
        Self { _temp: temp, data, backup, receiver, endpoint }
    }

    /// The folder in which what was replaced is kept.
    fn replaced(&self) -> PathBuf {
        let entries = fs::read_dir(&self.data).expect("a folder").flatten();
        let mut found = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("replaced-"));
        let kept = found.next().expect("a folder of what was replaced").path();
        assert!(found.next().is_none());
        kept
    }
}

fn statuses(server: &Server) -> Vec<Value> {
    let list = server.get("/deliveries");
    list["data"].as_array().expect("a list").iter().map(|row| row["status"].clone()).collect()
}

#[test]
fn what_was_pending_is_held_until_a_person_says_what_becomes_of_it() {
    let saved = Saved::new();
    let figures: Value =
        serde_json::from_str(&done(&saved.data, &["restore", "--json", text(&saved.backup)])).expect("JSON");
    assert_eq!((&figures["pending"], &figures["held"]), (&json!(PENDING), &json!(PENDING)));
    let kept = saved.replaced();
    assert_eq!(figures["replaced"], json!(text(&kept)));
    let old = sound(&kept.join("postrider.db"));
    assert_eq!(number(&old, "SELECT count(*) FROM events"), 2 + i64::try_from(PENDING).expect("few"));
    let last = number(&old, "SELECT max(id) FROM deliveries");
    let (server, sent) = (Server::on(&saved.data), saved.receiver.count());
    assert_eq!(statuses(&server), [json!("held"), json!("held"), json!("held"), json!("delivered")]);
    assert_eq!(server.get("/deliveries")["data"][0]["held_reason"], "restored");
    let attention = server.get("/attention")["data"].clone();
    assert_eq!(attention[0]["topic"], "restored");
    assert!(
        attention[0]["message"].as_str().expect("a text").contains("3 deliveries (of 3 at first)"),
        "{attention}"
    );
    let restored = &server.get("/audit?action=backup.restore")["data"][0];
    assert_eq!((&restored["after"]["held"], &restored["target"]), (&json!(PENDING), &json!("database")));
    server.post("/deliveries/release", &json!({ "held": "deliver" })).expect(202);
    saved.receiver.wait_for(sent + PENDING);
    process::until("their outcomes", process::PATIENCE, || {
        statuses(&server).iter().all(|status| status == "delivered").then_some(())
    });
    assert_eq!(server.get("/attention")["data"], json!([]));
    server.publish(&json!("new")).expect(202);
    server.stop();
    let now = Connection::open(saved.data.join("postrider.db")).expect("a database");
    assert!(number(&now, "SELECT max(id) FROM deliveries") > last, "no id is used again");
}

#[test]
fn what_was_pending_is_sent_where_a_person_says_so() {
    let saved = Saved::new();
    let sent = saved.receiver.count();
    let said = done(&saved.data, &["restore", "--pending", "send", text(&saved.backup)]);
    assert!(said.contains("will be sent: 3."), "{said}");
    let server = Server::on(&saved.data);
    let path = format!(
        "/api/v1/deliveries/{}/retry",
        server.get("/deliveries")["data"][0]["id"].as_str().expect("an id")
    );
    server.client.post(&path, &json!({})).expect(202);
    saved.receiver.wait_for(sent + 1);
    assert_eq!(server.get("/deliveries?status=held")["data"], json!([]));
    assert_eq!(server.get("/attention")["data"], json!([]));
    server.stop();
}

#[test]
fn nothing_that_was_under_way_goes_on_by_itself() {
    let saved = Saved::new();
    // As if the backup had been made in the middle of a release, of a replay, and of a session.
    let plain = saved.data.with_file_name("plain.db");
    let unpacked = std::process::Command::new("sh")
        .args(["-c", "gunzip -c \"$0\" > \"$1\"", text(&saved.backup), text(&plain)])
        .status();
    assert!(unpacked.expect("gunzip").success());
    let file = Connection::open(&plain).expect("a database");
    file.execute_batch(
        "UPDATE deliveries SET state = 3, held_reason = 1 WHERE state = 2;
         INSERT INTO bulk_changes SELECT max(id) + 5, endpoint_id, 'release', max(id), 0 FROM deliveries;
         INSERT INTO replays (id, endpoint_id, tenant_id, kind, since_at, dry_run, up_to, done_to, created_at)
             SELECT max(id) + 6, endpoint_id, 1, 'delivered', 0, 0, max(id), 0, 1 FROM deliveries;
         INSERT INTO operators (id, email, role, active, created_at) VALUES (1, 'a@example.com', 'admin', 1, 1);
         INSERT INTO sessions VALUES (2, x'00', 1, NULL, NULL, 1, 1, 9e15);
         INSERT INTO links VALUES (x'00', 'set_password', 1, 'system', 1, 9e15)",
    )
    .expect("rows");
    drop(file);
    let figures: Value =
        serde_json::from_str(&done(&saved.data, &["restore", "--json", text(&plain)])).expect("JSON");
    let told = ["held", "replays_canceled", "sessions_ended"].map(|name| figures[name].clone());
    assert_eq!(told, [json!(PENDING), json!(1), json!(1)], "{figures}");
    assert!(figures["links_ended"].as_u64() > Some(0), "{figures}");
    let (server, sent) = (Server::on(&saved.data), saved.receiver.count());
    assert_eq!(server.get("/deliveries?status=held")["data"].as_array().map(Vec::len), Some(PENDING));
    assert_eq!(server.get("/replays")["data"][0]["status"], "canceled");
    let fresh = server.publish(&json!("fresh")).expect(202).json();
    server.wait_for_status(&fresh, "delivered");
    assert_eq!(saved.receiver.count(), sent + 1, "nothing but the fresh one was sent");
    server.stop();
}

#[test]
fn a_running_server_is_left_alone() {
    let saved = Saved::new();
    let server = Server::on(&saved.data);
    let said = fails(&saved.data, &["restore", text(&saved.backup)]);
    assert!(said.contains(&format!("pid {}", server.process.pid())) && said.contains("stop it"), "{said}");
    assert_eq!(server.readiness().0, 200);
    server.stop();
}

#[test]
fn secrets_are_restored_with_the_right_key_alone() {
    let saved = Saved::new();
    let other = saved.data.with_file_name("other");
    let said = fails(&other, &["restore", text(&saved.backup)]);
    assert!(said.contains("there is no") && said.contains("--with-key"), "{said}");
    Server::on(&other).stop();
    let untouched = fs::read(other.join("postrider.db")).expect("a database");
    let said = fails(&other, &["restore", text(&saved.backup)]);
    assert!(
        said.contains("is not the key that it was made with") && said.contains("nothing was touched"),
        "{said}"
    );
    assert!(fs::read(other.join("postrider.db")).expect("a database") == untouched, "it was touched");
    let names: Vec<_> =
        fs::read_dir(&other).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains("restor")), "{names:?}");
    // Its own key, put there by hand.
    fs::remove_file(other.join("secret.key")).expect("a key");
    fs::copy(saved.data.join("secret.key"), other.join("secret.key")).expect("a key");
    done(&other, &["restore", text(&saved.backup)]);
    Server::on(&other).stop();
    // One that brings it along, where another key is.
    let carrying = saved.data.with_file_name("carrying.db.gz");
    let said = run(&saved.data, &["backup", "--with-key", "--compress", text(&carrying)]);
    assert!(said.err.contains("holds secret.key"), "{said:?}");
    let third = saved.data.with_file_name("third");
    Server::on(&third).stop();
    let own = fs::read(third.join("secret.key")).expect("a key");
    let said = done(&third, &["restore", text(&carrying)]);
    assert!(said.contains("secret.key is the one of the backup"), "{said}");
    let kept: Vec<_> = fs::read_dir(&third).expect("a folder").flatten().map(|entry| entry.path()).collect();
    let kept = kept.iter().find(|path| text(path).contains("replaced-")).expect("what was there");
    assert_eq!(fs::read(kept.join("secret.key")).expect("the old key"), own);
    let server = Server::on(&third);
    server.get(&format!("/endpoints/{}", saved.endpoint));
    // Its signing secret can be read: a test is signed with it.
    let tested = server.post(&format!("/endpoints/{}/test", saved.endpoint), &json!({})).expect(200).json();
    assert_eq!(tested["success"], true, "{tested}");
    server.stop();
}

#[test]
fn what_is_no_backup_or_a_damaged_or_a_newer_one_is_refused_and_nothing_is_touched() {
    let saved = Saved::new();
    let temp = tempfile::tempdir().expect("a folder");
    let file = |name: &str, bytes: &[u8]| {
        let path = temp.path().join(name);
        fs::write(&path, bytes).expect("a file");
        path
    };
    let packed = fs::read(&saved.backup).expect("a backup");
    let plain = temp.path().join("plain.db");
    done(&saved.data, &["backup", text(&plain)]);
    let bytes = fs::read(&plain).expect("a backup");
    let before = fs::read(saved.data.join("postrider.db")).expect("a database");
    let mut damaged = bytes.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 8_192].fill(0x5a);
    let change = |name: &str, sql: &str| {
        let path = file(name, &bytes);
        Connection::open(&path).expect("a database").execute_batch(sql).expect("a change");
        path
    };
    let cases = [
        (temp.path().join("missing.db"), "No such file"),
        (file("letter.txt", b"Dear Ada, this is not a database, and long enough to be taken for one. ..........................."), "no database"),
        (file("empty.db", b""), "nothing in it"),
        (file("cut.gz", &packed[..packed.len() / 2]), "it was cut short: its end is missing"),
        (file("cut.db", &bytes[..bytes.len() / 2]), "damaged"),
        (file("damaged.db", &damaged), "damaged"),
        (change("newer.db", "PRAGMA user_version = 999"), "newer Postrider"),
        (change("foreign.db", "PRAGMA application_id = 7"), "another program"),
    ];
    for (path, says) in cases {
        let said = fails(&saved.data, &["restore", text(&path)]);
        assert!(said.contains(says) && said.contains("nothing was touched"), "{}: {said}", path.display());
        assert!(said.contains(text(&path)), "{said}");
        let new = temp.path().join("new");
        fails(&new.join("data"), &["restore", text(&path)]);
        assert!(!new.exists(), "{}: folders are made for it and left", path.display());
    }
    assert!(fs::read(saved.data.join("postrider.db")).expect("a database") == before, "it was touched");
    Server::on(&saved.data).stop();
}

/// Copies the database and its WAL as a program does that looks at the files (Litestream, a snapshot of a disk): while a
/// transaction keeps the WAL from starting afresh, and nobody else copies it back.
fn copy_as_litestream(data: &Path, to: &Path) {
    let reader = Connection::open(data.join("postrider.db")).expect("a database");
    reader.execute_batch("BEGIN; SELECT count(*) FROM meta").expect("a transaction");
    for end in ["", "-wal"] {
        let (from, to) = (data.join(format!("postrider.db{end}")), format!("{}{end}", text(to)));
        fs::copy(from, to).expect("a file");
    }
    reader.execute_batch("COMMIT").expect("its end");
}

#[test]
fn a_copy_of_file_and_wal_is_restored_while_checkpoints_are_left_to_others() {
    let (temp, data) = folder();
    let server = Arc::new(Start::on(&data).flag("--no-checkpoint").start());
    let publisher = {
        let (client, over) = (server.client.clone(), Arc::new(std::sync::atomic::AtomicUsize::new(0)));
        let count = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            let event = json!({ "type": "it.happened", "data": { "filling": "x".repeat(3_000) } });
            while count.load(std::sync::atomic::Ordering::Relaxed) < 300 {
                client.post("/api/v1/events", &event).expect(202);
                count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        });
        (thread, over)
    };
    process::until("some events", process::PATIENCE, || {
        (publisher.1.load(std::sync::atomic::Ordering::Relaxed) > 50).then_some(())
    });
    let copy = temp.path().join("copy.db");
    let before = publisher.1.load(std::sync::atomic::Ordering::Relaxed);
    copy_as_litestream(&data, &copy);
    publisher.0.join().expect("all accepted");
    assert!(
        fs::metadata(data.join("postrider.db-wal")).expect("a WAL").len() > 1_000_000,
        "nobody copies it back"
    );
    let new = temp.path().join("new");
    fs::create_dir(&new).expect("a folder");
    fs::copy(data.join("secret.key"), new.join("secret.key")).expect("a key");
    done(&new, &["restore", text(&copy)]);
    let restored = sound(&new.join("postrider.db"));
    let events = number(&restored, "SELECT count(*) FROM events");
    assert!(events >= i64::try_from(before).expect("few"), "{events} of {before}");
    drop(restored);
    Server::on(&new).stop();
}

#[test]
fn moving_to_another_directory_takes_less_than_ten_seconds_and_loses_nothing() {
    // The best of three: others run beside this one.
    let took = (0..3).map(|_| move_once()).min().expect("three");
    assert!(took.as_secs() < 10, "{took:?}");
}

/// For how long nothing is accepted while a server moves.
fn move_once() -> Duration {
    let saved = Saved::new();
    let new = saved.data.with_file_name("new");
    let old = Server::on(&saved.data);
    // Another machine gets what changes rarely beforehand; the gap begins with the stop.
    let gap = Stopwatch::start();
    old.stop();
    let carrying = saved.data.with_file_name("moving.db");
    done(&saved.data, &["backup", "--with-key", text(&carrying)]);
    done(&new, &["restore", "--pending", "send", text(&carrying)]);
    let server = Server::on(&new);
    let took = gap.elapsed();
    println!("not accepting for {took:?}");
    assert_eq!(server.get("/events?limit=250")["data"].as_array().map(Vec::len), Some(2 + PENDING));
    assert_eq!(
        server.get("/deliveries?status=pending")["data"].as_array().map(Vec::len),
        Some(PENDING),
        "as they were"
    );
    assert_eq!(Client::tcp(server.address).get("/readyz").status, 200);
    server.stop();
    took
}
