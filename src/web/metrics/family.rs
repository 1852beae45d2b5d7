//! Families of metrics: a name, what it says, and samples.

use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};

use crate::domain::time::UnixMs;
use crate::store::distribution::Buckets;

pub(super) fn family(name: &str, help: &str, kind: MetricType, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    // What every process has is called alike everywhere.
    let prefix = if name.starts_with("process_") { "" } else { "postrider_" };
    family.set_name(format!("{prefix}{name}"));
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}

pub(super) fn one_counter(name: &str, help: &str, number: impl Number) -> MetricFamily {
    family(name, help, MetricType::COUNTER, vec![counter(number)])
}

pub(super) fn one_gauge(name: &str, help: &str, number: impl Number) -> MetricFamily {
    family(name, help, MetricType::GAUGE, vec![gauge(number)])
}

/// What a sample can be made of: Prometheus has 64-bit floating point numbers alone.
pub(super) trait Number {
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

impl Number for u32 {
    fn to_sample(self) -> f64 {
        self.into()
    }
}

impl Number for f64 {
    fn to_sample(self) -> f64 {
        self
    }
}

impl Number for UnixMs {
    /// Seconds since 1970.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of 285,000 years")]
    fn to_sample(self) -> f64 {
        self.0 as f64 / 1e3
    }
}

impl Number for bool {
    fn to_sample(self) -> f64 {
        u64::from(self).to_sample()
    }
}

pub(super) fn counter(number: impl Number) -> Metric {
    let mut counter = Counter::default();
    counter.set_value(number.to_sample());
    let mut metric = Metric::default();
    metric.set_counter(counter);
    metric
}

pub(super) fn gauge(number: impl Number) -> Metric {
    let mut gauge = Gauge::default();
    gauge.set_value(number.to_sample());
    Metric::from_gauge(gauge)
}

pub(super) fn labelled(mut metric: Metric, name: &str, value: &str) -> Metric {
    let mut label = LabelPair::default();
    label.set_name(name.to_owned());
    label.set_value(value.to_owned());
    let labels = metric.get_label().iter().cloned().chain([label]).collect();
    metric.set_label(labels);
    metric
}

/// A family of counters that differ in a label.
pub(super) fn counters<const N: usize>(
    name: &str,
    help: &str,
    label: &str,
    values: [(&str, u64); N],
) -> MetricFamily {
    let metrics = values.map(|(value, number)| labelled(counter(number), label, value));
    family(name, help, MetricType::COUNTER, metrics.into())
}

/// A gauge of what may not be known: without a sample it is left out.
pub(super) fn maybe_gauge(name: &str, help: &str, number: Option<impl Number>) -> MetricFamily {
    family(name, help, MetricType::GAUGE, number.map(gauge).into_iter().collect())
}

pub(super) fn histogram(name: &str, help: &str, buckets: &Buckets) -> MetricFamily {
    let mut sum = 0;
    let shown = buckets.bounded.iter().map(|(bound, count)| {
        sum += count;
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(*bound);
        bucket.set_cumulative_count(sum);
        bucket
    });
    let mut histogram = Histogram::default();
    histogram.set_bucket(shown.collect());
    histogram.set_sample_count(sum + buckets.above);
    histogram.set_sample_sum(buckets.sum);
    let mut metric = Metric::default();
    metric.set_histogram(histogram);
    family(name, help, MetricType::HISTOGRAM, vec![metric])
}

#[cfg(test)]
mod tests {
    use prometheus::TextEncoder;

    use super::*;

    #[test]
    fn the_buckets_of_a_histogram_hold_all_that_is_not_longer() {
        let buckets = Buckets { bounded: vec![(0.001, 2), (1.0, 3)], above: 1, sum: 2.5 };
        let text = TextEncoder::new().encode_to_string(&[histogram("x", "X.", &buckets)]).unwrap();
        let expected = "# HELP postrider_x X.\n# TYPE postrider_x histogram\n\
            postrider_x_bucket{le=\"0.001\"} 2\npostrider_x_bucket{le=\"1\"} 5\npostrider_x_bucket{le=\"+Inf\"} 6\n\
            postrider_x_sum 2.5\npostrider_x_count 6\n";
        assert_eq!(text, expected);
    }
}
