//! When a failed delivery is tried again, and what counts as failed.

use std::time::Duration;

use postrider::clock::Clock;
use postrider::domain::time::UnixMs;
use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{START, TestApp, text};
use crate::support::port;
use crate::support::receiver::{Receiver, Reply};

/// Lets the clock stop just before each wait of the schedule has passed and then after its 10 %, and sees one more
/// attempt each time.
#[track_caller]
fn follows(app: &TestApp, receiver: &Receiver, delivery: &str, schedule: &[u64]) {
    app.settle();
    for (done, wait) in schedule.iter().enumerate() {
        let seen = app.delivery(delivery);
        shows(&seen, &json!({ "status": "pending", "attempts": done + 1 }));
        let due = UnixMs::parse(&text(&seen, "next_retry_at")).expect("a time").0 - app.clock().wall().0;
        let wait_ms = i64::try_from(wait * 1000).expect("a short one");
        assert!((wait_ms..=wait_ms * 11 / 10).contains(&due), "attempt {done}: {due} after {wait} s");
        app.advance(Duration::from_millis(wait * 1000 - 1));
        assert_eq!(receiver.count(), done + 1, "too early");
        app.advance(Duration::from_millis(1 + wait * 100));
        assert_eq!(receiver.count(), done + 2, "not sent after {wait} s and 10 %");
    }
}

#[test]
fn ten_attempts_are_made_at_the_documented_times_and_then_it_has_failed() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    receiver.always(Reply::status(500).body("sorry"));
    let delivery = app.send(&json!(1));
    follows(&app, &receiver, &delivery, &[5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]);
    let over = app.delivery(&delivery);
    shows(&over, &json!({ "status": "failed", "attempts": 10 }));
    shows(&over, &json!({ "next_retry_at": null, "response_body": "sorry" }));
    let attempts = over["attempt_list"].as_array().expect("a list");
    let numbers: Vec<_> = attempts.iter().filter_map(|attempt| attempt["number"].as_u64()).collect();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
    app.advance(Duration::from_hours(24 * 30));
    assert_eq!(receiver.count(), 10, "never again");
}

#[test]
fn an_own_schedule_is_kept_and_the_setting_is_for_all_others() {
    let own = |steps: &[u64]| json!({ "retry_schedule": steps });
    for (fields, schedule) in [(own(&[60, 1]), vec![60, 1]), (own(&[]), vec![]), (json!({}), vec![7])] {
        let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
        receiver.always(Reply::status(503));
        app.endpoint_with(&receiver, "/", &fields);
        app.change_settings(&own(&[7]));
        let delivery = app.send(&json!(1));
        follows(&app, &receiver, &delivery, &schedule);
        assert_eq!(app.status(&delivery), "failed");
    }
}

#[test]
fn waits_are_not_all_the_same_and_never_shorter() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.always(Reply::status(500));
    app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": [1000] }));
    app.change_settings(&json!({ "disable_after_failures": 0, "disable_after_hours": 0 }));
    app.publish_many(0..30);
    app.settle();
    let due: Vec<_> =
        app.list("/deliveries?status=retrying").iter().map(|row| text(row, "next_retry_at")).collect();
    let waits: Vec<_> = due
        .iter()
        .map(|at| UnixMs::parse(at).expect("a time").0 - START.0)
        .inspect(|wait| {
            assert!((1_000_000..=1_100_000).contains(wait), "{wait}");
        })
        .collect();
    assert_eq!(waits.len(), 30);
    assert!(waits.iter().max() > waits.iter().min(), "{waits:?}");
}

#[test]
fn retry_after_postpones_the_delivery_and_never_advances_it() {
    for (asked, least, most) in [
        ("600", 600, 600),
        ("1", 5, 6),
        ("0", 5, 6),
        ("Mon, 23 Feb 2026 14:40:00 GMT", 600, 600),
        ("Mon, 23 Feb 2026 14:00:00 GMT", 5, 6),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 86_400, 86_400),
        ("99999999999999999999", 86_400, 86_400),
        ("soon", 5, 6),
    ] {
        let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
        app.endpoint_at(&receiver, "/");
        receiver.reply(Reply::status(429).header("Retry-After", asked));
        let delivery = app.send(&json!(1));
        app.settle();
        let due = UnixMs::parse(&text(&app.delivery(&delivery), "next_retry_at")).expect("a time");
        let seconds = (due.0 - START.0) / 1000;
        assert!((least..=most).contains(&seconds), "{asked}: {seconds}");
        app.advance_to_retry(&delivery);
        assert_eq!(app.status(&delivery), "delivered", "{asked}");
    }
}

#[test]
fn retry_after_pauses_the_endpoint_for_an_hour_at_most_whatever_succeeds_meanwhile() {
    for (asked, paused) in [("120", 120), ("7200", 3600)] {
        let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
        let endpoint = app.endpoint_at(&receiver, "/");
        receiver.reply(Reply::status(503).header("Retry-After", asked));
        let first = app.send(&json!(1));
        app.settle();
        let second = app.send(&json!(2));
        app.settle();
        assert_eq!((receiver.count(), app.status(&second)), (1, "pending".to_owned()));

        assert_eq!(app.test_endpoint(&endpoint)["success"], true, "a test goes through");
        app.retry(&first).expect(202);
        app.settle();
        assert_eq!((receiver.count(), app.status(&first)), (3, "delivered".to_owned()), "a manual retry too");
        assert_eq!(app.status(&second), "pending", "the pause goes on");

        app.advance(Duration::from_secs(paused - 1));
        assert_eq!(receiver.count(), 3);
        app.advance(Duration::from_secs(1));
        assert_eq!((receiver.count(), app.status(&second)), (4, "delivered".to_owned()));
    }
}

#[test]
fn a_pause_outlasts_a_restart_and_other_statuses_ask_for_none() {
    let (mut app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    receiver.reply(Reply::status(500).header("Retry-After", "120"));
    app.send(&json!(1));
    app.settle();
    app.send(&json!(2));
    app.settle();
    assert_eq!(receiver.count(), 2, "only 429 and 503 pause");
    receiver.reply(Reply::status(429).header("Retry-After", "120"));
    app.send(&json!(3));
    app.settle();
    app.send(&json!(4));
    app.restart();
    app.settle();
    app.advance(Duration::from_secs(119));
    assert_eq!(receiver.count(), 3);
    app.advance(Duration::from_secs(1));
    assert!(receiver.count() >= 5);
}

#[test]
fn a_410_disables_the_endpoint_and_holds_the_delivery() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let endpoint = app.endpoint_at(&receiver, "/");
    receiver.always(Reply::status(410));
    let delivery = app.send(&json!(1));
    app.settle();
    let seen = app.endpoint(&endpoint);
    shows(&seen, &json!({ "enabled": false, "disabled_reason": "gone", "health": "disabled" }));
    shows(&seen, &json!({ "failure_count": 1, "disabled_at": "2026-02-23T14:30:00.000Z" }));
    let held = app.delivery(&delivery);
    shows(&held, &json!({ "status": "held", "held_reason": "endpoint_disabled", "attempts": 1 }));
    app.advance(Duration::from_hours(24));
    assert_eq!(receiver.count(), 1);
}

#[test]
fn a_redirect_is_a_failure_and_is_not_followed() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    for (path, status) in [("/a", 301), ("/b", 302), ("/c", 307), ("/d", 308)] {
        let reply = Reply::status(status).header("Location", &receiver.url("/elsewhere"));
        receiver.always_on(path, reply);
        app.endpoint_at(&receiver, path);
    }
    let event = app.publish("t", &json!(1));
    app.settle();
    assert_eq!(receiver.count_on("/elsewhere"), 0);
    for row in app.list(&format!("/events/{}/deliveries", text(&event, "id"))) {
        shows(&row, &json!({ "status": "pending", "attempts": 1 }));
        assert!(text(&row, "error").contains("redirects are not followed"), "{row}");
    }
}

#[test]
fn the_head_decides_whatever_becomes_of_the_body() {
    let app = TestApp::with_manual_clock();
    let receiver = Receiver::start();
    let cases = [
        ("/cut", Reply::ok().body("half of this is missing").cut_in_body()),
        ("/hang", Reply::ok().body("this stops somewhere").hang_in_body()),
        ("/slow", Reply::status(201).body(vec![b'x'; 5000]).trickle_body(Duration::from_millis(100))),
        ("/large", Reply::status(299).body(vec![b'y'; 200_000])),
        ("/chunks", Reply::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense")),
        ("/none", Reply::status(204)),
    ];
    for (path, reply) in cases {
        receiver.always_on(path, reply);
        app.endpoint_with(&receiver, path, &json!({ "timeout_seconds": 5 }));
    }
    let event = app.publish("t", &json!(1));
    app.settle();
    for row in app.list(&format!("/events/{}/deliveries", text(&event, "id"))) {
        shows(&row, &json!({ "status": "delivered", "attempts": 1 }));
        let kept = row["response_body"].as_str().map_or(0, str::len);
        assert!(row["error"].is_null() && kept <= 2048, "{row}");
    }
}

#[test]
fn what_gets_no_answer_is_retried_with_a_line_that_says_why() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let (_closed, closed) = port::closed();
    receiver.always_on("/hang", Reply::hang());
    receiver.always_on("/trickle", Reply::ok().trickle(Duration::from_millis(200)));
    receiver.always_on("/close", Reply::close());
    receiver.always_on("/half", Reply::ok().cut_in_head());
    receiver.always_on("/ssh", Reply::raw("SSH-2.0-OpenSSH_9.6\r\n"));
    let wide = (0..129).fold(Reply::ok(), |reply, n| reply.header(&format!("x-{n}"), "v"));
    receiver.always_on("/wide", wide);
    let cases = [
        (receiver.url("/hang"), "timed out"),
        (receiver.url("/trickle"), "timed out"),
        (receiver.url("/close"), "closed"),
        (receiver.url("/half"), "closed"),
        (receiver.url("/ssh"), "HTTP"),
        (receiver.url("/wide"), "128"),
        (format!("http://{closed}/"), "refused"),
        ("http://nowhere.invalid/".to_owned(), "nowhere.invalid"),
    ];
    for (url, says) in cases {
        let event_type = format!("t{}", says.len());
        let timeout = if says == "timed out" { 1 } else { 30 };
        let made =
            app.create_endpoint(&json!({ "url": url, "events": [event_type], "timeout_seconds": timeout }));
        let id = text(&made, "id");
        let delivery = text(&app.delivery_of(&app.publish(&event_type, &json!(1))), "id");
        app.settle();
        let seen = app.delivery(&delivery);
        shows(&seen, &json!({ "status": "pending", "attempts": 1 }));
        let error = text(&seen, "error");
        assert!(error.contains(says) && !error.contains('\n'), "{url}: {error}");
        assert_eq!(seen["status_code"], Value::Null);
        assert_eq!(app.endpoint(&id)["failure_count"], 1);
        app.delete_endpoint(&id);
    }
}

#[test]
fn a_failure_on_our_side_uses_up_no_attempt_and_readyz_says_so() {
    let (_closed, address) = port::closed();
    let receiver = Receiver::start();
    let app = TestApp::builder()
        .with("POSTRIDER_EGRESS_PROXY", &format!("http://{address}"))
        .manual_clock()
        .start();
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": [] }));
    let delivery = app.send(&json!(1));
    app.settle();
    for _ in 0..5 {
        let seen = app.delivery(&delivery);
        shows(&seen, &json!({ "status": "pending", "attempts": 0 }));
        assert!(text(&seen, "error").contains("proxy"), "{seen}");
        assert_eq!(seen["attempt_list"], json!([]));
        let wait = app.advance_to_retry(&delivery);
        assert!((10..=60).contains(&wait.as_secs()), "{wait:?}");
    }
    assert_eq!(app.endpoint(&endpoint)["failure_count"], 0);
    let ready = app.client.get("/readyz").expect(503).json();
    assert!(text(&ready, "detail").contains("proxy"), "{ready}");
    assert_eq!(ready["code"], "not_delivering", "it accepts");
    app.client.get("/healthz").expect(200);

    // Nothing is left that would find out: readiness does not stay lost for it.
    app.cancel(&delivery).expect(202);
    app.advance(Duration::from_mins(3));
    app.client.get("/readyz").expect(200);
}
