//! Ids: only ever growing, whatever the clock does.

use proptest::prelude::*;

use crate::clock::Clock as _;
use crate::domain::ids::EventId;
use crate::domain::time::UnixMs;
use crate::store::events::EventFilter;
use crate::store::lists::Span;

use super::house::*;
use super::make::*;

const DAY_MS: i64 = 86_400_000;

#[test]
fn ids_carry_the_time_of_acceptance() {
    let mut house = House::new();
    house.clock.advance(HOUR);
    let published = house.publish(house.event("default", "a.b", "1")).unwrap();
    assert_eq!(published.event.0 >> 20, START.0 + 3_600_000);
    assert_eq!(published.created_at, house.clock.wall());
}

#[test]
fn deliveries_of_an_event_follow_it_without_a_gap() {
    let mut house = House::new();
    let endpoints: Vec<_> = (0..5).map(|_| house.endpoint("default", &["*"])).collect();
    let published = house.publish_many("default", "a.b", 20);
    for event in published {
        let listed = house.read(|reader| reader.deliveries_of_event(event.event, 5, None, 10)).rows;
        let ids: Vec<_> = listed.iter().rev().map(|row| row.id.0 - event.event.0).collect();
        assert_eq!(ids, [1, 2, 3, 4, 5]);
        assert_eq!(listed.iter().rev().map(|row| row.endpoint).collect::<Vec<_>>(), endpoints);
    }
}

#[test]
fn an_id_that_was_given_back_is_not_given_again() {
    // The greatest id belongs to a key, a change to many rows or an endpoint, and is deleted; the clock goes back.
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    let mut last = house.publish(house.event("default", "a.b", "1")).unwrap().event.0;
    for _ in 0..3 {
        house.clock.jump_wall(-DAY_MS);
        house.disable(endpoint);
        house.enable(endpoint, true);
        house.finish_bulk();
        house = house.crash();
        let next = house.publish(house.event("default", "a.b", "1")).unwrap().event.0;
        assert!(next > last);
        last = next;
    }
}

fn in_span(house: &House, span: Span) -> Vec<EventId> {
    let (mut all, mut before) = (Vec::new(), None);
    let filter = EventFilter { span, ..EventFilter::default() };
    loop {
        let page = house.read(|reader| reader.events(&filter, before.map(EventId), 3));
        all.extend(page.rows.iter().map(|event| event.id));
        match page.next {
            None => return all,
            Some(next) => before = Some(next),
        }
    }
}

#[test]
fn a_list_by_time_finds_rows_of_a_day_that_came_twice() {
    let mut house = House::new();
    let mut all = Vec::new();
    for jump in [0, DAY_MS, -DAY_MS, 30 * DAY_MS, -30 * DAY_MS, -DAY_MS] {
        house.clock.jump_wall(jump);
        for _ in 0..3 {
            house.clock.advance(HOUR);
            let published = house.publish(house.event("default", "a.b", "1")).unwrap();
            all.push((published.event, published.created_at));
        }
        house = house.crash();
    }
    assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0), "ids only grow");
    for (_, since) in &all {
        for (_, until) in &all {
            let span = Span { since: Some(*since), until: Some(*until) };
            let fits = |at: UnixMs| *since <= at && at < *until;
            let expected: Vec<_> = all.iter().rev().filter(|(_, at)| fits(*at)).map(|(id, _)| *id).collect();
            assert_eq!(in_span(&house, span), expected, "{since} to {until}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn ids_grow_and_lists_by_time_are_right_whatever_the_clock_does(
        steps in prop::collection::vec((-400..400_i64, 0..4_u8, 1..5_usize), 1..14)
    ) {
        let mut house = House::new();
        house.endpoint("default", &["*"]);
        let mut all = Vec::new();
        for (hours, what, count) in steps {
            house.clock.jump_wall(hours * 3_600_000);
            match what {
                0 => house = house.crash(),
                1 => house = house.restart(),
                2 => { prop_assert!(house.try_write(break_commit).is_err()); house.turn(); }
                _ => {}
            }
            for published in house.publish_many("default", "a.b", count) {
                all.push((published.event, published.created_at));
            }
        }
        prop_assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (_, at) in &all {
            for span in [Span { since: Some(*at), until: None }, Span { since: None, until: Some(*at) }] {
                let fits = |time: UnixMs| {
                    span.since.is_none_or(|since| since <= time) && span.until.is_none_or(|until| time < until)
                };
                let expected: Vec<_> = all.iter().rev().filter(|(_, t)| fits(*t)).map(|(id, _)| *id).collect();
                prop_assert_eq!(in_span(&house, span), expected);
            }
        }
    }
}
