//! The console's pages of deliveries: found, read attempt by attempt, sent again, given up.

use std::time::Duration;

use serde_json::json;

use crate::support::app::{TestApp, text};
use crate::support::console::{Console, holds, lacks};
use crate::support::receiver::{Gate, Receiver, Reply};

/// What somebody sends who would like it to run, and what a page may show of it.
const HOSTILE: &str = "</pre><script>alert(1)</script>\"'{{7*7}}\u{1b}[31m\u{202e}";
const SHOWN: &str = "&#60;/pre&#62;&#60;script&#62;alert(1)&#60;/script&#62;&#34;&#39;{{7*7}}␛[31m\\u{202e}";

/// What lies between two texts of a page.
#[track_caller]
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = page.split_once(from).unwrap_or_else(|| panic!("no {from} in {page}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to} after {from} in {page}")).0
}

#[test]
fn a_delivered_one_shows_its_request_and_the_answer() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    receiver.always(Reply::status(201).header("X-Kept", "as it came").body("thank you"));
    let own = json!({ "headers": { "X-Token": "very secret" } });
    let endpoint = app.endpoint_with(&receiver, "/hook", &own);
    let event = app.publish("invoice.paid", &json!({ "n": [1, 2] }));
    app.settle();
    let delivery = text(&app.delivery_of(&event), "id");
    let console = Console::admin(&app);
    let page = console.page(&format!("/deliveries/{delivery}"));
    let sent = receiver.received()[0].clone();
    let signature = sent.header("webhook-signature").expect("a signature").to_owned();
    holds(
        &page,
        &[
            "<h1>invoice.paid <span class=\"status delivered\">delivered</span></h1>",
            ", after one attempt: the receiver answered 201.",
            &format!("href=\"/events/{}\"", text(&event, "id")),
            &format!("href=\"/endpoints/{endpoint}\">{}", receiver.url("/hook")),
            "<dt>webhook-signature</dt>",
            &signature,
            "•••",
            "&#34;n&#34;: [\n",
            "<dt>x-kept</dt><dd><code>as it came</code></dd>",
            "thank you",
            "class=\"phase-wait\"",
            "connect ",
            "curl --request POST",
            "data-copy=\"curl\"",
            "in the place of ••• before you run it",
            "<title>invoice.paid delivered · Delivery · Postrider</title>",
        ],
    );
    lacks(&page, &["very secret", "data-live", "class=\"alert\"", "/cancel\""]);
    let raw = console.page(&format!("/deliveries/{delivery}?body=raw"));
    let body = String::from_utf8(sent.body.clone()).expect("text").replace('"', "&#34;");
    holds(&raw, &[&format!(">{body}</pre>"), ">pretty</a>"]);
    let saved = console.get(&format!("/deliveries/{delivery}/curl?attempt=1")).expect(200);
    assert_eq!(saved.header("content-disposition"), Some("attachment; filename=\"curl.sh\""));
    assert_eq!(saved.text(), app.client.get(&format!("/api/v1/deliveries/{delivery}/curl")).text());
    assert_eq!(console.get("/deliveries/dlv_0000000000000").status, 404);
}

#[test]
fn one_that_waits_says_when_it_is_tried_again_and_what_to_do() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.reply(Reply::status(401).body("first"));
    receiver.reply(Reply::status(500).body("second"));
    app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": [60, 120, 180] }));
    let delivery = app.send(&json!(1));
    app.settle();
    let (console, path) = (Console::admin(&app), format!("/deliveries/{delivery}"));
    let page = console.page(&path);
    holds(
        &page,
        &[
            "Attempt 1 did not succeed. Attempt 2 is made in 1 min (2026-02-23 14:3",
            "). If it fails as well, 2 more follow.",
            "id=\"now\" data-live",
            "id=\"attempt\" data-live",
            "answered 401: the receiver refused the request",
            "Compare the secret that the receiver verifies with",
            ">Send now</button>",
            ">Cancel</button>",
        ],
    );
    app.advance_to_retry(&delivery);
    let page = console.page(&path);
    holds(&page, &["<h2>Attempt 2</h2>", "second", "one more follows", "Retry when it is mended."]);
    lacks(&page, &["first</pre>"]);
    let first = console.page(&format!("{path}?attempt=1"));
    holds(&first, &["<h2>Attempt 1</h2>", "first</pre>", "aria-current=\"true\">Attempt 1</a>"]);
    app.advance_to_retry(&delivery);
    let delivered = console.page(&path);
    holds(&delivered, &["Delivered", ", after 3 attempts: the receiver answered 200."]);
    lacks(&delivered, &["data-live"]);
}

#[test]
fn before_the_first_attempt_it_shows_what_will_be_sent() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.always(Reply::status(500));
    let endpoint = app.endpoint_at(&receiver, "/");
    app.disable(&endpoint);
    let delivery = app.send(&json!({ "some": "data" }));
    let page = Console::admin(&app).page(&format!("/deliveries/{delivery}"));
    holds(
        &page,
        &[
            "Held before its first attempt, because its endpoint is disabled.",
            "<span class=\"status disabled\">disabled</span>",
            "What will be sent",
            "&#34;some&#34;: &#34;data&#34;",
            ">Cancel</button>",
        ],
    );
    lacks(&page, &["/retry\"", "data-live"]);
}

#[test]
fn the_buttons_cancel_retry_and_send_again() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.reply(Reply::status(500));
    app.endpoint_at(&receiver, "/");
    let delivery = app.send(&json!(1));
    app.settle();
    let (console, path) = (Console::admin(&app), format!("/deliveries/{delivery}"));
    let (to, page) = console.done(&format!("{path}/cancel"), &[]);
    assert_eq!(to, path);
    holds(&page, &["The delivery is canceled", "Canceled after one attempt", ">Retry</button>"]);
    let late = console.refused(&format!("{path}/cancel"), &[], 409);
    holds(
        &late,
        &["role=\"alert\"", "It is canceled already; only what is pending or held can be canceled."],
    );
    let (to, page) = console.done(&format!("{path}/retry"), &[]);
    assert_eq!(to, path);
    holds(&page, &["It is sent now."]);
    app.settle();
    holds(&console.page(&path), &[">Send again</button>"]);
    let (again, page) = console.done(&format!("{path}/retry"), &[]);
    assert_ne!(again, path);
    holds(&page, &["this is the new delivery", &format!("<dt>Repeats</dt><dd><a href=\"{path}\"")]);
    app.settle();
    assert_eq!(receiver.count(), 3);
    let actors: Vec<_> = app.audit_of(&delivery).into_iter().map(|line| line["actor"].clone()).collect();
    assert_eq!(
        actors,
        [
            json!("operator:ada@example.com"),
            json!("operator:ada@example.com"),
            json!("operator:ada@example.com")
        ]
    );
}

#[test]
fn one_that_cannot_be_sent_again_says_why_and_what_to_do() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.always(Reply::status(500));
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": [] }));
    let delivery = app.send(&json!(1));
    app.settle();
    let (console, path) = (Console::admin(&app), format!("/deliveries/{delivery}"));
    holds(&console.page(&path), &["It is sent again only by a retry.", ">Retry</button>"]);
    app.disable(&endpoint);
    let enable = format!("href=\"/endpoints/{endpoint}/enable\">Enable its endpoint…</a>");
    let page = console.page(&path);
    holds(&page, &["Its endpoint is disabled: it can be sent again when that is enabled.", &enable]);
    lacks(&page, &["/retry\"", "only by a retry"]);
    app.delete_endpoint(&endpoint);
    let page = console.page(&path);
    holds(&page, &["Its endpoint was deleted, so it cannot be sent again."]);
    lacks(&page, &["/retry\"", "only by a retry", "/enable"]);
}

#[test]
fn a_test_is_called_one_and_has_no_schedule() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.always(Reply::status(500));
    let endpoint = app.endpoint_at(&receiver, "/");
    let delivery = text(&app.test_endpoint(&endpoint), "delivery_id");
    let (console, mark) = (Console::admin(&app), "title=\"Sent by hand to test the endpoint");
    let page = console.page(&format!("/deliveries/{delivery}"));
    let again = format!("href=\"/endpoints/{endpoint}/test\">Send another test</a>");
    holds(&page, &[mark, "This was a test, and it failed. A test is sent once and is not retried.", &again]);
    lacks(&page, &["schedule", "/retry\""]);
    let event = format!("/events/{}", text(&app.delivery(&delivery), "event_id"));
    for list in ["/deliveries", &format!("/endpoints/{endpoint}/deliveries"), &event] {
        holds(&console.page(list), &[mark, &format!("<a href=\"/deliveries/{delivery}\">")]);
    }
    app.send(&json!(1));
    app.settle();
    assert_eq!(console.page("/deliveries").matches(mark).count(), 1);
}

#[test]
fn what_is_due_is_called_so_and_not_ago() {
    let (app, receiver, gate) = (TestApp::with_manual_clock(), Receiver::start(), Gate::new());
    receiver.reply(Reply::status(500));
    receiver.always(Reply::ok().gated(&gate));
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": [3600] }));
    let delivery = app.send(&json!(1));
    app.settle();
    let console = Console::admin(&app);
    holds(&console.page("/deliveries"), &["next attempt <time", "in 1 h</time>"]);
    app.clock().advance(Duration::from_hours(2));
    receiver.wait_in_flight(1);
    for page in
        ["/deliveries", &format!("/endpoints/{endpoint}/deliveries"), &format!("/endpoints/{endpoint}")]
    {
        holds(&console.page(page), &[">due now</time>"]);
    }
    holds(
        &console.page(&format!("/deliveries/{delivery}")),
        &["Attempt 2 is made as soon as its turn comes."],
    );
    gate.open();
    app.settle();
}

#[test]
fn what_strangers_sent_is_text() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let mut answer = HOSTILE.as_bytes().to_vec();
    answer.extend(b"\0\xff");
    receiver.always(Reply::status(500).header("X-Bad", "<img src=x onerror=alert(2)>").body(answer));
    app.endpoint_at(&receiver, "/<script>?a=%3Cb%3E&c='d");
    let delivery = app.send(&json!({ "said": HOSTILE }));
    app.settle();
    let console = Console::admin(&app);
    for query in ["", "?body=raw"] {
        let page = console.page(&format!("/deliveries/{delivery}{query}"));
        holds(&page, &[&format!("{SHOWN}␀\u{fffd}</pre>"), "&#60;img src=x onerror=alert(2)&#62;"]);
        lacks(&page, &["<script>alert", "<img", "</pre><script", "\u{1b}", "\u{202e}", "\0"]);
        holds(&page, &[">Save as a curl command</a>"]);
    }
    let list = console.page("/deliveries");
    lacks(&list, &["<script>?", "'d\""]);
}

#[test]
fn lists_are_filtered_and_a_wrong_filter_is_told_beside_its_field() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.always_on("/bad", Reply::status(503));
    let good = app.endpoint_with(&receiver, "/good", &json!({ "events": ["a.*"], "uid": "good" }));
    app.endpoint_with(&receiver, "/bad", &json!({ "events": ["b.*"], "tenant": "acme" }));
    app.publish("a.one", &json!(1));
    app.settle();
    app.clock().advance(Duration::from_hours(2));
    app.post("/events", &json!({ "type": "b.two", "tenant": "acme", "data": 2 })).expect(202);
    app.settle();
    let console = Console::admin(&app);
    let shows = |query: &str, first: bool, second: bool| {
        let page = console.page(&format!("/deliveries?{query}"));
        assert_eq!((page.contains(">a.one</a>"), page.contains(">b.two</a>")), (first, second), "{query}");
        page
    };
    let all = shows("", true, true);
    holds(&all, &[&receiver.url("/bad"), "answered 503", "next attempt <time", "href=\"/tenants/acme\""]);
    let first = text(&app.list("/deliveries")[1], "id");
    holds(&all, &[&format!("<a href=\"/deliveries/{first}\">a.one</a>")]);
    shows("status=delivered&type=&tenant=", true, false);
    shows("status=retrying", false, true);
    shows("type=b.*", false, true);
    shows("tenant=acme", false, true);
    shows("endpoint=good", true, false);
    shows(&format!("endpoint={good}"), true, false);
    // The clock started at 14:30 UTC.
    shows("since=2026-02-23+15:30", false, true);
    shows("until=2026-02-23T16:30%2B01:00", true, false);
    holds(&shows("status=held", false, false), &["No such delivery", "value=\"held\" selected"]);
    let wrong = console.get("/deliveries?status=lost&type=a..b&tenant=a/b&since=soon&endpoint=x").expect(422);
    holds(
        wrong.text(),
        &[
            "id=\"status-wrong\">Must be pending",
            "id=\"type-wrong\"",
            "id=\"tenant-wrong\"",
            "id=\"since-wrong\"",
            "value=\"soon\"",
        ],
    );
    for list in ["deliveries", "events", "endpoints"] {
        let unknown = console.get(&format!("/{list}?tenant=nobody")).expect(422);
        holds(unknown.text(), &["id=\"tenant-wrong\">Is the name of no tenant."]);
    }
    let unknown = console.get("/deliveries?endpoint=nobody&status=failed").expect(422);
    holds(unknown.text(), &["id=\"endpoint-wrong\">Is that of no endpoint", "value=\"failed\" selected"]);
}

#[test]
fn a_long_list_has_pages() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    app.publish_many(0..60);
    app.settle();
    let console = Console::admin(&app);
    let rows = |page: &str| page.matches("data-label=\"Status\"").count();
    let first = console.page("/deliveries?status=delivered");
    assert_eq!(rows(&first), 50);
    let older = between(&first, "<a href=\"", "\" rel=\"next\"")
        .rsplit("href=\"")
        .next()
        .expect("a link")
        .replace("&#38;", "&");
    let second = console.page(&older);
    assert_eq!(rows(&second), 10);
    holds(&second, &["rel=\"prev\""]);
    assert!(first.len() < 100 * 1024, "{} bytes", first.len());
}

#[test]
fn an_empty_server_says_what_to_do() {
    let app = TestApp::start();
    holds(
        &Console::admin(&app).page("/deliveries"),
        &["No deliveries yet", "href=\"/endpoints\"", "href=\"/events/new\""],
    );
}

#[test]
fn a_viewer_sees_everything_and_changes_nothing() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.always(Reply::status(500).body("the answer"));
    app.endpoint_at(&receiver, "/");
    let delivery = app.send(&json!(1));
    app.settle();
    let (viewer, path) = (Console::viewer(&app), format!("/deliveries/{delivery}"));
    let page = viewer.page(&path);
    holds(&page, &["the answer", "Attempt 1 did not succeed"]);
    lacks(&page, &["/retry\"", "/cancel\""]);
    for action in ["retry", "cancel"] {
        viewer.refused(&format!("{path}/{action}"), &[], 403);
    }
    assert_eq!(app.status(&delivery), "pending");
    assert_eq!(receiver.count(), 1);
}
