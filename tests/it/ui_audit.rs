//! The console's page of the audit log.

use serde_json::json;

use crate::support::app::{TestApp, text};
use crate::support::console::{Console, holds, lacks};

#[test]
fn a_line_says_who_did_what_with_what_was_and_what_is() {
    let app = TestApp::start();
    app.change_settings(&json!({ "retention_days": 90, "strict_tenants": true }));
    let named = json!({ "name": "<script>alert(1)</script>" });
    app.client.send_json("PUT", "/api/v1/tenants/acme", &named).expect(201);
    let page = Console::viewer(&app).page("/audit");
    holds(
        &page,
        &[
            "<b>retention_days</b> <del>30</del> → <ins>90</ins>",
            "<del>false</del> → <ins>true</ins>",
            "href=\"/tenants/acme\"",
            "href=\"/settings\"",
            "key:key_",
            "&#60;script&#62;alert(1)",
        ],
    );
    lacks(&page, &["<script>alert"]);
}

#[test]
fn a_line_about_a_replay_leads_to_the_replays_of_its_endpoint() {
    let app = TestApp::start();
    let endpoint = text(&app.create_endpoint(&json!({ "url": "https://a.test/" })), "id");
    let wanted = json!({ "since": "2026-01-01T00:00:00Z" });
    app.post(&format!("/endpoints/{endpoint}/replay"), &wanted).expect(202);
    let (console, path) = (Console::admin(&app), format!("/endpoints/{endpoint}/replay"));
    let page = console.page("/audit");
    holds(&page, &[&format!("href=\"{path}\">rpl_")]);
    lacks(&page, &["/endpoints/rpl_"]);
    console.page(&path);
}

#[test]
fn lines_are_found_by_who_what_whom_and_when() {
    let app = TestApp::with_manual_clock();
    let url = json!({ "url": "https://a.test/", "tenant": "acme" });
    let endpoint = text(&app.create_endpoint(&url), "id");
    app.change_settings(&json!({ "retention_days": 90 }));
    let console = Console::admin(&app);
    console.done("/settings", &[("retention_days", "60")]);
    let shows = |query: &str| {
        let page = console.page(&format!("/audit?{query}"));
        // Once for each line, as the link to all lines of the kind.
        (page.matches(">endpoint.create</a>").count(), page.matches(">settings.change</a>").count())
    };
    assert_eq!(shows("action="), (1, 2));
    assert_eq!(shows("action=endpoint.*"), (1, 0));
    assert_eq!(shows("actor=operator:ada@example.com"), (0, 1));
    assert_eq!(shows(&format!("target={endpoint}&actor=")), (1, 0));
    assert_eq!(shows("tenant=acme"), (1, 0));
    assert_eq!(shows("since=2026-02-23+14:30&until=2026-02-23+14:31"), (1, 2));
    assert_eq!(shows("since=2026-02-23+14:31"), (0, 0));
    holds(&console.page("/audit?since=2026-02-23+14:31"), &["Nothing is found here", "href=\"/audit\">All"]);
}

#[test]
fn wrong_filters_are_told_beside_their_fields() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    let answer = console.get("/audit?action=a..b&tenant=%22%3E&since=yesterday").expect(422);
    holds(
        answer.text(),
        &[
            "id=\"action-wrong\"",
            "endpoint.* for all of them",
            "id=\"tenant-wrong\"",
            "id=\"since-wrong\"",
            "value=\"yesterday\"",
            "value=\"&#34;&#62;\"",
        ],
    );
}

#[test]
fn it_goes_on_to_older_lines_and_back() {
    let app = TestApp::start();
    for days in 1..40 {
        app.change_settings(&json!({ "retention_days": days }));
    }
    let console = Console::admin(&app);
    let link = |page: &str, rel: &str| {
        let (before, _) = page.split_once(&format!("\" rel=\"{rel}\""))?;
        Some(before.rsplit("href=\"").next()?.replace("&#38;", "&"))
    };
    let first = console.page("/audit?action=settings.change");
    assert!(first.len() < 100_000, "{}", first.len());
    let older = link(&first, "next").expect("older lines");
    let second = console.page(&older);
    holds(&second, &["<ins>2</ins>"]);
    assert_eq!(link(&second, "prev").as_deref(), Some("/audit?action=settings.change"));
}
