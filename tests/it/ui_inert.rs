//! What hides text, turns its direction or steers a terminal has no effect on any page, whoever has written it.

use serde_json::json;

use crate::support::app::TestApp;
use crate::support::console::{Console, holds, value};
use crate::support::poisoned::{Poison, poisoned};
use crate::support::receiver::Receiver;

/// Turns what follows around, isolates, hides, and steers.
const EVIL: &str = "a\u{202e}b\u{2066}c\u{200b}d\u{feff}e";
/// The same with what only receivers and publishers can send.
const WORSE: &str = "a\u{202e}b\u{2066}c\u{200b}d\0e\u{1b}[31mf";

const POISON: Poison =
    Poison { typed: EVIL, short: EVIL, sent: WORSE, url: "hook", answered: ("a", WORSE.as_bytes()) };

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
    for path in poisoned(&app, &receiver, &POISON) {
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
