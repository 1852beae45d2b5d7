//! Tests of the book: a model of all that it meets, and the rules one by one.

mod check;
mod disk;
mod model;
mod room;
mod turns;
mod world;

use std::sync::Arc;
use std::time::Duration;

use crate::domain::format::Format;
use crate::domain::ids::{DeliveryId, EndpointId, EventId};
use crate::domain::matching::Subscription;
use crate::domain::names::{EventType, TenantName};
use crate::domain::time::UnixMs;
use crate::store::directory::Route;
use crate::store::handover::{Job, Page, Payload};
use crate::store::times::SteadyMs;

use super::{Book, Limits};

/// What an endpoint in these tests is made of.
#[derive(Debug, Clone, Copy)]
struct Spec {
    id: i64,
    enabled: bool,
    max_in_flight: u32,
    rate_limit: Option<u32>,
}

impl Spec {
    fn of(id: i64) -> Self {
        Self { id, enabled: true, max_in_flight: 16, rate_limit: None }
    }

    fn route(self) -> Arc<Route> {
        Arc::new(Route {
            id: EndpointId(self.id),
            tenant_id: 1,
            tenant: TenantName::default_name(),
            enabled: self.enabled,
            holds: true,
            revision: 1,
            subscription: Subscription::default(),
            target: Err("nothing is sent here".to_owned()),
            headers: Vec::new(),
            format: Arc::new(Format::standard()),
            format_revision: 0,
            signers: Vec::new(),
            public_key: None,
            timeout: Duration::from_secs(10),
            max_in_flight: self.max_in_flight,
            rate_limit: self.rate_limit,
            retry_schedule: None,
        })
    }
}

/// A payload of `size` bytes of data.
fn payload(size: usize) -> Arc<Payload> {
    Arc::new(Payload {
        event: EventId(1),
        public_id: "evt".into(),
        event_type: EventType::parse("a.b").unwrap(),
        tenant: TenantName::default_name(),
        timestamp: UnixMs(0),
        data: "x".repeat(size).into(),
    })
}

fn job(delivery: i64, endpoint: i64, payload: &Arc<Payload>) -> Job {
    Job {
        delivery: DeliveryId(delivery),
        endpoint: EndpointId(endpoint),
        round: 1,
        attempts: 0,
        ready_at: NOW,
        payload: Arc::clone(payload),
    }
}

/// Limits like the server's.
const SERVER: Limits =
    Limits { threads: 512, bytes: 16 * 1024 * 1024, page_bytes: 2 * 1024 * 1024, outcomes: 256 };
const NOW: SteadyMs = SteadyMs(1_000_000);

fn after(ms: i64) -> SteadyMs {
    SteadyMs(NOW.0 + ms)
}

/// A book with these endpoints, of which nothing is due.
fn book(limits: Limits, specs: impl IntoIterator<Item = Spec>) -> Book {
    let mut book = Book::new(limits);
    for spec in specs {
        book.route(spec.route(), NOW);
        let endpoint = EndpointId(spec.id);
        book.paged(endpoint, Some(Page { endpoint, jobs: Vec::new(), complete: true, next_due: None }), NOW);
    }
    book
}

/// Accepts `count` events for one endpoint, with ids that follow `from`.
fn accept(book: &mut Book, endpoint: i64, from: i64, count: i64) {
    let payload = payload(0);
    for id in from..from + count {
        book.accepted(&payload, &[(DeliveryId(id), EndpointId(endpoint))], NOW);
    }
}

fn take_at(book: &mut Book, now: SteadyMs) -> Option<Job> {
    book.take(now, |_| true).map(|(job, _)| job)
}

fn take(book: &mut Book) -> Option<Job> {
    take_at(book, NOW)
}

/// Takes until there is nothing to take: delivery and endpoint.
fn take_all(book: &mut Book, now: SteadyMs) -> Vec<(i64, i64)> {
    std::iter::from_fn(|| take_at(book, now)).map(|job| (job.delivery.0, job.endpoint.0)).collect()
}

/// A delivery has been sent, and its outcome is on disk.
fn finish(book: &mut Book, delivery: i64, endpoint: i64, now: SteadyMs) {
    book.reported(DeliveryId(delivery), EndpointId(endpoint), now);
    let over = crate::store::handover::After::Over;
    book.settled(DeliveryId(delivery), EndpointId(endpoint), over, now);
}
