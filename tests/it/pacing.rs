//! How much an endpoint gets at a time, and that no endpoint is in another's way.

use std::time::Duration;

use serde_json::json;

use crate::support::actions::numbers;
use crate::support::app::TestApp;
use crate::support::receiver::{Gate, Receiver, Reply};

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn so_many_requests_are_in_flight_at_a_time_as_the_endpoint_takes() {
    let (app, receiver, gate) = (TestApp::with_manual_clock(), Receiver::start(), Gate::new());
    receiver.always(Reply::ok().gated(&gate));
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "max_in_flight": 3 }));
    app.publish_many(0..20);
    receiver.wait_in_flight(3);
    for _ in 0..5 {
        gate.let_through(1);
    }
    receiver.wait_for(8);
    assert_eq!(receiver.peak(), 3);
    app.change_endpoint(&endpoint, &json!({ "max_in_flight": 7 }));
    receiver.wait_in_flight(7);
    gate.open();
    app.settle();
    assert_eq!((receiver.peak(), receiver.count()), (7, 20));
}

#[test]
fn sixteen_at_a_time_are_the_default() {
    let (app, receiver, gate) = (TestApp::with_manual_clock(), Receiver::start(), Gate::new());
    receiver.always(Reply::ok().gated(&gate));
    app.endpoint_at(&receiver, "/");
    app.publish_many(0..40);
    receiver.wait_in_flight(16);
    gate.open();
    app.settle();
    assert_eq!((receiver.peak(), receiver.count()), (16, 40));
}

#[test]
fn no_sliding_second_has_more_attempts_than_the_rate_limit() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_with(&receiver, "/", &json!({ "rate_limit": 5 }));
    let counts_after = |ms: &[u64]| {
        let step = |ms: &u64| {
            app.advance(Duration::from_millis(*ms));
            receiver.count()
        };
        ms.iter().map(step).collect::<Vec<_>>()
    };
    app.publish_many(0..2);
    app.settle();
    assert_eq!(counts_after(&[500]), [2]);
    app.publish_many(2..20);
    app.settle();
    assert_eq!(receiver.count(), 5, "two and three");
    assert_eq!(counts_after(&[499, 1, 499, 1, 499, 1, 500]), [5, 7, 7, 10, 10, 12, 15]);
    assert_eq!(counts_after(&[10_000]), [20]);
    assert_eq!(numbers(&receiver, "/").len(), 20);
}

#[test]
fn retries_count_for_the_rate_limit_and_tests_do_not() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.always(Reply::status(500));
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "rate_limit": 1, "retry_schedule": [1, 1] }));
    app.publish_many(0..3);
    app.settle();
    assert_eq!(receiver.count(), 1);
    assert_eq!(app.test_endpoint(&endpoint)["success"], false);
    assert_eq!(receiver.count(), 2);
    for second in 1..9 {
        app.advance(Duration::from_secs(1));
        assert_eq!(receiver.count(), second + 2);
    }
    app.advance(Duration::from_mins(1));
    assert_eq!(receiver.count(), 10, "three attempts each, and the test");
}

#[test]
fn three_timeouts_in_a_row_mean_one_at_a_time_until_a_success() {
    let (app, receiver, gate) = (TestApp::with_manual_clock(), Receiver::start(), Gate::new());
    for _ in 0..3 {
        receiver.reply_on("/", Reply::hang());
    }
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "timeout_seconds": 1, "retry_schedule": [] }));
    app.publish_many(0..3);
    app.settle();
    assert_eq!(app.endpoint(&endpoint)["failure_count"], 3);

    receiver.always_on("/failing", Reply::status(500));
    app.change_endpoint(&endpoint, &json!({ "url": receiver.url("/failing"), "timeout_seconds": 30 }));
    app.publish_many(0..40);
    app.settle();
    assert_eq!((receiver.count_on("/failing"), receiver.peak_on("/failing")), (40, 1));

    receiver.reply_on("/well", Reply::ok());
    receiver.always_on("/well", Reply::ok().gated(&gate));
    app.change_endpoint(&endpoint, &json!({ "url": receiver.url("/well") }));
    app.publish_many(0..10);
    receiver.wait_for_path("/well", 10);
    gate.open();
    app.settle();
    assert_eq!(receiver.peak_on("/well"), 9);
}

#[test]
fn endpoints_that_hang_do_not_delay_another() {
    let (receiver, gate) = (Receiver::start(), Gate::new());
    let app = TestApp::builder().with("POSTRIDER_DELIVERY_THREADS", "16").manual_clock().start();
    receiver.always(Reply::ok().gated(&gate));
    for path in ["/1", "/2", "/3", "/4", "/5", "/6", "/7"] {
        app.endpoint_with(&receiver, path, &json!({ "max_in_flight": 256 }));
    }
    app.publish_many(0..20);
    receiver.wait_in_flight(7);
    receiver.always_on("/well", Reply::ok());
    app.endpoint_at(&receiver, "/well");
    app.publish_many(20..40);
    receiver.wait_for_path("/well", 20);
    gate.open();
    app.settle();
    assert_eq!(receiver.count(), 7 * 40 + 20);
}

#[test]
fn a_flooded_endpoint_does_not_delay_another() {
    let (app, receiver, gate) = (TestApp::with_manual_clock(), Receiver::start(), Gate::new());
    receiver.always_on("/flooded", Reply::ok().gated(&gate));
    app.endpoint_with(&receiver, "/flooded", &json!({ "max_in_flight": 256, "events": ["flood"] }));
    app.endpoint_with(&receiver, "/calm", &json!({ "events": ["calm"] }));
    for n in 0..500 {
        app.publish("flood", &json!({ "n": n }));
    }
    receiver.wait_in_flight(17);
    app.publish("calm", &json!({ "n": 0 }));
    receiver.wait_for_path("/calm", 1);
    gate.open();
    app.settle();
    assert!(receiver.peak_on("/flooded") <= 32, "its share of 512 threads: {}", receiver.peak_on("/flooded"));
}

#[test]
fn threads_start_when_they_are_needed_and_end_when_they_are_idle() {
    let (app, receiver, gate) = (TestApp::with_manual_clock(), Receiver::start(), Gate::new());
    receiver.always(Reply::ok().gated(&gate));
    app.endpoint_at(&receiver, "/");
    assert_eq!(app.dispatcher().load().2, 0, "none before there is work");
    app.publish_many(0..10);
    receiver.wait_in_flight(10);
    // What has come while a thread was about to start may have started another one; it is not one for each request that
    // is made, and by far not all that there may be.
    assert!((10..=64).contains(&app.dispatcher().load().2), "{:?}", app.dispatcher().load());
    gate.open();
    app.settle();
    assert!(app.dispatcher().wait_until_threads_end(PATIENCE), "{:?}", app.dispatcher().load());
    app.publish_many(10..11);
    receiver.wait_for(11);
}
