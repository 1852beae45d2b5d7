//! Whatever happens in whatever order: promises that hold throughout.

use std::collections::HashSet;

use proptest::prelude::*;

use crate::domain::delivery::State;
use crate::domain::ids::DeliveryId;
use crate::domain::outcome::Fact;
use crate::store::StoreError;
use crate::store::outcome::Outcome;
use crate::store::publish::Published;

use super::bulk::states;
use super::commits::stored;
use super::house::*;
use super::make::*;

#[derive(Debug, Clone, Copy)]
enum Step {
    Publish,
    BadPublish,
    Settle,
    Err,
    Panic,
    BreakCommit,
    Turn,
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Publish), 1 => Just(Step::BadPublish), 4 => Just(Step::Settle), 1 => Just(Step::Err),
        1 => Just(Step::Panic), 1 => Just(Step::BreakCommit), 3 => Just(Step::Turn), 1 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_was_acknowledged_is_there_and_what_was_refused_is_not(steps in steps()) {
        let mut house = House::new();
        let endpoint = house.endpoint("default", &["*"]);
        plant_failure(&house, "INSERT ON events WHEN new.type = 'bad'");
        let (mut acknowledged, mut settled) = (Vec::<Published>::new(), 0);
        let mut waiting = Vec::new();
        for step in steps.into_iter().chain([Step::Turn, Step::Turn, Step::Crash]) {
            match step {
                Step::Publish => waiting.push(house.store.publish(house.event("default", "a.b", "1"))),
                Step::BadPublish => waiting.push(house.store.publish(house.event("default", "bad", "1"))),
                Step::Settle => if let Some(of) = acknowledged.get(settled) {
                    settled += 1;
                    let outcome: Outcome = outcome(DeliveryId(of.event.0 + 1), endpoint, 1, Fact::Delivered);
                    house.store.settle(outcome);
                },
                Step::Err => drop(house.store.write(|_| Err::<(), _>(StoreError::Busy))),
                Step::Panic => drop(house.store.write(|_| -> Result<(), StoreError> { panic!("as planned") })),
                Step::BreakCommit => drop(house.store.write(break_commit)),
                Step::Turn => {}
                Step::Crash => {
                    while house.store.load().1 > 0 { house.turn(); }
                    house.turn();
                    let stored = stored(&house);
                    acknowledged.extend(waiting.drain(..).filter_map(|answer| answer.wait().ok()));
                    prop_assert_eq!(&stored, &acknowledged.iter().map(|p| p.event).collect::<HashSet<_>>());
                    house = house.crash();
                }
            }
            if matches!(step, Step::Turn) { house.turn(); }
        }
        prop_assert_eq!(house.number("SELECT count(*) FROM deliveries"), i64::try_from(acknowledged.len()).unwrap());
        let delivered = i64::try_from(settled).unwrap();
        prop_assert_eq!(house.number("SELECT count(*) FROM deliveries WHERE state = 1"), delivered);
        prop_assert_eq!(house.number("SELECT coalesce(sum(delivered), 0) FROM hourly"), delivered);
        prop_assert_eq!(house.number("SELECT count(*) FROM attempts"), delivered);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn what_one_delivery_shows_is_what_it_becomes(steps in prop::collection::vec(0..9_u8, 1..10)) {
        let mut house = House::new();
        let endpoint = house.endpoint("default", &["*"]);
        house.publish_many("default", "a.b", 700);
        for step in steps {
            let enabled = house.store.directory().route(endpoint).is_some_and(|route| route.enabled);
            match step {
                0 | 1 if enabled => house.disable(endpoint),
                0 => house.enable(endpoint, true),
                1 => house.enable(endpoint, false),
                2 => { house.publish_many("default", "a.b", 40); }
                3 => house = house.crash(),
                4 => house = house.restart(),
                _ => house.turn(),
            }
        }
        let ids: Vec<i64> = house.read(|reader| {
            let mut statement = reader.connection().prepare("SELECT id FROM deliveries")?;
            let ids = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(ids)
        });
        let ids: Vec<_> = ids.into_iter().map(DeliveryId).collect();
        let shown = states(&house, &ids);
        let enabled = house.store.directory().route(endpoint).unwrap().enabled;
        let due = house.due(endpoint);
        prop_assert!(enabled || due.is_empty());
        for id in due {
            prop_assert_eq!(house.state(id), State::Ready, "nothing is sent that is not to be");
        }
        house.finish_bulk();
        prop_assert_eq!(states(&house, &ids), shown);
        let open = if enabled { State::Ready } else { State::Held };
        for (id, state) in ids.iter().zip(states(&house, &ids)) {
            prop_assert!(state == open || state == State::Canceled, "{id} is {state:?}");
        }
    }
}
