//! What a restore holds back: released or discarded, whatever else happens to its endpoint meanwhile.

use crate::domain::delivery::{HeldReason, State};
use crate::domain::ids::{DeliveryId, EndpointId};
use crate::domain::outcome::Fact;
use crate::store::restored::Looked;

use super::house::*;
use super::make::*;

/// An endpoint with so many deliveries that a restore holds back, and one that is pending.
fn restored(count: usize) -> (House, EndpointId, Vec<DeliveryId>, DeliveryId) {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    let held = house.publish_many("default", "a.b", count);
    house.write(|tx| Ok(tx.connection().execute("UPDATE deliveries SET state = 3, held_reason = 2", [])?));
    let pending = house.deliveries("fresh")[0];
    let held = held.iter().map(|published| DeliveryId(published.event.0 + 1)).collect();
    (house, endpoint, held, pending)
}

fn all(house: &House, ids: &[DeliveryId]) -> (State, Option<HeldReason>) {
    let mut states: Vec<_> = ids.iter().map(|id| (house.state(*id), house.row(*id).held_reason)).collect();
    states.dedup();
    assert_eq!(states.len(), 1, "{states:?}");
    states.remove(0)
}

#[test]
fn enabling_and_disabling_leave_it_alone_until_somebody_says_what_becomes_of_it() {
    let (mut house, endpoint, held, pending) = restored(3);
    for deliver in [true, false] {
        house.disable(endpoint);
        house.finish_bulk();
        house.enable(endpoint, deliver);
        house.finish_bulk();
        assert_eq!(all(&house, &held), (State::Held, Some(HeldReason::Restored)));
    }
    assert_eq!(house.state(pending), State::Canceled, "by the discard");
}

#[test]
fn it_is_released_in_turns_and_sent_meanwhile() {
    let (mut house, endpoint, held, pending) = restored(700);
    let looked = house.write(move |tx| tx.release_restored(endpoint, true, 1_000));
    assert_eq!(looked, Some(Looked { at: 700, restored: 700 }));
    assert!(house.number("SELECT count(*) FROM bulk_changes") > 0);
    assert_eq!(all(&house, &held), (State::Ready, None), "each shows what it is about to be");
    let job = house.page(endpoint, 1, 1 << 20).jobs.remove(0);
    house.settle([outcome(job.delivery, endpoint, job.round, Fact::Delivered)]);
    house = house.crash();
    house.finish_bulk();
    assert_eq!(house.state(job.delivery), State::Delivered);
    let rounds = "SELECT count(*) FROM deliveries WHERE state IN (0, 1) AND round = ";
    assert_eq!((house.number(&format!("{rounds}1")), house.number(&format!("{rounds}2"))), (1, 700));
    assert_eq!(house.state(pending), State::Ready);
    assert_eq!(house.write(move |tx| tx.release_restored(endpoint, true, 1_000)), None, "nothing is held");
}

#[test]
fn it_is_discarded_and_nothing_else_is() {
    let (mut house, endpoint, held, pending) = restored(300);
    house.write(move |tx| tx.release_restored(endpoint, false, 1_000));
    house.finish_bulk();
    assert_eq!(all(&house, &held), (State::Canceled, None));
    assert_eq!(house.state(pending), State::Ready);
}

#[test]
fn at_a_disabled_endpoint_it_waits_for_that_instead() {
    let (mut house, endpoint, held, _) = restored(300);
    house.disable(endpoint);
    house.write(move |tx| tx.release_restored(endpoint, true, 1_000));
    house.finish_bulk();
    assert_eq!(all(&house, &held), (State::Held, Some(HeldReason::EndpointDisabled)));
    house.enable(endpoint, true);
    house.finish_bulk();
    assert_eq!(all(&house, &held), (State::Ready, None));
}

#[test]
fn what_was_said_about_it_holds_whatever_is_decided_before_it_is_done() {
    let (mut house, endpoint, held, pending) = restored(700);
    house.write(move |tx| tx.release_restored(endpoint, false, 1_000));
    house.disable(endpoint);
    house.enable(endpoint, true);
    house.finish_bulk();
    assert_eq!(all(&house, &held), (State::Canceled, None));
    assert_eq!(house.state(pending), State::Ready);
    let (mut house, endpoint, held, pending) = restored(700);
    house.write(move |tx| tx.release_restored(endpoint, true, 1_000));
    house.disable(endpoint);
    house.finish_bulk();
    assert_eq!(all(&house, &held), (State::Held, Some(HeldReason::EndpointDisabled)));
    house.enable(endpoint, false);
    house.finish_bulk();
    assert_eq!((all(&house, &held), house.state(pending)), ((State::Canceled, None), State::Canceled));
    let (mut house, endpoint, held, _) = restored(700);
    house.write(move |tx| tx.release_restored(endpoint, true, 1_000));
    house.delete(endpoint);
    house.finish_bulk();
    assert_eq!(all(&house, &held), (State::Canceled, None));
}
