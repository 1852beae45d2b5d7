//! What waits, and what is under way.

use prometheus::proto::{MetricFamily, MetricType};

use crate::domain::time::UnixMs;
use crate::service::metrics::{Metrics, Stored};

use super::family::{family, gauge, histogram, labelled, maybe_gauge, one_gauge};

pub(super) fn families(metrics: &Metrics) -> Vec<MetricFamily> {
    let all = stored(metrics).into_iter().chain(dispatcher(metrics));
    all.chain(writer(metrics)).collect()
}

fn stored(metrics: &Metrics) -> [MetricFamily; 6] {
    let of = |number: fn(&Stored) -> u32| metrics.stored.as_ref().map(number);
    let age = |at: fn(&Stored) -> Option<UnixMs>| {
        let (now, stored) = (metrics.now?, metrics.stored.as_ref()?);
        Some(at(stored).map_or(0.0, |at| seconds_since(at, now)))
    };
    let endpoints = metrics.stored.iter().flat_map(|stored| {
        let [ok, failing, disabled] = stored.endpoints;
        [("ok", ok), ("failing", failing), ("disabled", disabled)]
    });
    [
        maybe_gauge(
            "deliveries_ready",
            "Deliveries that are due, those in flight included. Counted up to 100,000, as the next two are.",
            of(|stored| stored.depth.ready),
        ),
        maybe_gauge(
            "deliveries_retrying",
            "Deliveries that wait for the time of their next attempt.",
            of(|stored| stored.depth.retrying),
        ),
        maybe_gauge(
            "deliveries_held",
            "Deliveries that are held: their endpoint is disabled, or a restore holds them back.",
            of(|stored| stored.depth.held),
        ),
        maybe_gauge(
            "oldest_ready_age_seconds",
            "Age of the oldest delivery that is due; 0 without one. What grows here is a backlog.",
            age(|stored| stored.depth.oldest_ready_at),
        ),
        maybe_gauge(
            "oldest_retrying_age_seconds",
            "Age of the oldest delivery that waits for its next attempt; 0 without one.",
            age(|stored| stored.depth.oldest_retrying_at),
        ),
        family(
            "endpoints",
            "Endpoints that were not deleted, by health.",
            MetricType::GAUGE,
            endpoints.map(|(health, number)| labelled(gauge(number), "health", health)).collect(),
        ),
    ]
}

/// Never negative: a clock may go back.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of 285,000 years")]
fn seconds_since(at: UnixMs, now: UnixMs) -> f64 {
    now.0.saturating_sub(at.0).max(0) as f64 / 1e3
}

fn dispatcher(metrics: &Metrics) -> [MetricFamily; 6] {
    let load = &metrics.dispatcher;
    [
        one_gauge(
            "delivery_queue_deliveries",
            "Deliveries in memory that wait for a thread. More may wait on disk, retries among them.",
            load.queued,
        ),
        one_gauge("delivery_queue_bytes", "Bytes of payload of these deliveries.", load.queued_bytes),
        one_gauge("deliveries_in_flight", "Requests under way.", load.in_flight),
        one_gauge("outcomes_waiting", "Outcomes that wait for their commit, 256 at most.", load.unrecorded),
        one_gauge("delivery_threads", "Threads that deliver, idle ones too.", load.threads),
        one_gauge("delivery_threads_max", "How many there may be (--delivery-threads).", load.max_threads),
    ]
}

fn writer(metrics: &Metrics) -> [MetricFamily; 3] {
    [
        one_gauge(
            "writer_queue_items",
            "Events, outcomes and changes that wait for the writer.",
            metrics.writer_items,
        ),
        one_gauge("writer_queue_bytes", "Bytes of these; a full queue answers 503.", metrics.writer_bytes),
        histogram(
            "writer_group_items",
            "Events, outcomes and changes that shared a transaction and the sync of the disk.",
            &metrics.counted.items,
        ),
    ]
}
