//! More than can be carried: what cannot be taken is refused, what was taken is delivered, and afterwards all is as
//! it was.

pub mod gauge;
mod load;
mod sink;

use std::time::Duration;

use postrider::clock::Stopwatch;
use serde_json::json;

use crate::support::length::short_or_long;
use crate::support::process::{self, PATIENCE};
use crate::support::receiver::{Receiver, Reply};
use crate::support::server::{Server, Start};

use gauge::{Gauge, MEGABYTE};
use load::{Load, Outcome};
use sink::Sink;

/// Bytes of the data of an event under pressure: one of four is large.
fn mixed(n: usize) -> usize {
    if n.is_multiple_of(4) { 200_000 } else { 800 }
}

/// The most that may be resident, however long it lasts: 16 MB each of bodies being read, events that wait for the
/// disk and deliveries that wait to be sent, copies of them on their way, and some 40 KB for each connection on which
/// a body is coming.
const MOST: u64 = 280 * MEGABYTE;

/// The median of fifty publishes of one client.
fn latency(server: &Server) -> Duration {
    let mut all: Vec<Duration> = (0..50)
        .map(|_| {
            let watch = Stopwatch::start();
            let answer = server.publish(&json!({ "good": true }));
            // Just after the pressure the answer may still be that it is too much.
            assert!([202, 503].contains(&answer.status), "{}", answer.text());
            watch.elapsed()
        })
        .collect();
    all.sort();
    all[25]
}

/// Waits until all that was acknowledged has come, and fails unless it has come once.
fn assert_delivered_once(sink: &Sink, outcome: &Outcome, patience: Duration) {
    process::until("everything to be delivered", patience, || {
        outcome.accepted.iter().all(|event| sink.count_of(event) > 0).then_some(())
    });
    assert_eq!(sink.repeated(), Vec::<String>::new(), "events that came more than once");
}

/// Puts more on a server than it can carry, however fast it is: a thousand clients who send the next event as soon as the
/// one before was answered, so that there are always 50 MB on their way to the 16 MB of bodies and 16 MB of events that it has room for.
fn overload(server: &Server, prefix: &'static str) -> Outcome {
    let time = short_or_long(Duration::from_secs(5), Duration::from_mins(1));
    let many = Load { connections: 1_000, rate: None, time, size: mixed, prefix };
    let gauge = Gauge(server.process.pid());
    let outcome = many.run(server.address);
    println!(
        "in {time:?} {} were accepted, {} refused, {} cut; peak {} MB, {} descriptors",
        outcome.accepted.len(),
        outcome.refused,
        outcome.cut,
        gauge.peak() / MEGABYTE,
        gauge.descriptors()
    );
    assert!(outcome.wrong.is_empty(), "{:?}", outcome.wrong.first());
    assert!(outcome.refused > 0, "it was not too much");
    assert!(!outcome.accepted.is_empty(), "nothing was accepted");
    assert!(gauge.peak() < MOST, "{} bytes", gauge.peak());
    assert!(gauge.descriptors() < 2_200, "{} descriptors", gauge.descriptors());
    outcome
}

/// Waits until one client is served as before.
fn assert_recovers(server: &Server, before: Duration) {
    let watch = Stopwatch::start();
    let bound = (before * 5).max(Duration::from_millis(500));
    process::until("the latency to be as before", PATIENCE, || (latency(server) < bound).then_some(()));
    println!("{before:?} before, as before again after {:?}", watch.elapsed());
    server.client.get("/readyz").expect(200);
}

#[test]
fn more_than_can_be_carried_is_refused_or_delivered() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let sink = Sink::start();
    let server = Server::on(&temp.path().join("data"));
    server.endpoint(&format!("http://{}/", sink.address), &json!({}));
    let before = latency(&server);
    let outcome = overload(&server, "ten");
    assert_recovers(&server, before);
    assert_delivered_once(&sink, &outcome, short_or_long(Duration::from_mins(2), Duration::from_mins(10)));
    server.stop();
}

#[test]
fn a_receiver_that_is_slower_than_its_events_costs_disk_and_no_memory() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let sink = Sink::start();
    sink.delay(Duration::from_millis(500));
    let server = Server::on(&temp.path().join("data"));
    server.endpoint(&format!("http://{}/", sink.address), &json!({}));
    let before = latency(&server);
    let outcome = overload(&server, "slow");
    let behind = outcome.accepted.len().saturating_sub(sink.events());
    assert!(behind > outcome.accepted.len() / 2, "the receiver was not too slow: {behind} are behind");
    assert_recovers(&server, before);
    sink.delay(Duration::ZERO);
    assert_delivered_once(&sink, &outcome, short_or_long(Duration::from_mins(2), Duration::from_mins(10)));
    assert!(Gauge(server.process.pid()).peak() < MOST, "{} bytes", Gauge(server.process.pid()).peak());
    server.stop();
}

#[test]
fn without_descriptors_clients_wait_and_deliveries_use_no_attempt() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let receiver = Receiver::start();
    let server = Start::on(&temp.path().join("data")).after("ulimit -n 256").start();
    let gauge = Gauge(server.process.pid());
    let address = format!("http://{}", receiver.address());
    // Shares shrink as threads run out, so many endpoints are needed to have more in flight than descriptors.
    server.client.send_json("PATCH", "/api/v1/settings", &json!({ "endpoint_limit": 30 })).expect(200);
    let paths: Vec<String> = (0..30).map(|n| format!("/{n}")).collect();
    let fields = json!({ "max_in_flight": 64 });
    for path in &paths {
        receiver.always_on(path, Reply::hang());
        server.endpoint(&format!("{address}{path}"), &fields);
    }
    let clients: Vec<_> = (0..600)
        .map(|_| std::net::TcpStream::connect(server.address).expect("a place in the queue"))
        .collect();
    process::until("the clients to have all that they get", PATIENCE, || {
        (gauge.descriptors() >= 128).then_some(())
    });
    let (before, watch) = (gauge.processor(), Stopwatch::start());
    while !watch.left(Duration::from_secs(2)).is_zero() {
        assert!(gauge.descriptors() < 256, "{} descriptors", gauge.descriptors());
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let busy = gauge.processor() - before;
    let waited = watch.elapsed();
    assert!(
        u128::from(busy) < waited.as_millis() / 20,
        "{busy} hundredths of a second in {waited:?} of waiting"
    );
    drop(clients);
    // More requests hang than there are descriptors.
    for n in 0..40 {
        // Clients that have left are noticed one by one.
        process::until("a publish", PATIENCE, || (server.publish(&json!(n)).status == 202).then_some(()));
    }
    let trouble = process::until("trouble of its own", PATIENCE, || {
        let (status, document) = server.readiness();
        (status == 503).then_some(document)
    });
    println!("{busy} hundredths of a second in two seconds of waiting; {}", trouble["detail"]);
    assert!(trouble["detail"].to_string().contains("LimitNOFILE"), "{trouble}");
    for path in &paths {
        receiver.always_on(path, Reply::ok());
    }
    receiver.drop_connections();
    process::until("it to be ready again, and everything delivered", Duration::from_mins(2), || {
        let waiting = server.get("/deliveries?status=pending&limit=1");
        let none = waiting["data"].as_array().expect("a list").is_empty();
        (none && server.readiness().0 == 200).then_some(())
    });
    let (mut attempts, mut cursor) = (0, String::new());
    loop {
        let page = server.get(&format!("/deliveries?limit=250{cursor}"));
        let rows = page["data"].as_array().expect("a list");
        attempts += rows.iter().map(|row| row["attempts"].as_u64().expect("a number")).sum::<u64>();
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let requests = receiver.count() as u64;
    println!("{attempts} attempts, {requests} requests");
    assert!(attempts >= 40 * 30 && attempts <= requests, "{attempts} attempts, but {requests} requests came");
    server.stop();
}
