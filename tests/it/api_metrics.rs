//! `/metrics`: the text format of Prometheus, read by rules of its own here, and numbers that are right.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::support::app::{TestApp, text};
use crate::support::client::Client;
use crate::support::problem::{code, fields};
use crate::support::receiver::{Gate, Receiver, Reply};

/// Samples by name and labels.
type Samples = BTreeMap<String, f64>;

/// Reads the format (version 0.0.4): every sample follows the help and the type of its family.
#[track_caller]
fn read(exposition: &str) -> Samples {
    let (mut samples, mut family, mut kind, mut helped) = (Samples::new(), "", "", "");
    assert!(exposition.ends_with('\n'));
    for line in exposition.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            helped = help.split_once(' ').expect("a name and a text").0;
        } else if let Some(of) = line.strip_prefix("# TYPE ") {
            (family, kind) = of.split_once(' ').expect("a name and a type");
            assert_eq!(family, helped, "every family says what it is");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
        } else {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            let bare = name.split('{').next().expect("a name");
            let own = kind == "histogram"
                && ["_bucket", "_sum", "_count"].iter().any(|end| bare == format!("{family}{end}"));
            assert!(own || bare == family, "{line} in {family}");
            assert_eq!(
                samples.insert(name.to_owned(), value.parse().expect("a number")),
                None,
                "{line} is there twice"
            );
        }
    }
    samples
}

fn scrape(app: &TestApp) -> Samples {
    let answer = app.client.get("/metrics").expect(200);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4"));
    read(answer.text())
}

#[track_caller]
fn is(samples: &Samples, name: &str, value: f64) {
    let found =
        samples.get(&format!("postrider_{name}")).unwrap_or_else(|| panic!("no {name} in {samples:?}"));
    assert!((found - value).abs() < f64::EPSILON, "{name} is {found} and not {value}");
}

#[test]
fn outcomes_and_attempts_are_counted_since_the_start() {
    let (mut app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    is(&scrape(&app), "events_accepted_total", 0.0);
    app.endpoint_with(&receiver, "/ok", &json!({ "retry_schedule": [] }));
    let bad = app.endpoint_with(&receiver, "/bad", &json!({ "retry_schedule": [] }));
    receiver.always_on("/bad", Reply::status(500));
    app.publish_many(0..3);
    app.settle();
    app.test_endpoint(&bad);
    app.disable(&bad);
    let samples = scrape(&app);
    for (name, value) in [
        ("events_accepted_total", 3.0),
        ("deliveries_created_total", 6.0),
        ("deliveries_total{outcome=\"delivered\"}", 3.0),
        ("deliveries_total{outcome=\"failed\"}", 3.0),
        ("attempts_total{outcome=\"success\"}", 3.0),
        ("attempts_total{outcome=\"failure\"}", 3.0),
        ("attempt_duration_seconds_count", 6.0),
        ("attempt_duration_seconds_bucket{le=\"+Inf\"}", 6.0),
        ("attempt_duration_seconds_bucket{le=\"30\"}", 6.0),
        ("attempt_failures_total{reason=\"status\"}", 3.0),
        ("attempt_failures_total{reason=\"timeout\"}", 0.0),
        ("attempt_failures_total{reason=\"own\"}", 0.0),
        ("delivery_age_seconds_count", 3.0),
        ("queue_wait_seconds_count", 6.0),
        ("accept_duration_seconds_count", 3.0),
        ("endpoints{health=\"ok\"}", 1.0),
        ("endpoints{health=\"failing\"}", 0.0),
        ("endpoints{health=\"disabled\"}", 1.0),
        ("deliveries_in_flight", 0.0),
        ("delivery_threads_max", 512.0),
        ("commit_failures_total", 0.0),
        ("ready", 1.0),
        ("build_info{version=\"0.1.0\"}", 1.0),
    ] {
        is(&samples, name, value);
    }
    let of = |name: &str| samples[&format!("postrider_{name}")];
    assert!(
        of("commit_duration_seconds_count") >= 6.0 && of("commit_duration_seconds_sum") > 0.0,
        "{samples:?}"
    );
    assert!(of("database_bytes") >= 4096.0 && of("wal_bytes") > 0.0, "{samples:?}");
    assert!(
        of("writer_group_items_sum") >= 9.0 && of("writer_group_items_count") <= of("writer_group_items_sum")
    );
    assert!(of("disk_free_bytes") > 0.0 && of("disk_free_bytes") < of("disk_bytes"), "{samples:?}");
    assert!(samples["process_resident_memory_bytes"] > 1e6 && samples["process_threads"] > 4.0);
    app.restart();
    is(&scrape(&app), "events_accepted_total", 0.0);
}

#[test]
fn what_waits_and_what_is_under_way_is_shown() {
    let (app, receiver, gate) = (TestApp::start(), Receiver::start(), Gate::new());
    receiver.always(Reply::ok().gated(&gate));
    app.endpoint_with(&receiver, "/", &json!({ "max_in_flight": 2 }));
    app.publish_many(0..5);
    receiver.wait_in_flight(2);
    let samples = scrape(&app);
    is(&samples, "deliveries_in_flight", 2.0);
    is(&samples, "delivery_queue_deliveries", 3.0);
    assert!(samples["postrider_delivery_queue_bytes"] > 0.0 && samples["postrider_delivery_threads"] >= 2.0);
    gate.open();
    app.settle();
    let samples = scrape(&app);
    is(&samples, "delivery_queue_deliveries", 0.0);
    is(&samples, "delivery_queue_bytes", 0.0);
}

#[test]
fn what_waits_is_told_with_its_age() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.always(Reply::status(500));
    let failing = app.endpoint_with(&receiver, "/", &json!({ "retry_schedule": [3600] }));
    app.publish_many(0..5);
    app.settle();
    app.advance(Duration::from_secs(90));
    let samples = scrape(&app);
    for (name, value) in [
        ("deliveries_ready", 0.0),
        ("deliveries_retrying", 5.0),
        ("deliveries_held", 0.0),
        ("oldest_ready_age_seconds", 0.0),
        ("oldest_retrying_age_seconds", 90.0),
        ("endpoints{health=\"failing\"}", 1.0),
    ] {
        is(&samples, name, value);
    }
    app.disable(&failing);
    app.eventually("its deliveries are held", |app| {
        let samples = scrape(app);
        (samples["postrider_deliveries_held"] > 4.0).then_some(())
    });
}

#[test]
fn housekeeping_is_told_once_there_was_some() {
    let app = TestApp::with_manual_clock();
    let before = scrape(&app);
    assert!(!before.keys().any(|name| name.contains("backup") || name.contains("cleanup")), "{before:?}");
    app.post("/cleanups", &json!({})).expect(200);
    let backup = app.back_up();
    let samples = scrape(&app);
    is(&samples, "cleanup_last_success", 1.0);
    is(&samples, "cleanup_last_deleted{kind=\"events\"}", 0.0);
    is(&samples, "backup_last_success", 1.0);
    is(&samples, "backup_last_bytes", backup["bytes"].as_f64().expect("a number"));
    is(&samples, "backup_last_end_timestamp_seconds", 1_771_857_000.0);
    app.fail_to_back_up();
    is(&scrape(&app), "backup_last_success", 0.0);
}

#[test]
fn a_setting_tells_some_counters_of_each_tenant_since_midnight() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let at = |tenant: &str, path: &str| {
        let fields =
            json!({ "url": receiver.url(path), "tenant": tenant, "events": ["*"], "retry_schedule": [] });
        text(&app.create_endpoint(&fields), "id")
    };
    receiver.always_on("/bad", Reply::status(500));
    at("acme", "/ok");
    let gone = at("acme", "/bad");
    at("globex", "/ok");
    for tenant in ["acme", "globex"] {
        app.post("/events", &json!({ "type": "a", "data": 1, "tenant": tenant })).expect(202);
    }
    app.settle();
    let tenants = |app: &TestApp| {
        scrape(app).into_iter().filter(|(name, _)| name.contains("tenant=")).collect::<Samples>()
    };
    assert!(tenants(&app).is_empty(), "nobody has asked for it");
    app.change_settings(&json!({ "metrics_per_tenant": true }));
    let told = tenants(&app);
    for (name, value) in [
        ("tenant_deliveries_total{tenant=\"acme\",outcome=\"delivered\"}", 1.0),
        ("tenant_deliveries_total{tenant=\"acme\",outcome=\"failed\"}", 1.0),
        ("tenant_attempts_total{tenant=\"globex\",outcome=\"success\"}", 1.0),
    ] {
        is(&told, name, value);
    }
    app.delete_endpoint(&gone);
    assert_eq!(tenants(&app), told, "what was counted stays counted");
    app.advance(Duration::from_hours(12));
    is(&tenants(&app), "tenant_attempts_total{tenant=\"globex\",outcome=\"success\"}", 0.0);
}

#[test]
fn the_number_of_series_does_not_grow_with_endpoints_and_tenants() {
    let app = TestApp::start();
    let names = |app: &TestApp| scrape(app).into_keys().collect::<Vec<_>>();
    let before = names(&app);
    for n in 0..12 {
        app.create_endpoint(
            &json!({ "url": "https://a.test/", "tenant": format!("t{n}"), "events": ["none"] }),
        );
        app.post("/events", &json!({ "type": format!("a.{n}"), "data": 1, "tenant": format!("t{n}") }))
            .expect(202);
    }
    assert_eq!(names(&app), before);
}

#[test]
fn the_use_of_a_key_is_not_written_with_each_call() {
    let app = TestApp::with_manual_clock();
    let commits = || {
        // Who writes waits until everything that came before is written.
        app.client.send_json("PUT", "/api/v1/tenants/acme", &json!({}));
        scrape(&app)["postrider_commit_duration_seconds_count"]
    };
    let before = commits();
    for _ in 0..50 {
        app.get("/events");
    }
    let after = commits();
    assert!(after - before < 10.0, "{before} and {after}");
}

#[test]
fn it_needs_a_key_with_its_scope_and_takes_no_parameters() {
    let app = TestApp::start();
    let with = |scope: &str| {
        let key = app.post("/keys", &json!({ "name": "k", "scopes": [scope] })).expect(201).json();
        Client::tcp(app.address()).with_key(&text(&key, "key")).get("/metrics")
    };
    with("metrics:read").expect(200);
    with("admin").expect(200);
    assert_eq!(code(&with("deliveries:read").expect(403)), "insufficient_scope");
    assert_eq!(code(&Client::tcp(app.address()).get("/metrics").expect(401)), "unauthorized");
    assert_eq!(fields(&app.client.get("/metrics?format=json").expect(400)), ["format"]);
    app.client.post("/metrics", &json!({})).expect(405);
}
