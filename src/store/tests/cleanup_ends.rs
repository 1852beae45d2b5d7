//! Cleanups that end early, and what is left for the next one.

use crate::domain::outcome::Fact;
use crate::store::StoreError;

use super::cleanup::{a_full_day, clean, cleanup, count, exists, request, try_clean};
use super::house::*;
use super::make::*;

#[test]
fn a_cleanup_cut_short_by_a_kill_or_a_stop_is_seen_and_the_next_one_goes_on() {
    for kill in [true, false] {
        let mut house = House::new();
        let endpoint = house.endpoint("default", &["*"]);
        a_full_day(&mut house, endpoint, 600);
        house.clock.advance(DAY * 31);
        let answer = cleanup(&house, request(None, false));
        while count(&house, "deliveries") > 400 {
            house.turn();
        }
        let mut house = if kill { house.crash() } else { house.restart() };
        assert!(matches!(answer.wait(), Err(StoreError::Stopping)));
        let left = count(&house, "deliveries");
        assert!(left > 0);
        let (_, cut) = house.read(|reader| reader.cleanups(None, 1)).rows.remove(0);
        assert_eq!((cut.ended_at.is_some(), cut.error.is_some()), (!kill, !kill));
        let report = clean(&mut house, None);
        assert_eq!((i64::try_from(report.deliveries).unwrap(), report.events), (left, 600));
    }
}

#[test]
fn a_cleanup_that_fails_says_why_and_leaves_ingest_as_it_was() {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    a_full_day(&mut house, endpoint, 10);
    house.clock.advance(DAY * 31);
    plant_failure(&house, "DELETE ON deliveries");
    let error = try_clean(&mut house, request(None, false)).unwrap_err();
    assert!(error.to_string().contains("planted"));
    let (_, report) = house.read(|reader| reader.cleanups(None, 1)).rows.remove(0);
    assert!(report.ended_at.is_some() && report.error.unwrap().contains("planted"));
    let filled = count(&house, "tenant_events");
    house.publish_many("default", "a.b", 3);
    assert_eq!(count(&house, "tenant_events"), filled, "rows are filled behind in their own time again");
    house.other().execute_batch("DROP TRIGGER planted").unwrap();
    assert_eq!(clean(&mut house, None).deliveries, 10);
}

#[test]
fn cleanups_that_wait_when_the_server_stops_are_answered() {
    let house = House::threaded();
    let store = std::sync::Arc::clone(&house.store);
    store.close();
    assert!(matches!(store.cleanup(request(None, false)).wait(), Err(StoreError::Stopping)));
    let house = House::new();
    let waiting = house.store.cleanup(request(None, false));
    drop(house.close());
    assert!(matches!(waiting.wait(), Err(StoreError::Stopping)));
}

#[test]
fn rows_of_a_time_when_the_clock_was_ahead_do_not_keep_the_others() {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    let year = 365 * 86_400_000;
    let publish = |house: &mut House| {
        let id = house.deliveries("a.b")[0];
        house.settle([outcome(id, endpoint, 1, Fact::Delivered)]);
        id
    };
    let before = publish(&mut house);
    house.clock.jump_wall(10 * year);
    let ahead = publish(&mut house);
    house.clock.jump_wall(-10 * year);
    let after = publish(&mut house);
    house.clock.advance(DAY * 31);
    let young = publish(&mut house);
    let report = clean(&mut house, None);
    assert_eq!((report.deliveries, report.events), (2, 2));
    assert_eq!([before, ahead, after, young].map(|id| exists(&house, id)), [false, true, false, true]);
}

#[test]
fn a_deleted_endpoint_goes_although_events_keep_coming() {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["none"]);
    house.endpoint("default", &["*"]);
    house.delete(endpoint);
    house.finish_bulk();
    let mut answer = cleanup(&house, request(None, false));
    loop {
        house.publish_many("default", "a.b", 2);
        match answer.try_take() {
            Ok(_) => break,
            Err(again) => answer = again,
        }
    }
    assert_eq!(count(&house, "endpoints"), 1);
}
