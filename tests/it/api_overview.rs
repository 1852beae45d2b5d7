//! What one looks at first: what is under way, what needs a hand, the room on the disk.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::actions::shows;
use crate::support::app::{TestApp, text};
use crate::support::client::Client;
use crate::support::console::{Console, holds};
use crate::support::problem::code;
use crate::support::receiver::{Receiver, Reply};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

#[test]
fn statistics_of_all_and_of_a_tenant_tell_what_is_under_way() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    receiver.always(Reply::status(500));
    let publish = |tenant: &str| {
        app.post("/events", &json!({ "type": "a", "data": 1, "tenant": tenant })).expect(202);
        app.settle();
    };
    app.endpoint_with(&receiver, "/", &json!({ "tenant": "acme", "retry_schedule": [86400] }));
    let off = app.endpoint_with(&receiver, "/", &json!({ "tenant": "globex" }));
    app.disable(&off);
    publish("acme");
    app.clock().advance(HOUR);
    publish("acme");
    publish("globex");
    let of = |query: &str| app.get(&format!("/stats?window=24h{query}"));
    let all = of("");
    shows(&all, &json!({ "window": "24h", "delivered": 0, "attempts": 2, "attempts_failed": 2 }));
    assert_eq!(all["series"].as_array().map(Vec::len), Some(25));
    let now = |waiting: u32, held: u32, oldest: Value| json!({ "waiting": waiting, "waiting_more": false, "held": held, "held_more": false, "oldest_waiting_at": oldest });
    assert_eq!(all["now"], now(2, 1, json!("2026-02-23T14:30:00.000Z")));
    assert_eq!(of("&tenant=acme")["now"], now(2, 0, json!("2026-02-23T14:30:00.000Z")));
    assert_eq!(of("&tenant=globex")["now"], now(0, 1, Value::Null));
    assert_eq!(of("&tenant=nobody")["now"], now(0, 0, Value::Null));
    let key = json!({ "name": "k", "scopes": ["deliveries:read"], "tenant": "globex" });
    let key = app.post("/keys", &key).expect(201).json();
    let bound = Client::tcp(app.address()).with_key(&text(&key, "key"));
    let own = bound.get("/api/v1/stats").expect(200).json();
    assert_eq!((&own["attempts"], &own["now"]["held"]), (&json!(0), &json!(1)));
    assert_eq!(code(&bound.get("/api/v1/stats?tenant=acme").expect(404)), "not_found");
}

#[test]
fn what_needs_a_hand_comes_with_the_most_urgent_first() {
    let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let attention = || app.get("/attention");
    assert_eq!(attention(), json!({ "data": [], "more": false }));
    app.change_settings(
        &json!({ "failing_after_failures": 1, "disable_after_failures": 2, "disable_after_hours": 4 }),
    );
    let make = |path: &str, more: Value| {
        let mut fields =
            json!({ "events": [format!("to{}", path.replace('/', "."))], "retry_schedule": [7200, 7200] });
        fields.as_object_mut().expect("fields").extend(more.as_object().expect("fields").clone());
        app.endpoint_with(&receiver, path, &fields)
    };
    let (off, gone, bad, new) =
        (make("/off", json!({})), make("/gone", json!({})), make("/bad", json!({})), make("/new", json!({})));
    app.post(&format!("/endpoints/{off}/disable"), &json!({ "note": "closed" })).expect(200);
    receiver.always_on("/gone", Reply::status(410));
    receiver.always_on("/bad", Reply::status(500));
    receiver.always_on("/new", Reply::status(500));
    app.publish("to.off", &json!(1));
    app.publish("to.gone", &json!(1));
    app.publish("to.bad", &json!(1));
    app.settle();
    app.advance(HOUR * 2 + HOUR / 2);
    app.publish("to.new", &json!(1));
    app.settle();
    let seen = attention();
    let rows = seen["data"].as_array().expect("rows");
    let told: Vec<_> = rows.iter().map(|row| (text(row, "topic"), text(&row["endpoint"], "id"))).collect();
    let expected = [
        ("endpoint_ends", &bad),
        ("endpoint_disabled", &gone),
        ("endpoint_fails", &new),
        ("endpoint_off", &off),
    ];
    assert_eq!(told, expected.map(|(topic, id)| (topic.to_owned(), id.clone())));
    shows(&rows[0], &json!({ "since": "2026-02-23T14:30:00.000Z", "until": "2026-02-23T18:30:00.000Z" }));
    shows(&rows[0]["endpoint"], &json!({ "failure_count": 2, "tenant": "default", "health": "failing" }));
    shows(&rows[2], &json!({ "since": "2026-02-23T17:00:00.000Z", "until": "2026-02-23T21:00:00.000Z" }));
    assert!(
        text(&rows[2], "message")
            .contains("the last attempt has failed: see its last deliveries; if none succeeds")
    );
    shows(&rows[1]["endpoint"], &json!({ "disabled_reason": "gone", "held": 1, "held_more": false }));
    shows(
        &rows[3]["endpoint"],
        &json!({ "disabled_reason": "manual", "disabled_note": "closed", "held": 1 }),
    );
    assert!(rows.iter().all(|row| !text(row, "message").is_empty()));
    app.delete_endpoint(&off);
    assert_eq!(attention()["data"].as_array().map(Vec::len), Some(3));
}

#[test]
fn held_deliveries_that_will_be_deleted_and_a_cleanup_that_waits_are_told() {
    let (mut app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    let endpoint = app.endpoint_at(&receiver, "/");
    app.disable(&endpoint);
    app.send(&json!(1));
    app.settle();
    let topics = |app: &TestApp| {
        let seen = app.get("/attention");
        let rows = seen["data"].as_array().expect("rows").clone();
        (rows.iter().map(|row| text(row, "topic")).collect::<Vec<_>>(), rows)
    };
    assert_eq!(topics(&app).0, ["endpoint_off"]);
    app.stop();
    app.clock().advance(DAY * 28);
    app.restart();
    let (told, rows) = topics(&app);
    assert_eq!(told, ["cleanup_waits", "held_expires", "endpoint_off"]);
    assert!(text(&rows[0], "message").contains("waits"));
    // It is old enough at 14:30 of the 25th, and gone with the cleanup after that.
    shows(&rows[1], &json!({ "since": "2026-02-23T14:30:00.000Z", "until": "2026-03-26T03:30:00.000Z" }));
    assert_eq!(rows[1]["endpoint"]["id"], endpoint.as_str());
    let todo = "what is held grows too old: the cleanup deletes it (1 delivery, from 2026-03-26T03:30:00.000Z on); enable the \
                endpoint and deliver or discard it, or keep more (setting retention_days)";
    assert_eq!(text(&rows[1], "message"), todo);
    let console = Console::admin(&app);
    let held = format!("/endpoints/{endpoint}/deliveries?status=held");
    holds(&console.page("/"), &["What is held grows too old", &held, "/settings#keeping", "Deleted <time"]);
    let own = console.page(&format!("/endpoints/{endpoint}"));
    holds(&own, &["They grow too old:", "datetime=\"2026-03-26T03:30:00.000Z\""]);
}

#[test]
fn a_backup_that_failed_and_an_alert_that_was_not_sent_are_told() {
    let (app, receiver) = (TestApp::start(), Receiver::start());
    let topics = || {
        let rows = app.get("/attention")["data"].as_array().expect("rows").clone();
        rows.iter().map(|row| (text(row, "topic"), text(row, "message"))).collect::<Vec<_>>()
    };
    assert_eq!(topics(), []);
    let why = app.fail_to_back_up();
    let alert = |name: &str, path: &str| {
        let fields = json!({ "kind": "slack", "name": name, "url": receiver.url(path) });
        text(&app.post("/alerts", &fields).expect(201).json(), "id")
    };
    receiver.always_on("/away", Reply::status(404));
    let (night, day, good) = (alert("Night", "/away"), alert("Day", "/away"), alert("Good", "/good"));
    let test = |alert: &str| app.post(&format!("/alerts/{alert}/test"), &json!({})).expect(200);
    for alert in [&night, &day, &good] {
        test(alert);
    }
    let unsent = "could not be sent: answered 404: the webhook is not there any more; make a new one; mend and test it (page Alerts)";
    let expected = [
        ("backup_fails".to_owned(), format!("the last backup failed: {why}")),
        ("alert_fails".to_owned(), format!("the alert Day (and 1 more) {unsent}")),
    ];
    assert_eq!(topics(), expected);
    let page = Console::admin(&app).page("/");
    holds(&page, &["2 things need a hand.", "href=\"/settings#backups\"", "href=\"/alerts\""]);
    app.back_up();
    app.patch(&format!("/alerts/{day}"), &json!({ "enabled": false })).expect(200);
    assert_eq!(topics(), [("alert_fails".to_owned(), format!("the alert Night {unsent}"))]);
    receiver.always_on("/away", Reply::ok());
    test(&night);
    assert_eq!(topics(), []);
}

#[test]
fn the_room_on_the_disk_is_measured_and_foreseen() {
    let (mut app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
    app.endpoint_at(&receiver, "/");
    let seen = app.get("/storage");
    shows(&seen, &json!({ "growth_bytes_per_day": null, "growth_since": null, "full_at": null }));
    let bytes = |seen: &Value, name: &str| seen[name].as_u64().expect("a number");
    assert!(bytes(&seen, "database_bytes") > 0 && bytes(&seen, "disk_free_bytes") > 0, "{seen}");
    app.stop();
    app.clock().advance(DAY);
    app.restart();
    app.publish("a", &json!("x".repeat(200_000)));
    app.settle();
    app.stop();
    app.clock().advance(DAY / 2);
    app.restart();
    // The size is noted by the writer, which has just started.
    let seen = app.eventually("the third day", |app| {
        let seen = app.get("/storage");
        let days = seen["days"].as_array().expect("days");
        let noted: Vec<_> = days.iter().map(|day| text(day, "at")[..10].to_owned()).collect();
        (noted == ["2026-02-23", "2026-02-24", "2026-02-25"]).then_some(seen)
    });
    let growth = bytes(&seen, "growth_bytes_per_day");
    assert!((100_000..200_000).contains(&growth), "{seen}");
    assert!(seen["growth_since"].as_str().is_some_and(|since| since.starts_with("2026-02-23")), "{seen}");
}
