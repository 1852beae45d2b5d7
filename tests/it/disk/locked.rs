//! Another program that writes into the database and does not come to an end.

use std::collections::BTreeMap;
use std::time::Duration;

use postrider::clock::Stopwatch;
use rusqlite::Connection;
use serde_json::json;

use crate::support::client::Client;
use crate::support::length::short_or_long;
use crate::support::process::{self, PATIENCE};
use crate::support::receiver::Receiver;
use crate::support::server::{Server, Start};

use super::{assert_refused, folder, publish};

/// How long a call may wait for the lock before it is refused: twice the two seconds of the writer.
const ANSWERED: Duration = Duration::from_secs(4);

/// Publishes without a pause for so long, as well as it goes: the status of each key. Calls are answered in time, but for
/// one or two for whose answer this thread may not have been awake.
fn publish_for(server: &Server, thread: usize, time: Duration) -> BTreeMap<String, u16> {
    let (watch, mut answers, mut waits) = (Stopwatch::start(), BTreeMap::new(), Vec::new());
    while !watch.left(time).is_zero() {
        let key = format!("key-{thread}-{}", answers.len());
        let call = Stopwatch::start();
        let answer = publish(server, &key);
        waits.push(call.elapsed());
        if answer.status != 202 {
            assert_refused(&answer);
        }
        answers.insert(key, answer.status);
        std::thread::park_timeout(Duration::from_millis(5));
    }
    waits.sort();
    assert!(waits[waits.len() / 2] < ANSWERED, "{waits:?}");
    answers
}

/// Reads as long as the lock is held.
fn read_for(client: &Client, time: Duration) -> usize {
    let (watch, mut pages) = (Stopwatch::start(), 0);
    while !watch.left(time).is_zero() {
        client.get("/api/v1/deliveries?limit=10").expect(200);
        pages += 1;
    }
    pages
}

#[test]
fn a_program_that_holds_the_lock_for_long_delays_everything_and_loses_nothing() {
    let hold = short_or_long(Duration::from_secs(6), Duration::from_secs(20));
    let (_temp, data) = folder();
    let receiver = Receiver::start();
    let mut server = Server::on(&data);
    server.endpoint(&receiver.url("/"), &json!({}));
    publish(&server, "before").expect(202);
    receiver.wait_for(1);
    let other = Connection::open(data.join("postrider.db")).expect("a database");
    process::until("the lock", PATIENCE, || other.execute_batch("BEGIN IMMEDIATE").ok());
    let log_before = server.process.log().lines().count();
    let (answers, pages) = std::thread::scope(|scope| {
        let server = &server;
        let threads: Vec<_> =
            (0..3).map(|thread| scope.spawn(move || publish_for(server, thread, hold))).collect();
        let reading = scope.spawn(|| read_for(&server.client, hold));
        let trouble = process::until("the server to say so", PATIENCE, || {
            let (status, body) = server.readiness();
            (status == 503).then_some(body)
        });
        assert!(trouble["detail"].as_str().is_some_and(|detail| detail.contains("locked")), "{trouble}");
        let answers: Vec<_> =
            threads.into_iter().flat_map(|thread| thread.join().expect("answers")).collect();
        (answers, reading.join().expect("a reader"))
    });
    assert!(pages > 10, "{pages} pages were read");
    let lines = server.process.log().lines().count() - log_before;
    let most = 5 + usize::try_from(hold.as_secs()).expect("a short time");
    assert!(lines <= most, "{lines} lines in the log:\n{}", server.process.log());
    assert_eq!(receiver.count(), 1, "nothing was accepted, so nothing is sent");
    assert!(answers.iter().all(|(_, status)| *status == 503), "nothing could be written");

    other.execute_batch("ROLLBACK").expect("a transaction");
    process::until("the server to be ready again", PATIENCE, || (server.readiness().0 == 200).then_some(()));
    for (key, _) in &answers {
        assert_eq!(publish(&server, key).expect(202).header("idempotent-replayed"), None);
    }
    receiver.wait_for(1 + answers.len());
    receiver.wait_idle();
    server.process.kill();
    let server = Server::on(&data);
    process::until("nothing to be pending", PATIENCE, || {
        let pending = server.get("/deliveries?status=pending&limit=1");
        pending["data"].as_array().expect("a list").is_empty().then_some(())
    });
    server.stop();
    let events: i64 = other.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).expect("a number");
    assert_eq!(usize::try_from(events), Ok(1 + answers.len()), "an event for each key");
}

#[test]
fn a_start_on_a_locked_database_is_refused_and_names_the_reason() {
    let (_temp, data) = folder();
    Server::on(&data).stop();
    let other = Connection::open(data.join("postrider.db")).expect("a database");
    other.execute_batch("BEGIN IMMEDIATE").expect("nobody writes");
    let ended = Start::on(&data).spawn().wait_for_end(PATIENCE);
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let said = ended.err.lines().last().expect("a sentence");
    assert!(said.contains("postrider.db: ") && said.contains("end what locks the database"), "{ended:?}");
    other.execute_batch("ROLLBACK").expect("a transaction");
    Server::on(&data).stop();
}
