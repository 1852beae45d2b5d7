//! Loss of power: a run is recorded call by call, and the disk is rebuilt as it could be found at many moments. What was
//! acknowledged by then is there, and the server goes on with it.

mod check;
mod cuts;
mod disk;
mod file;
mod load;
mod luck;
mod order;
mod promises;
mod record;
mod steps;
mod strace;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use postrider::random::SeededRandom;
use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::client::Client;
use crate::support::length::short_or_long;
use crate::support::process::{self, PATIENCE};

use cuts::{Cutter, draw_cuts};
use luck::Luck;
use record::{Recorder, Recording};
use steps::{Act, Phase, Step};

/// The size of the WAL from which on readers are made to start afresh.
const WAL_BOUND: u64 = 16 * 1024 * 1024;

/// Events of the first run.
fn events() -> usize {
    short_or_long(1_500, 5_000)
}

/// A first start on nothing, many events in parallel, a WAL that outgrows its bound because somebody reads, a stop; a
/// second start, and a kill in the midst of events.
fn first_start() -> &'static Recording {
    static RECORDED: OnceLock<Recording> = OnceLock::new();
    RECORDED.get_or_init(|| {
        let mut recorder = Recorder::new();
        let file = recorder.folder().join("postrider.db");
        recorder.record(|server, receiver| {
            load::make_endpoints(&server, receiver);
            let mut published = busily(&server.client, || load::publish(&server.client, 0..events()));
            published.append(&mut while_read(&file, || load::publish(&server.client, load::HUGE)));
            published.append(&mut until_afresh(&file, &server.client));
            published.append(&mut load::publish(&server.client, events()..events() * 11 / 10));
            server.stop();
            published
        });
        recorder.record(|mut server, receiver| {
            let client = server.client.clone();
            let publishing = std::thread::spawn(move || {
                busily(&client, || load::publish(&client, 2 * events()..3 * events()))
            });
            receiver.wait_for(receiver.count() + events() / 5);
            server.process.kill();
            publishing.join().expect("a publisher that has not failed")
        });
        recorder.finish()
    })
}

/// Lets an administrator work while something is published.
fn busily<T>(client: &Client, publish: impl FnOnce() -> T) -> T {
    let publishing = AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| load::administrate(client, &publishing));
        let published = publish();
        publishing.store(false, Ordering::Relaxed);
        published
    })
}

/// Lets somebody read the database as it is, while something is published: the WAL cannot start afresh.
fn while_read<T>(file: &Path, publish: impl FnOnce() -> T) -> T {
    let reader = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a database");
    reader.execute_batch("BEGIN; SELECT count(*) FROM events").expect("a reader");
    let published = publish();
    reader.execute_batch("COMMIT").expect("a reader");
    published
}

/// Publishes one event after another until the WAL has started afresh, which its header tells.
fn until_afresh(file: &Path, client: &Client) -> BTreeMap<String, load::Number> {
    let salts = || {
        let mut header = [0; 24];
        let wal = File::open(file.with_file_name("postrider.db-wal"))
            .and_then(|mut wal| wal.read_exact(&mut header));
        wal.expect("a WAL with a header");
        header[16..].to_vec()
    };
    let (before, mut published) = (salts(), BTreeMap::new());
    process::until("the WAL to start afresh", PATIENCE, || {
        let next = load::SMALL + published.len();
        published.append(&mut load::publish(client, next..next + 1));
        (salts() != before).then_some(())
    });
    published
}

fn is_wal(path: &Path) -> bool {
    path.to_string_lossy().ends_with("-wal")
}

fn is_sync_of_wal(step: &Step) -> bool {
    matches!(&step.act, Act::Sync { path } if is_wal(path))
}

#[test]
fn nothing_acknowledged_is_lost_with_the_power() {
    let recording = first_start();
    let cuts = draw_cuts(recording, short_or_long(110, 1_000));
    let starts = short_or_long(10, 50);
    let tally = Cutter::new(recording).cut(&cuts, starts).unwrap_or_else(|fault| panic!("{fault}"));
    println!("{tally:?} in {} steps", recording.steps.len());
    assert_eq!((tally.cuts, tally.starts), (cuts.len(), starts));
    assert!(tally.promised > cuts.len() * events() / 10, "most cuts are after answers");
}

#[test]
fn a_first_start_that_loses_the_power_is_made_up_for_by_the_next() {
    let recording = first_start();
    let first_answer = recording.promises[0].0;
    let many = short_or_long(16, 4 * first_answer);
    let cuts: Vec<usize> = (0..many).map(|number| number * first_answer / many).collect();
    let tally = Cutter::new(recording).cut(&cuts, many).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(tally.starts, many);
}

#[test]
fn nothing_acknowledged_is_lost_with_the_power_during_a_cleanup() {
    const OLD: usize = 3_000;
    let mut recorder = Recorder::new();
    let mut app = TestApp::with_manual_clock();
    app.endpoint_at(&recorder.receiver, "/all");
    app.publish_many(0..OLD);
    app.settle();
    app.stop();
    recorder.begin_with(&app.data());
    recorder.record(|server, _| {
        let published = std::thread::scope(|scope| {
            let publishing = scope.spawn(|| load::publish(&server.client, 0..events() / 3));
            let cleaned =
                server.post("/cleanups", &json!({ "older_than_seconds": 86_400 })).expect(200).json();
            assert_eq!((&cleaned["deliveries"], &cleaned["events"]), (&json!(OLD), &json!(OLD)));
            publishing.join().expect("a publisher that has not failed")
        });
        server.stop();
        published
    });
    let recording = recorder.finish();
    let shrinks =
        |step: &Step| matches!(&step.act, Act::Truncate { path, .. } if path.ends_with("postrider.db"));
    assert!(recording.steps.iter().any(shrinks), "space is given back");
    let cuts = draw_cuts(&recording, short_or_long(60, 500));
    let starts = short_or_long(4, 20);
    let tally = Cutter::new(&recording).cut(&cuts, starts).unwrap_or_else(|fault| panic!("{fault}"));
    println!("{tally:?} in {} steps", recording.steps.len());
    assert!(tally.found > tally.promised, "old events were still there at some cuts");
}

#[test]
fn nothing_acknowledged_is_lost_with_the_power_while_the_server_comes_back_from_a_loss() {
    let first = first_start();
    let random = SeededRandom::new(3);
    // In the midst of the first load, and while the WAL that is too long is copied back.
    for part in short_or_long(vec![30, 80], (10..100).step_by(10).collect()) {
        let cut = first.steps.len() * part / 100;
        let mut disk = first.before.clone();
        first.steps[..cut].iter().for_each(|step| disk.step(step));
        let temp = tempfile::tempdir().expect("a temporary directory");
        let left = temp.path().join("data");
        check::write_down(&disk.after_power_loss(Luck::Chance(50), &random), &first.folder, &left);
        let mut recorder = Recorder::new();
        recorder.begin_with(&left);
        recorder.record(|mut server, _| {
            let published = load::publish(&server.client, 3 * events()..3 * events() + 100);
            server.process.kill();
            published
        });
        let second = recorder.finish();
        let mut cutter = Cutter::new(&second);
        let before =
            first.promises.iter().filter(|(said, _)| *said < cut).map(|(_, promise)| (0, promise.clone()));
        cutter.promises.to_mut().splice(0..0, before);
        let cuts: Vec<usize> =
            draw_cuts(&second, short_or_long(20, 100)).into_iter().map(|cut| cut.max(1)).collect();
        let tally = cutter.cut(&cuts, 1).unwrap_or_else(|fault| panic!("{part} %: {fault}"));
        println!("{part} %: {tally:?} in {} steps", second.steps.len());
        assert!(tally.promised > 0 && tally.found >= tally.promised);
    }
}

#[test]
fn every_answer_comes_after_the_sync_of_what_it_promises() {
    let recording = first_start();
    let (steps, promises) = (&recording.steps, &recording.promises);
    let count = order::answers_after_syncs(steps, promises, &recording.events)
        .unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(count, recording.events.len());
}

#[test]
fn every_file_that_is_made_is_synced_with_its_folder_before_an_answer() {
    let recording = first_start();
    let made = order::made_and_synced(recording);
    let folder = &recording.folder;
    let name = |path: &Path| path.strip_prefix(folder).expect("in the folder").display().to_string();
    let made: Vec<String> = made.iter().map(|path| name(path)).collect();
    let (db, wal) = ("postrider.db", "postrider.db-wal");
    assert_eq!(
        made,
        ["", "backups", "secret.key", db, wal, wal],
        "the WAL is made again by the second start"
    );
}

#[test]
fn commits_that_are_not_synced_would_be_noticed() {
    let recording = first_start();
    let mut cutter = Cutter::new(recording);
    // As a program with `synchronous=OFF` would have it.
    for step in cutter.steps.to_mut().iter_mut().filter(|step| is_sync_of_wal(step)) {
        step.act = Act::Say { data: [].into() };
    }
    let order = order::answers_after_syncs(&cutter.steps, &recording.promises, &recording.events);
    assert!(order.is_err_and(|fault| fault.contains("before it was synced")));
    let fault = cutter.cut(&draw_cuts(recording, 50), 0).expect_err("something is lost");
    println!("{fault}");
}

#[test]
fn answers_before_the_sync_has_returned_would_be_noticed() {
    let recording = first_start();
    let (steps, mut cutter) = (&recording.steps, Cutter::new(recording));
    let begins = |at: &usize| is_sync_of_wal(&steps[*at]) && steps[*at].phase == Phase::Begins;
    for (said, _) in cutter.promises.to_mut() {
        *said = (0..*said).rev().find(begins).expect("a sync before each answer");
    }
    let order = order::answers_after_syncs(steps, &cutter.promises, &recording.events);
    assert!(order.is_err_and(|fault| fault.contains("before it was synced")));
    // Between the answer and the end of the sync.
    let cuts: Vec<usize> = (0..steps.len()).filter(begins).map(|at| at + 1).skip(100).take(20).collect();
    let fault = cutter.cut(&cuts, 0).expect_err("something is lost");
    println!("{fault}");
    assert!(fault.contains("is lost"), "{fault}");
}

#[test]
fn the_recording_holds_what_is_to_be_cut() {
    let recording = first_start();
    let begun: Vec<&Act> =
        recording.steps.iter().filter(|step| step.phase == Phase::Begins).map(|step| &step.act).collect();
    let count = |is: &dyn Fn(&Act) -> bool| begun.iter().filter(|act| is(act)).count();
    let starts_afresh = |act: &Act| matches!(act, Act::Write { path, offset: Some(0), .. } if is_wal(path));
    let copies_back = |act: &Act| matches!(act, Act::Write { path, .. } if path.ends_with("postrider.db"));
    let is_far = |act: &Act| matches!(act, Act::Write { path, offset: Some(at), .. } if is_wal(path) && *at > WAL_BOUND);
    let removes = |act: &Act| matches!(act, Act::Remove { path } if is_wal(path));
    let seen = [count(&starts_afresh), count(&copies_back), count(&is_far), count(&removes)];
    println!(
        "the WAL starts {}, pages copied back {}, pages beyond its bound {}, WALs removed {}",
        seen[0], seen[1], seen[2], seen[3]
    );
    assert!(seen[0] > 2 && seen[1] > 1_000 && seen[2] > 10 && seen[3] == 1, "{seen:?}");
}
