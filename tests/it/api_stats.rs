//! What happened lately at an endpoint: counts, rates and percentiles from the counters that are kept.

use std::time::Duration;

use postrider::clock::Stopwatch;
use postrider::domain::names::TenantName;
use postrider::domain::scope::{self, Scope};
use postrider::domain::stats::Window;
use postrider::service::stats::StatsOf;
use postrider::service::{Caller, Code, TenantScope};
use serde_json::{Value, json};

use crate::support::app::{TestApp, text};
use crate::support::client::Client;
use crate::support::problem::{code, fields};
use crate::support::receiver::{Receiver, Reply};

const HOUR: Duration = Duration::from_hours(1);

fn stats(app: &TestApp, endpoint: &str, window: &str) -> Value {
    app.get(&format!("/endpoints/{endpoint}/stats?window={window}"))
}

/// Delivered, failed, attempts and failed attempts.
fn counts(value: &Value) -> [u64; 4] {
    ["delivered", "failed", "attempts", "attempts_failed"].map(|name| value[name].as_u64().expect("a number"))
}

#[test]
fn counts_come_in_the_hour_of_the_outcome_and_leave_with_the_window() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let endpoint = app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": [60] }));
    // At 14:30 one is delivered; at 15:30 one fails twice, for good.
    app.send(&json!(1));
    app.settle();
    app.advance(HOUR);
    receiver.always(Reply::status(500));
    let failing = app.send(&json!(2));
    app.settle();
    app.advance_to_retry(&failing);
    assert_eq!(app.status(&failing), "failed");
    let now = stats(&app, &endpoint, "1h");
    assert_eq!((counts(&now), &now["success_rate"]), ([1, 1, 3, 2], &json!(0.5)));
    assert_eq!(
        (text(&now, "window").as_str(), text(&now, "since").as_str()),
        ("1h", "2026-02-23T14:00:00.000Z")
    );
    let series = now["series"].as_array().expect("a list");
    let points: Vec<_> = series.iter().map(|point| (text(point, "at"), counts(point))).collect();
    let at = |hour: u32| format!("2026-02-23T{hour}:00:00.000Z");
    assert_eq!(points, [(at(14), [1, 0, 1, 0]), (at(15), [0, 1, 2, 2])]);
    assert_eq!((&series[0]["success_rate"], &series[1]["success_rate"]), (&json!(1.0), &json!(0.0)));
    app.advance(HOUR);
    let later = stats(&app, &endpoint, "1h");
    assert_eq!(counts(&later), [0, 1, 2, 2]);
    assert_eq!(counts(&later["series"][1]), [0, 0, 0, 0], "hours without anything have a point too");
    for window in ["24h", "7d", "30d"] {
        assert_eq!(counts(&stats(&app, &endpoint, window)), [1, 1, 3, 2], "{window}");
    }
    app.advance(HOUR * 23);
    let days = ["24h", "7d"].map(|window| counts(&stats(&app, &endpoint, window)));
    assert_eq!(days, [[0, 1, 2, 2], [1, 1, 3, 2]]);
}

#[test]
fn a_series_has_steps_of_an_hour_six_or_a_day() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let endpoint = app.endpoint_at(&receiver, "/");
    for _ in 0..3 {
        app.send(&json!(1));
        app.settle();
        app.advance(HOUR * 3);
    }
    // At 14:30, 17:30 and 20:30; it is 23:30 now.
    let series = |path: &str| -> Vec<(String, u64)> {
        let told = app.get(path)["series"].as_array().expect("a list").clone();
        told.iter().map(|point| (text(point, "at")[11..13].to_owned(), counts(point)[0])).collect()
    };
    let of = |step: &str| series(&format!("/endpoints/{endpoint}/stats?window=24h&step={step}"));
    let told = |points: &[(&str, u64)]| -> Vec<(String, u64)> {
        points.iter().map(|(hour, count)| ((*hour).to_owned(), *count)).collect()
    };
    assert_eq!(of("6h"), told(&[("23", 0), ("00", 0), ("06", 0), ("12", 2), ("18", 1)]));
    assert_eq!(of("24h"), told(&[("23", 0), ("00", 3)]));
    assert_eq!(of("1h"), series(&format!("/endpoints/{endpoint}/stats")));
    assert_eq!(series("/stats?step=24h"), of("24h"));
    let refused = app.client.get(&format!("/api/v1/endpoints/{endpoint}/stats?step=2h"));
    assert_eq!((code(&refused).as_str(), fields(&refused)), ("invalid_query", vec!["step".to_owned()]));
}

#[test]
fn the_answer_has_the_fields_of_the_reference() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let endpoint = app.endpoint_at(&receiver, "/");
    let empty = app.get(&format!("/endpoints/{endpoint}/stats"));
    let expected =
        "attempts attempts_failed delivered failed latency_ms series since success_rate until window";
    let names =
        |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!((names(&empty).as_str(), &empty["window"]), (expected, &json!("24h")));
    assert_eq!((&empty["success_rate"], &empty["latency_ms"]), (&json!(null), &json!(null)));
    assert_eq!(empty["series"].as_array().map(Vec::len), Some(25));
    app.send(&json!(1));
    app.settle();
    let one = stats(&app, &endpoint, "1h");
    assert_eq!(
        names(&one["series"][0]),
        "at attempts attempts_failed delivered failed latency_ms success_rate"
    );
    let latency = one["latency_ms"].as_object().expect("an object");
    assert_eq!(latency.keys().collect::<Vec<_>>(), ["p50", "p95", "p99"]);
    assert!(latency.values().all(|value| value.as_u64().is_some_and(|ms| ms <= 10_000)), "{one}");
}

#[test]
fn tests_and_other_endpoints_do_not_count() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let endpoint = app.endpoint_at(&receiver, "/");
    let other = app.create_endpoint(
        &json!({ "url": receiver.url("/"), "tenant": "acme", "uid": "theirs", "events": ["*"] }),
    );
    app.test_endpoint(&endpoint);
    app.post("/events", &json!({ "type": "a", "data": 1, "tenant": "acme" })).expect(202);
    app.settle();
    assert_eq!(counts(&stats(&app, &endpoint, "1h")), [0; 4]);
    let theirs = app.get("/endpoints/theirs/stats?window=1h&tenant=acme");
    assert_eq!(counts(&theirs), [1, 0, 1, 0]);
    app.delete_endpoint(&text(&other, "id"));
    assert_eq!(
        counts(&stats(&app, &text(&other, "id"), "1h")),
        [1, 0, 1, 0],
        "as long as its deliveries stay"
    );
}

#[test]
fn what_is_not_there_or_wrong_is_told() {
    let app = TestApp::start();
    let endpoint = text(&app.create_endpoint(&json!({ "url": "https://a.test/" })), "id");
    let call = |query: &str| app.client.get(&format!("/api/v1/endpoints/{endpoint}/stats?{query}"));
    for bad in ["window=2h", "window=", "window=1H", "window=1h&window=1h"] {
        let refused = call(bad);
        assert_eq!(
            (code(&refused).as_str(), fields(&refused)),
            ("invalid_query", vec!["window".to_owned()]),
            "{bad}"
        );
    }
    assert!(call("window=2h").text().contains("1h, 24h, 7d or 30d"));
    assert_eq!(fields(&call("hours=1&limit=2")), ["hours", "limit"]);
    assert_eq!(code(&app.client.get("/api/v1/endpoints/nobody/stats").expect(404)), "not_found");
    assert_eq!(code(&call("tenant=acme").expect(404)), "not_found");
    let key = app
        .post("/keys", &json!({ "name": "k", "scopes": ["deliveries:read"], "tenant": "acme" }))
        .expect(201)
        .json();
    let bound = Client::tcp(app.address()).with_key(&text(&key, "key"));
    bound.get(&format!("/api/v1/endpoints/{endpoint}/stats")).expect(404);
}

#[test]
fn all_endpoints_and_those_of_a_tenant_are_told_together() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    for (tenant, path) in [("default", "/"), ("acme", "/a"), ("acme", "/b")] {
        app.endpoint_with(&receiver, path, &json!({ "tenant": tenant }));
        app.post("/events", &json!({ "type": "a", "data": 1, "tenant": tenant })).expect(202);
    }
    app.settle();
    let key = |tenant: Option<&str>| {
        let key = json!({ "name": "k", "scopes": ["deliveries:read"], "tenant": tenant });
        let made = app.post("/keys", &key).expect(201).json();
        let found = app.service().store().keys().find(&scope::hash(&text(&made, "key"))).expect("the key");
        Caller::key(&found, None).tenant_scope(Scope::DeliveriesRead).expect("its scope")
    };
    let told = |caller: &TenantScope, tenant: Option<&str>| {
        let tenant = tenant.map(|name| TenantName::parse(name).expect("a name"));
        let stats = app.service().stats(caller, &StatsOf::Tenant(tenant), Window::Hour);
        stats.map(|stats| stats.all.delivered)
    };
    let (everybody, acme) = (key(None), key(Some("acme")));
    // The first of the two has got both events of its tenant.
    assert_eq!(told(&everybody, None), Ok(4));
    assert_eq!(told(&everybody, Some("acme")), Ok(3));
    assert_eq!(told(&everybody, Some("nobody")), Ok(0));
    assert_eq!(told(&acme, None), Ok(3), "its own");
    assert_eq!(told(&acme, Some("default")).expect_err("another's").code, Code::NotFound);
    let of_acme = app.list("/endpoints?tenant=acme");
    app.delete_endpoint(&text(&of_acme[1], "id"));
    assert_eq!(told(&everybody, Some("acme")), Ok(1), "of the endpoints that it has");
    assert_eq!(told(&everybody, None), Ok(4), "what was, was");
}

#[test]
fn thirty_days_of_a_busy_endpoint_come_at_once() {
    let (mut app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let endpoint = app.endpoint_at(&receiver, "/");
    app.send(&json!(1));
    app.settle();
    app.stop();
    // The hour that is there, a thousandfold, in each of the hours before.
    let file = rusqlite::Connection::open(app.data().join("postrider.db")).expect("the database");
    file.execute_batch(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
         INSERT INTO hourly (endpoint_id, hour, delivered, failed, attempts_ok, attempts_failed, l3)
         SELECT endpoint_id, hour - i, 900, 100, 900, 300, 1200 FROM hourly, n",
    )
    .expect("rows");
    drop(file);
    app.restart();
    // The best of a few: others run beside this one.
    let (took, month) = (0..5)
        .map(|_| {
            let watch = Stopwatch::start();
            let month = stats(&app, &endpoint, "30d");
            (watch.elapsed(), month)
        })
        .min_by_key(|(took, _)| *took)
        .expect("five answers");
    assert_eq!(counts(&month), [900 * 720 + 1, 100 * 720, 1200 * 720 + 1, 300 * 720]);
    assert_eq!(month["series"].as_array().map(Vec::len), Some(721));
    assert_eq!(month["success_rate"], json!(0.9));
    // 20 ms is the promise; a debug build that runs beside others on a slow machine gets more.
    println!("30 days with a point for each hour: {took:?}");
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn what_no_window_shows_goes_with_the_cleanup() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    app.send(&json!(1));
    app.settle();
    let rows = || {
        let file = app.data().join("postrider.db");
        let file = rusqlite::Connection::open_with_flags(file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY);
        let sql = "SELECT (SELECT count(*) FROM hourly), (SELECT count(*) FROM hourly_totals)";
        let counted = file.expect("the database").query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
        counted.expect("two numbers")
    };
    for (days, left) in [(59, (1_u32, 1_u32)), (2, (0, 0))] {
        app.clock().advance(HOUR * 24 * days);
        app.post("/cleanups", &json!({})).expect(200);
        assert_eq!(rows(), left, "{days} days later");
    }
}
