//! Half of full load for as long as one likes, on good, slow, failing and flapping endpoints of several tenants: what
//! the server takes at the end is what it took near the beginning, and every event is accounted for.
//!
//! `POSTRIDER_TEST_SOAK_SECONDS` sets the length. An hour writes some gigabytes to the temporary directory.

mod counter;
mod load;
mod watch;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use postrider::clock::Stopwatch;
use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::length::short_or_long;
use crate::support::process;
use crate::support::receiver::Receiver;
use crate::support::server::Server;

use counter::{Counter, MANNERS, Manner};
use load::Acknowledged;
use watch::{Figure, Sample, Watched};

const TENANTS: u64 = 4;
const MEGABYTE: u64 = 1024 * 1024;
/// Until all that was acknowledged has come.
const PATIENCE: Duration = Duration::from_mins(5);
/// Waits before the retries of a failing endpoint, whose deliveries end soon.
const SOON: [u32; 2] = [1, 1];
/// Above this the writer makes room in the write-ahead log (16 MB); readers and a busy disk may make that take a while.
const LARGEST_WAL: u64 = 64 * MEGABYTE;

fn tenant(number: u64) -> String {
    format!("tenant-{}", number % TENANTS)
}

fn length() -> Duration {
    let given = std::env::var("POSTRIDER_TEST_SOAK_SECONDS").ok().map(|text| text.parse().expect("seconds"));
    Duration::from_secs(given.unwrap_or(short_or_long(12, 3_600)))
}

/// Events of months ago, for a cleanup to delete; the server that has made them is stopped.
fn past(events: usize) -> TestApp {
    let (mut app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_with(&receiver, "/", &json!({ "events": ["test"] }));
    app.publish_many(0..events);
    app.settle();
    app.stop();
    app
}

fn make_endpoints(server: &Server, counter: &Counter) {
    for number in 0..TENANTS {
        for manner in MANNERS {
            let (word, tenant) = (manner.word(), tenant(number));
            // What flaps is up again long before these are used up.
            let retries = if manner == Manner::Failing { SOON.to_vec() } else { vec![2; 20] };
            let fields = json!({ "events": [format!("soak.{word}")], "tenant": tenant, "retry_schedule": retries,
                "timeout_seconds": 30 });
            server.endpoint(&format!("http://{}/{word}/{tenant}", counter.address), &fields);
        }
    }
}

/// Events a second that are published and delivered when nobody waits, and what was published.
fn full_load(server: &Server, counter: &Counter) -> (f64, Acknowledged) {
    let watch = Stopwatch::start();
    let acknowledged =
        load::publish(&server.client, counter, short_or_long(2, 30) * Duration::from_secs(1), None);
    process::until("the good ones to be delivered", PATIENCE, || {
        (counter.answered(Manner::Good, 200) == acknowledged[&Manner::Good]).then_some(())
    });
    let all: u64 = acknowledged.values().sum();
    let rate = f64::from(u32::try_from(all).expect("a few")) / watch.elapsed().as_secs_f64();
    (rate, acknowledged)
}

/// Publishes at this rate and looks at the server meanwhile. In the middle there is a cleanup of what is old.
fn soak(
    server: &Server,
    counter: &Counter,
    watched: &Watched,
    (rate, old): (f64, usize),
) -> (Vec<Sample>, Acknowledged) {
    let (length, watch) = (length(), Stopwatch::start());
    let every = (length / 200).min(Duration::from_secs(1));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let publishing = scope.spawn(|| {
            let acknowledged = load::publish(&server.client, counter, length, Some(rate));
            is_over.store(true, Ordering::SeqCst);
            acknowledged
        });
        let cleaning = scope.spawn(|| {
            std::thread::park_timeout(length / 2);
            let report = server.post("/cleanups", &json!({})).expect(200).json();
            assert_eq!((&report["deliveries"], &report["events"]), (&json!(old), &json!(old)), "{report}");
        });
        let mut samples = Vec::new();
        counter.take_latencies();
        while !is_over.load(Ordering::SeqCst) {
            std::thread::park_timeout(every);
            samples.push(watched.look(watch.elapsed(), counter));
        }
        cleaning.join().expect("a cleanup");
        (samples, publishing.join().expect("publishers"))
    })
}

/// A line of the table: a figure, how it is shown, and what it may grow by besides a quarter.
struct Row {
    name: &'static str,
    figure: Figure,
    show: fn(u64) -> String,
    spare: u64,
}

/// Beside other tests times say nothing, and a backlog may come and go: only the long form is as strict as a server
/// that has a machine of its own can be held to.
fn rows() -> [Row; 6] {
    let plain = |number: u64| number.to_string();
    let millis = |micros: u64| format!("{}.{:02}", micros / 1_000, micros % 1_000 / 10);
    let megabytes = |bytes: u64| format!("{}.{}", bytes / MEGABYTE, bytes % MEGABYTE * 10 / MEGABYTE);
    let row = |name, figure, show, spare| Row { name, figure, show, spare };
    let times = |micros: u64| short_or_long(u64::MAX, micros);
    // What is in flight at once is a matter of time as well: sixteen requests to each endpoint at most, each with a thread
    // and a connection. So only the long run judges these.
    let in_flight = TENANTS * MANNERS.len() as u64 * 16;
    let (descriptors, threads) = (short_or_long(in_flight, 48), short_or_long(in_flight, 32));
    let resident = short_or_long(16, 8) * MEGABYTE;
    [
        row("resident memory, MB", |sample| Some(sample.resident), megabytes, resident),
        row("descriptors", |sample| Some(sample.descriptors), plain, descriptors),
        row("threads", |sample| Some(sample.threads), plain, threads),
        row("write-ahead log, MB", |sample| Some(sample.wal), megabytes, 20 * MEGABYTE),
        row("to a good endpoint, p50, ms", |sample| sample.p50, millis, times(20_000)),
        row("to a good endpoint, p99, ms", |sample| sample.p99, millis, times(200_000)),
    ]
}

/// Prints the figures near the first twelfth and at the end side by side, and fails where one has grown.
fn compare(samples: &[Sample]) {
    let length = length();
    let part = length / 24;
    println!("{:30} {:>12?} {:>12?} {:>12}", "", length / 12, length, "most");
    let mut grown = Vec::new();
    for Row { name, figure, show, spare } in rows() {
        let first = watch::median(samples, part, part * 3, figure);
        let last = watch::median(samples, part * 22, length, figure);
        let most = samples.iter().filter_map(figure).max().expect("a sample");
        println!("{name:30} {:>12} {:>12} {:>12}", show(first), show(last), show(most));
        if last > (first + first / 4).saturating_add(spare) {
            grown.push(name);
        }
    }
    assert!(grown.is_empty(), "these have grown: {grown:?}");
    let wal = samples.iter().map(|sample| sample.wal).max().expect("a sample");
    assert!(wal < LARGEST_WAL, "the write-ahead log had {wal} bytes");
}

/// What came of every event, by the receiver and by the file.
fn account(acknowledged: &Acknowledged, counter: &Counter, data: &Path) {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let file = Connection::open_with_flags(data.join("postrider.db"), flags).expect("a database");
    let count = |sql: &str| -> u64 {
        let number: i64 =
            file.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"));
        number.unsigned_abs()
    };
    let checked: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("an answer");
    assert_eq!(checked, "ok");
    for (manner, published) in acknowledged {
        let events = format!("FROM events e WHERE type = 'soak.{}'", manner.word());
        assert_eq!(count(&format!("SELECT count(*) {events}")), *published, "{manner:?}");
        // 1 is delivered, 4 failed.
        let state = if *manner == Manner::Failing { 4 } else { 1 };
        let over = format!(
            "SELECT count(*) FROM deliveries d JOIN events e ON e.id = d.event_id
             WHERE e.type = 'soak.{}' AND d.state = {state}",
            manner.word()
        );
        assert_eq!(count(&over), *published, "{manner:?}");
        let delivered = if *manner == Manner::Failing { 0 } else { *published };
        assert_eq!(counter.answered(*manner, 200), delivered, "{manner:?}: each came once");
    }
    let attempts = acknowledged[&Manner::Failing] * (SOON.len() as u64 + 1);
    assert_eq!(counter.answered(Manner::Failing, 500), attempts);
    let answered: u64 = MANNERS
        .iter()
        .flat_map(|manner| [counter.answered(*manner, 200), counter.answered(*manner, 500)])
        .sum();
    assert_eq!(
        count("SELECT sum(attempts_ok + attempts_failed) FROM hourly"),
        answered + old_attempts(&count)
    );
}

/// The counters of what was cleaned away stay for as long as they can be shown, and these may be older.
fn old_attempts(count: &dyn Fn(&str) -> u64) -> u64 {
    count(
        "SELECT coalesce(sum(attempts_ok), 0) FROM hourly WHERE endpoint_id IN
             (SELECT id FROM endpoints WHERE tenant_id = (SELECT id FROM tenants WHERE name = 'default'))",
    )
}

#[test]
fn at_half_of_full_load_nothing_grows_and_nothing_is_lost() {
    let old = short_or_long(200, 5_000);
    let past = past(old);
    let data = past.data();
    let counter = Counter::start(short_or_long(2, 20) * Duration::from_secs(1));
    let server = Server::on(&data);
    make_endpoints(&server, &counter);
    let watched = Watched::new(&server.process, &data);
    let (full, mut acknowledged) = full_load(&server, &counter);
    println!(
        "full load: {full:.0} events a second, published and delivered; now half of that for {:?}",
        length()
    );
    let (samples, more) = soak(&server, &counter, &watched, (full / 2.0, old));
    load::add(&mut acknowledged, &more);
    process::until("everything to be over", PATIENCE, || {
        let pending = server.get("/deliveries?status=pending&limit=1");
        pending["data"].as_array().expect("a list").is_empty().then_some(())
    });
    server.stop();
    let bytes = std::fs::metadata(data.join("postrider.db")).expect("a database").len();
    println!("{acknowledged:?} acknowledged; the file has {} MB", bytes / MEGABYTE);
    account(&acknowledged, &counter, &data);
    compare(&samples);
}
