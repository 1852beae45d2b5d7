//! What an event costs, in counts that are about the same on every machine: a guard against decay.
//!
//! Each bound is what was measured when it was set, with a margin. If one fails, the change before it has made each
//! event dearer (one more statement, copy, sync, wake-up): find out what is new and whether it is worth that, and only
//! then move the bound, with the new figure beside it. `src/store/tests/economy.rs` counts SQL statements.

mod load;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use postrider::clock::Stopwatch;
use serde_json::json;

use crate::support::process::{self, PATIENCE};
use crate::support::receiver::{Gate, Receiver, Reply};
use crate::support::server::{Server, Start};

/// Events of a load. Enough for what is paid once to vanish.
const EVENTS: usize = 2_000;

/// A figure for each event.
#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn each(count: u64) -> f64 {
    count as f64 / EVENTS as f64
}

/// Fails if a figure is above its bound; prints it else.
#[track_caller]
fn at_most(what: &str, figure: f64, bound: f64) {
    println!("{what}: {figure:.3} (at most {bound})");
    assert!(figure <= bound, "{what}: {figure:.3}, and the bound is {bound}");
}

/// The size of the database after a clean stop, which copies the WAL back and removes it.
fn size_at_rest(data: &Path) -> u64 {
    assert!(!data.join("postrider.db-wal").exists(), "the WAL was copied back");
    fs::metadata(data.join("postrider.db")).expect("a database").len()
}

#[test]
fn an_event_takes_little_space_few_syncs_and_few_writes() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let (data, trace) = (temp.path().join("data"), temp.path().join("trace"));
    let receiver = Receiver::start();
    let server = Server::on(&data);
    server.endpoint(&receiver.url("/"), &json!({}));
    server.stop();
    let before = size_at_rest(&data);
    let out = trace.to_str().expect("a path in UTF-8");
    let calls = "trace=pwrite64,fsync,fdatasync";
    let wrapper =
        ["strace", "-D", "-f", "--seccomp-bpf", "-q", "-s", "0", "-o", out, "-e", calls, "-e", "signal=none"];
    let server = Start::on(&data).under(&wrapper).start();
    load::run(&server, &receiver, EVENTS);
    server.stop();
    // 1,260: the delivery, its attempt and the lists have what is above 950.
    at_most("bytes on disk for each event", each(size_at_rest(&data) - before), 1_350.0);
    let trace = fs::read_to_string(&trace).expect("the trace");
    let syncs = trace.lines().filter(|line| line.contains("sync(")).count() as u64;
    // 0.07, as 32 publishers and as many outcomes share a commit; the faster the disk, the fewer do. With a commit for
    // each event and one for its outcome it would be 2.
    at_most("syncs for each event", each(syncs), 0.3);
    let written = trace.lines().filter_map(|line| line.rsplit_once("= ")?.1.parse::<u64>().ok()).sum();
    // 5,100 to 6,100: a page that several events share is written once with each commit, and once into the file. With
    // commits of their own it would be some 50,000.
    at_most("bytes written for each event", each(written), 15_000.0);
}

/// How often threads of a process have gone to sleep, by their names: each time somebody has to wake them. That a processor
/// was taken from them for the sake of others is not counted.
fn context_switches(pid: u32) -> BTreeMap<String, u64> {
    let mut switches = BTreeMap::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task")).expect("a process that runs") {
        let thread = thread.expect("an entry").path();
        // A thread may end meanwhile.
        let (Ok(name), Ok(status)) =
            (fs::read_to_string(thread.join("comm")), fs::read_to_string(thread.join("status")))
        else {
            continue;
        };
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        let count: u64 = count.expect("the count").trim().parse().expect("a number");
        *switches.entry(name.trim().to_owned()).or_default() += count;
    }
    switches
}

fn threads(pid: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("a process that runs");
    let name = |task: std::io::Result<fs::DirEntry>| {
        fs::read_to_string(task.expect("an entry").path().join("comm")).ok()
    };
    let mut names: Vec<String> = tasks.filter_map(name).map(|name| name.trim().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn an_idle_server_has_few_threads_and_sleeps() {
    const LOOK: Duration = Duration::from_secs(4);
    let temp = tempfile::tempdir().expect("a temporary directory");
    let (server, receiver) = (Server::on(&temp.path().join("data")), Receiver::start());
    let pid = server.process.pid();
    server.client.get("/readyz").expect(200);
    let fresh = threads(pid);
    println!("{fresh:?}");
    // Many at once, so that many threads deliver.
    let gate = Gate::new();
    receiver.always(Reply::ok().gated(&gate));
    server.endpoint(&receiver.url("/"), &json!({ "max_in_flight": 64 }));
    for number in 0..40 {
        server.publish(&json!(number)).expect(202);
    }
    // An endpoint gets a sixteenth of the threads that are free.
    receiver.wait_in_flight(24);
    let busy = threads(pid);
    assert!(busy.len() >= fresh.len() + 24, "{busy:?}");
    gate.open();
    receiver.wait_for(40);
    // Idle threads end by themselves.
    let calm = process::until("the threads to end", PATIENCE, || {
        let names = threads(pid);
        (names.len() <= fresh.len() + 4).then_some(names)
    });
    println!("{calm:?}");
    // Main; three of the HTTP server; writer, dispatcher, cleanup, alerts, sender; three of the pool of readers.
    assert!(fresh.len() <= 12, "{fresh:?}");
    // The best of three: what has no turn when it wakes up may have to do so again.
    let (all, own) = (0..3)
        .map(|_| wake_ups(pid, LOOK))
        .min_by(|one, other| one.1.total_cmp(&other.1).then(one.0.total_cmp(&other.0)))
        .expect("three");
    at_most("wake-ups in a second", all, 12.0);
    at_most("wake-ups in a second without the HTTP server", own, 1.0);
    server.stop();
}

/// How often threads of a process that has nothing to do wake up, in a second: all, and those that are not of the HTTP
/// server.
fn wake_ups(pid: u32, look: Duration) -> (f64, f64) {
    let (watch, before) = (Stopwatch::start(), context_switches(pid));
    std::thread::park_timeout(look);
    let mut woken = context_switches(pid);
    for (name, count) in &mut woken {
        // A thread may have ended.
        *count = count.saturating_sub(*before.get(name).unwrap_or(&0));
    }
    println!("{woken:?}");
    let seconds = watch.elapsed().as_secs_f64();
    let each_second = |count: u64| f64::from(u32::try_from(count).expect("few")) / seconds;
    let all: u64 = woken.values().sum();
    // The HTTP server looks at the clock twice a second on each of its two threads, for the header `Date`.
    let web: u64 = woken.iter().filter(|(name, _)| name.starts_with("actix")).map(|(_, count)| count).sum();
    (each_second(all), each_second(all - web))
}

/// Compiles the library that counts.
fn counter(folder: &Path) -> String {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/economy/count_allocations.c");
    let library = folder.join("count_allocations.so");
    let mut compile = Command::new("cc");
    compile.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source);
    assert!(compile.status().expect("a C compiler, which SQLite needs as well").success(), "{compile:?}");
    library.to_str().expect("a path in UTF-8").to_owned()
}

#[test]
fn an_event_is_allocated_for_seldom() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let counted = temp.path().join("allocations");
    let receiver = Receiver::start();
    let server = Start::on(&temp.path().join("data"))
        .with("LD_PRELOAD", &counter(temp.path()))
        .with("COUNT_ALLOCATIONS", counted.to_str().expect("a path in UTF-8"))
        .start();
    server.endpoint(&receiver.url("/"), &json!({}));
    let count =
        || u64::from_ne_bytes(fs::read(&counted).expect("the count").try_into().expect("eight bytes"));
    // Connections, threads and statements are there.
    load::run(&server, &receiver, 200);
    let before = count();
    assert!(before > 10_000, "it is counted: {before}");
    load::run(&server, &receiver, EVENTS);
    // 133, from the first byte of the request to the outcome in the file, SQLite's included; 148 if nothing shared a
    // commit.
    at_most("allocations for each event", each(count() - before), 150.0);
    server.stop();
}
