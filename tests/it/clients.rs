//! Clients from hell: whatever they send, each gets its answer, and the others notice nothing.

mod hell;
mod rows;
mod wire;

use std::time::Duration;

use postrider::clock::Stopwatch;

use serde_json::json;

use crate::pressure::gauge::{Gauge, MEGABYTE};
use crate::support::client::Response;
use crate::support::length::short_or_long;
use crate::support::problem::problem;
use crate::support::process;
use crate::support::receiver::{Receiver, Reply};
use crate::support::server::Server;

use hell::Hell;
use rows::Row;
use wire::Wire;

/// Fails unless this is the answer that a row expects.
#[track_caller]
fn assert_answer(what: &str, answer: &Response, (status, code): (u16, &str)) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    if status >= 400 {
        assert_eq!(problem(answer, what)["code"], code, "{what}");
    }
}

/// Whether another request on the connection is answered.
fn survives(wire: &mut Wire) -> bool {
    wire.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    wire.answer().is_some_and(|answer| answer.status == 200)
}

fn play(server: &Server, rows: Vec<Row>) {
    for row in rows {
        let mut wire = Wire::connect(server.address);
        wire.write(&row.bytes);
        for expected in row.answers {
            let Some(answer) = wire.answer() else { panic!("{}: no answer", row.what) };
            assert_answer(row.what, &answer, expected);
        }
        assert_eq!(survives(&mut wire), row.survives, "whether the connection survives: {}", row.what);
    }
    server.publish(&json!(1)).expect(202);
}

#[test]
fn odd_heads_and_lengths_and_documents_get_their_answers() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let server = Server::on(&temp.path().join("data"));
    let room = json!({ "data_limit_bytes": 1_048_576 });
    server.client.send_json("PATCH", "/api/v1/settings", &room).expect(200);
    play(&server, rows::heads());
    play(&server, rows::lengths());
    play(&server, rows::documents());
    server.stop();
}

#[test]
fn odd_data_is_passed_on_byte_for_byte() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let receiver = Receiver::start();
    let server = Server::on(&temp.path().join("data"));
    server.endpoint(&receiver.url("/"), &json!({}));
    for data in rows::odd_data() {
        let mut wire = Wire::connect(server.address);
        wire.write(&rows::event(format!("{{\"type\":\"a\",\"data\":{data}}}")));
        let what = &data[..data.len().min(40)];
        assert_answer(what, &wire.answer().expect("an answer"), rows::ACCEPTED);
        let delivered = receiver.next();
        let body = String::from_utf8(delivered.body.clone()).expect("UTF-8");
        assert!(body.ends_with(&format!("\"data\":{data}}}")), "{what}: {body}");
    }
    server.stop();
}

#[test]
fn a_request_that_was_cut_anywhere_is_accepted_as_a_whole_or_not_at_all() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let server = Server::on(&temp.path().join("data"));
    let length = rows::event("{\"type\":\"a\",\"data\":1,\"id\":\"cut-000\"}").len();
    for cut in 0..=length {
        let id = format!("cut-{cut:03}");
        let bytes = rows::event(format!("{{\"type\":\"a\",\"data\":1,\"id\":\"{id}\"}}"));
        let mut wire = Wire::connect(server.address);
        wire.write(&bytes[..cut]);
        // Half of them say that they have ended and still listen, the others are gone.
        let listens = cut % 2 == 0;
        if listens {
            wire.finish();
            let answer = wire.answer();
            let status = answer.as_ref().map(|answer| answer.status);
            let whole = cut == length;
            assert!(
                status == whole.then_some(202) || (!whole && status == Some(400)),
                "cut at {cut}: {answer:?}"
            );
        }
        drop(wire);
        let found = server.client.get(&format!("/api/v1/events/{id}")).status;
        assert!(found == 404 || (found == 200 && cut == length), "cut at {cut}: {found}");
    }
    server.publish(&json!(1)).expect(202);
    server.stop();
}

#[test]
fn a_gigabyte_is_refused_before_it_was_read() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let server = Server::on(&temp.path().join("data"));
    let gauge = Gauge(server.process.pid());
    let idle = gauge.resident();
    let piece = [b"100000\r\n".as_slice(), &vec![b' '; 1 << 20], b"\r\n"].concat();
    for headers in ["Content-Length: 1073741824", "Transfer-Encoding: chunked"] {
        let mut wire = Wire::connect(server.address);
        wire.write(rows::publish(headers).as_bytes());
        let taken = (0..1024).take_while(|_| wire.write(&piece)).count();
        println!("{headers}: {taken} MB were taken");
        assert!(taken < 512, "{headers}: {taken} MB were taken");
    }
    // And who listens is told.
    for headers in ["Content-Length: 1073741824", "Transfer-Encoding: chunked"] {
        let mut wire = Wire::connect(server.address);
        wire.write(rows::publish(headers).as_bytes());
        wire.write(&piece);
        assert_answer(headers, &wire.answer().expect("an answer"), (413, "too_large"));
        assert!(wire.answer().is_none(), "{headers}: the connection goes on");
    }
    let grown = gauge.peak().saturating_sub(idle);
    assert!(grown < 16 * MEGABYTE, "the server has grown by {grown} bytes");
    server.stop();
}

/// How long a publish takes for a client that does nothing odd: in the middle, and for one of ten. Fewer, such as one of a
/// hundred, may have met another test that has the machine to itself for a moment.
fn latency(server: &Server, times: usize) -> (Duration, Duration) {
    let mut all: Vec<Duration> = (0..times)
        .map(|n| {
            let watch = Stopwatch::start();
            server.publish(&json!({ "good": n })).expect(202);
            watch.elapsed()
        })
        .collect();
    all.sort();
    (all[times / 2], all[times * 9 / 10])
}

#[test]
fn a_good_client_notices_nothing_of_a_thousand_odd_ones() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let receiver = Receiver::start();
    receiver.always(Reply::ok().body("x".repeat(2048)));
    let server = Server::on(&temp.path().join("data"));
    server.endpoint(&receiver.url("/"), &json!({}));
    let times = short_or_long(200, 4_000);
    let before = latency(&server, times);
    receiver.wait_for(times);
    let gauge = Gauge(server.process.pid());
    let idle = gauge.resident();
    let hell = Hell::start(server.address);
    process::until("the odd clients to be there", process::PATIENCE, || {
        // At first they fill the buffers of the system, which takes the server some work.
        (hell.turns() > 400 && gauge.descriptors() > Hell::clients() / 2).then_some(())
    });
    let watch = Stopwatch::start();
    let beside = latency(&server, times);
    let (beside, took) = (beside, watch.elapsed());
    // Those that are slow have met their deadlines when this has passed.
    let rest = short_or_long(Duration::from_secs(2), Duration::from_mins(2));
    let (mut largest, watch) = (0, Stopwatch::start());
    while !watch.left(rest).is_zero() {
        largest = largest.max(gauge.resident());
        server.client.get("/readyz").expect(200);
        // A list has no room while others do not read theirs; who asks for one learns that, and when to ask again.
        let list = server.client.get("/api/v1/events?limit=1");
        assert!(list.status == 200 || problem(&list, "a list")["code"] == "overloaded", "{}", list.text());
        std::thread::park_timeout(Duration::from_millis(100));
    }
    let (descriptors, peak) = (gauge.descriptors(), gauge.peak());
    hell.stop();
    println!(
        "a publish took {before:?} (median, p90) alone, {beside:?} beside {} odd clients ({times} in {took:?}); \
         resident {idle} before, {largest} beside them, {peak} at most; {descriptors} descriptors",
        Hell::clients()
    );
    let bound = |before: Duration, least: u64| (before * 20).max(Duration::from_millis(least));
    assert!(beside.0 < bound(before.0, 250), "a good client waits {beside:?}, before {before:?}");
    assert!(beside.1 < bound(before.1, 2_000), "a good client has waited {beside:?}, before {before:?}");
    // 16 MB of answers, twice while they are made; 8 MB of heads; 16 MB of bodies; ten KB for each client.
    assert!(peak < idle + 100 * MEGABYTE, "{peak} bytes, {idle} before");
    process::until("the descriptors to be given back", process::PATIENCE, || {
        (gauge.descriptors() < 200).then_some(())
    });
    receiver.wait_for(2 * times);
    server.stop();
}
