//! The console's list of what was sent to an endpoint, and its code to verify that.

use serde_json::json;

use crate::support::app::{TestApp, text};
use crate::support::console::{Console, holds, lacks};
use crate::support::receiver::{Receiver, Reply};

fn world() -> (TestApp, Receiver, Console, String, String) {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let console = Console::admin(&app);
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": [] }));
    let path = format!("/endpoints/{endpoint}/deliveries");
    (app, receiver, console, endpoint, path)
}

#[test]
fn each_delivery_shows_what_the_receiver_answered() {
    let (app, receiver, console, _, path) = world();
    holds(&console.page(&path), &["Nothing was sent to it yet", "/test\">Send a test"]);
    receiver.reply(Reply::status(201).body("thanks"));
    let good = app.send(&json!(1));
    app.settle();
    receiver.reply(Reply::status(500));
    let bad = app.send(&json!(2));
    app.settle();
    let page = console.page(&path);
    let row = |id: &str| {
        let at = page.find(&format!("/deliveries/{id}\">test")).expect("its row");
        page[at..].split("</tr>").next().expect("its end").to_owned()
    };
    holds(&row(&good), &["number\">1<", "number\">201<", "<pre>thanks</pre>", "status delivered"]);
    holds(&row(&bad), &["number\">500<", "500", "status failed"]);
    lacks(&page, &["data-live"]);
}

#[test]
fn filters_stand_in_the_address_and_a_wrong_one_is_told_beside_its_field() {
    let (app, receiver, console, _, path) = world();
    receiver.reply(Reply::status(500));
    app.publish("invoice.paid", &json!(1));
    app.settle();
    app.publish("user.made", &json!(2));
    app.settle();
    let names = |query: &str| {
        let page = console.page(&format!("{path}?{query}"));
        let has = |name: &str| page.contains(&format!("\">{name}</a>"));
        (has("invoice.paid"), has("user.made"))
    };
    assert_eq!(names("status=&type=&since=&until="), (true, true), "empty ones are none");
    assert_eq!(names("status=failed"), (true, false));
    assert_eq!(names("status=delivered"), (false, true));
    assert_eq!(names("type=invoice.*"), (true, false));
    assert_eq!(names("since=2026-02-23"), (true, true));
    assert_eq!(names("until=2026-02-23"), (false, false));
    let none = console.page(&format!("{path}?type=order.*&status=held"));
    holds(&none, &["No delivery matches", "value=\"order.*\"", "value=\"held\" selected"]);
    let wrong = console.get(&format!("{path}?status=lost&type=a..b&since=soon")).expect(422);
    holds(
        wrong.text(),
        &["id=\"status-wrong\"", "id=\"type-wrong\"", "id=\"since-wrong\"", "value=\"soon\""],
    );
    lacks(wrong.text(), &["\">invoice.paid</a>"]);
}

#[test]
fn pages_follow_one_another_and_stay_small_whatever_was_answered() {
    let (app, receiver, console, _, path) = world();
    receiver.always(Reply::status(500).body("<\"&'>".repeat(500)));
    app.publish_many(0..30);
    app.settle();
    let first = console.page(&path);
    assert!(first.len() < 80 * 1024, "{} bytes", first.len());
    assert_eq!(first.matches("class=\"status failed\"").count(), 25);
    holds(&first, &["See its answer"]);
    let older = first.split("href=\"").find(|part| part.contains("cursor=")).expect("a link");
    let second = console.page(&older.split('"').next().expect("its end").replace("&#38;", "&"));
    assert_eq!(second.matches("class=\"status failed\"").count(), 5);
    holds(&second, &["rel=\"prev\""]);
    lacks(&second, &["rel=\"next\""]);
}

#[test]
fn what_a_receiver_answers_is_text_whatever_it_holds() {
    let (app, receiver, console, _, path) = world();
    let mut hostile = b"</pre><script>alert(1)</script>{{ frame }}\0\x1b[2J\"' ".to_vec();
    hostile.extend(b"\xff\xfe\xe2\x80\xae");
    receiver.reply(Reply::ok().body(hostile));
    app.send(&json!(1));
    app.settle();
    let page = console.page(&path);
    holds(&page, &["&#60;/pre&#62;&#60;script&#62;alert(1)", "{{ frame }}\u{2400}\u{241b}[2J", "\u{fffd}"]);
    lacks(&page, &["<script>alert", "\0", "\u{1b}", "\u{202e}"]);
}

#[test]
fn what_waits_is_looked_at_again_by_itself() {
    let (app, receiver, console, ..) = world();
    let endpoint = app.endpoint_with(&receiver, "/later", &json!({ "retry_schedule": [60] }));
    receiver.always(Reply::status(500));
    app.publish("test", &json!(1));
    app.settle();
    let page = console.page(&format!("/endpoints/{endpoint}/deliveries"));
    holds(&page, &["<tr id=\"dlv_", "\" data-live>", "status pending", "next attempt <time"]);
}

#[test]
fn code_is_offered_in_each_language_with_a_placeholder_for_the_secret() {
    let (app, receiver, console, ..) = world();
    let made = app.create_endpoint(&json!({ "url": receiver.url("/"), "events": ["*"], "format": "github" }));
    let (path, secret) = (format!("/endpoints/{}/verify", text(&made, "id")), text(&made, "secret"));
    let python = console.page(&path);
    holds(
        &python,
        &["def verify", "x-hub-signature-256", "data-copy=\"code\"", "WEBHOOK_SECRET=<i>the secret"],
    );
    lacks(&python, &["data-copy=\"setting\""]);
    holds(&python, &["language=python\" aria-current=\"true\"", "/rotate-secret\""]);
    holds(
        &console.page(&format!("{path}?language=node")),
        &["function verify", "language=node\" aria-current"],
    );
    holds(&console.page(&format!("{path}?language=php")), &["getenv(&#39;WEBHOOK_SECRET&#39;)"]);
    lacks(&python, &[&secret]);
    let wrong = console.get(&format!("{path}?language=cobol")).expect(422);
    holds(wrong.text(), &["id=\"language-wrong\"", "python"]);
}

#[test]
fn a_public_key_stands_in_its_code_and_an_unsigned_format_is_warned_about() {
    let (app, receiver, console, ..) = world();
    let definition =
        |scheme: &str| format!(r#"{{"signature": {{"scheme": "{scheme}"}}, "envelope": "data"}}"#);
    app.put_format("bare", &definition("none"));
    let asymmetric = r#"{"signature": {"scheme": "ed25519", "header": "webhook-signature", "join": " "},
        "headers": {"id": "webhook-id", "timestamp": "webhook-timestamp"}, "envelope": "data"}"#;
    app.put_format("asymmetric", asymmetric);
    let page = |format: &str| {
        let made = app.create_endpoint(&json!({ "url": receiver.url("/"), "format": format }));
        (console.page(&format!("/endpoints/{}/verify", text(&made, "id"))), made)
    };
    let (signed, made) = page("asymmetric");
    let key = format!("WEBHOOK_PUBLIC_KEY={}", text(&made, "public_key"));
    holds(&signed, &[&key, "data-copy=\"setting\""]);
    let (bare, _) = page("bare");
    holds(&bare, &["Its deliveries are not signed."]);
    lacks(&bare, &["WEBHOOK_SECRET="]);
}
