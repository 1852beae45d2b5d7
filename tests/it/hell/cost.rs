//! What receivers from hell cost the program: its memory stays flat, its threads and descriptors come back, and the
//! healthy are served meanwhile.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::length::short_or_long;
use crate::support::process::until;
use crate::support::receiver::Receiver;
use crate::support::server::Server;

use super::script::{Act, Scripted, answer, send};

const MEGABYTE: u64 = 1024 * 1024;
/// What the caches of the database may still take after the first rounds, and a busy allocator keep.
const GROWTH: u64 = 12 * MEGABYTE;
/// Rounds until the caches are about full.
const WARM_UP: usize = 2;
/// Events to each receiver in one round; a round is some 500 attempts.
const EVENTS: usize = 40;
/// Receivers that never answer, and when their attempts end.
const HANGING: usize = 12;
const HANG_SECONDS: u64 = 20;
const PATIENCE: Duration = Duration::from_mins(2);

/// Receivers with whom an attempt soon ends, though they would go on for ever.
fn quick() -> Vec<Scripted> {
    let ok = "HTTP/1.1 200 OK\r\n";
    let flood = |head: &str, bytes: &[u8]| vec![Act::Read, send(head), Act::Flood(bytes.to_vec())];
    let acts = [
        flood(&format!("{ok}\r\n"), &b"x".repeat(65_536)),
        flood(&format!("{ok}transfer-encoding: chunked\r\n\r\n"), b"1\r\nx\r\n"),
        flood(&format!("{ok}transfer-encoding: chunked\r\n\r\n1;"), &[b'x'; 4096]),
        flood(ok, b"a: b\r\n"),
        flood(&format!("{ok}a: "), &b"x".repeat(65_536)),
        flood("", b"HTTP/1.1 100 Continue\r\n\r\n"),
        flood("", b"\r\n\r\n"),
        answer(format!("{ok}content-encoding: gzip\r\n\r\n")),
        answer(format!("{ok}{}\r\n", "a: b\r\n".repeat(1_000))),
        vec![Act::ReadSome(10), send(ok), Act::Reset],
        vec![Act::Close],
        vec![send("SSH-2.0-x\r\n"), Act::Hang],
    ];
    acts.into_iter().map(Scripted::start).collect()
}

fn endpoint(server: &Server, receiver: &Scripted, tenant: &str, timeout: u64) {
    let fields = json!({ "tenant": tenant, "retry_schedule": [], "timeout_seconds": timeout });
    server.endpoint(&format!("http://{}/", receiver.address), &fields);
}

fn publish(server: &Server, tenant: &str) {
    let event = json!({ "type": "it.happened", "tenant": tenant, "data": "x".repeat(2_000) });
    server.post("/events", &event).expect(202);
}

/// Sends events to each of these tenants' receivers and waits until nothing is pending.
fn round(server: &Server, tenants: usize) {
    for _ in 0..EVENTS {
        (0..tenants).for_each(|n| publish(server, &format!("quick-{n}")));
    }
    until("all attempts to end", PATIENCE, || {
        server.get("/deliveries?status=pending&limit=1")["data"].as_array()?.is_empty().then_some(())
    });
}

fn resident(server: &Server) -> u64 {
    let status =
        fs::read_to_string(format!("/proc/{}/status", server.process.pid())).expect("a process that runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the field");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

fn delivery_threads(server: &Server) -> usize {
    let tasks = fs::read_dir(format!("/proc/{}/task", server.process.pid())).expect("a process that runs");
    // A thread may end while it is looked at.
    let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.trim() == "delivery").count()
}

fn descriptors(server: &Server) -> usize {
    fs::read_dir(format!("/proc/{}/fd", server.process.pid())).expect("a process that runs").count()
}

#[test]
fn memory_stays_flat_and_threads_and_descriptors_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::on(&folder.path().join("data"));
    let receivers = quick();
    for (n, receiver) in receivers.iter().enumerate() {
        endpoint(&server, receiver, &format!("quick-{n}"), 30);
    }
    let before = descriptors(&server);
    for _ in 0..WARM_UP {
        round(&server, receivers.len());
    }
    let warm = resident(&server);
    let rounds = short_or_long(2, 40);
    let after = (0..rounds).map(|_| {
        round(&server, receivers.len());
        resident(&server)
    });
    let after: Vec<u64> = after.collect();
    println!("resident: {warm} bytes after {WARM_UP} rounds, then {after:?}");
    let last = *after.last().expect("a round");
    assert!(last < warm + GROWTH, "{warm} bytes after {WARM_UP} rounds, {last} after {rounds} more");
    until("the delivery threads to end", PATIENCE, || (delivery_threads(&server) == 0).then_some(()));
    // A few are the readers of the database, opened when they are needed.
    until("the descriptors to come back", PATIENCE, || (descriptors(&server) <= before + 16).then_some(()));
    server.stop();
}

#[test]
fn the_healthy_are_served_while_others_hang() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::on(&folder.path().join("data"));
    let healthy = Receiver::start();
    server.endpoint(&healthy.url("/"), &json!({ "tenant": "healthy" }));
    let acts = [
        vec![Act::Read, Act::Hang],
        vec![Act::Freeze],
        vec![Act::Read, Act::Drip(vec![b'\n'; 99], Duration::from_secs(1))],
        vec![Act::Read, send("HTTP/1.1 200 OK\r\n\r\n"), Act::Drip(vec![b'x'; 99], Duration::from_secs(1))],
    ];
    let hanging: Vec<Scripted> =
        acts.iter().cycle().take(HANGING).map(|acts| Scripted::start(acts.clone())).collect();
    for (n, receiver) in hanging.iter().enumerate() {
        endpoint(&server, receiver, &format!("hanging-{n}"), HANG_SECONDS);
    }
    for n in 0..HANGING {
        (0..5).for_each(|_| publish(&server, &format!("hanging-{n}")));
    }
    until("all receivers to hang", PATIENCE, || {
        hanging.iter().all(|receiver| receiver.connections() > 0).then_some(())
    });
    for n in 1..=10 {
        publish(&server, "healthy");
        healthy.wait_for(n);
    }
    // What has begun first is under way still: the healthy one has waited for none of them.
    let list = server.get("/deliveries?limit=250&tenant=hanging-0");
    let rows = list["data"].as_array().expect("a list");
    assert!(
        rows.len() == 5 && rows.iter().all(|row| row["status"] == "pending"),
        "the healthy one had to wait for the others, or this test for longer than they hang: {list}"
    );
    let busy = delivery_threads(&server);
    assert!(busy >= HANGING, "only {busy} threads are busy");
    let ended = until("the attempts to end", PATIENCE, || {
        let list = server.get("/deliveries?limit=250");
        let rows = list["data"].as_array()?.clone();
        rows.iter().all(|row| row["status"] != "pending").then_some(rows)
    });
    for row in ended.iter().filter(|row| row["tenant"] != "healthy") {
        on_time(&server, row);
    }
    until("the delivery threads to end", PATIENCE, || (delivery_threads(&server) == 0).then_some(()));
    server.stop();
}

#[track_caller]
fn on_time(server: &Server, row: &Value) {
    let shown = server.get(&format!("/deliveries/{}", row["id"].as_str().expect("an id")));
    let attempt = &shown["attempt_list"][0];
    let took = attempt["duration_ms"].as_u64().expect("a duration");
    // One that is late on a busy machine is told by the other tests, which try again.
    assert!((HANG_SECONDS * 1000..HANG_SECONDS * 1000 + 20_000).contains(&took), "{shown}");
    let delivered = attempt["status_code"] == 200;
    assert_eq!(shown["status"], if delivered { "delivered" } else { "failed" });
    assert!(
        delivered || attempt["error"].as_str().is_some_and(|error| error.starts_with("timed out while "))
    );
}
