//! What is kept in memory.

use std::collections::VecDeque;

use crate::domain::ids::EndpointId;
use crate::store::handover::{Pace, PagePlan};

use super::super::{Book, Limits};
use super::*;

const SMALL: Limits = Limits { threads: 64, bytes: 160_000, page_bytes: 20_000, outcomes: 256 };

fn page(book: &mut Book, endpoint: i64, jobs: impl IntoIterator<Item = i64>, size: usize, complete: bool) {
    let payload = payload(size);
    let jobs = jobs.into_iter().map(|id| job(id, endpoint, &payload)).collect();
    let endpoint = EndpointId(endpoint);
    book.paged(endpoint, Some(Page { endpoint, jobs, complete, next_due: None }), NOW);
    book.check(NOW);
}

fn accept_sized(book: &mut Book, endpoint: i64, delivery: i64, size: usize) {
    book.accepted(&payload(size), &[(DeliveryId(delivery), EndpointId(endpoint))], NOW);
}

/// Reads the pages that are wanted from these queues on disk, at most `most`; how many were.
fn read(book: &mut Book, disk: &mut [VecDeque<i64>], size: usize, most: usize) -> usize {
    for count in 0..most {
        let Some((id, PagePlan { rows, bytes })) = book.wants_page() else { return count };
        let due = &disk[usize::try_from(id.0).unwrap()];
        let unknown: Vec<i64> =
            due.iter().copied().filter(|id| !book.knows(DeliveryId(*id))).take(rows + 1).collect();
        let fit = (bytes / (size + 256)).clamp(1, rows).min(unknown.len());
        page(book, id.0, unknown[..fit].iter().copied(), size, fit == unknown.len());
    }
    most
}

#[test]
fn who_has_most_gives_back_from_the_end_and_goes_on_in_order() {
    let mut book = book(SMALL, [1, 2].map(Spec::of));
    accept(&mut book, 1, 1, 20);
    accept(&mut book, 2, 1_000, 620);
    book.check(NOW);
    let known = (1_000..1_620).take_while(|id| book.knows(DeliveryId(*id))).count();
    assert!(known < 350, "half of the memory, and what was accepted since counts only: {known}");
    assert_eq!((1_000..1_620).filter(|id| book.knows(DeliveryId(*id))).count(), known, "the oldest are kept");
    assert!((1..21).all(|id| book.knows(DeliveryId(id))), "the other gives nothing back");

    let mut disk = [VecDeque::new(), VecDeque::new(), (1_000..1_620).collect()];
    let mut sent = Vec::new();
    while sent.len() < 620 {
        for (id, endpoint) in take_all(&mut book, NOW) {
            finish(&mut book, id, endpoint, NOW);
            if endpoint == 2 {
                disk[2].retain(|due| *due != id);
                sent.push(id);
            }
        }
        read(&mut book, &mut disk, 0, 4);
    }
    assert!(sent.is_sorted() && sent.len() == 620);
}

#[test]
fn an_endpoint_that_gave_its_whole_queue_back_gets_a_page() {
    let mut book = book(SMALL, (1..=40).map(Spec::of));
    // The first has one delivery, and the greatest; all others have more deliveries and less of each.
    book.pace(EndpointId(1), Pace { one_at_a_time: false, paused_until: Some(after(1)) }, NOW);
    accept_sized(&mut book, 1, 1, 9_000);
    for id in 0..600 {
        accept(&mut book, 2 + id % 39, 1_000 + id, 1);
    }
    assert!(!book.knows(DeliveryId(1)));
    book.tick(after(1));
    assert_eq!(book.wants_page().unwrap().0, EndpointId(1));
}

/// Endpoints that hang fill the memory; their jobs cannot start, and nothing is given back.
fn filled_by_hanging() -> Book {
    let mut book = book(Limits { threads: 100, ..SMALL }, (1..=40).map(Spec::of));
    for endpoint in 1..=40 {
        accept(&mut book, endpoint, endpoint * 1_000, 3);
    }
    while take(&mut book).is_some() {}
    for id in 0..450 {
        accept(&mut book, 1 + id % 40, 100_000 + id, 1);
    }
    assert!(book.bytes > SMALL.bytes / 4 * 3 && !book.has_work());
    book
}

#[test]
fn a_memory_full_of_what_hangs_keeps_nobody_from_its_pages() {
    let mut book = filled_by_hanging();
    book.route(Spec::of(41).route(), NOW);
    let mut disk = vec![VecDeque::new(); 42];
    disk[41] = (1_000_000..1_000_200).collect();
    let mut sent = Vec::new();
    while !disk[41].is_empty() {
        let pages = read(&mut book, &mut disk, 9_000, 1_000);
        assert!(pages < 100, "pages are read for nothing");
        let taken = take_all(&mut book, NOW);
        assert!(!taken.is_empty() && taken.iter().all(|(_, endpoint)| *endpoint == 41), "{taken:?}");
        for (id, endpoint) in taken {
            finish(&mut book, id, endpoint, NOW);
            disk[41].retain(|due| *due != id);
            sent.push(id);
        }
    }
    assert!(sent.is_sorted() && sent.len() == 200, "{sent:?}");
}

#[test]
fn the_job_that_a_page_was_read_for_stays_however_many_others_are_in_memory() {
    let mut book = book(SMALL, (1..=601).map(Spec::of));
    let pace = Pace { one_at_a_time: false, paused_until: Some(after(1_000)) };
    for endpoint in 1..=600 {
        accept(&mut book, endpoint, endpoint, 1);
        book.pace(EndpointId(endpoint), pace, NOW);
    }
    book.ready(EndpointId(601), NOW);
    assert_eq!(book.wants_page().map(|(id, _)| id.0), Some(601));
    page(&mut book, 601, [1_001], 9_000, true);
    assert!(book.bytes <= SMALL.bytes / 2 + 256, "half is given back");
    assert!(book.bytes > SMALL.bytes / 4, "and not much more");
    assert_eq!(take_all(&mut book, NOW), [(1_001, 601)]);
}

#[test]
fn who_gave_back_does_not_read_again_while_memory_is_full() {
    let mut book = filled_by_hanging();
    let mut disk: Vec<VecDeque<i64>> =
        (0..41).map(|at| (at * 10_000..at * 10_000 + 5_000).collect()).collect();
    for endpoint in 1..=40 {
        book.ready(EndpointId(endpoint), NOW);
    }
    assert!(read(&mut book, &mut disk, 100, 1_000) <= 40, "there is nothing that could start");
    assert!(book.bytes <= SMALL.bytes + SMALL.bytes / 16);
}

#[test]
fn after_memory_was_full_there_is_room_for_an_eighth_of_it() {
    let mut book = book(SERVER, (1..=10_000).map(Spec::of));
    let (mut passes, mut accepted, payload) = (0, 0, payload(200));
    for id in 0..400_000 {
        let before = book.bytes;
        book.accepted(&payload, &[(DeliveryId(id), EndpointId(1 + id % 10_000))], NOW);
        accepted += book.bytes.saturating_sub(before);
        passes += usize::from(book.bytes < before);
        for endpoint in (1..=10_000 * i64::from(book.bytes < before)).map(EndpointId) {
            // All are made whole again, so that everything that is accepted is kept.
            let page = Page { endpoint, jobs: Vec::new(), complete: true, next_due: None };
            book.paged(endpoint, Some(page), NOW);
        }
    }
    assert!(passes > 2, "memory was full");
    assert!(passes * SERVER.bytes / 8 < accepted, "all endpoints were looked at {passes} times");
}

#[test]
fn a_million_due_deliveries_take_no_more_memory_than_the_limit() {
    let mut book = book(SERVER, (1..=100).map(Spec::of));
    let (mut most, mut known) = (0, 0);
    for id in 0..1_000_000 {
        accept(&mut book, 1 + id % 100, 1_000 + id, 1);
        (most, known) = (book.bytes.max(most), book.known.len().max(known));
    }
    assert!(most > SERVER.bytes / 2, "it is used: {most}");
    assert!(most <= SERVER.bytes && known <= SERVER.bytes / 256 + 1, "{most} bytes, {known} deliveries");
    // From here on they are read in pages, and that is bounded as well.
    let mut disk: Vec<VecDeque<i64>> = vec![VecDeque::new(); 101];
    for id in 0..20_000 {
        disk[1 + id % 100].push_back(1_000 + i64::try_from(id).unwrap());
    }
    read(&mut book, &mut disk, 0, 1_000);
    assert!(book.bytes <= SERVER.bytes);
    book.check(NOW);
}

#[test]
fn an_endpoint_that_waits_for_a_change_to_many_rows_asks_for_no_page_until_it_went_on() {
    let mut book = book(SERVER, [Spec { enabled: false, ..Spec::of(1) }]);
    book.route(Spec::of(1).route(), NOW);
    assert_eq!(book.wants_page().map(|(id, _)| id.0), Some(1));
    page(&mut book, 1, [], 0, false);
    assert!(book.wants_page().is_none() && book.next_tick().is_none() && !book.is_settled(NOW));
    accept(&mut book, 1, 50, 1);
    assert!(book.wants_page().is_none() && !book.knows(DeliveryId(50)), "nothing overtakes what is released");
    book.ready(EndpointId(1), NOW);
    assert!(book.wants_page().is_some());
    page(&mut book, 1, [10, 11], 0, true);
    assert!(book.wants_page().is_none());
    assert_eq!(take_all(&mut book, NOW), [(10, 1), (11, 1)]);
}

#[test]
fn a_page_that_cannot_be_read_is_asked_for_again_after_a_second() {
    let mut book = Book::new(SERVER);
    book.found(Spec::of(1).route(), Pace::default(), NOW);
    assert!(book.wants_page().is_some());
    book.paged(EndpointId(1), None, NOW);
    assert!(book.wants_page().is_none() && !book.is_settled(after(1_000)));
    assert_eq!(book.next_tick(), Some(after(1_000)));
    book.tick(after(1_000));
    assert!(book.wants_page().is_some());
}

#[test]
fn what_was_disabled_deleted_or_canceled_is_not_sent_and_takes_no_memory() {
    let mut book = book(SERVER, [1, 2, 3].map(Spec::of));
    for endpoint in [1, 2, 3] {
        accept(&mut book, endpoint, endpoint * 10, 1);
    }
    book.route(Spec { enabled: false, ..Spec::of(1) }.route(), NOW);
    book.gone(EndpointId(2));
    book.withdrawn(DeliveryId(30), EndpointId(3), NOW);
    book.check(NOW);
    assert_eq!(take_all(&mut book, NOW), []);
    assert_eq!((book.bytes, book.known.len()), (0, 0));
    assert!(book.is_settled(NOW));
}

#[test]
fn what_is_queued_of_an_event_without_data_is_not_sent_and_the_rest_is() {
    let mut book = book(SERVER, [1, 2, 3].map(Spec::of));
    let other = Arc::new(Payload { event: EventId(2), ..Arc::into_inner(payload(9)).unwrap() });
    let sent = take_after_three(&mut book, &other);
    book.emptied(EventId(1), NOW);
    book.check(NOW);
    assert_eq!((sent, take_all(&mut book, NOW)), (vec![(10, 1)], vec![(30, 3)]));
    finish(&mut book, 10, 1, NOW);
    finish(&mut book, 30, 3, NOW);
    assert!(book.is_settled(NOW));
}

/// Three jobs of one event, of which the first is taken and another is urgent, and one of another event.
fn take_after_three(book: &mut Book, other: &Arc<Payload>) -> Vec<(i64, i64)> {
    accept(book, 1, 10, 1);
    let sent = take(book).map(|job| (job.delivery.0, job.endpoint.0)).into_iter().collect();
    accept(book, 1, 11, 1);
    book.urgent(job(20, 2, &payload(0)), NOW);
    book.accepted(other, &[(DeliveryId(30), EndpointId(3))], NOW);
    sent
}

#[test]
fn retries_that_people_ask_for_are_bounded_too_and_the_rest_is_read_in_its_turn() {
    let mut book = book(SMALL, [Spec { max_in_flight: 1, ..Spec::of(1) }]);
    for id in 0..1_000 {
        book.urgent(job(id, 1, &payload(0)), NOW);
    }
    book.check(NOW);
    assert!(book.urgent_bytes <= SMALL.bytes / 4 + 256);
    assert!(book.knows(DeliveryId(0)) && !book.knows(DeliveryId(999)));
    assert!(book.wants_page().is_some());
}
