//! A wall clock that jumps while deliveries wait: here a clock of the test's, in `process` that of a whole server.

mod process;
mod wall;

use std::time::Duration;

use serde_json::json;

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::receiver::{Receiver, Reply};

const DAY_MS: i64 = 86_400_000;

/// A delivery that waits for its retry; the wait was 1000 s and up to 10 %.
fn waiting() -> (TestApp, Receiver, String) {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.reply(Reply::status(500));
    app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": [1000] }));
    let delivery = app.send(&json!(1));
    app.settle();
    (app, receiver, delivery)
}

#[test]
fn a_jump_of_a_day_makes_a_retry_neither_early_nor_late() {
    for jump in [DAY_MS, -DAY_MS, 3_600_000, -1_500, 40 * 365 * DAY_MS] {
        let (app, receiver, delivery) = waiting();
        app.clock().jump_wall(jump);
        app.advance(Duration::from_secs(999));
        assert_eq!(receiver.count(), 1, "early after {jump}");
        app.advance(Duration::from_secs(102));
        assert_eq!(receiver.count(), 2, "late after {jump}");
        assert_eq!(app.status(&delivery), "delivered");
    }
}

#[test]
fn a_clock_that_jumps_all_the_time_changes_no_wait() {
    let (app, receiver, _) = waiting();
    for second in 0..99 {
        app.clock().jump_wall(if second % 2 == 0 { DAY_MS } else { -DAY_MS - 1 });
        app.advance(Duration::from_secs(10));
    }
    assert_eq!(receiver.count(), 1);
    app.advance(Duration::from_secs(111));
    assert_eq!(receiver.count(), 2);
}

#[test]
fn the_time_of_the_next_retry_is_the_walls() {
    let (app, _receiver, delivery) = waiting();
    let before = text(&app.delivery(&delivery), "next_retry_at");
    assert!(before.starts_with("2026-02-23T14:4"), "{before}");
    app.clock().jump_wall(DAY_MS);
    let after = before.replace("2026-02-23", "2026-02-24");
    app.eventually("the wall's time", |app| {
        (app.delivery(&delivery)["next_retry_at"] == json!(after)).then_some(())
    });
    let wait = app.advance_to_retry(&delivery);
    assert!((1000..=1100).contains(&wait.as_secs()), "{wait:?}");
    assert_eq!(app.status(&delivery), "delivered");
}

#[test]
fn a_jump_is_remembered_over_a_restart() {
    for jump in [DAY_MS, -DAY_MS] {
        let (mut app, receiver, delivery) = waiting();
        app.clock().jump_wall(jump);
        app.restart();
        app.settle();
        app.advance(Duration::from_secs(999));
        assert_eq!(receiver.count(), 1, "{jump}");
        app.advance(Duration::from_secs(102));
        assert_eq!((receiver.count(), app.status(&delivery)), (2, "delivered".to_owned()), "{jump}");
    }
}

#[test]
fn after_a_jump_back_events_are_still_listed_and_sent_in_order() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_with(&receiver, "/", &json!({ "max_in_flight": 1 }));
    let mut published = Vec::new();
    for n in 0..6 {
        published.push(app.publish("test", &json!({ "n": n })));
        app.clock().jump_wall(if n < 3 { -DAY_MS } else { 2 * DAY_MS });
    }
    app.settle();
    published.reverse();
    let ids = |rows: &[serde_json::Value]| rows.iter().map(|row| text(row, "id")).collect::<Vec<_>>();
    assert_eq!(ids(&app.list("/events")), ids(&published));
    assert_eq!(published[4]["created_at"], "2026-02-22T14:30:00.000Z", "the wall's");
    assert_eq!(crate::support::actions::numbers(&receiver, "/"), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_pause_and_a_rate_are_kept_by_the_clock_that_does_not_jump() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.reply(Reply::status(429).header("Retry-After", "600"));
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "rate_limit": 1 }));
    app.send(&json!(1));
    app.settle();
    let second = app.send(&json!(2));
    app.clock().jump_wall(DAY_MS);
    app.settle();
    shows(&app.delivery(&second), &json!({ "status": "pending", "attempts": 0 }));
    app.clock().jump_wall(-2 * DAY_MS);
    app.advance(Duration::from_mins(10));
    assert_eq!(receiver.count(), 2);
    app.clock().jump_wall(DAY_MS);
    app.settle();
    assert_eq!(receiver.count(), 2, "one a second");
    app.advance(Duration::from_secs(1));
    assert_eq!(receiver.count(), 3);
    assert_eq!(app.endpoint(&endpoint)["failure_count"], 0);
}
