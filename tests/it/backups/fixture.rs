//! Upgrades: a database of every version that was released lies in `tests/fixtures`, as a backup that carries its key. Today's
//! program restores it, upgrades it, and finds in it what was there.
//!
//! At a release, `cargo test --test it backups::fixture::makes -- --ignored` adds the one of that version; those that are
//! there are never made again.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::process::{self, PATIENCE};
use crate::support::receiver::{Receiver, Reply};
use crate::support::server::{Server, Start};

use super::{done, folder, number, text};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Tables that a server that is well leaves empty: work that is under way.
const PASSING: [&str; 5] =
    ["bulk_changes", "tenant_deletion_endpoints", "idempotent_answers", "blankings", "alerts_told"];

#[test]
#[ignore = "makes the fixture of a version, once, at its release"]
fn makes_the_fixture_of_this_version() {
    let (_temp, data) = folder();
    let (server, receiver) = (
        Start::on(&data)
            .with("POSTRIDER_ADMIN_EMAIL", "ada@example.com")
            .with("POSTRIDER_ADMIN_PASSWORD", "correct horse")
            .start(),
        Receiver::start(),
    );
    fill(&server, &receiver);
    let path = fixtures().join(format!("postrider-{}.db.gz", env!("CARGO_PKG_VERSION")));
    fs::create_dir_all(fixtures()).expect("a folder");
    assert!(!path.exists(), "{} is there already", path.display());
    // One of the list, whose row is in the next.
    done(&data, &["backup"]);
    done(&data, &["backup", "--with-key", "--compress", text(&path)]);
    server.stop();
    let file = Connection::open(data.join("postrider.db")).expect("a database");
    let mut tables = file.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").expect("a query");
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).expect("rows").flatten();
    for table in tables.filter(|table| !PASSING.contains(&table.as_str()) && !table.starts_with("sqlite_")) {
        if ["sessions", "links", "event_keys"].contains(&table.as_str()) {
            continue;
        }
        assert!(number(&file, &format!("SELECT count(*) FROM {table}")) > 0, "nothing in {table}");
    }
}

/// Some of everything.
fn fill(server: &Server, receiver: &Receiver) {
    let put = |path: &str, body: &Value| {
        server.client.send_json("PUT", &format!("/api/v1{path}"), body).expect(201)
    };
    put("/tenants/acme", &json!({ "name": "Acme" }));
    put("/event-types/order.paid", &json!({ "description": "Paid", "example": { "order": 1 } }));
    let own = json!({ "signature": { "scheme": "hmac-sha256-hex", "header": "X-Signature", "over": "body" }, "envelope": "data" });
    put("/formats/own", &own);
    let settings = json!({ "retention_days": 90, "backup_schedule": "" });
    server.client.send_json("PATCH", "/api/v1/settings", &settings).expect(200);
    server
        .post("/keys", &json!({ "name": "reader", "scopes": ["events:read"], "tenant": "acme" }))
        .expect(201);
    let good = json!({ "uid": "good", "tenant": "acme", "secret": "whsec_b25seSBmb3IgdGVzdHMsIDMwIGJ5dGVzLi4u",
        "headers": { "X-Token": "hush-hush" }, "filters": { "order": 1 }, "metadata": { "a": "b" } });
    server.endpoint(&receiver.url("/good"), &good);
    let rotated =
        server.endpoint(&receiver.url("/own"), &json!({ "uid": "own", "tenant": "acme", "events": ["x"] }));
    server.post(&format!("/endpoints/{rotated}/rotate-secret"), &json!({})).expect(200);
    server.endpoint(&receiver.url("/off"), &json!({ "uid": "off", "tenant": "acme", "enabled": false }));
    receiver.always_on("/bad", Reply::status(500));
    server.endpoint(&receiver.url("/bad"), &json!({ "uid": "bad", "retry_schedule": [] }));
    receiver.always_on("/late", Reply::status(503));
    server.endpoint(&receiver.url("/late"), &json!({ "uid": "late", "retry_schedule": [500_000] }));
    let event = json!({ "type": "order.paid", "tenant": "acme", "id": "order-1", "data": { "order": 1 } });
    server.post("/events", &event).expect(202);
    server.publish(&json!({ "n": 1 })).expect(202);
    process::until("the outcomes", PATIENCE, || {
        let over = |status: &str, count: usize| {
            server.get(&format!("/deliveries?status={status}"))["data"].as_array().map(Vec::len)
                == Some(count)
        };
        (over("delivered", 1) && over("failed", 1) && over("retrying", 1) && over("held", 1)).then_some(())
    });
    let replay = json!({ "since": "2020-01-01T00:00:00Z", "dry_run": true });
    server.post("/endpoints/good/replay?tenant=acme", &replay).expect(202);
    put("/tenants/gone", &json!({}));
    server.client.delete("/api/v1/tenants/gone").expect(202);
    server.post("/cleanups", &json!({})).expect(200);
    let mail = json!({ "host": "mail.example.com", "from": "hooks@example.com", "user": "hooks", "password": "quiet" });
    server.client.send_json("PUT", "/api/v1/mail-server", &mail).expect(200);
    server
        .post("/alerts", &json!({ "kind": "email", "name": "On call", "email": "ada@example.com" }))
        .expect(201);
}

#[test]
fn databases_of_every_released_version_are_upgraded_and_hold_what_they_held() {
    let mut fixtures: Vec<_> =
        fs::read_dir(fixtures()).expect("fixtures").flatten().map(|entry| entry.path()).collect();
    fixtures.sort();
    assert!(!fixtures.is_empty());
    for fixture in fixtures {
        println!("{}", fixture.display());
        let (_temp, data) = folder();
        done(&data, &["restore", text(&fixture)]);
        let server = Server::on(&data);
        holds_what_it_held(&server);
        server.stop();
        let file = Connection::open(data.join("postrider.db")).expect("a database");
        let verdict: String =
            file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("an answer");
        assert_eq!(verdict, "ok");
        let sql =
            "SELECT count(*) FROM operators WHERE email = 'ada@example.com' AND password_hash IS NOT NULL";
        assert_eq!(number(&file, sql), 1);
    }
}

fn holds_what_it_held(server: &Server) {
    let status = |uid: &str, tenant: &str| {
        let list = server.get(&format!("/endpoints/{uid}/deliveries?tenant={tenant}"));
        list["data"][0]["status"].as_str().expect("a delivery").to_owned()
    };
    assert_eq!(["good", "off"].map(|uid| status(uid, "acme")), ["delivered", "held"]);
    assert_eq!(
        ["bad", "late"].map(|uid| status(uid, "default")),
        ["failed", "held"],
        "what was pending is held"
    );
    let good = server.get("/endpoints/good?tenant=acme");
    let expected = json!({ "X-Token": "•••" });
    assert_eq!(
        (&good["headers"], &good["filters"], &good["metadata"]["a"]),
        (&expected, &json!({ "order": 1 }), &json!("b"))
    );
    assert_eq!(server.get("/events/order-1?tenant=acme")["data"], json!({ "order": 1 }));
    let first = &server.get("/endpoints/good/deliveries?tenant=acme")["data"][0]["id"];
    let one = server.get(&format!("/deliveries/{}", first.as_str().expect("an id")));
    assert!(one["request_body"].as_str().expect("a text").contains("order-1"), "{one}");
    assert_eq!(one["attempt_list"].as_array().map(Vec::len), Some(1));
    assert_eq!(server.get("/settings")["retention_days"], 90);
    assert_eq!(server.get("/event-types/order.paid")["description"], "Paid");
    assert_eq!(server.get("/formats/own")["signature"]["header"], "X-Signature");
    assert_eq!(server.get("/tenants/acme")["name"], "Acme");
    assert_eq!(server.get("/keys")["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(server.get("/replays")["data"][0]["dry_run"], true);
    assert_eq!(server.get("/tenant-deletions")["data"][0]["status"], "done");
    assert_eq!(server.get("/cleanups")["data"].as_array().map(Vec::len), Some(1));
    assert!(server.get("/backups")["data"].as_array().is_some_and(|backups| !backups.is_empty()));
    assert!(!server.get("/audit?action=endpoint.create")["data"].as_array().expect("lines").is_empty());
    let counted = server.get("/endpoints/good/stats?tenant=acme&window=30d");
    assert!(counted.to_string().contains("delivered"), "{counted}");
    // Its secrets are readable, and it goes on.
    let receiver = Receiver::start();
    let moved = json!({ "url": receiver.url("/good") });
    server.client.send_json("PATCH", "/api/v1/endpoints/good?tenant=acme", &moved).expect(200);
    let event = json!({ "type": "order.paid", "tenant": "acme", "data": { "order": 1 } });
    server.post("/events", &event).expect(202);
    let request = receiver.next();
    assert_eq!(request.header("x-token"), Some("hush-hush"));
    let wh = standardwebhooks::Webhook::new("whsec_b25seSBmb3IgdGVzdHMsIDMwIGJ5dGVzLi4u").expect("a secret");
    let mut headers = http::HeaderMap::new();
    for (name, value) in &request.headers {
        headers.append(http::HeaderName::try_from(name).expect("a name"), value.parse().expect("a value"));
    }
    wh.verify(&request.body, &headers).expect("a signature that holds");
}
