//! The console's first page: whether all is well, and on an empty server how to begin.

use std::time::Duration;

use serde_json::json;

use crate::support::app::TestApp;
use crate::support::console::{Console, holds, lacks};
use crate::support::receiver::{Receiver, Reply};

const HOUR: Duration = Duration::from_hours(1);

#[test]
fn an_empty_server_shows_three_steps_with_the_commands_filled_in_and_ticks_those_that_were_made() {
    let app =
        TestApp::builder().with("POSTRIDER_PUBLIC_URL", "http://hooks.test:8383").manual_clock().start();
    let (console, receiver) = (Console::admin(&app), Receiver::start());
    let page = console.page("/");
    holds(
        &page,
        &[
            "Three steps to the first delivery",
            &format!("postrider keys create --data {} \\\n  --name", app.data().display()),
            "postrider listen",
            "curl http://hooks.test:8383/api/v1/endpoints",
            "curl http://hooks.test:8383/api/v1/events",
            "All is well.",
            "Nothing in this time.",
        ],
    );
    let done = |page: &str| page.matches("status done").count();
    assert_eq!(done(&page), 1, "the key of the first start");
    let (to, page) = console.done("/keys", &[("name", "shop"), ("scopes", "events:write")]);
    holds(&page, &["<a href=\"/\">The next step", "<code id=\"command\">export KEY=pr_"]);
    holds(console.get(&to).expect(404).text(), &["<a href=\"/keys#make\">Make another key"]);
    let endpoint = app.endpoint_at(&receiver, "/");
    let page = console.page("/");
    assert_eq!(done(&page), 2);
    let (_, third) = page.split_once("<h3>Publish an event</h3>").expect("the last step");
    holds(third, &["postrider listen --secret"]);
    app.post(&format!("/endpoints/{endpoint}/test"), &json!({})).expect(200);
    assert_eq!(done(&console.page("/")), 2, "a test is no event of the application");
    app.publish("a", &json!(1));
    app.settle();
    lacks(&console.page("/"), &["Three steps"]);
    for _ in 0..21 {
        app.post(&format!("/endpoints/{endpoint}/test"), &json!({})).expect(200);
    }
    lacks(&console.page("/"), &["Three steps"]);
    let (_, page) = console.done("/keys", &[("name", "later"), ("scopes", "events:write")]);
    lacks(&page, &["The next step"]);
}

#[test]
fn what_needs_a_hand_comes_first_with_its_reason_and_when_it_is_disabled() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.change_settings(
        &json!({ "failing_after_failures": 1, "disable_after_failures": 2, "disable_after_hours": 4 }),
    );
    let hostile = "<script>alert('x')</script> {{ 7 * 7 }}";
    let fields = json!({ "events": ["bad"], "retry_schedule": [7200, 7200], "description": hostile });
    let bad = app.endpoint_with(&receiver, "/bad", &fields);
    app.endpoint_with(&receiver, "/gone", &json!({ "events": ["gone"] }));
    let off = app.endpoint_with(&receiver, "/off", &json!({ "events": ["off"] }));
    app.post(&format!("/endpoints/{off}/disable"), &json!({ "note": "\"><img src=x>" })).expect(200);
    receiver.always_on("/bad", Reply::status(500));
    receiver.always_on("/gone", Reply::status(410));
    for to in ["bad", "gone", "off"] {
        app.publish(to, &json!(1));
    }
    app.settle();
    let console = Console::admin(&app);
    let early = console.page("/");
    holds(
        &early,
        &["see its last deliveries; if none succeeds, it is disabled at the earliest at 2026-02-23 18:30."],
    );
    lacks(&early, &["Disabled <time"]);
    app.advance(HOUR * 2 + HOUR / 2);
    let page = console.page("/");
    holds(
        &page,
        &[
            "2 things need a hand.",
            "1 endpoint is disabled by hand.",
            "2 attempts in a row have failed; the next failure from 2026-02-23 18:30 on disables the endpoint.",
            &format!("href=\"/endpoints/{bad}/deliveries\""),
            "It answered 410 and was disabled; 1 delivery is held for it",
            &format!("href=\"/endpoints/{bad}\""),
            "Disabled <time datetime=\"2026-02-23T18:30:00.000Z\"",
            "&#60;script&#62;alert(&#39;x&#39;)",
            "{{ 7 * 7 }}",
        ],
    );
    lacks(&page, &["<script>alert", "<img src=x>", "All is well"]);
    let (urgent, wanted) = (page.find("answered 410"), page.find("disabled by hand; 1"));
    assert!(urgent < wanted, "what somebody wanted comes last");
}

#[test]
fn the_figures_and_the_plot_are_of_the_window_that_is_asked_for() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_with(&receiver, "/", &json!({ "events": ["*"], "retry_schedule": [] }));
    receiver.reply(Reply::status(500));
    for n in 0..4 {
        app.publish("a", &json!(n));
        app.settle();
    }
    let console = Console::admin(&app);
    for window in ["", "?window=1h", "?window=7d", "?window=30d"] {
        let page = console.page(&format!("/{window}"));
        holds(
            &page,
            &["75 %", "Deliveries by outcome", "<td class=\"number\">3</td>", ": 3 delivered</title>"],
        );
        assert!(page.len() < 60_000, "{window}: {}", page.len());
    }
    let wrong = console.get("/?window=ages").expect(422);
    holds(wrong.text(), &["id=\"window-wrong\">Must be", "aria-current=\"page\">Last 24 hours"]);
    app.advance(HOUR * 30);
    let day = console.page("/");
    holds(&day, &["Nothing in this time.", "aria-current=\"page\">Last 24 hours"]);
    holds(&console.page("/?window=7d"), &["75 %", "aria-current=\"page\">Last 7 days"]);
}

#[test]
fn what_waits_and_what_is_held_is_told_with_the_oldest() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.always(Reply::status(500));
    app.endpoint_with(&receiver, "/1", &json!({ "events": ["a"], "retry_schedule": [86_400] }));
    app.endpoint_with(&receiver, "/2", &json!({ "events": ["b"], "enabled": false }));
    for to in ["a", "a", "b"] {
        app.publish(to, &json!(1));
    }
    app.settle();
    app.clock().advance(HOUR);
    let page = Console::viewer(&app).page("/");
    holds(
        &page,
        &[
            "<a href=\"/deliveries?status=pending\">2</a>",
            "the oldest <time datetime=\"2026-02-23T14:30:00.000Z\"",
            "<a href=\"/deliveries?status=held\">1</a>",
            "data-live",
        ],
    );
}
