//! SIGTERM and SIGINT: what is in flight finishes or is given up within ten seconds, and nothing is lost.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::support::client::Client;
use crate::support::process::{self, PATIENCE};
use crate::support::receiver::{Gate, Receiver, Reply};
use crate::support::server::{Server, Start};

/// How long the last calls may take.
const TEN_SECONDS: Duration = Duration::from_secs(10);
/// How much later than it should a thread may get its turn on a machine that has much else to do.
const LATE: Duration = Duration::from_secs(5);

fn folder() -> (TempDir, PathBuf) {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = temp.path().join("data");
    (temp, data)
}

fn wal_bytes(data: &std::path::Path) -> u64 {
    std::fs::metadata(data.join("postrider.db-wal")).map_or(0, |wal| wal.len())
}

#[test]
fn what_is_answered_after_the_signal_is_recorded() {
    for signal in ["TERM", "INT"] {
        let (_temp, data) = folder();
        let receiver = Receiver::start();
        let gate = Gate::new();
        receiver.reply(Reply::ok().gated(&gate));
        let mut server = Server::on(&data);
        server.endpoint(&receiver.url("/"), &json!({}));
        let event = server.publish(&json!(1)).expect(202).json();
        receiver.wait_in_flight(1);
        server.process.signal(signal);
        server.process.wait_for_log("stopping", 1);
        gate.open();
        let ended = server.process.wait_for_end(PATIENCE);
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        assert!(!ended.err.contains("cut while in flight"), "{}", ended.err);
        assert!(ended.err.contains(&format!("SIG{signal}")), "{}", ended.err);
        assert!(!data.join("postrider.sock").exists());
        assert_eq!(wal_bytes(&data), 0, "the WAL is folded back");

        let server = Server::on(&data);
        assert_eq!(server.wait_for_status(&event, "delivered")["attempts"], 1);
        server.stop();
        assert_eq!(receiver.count(), 1, "{signal}");
    }
}

#[test]
fn what_hangs_is_given_up_after_ten_seconds_and_sent_again() {
    let (_temp, data) = folder();
    let receiver = Receiver::start();
    receiver.reply(Reply::hang());
    let mut server = Server::on(&data);
    server.endpoint(&receiver.url("/"), &json!({ "timeout_seconds": 30 }));
    let event = server.publish(&json!(1)).expect(202).json();
    receiver.wait_in_flight(1);
    server.terminate();
    let ended = server.process.wait_for_end(PATIENCE);
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let given = ended.between("stopping", "cut while in flight");
    // The log's clock is another one than that of waits.
    assert!(given + Duration::from_millis(500) >= TEN_SECONDS, "it was given its ten seconds: {given:?}");
    assert!(given < TEN_SECONDS + LATE, "it was given up: {given:?}");
    assert!(ended.err.contains("sent again at the next start"), "{}", ended.err);

    let server = Server::on(&data);
    let delivery = server.wait_for_status(&event, "delivered");
    assert_eq!(delivery["attempts"], 1, "what was cut uses up no attempt");
    let [first, second] = &receiver.received()[..] else { panic!("{:?}", receiver.count()) };
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
    assert_eq!(first.header("webhook-id"), event["id"].as_str());
    server.stop();
}

#[test]
fn nothing_is_accepted_any_more_and_idle_connections_do_not_hold_it_up() {
    let (_temp, data) = folder();
    let mut server = Server::on(&data);
    server.endpoint("http://127.0.0.1:1025/", &json!({ "enabled": false }));
    // A connection that is kept, one that has sent nothing, one in the middle of a head, one in the middle of a body.
    server.get("/endpoints");
    let connect = |bytes: &str| {
        let mut stream = TcpStream::connect(server.address).expect("a connection");
        stream.write_all(bytes.as_bytes()).expect("it is open");
        stream
    };
    let key = crate::support::app::KEY;
    let head = format!("POST /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n");
    let more = "Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    let mut open: Vec<TcpStream> = ["", &head, &format!("{head}{more}")].into_iter().map(connect).collect();
    // The server has them all: it is asked for the rest of the last one's body.
    let mut goes_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    open[2].set_read_timeout(Some(PATIENCE)).expect("a socket");
    open[2].read_exact(&mut goes_on).expect("the server's word");
    assert!(goes_on.starts_with(b"HTTP/1.1 100 "), "{}", goes_on.escape_ascii());
    server.terminate();
    server.process.wait_for_log("stopping", 1);
    process::until("the port to be closed", PATIENCE, || TcpStream::connect(server.address).err());
    let ended = server.process.wait_for_end(PATIENCE);
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let took = ended.between("stopping", "stopped");
    println!("stopped after {took:?}");
    assert!(took < TEN_SECONDS + LATE, "{took:?}");
    for stream in &mut open {
        let mut answer = String::new();
        // Whether it is closed in order or reset, the connection is over.
        let _ = stream.read_to_string(&mut answer);
        assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    }
}

#[test]
fn everything_that_was_accepted_before_the_stop_is_delivered_after_it() {
    let (_temp, data) = folder();
    let receiver = Receiver::start();
    let mut server = Server::on(&data);
    server.endpoint(&receiver.url("/"), &json!({}));
    let publishers: Vec<_> = (0..4)
        .map(|thread| {
            let client = server.client.clone();
            std::thread::spawn(move || publish_until_it_stops(&client, thread))
        })
        .collect();
    receiver.wait_for(50);
    server.terminate();
    let ended = server.process.wait_for_end(PATIENCE);
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let accepted: Vec<String> =
        publishers.into_iter().flat_map(|publisher| publisher.join().expect("a publisher")).collect();
    let server = Server::on(&data);
    process::until("all to be delivered", PATIENCE, || (receiver.count() >= accepted.len()).then_some(()));
    let got: Vec<String> = receiver
        .received()
        .iter()
        .map(|request| request.header("webhook-id").expect("an id").to_owned())
        .collect();
    for id in &accepted {
        let times = got.iter().filter(|other| *other == id).count();
        assert_eq!(times, 1, "{id}: a clean stop repeats nothing that was answered");
    }
    server.stop();
}

/// Publishes one event after the other; the ids of those that were accepted.
fn publish_until_it_stops(client: &Client, thread: usize) -> Vec<String> {
    let mut accepted = Vec::new();
    loop {
        let body = json!({ "type": "it.happened", "data": [thread, accepted.len()] }).to_string();
        let headers = [("Content-Type", "application/json")];
        match client.try_request("POST", "/api/v1/events", &headers, Some(body.as_bytes())) {
            Ok(answer) if answer.status == 202 => {
                accepted.push(answer.json()["id"].as_str().expect("an id").to_owned());
            }
            Ok(answer) => {
                assert_eq!(answer.status, 503, "{}", answer.text());
                assert!(answer.header("retry-after").is_some());
                return accepted;
            }
            Err(_) => return accepted,
        }
    }
}

#[test]
fn a_wal_that_somebody_else_copies_back_is_not_cut_when_it_starts_afresh() {
    let (_temp, data) = folder();
    let server = Start::on(&data).flag("--no-checkpoint").start();
    let event = json!({ "filling": "x".repeat(200_000) });
    while wal_bytes(&data) < 24 * 1024 * 1024 {
        server.publish(&event).expect(202);
    }
    let before = wal_bytes(&data);
    let other = Connection::open(data.join("postrider.db")).expect("a database");
    // All of it, so that the next commit begins at the front again. What Litestream has not read yet stands behind that.
    let (pages, copied): (i64, i64) = other
        .query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| Ok((row.get(1)?, row.get(2)?)))
        .expect("an answer");
    assert_eq!(pages, copied);
    server.publish(&json!(1)).expect(202);
    let (begun, _): (i64, i64) = other
        .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| Ok((row.get(1)?, row.get(2)?)))
        .expect("an answer");
    assert!(begun < pages / 2, "it has started afresh: {begun} of {pages}");
    assert!(wal_bytes(&data) >= before);
    server.stop();
}

#[test]
fn the_wal_is_left_to_who_reads_it() {
    let (_temp, data) = folder();
    let server = Start::on(&data).flag("--no-checkpoint").start();
    server.endpoint("http://127.0.0.1:1025/", &json!({ "enabled": false }));
    server.publish(&json!(1)).expect(202);
    server.stop();
    assert!(wal_bytes(&data) > 0, "Litestream copies it first");
    let server = Start::on(&data).flag("--no-checkpoint").start();
    assert_eq!(server.get("/events")["data"].as_array().map(Vec::len), Some(1));
    server.stop();
    let database = Connection::open(data.join("postrider.db")).expect("a database");
    let checked: String =
        database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("an answer");
    assert_eq!(checked, "ok");
}
