//! SIGKILL at random moments: nothing that was acknowledged is lost, and little is sent twice.

mod publishers;
mod tally;

use std::path::Path;
use std::time::Duration;

use postrider::clock::Stopwatch;
use postrider::random::{Random, SeededRandom};
use rusqlite::Connection;
use serde_json::json;

use crate::support::client::Client;
use crate::support::process::{self, Process};
use crate::support::receiver::{Receiver, Reply};
use crate::support::server::{Server, Start};

use publishers::Publishers;
use tally::Tally;

const KILLS: usize = 24;
/// Requests of the receiver, or answers to publishers, until the next kill at most.
const STEPS: usize = 40;
/// Every so many requests on `/flaky` one is answered with 500.
const FLAKY: usize = 3;
/// Outcomes that may wait for their commit.
const OUTCOMES: usize = 256;
/// Requests that may arrive while another is answered.
const OVERTAKEN: usize = 100;
/// The whole test.
const PATIENCE: Duration = Duration::from_mins(1);

/// The paths of the receiver, and the events that each gets.
const ENDPOINTS: [(&str, &str); 5] =
    [("/fast", "*"), ("/flaky", "*"), ("/slow", "*"), ("/even", "number.even"), ("/all", "number.*")];

fn receiver() -> Receiver {
    let receiver = Receiver::start();
    for _ in 0..2_000 {
        receiver.reply_on("/flaky", Reply::status(500));
        for _ in 1..FLAKY {
            receiver.reply_on("/flaky", Reply::ok());
        }
    }
    receiver.always_on("/slow", Reply::ok().trickle(Duration::from_millis(1)));
    receiver
}

fn make_endpoints(server: &Server, receiver: &Receiver) {
    for (path, events) in ENDPOINTS {
        let fields = json!({ "events": [events], "retry_schedule": [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1] });
        server.endpoint(&receiver.url(path), &fields);
    }
}

/// Lets the server work until something random has happened.
fn work(random: &SeededRandom, receiver: &Receiver, publishers: &Publishers) {
    let steps = random.u32() as usize % STEPS;
    match random.u32() % 3 {
        0 => publishers.wait_for(publishers.acknowledged() + steps),
        1 => {
            receiver.wait_for_path("/fast", receiver.count_on("/fast") + steps);
        }
        _ => {
            receiver.wait_for(receiver.count() + steps);
        }
    }
}

/// How many requests the receiver had got when all that the dead server had sent was there, and how many were
/// without an answer.
fn kill(server: &mut Process, receiver: &Receiver) -> tally::Kill {
    let in_flight = receiver.in_flight();
    server.kill();
    // Connections are accepted in order: behind this one there is none of the server's.
    Client::tcp(receiver.address()).get("/fence");
    receiver.wait_disconnected();
    tally::Kill { received: receiver.count(), in_flight }
}

#[test]
fn kills_lose_nothing_and_repeat_only_what_was_in_flight() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = temp.path().join("data");
    let watch = Stopwatch::start();
    let receiver = receiver();
    let random = SeededRandom::new(20_260_223);
    let mut server = Server::on(&data);
    make_endpoints(&server, &receiver);
    let publishers = Publishers::start(&server.client);
    let mut kills = Vec::new();
    for round in 0..KILLS {
        work(&random, &receiver, &publishers);
        kills.push(kill(&mut server.process, &receiver));
        if round % 4 == 0 {
            // Once more while it starts.
            let mut starting = Start::on(&data).spawn();
            std::thread::park_timeout(Duration::from_millis(u64::from(random.u32() % 40)));
            kills.push(kill(&mut starting, &receiver));
        }
        server = Server::on(&data);
        publishers.turn_to(&server.client);
    }
    let events = publishers.finish();
    let tally = Tally::new(&events);
    tally.wait_until_complete(&receiver);
    assert_only_what_was_in_flight_was_repeated(&tally, &receiver, &kills);
    // One that was sent twice may have had a 500 the second time.
    process::until("nothing to be pending", PATIENCE, || {
        let pending = server.get("/deliveries?status=pending&limit=1");
        pending["data"].as_array().expect("a list").is_empty().then_some(())
    });
    server.stop();
    let deliveries: usize = ENDPOINTS.iter().map(|(path, _)| tally.expected(path).len()).sum();
    check_database(&data, events.len(), deliveries);
    assert!(watch.elapsed() < PATIENCE, "it has taken {:?}", watch.elapsed());
}

fn assert_only_what_was_in_flight_was_repeated(tally: &Tally, receiver: &Receiver, kills: &[tally::Kill]) {
    let repeated = tally.repeated(receiver);
    let bound: usize = kills.iter().map(|kill| kill.in_flight + OUTCOMES).sum();
    println!(
        "{} events, {} requests, {} kills, {} in flight at them, {} sent twice",
        tally.events(),
        receiver.count(),
        kills.len(),
        kills.iter().map(|kill| kill.in_flight).sum::<usize>(),
        repeated.len()
    );
    assert!(repeated.len() <= bound, "{} were sent twice, and {bound} could be", repeated.len());
    for twice in &repeated {
        let Some(kill) =
            kills.iter().find(|kill| twice.first <= kill.received && kill.received < twice.second)
        else {
            panic!("sent twice without a kill in between: {twice:?}");
        };
        // Outcomes are written in order of arrival, so only the last ones before a kill can be lost. One of `/slow`
        // is told long after its request has come.
        let behind = kill.received - twice.first;
        assert!(
            behind <= OUTCOMES + kill.in_flight + OVERTAKEN || twice.path == "/slow",
            "{behind} requests came before the kill: {twice:?}"
        );
    }
}

/// The file is sound, and what is counted agrees with what there is.
fn check_database(data: &Path, events: usize, deliveries: usize) {
    let database = Connection::open(data.join("postrider.db")).expect("a database");
    let number = |sql: &str| -> i64 {
        database.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
    };
    let checked: String =
        database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("an answer");
    assert_eq!(checked, "ok");
    assert_eq!(number("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    let expected = |count: usize| i64::try_from(count).expect("a small number");
    assert_eq!(number("SELECT count(*) FROM events"), expected(events), "one event for each key");
    assert_eq!(number("SELECT count(*) FROM deliveries"), expected(deliveries));
    assert_eq!(number("SELECT count(*) FROM deliveries WHERE delivered_at IS NULL"), 0);
    assert_eq!(number("SELECT sum(deliveries) FROM events"), expected(deliveries));
    assert_eq!(number("SELECT sum(delivered) FROM hourly"), expected(deliveries));
    assert_eq!(number("SELECT sum(failed) FROM hourly"), 0);
    let attempts = number("SELECT count(*) FROM attempts");
    assert_eq!(number("SELECT sum(attempts) FROM deliveries"), attempts);
    assert_eq!(number("SELECT sum(attempts_ok + attempts_failed) FROM hourly"), attempts);
    assert_eq!(
        number("SELECT sum(attempts_failed) FROM hourly"),
        number("SELECT count(*) FROM attempts WHERE status_code = 500")
    );
    let unfilled = "SELECT count(*) FROM deliveries d WHERE d.id <= (SELECT value FROM meta WHERE name = 'filled_deliveries')
         AND NOT EXISTS (SELECT 1 FROM endpoint_deliveries e WHERE e.endpoint_id = d.endpoint_id AND e.delivery_id = d.id)";
    assert_eq!(number(unfilled), 0, "the lists miss nothing below their mark");
}
