//! What the console's lists have in common: a search for the key `/`, filters and cursors that say what is wrong with them,
//! and what an empty list says.

use serde_json::json;

use crate::support::app::{TestApp, text};
use crate::support::console::{Console, holds, lacks};
use crate::support::receiver::Receiver;

/// Every list, with a filter under which it has no row.
const LISTS: [(&str, &str); 11] = [
    ("/events", "type=none.such"),
    ("/deliveries", "type=none.such"),
    ("/endpoints", "search=none-such"),
    ("/endpoints/ID/deliveries", "type=none.such"),
    ("/tenants", "search=none-such"),
    ("/event-types", "search=none-such"),
    ("/formats", "search=none-such"),
    ("/keys", "search=none-such"),
    ("/operators", "search=none-such"),
    ("/audit", "actor=nobody"),
    ("/keys", "tenant=none-such"),
];

#[test]
fn every_list_has_a_search_and_says_what_to_do_where_nothing_fits() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let endpoint = app.endpoint_at(&receiver, "/");
    let console = Console::admin(&app);
    for (list, filter) in LISTS {
        let list = list.replace("ID", &endpoint);
        let page = console.page(&format!("{list}?{filter}"));
        assert_eq!(page.matches(" data-search").count(), 1, "{list}");
        holds(&page, &["class=\"empty\"", &format!("href=\"{list}\"")]);
        lacks(&page, &["aria-invalid", "role=\"alert\""]);
    }
}

#[test]
fn a_cursor_that_is_none_of_a_list_is_told_and_not_taken_for_the_first_page() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let endpoint = app.endpoint_at(&receiver, "/");
    app.send(&json!(1));
    app.settle();
    let console = Console::admin(&app);
    let lists = LISTS.iter().map(|(list, _)| list.replace("ID", &endpoint));
    for list in lists.chain(["/tenant-deletions".to_owned(), format!("/endpoints/{endpoint}/replay")]) {
        for cursor in ["x", "formats:a/b", "audit:1"] {
            let answer = console.get(&format!("{list}?cursor={cursor}")).expect(422);
            holds(answer.text(), &["leads to no page of this list", "Nothing is shown"]);
            let refused =
                app.client.get(&format!("/api/v1{}?cursor={cursor}", list.replace("/replay", "/deliveries")));
            refused.expect(400);
        }
    }
}

#[test]
fn a_part_of_a_page_that_is_none_is_told_and_not_taken_for_the_first_one() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    let event = app.publish("test", &json!(1));
    let delivery = app.delivery_of(&event)["id"].clone();
    let delivery = delivery.as_str().expect("an id");
    let console = Console::admin(&app);
    for path in [
        format!("/events/{event}?below=x"),
        format!("/events/{event}?beside=x"),
        format!("/events/{event}?tenant=%20x%20y"),
        format!("/deliveries/{delivery}?attempt=x"),
        format!("/deliveries/{delivery}?below=-1"),
        format!("/deliveries/{delivery}/curl?attempt=x"),
        "/alerts?cursor=x".to_owned(),
    ] {
        holds(console.get(&path).expect(422).text(), &["is not of this page", "aria-label=\"Pages\""]);
    }
}

#[test]
fn times_of_filters_say_what_they_may_be() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let endpoint = app.endpoint_at(&receiver, "/");
    let console = Console::admin(&app);
    for list in ["/events", "/deliveries", "/audit", &format!("/endpoints/{endpoint}/deliveries")] {
        holds(&console.page(list), &["aria-describedby=\"span-hint\"", "<code>2026-02-23T14:30:00Z</code>"]);
        let wrong = console.get(&format!("{list}?since=x&until=2026-02-24")).expect(422);
        holds(wrong.text(), &["id=\"since-wrong\"", "value=\"x\"", "Nothing is shown"]);
        lacks(wrong.text(), &["id=\"until-wrong\""]);
        let wrong = console.get(&format!("{list}?since=2026-02-24&until=2026-02-23")).expect(422);
        holds(
            wrong.text(),
            &["id=\"until-wrong\">Must be later than the time in Since.", "Nothing is shown"],
        );
        assert_eq!(console.get(&format!("{list}/")).expect(303).header("location"), Some(list));
    }
}

#[test]
fn keys_operators_and_formats_are_found_by_what_names_them() {
    let app = TestApp::start();
    let console = Console::admin(&app);
    let key = json!({ "name": "Billing <service>", "scopes": ["events:write"], "tenant": "acme" });
    app.client.send_json("PUT", "/api/v1/tenants/acme", &json!({})).expect(201);
    let key = app.post("/keys", &key).expect(201).json();
    app.post("/operators", &json!({ "email": "vic@example.com", "role": "viewer" })).expect(201);
    app.put_format("own-1", &json!({ "signature": { "scheme": "none" }, "envelope": "data" })).expect(201);
    let found = |list: &str, part: &str, row: &str, other: &str| {
        let page = console.page(&format!("{list}?search={part}"));
        holds(&page, &[row]);
        let rows = page.split("<tbody>").nth(1).unwrap_or_default().to_owned();
        lacks(rows.split("</tbody>").next().unwrap_or_default(), &[other]);
        let listed = app.list(&format!("{list}?search={part}"));
        assert_eq!(listed.len(), 1, "{listed:?}");
    };
    for part in ["BILLING", "%3Cserv", "acme", &text(&key, "hint"), &text(&key, "id")] {
        found("/keys", part, "Billing &#60;service&#62;", ">admin<");
    }
    found("/operators", "VIC", "vic@example.com", "ada@example.com");
    found("/formats", "own", "own-1", "standard");
    found("/formats", "HUB", "github", "own-1");
    holds(&console.page("/keys?tenant=acme"), &["Billing", "for=\"bound\"", "for=\"tenant\">Only for"]);
}
