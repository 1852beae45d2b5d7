//! The console's pages that change an endpoint: its settings, its state, its secret, its end.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::console::{Console, holds, lacks, value};
use crate::support::receiver::Receiver;

/// A server, an admin at the console, and an endpoint that receives everything.
fn console() -> (TestApp, Console, Receiver, String) {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let ada = Console::admin(&app);
    let id = app.endpoint_with(&receiver, "/hook", &json!({ "headers": { "Authorization": "Bearer one" } }));
    (app, ada, receiver, id)
}

/// The newest line of the audit log about an endpoint.
fn last_audited(app: &TestApp, id: &str) -> Value {
    app.audit_of(id).pop().expect("a line")
}

/// A text of a page without its escapes.
fn plain(text: &str) -> String {
    text.replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#38;", "&")
}

#[test]
fn only_what_was_changed_is_sent_and_a_header_that_is_not_shown_is_kept() {
    let (app, ada, receiver, id) = console();
    let path = format!("/endpoints/{id}/settings");
    let page = ada.page(&path);
    holds(
        &page,
        &["Authorization: •••</textarea>", "value=\"10\"", "value=\"16\"", "aria-current=\"page\">Settings"],
    );
    let shown = plain(&value(&page, "shown"));
    app.change_endpoint(&id, &json!({ "description": "by somebody else", "timeout_seconds": 9 }));
    let url = receiver.url("/hook");
    let fields = [
        ("shown", shown.as_str()),
        ("url", &url),
        ("events", "*"),
        ("headers", "Authorization: •••\r\nX-Team: books"),
        ("format", "standard"),
        ("signing", "keep"),
        ("timeout_seconds", "10"),
        ("max_in_flight", ""),
        ("rate_limit", "100"),
        ("while_disabled", "hold"),
    ];
    let (to, page) = ada.done(&path, &fields);
    assert_eq!(to, path);
    holds(&page, &["The settings are saved", "X-Team: •••", "by somebody else"]);
    shows(
        &app.endpoint(&id),
        &json!({ "description": "by somebody else", "timeout_seconds": 9, "rate_limit": 100, "max_in_flight": 16 }),
    );
    app.send(&json!(1));
    app.settle();
    let request = receiver.next();
    assert_eq!(
        (request.header("authorization"), request.header("x-team")),
        (Some("Bearer one"), Some("books"))
    );
    assert_eq!(last_audited(&app, &id)["actor"], "operator:ada@example.com");
}

#[test]
fn settings_that_are_wrong_are_shown_again_with_what_was_typed() {
    let (app, ada, receiver, id) = console();
    let path = format!("/endpoints/{id}/settings");
    let shown = plain(&value(&ada.page(&path), "shown"));
    let url = receiver.url("/hook");
    let fields = [
        ("shown", shown.as_str()),
        ("url", &url),
        ("events", "*\nin voice"),
        ("headers", "X-New: •••"),
        ("timeout_seconds", "31"),
        ("retry_schedule", "none"),
        ("signing", "own"),
    ];
    let page = ada.refused(&path, &fields, 422);
    holds(
        &page,
        &[
            "id=\"events-wrong\"",
            "id=\"headers-wrong\"",
            "id=\"timeout_seconds-wrong\"",
            "id=\"secret-wrong\"",
        ],
    );
    holds(&page, &["in voice</textarea>", "value=\"31\"", "value=\"none\""]);
    assert_eq!(plain(&value(&page, "shown")), shown);
    shows(&app.endpoint(&id), &json!({ "events": ["*"], "timeout_seconds": 10, "retry_schedule": null }));
    ada.get("/endpoints/ep_nothing/settings").expect(404);
}

/// The form of the endpoint as its page has it.
fn as_shown<'a>(shown: &'a str, url: &'a str) -> [(&'static str, &'a str); 8] {
    [
        ("shown", shown),
        ("url", url),
        ("events", "*"),
        ("headers", "Authorization: •••"),
        ("format", "standard"),
        ("timeout_seconds", "10"),
        ("max_in_flight", "16"),
        ("while_disabled", "hold"),
    ]
}

#[test]
fn settings_that_a_page_has_no_room_for_are_saved_as_files_and_left_alone() {
    let (app, ada, receiver, id) = console();
    let patterns: Vec<_> = (0..500).map(|n| format!("{}{n}", "a".repeat(120))).collect();
    let filters: Value = (0..20)
        .map(|n| (format!("f{n}"), json!("<".repeat(1_000))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let metadata = json!({ "note": "line\nline" });
    let long = json!({ "events": patterns, "filters": filters, "metadata": metadata });
    app.change_endpoint(&id, &long);
    let path = format!("/endpoints/{id}/settings");
    let page = ada.page(&path);
    lacks(&page, &["name=\"events\"", "name=\"filters\"", "name=\"types\""]);
    for (name, part) in
        [("events", patterns[499].as_str()), ("filters", "\"f19\""), ("metadata", "note = line")]
    {
        let file = ada.get(&format!("{path}?save={name}")).expect(200);
        assert!(
            file.header("content-disposition").is_some_and(|value| value.contains(name))
                && file.text().contains(part)
        );
    }
    ada.get(&format!("{path}?save=secret")).expect(404);
    let (shown, url) = (plain(&value(&page, "shown")), receiver.url("/hook"));
    let mut fields = as_shown(&shown, &url).to_vec();
    fields.retain(|(name, _)| *name != "events");
    fields.extend([("left_out", "events"), ("left_out", "filters"), ("description", "Books")]);
    ada.done(&path, &fields);
    shows(
        &app.endpoint(&id),
        &json!({ "description": "Books", "events": patterns, "filters": filters, "metadata": metadata }),
    );
}

#[test]
fn metadata_that_lines_cannot_hold_is_left_alone() {
    let (app, ada, receiver, id) = console();
    app.change_endpoint(&id, &json!({ "metadata": { "a=b": "two\nlines" } }));
    let path = format!("/endpoints/{id}/settings");
    let page = ada.page(&path);
    lacks(&page, &["name=\"metadata\""]);
    let shown = plain(&value(&page, "shown"));
    let url = receiver.url("/hook");
    ada.done(&path, &[&as_shown(&shown, &url)[..], &[("description", "Books")][..]].concat());
    shows(&app.endpoint(&id), &json!({ "metadata": { "a=b": "two\nlines" }, "description": "Books" }));
}

#[test]
fn a_secret_that_settings_replace_is_shown_once() {
    let (app, ada, receiver, id) = console();
    let path = format!("/endpoints/{id}/settings");
    let shown = plain(&value(&ada.page(&path), "shown"));
    let url = receiver.url("/hook");
    let fields = [&as_shown(&shown, &url)[..], &[("signing", "make")][..]].concat();
    let (_, page) = ada.done(&path, &fields);
    holds(&page, &["The settings are saved", "<code id=\"secret\">whsec_"]);
    lacks(&ada.page(&path), &["id=\"secret\">whsec_"]);
    assert_eq!(last_audited(&app, &id)["after"]["secret"], "replaced");
}

#[test]
fn what_is_held_is_counted_and_delivered_or_discarded() {
    let (app, ada, receiver, id) = console();
    let (path, stop) = (format!("/endpoints/{id}/enable"), format!("/endpoints/{id}/disable"));
    ada.goes(&stop, &[("note", "They are <moving>")], &format!("/endpoints/{id}"));
    shows(&app.endpoint(&id), &json!({ "enabled": false, "disabled_note": "They are <moving>" }));
    holds(&ada.page(&path), &["Nothing is held", "by hand", "They are &#60;moving&#62;"]);
    for n in 0..3 {
        app.send(&json!(n));
    }
    holds(&ada.page(&path), &["3 deliveries are held", "value=\"deliver\" checked"]);
    let page = ada.refused(&path, &[("held", "burn")], 422);
    holds(&page, &["id=\"held-wrong\"", "3 deliveries are held"]);
    ada.goes(&path, &[("held", "deliver")], &format!("/endpoints/{id}"));
    app.settle();
    assert_eq!(receiver.count(), 3);
    holds(&ada.page(&path), &["It is enabled already."]);

    ada.goes(&stop, &[], &format!("/endpoints/{id}"));
    let held = app.send(&json!(4));
    holds(&ada.page(&path), &["1 delivery is held"]);
    ada.goes(&path, &[("held", "discard")], &format!("/endpoints/{id}"));
    app.settle();
    assert_eq!((app.status(&held).as_str(), receiver.count()), ("canceled", 3));
    ada.goes(&stop, &[], &format!("/endpoints/{id}"));
    holds(&ada.done(&path, &[]).1, &["role=\"status\">The endpoint is enabled.</p>"]);
}

#[test]
fn a_note_has_its_limit_and_can_be_changed() {
    let (app, ada, _receiver, id) = console();
    let path = format!("/endpoints/{id}/disable");
    holds(&ada.page(&path), &["Events for it are held"]);
    let long = "x".repeat(501);
    holds(&ada.refused(&path, &[("note", &long)], 422), &["id=\"note-wrong\"", &long]);
    assert_eq!(app.endpoint(&id)["enabled"], true);
    ada.goes(&path, &[("note", "first")], &format!("/endpoints/{id}"));
    holds(&ada.page(&path), &["disabled already", "first</textarea>"]);
    ada.goes(&path, &[("note", "second")], &format!("/endpoints/{id}"));
    assert_eq!(app.endpoint(&id)["disabled_note"], "second");
    app.change_endpoint(&id, &json!({ "while_disabled": "skip", "enabled": true }));
    holds(&ada.page(&path), &["make no delivery"]);
}

#[test]
fn a_rotation_shows_the_secret_once_and_when_the_one_before_ends() {
    let (app, ada, _receiver, id) = console();
    let path = format!("/endpoints/{id}/rotate-secret");
    holds(&ada.page(&path), &["<option value=\"86400\" selected>", "for 7 days"]);
    let (_, page) = ada.done(&path, &[("overlap_seconds", "3600"), ("secret", "")]);
    let secret = page.split_once("id=\"secret\">").map(|(_, rest)| rest[..50].to_owned()).expect("a secret");
    assert!(secret.starts_with("whsec_"), "{secret}");
    holds(&page, &["The secret is replaced", ">2026-02-23 15:30</time>", "in 1 h", "data-copy=\"secret\""]);
    let settings = ada.page(&format!("/endpoints/{id}/settings"));
    holds(&settings, &["signs as well until", ">2026-02-23 15:30</time>"]);
    lacks(&settings, &[&secret]);
    app.clock().advance(Duration::from_hours(1));
    lacks(&ada.page(&format!("/endpoints/{id}/settings")), &["signs as well until"]);
    let page = ada.refused(&path, &[("overlap_seconds", "soon"), ("secret", "typed")], 422);
    holds(&page, &["id=\"overlap_seconds-wrong\"", "value=\"typed\""]);
    holds(
        &ada.refused(&path, &[("overlap_seconds", "604801"), ("secret", "x")], 422),
        &["id=\"secret-wrong\""],
    );
    assert_eq!(last_audited(&app, &id)["action"], "endpoint.rotate_secret");
}

#[test]
fn where_a_request_carries_one_signature_the_secret_before_ends_at_once() {
    let (app, ada, _receiver, id) = console();
    app.change_endpoint(&id, &json!({ "format": "github", "secret": null }));
    let path = format!("/endpoints/{id}/rotate-secret");
    let page = ada.page(&path);
    holds(&page, &["carry one signature", "name=\"overlap_seconds\" value=\"0\""]);
    lacks(&page, &["for 1 hour", "both signatures"]);
    let page = ada.refused(&path, &[("overlap_seconds", "3600")], 422);
    holds(&page, &["id=\"overlap_seconds-wrong\""]);
    lacks(&ada.done(&path, &[("overlap_seconds", "0")]).1, &["signs as well"]);
}

#[test]
fn an_endpoint_is_deleted_by_typing_its_host_or_id() {
    let (app, ada, receiver, id) = console();
    let other =
        text(&app.create_endpoint(&json!({ "url": "https://books.test/hook", "events": ["*"] })), "id");
    let path = format!("/endpoints/{other}/delete");
    holds(&ada.page(&path), &["books.test, or its id", "cannot be undone"]);
    for wrong in ["", "hook", "127.0.0.1", &id] {
        let page = ada.refused(&path, &[("name", wrong)], 422);
        holds(&page, &["id=\"name-wrong\"", &format!("value=\"{wrong}\"")]);
    }
    let (to, page) = ada.done(&path, &[("name", " Books.test ")]);
    assert_eq!(to, "/endpoints");
    holds(&page, &[&format!("The endpoint {other} is deleted."), &receiver.url("/hook")]);
    ada.get(&path).expect(404);
    ada.done(&format!("/endpoints/{id}/delete"), &[("name", &id)]);
    assert!(app.list("/endpoints").is_empty());
}
