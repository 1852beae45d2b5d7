//! The console's pages of events: found, sent by hand, read, sent again, emptied.

use std::time::Duration;

use serde_json::json;

use crate::support::app::{TestApp, text};
use crate::support::console::{Console, holds, lacks, value};
use crate::support::receiver::{Receiver, Reply};

#[test]
fn an_id_leads_to_its_event() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    let event = text(&app.publish("a.b", &json!(1)), "id");
    app.post("/events", &json!({ "type": "a.c", "tenant": "acme", "id": "order-17", "data": 2 })).expect(202);
    app.settle();
    let console = Console::admin(&app);
    let found = |query: &str| {
        let answer = console.get(&format!("/events?{query}")).expect(303);
        answer.header("location").expect("an address").to_owned()
    };
    assert_eq!(found(&format!("id=+{event}+&type=")), format!("/events/{event}"));
    let own = found("id=order-17&tenant=acme");
    assert_eq!(own, "/events/order-17?tenant=acme");
    holds(&console.page(&own), &["<h1>a.c</h1>", "given by the publisher"]);
    let delivery = app.list("/deliveries")[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(found(&format!("id={delivery}")), format!("/deliveries/{delivery}"));
    let wrong = console.get("/events?id=order-17").expect(422);
    holds(
        wrong.text(),
        &["id=\"id-wrong\">Is that of no event; one that the publisher gave", "value=\"order-17\""],
    );
    assert_eq!(console.get("/events/order-17").status, 404);
}

#[test]
fn the_list_is_filtered_and_links_to_each() {
    let (app, _receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let console = Console::admin(&app);
    holds(&console.page("/events"), &["No events yet", "POST /api/v1/events", "href=\"/events/new\""]);
    let first = text(&app.publish("a.one", &json!(1)), "id");
    app.clock().advance(Duration::from_hours(2));
    app.post("/events", &json!({ "type": "b.two", "tenant": "acme", "id": "own", "data": 2 })).expect(202);
    let shows = |query: &str, one: bool, two: bool| {
        let page = console.page(&format!("/events?{query}"));
        assert_eq!((page.contains(">a.one</a>"), page.contains(">b.two</a>")), (one, two), "{query}");
        page
    };
    let all = shows("", true, true);
    holds(&all, &[&format!("href=\"/events/{first}\""), "href=\"/events/own?tenant=acme\"", "data-search"]);
    shows("type=a.*", true, false);
    shows("tenant=acme", false, true);
    shows("since=2026-02-23+15:30", false, true);
    shows("until=2026-02-23+15:30", true, false);
    let wrong = console.get("/events?type=a..b&since=x").expect(422);
    holds(wrong.text(), &["id=\"type-wrong\"", "id=\"since-wrong\"", "value=\"a..b\""]);
}

#[test]
fn the_list_counts_the_deliveries_that_there_are_and_marks_tests() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let endpoint = app.endpoint_at(&receiver, "/");
    let event = text(&app.publish("a.sent", &json!(1)), "id");
    app.post(&format!("/events/{event}/replay"), &json!({})).expect(202);
    app.settle();
    app.post(&format!("/endpoints/{endpoint}/test"), &json!({ "type": "a.test" })).expect(200);
    app.publish("a.sent", &json!(2));
    let console = Console::admin(&app);
    let row = |query: &str| {
        let page = console.page(&format!("/events?{query}"));
        let rows = page.split("<tbody>").nth(1).expect("rows").to_owned();
        let count = |number: u8| rows.matches(&format!("class=\"number\">{number}</td>")).count();
        (count(0), count(1), count(2), rows.matches("Sent by hand to test").count())
    };
    assert_eq!(row("type=a.sent"), (0, 1, 1, 0));
    assert_eq!(row("type=a.test"), (0, 1, 0, 1));
}

#[test]
fn one_shows_its_data_where_it_went_and_why_not_elsewhere() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.always_on("/bad", Reply::status(500));
    let went = app.endpoint_with(&receiver, "/bad", &json!({ "events": ["post.*"] }));
    app.endpoint_with(&receiver, "/other", &json!({ "events": ["invoice.*"] }));
    app.endpoint_with(&receiver, "/draft", &json!({ "filters": { "status": "published" } }));
    let changed = app.endpoint_with(&receiver, "/changed", &json!({ "events": ["none"] }));
    app.clock().advance(Duration::from_secs(1));
    let event = text(&app.publish("post.made", &json!({ "status": "draft" })), "id");
    app.settle();
    app.clock().advance(Duration::from_secs(1));
    app.change_endpoint(&changed, &json!({ "events": ["*"] }));
    app.endpoint_at(&receiver, "/later");
    let (console, path) = (Console::admin(&app), format!("/events/{event}"));
    let page = console.page(&path);
    let (before, elsewhere) = page.split_once("Why it did not go elsewhere").expect("both lists");
    holds(
        before,
        &[
            "&#34;status&#34;: &#34;draft&#34;",
            "<span class=\"status pending\">pending</span>",
            "answered 500",
            "id=\"went\" data-live",
            &format!("href=\"/endpoints/{went}\""),
            "<title>post.made · Event · Postrider</title>",
            "<dt>Type</dt><dd><a href=\"/events?type=post.made\">",
        ],
    );
    holds(
        elsewhere,
        &[
            &receiver.url("/other"),
            "The endpoint does not subscribe to post.made.",
            &format!("href=\"/endpoints/{changed}/settings\">Its settings</a>"),
            "The filter status wants &#34;published&#34;, and the data has &#34;draft&#34;.",
            "changed: another rule may have held",
            "The endpoint was made after the event was accepted",
        ],
    );
    assert_eq!(
        elsewhere.matches("changed: another rule").count(),
        1,
        "one that was made later had none before"
    );
    assert!(!elsewhere.split("Send it again").next().expect("the list").contains(&receiver.url("/bad")));
    holds(
        &console.page(&format!("{path}?data=raw")),
        &["{&#34;status&#34;:&#34;draft&#34;}</pre>", ">pretty</a>"],
    );
    app.put_event_type("post.made", &json!({})).expect(201);
    holds(&console.page(&path), &["<dt>Type</dt><dd><a href=\"/event-types/post.made\">"]);
    let saved = console.get(&format!("{path}/data")).expect(200);
    assert_eq!(
        (saved.text(), saved.header("content-disposition")),
        (r#"{"status":"draft"}"#, Some("attachment; filename=\"data.json\""))
    );
}

#[test]
fn it_is_sent_again_to_all_or_to_one_and_once_for_each_form() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    app.endpoint_with(&receiver, "/a", &json!({ "events": ["a.*"] }));
    let other = app.endpoint_with(&receiver, "/b", &json!({ "events": ["b.*"] }));
    let off = app.endpoint_with(&receiver, "/off", &json!({ "events": ["b.*"] }));
    let event = text(&app.publish("a.x", &json!(1)), "id");
    app.settle();
    app.disable(&off);
    let (console, path) = (Console::admin(&app), format!("/events/{event}"));
    let page = console.page(&path);
    lacks(&page, &[&format!("value=\"{off}\"")]);
    let once = value(&page, "once");
    for _ in 0..2 {
        let (to, page) = console.done(&format!("{path}/replay"), &[("endpoint", ""), ("once", &once)]);
        assert_eq!(to, path);
        holds(&page, &["It is sent again, to one endpoint."]);
    }
    console.done(&format!("{path}/replay"), &[("endpoint", &other), ("once", &once)]);
    app.settle();
    assert_eq!((receiver.count_on("/a"), receiver.count_on("/b")), (2, 1));
    let refused = console.refused(&format!("{path}/replay"), &[("endpoint", &off), ("once", &once)], 409);
    holds(&refused, &["role=\"alert\"", "is disabled"]);
    let fields = [("type", "b.y"), ("tenant", ""), ("id", ""), ("data", "1"), ("once", "y")];
    let (to, page) = console.done("/events/new", &fields);
    let held = "1 delivery is held, because its endpoint is disabled.";
    holds(&page, &[&format!("The event is accepted and goes to 2 endpoints. {held}")]);
    let (_, page) = console.done(&format!("{to}/replay"), &[("once", "z")]);
    holds(
        &page,
        &[&format!("It is sent again, to 2 endpoints. {held}"), "One that is disabled gets it when"],
    );
    let actors: Vec<_> = app.audit_of(&event).into_iter().map(|line| line["actor"].clone()).collect();
    assert_eq!(actors, [json!("operator:ada@example.com"), json!("operator:ada@example.com")]);
}

#[test]
fn its_data_is_deleted_in_two_steps() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.always(Reply::status(500));
    app.endpoint_at(&receiver, "/");
    let event = app
        .post("/events", &json!({ "type": "a.b", "id": "order-17", "data": { "name": "Ada" } }))
        .expect(202)
        .json();
    app.settle();
    let (console, path) = (Console::admin(&app), "/events/order-17/delete-data?tenant=default");
    holds(&console.page("/events/order-17?tenant=default"), &[&format!("href=\"{path}\"")]);
    let asked = console.page(path);
    holds(&asked, &["Who is told what", "Receivers are told nothing", &format!("action=\"{path}\"")]);
    assert_eq!(app.get("/events/order-17")["data"]["name"], "Ada", "it only asks");
    let (to, _) = console.done(path, &[]);
    assert_eq!(to, "/events/order-17?tenant=default");
    let page = console.page(&to);
    holds(&page, &["The data was deleted.", "<span class=\"status canceled\">canceled</span>"]);
    lacks(&page, &["Ada", "Send it again", "/delete-data"]);
    assert_eq!(console.get("/events/order-17/data?tenant=default").status, 404);
    let delivery = text(&app.delivery_of(&event), "id");
    let page = console.page(&format!("/deliveries/{delivery}"));
    holds(&page, &["The body is not there any more", "Canceled after one attempt"]);
    lacks(&page, &["Ada", "/retry\""]);
    assert_eq!(app.audit_of("order-17")[0]["actor"], "operator:ada@example.com");
}

#[test]
fn an_event_is_sent_by_hand_with_the_example_of_its_type() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    let schema =
        json!({ "type": "object", "required": ["amount"], "properties": { "amount": { "type": "number" } } });
    app.put_event_type(
        "invoice.paid",
        &json!({ "example": { "amount": 12 }, "schema": schema, "description": "It was paid." }),
    )
    .expect(201);
    app.put_event_type("postrider.secret", &json!({ "reserved": true })).expect(201);
    let console = Console::admin(&app);
    let empty = console.page("/events/new");
    holds(&empty, &["<option value=\"invoice.paid\">", ">\n{}</textarea>"]);
    lacks(&empty, &["postrider.secret"]);
    let page = console.page("/events/new?type=invoice.paid&tenant=");
    holds(
        &page,
        &[
            "<option value=\"invoice.paid\" selected>",
            "{\n  &#34;amount&#34;: 12\n}</textarea>",
            "It was paid.",
            "checked against the schema",
        ],
    );
    let once = value(&page, "once");
    let fields = [
        ("type", "invoice.paid"),
        ("tenant", ""),
        ("id", ""),
        ("data", "{\r\n  \"amount\": 12.50\r\n}"),
        ("once", &once),
    ];
    let (to, sent) = console.done("/events/new", &fields);
    holds(&sent, &["The event is accepted and goes to one endpoint.", "<h1>invoice.paid</h1>"]);
    let (again, told) = console.done("/events/new", &fields);
    assert_eq!(again, to, "the same form twice is one event");
    holds(&told, &["It was accepted before"]);
    app.settle();
    assert_eq!(receiver.count(), 1);
    let body = String::from_utf8(receiver.received()[0].body.clone()).expect("text");
    assert!(body.contains("12.50"), "{body}");
}

#[test]
fn what_is_wrong_with_an_event_is_told_beside_each_field() {
    let app = TestApp::start();
    let schema = json!({ "type": "object", "properties": { "items": { "items": { "type": "number" } } } });
    app.put_event_type("a.b", &json!({ "schema": schema })).expect(201);
    let console = Console::admin(&app);
    let typed = |fields: &[(&str, &str)]| console.refused("/events/new", fields, 422);
    let page =
        typed(&[("type", "a..b"), ("tenant", "a/b"), ("id", "a.b"), ("data", "{\"<b>\": }"), ("once", "x")]);
    holds(
        &page,
        &[
            "id=\"type-wrong\">Must be 1 to 128",
            "id=\"tenant-wrong\">Must be 1 to 64",
            "id=\"id-wrong\">Must be 1 to 64",
            "id=\"data-wrong\">Must be one JSON value",
            "{&#34;&#60;b&#62;&#34;: }</textarea>",
            "value=\"a..b\"",
            "4 things have to be mended",
        ],
    );
    let page = typed(&[
        ("type", "a.b"),
        ("tenant", "a/b"),
        ("id", ""),
        ("data", "{\"items\": [1, \"x\"]}"),
        ("once", "x"),
    ]);
    holds(&page, &["id=\"tenant-wrong\"", "id=\"data-wrong\">items[1]: "]);
    let page = typed(&[("type", "a.b"), ("tenant", ""), ("id", ""), ("data", ""), ("once", "x")]);
    holds(&page, &["id=\"data-wrong\">Must be one JSON value; nothing is there."]);
    app.post("/events", &json!({ "type": "x.y", "id": "taken", "data": 1 })).expect(202);
    let taken = [("type", "x.y"), ("tenant", ""), ("id", "taken"), ("data", "2"), ("once", "x")];
    holds(&console.refused("/events/new", &taken, 409), &["id=\"id-wrong\"", "value=\"taken\""]);
    assert_eq!(app.list("/events").len(), 1);
}

#[test]
fn an_event_may_have_the_id_new() {
    let app = TestApp::start();
    app.post("/events", &json!({ "type": "a.b", "id": "new", "data": 1 })).expect(202);
    let console = Console::admin(&app);
    holds(&console.page("/events"), &["href=\"/events/new?tenant=default\""]);
    holds(&console.page("/events/new?tenant=default"), &["<h1>a.b</h1>"]);
    holds(
        &console.page("/events/new?tenant=default&type="),
        &["<h1>Send an event</h1>", "name=\"tenant\" type=\"text\" value=\"default\""],
    );
}

#[test]
fn what_a_publisher_sent_is_text() {
    let app = TestApp::start();
    let data = json!({ "x": "</pre><script>alert(1)</script>{{7*7}}\u{202e}" });
    let event = text(&app.publish("a.b", &data), "id");
    let page = Console::admin(&app).page(&format!("/events/{event}"));
    holds(
        &page,
        &[
            "&#60;/pre&#62;&#60;script&#62;alert(1)&#60;/script&#62;{{7*7}}\\u{202e}",
            "Nowhere: it has no delivery, because its tenant had no endpoint.",
        ],
    );
    lacks(&page, &["<script>alert", "Send it again"]);
}

#[test]
fn long_data_is_cut_on_the_page_and_whole_in_the_file() {
    let app = TestApp::start();
    let event = text(&app.publish("a.b", &json!(vec!["\"<&>\""; 20_000])), "id");
    let console = Console::admin(&app);
    let page = console.page(&format!("/events/{event}"));
    assert!(page.len() < 80 * 1024, "{} bytes", page.len());
    holds(&page, &["This is the beginning; save it to see all of it."]);
    let saved = console.get(&format!("/events/{event}/data")).expect(200).json();
    assert_eq!(saved.as_array().map(Vec::len), Some(20_000));
}

#[test]
fn a_viewer_of_events_changes_nothing() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    let event = text(&app.publish("a.b", &json!(1)), "id");
    app.settle();
    let (viewer, path) = (Console::viewer(&app), format!("/events/{event}"));
    let page = viewer.page(&path);
    holds(&page, &["Where it went", "<span class=\"status delivered\">"]);
    lacks(&page, &["/replay", "/delete-data"]);
    lacks(&viewer.page("/events"), &["/events/new"]);
    assert_eq!(viewer.get("/events/new").status, 403);
    assert_eq!(viewer.get(&format!("{path}/delete-data")).status, 403);
    for action in ["replay", "delete-data"] {
        viewer.refused(&format!("{path}/{action}"), &[("once", "x")], 403);
    }
    viewer.refused("/events/new", &[("type", "a.b"), ("data", "1")], 403);
    assert_eq!((receiver.count(), app.list("/events").len()), (1, 1));
    assert_eq!(app.get(&format!("/events/{event}"))["data"], 1);
}
