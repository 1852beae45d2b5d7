//! Wall clocks that may be wrong: what is written down of them, and that nothing is deleted by them.

use std::time::Duration;

use crate::clock::Clock as _;
use crate::domain::outcome::Fact;
use crate::domain::time::UnixMs;
use crate::store::cleanup::{CleanupRequest, SCHEDULE};

use super::cleanup::{count, request};
use super::house::*;
use super::make::*;

const DAY_MS: i64 = 86_400_000;

#[test]
fn a_clock_two_days_ahead_is_doubted_for_a_day_of_uptime_or_until_a_word() {
    let house = House::new();
    assert_eq!(house.store.cleanup_doubt(), None, "a new file doubts nothing");
    let (dir, clock) = house.close();
    clock.jump_wall(2 * DAY_MS);
    let house = House::in_dir(dir, clock).unwrap();
    assert_eq!(house.store.cleanup_doubt(), None);
    let (dir, clock) = house.close();
    clock.jump_wall(3 * DAY_MS);
    let mut house = House::in_dir(dir, clock).unwrap();
    for _ in 0..23 {
        house.turn();
        assert!(house.store.cleanup_doubt().is_some());
        house.clock.advance(HOUR);
    }
    // A restart starts the day again: the mark is the old one.
    let mut house = house.restart();
    assert!(house.store.cleanup_doubt().is_some());
    for _ in 0..24 {
        house.turn();
        house.clock.advance(HOUR);
    }
    assert_eq!(house.store.cleanup_doubt(), None);
    house.turn();
    let house = house.crash();
    assert_eq!(house.store.cleanup_doubt(), None, "the new mark is in the file");
    let (dir, clock) = house.close();
    clock.jump_wall(9 * DAY_MS);
    let mut house = House::in_dir(dir, clock).unwrap();
    assert!(house.store.cleanup_doubt().is_some());
    house.store.trust_clock();
    assert_eq!(house.store.cleanup_doubt(), None);
    house.turn();
    assert_eq!(house.crash().store.cleanup_doubt(), None, "the word is kept");
}

#[test]
fn a_clock_that_jumps_ahead_while_the_server_runs_is_doubted_too() {
    let mut house = House::new();
    house.turn();
    house.clock.jump_wall(5 * DAY_MS);
    house.turn();
    assert!(house.store.cleanup_doubt().is_some());
    house.clock.jump_wall(-5 * DAY_MS);
    house.turn();
    assert_eq!(house.store.cleanup_doubt(), None);
}

#[test]
fn a_clock_that_goes_ahead_in_steps_within_the_hour_is_doubted() {
    let mut house = House::new();
    house.turn();
    for jump in 1..=3 {
        assert_eq!(house.store.cleanup_doubt(), None, "{jump}");
        house.clock.jump_wall(DAY_MS * 5 / 6);
        house.turn();
        house.clock.advance(Duration::from_mins(15));
        house.turn();
    }
    assert!(house.store.cleanup_doubt().is_some());
    assert!(house.crash().store.cleanup_doubt().is_some(), "the file's mark is as old");
}

#[test]
fn a_mark_that_is_not_in_the_file_is_not_believed() {
    let mut house = House::new();
    house.turn();
    house.clock.jump_wall(DAY_MS * 3 / 2);
    house.clock.advance(HOUR);
    plant_failure(&house, "UPDATE ON meta");
    house.turn();
    house.clock.jump_wall(DAY_MS);
    assert!(house.store.cleanup_doubt().is_some());
    house.other().execute_batch("DROP TRIGGER planted").unwrap();
    house.clock.jump_wall(-DAY_MS);
    house.clock.advance(Duration::from_mins(1));
    house.turn();
    house.clock.jump_wall(DAY_MS);
    assert_eq!(house.store.cleanup_doubt(), None, "now it is");
}

#[test]
fn a_jump_is_written_down_at_once_and_jumps_all_the_time_are_not() {
    let mut house = House::new();
    house.turn();
    let offset = |house: &House| house.number("SELECT value FROM meta WHERE name = 'steady_offset_ms'");
    let writes = |house: &House| house.connection().total_changes();
    let (before, wall) = (offset(&house), house.clock.wall());
    house.clock.jump_wall(DAY_MS);
    house.turn();
    assert_eq!(offset(&house), before + DAY_MS);
    let written = writes(&house);
    for minute in 0..9 {
        house.clock.jump_wall(if minute % 2 == 0 { 5_000 } else { -7_000 });
        house.clock.advance(Duration::from_mins(1));
        house.turn();
    }
    assert_eq!(writes(&house), written, "not one commit for nine jumps");
    house.clock.advance(Duration::from_mins(1));
    house.turn();
    assert_eq!(offset(&house), before + DAY_MS - 3_000);
    assert_eq!(house.number("SELECT value FROM meta WHERE name = 'mark_at'"), wall.0, "the mark is hourly");
    house.clock.jump_wall(DAY_MS);
    house.endpoint("default", &["*"]);
    assert_eq!(offset(&house), before + 2 * DAY_MS - 3_000, "whatever is written takes it along");
}

#[test]
fn what_waits_for_a_time_of_day_is_told_of_jumps_and_settings() {
    let mut house = House::new();
    house.turn();
    house.clock.jump_wall(-DAY_MS);
    house.turn();
    house.turn();
    assert_eq!(house.told.notes().time_changes, 1);
    house.settings(|settings| settings.cleanup_schedule = "0 4 * * *".to_owned());
    assert_eq!(house.told.notes().time_changes, 2);
}

/// A house with one delivery of long ago, and what it holds of them.
fn with_an_old_delivery() -> House {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    let id = house.deliveries("a.b")[0];
    house.settle([outcome(id, endpoint, 1, Fact::Delivered)]);
    for _ in 0..31 {
        house.clock.advance(DAY);
        house.turn();
    }
    house
}

fn turns(house: &mut House) {
    for _ in 0..50 {
        house.turn();
    }
}

#[test]
fn a_cleanup_that_was_asked_for_in_time_waits_if_the_clock_jumps_before_it_begins() {
    let mut house = with_an_old_delivery();
    let young = house.deliveries("a.b").len();
    let left = |house: &House| usize::try_from(count(house, "deliveries")).unwrap();
    house.store.cleanup_by_schedule();
    house.store.cleanup_by_schedule();
    house.clock.jump_wall(365 * DAY_MS);
    turns(&mut house);
    assert_eq!((left(&house), count(&house, "cleanups")), (1 + young, 0));
    let counted = house.store.cleanup(request(None, true));
    turns(&mut house);
    assert_eq!(counted.wait().unwrap().deliveries, 1, "counting needs no right clock");
    house.clock.jump_wall(-365 * DAY_MS);
    turns(&mut house);
    assert_eq!(
        (left(&house), count(&house, "cleanups")),
        (young, 1),
        "the one of the schedule is asked for once"
    );
    assert_eq!(house.read(|reader| reader.cleanups(None, 2)).rows[0].1.by, SCHEDULE);
}

#[test]
fn a_persons_cleanup_takes_the_place_of_the_one_that_waits() {
    let mut house = with_an_old_delivery();
    house.clock.jump_wall(365 * DAY_MS);
    house.store.cleanup_by_schedule();
    turns(&mut house);
    house.store.trust_clock();
    let by = "a person".to_owned();
    let asked = house.store.cleanup(CleanupRequest { older_than: None, dry_run: false, by, address: None });
    turns(&mut house);
    assert_eq!(asked.wait().unwrap().deliveries, 1, "all that was found, and not what another one has left");
    assert_eq!(count(&house, "cleanups"), 1);
}

#[test]
fn a_cleanup_deletes_by_the_clock_that_it_began_with() {
    let mut house = with_an_old_delivery();
    let young = house.deliveries("a.b").len();
    let began = house.clock.wall();
    house.store.cleanup_by_schedule();
    house.turn();
    house.clock.jump_wall(365 * DAY_MS);
    turns(&mut house);
    assert_eq!(usize::try_from(count(&house, "deliveries")).unwrap(), young);
    let (_, report) = house.read(|reader| reader.cleanups(None, 1)).rows.remove(0);
    assert_eq!((report.started_at, report.deliveries), (began, 1));
    assert_eq!(report.ended_at, Some(UnixMs(began.0 + 365 * DAY_MS)));
}

#[test]
fn a_persons_word_is_in_the_file_once_the_cleanup_has_begun() {
    let mut house = with_an_old_delivery();
    house.clock.jump_wall(365 * DAY_MS);
    house.turn();
    house.store.trust_clock();
    let by = "a person".to_owned();
    let asked = house.store.cleanup(CleanupRequest { older_than: None, dry_run: false, by, address: None });
    turns(&mut house);
    assert_eq!(asked.wait().unwrap().deliveries, 1);
    assert_eq!(house.crash().store.cleanup_doubt(), None);
}
