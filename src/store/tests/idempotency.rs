//! The same event published twice: by key, by own id.

use std::sync::Arc;

use proptest::prelude::*;

use crate::store::publish::PublishError;
use crate::store::publish::{NewEvent, Published};

use super::house::*;
use super::make::*;

fn keyed(house: &House, tenant: &str, text: &str, request: u8) -> NewEvent {
    NewEvent { idempotency: Some(key(text, request)), ..house.event(tenant, "a.b", "1") }
}

fn owned(house: &House, tenant: &str, id: &str, data: &str) -> NewEvent {
    NewEvent { own_id: Some(own_id(id)), ..house.event(tenant, "a.b", data) }
}

/// Enough events that everything before them is in the look-up.
fn fill(house: &mut House) {
    house.publish_many("filler", "a.b", 1_100);
    house.publish_many("filler", "a.b", 1_100);
}

fn events(house: &House) -> i64 {
    house
        .number("SELECT count(*) FROM events e JOIN tenants t ON t.id = e.tenant_id WHERE t.name <> 'filler'")
}

fn again(first: &Published) -> Published {
    Published { replayed: true, ..first.clone() }
}

#[test]
fn the_same_key_gives_the_same_answer_before_and_after_the_fill_and_over_restarts() {
    let mut house = House::new();
    house.endpoint("acme", &["*"]);
    let first = house.publish(keyed(&house, "acme", "k", 1)).unwrap();
    assert_eq!((first.replayed, first.deliveries), (false, 1));
    for round in 0..4 {
        assert_eq!(house.publish(keyed(&house, "acme", "k", 1)).unwrap(), again(&first), "round {round}");
        let other = house.publish(keyed(&house, "acme", "k", 2));
        assert!(matches!(other, Err(PublishError::KeyReused)), "round {round}");
        match round {
            0 => house = house.crash(),
            1 => fill(&mut house),
            _ => house = house.restart(),
        }
    }
    assert_eq!(events(&house), 1);
}

#[test]
fn a_key_is_forgotten_after_24_hours_and_then_means_a_new_event() {
    let mut house = House::new();
    let first = house.publish(keyed(&house, "acme", "k", 1)).unwrap();
    house.clock.advance(HOUR * 23 + std::time::Duration::from_millis(3_599_999));
    assert_eq!(house.publish(keyed(&house, "acme", "k", 1)).unwrap(), again(&first));
    house.clock.advance(std::time::Duration::from_millis(1));
    let second = house.publish(keyed(&house, "acme", "k", 2)).unwrap();
    assert!(!second.replayed && second.event > first.event);
    fill(&mut house);
    assert_eq!(house.publish(keyed(&house, "acme", "k", 2)).unwrap(), again(&second));
    assert_eq!(events(&house), 2);
}

#[test]
fn tenants_do_not_share_keys_or_ids() {
    let mut house = House::new();
    for _ in 0..2 {
        for tenant in ["acme", "globex"] {
            let published = house.publish(owned(&house, tenant, "order-1", "1")).unwrap();
            assert_eq!((&*published.id, published.tenant.as_str()), ("order-1", tenant));
            house.publish(keyed(&house, tenant, "k", 1)).unwrap();
        }
        fill(&mut house);
    }
    assert_eq!(events(&house), 4);
}

#[test]
fn an_own_id_answers_the_same_event_for_the_same_content_and_is_taken_for_any_other() {
    let mut house = House::new();
    house.clock.advance(HOUR);
    let first = house.publish(owned(&house, "acme", "order-1", "{\"a\":1}")).unwrap();
    for _ in 0..3 {
        let same = owned(&house, "acme", "order-1", "{\"a\":1}");
        assert_eq!(house.publish(same).unwrap(), again(&first));
        let timed =
            NewEvent { timestamp: Some(first.timestamp), ..owned(&house, "acme", "order-1", "{\"a\":1}") };
        assert_eq!(house.publish(timed).unwrap(), again(&first));
        let others = [
            owned(&house, "acme", "order-1", "{\"a\": 1}"),
            NewEvent { timestamp: Some(START), ..owned(&house, "acme", "order-1", "{\"a\":1}") },
            NewEvent { own_id: Some(own_id("order-1")), ..house.event("acme", "a.c", "{\"a\":1}") },
        ];
        for other in others {
            assert!(matches!(house.publish(other), Err(PublishError::IdTaken)));
        }
        // For as long as the event is kept, not for a day only.
        house.clock.advance(DAY * 2);
        fill(&mut house);
    }
    let tenant_id = house.store.directory().tenant(&first.tenant).unwrap().tenant_id;
    let found = house.read(|reader| reader.event_by_own_id(tenant_id, "order-1")).unwrap();
    assert_eq!(found.id, first.event);
    assert!(house.read(|reader| reader.event_by_own_id(tenant_id + 1, "order-1")).is_none());
}

#[test]
fn an_own_id_is_found_before_the_look_up_holds_it() {
    let mut house = House::new();
    let first = house.publish(owned(&house, "acme", "order-1", "1")).unwrap();
    let tenant_id = house.store.directory().tenant(&first.tenant).unwrap().tenant_id;
    let found = house.read(|reader| reader.event_by_own_id(tenant_id, "order-1")).unwrap();
    assert_eq!(found.id, first.event);
}

#[test]
fn the_same_id_or_key_twice_in_one_batch_of_the_writer_is_one_event() {
    let mut house = House::new();
    let answers: Vec<_> = (0..3)
        .map(|_| house.store.publish(owned(&house, "acme", "order-1", "1")))
        .chain((0..3).map(|_| house.store.publish(keyed(&house, "acme", "k", 1))))
        .collect();
    house.turn();
    let all: Vec<_> = answers.into_iter().map(|answer| answer.wait().unwrap()).collect();
    assert_eq!(all.iter().map(|p| p.replayed).collect::<Vec<_>>(), [false, true, true, false, true, true]);
    assert_eq!(events(&house), 2);
}

#[test]
fn the_same_id_twice_is_one_event_also_when_the_batch_has_to_be_done_again() {
    let mut house = House::new();
    plant_failure(&house, "INSERT ON events WHEN new.type = 'bad'");
    let answers: Vec<_> =
        (0..3).map(|_| house.store.publish(owned(&house, "acme", "order-1", "1"))).collect();
    let bad = house.store.publish(house.event("acme", "bad", "1"));
    house.turn();
    assert!(bad.wait().is_err());
    let all: Vec<_> = answers.into_iter().map(|answer| answer.wait().unwrap()).collect();
    assert_eq!(all.iter().map(|p| p.replayed).collect::<Vec<_>>(), [false, true, true]);
    assert_eq!(events(&house), 1);
}

#[test]
fn a_write_sees_the_ids_and_keys_of_the_publishes_before_it_in_its_batch() {
    let mut house = House::new();
    let first = house.store.publish(owned(&house, "acme", "order-1", "1"));
    let same = owned(&house, "acme", "order-1", "1");
    let many = house.store.write(move |tx| tx.publish(&same));
    house.turn();
    assert!(!first.wait().unwrap().replayed);
    assert!(many.wait().unwrap().replayed);
    assert_eq!(events(&house), 1);
}

#[test]
fn a_publish_that_was_undone_leaves_its_id_and_key_free() {
    let mut house = House::new();
    let event = owned(&house, "acme", "order-1", "1");
    let undone = house.store.write(move |tx| {
        tx.publish(&event)?;
        Err::<(), _>(PublishError::UnknownTenant)
    });
    assert!(house.wait(undone).is_err());
    assert!(!house.publish(owned(&house, "acme", "order-1", "2")).unwrap().replayed);
    // The same with a commit that fails.
    let lost = house.store.publish(keyed(&house, "acme", "k", 1));
    assert!(house.try_write(break_commit).is_err());
    assert!(lost.wait().is_err());
    // Until something can be written again, everything is refused.
    house.turn();
    assert!(!house.publish(keyed(&house, "acme", "k", 2)).unwrap().replayed);
    assert_eq!(events(&house), 2);
}

#[test]
fn fifty_threads_with_one_key_make_one_event() {
    let house = House::threaded();
    let store = Arc::clone(&house.store);
    let published: Vec<Published> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..50)
            .map(|_| {
                let event = keyed(&house, "acme", "k", 1);
                let store = &store;
                scope.spawn(move || store.publish(event).wait().unwrap())
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(published.iter().filter(|p| !p.replayed).count(), 1);
    assert!(published.iter().all(|p| p.event == published[0].event));
    assert_eq!(events(&house), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_in_between_an_id_names_one_event(
        steps in prop::collection::vec((0..8_u8, 0..6_u8, 0..2_u8), 1..40)
    ) {
        let mut house = House::new();
        let mut first = std::collections::HashMap::new();
        for (what, id, content) in steps {
            match what {
                0 => house = house.crash(),
                1 => house = house.restart(),
                2 => { house.publish_many("filler", "a.b", 700); }
                3 => { assert!(house.try_write(break_commit).is_err()); house.turn(); }
                4 => house.clock.jump_wall(-40_000_000),
                _ => {
                    let name = format!("id-{id}");
                    let data = content.to_string();
                    let result = house.publish(owned(&house, "acme", &name, &data));
                    match first.get(&id) {
                        None => { first.insert(id, (content, result.unwrap())); }
                        Some((before, published)) if *before == content => {
                            prop_assert_eq!(result.unwrap(), again(published));
                        }
                        Some(_) => prop_assert!(matches!(result, Err(PublishError::IdTaken))),
                    }
                }
            }
        }
        prop_assert_eq!(events(&house), i64::try_from(first.len()).unwrap());
    }
}
