//! What hides text, turns its direction or steers a terminal has no effect on any page, whoever has written it.

use serde_json::json;

use crate::support::app::{TestApp, text};
use crate::support::console::{Console, holds, value};
use crate::support::receiver::{Receiver, Reply};

/// Turns what follows around, isolates, hides, and steers.
const EVIL: &str = "a\u{202e}b\u{2066}c\u{200b}d\u{feff}e";
/// The same with what only receivers and publishers can send.
const WORSE: &str = "a\u{202e}b\u{2066}c\u{200b}d\0e\u{1b}[31mf";

/// A server with such a text wherever there can be one. The pages that show it.
fn poisoned(app: &TestApp, receiver: &Receiver) -> Vec<String> {
    receiver.always(Reply::status(500).body(WORSE));
    let put = |path: &str, body: &serde_json::Value| {
        app.client.send_json("PUT", &format!("/api/v1{path}"), body).expect(201);
    };
    put("/tenants/evil", &json!({ "name": EVIL }));
    put("/event-types/evil", &json!({ "description": EVIL, "group": EVIL, "example": { "a": WORSE } }));
    put("/formats/evil", &json!({ "signature": { "scheme": "none" }, "envelope": "data" }));
    app.post("/keys", &json!({ "name": EVIL, "scopes": ["events:write"] })).expect(201);
    let fields = json!({ "tenant": "evil", "url": receiver.url("/hook"), "events": ["*"], "format": "evil",
        "description": EVIL, "metadata": { "plan": EVIL }, "filters": { "a": EVIL }, "retry_schedule": [] });
    let endpoint = text(&app.create_endpoint(&fields), "id");
    let event = json!({ "type": "evil", "tenant": "evil", "data": { "a": EVIL, "b": WORSE } });
    let event = text(&app.post("/events", &event).expect(202).json(), "id");
    let other = text(
        &app.post("/events", &json!({ "type": "evil", "tenant": "evil", "data": { "a": WORSE } }))
            .expect(202)
            .json(),
        "id",
    );
    app.settle();
    let delivery = text(&app.list(&format!("/events/{event}/deliveries"))[0], "id");
    app.post(&format!("/endpoints/{endpoint}/disable"), &json!({ "note": EVIL })).expect(200);
    let query: String = url::form_urlencoded::byte_serialize(WORSE.as_bytes()).collect();
    let fixed = [
        "/",
        "/tenants",
        "/tenants/evil",
        "/event-types",
        "/event-types/evil",
        "/formats/evil",
        "/keys",
        "/audit",
    ];
    let own = [
        format!("/endpoints?search={query}"),
        "/endpoints".to_owned(),
        format!("/endpoints/{endpoint}"),
        format!("/endpoints/{endpoint}/deliveries"),
        format!("/endpoints/{endpoint}/settings"),
        format!("/endpoints/{endpoint}/enable"),
        format!("/endpoints/{endpoint}/test?delivery={delivery}"),
        format!("/deliveries/{delivery}"),
        format!("/deliveries?type={query}&since={query}&tenant={query}&endpoint={query}"),
        format!("/events/{event}?data=raw"),
        format!("/events/{other}"),
        format!("/events?id={query}"),
        format!("/audit?actor={query}"),
        format!("/no/{query}"),
    ];
    fixed.iter().map(|path| (*path).to_owned()).chain(own).collect()
}

/// A page without what its fields hold to be edited.
fn shown(page: &str) -> String {
    without(&without(page, "<textarea", "</textarea>"), "<input", ">")
}

fn without(page: &str, start: &str, end: &str) -> String {
    let mut parts = page.split(start);
    let mut kept = parts.next().unwrap_or_default().to_owned();
    kept.extend(parts.map(|part| part.split_once(end).expect("the end of a field").1));
    kept
}

#[test]
fn nothing_on_a_page_hides_or_reorders_what_stands_around_it() {
    let app = TestApp::start();
    let receiver = Receiver::start();
    let console = Console::admin(&app);
    for path in poisoned(&app, &receiver) {
        let answer = console.get(&path);
        let page = shown(answer.text());
        let acts = |c: &char| {
            (c.is_control() && *c != '\n' && *c != '\t')
                || matches!(c, '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        };
        assert_eq!(page.chars().find(acts), None, "{path}: {page}");
    }
}

#[test]
fn what_is_made_visible_is_still_what_it_was_for_whoever_edits_it() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    app.client.send_json("PUT", "/api/v1/tenants/evil", &json!({ "name": EVIL })).expect(201);
    let page = console.page("/tenants/evil");
    holds(&page, &["a\\u{202e}b\\u{2066}c\\u{200b}d\\u{feff}e"]);
    assert_eq!(value(&page, "name"), EVIL);
}
