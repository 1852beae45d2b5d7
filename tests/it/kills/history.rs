//! Events of months ago, in bands of a day, and cleanups that delete one band after the other.

use std::time::Duration;

use postrider::clock::{Clock, SystemClock};
use serde_json::json;

use crate::support::app::{START, TestApp};
use crate::support::length::short_or_long;
use crate::support::receiver::Receiver;

use super::operators::Operator;

const DAY_SECONDS: i64 = 86_400;
/// Events of a day.
pub(super) const BAND: usize = 40;

fn bands() -> usize {
    short_or_long(8, 60)
}

/// A stopped server with a history; its folder stays as long as this does.
pub(super) fn make(receiver: &Receiver) -> TestApp {
    let mut app = TestApp::with_manual_clock();
    // Only people clean here.
    app.change_settings(&json!({ "retention_days": 3650 }));
    app.endpoint_with(receiver, "/old", &json!({ "events": ["old.*"] }));
    for band in 0..bands() {
        for number in 0..BAND {
            app.publish(&format!("old.band{band}"), &json!({ "number": number }));
        }
        app.advance(Duration::from_hours(24));
    }
    app.stop();
    app
}

/// What the cleanups may have deleted, in bands from the oldest on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cleaned {
    /// Cleanups of so many bands were acknowledged.
    pub(super) for_certain: usize,
    /// So many were asked for.
    pub(super) at_most: usize,
}

/// Cleans a band more each time; the youngest two stay.
pub(super) fn clean(operator: &Operator) -> Cleaned {
    let mut cleaned = Cleaned { for_certain: 0, at_most: 0 };
    while operator.goes_on() {
        let goal = (cleaned.for_certain + 1).min(bands() - 2);
        cleaned.at_most = goal;
        let now = SystemClock::new().wall();
        let age =
            (now.0 - START.0) / 1_000 - DAY_SECONDS * i64::try_from(goal).expect("few") + DAY_SECONDS / 2;
        let (answer, _) = operator.post("/cleanups", &json!({ "older_than_seconds": age }));
        let report = answer.expect(200).json();
        assert_eq!(report["error"], json!(null), "{report}");
        cleaned.for_certain = goal;
    }
    cleaned
}

/// The bands that are there for certain, and those that may be there.
pub(super) fn left(cleaned: Cleaned) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
    (cleaned.at_most..bands(), cleaned.for_certain..bands())
}
