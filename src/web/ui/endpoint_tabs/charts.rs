//! The plots of an endpoint: what came of its attempts, and how long they took.

use crate::service::stats::{Point, Stats};
use crate::web::ui::moments::Zone;
use crate::web::ui::plot::{self, Plot, Series};

/// What came of the attempts.
pub fn outcomes(stats: &Stats, zone: &Zone) -> Plot {
    let series = [("delivered", "good"), ("failed, to be tried again", "warn"), ("failed for good", "bad")];
    let values = |point: &Point| {
        let counted = &point.counted;
        // The attempt that a delivery failed with is one of the failed ones.
        let again = counted.attempts_failed.saturating_sub(counted.failed);
        [counted.delivered, again, counted.failed].map(Some).to_vec()
    };
    Plot { unit: "", stacked: true, ..plot("Attempts by what came of them", &series, stats, zone, values) }
}

/// How long the attempts took.
pub fn latency(stats: &Stats, zone: &Zone) -> Plot {
    let series = [("p50", "good"), ("p95", "warn"), ("p99", "bad")];
    let values = |point: &Point| match point.counted.latency_ms {
        Some(latency) => [latency.p50, latency.p95, latency.p99].map(|ms| Some(u64::from(ms))).to_vec(),
        None => vec![None; 3],
    };
    Plot { unit: " ms", stacked: false, ..plot("How long attempts took", &series, stats, zone, values) }
}

fn plot(
    title: &'static str,
    series: &[(&'static str, &'static str)],
    stats: &Stats,
    zone: &Zone,
    values: impl Fn(&Point) -> Vec<Option<u64>>,
) -> Plot {
    let steps =
        stats.series.iter().map(|point| plot::Step { label: zone.short(point.at), values: values(point) });
    Plot {
        title,
        unit: "",
        series: series.iter().map(|&(name, colour)| Series { name, colour }).collect(),
        steps: steps.collect(),
        stacked: true,
    }
}
