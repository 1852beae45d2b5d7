//! What a restore holds back, and a person's word about it.

use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::client::Client;
use crate::support::console::{Console, holds, lacks};
use crate::support::problem::fields;
use crate::support::receiver::Receiver;

/// A server that was restored while two deliveries of each endpoint were pending: of the default tenant and of `acme`.
fn restored(receiver: &Receiver) -> (TestApp, [String; 2]) {
    let mut app = TestApp::with_manual_clock();
    let endpoints = ["default", "acme"].map(|tenant| {
        let fields = json!({ "tenant": tenant, "enabled": false });
        app.endpoint_with(receiver, &format!("/{tenant}"), &fields)
    });
    for tenant in ["default", "acme"] {
        for n in 0..2 {
            app.post("/events", &json!({ "type": "test", "data": { "n": n }, "tenant": tenant })).expect(202);
        }
    }
    app.stop();
    let file = rusqlite::Connection::open(app.data().join("postrider.db")).expect("the database");
    let held = file.execute("UPDATE deliveries SET held_reason = 2 WHERE state = 3", []).expect("rows");
    assert_eq!(held, 4);
    file.execute("INSERT INTO meta VALUES ('restored', '{\"at\":1771857000000,\"held\":4}')", [])
        .expect("a row");
    file.execute("UPDATE endpoints SET enabled = 1, disabled_reason = NULL, disabled_at = NULL", [])
        .expect("rows");
    drop(file);
    app.restart();
    app.settle();
    (app, endpoints)
}

fn statuses(app: &TestApp, endpoint: &str) -> Vec<String> {
    app.list(&format!("/endpoints/{endpoint}/deliveries")).iter().map(|row| text(row, "status")).collect()
}

#[track_caller]
fn wait_for(app: &TestApp, endpoint: &str, status: &str) {
    app.eventually(status, |app| (statuses(app, endpoint) == [status; 2]).then_some(()));
}

fn release(app: &TestApp, body: &Value) -> Value {
    app.post("/deliveries/release", body).expect(202).json()
}

#[test]
fn what_is_held_stays_until_it_is_released_and_is_sent_then() {
    let receiver = Receiver::start();
    let (app, [ours, theirs]) = restored(&receiver);
    shows(&app.list("/deliveries")[0], &json!({ "status": "held", "held_reason": "restored" }));
    app.disable(&ours);
    app.enable(&ours);
    app.settle();
    assert_eq!(statuses(&app, &ours), ["held"; 2], "enabling is not the word");
    let released = release(&app, &json!({ "held": "deliver", "tenant": "acme" }));
    assert_eq!(released, json!({ "endpoints": 1, "deliveries": 2, "deliveries_more": false }));
    wait_for(&app, &theirs, "delivered");
    assert_eq!((receiver.count_on("/acme"), receiver.count_on("/default")), (2, 0));
    assert_eq!(statuses(&app, &ours), ["held"; 2]);
    release(&app, &json!({ "held": "deliver" }));
    wait_for(&app, &ours, "delivered");
    assert_eq!(receiver.count_on("/default"), 2);
    assert_eq!(release(&app, &json!({ "held": "deliver" }))["deliveries"], 0);
}

#[test]
fn what_is_discarded_is_canceled_and_fresh_events_go_on() {
    let receiver = Receiver::start();
    let (app, [ours, theirs]) = restored(&receiver);
    assert_eq!(release(&app, &json!({ "held": "discard", "endpoint": ours }))["deliveries"], 2);
    wait_for(&app, &ours, "canceled");
    assert_eq!(statuses(&app, &theirs), ["held"; 2]);
    let fresh = app.send(&json!(1));
    app.settle();
    assert_eq!((app.status(&fresh).as_str(), receiver.count()), ("delivered", 1));
}

#[test]
fn what_comes_free_of_a_disabled_endpoint_is_held_as_everything_else_of_it() {
    let receiver = Receiver::start();
    let (app, [ours, _]) = restored(&receiver);
    app.disable(&ours);
    release(&app, &json!({ "held": "deliver", "endpoint": ours }));
    let list = format!("/endpoints/{ours}/deliveries");
    app.eventually("held for the endpoint", |app| {
        app.list(&list).iter().all(|row| row["held_reason"] == "endpoint_disabled").then_some(())
    });
    assert_eq!(statuses(&app, &ours), ["held"; 2]);
    app.enable(&ours);
    wait_for(&app, &ours, "delivered");
    assert_eq!(receiver.count_on("/default"), 2);
}

#[test]
fn the_overview_tells_of_it_until_a_person_says_what_becomes_of_it() {
    for (held, says, status) in
        [("deliver", "is being delivered", "delivered"), ("discard", "is discarded", "canceled")]
    {
        let receiver = Receiver::start();
        let (app, endpoints) = restored(&receiver);
        let attention = app.get("/attention")["data"][0].clone();
        shows(
            &attention,
            &json!({ "topic": "restored", "since": "2026-02-23T14:30:00.000Z", "endpoint": null }),
        );
        let viewer = Console::viewer(&app);
        let page = viewer.page("/");
        holds(
            &page,
            &[
                "4 deliveries (of 4 at first) are held",
                "<code>postrider deliveries release</code>",
                "by the restore until you say",
            ],
        );
        lacks(&page, &["action=\"/release\"", "/api/v1", "…"]);
        viewer.post("/release", &[("held", held)]).expect(403);
        let console = Console::admin(&app);
        holds(
            &console.page("/"),
            &["A backup was restored.", "Deliver them", "Discard them", "data-confirm"],
        );
        console.post("/release", &[("held", "keep")]).expect(422);
        holds(&console.done("/release", &[("held", held)]).1, &[says]);
        for endpoint in &endpoints {
            wait_for(&app, endpoint, status);
        }
        lacks(&console.page("/"), &["A backup was restored.", "action=\"/release\"", "by the restore"]);
        assert_eq!(app.get("/attention")["data"], json!([]));
        assert_eq!(app.list("/audit?action=delivery.release")[0]["actor"], "operator:ada@example.com");
    }
}

#[test]
fn a_release_names_what_is_wrong_and_is_audited() {
    let receiver = Receiver::start();
    let (app, [ours, _]) = restored(&receiver);
    let call = |body: &Value| app.post("/deliveries/release", body);
    assert_eq!(fields(&call(&json!({})).expect(422)), ["held"]);
    let wrong = call(&json!({ "held": "keep", "tenant": "a b", "all": true })).expect(422);
    assert_eq!(fields(&wrong), ["held", "tenant", "all"]);
    call(&json!({ "held": "deliver", "endpoint": "nobody" })).expect(404);
    call(&json!({ "held": "deliver", "endpoint": ours, "tenant": "acme" })).expect(404);
    assert_eq!(release(&app, &json!({ "held": "discard", "tenant": "nobody" }))["endpoints"], 0);
    release(&app, &json!({ "held": "discard", "endpoint": ours }));
    let lines = app.list("/audit?action=delivery.release");
    assert_eq!((lines.len(), &lines[0]["target"]), (2, &json!(ours)));
    assert_eq!(lines[0]["after"], json!({ "held": "discard", "endpoints": 1 }));
    release(&app, &json!({ "held": "deliver", "tenant": "acme" }));
    let key = json!({ "name": "bound", "scopes": ["deliveries:write"], "tenant": "acme" });
    let key = text(&app.post("/keys", &key).expect(201).json(), "key");
    let bound = Client::tcp(app.address()).with_key(&key);
    bound.post("/api/v1/deliveries/release", &json!({ "held": "deliver" })).expect(202);
    release(&app, &json!({ "held": "deliver" }));
    let told: Vec<_> = app.list("/audit?action=delivery.release").into_iter().take(4).collect();
    let told: Vec<_> = told.iter().map(|line| (&line["target"], &line["tenant"])).collect();
    let acme = (&json!("acme"), &json!("acme"));
    assert_eq!(told, [(&json!("deliveries"), &Value::Null), acme, acme, (&json!(ours), &json!("default"))]);
}
