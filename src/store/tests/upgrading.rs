//! An older database is copied before it is upgraded.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use super::super::Store;
use super::super::connection::APPLICATION_ID;
use super::super::open::OpenError;
use super::house;
use super::recorder::Recorder;
use crate::clock::ManualClock;
use crate::domain::time::UnixMs;

/// Opens a store on this file, at this moment.
fn open(path: &Path, ms: i64) -> Result<Arc<Store>, OpenError> {
    let clock = ManualClock::new(UnixMs(ms));
    Store::open(house::config(path, &clock, &Arc::new(Recorder::default()), 7))
}

/// Makes a database of ours before the first version, with one table and a row.
fn older(path: &Path, table: &str) {
    let older = Connection::open(path).unwrap();
    older.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    older
        .execute_batch(&format!("CREATE TABLE {table} (x INTEGER) STRICT; INSERT INTO {table} VALUES (7)"))
        .unwrap();
}

#[test]
fn a_database_of_an_older_version_is_copied_before_it_is_upgraded() {
    let dir = tempfile::tempdir().unwrap();
    let path = house::new_file(&dir);
    older(&path, "of_old");

    open(&path, 1_771_857_000_000).unwrap().close();

    let copy = Connection::open(dir.path().join("before-upgrade-from-0-at-1771857000.db")).unwrap();
    assert_eq!(copy.query_row("SELECT x FROM of_old", [], |row| row.get::<_, i64>(0)).unwrap(), 7);
    let tables: i64 = copy.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 1, "the copy is as it was");
}

#[test]
fn an_upgrade_that_fails_leaves_the_database_as_it_was_and_few_copies_over_many_starts() {
    let dir = tempfile::tempdir().unwrap();
    let path = house::new_file(&dir);
    older(&path, "events");

    for start in 0..5 {
        let opened = open(&path, 1_771_857_000_000 + start * 2000);
        assert!(opened.err().unwrap().to_string().contains("events"));
        assert_eq!(copies(&dir), usize::try_from(start + 1).unwrap().min(3));
    }
    let left = Connection::open(&path).unwrap();
    assert_eq!(left.query_row("SELECT x FROM events", [], |row| row.get::<_, i64>(0)).unwrap(), 7);
}

/// How many copies lie where they are put.
fn copies(dir: &tempfile::TempDir) -> usize {
    let names = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().starts_with("before")).count()
}

#[test]
fn a_new_database_is_not_copied() {
    let dir = tempfile::tempdir().unwrap();
    let path = house::new_file(&dir);
    open(&path, 1_771_857_000_000).unwrap().close();
    assert_eq!(copies(&dir), 0);
}
