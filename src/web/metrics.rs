//! `/metrics`, in the text format of Prometheus, version 0.0.4. No series is about one endpoint or tenant, so that
//! their number does not grow; `GET /api/v1/endpoints/{id}/stats` tells about one.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use prometheus::TextEncoder;
use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};

use crate::domain::scope::Scope;
use crate::service::metrics::Metrics;
use crate::store::figures::Buckets;
use crate::web::read;

use super::auth::Authenticated;
use super::problem::Problem;
use super::query;
use super::state::AppState;

/// The route.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/metrics").route(read().to(metrics)));
}

async fn metrics(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::MetricsRead)?;
    query::none(&request)?;
    let metrics = state.read(move |service| Ok(service.metrics(&scope))).await?;
    let text = TextEncoder::new().encode_to_string(&families(&metrics));
    let text = text.map_err(|error| Problem::internal(format!("the metrics: {error}")))?;
    Ok(HttpResponse::Ok().content_type(prometheus::TEXT_FORMAT).body(text))
}

/// All of them, in the order of the answer.
fn families(metrics: &Metrics) -> Vec<MetricFamily> {
    let all = general(metrics).into_iter().chain(deliveries(metrics));
    all.chain(queues(metrics)).chain(disk(metrics)).collect()
}

fn general(metrics: &Metrics) -> [MetricFamily; 3] {
    let version = env!("CARGO_PKG_VERSION");
    let endpoints = [("enabled", metrics.enabled_endpoints), ("disabled", metrics.disabled_endpoints)];
    let endpoints = endpoints.map(|(state, number)| labelled(gauge(number), "state", state));
    [
        family(
            "build_info",
            "1, with the version of the program.",
            MetricType::GAUGE,
            vec![labelled(gauge(1_u64), "version", version)],
        ),
        one_gauge(
            "ready",
            "1 while events can be accepted and delivered, else 0; /readyz says why.",
            metrics.ready,
        ),
        family(
            "endpoints",
            "Endpoints that were not deleted, by state.",
            MetricType::GAUGE,
            endpoints.into(),
        ),
    ]
}

fn deliveries(metrics: &Metrics) -> [MetricFamily; 5] {
    let counted = &metrics.counted;
    let ended = [("delivered", counted.delivered), ("failed", counted.failed)];
    let attempts = [("success", counted.attempts_ok), ("failure", counted.attempts_failed)];
    let by_outcome = |counts: [(&str, u64); 2]| {
        counts.map(|(outcome, number)| labelled(counter(number), "outcome", outcome)).into()
    };
    [
        one_counter("events_accepted_total", "Events accepted since the start.", counted.events),
        one_counter(
            "deliveries_created_total",
            "Deliveries made with these events: one for each endpoint that matched.",
            counted.deliveries,
        ),
        family(
            "deliveries_total",
            "Deliveries that came to an end since the start: delivered, or failed with all attempts used up.",
            MetricType::COUNTER,
            by_outcome(ended),
        ),
        family(
            "attempts_total",
            "Requests made since the start: success is an answer of 2xx. Neither tests nor failures on our side.",
            MetricType::COUNTER,
            by_outcome(attempts),
        ),
        histogram(
            "attempt_duration_seconds",
            "How long requests took, from the look-up of the name to the last byte read, whatever came of them.",
            &counted.attempts,
        ),
    ]
}

fn queues(metrics: &Metrics) -> [MetricFamily; 8] {
    let load = metrics.dispatcher;
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
        one_gauge(
            "writer_queue_items",
            "Events, outcomes and changes that wait for the writer.",
            metrics.writer_items,
        ),
        one_gauge("writer_queue_bytes", "Bytes of these; a full queue answers 503.", metrics.writer_bytes),
    ]
}

fn disk(metrics: &Metrics) -> [MetricFamily; 4] {
    let counted = &metrics.counted;
    [
        histogram(
            "commit_duration_seconds",
            "How long commits of the database took, the sync of the disk included.",
            &counted.commits,
        ),
        one_counter(
            "commit_failures_total",
            "Commits that failed since the start: disk full, locked or broken.",
            counted.commits_failed,
        ),
        one_gauge("database_bytes", "Size of the database file.", metrics.database_bytes),
        one_gauge("wal_bytes", "Size of the write-ahead log beside it.", metrics.wal_bytes),
    ]
}

fn family(name: &str, help: &str, kind: MetricType, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(format!("postrider_{name}"));
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}

fn one_counter(name: &str, help: &str, number: u64) -> MetricFamily {
    family(name, help, MetricType::COUNTER, vec![counter(number)])
}

fn one_gauge(name: &str, help: &str, number: impl Number) -> MetricFamily {
    family(name, help, MetricType::GAUGE, vec![gauge(number)])
}

/// What a sample can be made of: Prometheus has 64-bit floating point numbers alone.
trait Number {
    fn to_sample(self) -> f64;
}

impl Number for u64 {
    #[expect(clippy::cast_precision_loss, reason = "all digits up to 2^53, and the first 16 from there on")]
    fn to_sample(self) -> f64 {
        self as f64
    }
}

impl Number for usize {
    fn to_sample(self) -> f64 {
        (self as u64).to_sample()
    }
}

impl Number for bool {
    fn to_sample(self) -> f64 {
        u64::from(self).to_sample()
    }
}

fn counter(number: u64) -> Metric {
    let mut counter = Counter::default();
    counter.set_value(number.to_sample());
    let mut metric = Metric::default();
    metric.set_counter(counter);
    metric
}

fn gauge(number: impl Number) -> Metric {
    let mut gauge = Gauge::default();
    gauge.set_value(number.to_sample());
    Metric::from_gauge(gauge)
}

fn labelled(mut metric: Metric, name: &str, value: &str) -> Metric {
    let mut label = LabelPair::default();
    label.set_name(name.to_owned());
    label.set_value(value.to_owned());
    metric.set_label(vec![label]);
    metric
}

fn histogram(name: &str, help: &str, buckets: &Buckets) -> MetricFamily {
    let mut sum = 0;
    let shown = buckets.bounded.iter().map(|(bound, count)| {
        sum += count;
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(bound.as_secs_f64());
        bucket.set_cumulative_count(sum);
        bucket
    });
    let mut histogram = Histogram::default();
    histogram.set_bucket(shown.collect());
    histogram.set_sample_count(sum + buckets.above);
    histogram.set_sample_sum(buckets.sum.as_secs_f64());
    let mut metric = Metric::default();
    metric.set_histogram(histogram);
    family(name, help, MetricType::HISTOGRAM, vec![metric])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_family_has_a_name_of_its_own_and_says_what_it_is() {
        let all = families(&Metrics::default());
        let names: BTreeSet<&str> = all.iter().map(MetricFamily::name).collect();
        assert_eq!(names.len(), all.len());
        for family in &all {
            assert!(family.name().starts_with("postrider_") && family.help().ends_with('.'), "{family:?}");
            let total = family.name().ends_with("_total");
            assert_eq!(total, family.get_field_type() == MetricType::COUNTER, "{}", family.name());
        }
    }

    #[test]
    fn the_buckets_of_a_histogram_hold_all_that_is_not_longer() {
        let buckets = Buckets {
            bounded: vec![(Duration::from_millis(1), 2), (Duration::from_secs(1), 3)],
            above: 1,
            sum: Duration::from_millis(2_500),
        };
        let text = TextEncoder::new().encode_to_string(&[histogram("x", "X.", &buckets)]).unwrap();
        let expected = "# HELP postrider_x X.\n# TYPE postrider_x histogram\n\
            postrider_x_bucket{le=\"0.001\"} 2\npostrider_x_bucket{le=\"1\"} 5\npostrider_x_bucket{le=\"+Inf\"} 6\n\
            postrider_x_sum 2.5\npostrider_x_count 6\n";
        assert_eq!(text, expected);
    }
}
