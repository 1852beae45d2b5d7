//! The cleanup's turns: how much each does, and what is left of one that could not end.

use crate::store::cleanup::{CleanupReport, CleanupRequest};
use crate::store::{Answer, StoreError};

use super::cleanup::cleanup;
use super::house::*;
use super::make::plant_failure;

fn begin(house: &House) -> Answer<CleanupReport> {
    let by = "test".to_owned();
    cleanup(house, CleanupRequest { older_than: None, dry_run: false, by, address: None })
}

/// The cleanups that are kept: deliveries, whether it has ended, why early.
fn kept(house: &House) -> Vec<(u64, bool, Option<String>)> {
    let rows = house.read(|reader| reader.cleanups(None, 10)).rows;
    rows.into_iter().map(|(_, report)| (report.deliveries, report.ended_at.is_some(), report.error)).collect()
}

#[test]
fn the_space_comes_back_many_pages_a_turn() {
    let mut house = House::new();
    house.endpoint("default", &["*"]);
    let data = format!("\"{}\"", "x".repeat(100_000));
    for _ in 0..40 {
        house.publish(house.event("default", "a.b", &data)).unwrap();
    }
    house.write(|tx| Ok(tx.connection().execute("UPDATE deliveries SET state = 1", [])?));
    house.clock.advance(31 * DAY);
    let done = begin(&house);
    let mut turns = 0;
    while kept(&house).first().is_none_or(|(_, ended, _)| !ended) {
        house.turn();
        turns += 1;
        assert!(turns < 100, "a page a turn would take a thousand");
    }
    let report = done.wait().unwrap();
    assert_eq!((report.deliveries, report.events), (40, 40));
    assert!(report.freed_bytes > 3_900_000, "{report:?}");
    assert_eq!(house.number("PRAGMA freelist_count"), 0);
}

#[test]
fn a_cleanup_that_fails_says_so_in_its_row_and_the_next_one_goes_on() {
    let mut house = House::new();
    house.endpoint("default", &["*"]);
    house.publish_many("default", "a.b", 200);
    house.write(|tx| Ok(tx.connection().execute("UPDATE deliveries SET state = 1", [])?));
    house.clock.advance(31 * DAY);
    plant_failure(&house, "DELETE ON events");
    let failing = begin(&house);
    for _ in 0..10 {
        house.turn();
    }
    // The writer rests after a defect; the next turn records it.
    while kept(&house).first().is_none_or(|(_, ended, _)| !ended) {
        house.turn();
    }
    let error = failing.wait().unwrap_err();
    assert!(matches!(&error, StoreError::Internal(text) if text.contains("planted")), "{error}");
    assert_eq!(kept(&house), [(200, true, Some(error.to_string()))]);

    house.other().execute_batch("DROP TRIGGER planted").unwrap();
    let next = begin(&house);
    while kept(&house).first().is_none_or(|(_, ended, error)| !ended || error.is_some()) {
        house.turn();
    }
    assert_eq!(next.wait().unwrap().events, 200);
}
