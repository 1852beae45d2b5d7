//! What is done: events, deliveries, attempts, and how long they take.

use prometheus::proto::{Metric, MetricFamily, MetricType};

use crate::service::metrics::Metrics;
use crate::store::depth::TenantTotals;

use super::family::{counter, counters, family, histogram, labelled, one_counter};

pub(super) fn families(metrics: &Metrics) -> Vec<MetricFamily> {
    let all = counted(metrics).into_iter().chain(latencies(metrics));
    all.chain(of_tenants(&metrics.tenants)).collect()
}

fn counted(metrics: &Metrics) -> [MetricFamily; 5] {
    let (counted, failures) = (&metrics.counted, &metrics.counted.failures);
    [
        one_counter("events_accepted_total", "Events accepted since the start.", counted.events),
        one_counter(
            "deliveries_created_total",
            "Deliveries made since the start: one for each endpoint that matched an event, and those of replays.",
            counted.deliveries,
        ),
        counters(
            "deliveries_total",
            "Deliveries that came to an end since the start: delivered, or failed with all attempts used up.",
            "outcome",
            [("delivered", counted.delivered), ("failed", counted.failed)],
        ),
        counters(
            "attempts_total",
            "Requests made since the start: success is an answer of 2xx. Neither tests nor failures on our side.",
            "outcome",
            [("success", counted.attempts_ok), ("failure", counted.attempts_failed)],
        ),
        counters(
            "attempt_failures_total",
            "Requests that failed, by reason: another status than 2xx, out of time, no connection or no answer; own: \
             on our side, which uses up no attempt.",
            "reason",
            [
                ("status", failures.status),
                ("timeout", failures.timeout),
                ("connection", failures.connection),
                ("own", failures.own),
            ],
        ),
    ]
}

fn latencies(metrics: &Metrics) -> [MetricFamily; 4] {
    let counted = &metrics.counted;
    [
        histogram(
            "accept_duration_seconds",
            "How long calls to publish took, from the request's last byte to the commit: one event or a batch.",
            &metrics.accepts,
        ),
        histogram(
            "queue_wait_seconds",
            "How long deliveries that were due waited until a thread took them. Rates, caps and pauses of endpoints count.",
            &metrics.dispatcher.waits,
        ),
        histogram(
            "attempt_duration_seconds",
            "How long requests took, from the look-up of the name to the last byte read, whatever came of them.",
            &counted.attempts,
        ),
        histogram(
            "delivery_age_seconds",
            "How old deliveries were when they were delivered: end to end, retries included.",
            &counted.ages,
        ),
    ]
}

/// A tenant's label grows with customers: only where a setting asks for it.
fn of_tenants(tenants: &[TenantTotals]) -> [MetricFamily; 2] {
    let two = |of: &TenantTotals, numbers: [(&str, u64); 2]| {
        numbers.map(|(outcome, number)| {
            labelled(labelled(counter(number), "tenant", &of.tenant), "outcome", outcome)
        })
    };
    let deliveries = |of: &TenantTotals| two(of, [("delivered", of.delivered), ("failed", of.failed)]);
    let attempts =
        |of: &TenantTotals| two(of, [("success", of.attempts_ok), ("failure", of.attempts_failed)]);
    let all = |metrics: Vec<Metric>, name: &str, help: &str| family(name, help, MetricType::COUNTER, metrics);
    [
        all(
            tenants.iter().flat_map(deliveries).collect(),
            "tenant_deliveries_total",
            "Deliveries of a tenant that came to an end since midnight (UTC), when it begins at 0 again.",
        ),
        all(
            tenants.iter().flat_map(attempts).collect(),
            "tenant_attempts_total",
            "Requests made for a tenant since midnight (UTC).",
        ),
    ]
}
