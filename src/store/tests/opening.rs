//! Opening: which files are refused, with what words, and what goes on after a restart.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::clock::{Clock as _, ManualClock};
use crate::domain::settings::Settings;
use crate::store::migrations::LATEST;
use crate::store::{OpenError, Store};

use super::house::*;
use super::make::*;
use super::recorder::Recorder;

/// Tries to open a file with a key; the message.
fn refused(path: &std::path::Path, key: u8) -> String {
    let config = config(path, &ManualClock::new(START), &Arc::new(Recorder::default()), key);
    match Store::build(config) {
        Ok(_) => panic!("was opened"),
        Err(error) => error.to_string(),
    }
}

/// A database of ours that nobody has open, and all of its bytes.
fn closed() -> (TempDir, PathBuf) {
    let mut house = House::new();
    house.endpoint("default", &["*"]);
    house.publish_many("default", "a.b", 50);
    let (dir, _) = house.close();
    let path = dir.path().join("postrider.db");
    (dir, path)
}

#[test]
fn a_wrong_key_is_refused_with_what_to_do_and_nothing_is_written() {
    let (dir, path) = closed();
    let before = std::fs::read(&path).unwrap();
    assert!(refused(&path, 8).starts_with("secret.key is not the key that this database was made with"));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert!(House::in_dir(dir, ManualClock::new(START)).is_ok());
}

#[test]
fn a_first_start_that_was_killed_in_its_first_transaction_is_rolled_back() {
    let (dir, killed) = (temporary(), temporary());
    let maker = Connection::open(new_file(&dir)).unwrap();
    // Written before its end, as a full cache has it: the journal says how to undo that.
    maker.execute_batch("PRAGMA cache_size = 1; BEGIN; CREATE TABLE t (x)").unwrap();
    maker.execute_batch("INSERT INTO t VALUES (randomblob(50000)), (randomblob(50000))").unwrap();
    for file in ["postrider.db", "postrider.db-journal"] {
        std::fs::copy(dir.path().join(file), killed.path().join(file)).unwrap();
    }
    let path = killed.path().join("postrider.db");
    assert!(std::fs::metadata(&path).unwrap().len() > 0, "half of it is there");
    assert!(!Store::needs_key(&path).unwrap());
    assert!(House::in_dir(killed, ManualClock::new(START)).is_ok());
}

#[test]
fn a_file_that_is_refused_after_a_kill_keeps_its_wal() {
    let mut house = House::new();
    house.publish_many("default", "a.b", 50);
    let killed = temporary();
    let files = ["postrider.db", "postrider.db-wal"];
    for file in files {
        std::fs::copy(house.dir.path().join(file), killed.path().join(file)).unwrap();
    }
    let bytes = || files.map(|file| std::fs::read(killed.path().join(file)).unwrap());
    let before = bytes();
    assert!(before[1].len() > 10_000, "it is in the WAL");
    assert!(refused(&killed.path().join(files[0]), 8).contains("secret.key is not the key"));
    assert!(bytes() == before, "both are as they were");
    let house = House::in_dir(killed, house.clock).unwrap();
    assert_eq!(house.number("SELECT count(*) FROM events"), 50);
}

#[test]
fn a_file_says_whether_it_needs_its_key() {
    let (dir, path) = closed();
    assert!(Store::needs_key(&path).unwrap());
    assert!(!Store::needs_key(&dir.path().join("nothing.db")).unwrap());
    let empty = dir.path().join("empty.db");
    std::fs::write(&empty, b"").unwrap();
    assert!(!Store::needs_key(&empty).unwrap());
}

#[test]
fn a_newer_version_is_refused_before_anything_is_written() {
    let (_dir, path) = closed();
    let other = Connection::open(&path).unwrap();
    other.pragma_update(None, "user_version", i64::try_from(LATEST).unwrap() + 1).unwrap();
    other.pragma_update(None, "journal_mode", "DELETE").unwrap();
    drop(other);
    let before = std::fs::read(&path).unwrap();
    assert!(refused(&path, 7).contains("made by a newer Postrider"));
    assert!(Store::needs_key(&path).unwrap_err().to_string().contains("newer Postrider"));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_database_of_another_program_is_refused_and_left_as_it_is() {
    let dir = temporary();
    let path = new_file(&dir);
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(refused(&path, 7).contains("another program"));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no WAL beside it");
}

#[test]
fn a_file_that_is_no_database_or_is_cut_short_is_refused() {
    let (_dir, path) = closed();
    let whole = std::fs::read(&path).unwrap();
    for (bytes, word) in [
        (b"these are my notes, and no database at all".repeat(200), "not a database"),
        (whole[..whole.len() / 2].to_vec(), "malformed"),
        (whole[..600].to_vec(), "malformed"),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        let message = refused(&path, 7);
        assert!(message.contains("restore a backup"), "{message}");
        assert!(message.contains(word), "{message}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
}

#[test]
fn settings_that_this_version_does_not_take_are_passed_over() {
    let mut house = House::new();
    house.settings(|settings| settings.retention_days = 7);
    house
        .other()
        .execute_batch(
            "INSERT INTO settings VALUES ('colour', '\"red\"'), ('endpoint_limit', '-1'), ('strict_tenants', 'yes')",
        )
        .unwrap();
    let mut house = house.restart();
    assert_eq!(*house.store.directory().settings(), Settings { retention_days: 7, ..Settings::default() });
    house.settings(|settings| settings.retention_days = 30);
    assert_eq!(house.number("SELECT count(*) FROM settings WHERE name = 'retention_days'"), 0);
}

#[test]
fn steady_time_goes_on_over_restarts_and_jumps_and_uptime_counts_running_only() {
    let mut house = House::new();
    let (steady, up) = (house.store.times().steady().0, house.store.times().up_ms());
    house.clock.advance(HOUR);
    house.clock.jump_wall(-86_400_000);
    house.turn();
    let house = house.restart();
    assert_eq!(house.store.times().steady().0, steady + 3_600_000);
    assert_eq!(house.store.times().up_ms(), up + 3_600_000);
    assert_eq!(house.store.times().wall_of(house.store.times().steady()), house.clock.wall());
    // A minute while it is down is steady time and no uptime.
    let (dir, clock) = house.close();
    clock.advance(Duration::from_mins(1));
    let house = House::in_dir(dir, clock).unwrap();
    assert_eq!(house.store.times().steady().0, steady + 3_660_000);
    assert_eq!(house.store.times().up_ms(), up + 3_600_000);
}

#[test]
fn a_jump_is_written_down_with_the_next_commit_that_succeeds() {
    let mut house = House::new();
    house.turn();
    let steady = house.store.times().steady().0;
    house.clock.jump_wall(5_000_000);
    // This transaction notices the jump, and is lost.
    assert!(house.try_write(break_commit).is_err());
    house.turn();
    house.write(|_| Ok(()));
    let house = house.crash();
    assert_eq!(house.store.times().steady().0, steady);
}

#[test]
fn secrets_and_headers_are_not_in_the_file_in_clear() {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    house.publish_many("default", "a.b", 3);
    let row = house.read(|reader| reader.endpoint(endpoint)).unwrap();
    assert_eq!(row.revision.headers, revision().headers);
    let secrets = house.read(|reader| reader.secrets(endpoint));
    assert_eq!(secrets[0].secret.expose(), SECRET);
    for file in ["postrider.db", "postrider.db-wal"] {
        let bytes = std::fs::read(house.dir.path().join(file)).unwrap();
        for clear in [SECRET, "only for tests", "a-header-that-is-a-credential", "X-Token"] {
            let found = bytes.windows(clear.len()).any(|window| window == clear.as_bytes());
            assert!(!found, "{clear} is in {file}");
        }
    }
    let wal = std::fs::read(house.dir.path().join("postrider.db-wal")).unwrap();
    assert!(wal.windows(20).any(|window| window == b"receiver.example.com"), "the files were looked at");
}

#[test]
fn files_beside_the_database_are_nobody_elses_business() {
    use std::os::unix::fs::PermissionsExt;
    let mut house = House::new();
    house.endpoint("default", &["*"]);
    for entry in std::fs::read_dir(house.dir.path()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn an_endpoint_that_cannot_be_read_stops_nothing() {
    let mut house = House::new();
    let [broken, well] = [(); 2].map(|()| house.endpoint("default", &["*"]));
    let sql = format!("UPDATE endpoints SET events = '[\"..\"]' WHERE id = {}", broken.0);
    house.other().execute_batch(&sql).unwrap();
    let mut house = house.restart();
    let routes = house.store.directory().all();
    assert_eq!(routes.iter().map(|route| route.id).collect::<Vec<_>>(), [well]);
    assert_eq!(house.deliveries("a.b").len(), 1);
}

#[test]
fn a_store_without_its_file_says_so() {
    let dir = temporary();
    let config =
        config(&dir.path().join("no.db"), &ManualClock::new(START), &Arc::new(Recorder::default()), 7);
    assert!(matches!(Store::build(config), Err(OpenError::File(_))));
}
