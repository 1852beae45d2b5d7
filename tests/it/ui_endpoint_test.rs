//! The console's page to send an endpoint a test: what it begins with, what was sent, what came back.

use serde_json::json;

use crate::support::app::{TestApp, text};
use crate::support::console::{Console, holds, lacks};
use crate::support::receiver::{Receiver, Reply};

fn world() -> (TestApp, Receiver, Console, String) {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let console = Console::admin(&app);
    let endpoint = app.endpoint_with(&receiver, "/hook", &json!({ "events": ["invoice.*", "order.made"] }));
    let path = format!("/endpoints/{endpoint}/test");
    (app, receiver, console, path)
}

/// The type that the form would send.
fn chosen_type(page: &str) -> &str {
    let typed = page.split("id=\"type\" name=\"type\" type=\"text\" value=\"").nth(1).expect("a field");
    typed.split('"').next().expect("its end")
}

#[test]
fn a_type_fills_in_its_example() {
    let (app, _receiver, console, path) = world();
    app.put_event_type("invoice.paid", &json!({ "example": { "amount": 1, "currency": "<eur>" } }))
        .expect(201);
    app.put_event_type("user.made", &json!({})).expect(201);
    let page = console.page(&path);
    assert_eq!(chosen_type(&page), "webhook.test");
    holds(&page, &["<option selected>webhook.test</option>", "Nothing has happened."]);
    let own = page.split("It subscribes to").nth(1).and_then(|rest| rest.split("</optgroup>").next());
    let own = own.expect("a group");
    holds(own, &["invoice.paid", "order.made"]);
    lacks(own, &["user.made", "webhook.test"]);
    let chosen = console.page(&format!("{path}?type=invoice.paid"));
    assert_eq!(chosen_type(&chosen), "invoice.paid");
    holds(
        &chosen,
        &["\n{\n  &#34;amount&#34;: 1,\n  &#34;currency&#34;: &#34;&#60;eur&#62;&#34;\n}</textarea>"],
    );
    let wrong = console.get(&format!("{path}?type=a..b")).expect(422);
    holds(wrong.text(), &["id=\"type-wrong\""]);
}

#[test]
fn what_was_sent_and_what_came_back_stand_side_by_side() {
    let (app, receiver, console, path) = world();
    receiver.reply(Reply::status(202).header("X-Own", "their <i>word</i>").body(r#"{"ok":true}"#));
    let fields = [("type", "order.made"), ("data", "{\"n\": 7,\r\n \"name\": \"Zoë\"}")];
    let (to, page) = console.done(&path, &fields);
    let request = receiver.next();
    assert_eq!(request.json()["data"], json!({ "n": 7, "name": "Zoë" }));
    let delivery = to.split("delivery=").nth(1).expect("the delivery").to_owned();
    assert_eq!(text(&app.delivery(&delivery), "event_type"), "order.made");
    holds(
        &page,
        &[
            "It was received",
            ": 202",
            &format!("POST {}", receiver.url("/hook")),
            "<dt>x-own</dt><dd><code>their &#60;i&#62;word&#60;/i&#62;</code></dd>",
            "<dt>wait</dt>",
        ],
    );
    holds(
        &page,
        &[
            "<dt>webhook-signature</dt>",
            "&#34;ok&#34;: true",
            "<dt>In all</dt>",
            &format!("/deliveries/{delivery}\""),
        ],
    );
    assert_eq!(chosen_type(&page), "order.made", "to be sent again");
    holds(&page, &["&#34;name&#34;: &#34;Zoë&#34;\n}</textarea>"]);
}

#[test]
fn a_test_that_fails_says_why_and_answers_are_text() {
    let (_app, receiver, console, path) = world();
    receiver.reply(Reply::status(500).body(b"<script>alert(1)</script>\0\xff".to_vec()));
    let (_, page) = console.done(&path, &[("type", ""), ("data", "")]);
    assert_eq!(receiver.next().json()["type"], "webhook.test");
    holds(&page, &["It failed", ": 500", "&#60;script&#62;alert(1)", "\u{2400}\u{fffd}"]);
    lacks(&page, &["<script>alert", "\0"]);
    receiver.always(Reply::close());
    let (_, page) = console.done(&path, &[("type", "a.b"), ("data", "1")]);
    holds(&page, &["It failed", "There was none"]);
}

#[test]
fn wrong_data_is_told_beside_it_with_all_that_was_typed() {
    let (_app, receiver, console, path) = world();
    let page = console.refused(&path, &[("type", "a..b"), ("data", "{\"a\": <1>}")], 422);
    holds(
        &page,
        &[
            "id=\"type-wrong\"",
            "id=\"data-wrong\"",
            "Must be one JSON value",
            "value=\"a..b\"",
            "&#34;a&#34;: &#60;1&#62;}",
        ],
    );
    assert_eq!(receiver.count(), 0);
}

#[test]
fn a_delivery_of_another_endpoint_is_not_shown_and_a_viewer_sends_nothing() {
    let (app, receiver, console, path) = world();
    let other = app.endpoint_at(&receiver, "/other");
    let delivery = text(&app.test_endpoint(&other), "delivery_id");
    lacks(&console.page(&format!("{path}?delivery={delivery}")), &["It was received"]);
    let shown = format!("/endpoints/{other}/test?delivery={delivery}");
    holds(&console.page(&shown), &["It was received"]);
    let viewer = Console::viewer(&app);
    let page = viewer.page(&shown);
    holds(&page, &["It was received", "<dt>webhook-id</dt>"]);
    lacks(&page, &["<textarea"]);
    let before = receiver.count();
    viewer.post(&path, &[("type", "a.b"), ("data", "1")]).expect(403);
    assert_eq!(receiver.count(), before);
    console.get(&format!("{path}?delivery=dlv_0000000000000")).expect(404);
}
