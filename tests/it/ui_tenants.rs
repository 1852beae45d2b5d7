//! The console's pages of tenants: listed, made, changed, deleted in the background.

use serde_json::json;

use crate::support::app::{TestApp, text};
use crate::support::console::{Console, holds, lacks};
use crate::support::receiver::{Receiver, Reply};

#[test]
fn the_list_shows_what_each_has_and_did() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let named = json!({ "name": "Acme <b>Inc.</b>", "endpoint_limit": 1234 });
    app.client.send_json("PUT", "/api/v1/tenants/acme", &named).expect(201);
    for path in ["/1", "/2"] {
        let fields = json!({ "tenant": "acme", "events": ["*"], "retry_schedule": [] });
        app.endpoint_with(&receiver, path, &fields);
    }
    receiver.always_on("/2", Reply::status(500));
    app.post("/events", &json!({ "type": "a", "data": 1, "tenant": "acme" })).expect(202);
    app.settle();
    let page = Console::viewer(&app).page("/tenants");
    holds(
        &page,
        &[
            "href=\"/tenants/acme\"",
            "Acme &#60;b&#62;Inc.",
            "of 1,234",
            "1 delivered, 1 failed",
            "href=\"/tenants/default\"",
        ],
    );
    lacks(&page, &["Acme <b>", "Make the tenant", "1970"]);
    let wrong = Console::admin(&app).get("/tenants/acme?window=x").expect(422);
    holds(wrong.text(), &["id=\"window-wrong\">Must be", "<h1>acme</h1>"]);
}

#[test]
fn a_tenant_is_made_with_what_is_wrong_beside_its_field() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    let wrong = [("tenant", "a b"), ("name", "Acme"), ("endpoint_limit", "many")];
    let page = console.refused("/tenants", &wrong, 422);
    holds(&page, &["id=\"tenant-wrong\"", "id=\"endpoint_limit-wrong\"", "value=\"a b\"", "value=\"many\""]);
    app.client.get("/api/v1/tenants/a b".replace(' ', "%20").as_str()).expect(404);
    let good = [("tenant", "acme"), ("name", "Acme"), ("endpoint_limit", "0")];
    let (to, page) = console.done("/tenants", &good);
    assert_eq!(to, "/tenants/acme");
    holds(&page, &["The tenant is made.", "<h1>acme</h1>", "value=\"Acme\""]);
    assert_eq!(app.get("/tenants/acme")["endpoint_limit"], 0);
    let page = console.refused("/tenants", &[("tenant", "acme"), ("name", "Other")], 422);
    holds(&page, &["Is there already"]);
    assert_eq!(app.get("/tenants/acme")["name"], "Acme", "it is not replaced");
    assert_eq!(app.audit_of("acme")[0]["actor"], "operator:ada@example.com");
}

#[test]
fn one_is_found_by_a_part_of_its_name() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    app.client.send_json("PUT", "/api/v1/tenants/acme", &json!({ "name": "Größe & Co" })).expect(201);
    let found = console.page("/tenants?search=GR%C3%96SSE");
    holds(&found, &["No such tenant", "value=\"GRÖSSE\"", "Show all tenants"]);
    for part in ["CM", "gr%C3%B6%C3%9Fe+%26"] {
        let found = console.page(&format!("/tenants?search={part}"));
        holds(&found, &["href=\"/tenants/acme\"", "data-search"]);
        lacks(&found, &["href=\"/tenants/default\""]);
    }
    let wrong = console.get(&format!("/tenants?search={}", "x".repeat(201))).expect(422);
    holds(wrong.text(), &["id=\"search-wrong\"", "Nothing is shown"]);
    console.get("/tenants/nobody").expect(404);
}

#[test]
fn its_page_shows_endpoints_keys_and_what_happened_and_changes_name_and_limit() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let endpoint = app.endpoint_with(&receiver, "/hook", &json!({ "tenant": "acme", "events": ["*"] }));
    let key = json!({ "name": "their app", "scopes": ["events:write"], "tenant": "acme" });
    app.post("/keys", &key).expect(201);
    app.post("/keys", &json!({ "name": "of all", "scopes": ["events:write"] })).expect(201);
    app.post("/events", &json!({ "type": "a", "data": 1, "tenant": "acme" })).expect(202);
    app.settle();
    let console = Console::admin(&app);
    let page = console.page("/tenants/acme?window=7d");
    holds(
        &page,
        &[
            &format!("href=\"/endpoints/{endpoint}\""),
            "their app",
            "100 %",
            "href=\"/events?tenant=acme\"",
            "href=\"/deliveries?tenant=acme\"",
            "1 delivered</title>",
        ],
    );
    lacks(&page, &["of all"]);
    let page = console.refused("/tenants/acme", &[("name", "x\ny"), ("endpoint_limit", "-1")], 422);
    holds(&page, &["id=\"name-wrong\"", "id=\"endpoint_limit-wrong\""]);
    let (_, page) = console.done("/tenants/acme", &[("name", "Acme"), ("endpoint_limit", "")]);
    holds(&page, &["The tenant is changed.", "value=\"Acme\""]);
    console.post("/tenants/nobody", &[("name", "x")]).expect(404);
    app.client.get("/api/v1/tenants/nobody").expect(404);
}

#[test]
fn one_is_deleted_by_typing_its_name_and_the_list_says_how_far_that_is() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_with(&receiver, "/", &json!({ "tenant": "acme", "events": ["*"] }));
    app.post("/events", &json!({ "type": "a", "data": 1, "tenant": "acme" })).expect(202);
    app.settle();
    let console = Console::admin(&app);
    let page = console.refused("/tenants/acme/delete", &[("confirm", "Acme")], 422);
    holds(&page, &["name=\"confirm\" type=\"text\" value=\"Acme\" autocomplete=\"off\" autofocus"]);
    holds(&page, &["Must be the tenant&#39;s name, acme", "value=\"Acme\""]);
    let (to, page) = console.done("/tenants/acme/delete", &[("confirm", "acme")]);
    assert_eq!(to, "/tenant-deletions");
    holds(&page, &["The tenant acme is gone from all lists"]);
    console.get("/tenants/acme").expect(404);
    app.eventually("the end of the deletion", |app| {
        app.list("/tenant-deletions").iter().all(|row| text(row, "status") == "done").then_some(())
    });
    let page = console.page("/tenant-deletions");
    holds(&page, &["status done", "acme"]);
    lacks(&page, &["data-live", "status running"]);
    let put = console.page("/audit?action=endpoint.create");
    holds(&put, &["<span class=\"small quiet\">deleted with its tenant</span>"]);
}

#[test]
fn a_viewer_changes_nothing() {
    let app = TestApp::start();
    let viewer = Console::viewer(&app);
    lacks(&viewer.page("/tenants/default"), &["Save", "Delete default", "action=\"/tenants"]);
    viewer.post("/tenants", &[("tenant", "acme")]).expect(403);
    viewer.post("/tenants/default", &[("name", "x")]).expect(403);
    viewer.post("/tenants/default/delete", &[("confirm", "default")]).expect(403);
    assert_eq!(app.list("/tenants").len(), 1);
    viewer.page("/tenant-deletions");
}
