//! A WAL that cannot be copied back, because the database file fails and the WAL does not: events are accepted all the
//! same, nothing is lost, and it is tried again with a pause.

use std::path::Path;

use postrider::clock::Stopwatch;
use serde_json::json;

use crate::support::process::{self, PATIENCE};
use crate::support::server::Server;

use super::check::{integrity, number};
use super::fault::{Fault, Watch, for_each};

/// Enough for several megabytes of WAL, which is copied back after four.
const EVENTS: usize = 60;
const BYTES: usize = 200_000;

/// How the server ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    /// In order, and by then the disk is well.
    Well,
    /// In order, and it cannot copy the WAL back then either.
    Failing,
    Killed,
}

#[test]
fn a_wal_that_cannot_be_copied_back_is_kept_and_tried_again_with_a_pause() {
    let faults = ["pwrite64", "fdatasync"].map(|call| Fault { call, error: "EIO", from: 1, lasting: true });
    let ends = [End::Well, End::Failing, End::Killed];
    let cases: Vec<_> = faults.iter().flat_map(|fault| ends.map(|end| (*fault, end))).collect();
    for_each(&cases, |(fault, end)| grow(fault, *end));
}

fn grow(fault: &Fault, end: End) {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = temp.path().join("data");
    Server::on(&data).stop();
    let watch = Watch::on(&data, &["postrider.db"]);
    let mut server = watch.start(&data, fault.call, Some(fault)).start();
    let taken = Stopwatch::start();
    let publish = |number: usize| {
        server.publish(&json!({ "number": number, "filling": "x".repeat(BYTES) })).expect(202);
    };
    (0..EVENTS).for_each(publish);
    let mut events = EVENTS;
    process::until("a try", PATIENCE, || {
        publish(events);
        events += 1;
        (watch.injected() > 0).then_some(())
    });
    assert_eq!(server.readiness().0, 200, "events are accepted");
    // It pauses for five seconds.
    let most = || 2 + usize::try_from(taken.elapsed().as_secs() / 5).expect("a short time");
    let tries = watch.injected();
    assert!((1..=most()).contains(&tries), "{tries} tries in {:?}", taken.elapsed());
    if end == End::Well {
        Watch::let_go(&server);
    }
    let log = if end == End::Killed { server.process.kill() } else { server.stop() }.err;
    let told = log.matches("could not be copied back").count();
    assert!((1..=most() + 1).contains(&told), "{told} lines:\n{log}");
    let left = data.join("postrider.db-wal").exists();
    assert_eq!(left, end != End::Well, "the WAL is kept as long as it is needed");

    let server = Server::on(&data);
    server.publish(&json!(1)).expect(202);
    server.stop();
    assert_all_there(&data, events + 1);
}

fn assert_all_there(data: &Path, events: usize) {
    let database = integrity(data);
    let expected = i64::try_from(events).expect("a small number");
    assert_eq!(number(&database, "SELECT count(*) FROM events"), expected);
}
