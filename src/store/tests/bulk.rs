//! Changes to very many rows: in force at once, in the rows a few at a time.

use crate::domain::delivery::{HeldReason, State};
use crate::domain::ids::{DeliveryId, EndpointId};
use crate::domain::outcome::Fact;
use crate::store::handover::After;
use crate::store::writer::FEW_ROWS;

use super::house::*;
use super::make::*;
use super::recorder::Told;

const MANY: usize = 1_600;

/// A page holds the first of what is due: few while somebody publishes.
#[track_caller]
fn assert_first(page: &[DeliveryId], due: &[DeliveryId]) {
    assert!(page.len() >= FEW_ROWS && due.starts_with(page), "{page:?}");
}

/// An endpoint with many deliveries: some delivered, some failed, some waiting, the rest ready.
fn busy() -> (House, EndpointId, Vec<DeliveryId>) {
    let mut house = House::new();
    let endpoint =
        house.endpoint_with("default", &["*"], |settings| settings.retry_schedule = Some(vec![60]));
    house.endpoint("default", &["*"]);
    let ids = more(&mut house, MANY);
    let fact = |n: usize| if n.is_multiple_of(2) { Fact::Delivered } else { FAILED };
    let some = ids.iter().enumerate().step_by(7).map(|(n, id)| outcome(*id, endpoint, 1, fact(n)));
    house.settle(some.collect::<Vec<_>>());
    let again = ids.iter().enumerate().step_by(21).filter(|(n, _)| !n.is_multiple_of(2));
    house.settle(again.map(|(_, id)| outcome(*id, endpoint, 1, FAILED)).collect::<Vec<_>>());
    (house, endpoint, ids)
}

/// Publishes more and says which deliveries the first endpoint has.
fn more(house: &mut House, count: usize) -> Vec<DeliveryId> {
    house.publish_many("default", "a.b", count).iter().map(|p| DeliveryId(p.event.0 + 1)).collect()
}

pub(super) fn states(house: &House, ids: &[DeliveryId]) -> Vec<State> {
    ids.iter().map(|id| house.state(*id)).collect()
}

/// Runs turns and restarts until the change is finished; at every moment one delivery shows what it is about to be.
fn watch(mut house: House, ids: &[DeliveryId], expected: &[State], restarts: bool) -> House {
    let mut moments = 0;
    loop {
        assert_eq!(states(&house, ids), expected, "after {moments} turns");
        for id in ids.iter().step_by(97) {
            let row = house.row(*id);
            assert_eq!(row.held_reason.is_some(), row.state == State::Held);
            assert_eq!(row.due.is_some(), row.state == State::Waiting);
        }
        if house.number("SELECT count(*) FROM bulk_changes") == 0 {
            break;
        }
        moments += 1;
        house.turn();
        if restarts {
            house = if moments % 2 == 0 { house.crash() } else { house.restart() };
        }
    }
    assert!(moments >= 3, "seen in the middle");
    house
}

fn open_to(before: &[State], to: State) -> Vec<State> {
    let open = [State::Ready, State::Waiting, State::Held];
    before.iter().map(|state| if open.contains(state) { to } else { *state }).collect()
}

#[test]
fn disabling_holds_what_is_pending_in_turns_and_shows_it_at_once() {
    for restarts in [false, true] {
        let (mut house, endpoint, ids) = busy();
        let before = states(&house, &ids);
        house.disable(endpoint);
        let mut house = watch(house, &ids, &open_to(&before, State::Held), restarts);
        assert!(house.due(endpoint).is_empty());
        assert_eq!(house.number("SELECT count(*) FROM deliveries WHERE state = 3 AND due_at IS NOT NULL"), 0);
        let rows = house.number("SELECT count(*) FROM deliveries WHERE state = 3");
        assert_eq!(
            usize::try_from(rows).unwrap(),
            open_to(&before, State::Held).iter().filter(|s| **s == State::Held).count()
        );
    }
}

#[test]
fn enabling_starts_a_new_round_for_each_in_order() {
    for restarts in [false, true] {
        let (mut house, endpoint, ids) = busy();
        let before = states(&house, &ids);
        house.disable(endpoint);
        house.finish_bulk();
        house.told.told();
        house.enable(endpoint, true);
        let mut house = watch(house, &ids, &open_to(&before, State::Ready), restarts);
        let released: Vec<_> = ids.iter().filter(|id| house.state(**id) == State::Ready).copied().collect();
        assert!(released.iter().all(|id| house.row(*id).round == 2));
        assert_eq!(house.number("SELECT count(*) FROM deliveries WHERE round = 2 AND round_attempts > 0"), 0);
        assert_first(&house.due(endpoint), &released);
        let delivered = ids.iter().find(|id| house.state(**id) == State::Delivered).unwrap();
        assert_eq!(house.row(*delivered).round, 1);
    }
}

#[test]
fn discarding_cancels_what_was_held_and_lets_new_events_through_at_once() {
    for restarts in [false, true] {
        let (mut house, endpoint, ids) = busy();
        let before = states(&house, &ids);
        house.disable(endpoint);
        house.turn();
        house.enable(endpoint, false);
        let new = more(&mut house, 1);
        assert_eq!(house.due(endpoint), new, "nothing that is discarded");
        let mut house = watch(house, &ids, &open_to(&before, State::Canceled), restarts);
        assert_eq!((house.due(endpoint), house.state(new[0])), (new.clone(), State::Ready));
    }
}

#[test]
fn deleting_cancels_everything_that_is_not_over() {
    for restarts in [false, true] {
        let (mut house, endpoint, ids) = busy();
        let before = states(&house, &ids);
        house.delete(endpoint);
        assert!(house.told.told().contains(&Told::Gone(endpoint)));
        let mut house = watch(house, &ids, &open_to(&before, State::Canceled), restarts);
        assert!(house.due(endpoint).is_empty());
        let published = house.publish(house.event("default", "a.b", "1")).unwrap();
        assert_eq!(published.deliveries, 1, "the other endpoint's");
        assert!(house.read(|reader| reader.endpoint(endpoint)).unwrap().deleted_at.is_some());
    }
}

#[test]
fn disabling_during_a_release_takes_back_what_is_left_of_it() {
    let (mut house, endpoint, ids) = busy();
    let before = states(&house, &ids);
    house.disable(endpoint);
    house.finish_bulk();
    house.enable(endpoint, true);
    house.disable(endpoint);
    let house = watch(house, &ids, &open_to(&before, State::Held), true);
    assert_eq!(house.number("SELECT count(DISTINCT round) FROM deliveries WHERE state = 3"), 2);
}

#[test]
fn enabling_during_a_hold_gives_everything_a_new_round() {
    let (mut house, endpoint, ids) = busy();
    let before = states(&house, &ids);
    house.disable(endpoint);
    house.enable(endpoint, true);
    let house = watch(house, &ids, &open_to(&before, State::Ready), true);
    let ready = "SELECT count(*) FROM deliveries WHERE state = 0 AND endpoint_id =";
    assert_eq!(house.number(&format!("{ready} {} AND round <> 2", endpoint.0)), 0);
}

#[test]
fn a_discard_that_is_not_finished_survives_a_later_disable_and_enable() {
    let (mut house, endpoint, ids) = busy();
    let before = states(&house, &ids);
    house.disable(endpoint);
    house.enable(endpoint, false);
    let between = more(&mut house, 300);
    house.disable(endpoint);
    house.enable(endpoint, true);
    let all = [ids.clone(), between.clone()].concat();
    let expected = [open_to(&before, State::Canceled), vec![State::Ready; 300]].concat();
    let mut house = watch(house, &all, &expected, false);
    assert_first(&house.due(endpoint), &between);
}

#[test]
fn what_is_accepted_later_is_not_touched() {
    let (mut house, endpoint, _) = busy();
    house.disable(endpoint);
    let held = more(&mut house, 3);
    assert_eq!(states(&house, &held), [State::Held; 3]);
    house.enable(endpoint, true);
    let ready = more(&mut house, 3);
    assert_eq!(states(&house, &ready), [State::Ready; 3]);
    house.finish_bulk();
    assert!(ready.iter().all(|id| house.row(*id).round == 1), "nothing was done to it");
    assert!(held.iter().all(|id| house.row(*id).round == 2));
}

#[test]
fn an_endpoint_that_skips_makes_no_delivery_while_it_is_disabled() {
    let mut house = House::new();
    let endpoint = house.endpoint_with("default", &["*"], |settings| settings.hold_while_disabled = false);
    house.disable(endpoint);
    let published = house.publish(house.event("default", "a.b", "1")).unwrap();
    assert_eq!((published.deliveries, published.without_endpoints), (0, false));
}

#[test]
fn what_a_restore_holds_back_waits_for_its_own_word() {
    let (mut house, endpoint, ids) = busy();
    house
        .other()
        .execute("UPDATE deliveries SET state = 3, held_reason = 2, due_at = NULL WHERE state IN (0, 2)", [])
        .unwrap();
    let before = states(&house, &ids);
    for deliver in [true, false] {
        house.disable(endpoint);
        house.enable(endpoint, deliver);
        house = watch(house, &ids, &before, false);
    }
    let restored = house.row(*ids.iter().find(|id| house.state(**id) == State::Held).unwrap());
    assert_eq!(restored.held_reason, Some(HeldReason::Restored));
    // Its own word: the rows follow in turns, whatever happens to the endpoint meanwhile.
    let released = house.write(move |tx| tx.release_restored(endpoint, true, 1_000));
    house.disable(endpoint);
    house.enable(endpoint, true);
    assert!(released.is_some());
    let mut house = watch(house, &ids, &open_to(&before, State::Ready), false);
    house.delete(endpoint);
    watch(house, &ids, &open_to(&before, State::Canceled), false);
}

#[test]
fn failures_that_arrive_while_a_discard_is_under_way_do_not_bring_anything_back() {
    let (mut house, endpoint, ids) = busy();
    house.disable(endpoint);
    house.enable(endpoint, false);
    let in_flight = [ids[1], ids[MANY - 2]];
    house.told.told();
    house.settle(in_flight.map(|id| outcome(id, endpoint, 1, FAILED)));
    let after: Vec<_> =
        house.told.told().into_iter().filter(|told| matches!(told, Told::Settled(..))).collect();
    assert_eq!(after, in_flight.map(|id| Told::Settled(id, After::Over)));
    assert_eq!(states(&house, &in_flight), [State::Canceled; 2]);
    house.finish_bulk();
    assert_eq!(states(&house, &in_flight), [State::Canceled; 2]);
    assert!(in_flight.iter().all(|id| house.row(*id).attempts == 1), "the attempt is recorded");
}

#[test]
fn a_failure_that_would_be_the_last_does_not_fail_what_a_release_is_about_to_renew() {
    let mut house = House::new();
    let endpoint = house.endpoint_with("default", &["*"], |settings| settings.retry_schedule = Some(vec![]));
    let ids: Vec<_> =
        house.publish_many("default", "a.b", MANY).iter().map(|p| DeliveryId(p.event.0 + 1)).collect();
    let last = ids[MANY - 1];
    house.disable(endpoint);
    house.enable(endpoint, true);
    house.told.told();
    house.settle([outcome(last, endpoint, 1, FAILED)]);
    assert!(house.told.told().contains(&Told::Settled(last, After::Ready)));
    house.finish_bulk();
    let row = house.row(last);
    assert_eq!((row.state, row.round, row.attempts), (State::Ready, 2, 1));
    house.settle([outcome(last, endpoint, 2, FAILED)]);
    assert_eq!(house.state(last), State::Failed);
}

#[test]
fn a_success_that_arrives_meanwhile_is_delivered() {
    for what in 0..4 {
        let (mut house, endpoint, ids) = busy();
        house.disable(endpoint);
        match what {
            0 => {}
            1 => house.enable(endpoint, true),
            2 => house.enable(endpoint, false),
            _ => house.delete(endpoint),
        }
        let in_flight = [ids[1], ids[MANY - 2]];
        house.settle(in_flight.map(|id| outcome(id, endpoint, 1, Fact::Delivered)));
        assert_eq!(states(&house, &in_flight), [State::Delivered; 2]);
        house.finish_bulk();
        assert_eq!(states(&house, &in_flight), [State::Delivered; 2]);
    }
}
