//! A disk that is full, that fails, or whose database another program has locked: refused honestly, nothing lost,
//! and all goes on by itself.

mod locked;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use postrider::clock::Stopwatch;
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client::Response;
use crate::support::process::{self, PATIENCE};
use crate::support::receiver::{Gate, Receiver, Reply};
use crate::support::server::{Server, Start};

/// How long a call may take that waits for nothing, on a machine that has other things to do: the writer would wait for
/// two seconds.
const AT_ONCE: Duration = Duration::from_millis(1_500);

fn folder() -> (TempDir, PathBuf) {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = temp.path().join("data");
    (temp, data)
}

/// Publishes under an idempotency key.
#[track_caller]
fn publish(server: &Server, key: &str) -> Response {
    let body =
        json!({ "type": "it.happened", "data": { "key": key, "filling": "x".repeat(5_000) } }).to_string();
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key)];
    server.client.request("POST", "/api/v1/events", &headers, Some(body.as_bytes()))
}

#[track_caller]
fn assert_refused(answer: &Response) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert!(answer.header("retry-after").is_some_and(|value| value.parse::<u32>().is_ok()), "{answer:?}");
    let problem = answer.json();
    assert_eq!(problem["code"], "unavailable");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("Idempotency-Key")), "{problem}");
}

/// A server in trouble refuses at once, says so, still reads, and sends nothing that it could not write down.
#[track_caller]
fn assert_in_trouble(server: &Server, receiver: &Receiver) {
    let sent = receiver.count();
    let refused = || {
        let watch = Stopwatch::start();
        assert_refused(&publish(server, "late"));
        watch.elapsed()
    };
    let mut waits: Vec<Duration> = (0..5).map(|_| refused()).collect();
    waits.sort();
    // One that waited for the disk, or for the lock, would take the writer's two seconds. All that waited would.
    assert!(waits[2] < AT_ONCE, "it is not refused at once: {waits:?}");
    let (status, body) = server.readiness();
    assert_eq!(status, 503);
    assert!(
        body["detail"].as_str().is_some_and(|detail| detail.contains("nothing can be written")),
        "{body}"
    );
    server.client.get("/healthz").expect(200);
    assert!(!server.get("/events")["data"].as_array().expect("a list").is_empty());
    assert_eq!(receiver.count(), sent, "nothing is sent");
    for dry_run in [true, false] {
        let answer =
            server.client.post("/api/v1/cleanups", &json!({ "dry_run": dry_run })).expect(503).json();
        assert!(
            answer["detail"].as_str().is_some_and(|detail| detail.contains("remove some MB by hand")),
            "{answer}"
        );
    }
}

/// Makes trouble while a delivery is in flight and another waits for its turn; ends it, and looks whether all is
/// well. Answers the events that were accepted.
#[track_caller]
fn weather(server: &Server, receiver: &Receiver, trouble: impl FnOnce(), end: impl FnOnce()) -> Vec<Value> {
    let gate = Gate::new();
    receiver.reply(Reply::ok().gated(&gate));
    server.endpoint(&receiver.url("/"), &json!({ "max_in_flight": 1 }));
    let in_flight = publish(server, "in-flight").expect(202).json();
    receiver.wait_in_flight(1);
    let waiting = publish(server, "waiting").expect(202).json();
    trouble();
    // This one may wait for two seconds.
    assert_refused(&publish(server, "late"));
    // Its outcome cannot be written.
    gate.open();
    receiver.wait_idle();
    assert_in_trouble(server, receiver);
    end();
    process::until("the server to be ready again", PATIENCE, || (server.readiness().0 == 200).then_some(()));
    let late = publish(server, "late").expect(202);
    assert_eq!(late.header("idempotent-replayed"), None, "what was refused was not kept");
    let events = vec![in_flight, waiting, late.json()];
    for event in &events {
        let delivery = server.wait_for_status(event, "delivered");
        assert_eq!(delivery["attempts"], 1);
    }
    assert_eq!(receiver.count(), events.len(), "each was sent once");
    events
}

/// What survives when the machine stops now.
fn assert_kept(mut server: Server, data: &Path, events: &[Value]) {
    server.process.kill();
    let server = Server::on(data);
    for event in events {
        let delivery = server.wait_for_status(event, "delivered");
        assert_eq!(delivery["attempts"], 1);
    }
    assert_eq!(server.get("/events")["data"].as_array().map(Vec::len), Some(events.len()));
    server.stop();
    let database = Connection::open(data.join("postrider.db")).expect("a database");
    let checked: String =
        database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("an answer");
    assert_eq!(checked, "ok");
}

/// Lets no file of a process grow beyond this.
fn limit_files(pid: u32, bytes: &str) {
    let mut command = Command::new("prlimit");
    let set = command.arg(format!("--pid={pid}")).arg(format!("--fsize={bytes}:")).status();
    assert!(set.expect("prlimit, of util-linux, can be started").success(), "{command:?}");
}

#[test]
fn a_file_that_may_not_grow_is_refused_to_publishers_and_all_resumes() {
    let (_temp, data) = folder();
    let receiver = Receiver::start();
    // The signal would end the process; without it the write fails.
    let server = Start::on(&data).after("trap '' XFSZ").start();
    let pid = server.process.pid();
    let events = weather(&server, &receiver, || limit_files(pid, "4096"), || limit_files(pid, "unlimited"));
    assert_kept(server, &data, &events);
}

#[test]
fn a_full_disk_is_refused_to_publishers_and_all_resumes() {
    let (_temp, data) = folder();
    std::fs::create_dir(&data).expect("a folder");
    let receiver = Receiver::start();
    let mount = "mount -t tmpfs -o size=4m,mode=700 none \"$0\" && exec \"$@\"";
    let path = data.to_str().expect("a path");
    let wrapper = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, path];
    let server = Start::on(&data).under(&wrapper).start();
    // The disk as the server sees it.
    let filling = PathBuf::from(format!("/proc/{}/root{path}/filling", server.process.pid()));
    let fill = || {
        let zeros = vec![0; 8 * 1024 * 1024];
        let full = std::fs::write(&filling, zeros).expect_err("the disk is smaller");
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    };
    weather(&server, &receiver, fill, || std::fs::remove_file(&filling).expect("a file"));
    server.stop();
}

#[test]
fn a_database_that_another_program_has_locked_is_waited_for_and_then_refused() {
    let (_temp, data) = folder();
    let receiver = Receiver::start();
    let server = Server::on(&data);
    let other = Connection::open(data.join("postrider.db")).expect("a database");
    let lock = || {
        // The server may be writing.
        process::until("the lock", PATIENCE, || other.execute_batch("BEGIN IMMEDIATE").ok());
    };
    let events =
        weather(&server, &receiver, lock, || other.execute_batch("ROLLBACK").expect("a transaction"));
    assert_kept(server, &data, &events);
}

#[test]
fn a_server_that_cannot_write_stops_all_the_same() {
    let (_temp, data) = folder();
    let receiver = Receiver::start();
    let gate = Gate::new();
    receiver.reply(Reply::ok().gated(&gate));
    let mut server = Server::on(&data);
    server.endpoint(&receiver.url("/"), &json!({}));
    let event = publish(&server, "only").expect(202).json();
    receiver.wait_in_flight(1);
    let other = Connection::open(data.join("postrider.db")).expect("a database");
    other.execute_batch("BEGIN IMMEDIATE").expect("nobody writes");
    assert_refused(&publish(&server, "late"));
    gate.open();
    receiver.wait_idle();
    server.terminate();
    let ended = server.process.wait_for_end(PATIENCE);
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    drop(other);
    let server = Server::on(&data);
    server.wait_for_status(&event, "delivered");
    assert_eq!(receiver.count(), 2, "its outcome could not be written, so it was sent again");
    server.stop();
}

/// Locks the database until publishers wait for the writer, which waits for the lock: the statuses of their answers.
fn answers_around_a_lock(server: &Server, other: &Connection) -> Vec<u16> {
    process::until("the lock", PATIENCE, || other.execute_batch("BEGIN IMMEDIATE").ok());
    std::thread::scope(|scope| {
        let mut publishers = Vec::new();
        // What the writer has taken stands in its queue no more: another one comes behind it.
        process::until("a publish that waits", PATIENCE, || {
            publishers.push(scope.spawn(|| server.publish(&json!(1)).status));
            let metrics = server.client.get("/metrics").expect(200);
            let waiting =
                metrics.text().lines().find_map(|line| line.strip_prefix("postrider_writer_queue_items "));
            (waiting.expect("the metric") != "0").then_some(())
        });
        other.execute_batch("ROLLBACK").expect("a transaction");
        publishers.into_iter().map(|publisher| publisher.join().expect("an answer")).collect()
    })
}

#[test]
fn a_lock_of_a_moment_is_only_waited_for() {
    let (_temp, data) = folder();
    let server = Server::on(&data);
    let other = Connection::open(data.join("postrider.db")).expect("a database");
    // The moment has to be shorter than the two seconds for which the writer waits, which it may not be on a busy machine.
    let mut seen = Vec::new();
    let waited_for = (0..5).any(|_| {
        let answers = answers_around_a_lock(&server, &other);
        let all = answers.iter().all(|status| *status == 202);
        seen.push(answers);
        process::until("the server to be ready", PATIENCE, || (server.readiness().0 == 200).then_some(()));
        all
    });
    assert!(waited_for, "{seen:?}");
    server.stop();
}

#[test]
fn a_failed_sync_is_no_acknowledgement() {
    let (_temp, data) = folder();
    let receiver = Receiver::start();
    // There is less to sync where the file is there already.
    Server::on(&data).stop();
    // Counted for each thread; the first ones succeed. `-D`: the server stays this test's own child.
    let fail = "fdatasync,fsync:error=EIO:when=20..23";
    let strace = ["strace", "-D", "-f", "-q", "-o", "/dev/null", "-e", "trace=fdatasync,fsync", "-e"];
    let inject = format!("inject={fail}");
    let wrapper: Vec<&str> = strace.into_iter().chain([inject.as_str()]).collect();
    let mut server = Start::on(&data).under(&wrapper).start();
    server.endpoint(&receiver.url("/"), &json!({}));
    let (mut accepted, mut refused) = (Vec::new(), Vec::new());
    for number in 0..200 {
        let key = format!("key-{number}");
        let answer = publish(&server, &key);
        if answer.status == 202 {
            accepted.push(answer.json());
            if !refused.is_empty() {
                break;
            }
        } else {
            assert_refused(&answer);
            refused.push(key);
            process::until("the next try", PATIENCE, || (server.readiness().0 == 200).then_some(()));
        }
    }
    assert!(
        accepted.len() > 1 && !refused.is_empty(),
        "{} accepted, {} refused",
        accepted.len(),
        refused.len()
    );
    let ended = server.process.kill();
    assert!(
        ended.err.contains("nothing can be written") && ended.err.contains("can be written again"),
        "{}",
        ended.err
    );

    let server = Server::on(&data);
    for event in &accepted {
        server.wait_for_status(event, "delivered");
    }
    for key in &refused {
        publish(&server, key).expect(202);
    }
    let events = server.get("/events?limit=250");
    let count = events["data"].as_array().map(Vec::len);
    assert_eq!(count, Some(accepted.len() + refused.len()), "an event for each key");
    server.stop();
}
