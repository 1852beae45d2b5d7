//! Whose turn it is.

use proptest::prelude::*;

use crate::domain::ids::EndpointId;
use crate::store::handover::Pace;

use super::super::{Book, Limits};
use super::*;

/// So many endpoints with enough to do, none of which ever answers.
fn hang(count: i64) -> Book {
    let mut book = book(SERVER, (1..=count).map(Spec::of));
    for endpoint in 1..=count {
        accept(&mut book, endpoint, endpoint * 1_000, 20);
    }
    take_all(&mut book, NOW);
    book.check(NOW);
    book
}

#[test]
fn endpoints_that_hang_leave_threads_to_others() {
    let free = |count| SERVER.threads - hang(count).in_flight;
    assert_eq!(free(1), SERVER.threads - 16, "a single one has its own limit");
    let forty = free(40);
    assert!((140..=160).contains(&forty), "40 leave {forty}");
    let half = free(256);
    assert!((25..=35).contains(&half), "256 leave {half}");
}

#[test]
fn an_endpoint_gets_a_thread_at_once_while_half_of_the_threads_hang() {
    let mut book = hang(255);
    book.route(Spec::of(1_000_000).route(), NOW);
    let endpoint = EndpointId(1_000_000);
    let page = Page { endpoint, jobs: vec![job(1, 1_000_000, &payload(0))], complete: true, next_due: None };
    book.paged(endpoint, Some(page), NOW);
    assert!(book.has_work());
    assert_eq!(take(&mut book).unwrap().endpoint, endpoint);
}

#[test]
fn many_endpoints_together_use_nearly_all_threads() {
    let used = hang(400).in_flight;
    assert!(used >= 480, "400 use {used}");
    assert_eq!(hang(512).in_flight, 512);
}

#[test]
fn the_endpoint_with_the_fewest_in_flight_goes_first_then_the_one_that_waited_longest() {
    let mut book = book(SERVER, [1, 2, 3].map(Spec::of));
    accept(&mut book, 3, 300, 9);
    accept(&mut book, 1, 100, 9);
    accept(&mut book, 2, 200, 9);
    let mut next = || take(&mut book).unwrap().endpoint.0;
    assert_eq!([next(), next(), next()], [3, 1, 2], "in the order in which they came");
    assert_eq!([next(), next()], [3, 1]);
    finish(&mut book, 200, 2, NOW);
    assert_eq!(take(&mut book).unwrap().endpoint.0, 2, "it has none in flight now");
    assert_eq!(take(&mut book).unwrap().endpoint.0, 2, "the others have two");
}

#[test]
fn an_endpoint_with_one_at_a_time_gets_its_deliveries_in_order() {
    let mut book = book(SERVER, [Spec { max_in_flight: 1, ..Spec::of(1) }]);
    accept(&mut book, 1, 10, 5);
    for id in 10..15 {
        assert_eq!(take_all(&mut book, NOW), [(id, 1)]);
        finish(&mut book, id, 1, NOW);
    }
    assert!(book.is_settled(NOW));
}

#[test]
fn after_three_timeouts_there_is_one_request_at_a_time_until_a_success() {
    let mut book = book(SERVER, [Spec::of(1)]);
    accept(&mut book, 1, 10, 20);
    assert_eq!(take(&mut book).unwrap().delivery.0, 10);
    let pace = |one_at_a_time| Pace { one_at_a_time, paused_until: None };
    book.pace(EndpointId(1), pace(true), NOW);
    assert_eq!(take_all(&mut book, NOW), []);
    finish(&mut book, 10, 1, NOW);
    assert_eq!(take_all(&mut book, NOW), [(11, 1)]);
    book.pace(EndpointId(1), pace(false), NOW);
    assert_eq!(take_all(&mut book, NOW).len(), 15, "up to its limit again");
}

#[test]
fn a_pause_lets_only_through_what_a_person_asked_for() {
    let mut book = book(SERVER, [Spec::of(1)]);
    accept(&mut book, 1, 10, 2);
    book.pace(EndpointId(1), Pace { one_at_a_time: false, paused_until: Some(after(5_000)) }, NOW);
    assert_eq!(take_all(&mut book, NOW), []);
    book.urgent(job(11, 1, &payload(0)), NOW);
    assert_eq!(take_all(&mut book, NOW), [(11, 1)], "and it is not sent twice");
    assert_eq!(book.next_tick(), Some(after(5_000)));
    book.tick(after(4_999));
    assert_eq!(take_all(&mut book, after(4_999)), []);
    book.tick(after(5_000));
    assert_eq!(take_all(&mut book, after(5_000)), [(10, 1)]);
}

#[test]
fn nothing_starts_while_too_many_outcomes_wait_for_their_commit() {
    let mut book = book(Limits { outcomes: 2, ..SERVER }, [Spec::of(1)]);
    accept(&mut book, 1, 10, 5);
    for id in [10, 11] {
        assert_eq!(take(&mut book).unwrap().delivery.0, id);
        book.reported(DeliveryId(id), EndpointId(1), NOW);
    }
    assert!(!book.has_work());
    assert!(take(&mut book).is_none());
    book.settled(DeliveryId(10), EndpointId(1), crate::store::handover::After::Over, NOW);
    assert!(book.has_work());
    assert_eq!(take(&mut book).unwrap().delivery.0, 12);
}

#[test]
fn an_endpoint_whose_name_is_looked_up_holds_up_no_other_and_is_asked_about_once() {
    let mut book = book(SERVER, [1, 2].map(Spec::of));
    accept(&mut book, 1, 10, 1);
    accept(&mut book, 2, 20, 1);
    let mut asked = Vec::new();
    let mut take_known = |book: &mut Book, known: bool| {
        let resolved = |route: &Route| {
            asked.push(route.id.0);
            known || route.id.0 == 2
        };
        book.take(NOW, resolved).map(|(job, _)| job.delivery.0)
    };
    assert_eq!(take_known(&mut book, false), Some(20));
    assert_eq!(take_known(&mut book, false), None);
    assert!(!book.has_work() && !book.is_settled(NOW));
    book.resolved(EndpointId(1), NOW);
    assert_eq!(take_known(&mut book, true), Some(10));
    assert_eq!(asked, [1, 2, 1]);
}

proptest! {
    #[test]
    fn no_sliding_second_holds_more_starts_than_the_limit(
        limit in 1u32..20,
        steps in prop::collection::vec(0i64..700, 1..60),
    ) {
        let mut book = book(SERVER, [Spec { rate_limit: Some(limit), max_in_flight: 256, ..Spec::of(1) }]);
        accept(&mut book, 1, 1, 500);
        let (mut now, mut starts) = (NOW, Vec::new());
        for step in steps {
            now = SteadyMs(now.0 + step);
            book.tick(now);
            for (id, endpoint) in take_all(&mut book, now) {
                starts.push(now.0);
                finish(&mut book, id, endpoint, now);
            }
            let window = starts.iter().filter(|at| **at > now.0 - 1_000).count();
            prop_assert_eq!(window, limit as usize, "no more, and no fewer while there is something to send");
        }
    }
}
