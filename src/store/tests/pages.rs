//! Pages: what the dispatcher is given when it has room.

use std::time::Duration;

use crate::domain::delivery::State;
use crate::domain::ids::{DeliveryId, EndpointId};
use crate::store::times::SteadyMs;
use crate::store::writer::FEW_ROWS;

use super::house::*;
use super::make::*;

const ROOM: usize = 1 << 20;

fn setup(count: usize) -> (House, EndpointId, Vec<DeliveryId>) {
    let mut house = House::new();
    let endpoint =
        house.endpoint_with("default", &["*"], |settings| settings.retry_schedule = Some(vec![60]));
    house.endpoint("default", &["*"]);
    let ids = house.publish_many("default", "a.b", count).iter().map(|p| DeliveryId(p.event.0 + 1)).collect();
    (house, endpoint, ids)
}

fn ids(page: &crate::store::handover::Page) -> Vec<DeliveryId> {
    page.jobs.iter().map(|job| job.delivery).collect()
}

/// Rows of a page: fewer than it is cut to while somebody publishes.
const ROWS: usize = FEW_ROWS - 3;

fn know(house: &House, ids: &[DeliveryId]) {
    house.told.notes().known.extend(ids);
}

#[test]
fn a_page_brings_what_is_ready_in_order_with_all_that_sending_needs() {
    let (mut house, endpoint, all) = setup(10);
    let page = house.page(endpoint, 4, ROOM);
    assert_eq!((page.endpoint, ids(&page), page.complete), (endpoint, all[..4].to_vec(), false));
    let job = &page.jobs[0];
    assert_eq!((job.endpoint, job.round, job.attempts), (endpoint, 1, 0));
    let event = house.read(|reader| reader.stored_event(house.row(all[0]).event)).unwrap();
    assert_eq!((&*job.payload.data, job.payload.event), ("{\"a\": 1}", event.id));
    assert_eq!((&*job.payload.public_id, job.payload.timestamp), (&*event.public_id(), event.timestamp));
    assert_eq!((job.payload.event_type.as_str(), job.payload.tenant.as_str()), ("a.b", "default"));
    let page = house.page(endpoint, 10, ROOM);
    assert_eq!((ids(&page), page.complete, page.next_due), (all, true, None));
}

#[test]
fn what_is_known_is_passed_over_and_page_after_page_brings_everything_once() {
    let (mut house, endpoint, all) = setup(600);
    know(&house, &all[100..150]);
    let mut brought = Vec::new();
    loop {
        let page = house.page(endpoint, ROWS, ROOM);
        assert!(page.jobs.len() == ROWS || page.complete);
        know(&house, &ids(&page));
        brought.extend(ids(&page));
        if page.complete {
            break;
        }
    }
    assert_eq!(brought, [&all[..100], &all[150..]].concat());
    assert!(house.page(endpoint, ROWS, ROOM).jobs.is_empty());
}

#[test]
fn a_page_that_is_full_and_brings_all_there_is_is_complete() {
    let (mut house, endpoint, all) = setup(8);
    let page = house.page(endpoint, 8, ROOM);
    assert_eq!((ids(&page), page.complete), (all, true));
}

#[test]
fn a_page_is_bounded_in_bytes_but_always_brings_one() {
    let mut house = House::new();
    let endpoint = house.endpoint("default", &["*"]);
    let big = format!("\"{}\"", "x".repeat(10_000));
    for _ in 0..5 {
        house.publish(house.event("default", "a.b", &big)).unwrap();
    }
    let rows = |house: &mut House, bytes| house.page(endpoint, 250, bytes).jobs.len();
    assert_eq!(rows(&mut house, 1), 1);
    assert_eq!(rows(&mut house, 25_000), 3);
    assert_eq!(rows(&mut house, 1_000_000), 5);
    let page = house.page(endpoint, 250, 25_000);
    assert!(!page.complete);
}

#[test]
fn retries_come_first_in_the_order_in_which_they_are_due_and_take_half_a_page_at_most() {
    let (mut house, endpoint, all) = setup(6);
    for id in [all[4], all[1], all[3]] {
        house.settle([outcome(id, endpoint, 1, FAILED)]);
        house.clock.advance(Duration::from_secs(1));
    }
    let first = house.row(all[4]).due;
    let page = house.page(endpoint, 250, ROOM);
    assert_eq!((ids(&page), page.complete, page.next_due), (vec![all[0], all[2], all[5]], true, first));
    house.clock.advance(Duration::from_secs(58));
    let page = house.page(endpoint, 250, ROOM);
    assert_eq!(ids(&page), [all[4], all[1], all[0], all[2], all[5]]);
    assert_eq!((page.complete, page.next_due), (true, house.row(all[3]).due));
    assert_eq!(page.jobs[0].attempts, 1);
    house.clock.advance(Duration::from_secs(1));
    let page = house.page(endpoint, 250, ROOM);
    assert_eq!((ids(&page)[2], page.next_due), (all[3], None));
    let page = house.page(endpoint, 4, ROOM);
    assert_eq!((ids(&page), page.complete), (vec![all[4], all[1], all[0], all[2]], false));
}

#[test]
fn a_jump_of_the_wall_clock_changes_nothing_about_what_is_due() {
    let (mut house, endpoint, all) = setup(1);
    house.settle([outcome(all[0], endpoint, 1, FAILED)]);
    house.clock.jump_wall(86_400_000);
    assert!(house.due(endpoint).is_empty());
    house.clock.jump_wall(-2 * 86_400_000);
    house.clock.advance(Duration::from_secs(59));
    assert!(house.due(endpoint).is_empty());
    house = house.restart();
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(house.due(endpoint), all);
}

#[test]
fn nothing_is_brought_for_an_endpoint_that_is_being_disabled_or_deleted() {
    for delete in [false, true] {
        let (mut house, endpoint, _) = setup(1_000);
        if delete {
            house.delete(endpoint);
        } else {
            house.disable(endpoint);
        }
        let mut pages = 0;
        while house.number("SELECT count(*) FROM bulk_changes") > 0 {
            let page = house.page(endpoint, 250, ROOM);
            assert!(page.jobs.is_empty() && page.next_due.is_none());
            pages += 1;
        }
        assert!(pages > 2);
        assert!(house.page(endpoint, 250, ROOM).complete);
    }
}

#[test]
fn during_a_release_a_page_brings_what_is_released_and_nothing_that_is_younger() {
    let (mut house, endpoint, all) = setup(1_000);
    house.disable(endpoint);
    house.finish_bulk();
    house.enable(endpoint, true);
    let new = house.deliveries("a.b")[0];
    let mut brought: Vec<DeliveryId> = Vec::new();
    while house.number("SELECT count(*) FROM bulk_changes") > 0 {
        let page = house.page(endpoint, 250, ROOM);
        let over = house.number("SELECT count(*) FROM bulk_changes") == 0;
        assert!(!page.complete || over, "more is on its way");
        assert!(page.jobs.iter().all(|job| job.round == 2 || job.delivery == new));
        know(&house, &ids(&page));
        brought.extend(ids(&page));
    }
    loop {
        let page = house.page(endpoint, 250, ROOM);
        know(&house, &ids(&page));
        brought.extend(ids(&page));
        if page.complete {
            break;
        }
    }
    assert_eq!(brought, [all, vec![new]].concat(), "all of it, in order");
}

#[test]
fn a_discard_hides_what_it_is_about_to_cancel_and_no_more() {
    let (mut house, endpoint, all) = setup(1_000);
    house.disable(endpoint);
    house.enable(endpoint, false);
    let new = house.deliveries("a.b")[0];
    let page = house.page(endpoint, 250, ROOM);
    assert_eq!((ids(&page), page.complete), (vec![new], true));
    assert_eq!(house.state(all[999]), State::Canceled);
}

#[test]
fn a_delivery_whose_event_is_gone_is_passed_over() {
    let (mut house, endpoint, all) = setup(3);
    house.other().execute("DELETE FROM events WHERE id = ?1", [all[1].0 - 1]).unwrap();
    let page = house.page(endpoint, 250, ROOM);
    assert_eq!((ids(&page), page.complete, page.next_due), (vec![all[0], all[2]], true, None::<SteadyMs>));
}
