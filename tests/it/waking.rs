//! Who has to be woken is: nothing waits for a receiver that hangs.

use serde_json::json;

use crate::support::app::{TestApp, text};
use crate::support::receiver::{Gate, Receiver, Reply};

#[test]
fn an_attempt_that_the_rate_puts_off_starts_in_time_while_another_hangs() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let id = text(
        &app.create_endpoint(
            &json!({ "url": receiver.url("/"), "events": ["*"], "rate_limit": 1, "timeout_seconds": 20 }),
        ),
        "id",
    );
    // Leaves a thread behind that waits for work, so that none has to be started for what follows.
    app.publish("test", &json!(0));
    receiver.wait_for(1);
    app.settle();
    app.disable(&id);
    let hanging = app.send(&json!(1));
    app.send(&json!(2));
    let gate = Gate::new();
    receiver.reply(Reply::ok().gated(&gate));
    app.enable(&id);
    let arrived = receiver.wait_for(3);
    assert_eq!(arrived[2].json()["data"], 2);
    assert_eq!(app.delivery(&hanging)["attempts"], 0, "it is under way still");
    gate.open();
}

#[test]
fn an_endpoint_that_is_enabled_waits_for_no_pause_of_before() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let id = app.endpoint_at(&receiver, "/");
    receiver.reply(Reply::status(429).header("Retry-After", "3000"));
    app.publish("test", &json!(1));
    receiver.wait_for(1);
    app.settle();
    app.disable(&id);
    app.enable(&id);
    receiver.wait_for(2);
}

#[test]
fn a_stop_is_noticed_in_the_moment_in_which_a_thread_is_missing() {
    let receiver = Receiver::start();
    for _ in 0..20 {
        // Nobody moves the clock, so what misses its wake-up sleeps for ever.
        let mut app = TestApp::with_manual_clock();
        app.endpoint_at(&receiver, "/");
        app.publish("test", &json!(1));
        app.stop();
    }
}
