//! The cleanup: what goes, what stays, and that the space comes back.

use std::time::Duration;

use crate::clock::Clock as _;
use crate::domain::delivery::State;
use crate::domain::ids::{DeliveryId, EndpointId, EventId};
use crate::domain::outcome::Fact;
use crate::store::StoreError;
use crate::store::answer::Answer;
use crate::store::cleanup::{CleanupReport, CleanupRequest, SCHEDULE};
use crate::store::publish::NewEvent;

use super::house::*;
use super::make::*;

pub(super) fn try_clean(house: &mut House, request: CleanupRequest) -> Result<CleanupReport, StoreError> {
    let mut answer = cleanup(house, request);
    loop {
        house.turn();
        match answer.try_take() {
            Ok(result) => return result,
            Err(again) => answer = again,
        }
    }
}

/// Starts a cleanup. Tests let weeks pass in one step, with no mark of the clock between: it is right.
pub(super) fn cleanup(house: &House, request: CleanupRequest) -> Answer<CleanupReport> {
    house.store.trust_clock();
    house.store.cleanup(request)
}

pub(super) fn request(older_than: Option<Duration>, dry_run: bool) -> CleanupRequest {
    CleanupRequest { older_than, dry_run, by: SCHEDULE.to_owned(), address: None }
}

/// A dry run first, which has to count what the real one then does.
pub(super) fn clean(house: &mut House, older_than: Option<Duration>) -> CleanupReport {
    let counts = |house: &House| TABLES.map(|table| count(house, table));
    let before = counts(house);
    let dry = try_clean(house, request(older_than, true)).unwrap();
    assert_eq!(counts(house), before, "a dry run deletes nothing");
    let done = try_clean(house, request(older_than, false)).unwrap();
    assert_eq!((dry.deliveries, dry.events, dry.freed_bytes), (done.deliveries, done.events, 0));
    done
}

const TABLES: [&str; 8] =
    ["events", "deliveries", "attempts", "hourly", "endpoints", "endpoint_revisions", "audit", "cleanups"];

pub(super) fn count(house: &House, from: &str) -> i64 {
    house.number(&format!("SELECT count(*) FROM {from}"))
}

pub(super) fn exists(house: &House, id: DeliveryId) -> bool {
    house.read(|reader| reader.delivery(id)).is_some()
}

/// One delivery in each state, of endpoints that are left enabled.
fn one_in_each_state(house: &mut House) -> Vec<(State, DeliveryId)> {
    let retried = house.endpoint_with("default", &["retried"], |s| s.retry_schedule = Some(vec![60]));
    let once = house.endpoint_with("default", &["once"], |s| s.retry_schedule = Some(vec![]));
    let gone = house.endpoint("default", &["gone"]);
    let disabled = house.endpoint("default", &["disabled"]);
    let ready = house.deliveries("retried")[0];
    let waiting = house.deliveries("retried")[0];
    let delivered = house.deliveries("retried")[0];
    let failed = house.deliveries("once")[0];
    let canceled = house.deliveries("gone")[0];
    let held = house.deliveries("disabled")[0];
    house.settle([outcome(waiting, retried, 1, FAILED), outcome(delivered, retried, 1, Fact::Delivered)]);
    house.settle([outcome(failed, once, 1, FAILED)]);
    house.delete(gone);
    house.disable(disabled);
    house.finish_bulk();
    let all = [
        (State::Ready, ready),
        (State::Waiting, waiting),
        (State::Delivered, delivered),
        (State::Failed, failed),
        (State::Canceled, canceled),
        (State::Held, held),
    ];
    assert!(all.iter().all(|(state, id)| house.state(*id) == *state));
    all.to_vec()
}

#[test]
fn only_what_is_old_and_over_goes_and_what_is_held_by_its_age() {
    let mut house = House::new();
    let old = one_in_each_state(&mut house);
    house.clock.advance(DAY * 30);
    let young = one_in_each_state(&mut house);
    house.clock.advance(Duration::from_millis(1));
    let report = clean(&mut house, None);
    assert_eq!((report.deliveries, report.events), (4, 4));
    for (state, id) in old {
        assert_eq!(exists(&house, id), state.is_pending(), "{state:?}");
        let event = house.read(|reader| reader.stored_event(EventId(id.0 - 1)));
        assert_eq!(event.is_some(), state.is_pending());
        assert_eq!(house.read(|reader| reader.attempts(id)).len(), usize::from(state == State::Waiting));
    }
    assert!(young.iter().all(|(_, id)| exists(&house, *id)));
    assert_eq!(clean(&mut house, None).deliveries, 0, "and no more the next time");
}

#[test]
fn list_indexes_and_look_ups_go_with_their_rows() {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    for n in 0..20 {
        let event = NewEvent {
            own_id: Some(own_id(&format!("id-{n}"))),
            idempotency: Some(key(&format!("key-{n}"), 1)),
            ..house.event("default", "a.b", "1")
        };
        house.publish(event).unwrap();
    }
    let due = house.due(endpoint);
    house.settle(due.iter().map(|id| outcome(*id, endpoint, 1, Fact::Delivered)));
    house.clock.advance(DAY * 31);
    let report = clean(&mut house, None);
    assert_eq!((report.deliveries, report.events), (20, 20));
    for table in [
        "events",
        "deliveries",
        "attempts",
        "endpoint_deliveries",
        "tenant_deliveries",
        "tenant_events",
        "event_keys",
    ] {
        assert_eq!(count(&house, table), 0, "{table}");
    }
    let again = NewEvent { own_id: Some(own_id("id-1")), ..house.event("default", "a.b", "2") };
    assert!(!house.publish(again).unwrap().replayed, "the id is free again");
}

#[test]
fn an_event_stays_as_long_as_a_delivery_refers_to_it_and_as_long_as_the_settings_say() {
    let mut house = House::new();
    house.settings(|settings| settings.event_retention_days = Some(60));
    let endpoint = house.endpoint("default", &["*"]);
    let ids: Vec<_> =
        house.publish_many("default", "a.b", 3).iter().map(|p| DeliveryId(p.event.0 + 1)).collect();
    house.settle(ids[..2].iter().map(|id| outcome(*id, endpoint, 1, Fact::Delivered)));
    house.clock.advance(DAY * 31);
    // A delivery of the second event that was made later.
    let replay = ids[1].0 + 1_000_000;
    let sql = format!(
        "INSERT INTO deliveries (id, event_id, endpoint_id, tenant_id, state, round, round_attempts, attempts, created_at, made)
         VALUES ({replay}, {}, {}, 1, 1, 1, 1, 1, {}, 1)",
        ids[1].0 - 1, endpoint.0, house.clock.wall().0
    );
    house.other().execute(&sql, []).unwrap();
    let mut house = house.restart();
    let report = clean(&mut house, None);
    assert_eq!((report.deliveries, report.events), (2, 0), "events are kept longer");
    house.clock.advance(DAY * 29 + HOUR * 23);
    assert_eq!(clean(&mut house, None).events, 1, "the other two are referred to");
    house.clock.advance(HOUR * 2);
    let report = clean(&mut house, None);
    assert_eq!((report.deliveries, report.events), (1, 1));
    assert!(exists(&house, ids[2]), "still pending");
    house.settings(|settings| settings.event_retention_days = Some(0));
    house.settle([outcome(ids[2], endpoint, 1, Fact::Delivered)]);
    let report = clean(&mut house, None);
    assert_eq!(
        (report.deliveries, report.events, count(&house, "events")),
        (1, 0, 1),
        "0 keeps events for ever"
    );
}

#[test]
fn old_counters_revisions_and_audit_lines_go_and_so_do_deleted_endpoints() {
    let mut house = House::new();
    house.settings(|settings| settings.audit_retention_days = 400);
    let [kept, deleted] = [(); 2].map(|()| house.endpoint("default", &["*"]));
    let ids = house.deliveries("a.b");
    house.settle(ids.iter().zip([kept, deleted]).map(|(id, e)| outcome(*id, e, 1, Fact::Delivered)));
    house.write(move |tx| tx.put_revision(kept, &revision()));
    house.delete(deleted);
    house.finish_bulk();
    clean(&mut house, None);
    assert_eq!(
        (count(&house, "endpoint_revisions"), count(&house, "endpoints")),
        (3, 2),
        "still referred to"
    );
    house.clock.advance(DAY * 31);
    clean(&mut house, None);
    assert_eq!((count(&house, "endpoint_revisions"), count(&house, "endpoints")), (1, 1));
    assert!(house.read(|reader| reader.endpoint(kept)).unwrap().revision.number == 2);
    assert_eq!((count(&house, "endpoint_health"), count(&house, "endpoint_secrets")), (1, 1));
    assert_eq!((count(&house, "hourly"), count(&house, "audit")), (2, 1));
    house.clock.advance(DAY * 336);
    clean(&mut house, None);
    assert_eq!((count(&house, "hourly"), count(&house, "audit")), (0, 1));
    house.clock.advance(DAY * 34);
    clean(&mut house, None);
    assert_eq!(count(&house, "audit"), 0);
}

#[test]
fn a_revision_stays_while_a_delivery_may_refer_to_it() {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    house.publish_many("default", "a.b", 1);
    house.write(move |tx| tx.put_revision(endpoint, &revision()));
    house.publish_many("default", "a.b", 1);
    house.write(move |tx| tx.put_revision(endpoint, &revision()));
    house.clock.advance(DAY * 31);
    clean(&mut house, None);
    assert_eq!(count(&house, "endpoint_revisions"), 3, "both deliveries are pending");
}

/// A few thousand delivered events of a day, with a kilobyte each.
pub(super) fn a_full_day(house: &mut House, endpoint: EndpointId, count: usize) {
    let data = format!("\"{}\"", "x".repeat(1_000));
    let answers: Vec<_> =
        (0..count).map(|_| house.store.publish(house.event("default", "a.b", &data))).collect();
    while house.store.load().1 > 0 {
        house.turn();
    }
    let ids = answers.into_iter().map(|answer| DeliveryId(answer.wait().unwrap().event.0 + 1));
    for some in ids.collect::<Vec<_>>().chunks(1_000) {
        house.settle(some.iter().map(|id| outcome(*id, endpoint, 1, Fact::Delivered)));
    }
}

#[test]
fn the_file_becomes_smaller_and_the_report_says_by_how_much() {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    a_full_day(&mut house, endpoint, 3_000);
    house.clock.advance(DAY * 31);
    let size = |house: &House| i64::try_from(std::fs::metadata(house.path()).unwrap().len()).unwrap();
    house.connection().query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
    let before = size(&house);
    let report = clean(&mut house, None);
    assert_eq!((report.deliveries, report.events), (3_000, 3_000));
    assert!(report.freed_bytes > 3_000_000, "{}", report.freed_bytes);
    let pages = house.number("SELECT page_count * 4096 FROM pragma_page_count");
    assert_eq!(size(&house), pages, "on disk as well");
    assert!(before - size(&house) > 3_000_000);
    let listed = house.read(|reader| reader.cleanups(None, 10)).rows;
    assert_eq!(listed.len(), 1, "a dry run is not kept");
    assert_eq!(listed[0].1, report);
    let listed = house.read(|reader| reader.cleanups(None, 1)).rows;
    assert_eq!(listed.first().map(|(_, listed)| listed.started_at), Some(report.started_at));
}

#[test]
fn space_is_given_back_a_hundred_pages_a_turn() {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    a_full_day(&mut house, endpoint, 1_000);
    house.clock.advance(DAY * 31);
    let mut answer = cleanup(&house, request(None, false));
    let free = |house: &House| house.number("SELECT freelist_count FROM pragma_freelist_count");
    let (mut steps, mut last) = (Vec::new(), 0);
    loop {
        house.turn();
        if free(&house) < last {
            steps.push(last - free(&house));
        }
        last = free(&house);
        match answer.try_take() {
            Ok(_) => break,
            Err(again) => answer = again,
        }
    }
    assert!(steps.len() > 1 && steps[..steps.len() - 1].iter().all(|step| *step == 100), "{steps:?}");
    assert_eq!(last, 0);
}

#[test]
fn an_age_that_a_person_gives_goes_before_the_settings() {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    for _ in 0..4 {
        let id = house.deliveries("a.b")[0];
        house.settle([outcome(id, endpoint, 1, Fact::Delivered)]);
        house.clock.advance(HOUR);
    }
    let report = clean(&mut house, Some(HOUR * 2));
    assert_eq!((report.deliveries, report.events, report.by.as_str()), (2, 2, SCHEDULE));
    // Events that are kept for ever stay all the same.
    house.write(|tx| {
        let mut settings = (*tx.settings()).clone();
        settings.event_retention_days = Some(0);
        tx.put_settings(settings)
    });
    let report = clean(&mut house, Some(HOUR));
    assert_eq!((report.deliveries, report.events), (1, 0));
}

#[test]
fn what_the_list_indexes_do_not_hold_yet_is_cleaned_as_well() {
    let mut house = House::new();
    for n in 0..5 {
        house.endpoint_with("default", &["*"], |settings| settings.max_in_flight = Some(n + 1));
    }
    // Far more than one turn of filling takes in.
    house.publish_many("default", "a.b", 1_000);
    house.other().execute("UPDATE deliveries SET state = 1", []).unwrap();
    house.clock.advance(DAY * 31);
    let report = clean(&mut house, None);
    assert_eq!((report.deliveries, report.events), (5_000, 1_000));
}
