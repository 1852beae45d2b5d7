//! Replays against a naive model, with restarts and kills between any two turns.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::domain::delivery::State;
use crate::domain::ids::EndpointId;
use crate::domain::outcome::Fact;
use crate::domain::replay::Replayed;
use crate::store::replays::NewReplay;

use super::house::*;
use super::make::*;
use super::replays::tired;

/// What each delivery of an endpoint is to be after a replay, found the naive way: how many rounds it has, and how
/// many deliveries its event has here.
fn expected(
    house: &House,
    endpoint: EndpointId,
    wanted: &NewReplay,
) -> (BTreeMap<i64, u32>, BTreeMap<i64, usize>) {
    let rows: Vec<(i64, i64, i64, u32, String)> = house.read(|reader| {
        let sql = "SELECT d.id, d.event_id, d.state, d.round, e.type FROM deliveries d JOIN events e ON e.id = d.event_id
             WHERE d.endpoint_id = ?1 ORDER BY d.id";
        let mut statement = reader.connection().prepare(sql)?;
        let rows = statement.query_map([endpoint.0], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    });
    let events: Vec<(i64, String)> = house.read(|reader| {
        let sql =
            "SELECT e.id, e.type FROM events e JOIN tenants t ON t.id = e.tenant_id WHERE t.name = 'default'";
        let mut statement = reader.connection().prepare(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    });
    let fits = |event_type: &str| match &wanted.events {
        None => true,
        Some(patterns) => patterns.iter().any(|pattern| pattern == event_type),
    };
    let (mut rounds, mut count) = (BTreeMap::new(), BTreeMap::new());
    let mut delivered = BTreeSet::new();
    for (id, event, state, round, event_type) in &rows {
        let failed = *state == State::Failed as i64 && fits(event_type);
        let again = wanted.kind == Replayed::Failed && failed;
        rounds.insert(*id, round + u32::from(again));
        *count.entry(*event).or_insert(0) += 1;
        if *state == State::Delivered as i64 && fits(event_type) {
            delivered.insert(*event);
        }
    }
    match wanted.kind {
        Replayed::Failed => {}
        Replayed::Delivered => delivered.iter().for_each(|event| *count.entry(*event).or_insert(0) += 1),
        Replayed::Missing => {
            // The endpoint subscribes to everything by now.
            for (event, _) in events.iter().filter(|(_, event_type)| fits(event_type)) {
                count.entry(*event).or_insert(1);
            }
        }
    }
    (rounds, count)
}

fn check(house: &House, endpoint: EndpointId, expected: &(BTreeMap<i64, u32>, BTreeMap<i64, usize>)) {
    let rows: Vec<(i64, i64, u32)> = house.read(|reader| {
        let sql = "SELECT id, event_id, round FROM deliveries WHERE endpoint_id = ?1 ORDER BY id";
        let mut statement = reader.connection().prepare(sql)?;
        let rows = statement.query_map([endpoint.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    });
    let mut count = BTreeMap::new();
    for (id, event, round) in &rows {
        *count.entry(*event).or_insert(0) += 1;
        assert_eq!(*round, expected.0.get(id).copied().unwrap_or(1), "the round of {id}");
    }
    assert_eq!(count, expected.1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_replay_is_exact_however_often_it_is_killed(
        kinds in prop::collection::vec((0..3_usize, any::<bool>()), 1..4),
        batches in prop::collection::vec((0..3_usize, 0..3_usize, 1..260_usize), 1..6),
        steps in prop::collection::vec(0..6_u8, 10..40),
    ) {
        let mut house = House::new();
        let endpoint = tired(&mut house, &["a"]);
        for (event_type, fact, count) in batches {
            let fact = [Fact::Delivered, FAILED, Fact::Delivered][fact];
            house.publish_and(endpoint, ["a", "b", "c"][event_type], count, fact);
        }
        house.publish_many("acme", "a", 30);
        house.write(move |tx| {
            let mut settings = endpoint_settings(&["*"]);
            settings.retry_schedule = Some(Vec::new());
            tx.update_endpoint(endpoint, &settings)?;
            tx.reload_route(endpoint)
        });
        for (kind, some) in kinds {
            let kind = [Replayed::Failed, Replayed::Missing, Replayed::Delivered][kind];
            let events = some.then(|| vec!["a".to_owned()]);
            let tenant_id = house.store.directory().route(endpoint).unwrap().tenant_id;
            let wanted =
                NewReplay { endpoint, tenant_id, kind, since: START, until: None, events, dry_run: false };
            let expected = expected(&house, endpoint, &wanted);
            let id = house.write(move |tx| tx.start_replay(&wanted));
            for step in &steps {
                match step {
                    0 => house = house.crash(),
                    1 => house = house.restart(),
                    2 | 3 => { house.deliver(endpoint, Fact::Delivered); }
                    _ => house.turn(),
                }
            }
            let counts = house.finish_replay(id).counts;
            prop_assert_eq!(counts.matched, counts.done);
            check(&house, endpoint, &expected);
            while house.deliver(endpoint, Fact::Delivered) > 0 {}
        }
    }
}
