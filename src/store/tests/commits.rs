//! Group commit: who fails alone, who fails together, and that nobody is told otherwise.

use std::collections::HashSet;

use crate::domain::delivery::State;
use crate::domain::ids::EventId;
use crate::domain::outcome::Fact;
use crate::store::handover::After;
use crate::store::publish::PublishError;
use crate::store::{Answer, StoreError};

use super::house::*;
use super::make::*;
use super::recorder::Told;

fn unavailable<T: std::fmt::Debug>(result: &Result<T, PublishError>) -> bool {
    matches!(result, Err(PublishError::Store(StoreError::Unavailable(_))))
}

pub(super) fn stored(house: &House) -> HashSet<EventId> {
    house.read(|reader| {
        let mut statement = reader.connection().prepare("SELECT id FROM events")?;
        let ids = statement.query_map([], |row| row.get(0).map(EventId))?.collect::<Result<_, _>>()?;
        Ok(ids)
    })
}

#[test]
fn a_write_that_errs_or_panics_fails_alone_and_leaves_nothing() {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    for panics in [false, true] {
        let before = house.store.publish(house.event("default", "a.b", "1"));
        let failing = house.store.write(move |tx| {
            tx.delete_endpoint(endpoint, &crate::store::audit::Actor::system())?;
            tx.insert_tenant(&crate::domain::names::TenantName::parse("acme").unwrap())?;
            assert!(!panics, "as planned");
            Err::<(), _>(StoreError::Internal("as planned".to_owned()))
        });
        let after = house.store.publish(house.event("default", "a.b", "2"));
        house.turn();
        house.turn();
        let message = failing.wait().unwrap_err().to_string();
        assert!(message.contains("as planned"), "{message}");
        assert_eq!((before.wait().unwrap().deliveries, after.wait().unwrap().deliveries), (1, 1));
    }
    assert!(house.store.directory().route(endpoint).is_some());
    assert_eq!(house.store.directory().all().len(), 1);
    assert_eq!(house.number("SELECT count(*) FROM tenants WHERE name = 'acme'"), 0);
    assert_eq!(house.number("SELECT count(*) FROM bulk_changes"), 0);
    assert!(house.store.trouble().is_none() && house.told.notes().trouble.is_empty());
}

#[test]
fn a_publish_that_fails_fails_alone() {
    let mut house = House::new();
    house.endpoint("default", &["*"]);
    plant_failure(&house, "INSERT ON events WHEN new.type = 'bad'");
    let kinds = ["a.b", "bad", "a.b", "bad", "a.b"];
    let answers: Vec<_> =
        kinds.iter().map(|kind| house.store.publish(house.event("default", kind, "1"))).collect();
    house.turn();
    let results: Vec<_> = answers.into_iter().map(Answer::wait).collect();
    for (kind, result) in kinds.iter().zip(&results) {
        match result {
            Ok(published) => assert_eq!((*kind, published.deliveries), ("a.b", 1)),
            Err(error) => {
                assert_eq!(*kind, "bad");
                assert!(error.to_string().contains("planted"), "{error}");
            }
        }
    }
    assert_eq!(stored(&house).len(), 3);
    assert_eq!(house.number("SELECT count(*) FROM deliveries"), 3);
    let accepted = house.told.told().iter().filter(|told| matches!(told, Told::Accepted(..))).count();
    assert_eq!(accepted, 3, "handed over once each");
}

#[test]
fn an_outcome_that_cannot_be_written_is_given_up_alone_and_its_delivery_comes_again() {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    let ids: Vec<_> = (0..3).map(|_| house.deliveries("a.b")[0]).collect();
    plant_failure(&house, &format!("INSERT ON attempts WHEN new.delivery_id = {}", ids[1].0));
    house.told.told();
    house.settle(ids.iter().map(|id| outcome(*id, endpoint, 1, Fact::Delivered)));
    let states: Vec<_> = ids.iter().map(|id| house.state(*id)).collect();
    assert_eq!(states, [State::Delivered, State::Ready, State::Delivered]);
    let settled = |told: &Told| match told {
        Told::Settled(id, after) => Some((*id, matches!(after, After::Due(_)))),
        _ => None,
    };
    let told: Vec<_> = house.told.told().iter().filter_map(settled).collect();
    assert_eq!(told, [(ids[0], false), (ids[1], true), (ids[2], false)]);
    assert_eq!(house.number("SELECT sum(attempts_ok) FROM hourly"), 2);
    assert_eq!(house.due(endpoint), [ids[1]]);
}

#[test]
fn a_commit_that_fails_fails_everyone_and_outcomes_are_written_afterwards() {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    let delivery = house.deliveries("a.b")[0];
    let before = stored(&house);
    house.told.told();
    house.store.settle(outcome(delivery, endpoint, 1, Fact::Delivered));
    let publish = house.store.publish(house.event("default", "a.b", "1"));
    let write = house.store.write(break_commit);
    house.turn();
    assert!(unavailable(&publish.wait()));
    assert!(matches!(write.wait(), Err(StoreError::Unavailable(_))));
    assert!(house.store.trouble().is_some());
    assert!(matches!(&house.told.notes().trouble[..], [Some(_)]));
    assert_eq!((stored(&house), house.state(delivery)), (before.clone(), State::Ready));
    assert!(house.told.told().is_empty());
    // It is tried again by itself.
    house.turn();
    assert_eq!((stored(&house), house.state(delivery)), (before, State::Delivered));
    assert_eq!(house.told.notes().trouble.len(), 2);
    assert!(house.told.notes().trouble[1].is_none() && house.store.trouble().is_none());
    assert!(house.told.told().contains(&Told::Settled(delivery, After::Over)));
    assert_eq!(house.number("SELECT attempts_ok FROM hourly"), 1);
    assert_eq!(house.publish(house.event("default", "a.b", "1")).unwrap().deliveries, 1);
}

/// Gives the file no room to grow (`true`), or as much as it wants.
fn fill_disk(house: &House, full: bool) {
    let sql = format!("PRAGMA max_page_count = {}", if full { 1 } else { 1 << 30 });
    house.connection().query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap();
}

#[test]
fn a_full_disk_refuses_events_and_keeps_outcomes_until_there_is_room() {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    let ids: Vec<_> = (0..40).map(|_| house.deliveries("a.b")[0]).collect();
    fill_disk(&house, true);
    let before = stored(&house);
    let big = format!("\"{}\"", "x".repeat(20_000));
    for id in &ids {
        let answer = house.store.publish(house.event("default", "a.b", &big));
        let mut outcome = outcome(*id, endpoint, 1, Fact::Delivered);
        outcome.attempt.response_body = vec![b'x'; 2_048];
        house.store.settle(outcome);
        assert!(unavailable(&house.wait(answer)));
    }
    assert!(house.store.trouble().unwrap().contains("full"));
    assert_eq!(stored(&house), before);
    fill_disk(&house, false);
    house.turn();
    assert!(house.store.trouble().is_none());
    assert!(ids.iter().all(|id| house.state(*id) == State::Delivered));
    assert_eq!(house.number("SELECT sum(attempts_ok) FROM hourly"), 40);
    assert_eq!(house.number("SELECT count(*) FROM attempts"), 40);
}

#[test]
fn a_write_that_finds_the_disk_full_takes_nothing_else_with_it_twice() {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    let delivery = house.deliveries("a.b")[0];
    fill_disk(&house, true);
    house.store.settle(outcome(delivery, endpoint, 1, FAILED));
    let big = house.event("default", "a.b", &format!("\"{}\"", "x".repeat(50_000)));
    let answer = house.store.write(move |tx| tx.publish(&big));
    assert!(unavailable(&house.wait(answer)));
    fill_disk(&house, false);
    house.turn();
    assert_eq!(house.row(delivery).attempts, 1);
    assert_eq!(house.number("SELECT attempts_failed FROM hourly"), 1);
    assert_eq!(house.number("SELECT failure_count FROM endpoint_health"), 1);
    assert_eq!(stored(&house).len(), 1);
}

#[test]
fn nothing_is_written_after_sqlite_has_ended_a_transaction_by_itself() {
    let mut house = House::new();
    house.publish_many("default", "a.b", 5);
    let answer = house.store.write(|tx| {
        tx.kept.fill_all = true;
        // As SQLite does by itself when the disk is full in the wrong moment.
        tx.connection().execute_batch("ROLLBACK")?;
        Err::<(), _>(StoreError::Unavailable("disk full".to_owned()))
    });
    assert!(house.wait(answer).is_err());
    assert_eq!(house.number("SELECT count(*) FROM tenant_events"), 0);
    house.turn();
    house.publish(house.event("default", "a.b", "1")).unwrap();
    assert_eq!(house.number("SELECT count(*) FROM tenant_events"), 5);
}

#[test]
fn a_turn_that_fails_is_tried_again_and_holds_nothing_up() {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    house.publish_many("default", "a.b", 600);
    plant_failure(&house, "UPDATE ON deliveries WHEN new.state = 3");
    house.disable(endpoint);
    house.turn();
    assert!(house.store.trouble().is_none(), "a defect is not a full disk");
    assert_eq!(house.number("SELECT count(*) FROM deliveries WHERE state = 3"), 0);
    house.other().execute_batch("DROP TRIGGER planted").unwrap();
    let published = house.publish(house.event("default", "a.b", "1")).unwrap();
    assert_eq!(published.deliveries, 1, "ingest goes on");
    house.finish_bulk();
    assert_eq!(house.number("SELECT count(*) FROM deliveries WHERE state = 3"), 601);
}

#[test]
fn a_database_locked_by_another_program_is_told_and_works_again_by_itself() {
    let house = House::threaded();
    let store = std::sync::Arc::clone(&house.store);
    store.publish(house.event("default", "a.b", "1")).wait().unwrap();
    let other = house.other();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.publish(house.event("default", "a.b", "2")).wait();
    assert!(unavailable(&refused), "{refused:?}");
    assert!(refused.unwrap_err().to_string().contains("locked"));
    house.told.wait_for("trouble", |notes| notes.trouble.len() == 1);
    assert!(store.trouble().is_some());
    assert_eq!(stored(&house).len(), 1, "reading goes on");
    other.execute_batch("ROLLBACK").unwrap();
    house.told.wait_for("its end", |notes| notes.trouble.len() == 2);
    assert!(store.trouble().is_none());
    store.publish(house.event("default", "a.b", "3")).wait().unwrap();
    assert_eq!(stored(&house).len(), 2);
}

#[test]
fn a_stop_writes_what_waits_and_refuses_what_comes_later() {
    let house = House::threaded();
    let answers: Vec<_> = (0..500).map(|_| house.store.publish(house.event("default", "a.b", "1"))).collect();
    house.store.close();
    house.store.close();
    assert!(answers.into_iter().all(|answer| answer.wait().is_ok()));
    let late = house.store.publish(house.event("default", "a.b", "1")).wait();
    assert!(matches!(late, Err(PublishError::Store(StoreError::Stopping))));
    assert!(matches!(house.store.write(|_| Ok::<_, StoreError>(())).wait(), Err(StoreError::Stopping)));
    assert!(matches!(house.store.read(|_| Ok::<_, StoreError>(())), Err(StoreError::Stopping)));
    let (dir, clock) = house.close();
    assert_eq!(stored(&House::in_dir(dir, clock).unwrap()).len(), 500);
}

#[test]
fn a_batch_is_no_longer_for_events_with_many_receivers() {
    let mut house = House::new();
    for _ in 0..400 {
        house.endpoint("default", &["*"]);
    }
    let answers: Vec<_> = (0..100).map(|_| house.store.publish(house.event("default", "a.b", "1"))).collect();
    let (mut before, mut turns) = (0, 0);
    while house.store.load().1 > 0 {
        house.turn();
        let now = house.number("SELECT count(*) FROM deliveries");
        assert!(now - before <= 17_000, "{} deliveries in one commit", now - before);
        (before, turns) = (now, turns + 1);
    }
    assert!(turns > 1, "all in one commit");
    assert!(answers.into_iter().all(|answer| answer.wait().is_ok_and(|event| event.deliveries == 400)));
}
