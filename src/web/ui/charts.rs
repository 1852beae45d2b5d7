//! Plots of what happened, and the figures beside them.

use crate::domain::stats::{Step as Span, Window};
use crate::service::stats::{Counted, Point, Stats};

use super::amounts;
use super::filters;
use super::form::Form;
use super::moments::Zone;
use super::plot::{Plot, Series, Step};

/// What there is to choose from, with the one that is shown.
pub struct Windows {
    /// The one that is shown.
    pub shown: Window,
    /// Of the page, without its query.
    pub path: String,
}

impl Windows {
    /// What a query asks for; a day where it asks for nothing, or for what there is not, which is noted.
    pub fn of(path: &str, asked: &mut Form) -> Self {
        let shown = filters::taken(asked, "window", Window::parse).unwrap_or_default();
        asked.is_refused();
        Self { shown, path: path.to_owned() }
    }

    /// Each with its name, its address, and whether it is shown.
    pub fn links(&self) -> Vec<(&'static str, String, bool)> {
        let link = |window: Window| {
            let address = format!("{}?window={}", self.path, window.as_str());
            (words(window), address, window == self.shown)
        };
        Window::ALL.into_iter().map(link).collect()
    }
}

const fn words(window: Window) -> &'static str {
    match window {
        Window::Hour => "Last hour",
        Window::Day => "Last 24 hours",
        Window::Week => "Last 7 days",
        Window::Month => "Last 30 days",
    }
}

/// How much time a bar stands for: some thirty are read at a glance.
pub const fn step(window: Window) -> Span {
    match window {
        Window::Hour | Window::Day => Span::Hour,
        Window::Week => Span::Quarter,
        Window::Month => Span::Day,
    }
}

/// Deliveries that came to an end, by outcome.
pub fn outcomes(stats: &Stats, zone: &Zone) -> Plot {
    let bar = |point: &Point| Step {
        label: zone.short(point.at),
        values: vec![Some(point.counted.delivered), Some(point.counted.failed)],
    };
    Plot {
        title: "Deliveries by outcome",
        unit: "",
        series: vec![Series { name: "delivered", colour: "good" }, Series { name: "failed", colour: "bad" }],
        steps: stats.series.iter().map(bar).collect(),
        stacked: true,
    }
}

/// What is told of a time, as text.
pub struct Figures {
    /// Of the deliveries that came to an end, the share that was delivered.
    pub success: Option<String>,
    /// How many were delivered.
    pub delivered: String,
    /// How many failed for good.
    pub failed: String,
    /// Requests that were made.
    pub attempts: String,
    /// How many of them failed.
    pub attempts_failed: String,
    /// p50, p95, p99 of their durations.
    pub latency: Option<[String; 3]>,
}

impl Figures {
    /// Of what was counted.
    pub fn of(counted: &Counted) -> Self {
        Self {
            success: amounts::percent(counted.delivered, counted.delivered + counted.failed),
            delivered: amounts::grouped(counted.delivered),
            failed: amounts::grouped(counted.failed),
            attempts: amounts::grouped(counted.attempts),
            attempts_failed: amounts::grouped(counted.attempts_failed),
            latency: counted
                .latency_ms
                .map(|latency| [latency.p50, latency.p95, latency.p99].map(amounts::grouped)),
        }
    }
}
