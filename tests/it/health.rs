//! An endpoint's health: failing, disabled, ok again.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::receiver::{Receiver, Reply};

const HOUR: Duration = Duration::from_hours(1);

/// An app and a receiver that fails, with an endpoint that is tried every hour.
fn failing(settings: &Value) -> (TestApp, Receiver, String) {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.always(Reply::status(500));
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": vec![3600; 20] }));
    app.change_settings(settings);
    (app, receiver, endpoint)
}

/// Publishes events that fail once now.
#[track_caller]
fn fail(app: &TestApp, times: usize) {
    for _ in 0..times {
        app.publish("test", &json!(1));
        app.settle();
    }
}

#[test]
fn an_endpoint_is_failing_after_five_failures_in_a_row_and_ok_after_a_success() {
    let (app, receiver, id) = failing(&json!({}));
    fail(&app, 4);
    let seen = app.endpoint(&id);
    shows(&seen, &json!({ "health": "ok", "failure_count": 4 }));
    app.clock().advance(Duration::from_secs(10));
    fail(&app, 1);
    let seen = app.endpoint(&id);
    shows(&seen, &json!({ "health": "failing", "failure_count": 5, "enabled": true }));
    shows(
        &seen,
        &json!({ "first_failure_at": "2026-02-23T14:30:00.000Z", "last_failure_at": "2026-02-23T14:30:10.000Z", "last_success_at": null }),
    );
    assert_eq!(app.list("/endpoints?health=failing").len(), 1);
    receiver.always(Reply::ok());
    app.clock().advance(Duration::from_secs(10));
    fail(&app, 1);
    let seen = app.endpoint(&id);
    shows(&seen, &json!({ "health": "ok", "failure_count": 0, "first_failure_at": null }));
    shows(
        &seen,
        &json!({ "last_failure_at": "2026-02-23T14:30:10.000Z", "last_success_at": "2026-02-23T14:30:20.000Z" }),
    );
}

#[test]
fn a_delivery_that_ended_failed_makes_its_endpoint_failing_until_a_success() {
    let (app, receiver, id) = failing(&json!({}));
    app.change_endpoint(&id, &json!({ "retry_schedule": [] }));
    fail(&app, 1);
    assert_eq!(app.endpoint(&id)["health"], "failing");
    app.disable(&id);
    assert_eq!(app.endpoint(&id)["health"], "disabled");
    app.enable(&id);
    let seen = app.endpoint(&id);
    shows(&seen, &json!({ "health": "failing", "failure_count": 0 }));
    receiver.always(Reply::ok());
    fail(&app, 1);
    assert_eq!(app.endpoint(&id)["health"], "ok");
}

#[test]
fn it_is_disabled_at_a_failed_attempt_by_count_and_time_together() {
    let (app, receiver, id) = failing(&json!({ "disable_after_failures": 3, "disable_after_hours": 5 }));
    fail(&app, 3);
    for hour in 1..5 {
        app.advance(HOUR + HOUR / 10);
        assert_eq!(app.endpoint(&id)["enabled"], true, "{hour}: enough failures, too early");
    }
    let before = receiver.count();
    app.advance(HOUR + HOUR / 10);
    assert!(receiver.count() > before);
    let seen = app.endpoint(&id);
    shows(&seen, &json!({ "enabled": false, "disabled_reason": "failing", "health": "disabled" }));
    assert!(seen["disabled_at"].is_string());
    app.eventually("all is held", |app| (app.list("/deliveries?status=held").len() == 3).then_some(()));
    let count = receiver.count();
    app.advance(HOUR * 100);
    assert_eq!(receiver.count(), count, "nothing is sent any more");

    receiver.always(Reply::ok());
    let seen = app.enable(&id);
    shows(&seen, &json!({ "failure_count": 0, "first_failure_at": null, "disabled_reason": null }));
    app.settle();
    assert_eq!(app.list("/deliveries?status=delivered").len(), 3);
}

#[test]
fn time_alone_disables_nothing_without_enough_failures() {
    let (app, _receiver, id) = failing(&json!({ "disable_after_failures": 100, "disable_after_hours": 1 }));
    fail(&app, 1);
    for _ in 0..10 {
        app.advance(HOUR + HOUR / 10);
    }
    assert_eq!(app.endpoint(&id)["enabled"], true);
}

#[test]
fn time_in_which_the_server_was_down_does_not_count() {
    let (mut app, _receiver, id) = failing(&json!({ "disable_after_failures": 2, "disable_after_hours": 5 }));
    fail(&app, 2);
    app.advance(HOUR + HOUR / 10);
    app.stop();
    app.clock().advance(HOUR * 48);
    app.restart();
    app.settle();
    let seen = app.endpoint(&id);
    shows(&seen, &json!({ "enabled": true, "failure_count": 6 }));
    for _ in 0..3 {
        app.advance(HOUR);
        app.advance(HOUR / 10);
    }
    assert_eq!(app.endpoint(&id)["enabled"], true);
    app.advance(HOUR);
    app.advance(HOUR / 10);
    assert_eq!(app.endpoint(&id)["enabled"], false);
}

#[test]
fn a_jump_of_the_wall_clock_disables_nothing() {
    let (app, _receiver, id) = failing(&json!({ "disable_after_failures": 2, "disable_after_hours": 24 }));
    fail(&app, 2);
    app.clock().jump_wall(7 * 86_400_000);
    app.settle();
    fail(&app, 2);
    assert_eq!(app.endpoint(&id)["enabled"], true);
}

#[test]
fn a_zero_leaves_a_condition_out_and_two_never_disable() {
    let (app, _receiver, id) = failing(&json!({ "disable_after_failures": 4, "disable_after_hours": 0 }));
    fail(&app, 3);
    assert_eq!(app.endpoint(&id)["enabled"], true);
    fail(&app, 1);
    assert_eq!(app.endpoint(&id)["disabled_reason"], "failing");

    let (app, _receiver, id) = failing(&json!({ "disable_after_failures": 0, "disable_after_hours": 1 }));
    fail(&app, 1);
    assert_eq!(app.endpoint(&id)["enabled"], true);
    app.advance(HOUR + HOUR / 10);
    assert_eq!(app.endpoint(&id)["disabled_reason"], "failing");

    let (app, _receiver, id) = failing(&json!({ "disable_after_failures": 0, "disable_after_hours": 0 }));
    fail(&app, 30);
    app.advance(HOUR * 2000);
    assert_eq!(
        (&app.endpoint(&id)["enabled"], &app.endpoint(&id)["health"]),
        (&json!(true), &json!("failing"))
    );
}

#[test]
fn disabling_by_failures_is_written_in_the_audit_log_once() {
    let (app, _receiver, id) = failing(&json!({ "disable_after_failures": 1, "disable_after_hours": 0 }));
    fail(&app, 1);
    app.enable(&id);
    app.settle();
    let rows = app.audit_of(&id);
    let actions: Vec<_> = rows.iter().map(|row| text(row, "action")).collect();
    assert_eq!(actions, ["endpoint.create", "endpoint.disable", "endpoint.enable", "endpoint.disable"]);
    assert_eq!((text(&rows[1], "actor"), rows[1]["after"]["disabled_reason"].clone()), {
        ("system".to_owned(), json!("failing"))
    });
}
