//! The console's page to send an endpoint again what it has missed: counted, confirmed, watched, ended.

use serde_json::json;

use crate::support::app::TestApp;
use crate::support::console::{Console, holds, lacks, value};
use crate::support::receiver::{Gate, Receiver, Reply};

const SINCE: &str = "2020-01-01 00:00";

fn world() -> (TestApp, Receiver, Console, String, String) {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let console = Console::admin(&app);
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": [], "max_in_flight": 1 }));
    let path = format!("/endpoints/{endpoint}/replay");
    (app, receiver, console, endpoint, path)
}

/// Counts, and waits for the number; the page with it.
fn count(app: &TestApp, console: &Console, path: &str, fields: &[(&str, &str)]) -> String {
    let fields = [&[("dry_run", "true")], fields].concat();
    let (to, _) = console.done(path, &fields);
    assert!(to.starts_with(&format!("{path}?count=rpl_")), "{to}");
    app.eventually("it is counted", |_| {
        let page = console.page(&to);
        (!page.contains("id=\"counted\" data-live")).then_some(page)
    })
}

/// The form that confirms what was counted.
fn confirmed(page: &str) -> [(&'static str, String); 1] {
    let (_, counted) = page.split_once("id=\"counted\"").expect("what was counted");
    [("counted", value(counted, "counted"))]
}

#[test]
fn what_failed_is_counted_then_confirmed_then_sent() {
    let (app, receiver, console, _, path) = world();
    receiver.always(Reply::status(500));
    app.publish_many(0..3);
    app.settle();
    holds(
        &console.page(&path),
        &["Nothing was replayed", "value=\"failed\" selected", "name=\"dry_run\" value=\"true\""],
    );
    let asked = [("status", "failed"), ("since", SINCE), ("until", ""), ("events", "test\nb.*")];
    let page = count(&app, &console, &path, &asked);
    holds(
        &page,
        &[
            "3 deliveries to send again",
            "Send these 3 again",
            "<code>test, b.*</code>",
            "counted only",
            "Counted deliveries that failed, accepted since <time datetime=\"2020-01-01T00:00:00.000Z\"",
            ">2020-01-01 00:00</time>",
            "What has failed since it was counted goes with them",
        ],
    );
    assert_eq!(receiver.count(), 3, "nothing is sent yet");
    receiver.always(Reply::ok());
    let fields = confirmed(&page);
    let fields: Vec<_> = fields.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let (to, page) = console.done(&path, &fields);
    assert_eq!(to, path);
    holds(&page, &["The replay is under way."]);
    app.eventually("it is over", |_| (!console.page(&path).contains("data-live")).then_some(()));
    app.settle();
    assert_eq!(receiver.count(), 6);
    let page = console.page(&path);
    holds(&page, &["status done", "data-label=\"On their way\" class=\"number\">3<"]);
    let (_, twice) = console.done(&path, &fields);
    holds(&twice, &["A replay of this count was started before"]);
    app.settle();
    assert_eq!((app.list("/replays").len(), receiver.count()), (2, 6), "the count, and what it led to");
    let again = count(&app, &console, &path, &asked);
    holds(&again, &["0 deliveries to send again", "Nothing matches"]);
    lacks(&again, &["again</button>"]);
}

#[test]
fn a_disabled_endpoint_is_counted_for_and_has_to_be_enabled_first() {
    let (app, receiver, console, endpoint, path) = world();
    receiver.always(Reply::status(500));
    app.publish_many(0..1);
    app.settle();
    app.disable(&endpoint);
    let page = count(&app, &console, &path, &[("status", "failed"), ("since", SINCE)]);
    holds(&page, &["1 delivery to send again", "enable it first"]);
    let refused = console.refused(&path, &[("status", "failed"), ("since", SINCE)], 409);
    holds(&refused, &["role=\"alert\"", "is disabled"]);
}

#[test]
fn everything_that_is_wrong_is_told_with_what_was_typed() {
    let (_app, _receiver, console, _, path) = world();
    let fields =
        [("dry_run", "true"), ("status", "lost"), ("since", ""), ("until", "soon"), ("events", "a..b\nc")];
    let page = console.refused(&path, &fields, 422);
    for field in ["status", "since", "until", "events"] {
        holds(&page, &[&format!("id=\"{field}-wrong\"")]);
    }
    holds(&page, &["value=\"soon\"", "a..b\nc</textarea>", "Line 1: "]);
    let backwards = [("dry_run", "true"), ("since", "2026-02-23"), ("until", "2026-02-22")];
    holds(&console.refused(&path, &backwards, 422), &["id=\"until-wrong\"", "value=\"2026-02-22\""]);
    holds(
        &console.page(&format!("{path}?status=missing&since=2026-02-23")),
        &["value=\"missing\" selected", "value=\"2026-02-23\""],
    );
}

#[test]
fn a_replay_is_watched_and_can_be_ended() {
    let (app, receiver, gate) = (TestApp::start(), Receiver::start(), Gate::new());
    let console = Console::admin(&app);
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": [] }));
    let path = format!("/endpoints/{endpoint}/replay");
    receiver.always(Reply::status(500));
    app.publish_many(0..400);
    app.settle();
    // It waits for what it has put on its way, which waits at the gate.
    receiver.always(Reply::ok().gated(&gate));
    let (_, page) = console.done(&path, &[("status", "failed"), ("since", SINCE)]);
    let row = page.split("<tr id=\"rpl_").nth(1).expect("its row");
    holds(row, &["\" data-live>", "status running", "data-confirm=\"End this replay?"]);
    let refused =
        console.refused(&path, &[("dry_run", "true"), ("status", "missing"), ("since", SINCE)], 409);
    holds(&refused, &["is under way", "value=\"missing\" selected"]);
    let cancel = row.split("action=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a form");
    let (to, page) = console.done(cancel, &[]);
    assert_eq!(to, path);
    holds(&page, &["status canceled", "canceled by operator:ada@example.com", "The replay is ended."]);
    lacks(&page, &["data-live"]);
    gate.open();
    app.settle();
}

#[test]
fn a_viewer_watches_and_starts_or_ends_nothing() {
    let (app, receiver, console, _, path) = world();
    receiver.always(Reply::status(500));
    app.publish_many(0..1);
    app.settle();
    count(&app, &console, &path, &[("status", "failed"), ("since", SINCE)]);
    let viewer = Console::viewer(&app);
    let page = viewer.page(&path);
    holds(&page, &["counted only"]);
    lacks(&page, &["<textarea", "danger"]);
    let counted = page.split("?count=").nth(1).and_then(|rest| rest.split('"').next()).expect("its id");
    let page = viewer.page(&format!("{path}?count={counted}"));
    holds(&page, &["1 delivery to send again"]);
    lacks(&page, &["again</button>"]);
    viewer.post(&path, &[("status", "failed"), ("since", SINCE)]).expect(403);
    viewer.post(&format!("{path}/{counted}/cancel"), &[]).expect(403);
}
