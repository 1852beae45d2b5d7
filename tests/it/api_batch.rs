//! Several events in one call: all or none, ids and keys, limits, what is told about what is wrong.

use serde_json::{Value, json};

use crate::support::app::{TestApp, text};
use crate::support::client::{Client, Response};
use crate::support::problem::{code, fields};
use crate::support::receiver::Receiver;

fn batch(app: &TestApp, events: &Value) -> Response {
    app.post("/events/batch", &json!({ "events": events }))
}

fn event(n: usize) -> Value {
    json!({ "type": "test", "data": { "n": n } })
}

fn count(app: &TestApp) -> usize {
    app.list("/events").len()
}

#[test]
fn all_events_of_a_batch_are_answered_in_their_order_and_delivered() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    app.endpoint_at(&receiver, "/a");
    app.endpoint_with(&receiver, "/b", &json!({ "filters": { "n": 1 } }));
    let events = json!([event(0), event(1), { "type": "x", "data": 1, "tenant": "acme", "id": "own" }]);
    let answer = batch(&app, &events).expect(202);
    let rows = answer.json()["data"].as_array().expect("a list").clone();
    let counts: Vec<_> = rows.iter().map(|row| row["deliveries"].as_u64()).collect();
    assert_eq!(counts, [Some(1), Some(2), Some(0)]);
    assert_eq!((&rows[2]["id"], &rows[2]["tenant"]), (&json!("own"), &json!("acme")));
    assert!(rows[2]["warnings"][0].is_string() && rows[0].get("warnings").is_none(), "{rows:?}");
    assert!(rows.iter().all(|row| row["replayed"] == false), "{rows:?}");
    assert!(rows.windows(2).all(|two| two[0]["id"].as_str() < two[1]["id"].as_str()));
    app.settle();
    assert_eq!(receiver.count(), 3);
    let shown = app.get(&format!("/events/{}", text(&rows[1], "id")));
    assert_eq!(shown["data"], json!({ "n": 1 }));
}

#[test]
fn a_thousand_events_are_one_batch_and_one_more_is_too_many() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    for n in 0..5 {
        app.endpoint_at(&receiver, &format!("/{n}"));
    }
    let started = postrider::clock::Stopwatch::start();
    let answer = batch(&app, &(0..1_000).map(event).collect()).expect(202).json();
    println!("a thousand events for five endpoints: {:?}", started.elapsed());
    assert_eq!(answer["data"].as_array().map(Vec::len), Some(1_000));
    app.settle();
    assert_eq!(receiver.count(), 5_000);
    for wrong in [json!([]), json!({}), json!(null), (0..1_001).map(event).collect()] {
        assert_eq!(fields(&batch(&app, &wrong).expect(422)), ["events"]);
    }
}

/// Bounded very widely: the figures are printed, and other tests run beside this one.
#[test]
fn who_publishes_beside_large_batches_does_not_wait_long() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    for n in 0..5 {
        app.endpoint_at(&receiver, &format!("/{n}"));
    }
    let events: Value = (0..1_000).map(event).collect();
    let done = std::sync::atomic::AtomicBool::new(false);
    let mut waits: Vec<std::time::Duration> = std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..4 {
                batch(&app, &events).expect(202);
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        let mut waits = Vec::new();
        while !done.load(std::sync::atomic::Ordering::Relaxed) {
            let started = postrider::clock::Stopwatch::start();
            app.publish("single", &json!(1));
            waits.push(started.elapsed());
        }
        waits
    });
    waits.sort();
    let (median, longest) = (waits[waits.len() / 2], waits[waits.len() - 1]);
    println!("{} single events beside 4 batches: median {median:?}, longest {longest:?}", waits.len());
    assert!(median < std::time::Duration::from_secs(5), "{waits:?}");
    assert!(longest < std::time::Duration::from_secs(20), "{waits:?}");
}

#[test]
fn every_wrong_field_is_named_with_its_index_and_nothing_is_accepted() {
    let app = TestApp::start();
    app.put_event_type("no", &json!({ "reserved": true }));
    app.put_event_type("int", &json!({ "schema": { "properties": { "n": { "type": "integer" } } } }));
    let events = json!([
        event(0),
        { "type": "a..b", "data": 1, "colour": 1 },
        7,
        { "type": "a", "tenant": "a b" },
        { "type": "no", "data": 1 },
        { "type": "int", "data": { "n": "x" }, "timestamp": 1 },
        { "type": "a", "data": "x".repeat(300_000) },
        { "type": "a", "data": 1, "id": "twice" },
        { "type": "a", "data": 1, "id": "twice", "tenant": "other" },
        { "type": "a", "data": 1, "id": "twice" },
    ]);
    let refused = batch(&app, &events);
    assert_eq!((refused.status, code(&refused).as_str()), (422, "invalid"));
    let mut wrong = fields(&refused);
    wrong.sort();
    assert_eq!(
        wrong,
        [
            "events[1].colour",
            "events[1].type",
            "events[2]",
            "events[3].data",
            "events[3].tenant",
            "events[4].type",
            "events[5].data.n",
            "events[5].timestamp",
            "events[6].data",
            "events[9].id",
        ]
    );
    assert_eq!(count(&app), 0);
    for (wrong, expected, status) in [
        (json!({ "type": "no", "data": 1 }), "reserved_event_type", 422),
        (json!({ "type": "a", "data": "x".repeat(300_000) }), "too_large", 413),
    ] {
        let refused = batch(&app, &json!([event(1), wrong]));
        assert_eq!((refused.status, code(&refused).as_str()), (status, expected));
        assert!(fields(&refused)[0].starts_with("events[1]."), "{}", refused.text());
    }
    let many = batch(&app, &vec![json!({}); 1_000].into());
    assert!(fields(&many).len() <= 101 && many.body.len() < 20_000, "{}", many.text());
}

#[test]
fn an_own_id_that_was_accepted_before_is_replayed_and_one_with_other_content_refuses_all() {
    let app = TestApp::start();
    let own = |id: &str, data: u32| json!({ "type": "a", "data": data, "id": id });
    app.post("/events", &own("one", 1)).expect(202);
    let rows = batch(&app, &json!([own("one", 1), own("two", 2)])).expect(202).json();
    assert_eq!((&rows["data"][0]["replayed"], &rows["data"][1]["replayed"]), (&json!(true), &json!(false)));
    let refused = batch(&app, &json!([own("three", 3), own("one", 9), own("two", 9)]));
    assert_eq!((refused.status, code(&refused).as_str()), (409, "id_taken"));
    assert_eq!(fields(&refused), ["events[1].id", "events[2].id"]);
    assert_eq!(code(&app.client.get("/api/v1/events/three")), "not_found");
    assert_eq!(count(&app), 2);
    let now = app.post("/events", &own("three", 4)).expect(202);
    assert_eq!(now.header("idempotent-replayed"), None, "nothing of a refused batch is remembered");
    app.post("/events", &own("batch", 1)).expect(202);
    assert_eq!(app.get("/events/batch")["id"], "batch", "the name of the call is no reserved id");
}

#[test]
fn strict_tenants_refuse_the_events_of_unknown_ones() {
    let app = TestApp::start();
    app.change_settings(&json!({ "strict_tenants": true }));
    let of = |tenant: &str| json!({ "type": "a", "data": 1, "tenant": tenant });
    let refused = batch(&app, &json!([of("default"), of("new"), of("newer")]));
    assert_eq!((refused.status, code(&refused).as_str()), (422, "unknown_tenant"));
    assert_eq!(fields(&refused), ["events[1].tenant", "events[2].tenant"]);
    assert_eq!(count(&app), 0);
}

#[test]
fn the_same_key_and_bytes_give_the_same_answer_also_after_a_restart() {
    let mut app = TestApp::start();
    let body = json!({ "events": [event(0), event(1)] });
    let with = |app: &TestApp, key: &str, path: &str, body: &Value| {
        let client = app.client.clone().with_header("Idempotency-Key", key);
        client.post(&format!("/api/v1/events{path}"), body)
    };
    let first = with(&app, "k", "/batch", &body).expect(202);
    assert_eq!(first.header("idempotent-replayed"), None);
    for _ in 0..2 {
        let again = with(&app, "k", "/batch", &body).expect(202);
        assert_eq!((again.header("idempotent-replayed"), &again.body), (Some("true"), &first.body));
        app.restart();
    }
    assert_eq!(count(&app), 2);
    let other = json!({ "events": [event(0)] });
    assert_eq!(code(&with(&app, "k", "/batch", &other)), "idempotency_key_reused");
    assert_eq!(code(&with(&app, "k", "", &event(0))), "idempotency_key_reused");
    with(&app, "single", "", &event(0)).expect(202);
    assert_eq!(code(&with(&app, "single", "/batch", &body)), "idempotency_key_reused");
    with(&app, "refused", "/batch", &json!({ "events": [1] })).expect(422);
    with(&app, "refused", "/batch", &body).expect(202);
}

#[test]
fn a_key_is_forgotten_after_a_day() {
    let app = TestApp::with_manual_clock();
    let client = app.client.clone().with_header("Idempotency-Key", "k");
    let send = || client.post("/api/v1/events/batch", &json!({ "events": [event(0)] })).expect(202);
    let first = send();
    app.advance(std::time::Duration::from_hours(23));
    assert_eq!(send().body, first.body);
    app.advance(std::time::Duration::from_hours(2));
    assert_ne!(send().body, first.body);
    app.post("/cleanups", &json!({})).expect(200);
    let file = rusqlite::Connection::open(app.data().join("postrider.db")).expect("the database");
    let kept = || file.query_row("SELECT count(*) FROM idempotent_answers", [], |row| row.get::<_, i64>(0));
    assert_eq!(kept().expect("a count"), 1);
    app.advance(std::time::Duration::from_hours(25));
    app.post("/cleanups", &json!({})).expect(200);
    assert_eq!(kept().expect("a count"), 0);
}

#[test]
fn a_bound_key_sends_batches_for_its_own_tenant_alone() {
    let app = TestApp::start();
    let key = json!({ "name": "k", "scopes": ["events:write"], "tenant": "acme" });
    let key = text(&app.post("/keys", &key).expect(201).json(), "key");
    let client = Client::tcp(app.address()).with_key(&key);
    let send = |events: Value| client.post("/api/v1/events/batch", &json!({ "events": events }));
    assert_eq!(send(json!([event(0)])).expect(202).json()["data"][0]["tenant"], "acme");
    let other = json!([event(0), { "type": "a", "data": 1, "tenant": "globex" }]);
    let refused = send(other);
    assert_eq!((refused.status, fields(&refused)), (404, vec!["events[1].tenant".to_owned()]));
}

#[test]
fn a_body_of_more_than_8_mb_is_refused_and_one_of_nearly_that_is_taken() {
    let app = TestApp::start();
    let data = "x".repeat(200_000);
    let events: Value = (0..41).map(|_| json!({ "type": "a", "data": data })).collect();
    batch(&app, &events).expect(202);
    let refused = batch(&app, &(0..43).map(|_| json!({ "type": "a", "data": data })).collect());
    assert_eq!((refused.status, code(&refused).as_str()), (413, "too_large"));
}

/// Batches that arrive faster than they can be written are told to come back; nothing is half accepted.
#[test]
fn what_does_not_fit_into_memory_is_told_to_come_back() {
    let app = TestApp::start();
    let data = "x".repeat(200_000);
    let events: Value = (0..40).map(|_| json!({ "type": "a", "data": data })).collect();
    let answers: Vec<Response> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..12).map(|_| scope.spawn(|| batch(&app, &events))).collect();
        senders.into_iter().map(|sender| sender.join().expect("an answer")).collect()
    });
    let taken = answers.iter().filter(|answer| answer.status == 202).count();
    for refused in answers.iter().filter(|answer| answer.status != 202) {
        assert_eq!((refused.status, code(refused).as_str()), (503, "overloaded"));
    }
    assert!((1..12).contains(&taken), "{taken} of 12");
    assert_eq!(count(&app), taken * 40);
}
