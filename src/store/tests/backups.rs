//! A copy that is made while the writer goes on.

use rusqlite::Connection;

use super::house::*;
use crate::store::backup::BackupRequest;
use crate::store::cleanup::CleanupRequest;

/// Waits until no backup is under way; the name of the last one's file.
fn made(house: &House) -> String {
    while house.store.backups_now().running.is_some() {
        std::thread::park_timeout(std::time::Duration::from_millis(1));
    }
    let last = house.store.backups_now().last.unwrap();
    last.file.unwrap_or_else(|| panic!("{:?} {:?}", last.error, last.canceled))
}

#[test]
fn a_copy_follows_what_is_written_and_deleted_meanwhile() {
    let house = House::threaded();
    let publish = |count: usize, filling: usize| {
        let data = format!("\"{}\"", "x".repeat(filling));
        let all: Vec<_> =
            (0..count).map(|_| house.store.publish(house.event("acme", "a.b", &data))).collect();
        for answer in all {
            answer.wait().unwrap();
        }
    };
    for _ in 0..8 {
        publish(500, 8_000);
    }
    house.clock.advance(DAY * 40);
    house.store.trust_clock();
    let request = BackupRequest { compress: false, elsewhere: false, by: "test".to_owned(), address: None };
    let row = house.store.backup(request.clone()).unwrap().wait().unwrap();
    assert!(house.store.backup(request).is_none(), "one at a time");
    // The file becomes smaller than what is copied already, and grows again.
    let by = "test".to_owned();
    let cleanup = CleanupRequest { older_than: None, dry_run: false, by, address: None };
    let cleaned = house.store.cleanup(cleanup);
    publish(500, 2_000);
    let cleaned = cleaned.wait().unwrap();
    assert_eq!(cleaned.events, 4_000);
    publish(100, 2_000);
    let path = house.dir.path().join(made(&house));
    let copy = Connection::open(&path).unwrap();
    let number = |sql: &str| copy.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let verdict: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    let bytes = number("SELECT page_size * page_count FROM pragma_page_size, pragma_page_count");
    assert_eq!(bytes, i64::try_from(std::fs::metadata(&path).unwrap().len()).unwrap());
    assert_eq!(number(&format!("SELECT count(*) FROM backups WHERE id = {} AND ended_at > 0", row.id.0)), 1);
    assert!(number("SELECT count(*) FROM events") > 0);
    house.close();
}

#[test]
fn a_stop_ends_the_one_that_is_under_way() {
    let house = House::threaded();
    for n in 0..200 {
        house
            .store
            .publish(house.event("acme", "a.b", &format!("\"{n}{}\"", "x".repeat(50_000))))
            .wait()
            .unwrap();
    }
    let request = BackupRequest { compress: true, elsewhere: false, by: "test".to_owned(), address: None };
    house.store.backup(request).unwrap().wait().unwrap();
    let (dir, _) = house.close();
    let names = std::fs::read_dir(dir.path()).unwrap().flatten();
    let left = names.filter(|entry| entry.file_name().to_string_lossy().ends_with(".part")).count();
    assert_eq!(left, 0);
}
