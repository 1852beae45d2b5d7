//! The check of the file after a crash.

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::clock::{ManualClock, Stopwatch};
use crate::domain::outcome::Fact;
use crate::store::Store;
use crate::store::soundness::AFTER;

use super::house::*;
use super::make::*;
use super::recorder::Recorder;

/// What a kill leaves of a store with one delivery: a file, and a WAL that does not hold its `attempts`.
fn left_by_a_kill() -> (tempfile::TempDir, PathBuf) {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    let id = house.deliveries("a.b")[0];
    house.settle([outcome(id, endpoint, 1, Fact::Delivered)]);
    house.connection().query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
    house.publish_many("default", "a.b", 3);
    let dir = temporary();
    for name in ["postrider.db", "postrider.db-wal"] {
        std::fs::copy(house.dir.path().join(name), dir.path().join(name)).unwrap();
    }
    let path = dir.path().join("postrider.db");
    (dir, path)
}

/// Writes over a page that no start reads.
fn damage(dir: &tempfile::TempDir, path: &Path) {
    // From a copy: looking into the file itself would fold the WAL into it.
    let copy = dir.path().join("copy.db");
    std::fs::copy(path, &copy).unwrap();
    let page: u64 = rusqlite::Connection::open(&copy)
        .and_then(|copy| {
            copy.query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'attempts'", [], |row| {
                row.get::<_, i64>(0)
            })
        })
        .unwrap()
        .cast_unsigned();
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(&[0xff; 200], (page - 1) * 4096).unwrap();
}

fn open(path: &Path, clock: &ManualClock) -> Arc<Store> {
    Store::open(config(path, clock, &Arc::new(Recorder::default()), 7)).unwrap()
}

fn is_checking(store: &Store) -> bool {
    store.check.lock().unwrap_or_else(PoisonError::into_inner).is_some()
}

#[test]
fn damage_that_a_start_after_a_crash_does_not_meet_is_found_soon_after() {
    let (dir, path) = left_by_a_kill();
    damage(&dir, &path);
    let clock = ManualClock::new(START);
    let store = open(&path, &clock);
    assert!(is_checking(&store));
    assert_eq!(store.damage(), None, "the start comes first");
    clock.advance(AFTER);
    let watch = Stopwatch::start();
    let damage = loop {
        if let Some(damage) = store.damage() {
            break damage;
        }
        assert!(watch.elapsed() < Duration::from_secs(20), "never found");
        std::thread::yield_now();
    };
    assert!(!damage.is_empty() && damage.len() <= 600, "{damage}");
}

#[test]
fn a_sound_file_is_checked_and_a_stop_does_not_wait_for_it() {
    let (_dir, path) = left_by_a_kill();
    let clock = ManualClock::new(START);
    let store = open(&path, &clock);
    store.close();
    assert!(!is_checking(&store), "ended before it began");
    // That was a stop: it leaves no WAL, and a start behind it has nothing to check.
    let store = open(&path, &clock);
    assert!(!is_checking(&store));
    drop(store);
    let (_dir, path) = left_by_a_kill();
    let store = open(&path, &clock);
    clock.advance(AFTER);
    let check = store.check.lock().unwrap().take().unwrap();
    check.join();
    assert_eq!(store.damage(), None);
}
