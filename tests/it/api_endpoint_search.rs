//! Finding endpoints in the list, and what a page of them tells besides.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::client::Client;
use crate::support::problem::{code, fields};
use crate::support::receiver::{Receiver, Reply};

const HOUR: Duration = Duration::from_hours(1);

/// The uids of the rows.
fn found(app: &TestApp, query: &str) -> Vec<String> {
    let mut uids: Vec<_> =
        app.list(&format!("/endpoints?{query}")).iter().map(|row| text(row, "uid")).collect();
    uids.sort_unstable();
    uids
}

#[test]
fn a_search_looks_into_url_description_uid_and_id_in_whatever_case() {
    let app = TestApp::start();
    let make = |uid: &str, tenant: &str, url: &str, description: &str| {
        let fields = json!({ "uid": uid, "tenant": tenant, "url": url, "description": description });
        text(&app.create_endpoint(&fields), "id")
    };
    let books = make("books", "acme", "https://hooks.example.com/Ledger", "Die Bücher");
    make("crm", "acme", "https://crm.example.com/in", "Customers");
    make("ledger-2", "globex", "https://other.test/", "");
    assert_eq!(found(&app, "search=LEDGER"), ["books", "ledger-2"]);
    assert_eq!(found(&app, "search=B%C3%9CCHER"), ["books"]);
    assert_eq!(found(&app, "search=%20example.com%20"), ["books", "crm"]);
    assert_eq!(found(&app, &format!("search={}", &books[3..])), ["books"]);
    assert_eq!(found(&app, "search=%25"), Vec::<String>::new(), "nothing in it has a meaning");
    app.disable(&books);
    assert_eq!(found(&app, "search=ledger&enabled=false"), ["books"]);
    assert_eq!(found(&app, "search=ledger&health=ok"), ["ledger-2"]);
    assert_eq!(found(&app, "search=ledger&tenant=globex"), ["ledger-2"]);
    for bad in ["", "%20", &"x".repeat(201)] {
        let refused = app.client.get(&format!("/api/v1/endpoints?search={bad}"));
        assert_eq!((code(&refused).as_str(), fields(&refused)), ("invalid_query", vec!["search".to_owned()]));
    }
}

#[test]
fn a_page_tells_the_last_day_of_its_rows_to_those_who_may_know() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_with(&receiver, "/", &json!({ "uid": "one", "retry_schedule": [] }));
    app.endpoint_with(&receiver, "/", &json!({ "uid": "two", "events": ["other"] }));
    app.send(&json!(1));
    app.settle();
    receiver.always(Reply::status(500));
    app.advance(HOUR * 5);
    app.send(&json!(2));
    app.settle();
    let day = |row: &Value| row["last_24h"].clone();
    let rows = app.list("/endpoints?stats=24h");
    assert_eq!(day(&rows[0]), json!({ "delivered": 0, "failed": 0, "attempts": 0, "attempts_failed": 0 }));
    assert_eq!(day(&rows[1]), json!({ "delivered": 1, "failed": 1, "attempts": 2, "attempts_failed": 1 }));
    assert_eq!(day(&app.list("/endpoints")[1]), Value::Null);
    app.advance(HOUR * 22);
    let rows = app.list("/endpoints?stats=24h");
    assert_eq!(day(&rows[1])["delivered"], 0);
    assert_eq!(day(&rows[1])["failed"], 1);
    assert_eq!(fields(&app.client.get("/api/v1/endpoints?stats=7d")), ["stats"]);
    let key = app.post("/keys", &json!({ "name": "k", "scopes": ["endpoints:read"] })).expect(201).json();
    let reader = Client::tcp(app.address()).with_key(&text(&key, "key"));
    reader.get("/api/v1/endpoints").expect(200);
    assert_eq!(code(&reader.get("/api/v1/endpoints?stats=24h").expect(403)), "insufficient_scope");
}

#[test]
fn an_endpoint_tells_when_it_is_disabled_what_it_holds_and_when_it_is_tried_again() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.always(Reply::status(500));
    let id = app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": [7200, 7200] }));
    app.change_settings(&json!({ "disable_after_failures": 2, "disable_after_hours": 4 }));
    let delivery = app.send(&json!(1));
    app.settle();
    let next = app.delivery(&delivery)["next_retry_at"].clone();
    shows(
        &app.endpoint(&id),
        &json!({ "disable_at": null, "held": 0, "held_more": false, "next_retry_at": next }),
    );
    app.advance_to_retry(&delivery);
    let seen = app.endpoint(&id);
    shows(&seen, &json!({ "failure_count": 2, "disable_at": "2026-02-23T18:30:00.000Z" }));
    assert_eq!(app.list("/endpoints")[0]["disable_at"], seen["disable_at"]);
    app.advance_to_retry(&delivery);
    let seen = app.endpoint(&id);
    shows(
        &seen,
        &json!({ "enabled": false, "disabled_reason": "failing", "disable_at": null, "next_retry_at": null }),
    );
    for n in 0..3 {
        app.send(&json!(n));
    }
    app.settle();
    shows(&app.endpoint(&id), &json!({ "held": 3, "held_more": false }));
}
