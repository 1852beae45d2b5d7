//! The console's page of an endpoint: how it does, in a sentence, in numbers and in plots.

use std::time::Duration;

use serde_json::json;

use crate::support::app::TestApp;
use crate::support::console::{Console, holds, lacks};
use crate::support::receiver::{Gate, Receiver, Reply};

fn world() -> (TestApp, Receiver, Console) {
    let app = TestApp::with_manual_clock();
    let console = Console::admin(&app);
    (app, Receiver::start(), console)
}

#[test]
fn a_new_endpoint_says_what_to_do_and_one_that_receives_that_it_does() {
    let (app, receiver, console) = world();
    let endpoint = app.endpoint_at(&receiver, "/");
    let path = format!("/endpoints/{endpoint}");
    let page = console.page(&path);
    holds(&page, &["It is ready.", &format!("href=\"{path}/test\""), "Nothing in this time."]);
    lacks(&page, &["data-live"]);
    app.send(&json!(1));
    app.settle();
    let page = console.page(&path);
    holds(&page, &["It receives.", "<dt>Failures in a row</dt><dd>0</dd>", "100 %"]);
    lacks(&page, &["It is ready.", "Nothing in this time."]);
}

#[test]
fn what_is_held_of_an_enabled_endpoint_is_being_released_unless_a_restore_holds_it() {
    let (mut app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let endpoint = app.endpoint_at(&receiver, "/");
    app.disable(&endpoint);
    app.publish("a", &json!(1));
    app.stop();
    // As the file is in the middle of a release, and then as it is behind a restore.
    let file = rusqlite::Connection::open(app.data().join("postrider.db")).expect("the file");
    file.execute("UPDATE endpoints SET enabled = 1", []).expect("enabled");
    app.restart();
    let console = Console::admin(&app);
    for (reason, told, live) in [
        (1, "1 delivery is being released</a>.", true),
        (2, "1 delivery is held</a> since a backup was restored, until somebody says on the", false),
    ] {
        assert_eq!(file.execute("UPDATE deliveries SET held_reason = ?1 WHERE state = 3", [reason]), Ok(1));
        let page = console.page(&format!("/endpoints/{endpoint}"));
        holds(&page, &[&format!("deliveries?status=held\">{told}")]);
        assert_eq!(page.contains("id=\"standing\" data-live"), live, "{reason}");
    }
}

#[test]
fn one_that_fails_says_since_when_and_when_it_will_be_disabled() {
    let (app, receiver, console) = world();
    app.change_settings(&json!({
        "failing_after_failures": 2, "disable_after_failures": 2, "disable_after_hours": 4,
    }));
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": [60, 9000, 9000, 90000] }));
    let path = format!("/endpoints/{endpoint}");
    receiver.always(Reply::status(500));
    let delivery = app.send(&json!(1));
    app.settle();
    let page = console.page(&path);
    holds(&page, &["the last attempt failed", "id=\"standing\" data-live", "<dt>Next retry</dt><dd><time"]);
    holds(&page, &["at the earliest at 2026-02-23 18:30, and not before 2 in a row have failed."]);
    app.advance_to_retry(&delivery);
    let page = console.page(&path);
    holds(
        &page,
        &[
            "It has been failing since <time datetime=\"2026-02-23T14:30:00.000Z\"",
            "2 attempts in a row failed.",
        ],
    );
    holds(&page, &["If none succeeds until then, it is disabled at the earliest at 2026-02-23 18:30."]);
    lacks(&page, &["will be disabled"]);
    app.advance_to_retry(&delivery);
    let page = console.page(&path);
    holds(
        &page,
        &["it will be disabled by the first that fails after <b><time datetime=\"2026-02-23T18:30:00"],
    );
    app.advance_to_retry(&delivery);
    let page = console.page(&path);
    holds(&page, &["It is disabled: it failed for too long", "1 delivery waits"]);
    lacks(&page, &["It has been failing", "by <code>"]);
    // What failed before was sent, and is not passed over.
    app.post(&format!("/endpoints/{endpoint}/enable"), &json!({ "held": "discard" })).expect(200);
    let page = console.page(&path);
    holds(
        &page,
        &[
            "It was enabled anew, and nothing but tests was sent to it since.",
            &format!("{path}/test\">Send a test"),
        ],
    );
    lacks(&page, &["It is ready."]);
}

#[test]
fn a_disabled_one_says_by_whom_why_and_what_is_held() {
    let (app, receiver, console) = world();
    let endpoint = app.endpoint_at(&receiver, "/");
    let note = json!({ "note": "They move <b>house</b>" });
    app.post(&format!("/endpoints/{endpoint}/disable"), &note).expect(200);
    app.publish_many(0..3);
    app.settle();
    let path = format!("/endpoints/{endpoint}");
    let page = console.page(&path);
    holds(&page, &["It was disabled by <code>key:key_", "They move &#60;b&#62;house", "3 deliveries wait"]);
    app.enable(&endpoint);
    app.settle();
    receiver.always(Reply::status(410));
    app.send(&json!(1));
    app.settle();
    holds(&console.page(&path), &["It is disabled: it answered 410"]);
    let skipping =
        app.endpoint_with(&receiver, "/skip", &json!({ "while_disabled": "skip", "enabled": false }));
    holds(&console.page(&format!("/endpoints/{skipping}")), &["meanwhile is skipped"]);
}

#[test]
fn plots_and_numbers_tell_the_window_that_is_chosen() {
    let (app, receiver, console) = world();
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": [60] }));
    app.publish_many(0..3);
    app.settle();
    app.advance(Duration::from_hours(48));
    receiver.always(Reply::status(503));
    let delivery = app.send(&json!(1));
    app.settle();
    app.advance_to_retry(&delivery);
    let path = format!("/endpoints/{endpoint}");
    let day = console.page(&path);
    holds(
        &day,
        &["<dd>0 %", "<dt>Delivered</dt><dd>0<small>", "<dt>Attempts</dt><dd>2<small>2 failed</small>"],
    );
    holds(
        &day,
        &["window=24h\" aria-current=\"page\"", "<title>25 Feb 14:00: 1 failed, to be tried again</title>"],
    );
    assert_eq!(day.matches("<th scope=\"row\">").count(), 50, "the same numbers as tables");
    let week = console.page(&format!("{path}?window=7d"));
    holds(&week, &["<dd>75 %", "<dt>Delivered</dt><dd>3<small>", "<title>23 Feb 12:00: 3 delivered</title>"]);
    let month = console.page(&format!("{path}?window=30d"));
    holds(&month, &["<title>25 Feb 00:00: 1 failed for good</title>", "class=\"line-good\""]);
    for page in [day, week, month] {
        assert!(page.len() < 60 * 1024, "{} bytes", page.len());
    }
    let wrong = console.get(&format!("{path}?window=2h")).expect(422);
    holds(wrong.text(), &["id=\"window-wrong\"", "24h, 7d or 30d"]);
}

#[test]
fn a_replay_that_goes_on_is_seen() {
    let (app, receiver, gate) = (TestApp::start(), Receiver::start(), Gate::new());
    let console = Console::admin(&app);
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": [] }));
    receiver.always(Reply::status(500));
    app.publish_many(0..400);
    app.settle();
    receiver.always(Reply::ok().gated(&gate));
    let asked = json!({ "since": "2020-01-01T00:00:00Z" });
    app.post(&format!("/endpoints/{endpoint}/replay"), &asked).expect(202);
    let path = format!("/endpoints/{endpoint}");
    let page = console.page(&path);
    holds(
        &page,
        &[
            "A replay is under way",
            "id=\"standing\" data-live",
            "deliveries that failed, accepted since",
            "</b> on their way",
        ],
    );
    gate.open();
    app.eventually("it is over", |_| (!console.page(&path).contains("A replay is under way")).then_some(()));
    app.settle();
}

#[test]
fn a_viewer_sees_all_of_it_and_no_button() {
    let (app, receiver, _) = world();
    let viewer = Console::viewer(&app);
    let endpoint =
        app.endpoint_with(&receiver, "/", &json!({ "description": "<script>alert('1')</script>" }));
    for tab in ["", "/deliveries", "/verify", "/test", "/replay"] {
        let page = viewer.page(&format!("/endpoints/{endpoint}{tab}"));
        holds(&page, &["&#60;script&#62;alert(&#39;1&#39;)", "aria-label=\"Pages of this endpoint\""]);
        lacks(&page, &["<script>alert", "class=\"main\"", "class=\"button main\"", "<textarea", "Disable…"]);
    }
    viewer.get("/endpoints/ep_0000000000000").expect(404);
    app.delete_endpoint(&endpoint);
    for tab in ["", "/deliveries", "/settings"] {
        let gone = viewer.get(&format!("/endpoints/{endpoint}{tab}")).expect(404);
        let (deliveries, audit) =
            (format!("/deliveries?endpoint={endpoint}"), format!("/audit?target={endpoint}"));
        holds(
            gone.text(),
            &["<h1>The endpoint was deleted</h1>", &deliveries, &audit, "href=\"/endpoints\""],
        );
        for page in [deliveries, audit] {
            viewer.page(&page);
        }
    }
    viewer.get("/endpoints/ep_nonsense/deliveries").expect(404);
}
