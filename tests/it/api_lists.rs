//! Lists: pages, cursors, filters, the newest first, also while new rows arrive.

use std::time::Duration;

use postrider::domain::ids;
use serde_json::{Value, json};

use crate::support::app::{TestApp, text};
use crate::support::problem::{code, fields};
use crate::support::receiver::{Receiver, Reply};

/// What names a row of a list.
fn name(row: &Value) -> String {
    let field = ["id", "tenant", "started_at"].into_iter().find(|field| row[field].is_string());
    text(row, field.expect("something that names the row"))
}

/// Walks through all pages; `between` runs before each but the first.
fn walk(app: &TestApp, path: &str, limit: usize, mut between: impl FnMut(usize)) -> Vec<Value> {
    let (mut rows, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    let joint = if path.contains('?') { '&' } else { '?' };
    loop {
        let page = app.get(&format!("{path}{joint}limit={limit}{cursor}"));
        let members: Vec<&String> = page.as_object().expect("a page").keys().collect();
        let expected: &[&str] = match path {
            // And why none may be added.
            "/cleanups" => &["data", "next_cursor", "queued", "running", "waits"],
            _ => &["data", "next_cursor"],
        };
        assert_eq!(members, expected, "{path}");
        let data = page["data"].as_array().expect("a list");
        assert!(data.len() <= limit, "{path}: {}", data.len());
        rows.extend(data.iter().cloned());
        match &page["next_cursor"] {
            Value::Null => return rows,
            next => cursor = format!("&cursor={}", next.as_str().expect("a text")),
        }
        pages += 1;
        between(pages);
        assert!(pages < 1000, "{path} has no end");
    }
}

/// A server with rows in every list; calling it again adds one row to each.
fn add_rows(app: &TestApp, n: usize) {
    let put = app.client.send_json("PUT", &format!("/api/v1/tenants/t{n}"), &json!({}));
    put.expect(201);
    app.create_endpoint(&json!({ "url": "https://a.test/", "tenant": format!("t{n}"), "events": ["none"] }));
    app.post("/keys", &json!({ "name": format!("k{n}"), "scopes": ["events:read"] })).expect(201);
    app.publish("a.b", &json!(n));
    if n < 5 {
        app.post("/cleanups", &json!({})).expect(200);
    }
}

#[test]
fn every_list_is_walked_through_once_while_new_rows_arrive() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let endpoint = app.endpoint_at(&receiver, "/");
    let mut rows = 0;
    for _ in 0..20 {
        add_rows(&app, rows);
        rows += 1;
    }
    app.settle();
    let of_endpoint = format!("/endpoints/{endpoint}/deliveries");
    for list in [
        "/events",
        "/endpoints",
        "/deliveries",
        "/keys",
        "/tenants",
        "/cleanups",
        "/audit",
        of_endpoint.as_str(),
    ] {
        let before: Vec<String> = app.list(list).iter().map(name).collect();
        assert!(before.len() >= 5, "{list}");
        let mut sorted = before.clone();
        if !list.ends_with("tenants") {
            sorted.sort_unstable_by(|a, b| b.cmp(a));
            assert_eq!(before, sorted, "{list} has the newest first");
        }
        for limit in [1, 3, 7, 250] {
            let walked: Vec<String> = walk(&app, list, limit, |page| {
                if page == 2 {
                    add_rows(&app, rows);
                    rows += 1;
                }
            })
            .iter()
            .map(name)
            .collect();
            let fresh = walked.len() - before.len();
            let now: Vec<String> = app.list(list).iter().map(name).collect();
            assert_eq!(walked, now[now.len() - walked.len()..], "{list} by {limit}");
            assert!(fresh <= rows - 20 && walked.ends_with(&before), "{list} by {limit}: {fresh}");
        }
    }
}

#[test]
fn a_page_has_fifty_rows_unless_the_caller_says_otherwise() {
    let app = TestApp::start();
    for n in 0..260 {
        app.publish("a", &json!(n));
    }
    let count = |path: &str| app.get(path)["data"].as_array().expect("a list").len();
    assert_eq!(count("/events"), 50);
    assert_eq!(count("/events?limit=250"), 250);
    for bad in ["0", "251", "-1", "1.0", "x", ""] {
        for list in ["events", "endpoints", "deliveries", "keys", "tenants", "cleanups", "audit"] {
            let refused = app.client.get(&format!("/api/v1/{list}?limit={bad}"));
            assert_eq!(
                (code(&refused).as_str(), fields(&refused)),
                ("invalid_query", vec!["limit".to_owned()])
            );
        }
    }
    // The last page is full and says that it is the last.
    let exact = app.get("/events?limit=130");
    let next = format!("/events?limit=130&cursor={}", text(&exact, "next_cursor"));
    assert_eq!((count(&next), &app.get(&next)["next_cursor"]), (130, &Value::Null));
}

#[test]
fn what_lists_are_searched_for_is_a_text_and_found_over_pages() {
    let app = TestApp::start();
    for n in 0..30 {
        add_rows(&app, n);
    }
    app.settle();
    for (list, search, count) in [("/tenants", "T2", 11), ("/keys", "k1", 11), ("/endpoints", "A.TEST", 30)] {
        let all = walk(&app, &format!("{list}?search={search}"), 250, |_| ());
        assert_eq!(all.len(), count, "{list}");
        assert_eq!(walk(&app, &format!("{list}?search={search}"), 4, |_| ()), all, "{list}");
    }
    assert_eq!(app.list("/formats?search=t").len(), 4, "all that are built in");
    for list in ["endpoints", "event-types", "formats", "keys", "operators", "tenants"] {
        for bad in ["", "%20", &"x".repeat(201)] {
            let refused = app.client.get(&format!("/api/v1/{list}?search={bad}"));
            assert_eq!((code(&refused).as_str(), fields(&refused)), ("invalid_query", vec!["search".into()]));
        }
    }
}

#[test]
fn unknown_parameters_are_named_in_every_list_with_those_that_there_are() {
    let app = TestApp::start();
    for list in [
        "events",
        "endpoints",
        "deliveries",
        "keys",
        "tenants",
        "cleanups",
        "audit",
        "backups",
        "endpoints/ep_x/deliveries",
    ] {
        let refused = app.client.get(&format!("/api/v1/{list}?sort=asc&page=2&limit=5"));
        assert_eq!(
            (code(&refused).as_str(), fields(&refused)),
            ("invalid_query", vec!["sort".into(), "page".into()])
        );
        assert!(refused.text().contains("limit, cursor"), "{}", refused.text());
    }
}

#[test]
fn every_list_takes_the_cursor_that_its_description_shows() {
    let app = TestApp::start();
    let document = app.client.get("/openapi.json").expect(200).json();
    let mut lists = 0;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        let parameters = operations["get"]["parameters"].as_array().cloned().unwrap_or_default();
        let of_one = path.contains('{');
        for cursor in parameters.iter().filter(|parameter| parameter["name"] == "cursor" && !of_one) {
            app.client.get(&format!("{path}?cursor={}", text(cursor, "example"))).expect(200);
            lists += 1;
        }
    }
    assert!(lists > 9, "{lists}");
}

#[test]
fn the_cursor_of_one_list_is_refused_by_every_other() {
    let app = TestApp::start();
    for n in 0..2 {
        add_rows(&app, n);
    }
    app.create_endpoint(&json!({ "url": "https://a.test/", "events": ["*"] }));
    for n in 0..2 {
        app.publish("a.b", &json!(n));
    }
    for name in ["a.b", "c"] {
        app.client.send_json("PUT", &format!("/api/v1/event-types/{name}"), &json!({})).expect(201);
    }
    let lists = [
        "events",
        "endpoints",
        "deliveries",
        "keys",
        "tenants",
        "cleanups",
        "audit",
        "formats",
        "event-types",
    ];
    let cursors = lists.map(|list| text(&app.get(&format!("/{list}?limit=1")), "next_cursor"));
    for (of, cursor) in lists.iter().zip(&cursors) {
        for list in lists {
            let answer = app.client.get(&format!("/api/v1/{list}?cursor={cursor}"));
            if list == *of {
                answer.expect(200);
            } else {
                let refused = (code(&answer), fields(&answer));
                assert_eq!(
                    refused,
                    ("invalid_query".to_owned(), vec!["cursor".to_owned()]),
                    "{list}: {cursor}"
                );
            }
        }
        // Behind a name there may be any other.
        let longer = format!(
            "{cursor}{}",
            if *of == "formats" {
                "/"
            } else if *of == "event-types" {
                ".."
            } else {
                "x"
            }
        );
        for bad in ["", "x", &cursor[1..], &longer, &cursor.to_uppercase()] {
            assert_eq!(
                fields(&app.client.get(&format!("/api/v1/{of}?cursor={bad}"))),
                ["cursor"],
                "{of}: {bad}"
            );
        }
    }
}

/// A filter of a list, and what it means for a row.
type Filter = (String, Box<dyn Fn(&Value) -> bool>);

fn filter(query: impl Into<String>, passes: impl Fn(&Value) -> bool + 'static) -> Filter {
    (query.into(), Box::new(passes))
}

/// Tries every filter alone and every two together.
fn compare(app: &TestApp, list: &str, filters: &[Filter]) {
    let all = app.list(list);
    for (first, passes) in filters {
        for (second, passes_too) in filters {
            let parameter = |query: &str| query.split('=').next().unwrap_or_default().to_owned();
            let one = first == second;
            // The endpoint of another tenant is not there: that is a 404 and no list.
            let odd = parameter(first) == parameter(second)
                || ["tenant", "endpoint"]
                    .iter()
                    .all(|name| [parameter(first), parameter(second)].iter().any(|p| p == name));
            if !one && odd {
                continue;
            }
            let query = if one { first.clone() } else { format!("{first}&{second}") };
            let expected: Vec<String> =
                all.iter().filter(|row| passes(row) && passes_too(row)).map(name).collect();
            for limit in [2, 250] {
                let walked: Vec<String> =
                    walk(app, &format!("{list}?{query}"), limit, |_| ()).iter().map(name).collect();
                assert_eq!(walked, expected, "{list}?{query} by {limit}");
            }
        }
    }
}

#[test]
fn filters_show_what_they_say_alone_and_together() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let mut endpoints = Vec::new();
    for (tenant, path, status) in [("default", "/ok", 200), ("default", "/bad", 500), ("acme", "/other", 200)]
    {
        receiver.always_on(path, Reply::status(status));
        let fields =
            json!({ "url": receiver.url(path), "events": ["*"], "tenant": tenant, "retry_schedule": [7200] });
        endpoints.push(text(&app.create_endpoint(&fields), "id"));
    }
    for hour in 0..6 {
        for (tenant, kind) in [("default", "a.b"), ("default", "a.b.c"), ("acme", "a"), ("empty", "b")] {
            app.post("/events", &json!({ "type": kind, "data": hour, "tenant": tenant })).expect(202);
            app.clock().advance(Duration::from_mins(5));
        }
        app.advance(Duration::from_mins(40));
    }
    app.disable(&endpoints[0]);
    app.post("/events", &json!({ "type": "a.b", "data": 1 })).expect(202);
    app.settle();
    let at = |row: &Value| text(row, "created_at");
    let (since, until) = ("2026-02-23T16:35:00.000Z", "2026-02-23T19:40:00.000Z");
    let times = || {
        vec![
            filter(format!("since={since}"), move |row| at(row).as_str() >= since),
            filter(format!("until={until}"), move |row| at(row).as_str() < until),
            filter("since=2030-01-01T00:00:00Z", |_| false),
            filter("tenant=default", |row| row["tenant"] == "default"),
            filter("tenant=acme", |row| row["tenant"] == "acme"),
            filter("tenant=nobody", |_| false),
        ]
    };
    let mut of_events = times();
    of_events.push(filter("type=a.b", |row| row["type"] == "a.b"));
    of_events.push(filter("type=a.*", |row| text(row, "type").starts_with("a.")));
    of_events.push(filter("type=*", |_| true));
    compare(&app, "/events", &of_events);
    let mut of_deliveries = times();
    of_deliveries.push(filter("type=a.*", |row| text(row, "event_type").starts_with("a.")));
    for endpoint in &endpoints[1..] {
        let id = endpoint.clone();
        of_deliveries
            .push(filter(format!("endpoint={endpoint}"), move |row| row["endpoint_id"] == id.as_str()));
    }
    for status in ["pending", "held", "delivered", "failed", "canceled"] {
        of_deliveries.push(filter(format!("status={status}"), move |row| row["status"] == status));
    }
    of_deliveries.push(filter("status=retrying", |row| {
        row["status"] == "pending" && row["attempts"].as_u64().is_some_and(|attempts| attempts > 0)
    }));
    compare(&app, "/deliveries", &of_deliveries);
    let held = app.list("/deliveries?status=held");
    assert_eq!((held.len(), &held[0]["endpoint_id"]), (1, &json!(endpoints[0])));
    for status in ["retrying", "failed", "delivered"] {
        assert!(!app.list(&format!("/deliveries?status={status}")).is_empty(), "nothing is {status}");
    }
    compare_endpoints(&app, &endpoints[0]);
}

fn compare_endpoints(app: &TestApp, disabled: &str) {
    let id = disabled.to_owned();
    assert_eq!(app.endpoint(disabled)["health"], "disabled");
    compare(
        app,
        "/endpoints",
        &[
            filter("tenant=default", |row| row["tenant"] == "default"),
            filter("tenant=nobody", |_| false),
            filter("enabled=true", |row| row["enabled"] == true),
            filter("enabled=false", move |row| row["id"] == id.as_str()),
            filter("health=ok", |row| row["health"] == "ok"),
            filter("health=failing", |row| row["health"] == "failing"),
            filter("health=disabled", |row| row["enabled"] == false),
        ],
    );
    for bad in ["enabled=1", "enabled=yes", "health=bad", "health="] {
        app.client.get(&format!("/api/v1/endpoints?{bad}")).expect(400);
    }
}

#[test]
fn ids_grow_also_when_the_clock_goes_back() {
    let app = TestApp::with_manual_clock();
    let mut last = text(&app.publish("a", &json!(1)), "id");
    for _ in 0..5 {
        app.clock().jump_wall(-3_600_000);
        let next = text(&app.publish("a", &json!(1)), "id");
        assert!(
            next > last && next.starts_with("evt_") && ids::looks_like_ours(&next),
            "{next} after {last}"
        );
        assert!(next["evt_".len()..].bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{next}");
        last = next;
    }
    assert_eq!(app.list("/events?since=2026-02-23T14:30:00Z").len(), 1, "what was accepted since then");
}
