//! The pages of formats: listed with their use, edited with the exact request in view, copied, deleted.

use serde_json::json;

use crate::support::app::TestApp;
use crate::support::console::{Console, holds, lacks};
use crate::support::mac;
use crate::support::receiver::Receiver;

const OWN: &str = r#"{"signature": {"scheme": "hmac-sha256-hex", "header": "X-Own", "prefix": "sha256="},
 "headers": {"event": "X-Event"}, "envelope": {"data": "payload"}}"#;
const SECRET: &str = "whsec_a_secret_of_the_team_itself";

/// Fields of the form for a new format, with a sample.
fn fields<'a>(name: &'a str, definition: &'a str, what: &'a str) -> [(&'a str, &'a str); 6] {
    [
        ("name", name),
        ("definition", definition),
        ("type", "a.b"),
        ("data", "[1.0]"),
        ("secret", SECRET),
        ("do", what),
    ]
}

#[test]
fn formats_are_listed_with_what_uses_them() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    app.put_format("own", OWN).expect(201);
    for path in ["/a", "/b"] {
        app.endpoint_with(&receiver, path, &json!({ "format": "own" }));
    }
    let page = Console::admin(&app).page("/formats");
    holds(&page, &["href=\"/formats/standard\"", "built in", "own, revision 1", "hmac-sha256-hex"]);
    holds(&page, &["href=\"/formats/new?from=own\"", "class=\"number\">2</td>"]);
    let viewer = Console::viewer(&app);
    holds(&viewer.page("/formats/own"), &["Used by 2 endpoints", "readonly"]);
    holds(&Console::admin(&app).page("/formats/own"), &["next attempt of each of the 2 endpoints"]);
    lacks(&viewer.page("/formats"), &["/formats/new"]);
}

#[test]
fn a_preview_shows_the_bytes_that_would_be_sent_and_saves_nothing() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    let answer = console.post("/formats", &fields("own", OWN, "preview")).expect(200);
    let signature = mac::sha256_hex(SECRET, br#"{"payload":[1.0]}"#);
    holds(
        answer.text(),
        &[&format!("x-own: sha256={signature}"), "x-event: a.b", "{&#34;payload&#34;:[1.0]}"],
    );
    holds(answer.text(), &["has 17 bytes", "value=\"own\""]);
    app.client.get("/api/v1/formats/own").expect(404);
}

#[test]
fn every_wrong_field_of_a_definition_is_named_beside_it() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    let wrong = r#"{"signature": {"scheme": "rot13", "colour": "<red>"}, "envelope": {"data": "a..b"}}"#;
    for (what, status) in [("preview", 200), ("save", 422)] {
        let page = console.refused("/formats", &fields("own", wrong, what), status);
        holds(&page, &["id=\"definition-wrong\"", "signature.scheme: must", "signature.colour: is unknown"]);
        holds(&page, &["&#60;red&#62;", "something has to be mended first"]);
    }
    let page = console.refused("/formats", &fields("own", "{\n\"signature\":\n", "preview"), 200);
    holds(&page, &["Must be one JSON object", "line 3"]);
    let sample = [("definition", OWN), ("type", "a..b"), ("data", "{"), ("do", "preview")];
    holds(&console.refused("/formats", &sample, 200), &["id=\"type-wrong\"", "id=\"data-wrong\""]);
    app.client.get("/api/v1/formats/own").expect(404);
}

#[test]
fn one_is_copied_changed_and_deleted() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    let copy = console.page("/formats/new?from=github");
    holds(&copy, &["X-Hub-Signature-256", "sha256=", "x-github-event: invoice.paid"]);
    console.get("/formats/new?from=nothing").expect(404);
    let (to, page) = console.done("/formats", &fields("own", OWN, "save"));
    assert_eq!(to, "/formats/own");
    holds(&page, &["The format is made", "Revision 1", "Used by 0 endpoints", "No endpoint uses it yet"]);
    let taken = console.refused("/formats", &fields("own", OWN, "save"), 422);
    holds(&taken, &["id=\"name-wrong\"", "name of another format"]);
    let changed = OWN.replace("X-Own", "X-Other");
    let (_, page) = console.done("/formats", &[("old", "own"), ("definition", &changed), ("do", "save")]);
    holds(&page, &["next attempt", "Revision 2", "X-Other"]);
    let (to, page) = console.done("/formats", &[("old", "own"), ("do", "delete")]);
    holds(&page, &["The format is deleted"]);
    assert_eq!(to, "/formats");
}

#[test]
fn one_in_use_stays_and_says_who_uses_it() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let console = Console::admin(&app);
    console.done("/formats", &fields("own", OWN, "save"));
    let id = app.endpoint_with(&receiver, "/", &json!({ "format": "own", "headers": { "X-Mine": "1" } }));
    let page = console.refused("/formats", &[("old", "own"), ("definition", OWN), ("do", "delete")], 409);
    holds(&page, &["used by 1 endpoint", &id, "<h1>own</h1>", "payload"]);
    let clash = OWN.replace("X-Event", "X-Mine");
    let page = console.refused("/formats", &[("old", "own"), ("definition", &clash), ("do", "save")], 409);
    holds(&page, &["x-mine: is a header of 1 endpoint", &id]);
}

#[test]
fn one_that_is_built_in_is_looked_at_and_copied() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    let page = console.page("/formats/standard");
    holds(&page, &["Built in", " readonly", "Copy to change", "webhook-signature: v1,", "value=\"preview\""]);
    lacks(&page, &["value=\"save\"", "value=\"delete\""]);
    let refused = console.refused("/formats", &[("old", "standard"), ("definition", OWN)], 409);
    holds(&refused, &["is built in"]);
    console.get("/formats/nothing").expect(404);
}

#[test]
fn a_format_may_be_called_new() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    let (to, page) = console.done("/formats", &fields("new", OWN, "save"));
    holds(&page, &["<h1>new</h1>"]);
    holds(&console.page("/formats"), &[&format!("href=\"{to}\"")]);
    holds(&console.page("/formats/new"), &["<h1>New format</h1>"]);
}

#[test]
fn a_viewer_looks_at_requests_and_changes_nothing() {
    let app = TestApp::start();
    Console::admin(&app).done("/formats", &fields("own", OWN, "save"));
    let viewer = Console::viewer(&app);
    lacks(&viewer.page("/formats/own"), &["value=\"save\"", "value=\"delete\"", "from=own"]);
    let sample =
        [("old", "own"), ("definition", OWN), ("type", "<script>"), ("data", "1"), ("do", "preview")];
    let page = viewer.refused("/formats", &sample, 200);
    holds(&page, &["id=\"type-wrong\"", "&#60;script&#62;"]);
    lacks(&page, &["<script>"]);
    viewer.post("/formats", &fields("own", OWN, "preview")).expect(200);
    viewer.post("/formats", &fields("own", OWN, "save")).expect(403);
    viewer.post("/formats", &[("old", "own"), ("do", "delete")]).expect(403);
}
