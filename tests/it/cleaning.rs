//! The nightly cleanup, by the clock.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::receiver::{Receiver, Reply};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Waits until `n` cleanups have ended; the last of them.
#[track_caller]
fn cleanup(app: &TestApp, n: usize) -> Value {
    app.eventually(&format!("{n} cleanups"), |app| {
        let rows = app.list("/cleanups");
        (rows.len() >= n && rows.iter().all(|row| row["ended_at"].is_string())).then(|| {
            assert_eq!(rows.len(), n, "{rows:?}");
            rows[0].clone()
        })
    })
}

/// Sees that nothing is cleaned: the thread that would has looked at the clock before this one is answered twice.
#[track_caller]
fn no_cleanup(app: &TestApp, so_far: usize) {
    app.settle();
    for _ in 0..20 {
        assert_eq!(app.list("/cleanups").len(), so_far);
    }
}

#[test]
fn it_runs_every_night_deletes_what_is_old_and_is_recorded() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    app.change_settings(&json!({ "retention_days": 2 }));
    let old: Vec<_> = (0..400).map(|n| app.publish("test", &json!({ "n": n }))).collect();
    app.settle();
    let delivery = text(&app.delivery_of(&old[0]), "id");

    app.advance(HOUR * 12 + HOUR / 2);
    no_cleanup(&app, 0);
    app.advance(HOUR / 2);
    shows(
        &cleanup(&app, 1),
        &json!({
            "started_at": "2026-02-24T03:30:00.000Z", "by": "schedule", "deliveries": 0, "events": 0, "error": null
        }),
    );
    app.advance(DAY);
    cleanup(&app, 2);
    let young = app.send(&json!(1));
    assert_eq!(app.status(&delivery), "delivered", "younger than two days");
    app.advance(DAY);
    shows(&cleanup(&app, 3), &json!({ "deliveries": 400, "events": 400 }));
    app.client.get(&format!("/api/v1/deliveries/{delivery}")).expect(404);
    app.client.get(&format!("/api/v1/events/{}", text(&old[399], "id"))).expect(404);
    assert_eq!(app.status(&young), "delivered");
    assert_eq!((app.list("/deliveries").len(), app.list("/events").len()), (1, 1));
}

#[test]
fn what_is_pending_stays_and_what_is_held_goes_with_its_age() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.change_settings(&json!({ "retention_days": 1 }));
    receiver.always(Reply::status(500));
    let pending =
        app.endpoint_with(&receiver, "/1", &json!({ "retry_schedule": [400_000], "events": ["pending"] }));
    app.endpoint_with(&receiver, "/2", &json!({ "enabled": false, "events": ["held"] }));
    let one = app.publish("pending", &json!(1));
    let two = app.publish("held", &json!(2));
    let (kept, gone) = (app.delivery_of(&one), app.delivery_of(&two));
    for night in 1..4 {
        app.advance(if night == 1 { HOUR * 13 } else { DAY });
        cleanup(&app, night);
    }
    shows(&app.delivery(&text(&kept, "id")), &json!({ "status": "pending", "endpoint_id": pending }));
    app.get(&format!("/events/{}", text(&one, "id")));
    app.client.get(&format!("/api/v1/deliveries/{}", text(&gone, "id"))).expect(404);
    app.client.get(&format!("/api/v1/events/{}", text(&two, "id"))).expect(404);
}

#[test]
fn another_schedule_holds_at_once_and_events_can_be_kept_longer() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    app.change_settings(&json!({
        "cleanup_schedule": "0 */6 * * *", "retention_days": 1, "event_retention_days": 0
    }));
    let event = app.publish("test", &json!(1));
    app.settle();
    for run in 1..8 {
        app.advance(if run == 1 { HOUR * 4 } else { HOUR * 6 });
        cleanup(&app, run);
    }
    assert_eq!(app.list("/deliveries").len(), 0);
    app.get(&format!("/events/{}", text(&event, "id")));
}

#[test]
fn a_missed_run_is_made_up_soon_after_the_start() {
    let (mut app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    app.publish("test", &json!(1));
    app.settle();
    // Never cleaned, and then cleaned once: a server that is off every night must clean all the same.
    for missed in 1..3 {
        app.stop();
        app.clock().advance(HOUR * 20);
        app.restart();
        no_cleanup(&app, missed - 1);
        app.advance(HOUR);
        cleanup(&app, missed);
    }
}

#[test]
fn a_clock_that_is_days_ahead_is_not_believed_for_a_day() {
    let (mut app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    app.change_settings(&json!({ "retention_days": 1 }));
    app.publish("test", &json!(1));
    app.settle();
    app.stop();
    app.clock().jump_wall(100 * 86_400_000);
    app.restart();
    for _ in 0..23 {
        app.advance(HOUR);
        no_cleanup(&app, 0);
    }
    assert_eq!(app.list("/events").len(), 1);
    // The one of the night waits no longer than that.
    app.advance(HOUR * 2);
    shows(&cleanup(&app, 1), &json!({ "by": "schedule", "events": 1 }));
    app.advance(HOUR * 12);
    cleanup(&app, 2);
}

#[test]
fn a_new_schedule_needs_no_other_signal_and_makes_up_no_times_of_its_own() {
    // By the machine's clock, which wakes nobody by being read.
    let app = TestApp::start();
    app.change_settings(&json!({ "cleanup_schedule": "* * * * * *" }));
    app.eventually("a cleanup", |app| app.list("/cleanups").pop());

    let app = TestApp::with_manual_clock();
    app.advance(HOUR * 2);
    app.change_settings(&json!({ "cleanup_schedule": "0 15 * * *" }));
    no_cleanup(&app, 0);
    app.advance(HOUR * 22);
    no_cleanup(&app, 0);
    app.advance(HOUR);
    cleanup(&app, 1);
}

#[test]
fn a_persons_word_is_enough_to_believe_the_clock() {
    let (mut app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    app.change_settings(&json!({ "retention_days": 1 }));
    app.publish("test", &json!(1));
    app.settle();
    app.stop();
    app.clock().jump_wall(100 * 86_400_000);
    app.restart();
    no_cleanup(&app, 0);
    let waits = text(&app.get("/cleanups"), "waits");
    assert!(
        waits.contains("two days ahead of 2026-02-23T") && waits.contains("POST /api/v1/cleanups"),
        "{waits}"
    );
    let only_counted = app.post("/cleanups", &json!({ "dry_run": true })).expect(200).json();
    shows(&only_counted, &json!({ "deliveries": 1, "dry_run": true }));
    assert_eq!(app.list("/events").len(), 1);
    assert_eq!(text(&app.get("/cleanups"), "waits"), waits, "to count is no word");
    let done = app.post("/cleanups", &json!({})).expect(200).json();
    shows(&done, &json!({ "deliveries": 1, "events": 1, "dry_run": false }));
    assert_eq!(app.get("/cleanups")["waits"], Value::Null);
    assert!(text(&done, "by").starts_with("key:"), "{done}");
    app.advance(HOUR * 13);
    cleanup(&app, 2);
}

#[test]
fn a_clock_that_was_ahead_for_a_while_puts_no_cleanup_off() {
    let (mut app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    app.stop();
    app.clock().jump_wall(300 * 86_400_000);
    app.restart();
    app.post("/cleanups", &json!({})).expect(200);
    app.clock().jump_wall(-300 * 86_400_000);
    no_cleanup(&app, 1);
    app.advance(HOUR * 13);
    cleanup(&app, 2);
}
