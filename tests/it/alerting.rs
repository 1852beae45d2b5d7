//! Alerts that leave the machine: what is told, to whom, when, and how often.

mod house;
mod kinds;
mod mail;
mod many;
mod recovery;

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::app::{TestApp, text};
use crate::support::receiver::{Gate, Receiver, Reply};

const COLLECT: Duration = Duration::from_mins(5);
const DAY: Duration = Duration::from_hours(24);

/// A server on a manual clock, and a receiver whose `/chat` is what alerts of the kind `slack` write to.
struct World {
    app: TestApp,
    receiver: Receiver,
}

impl World {
    fn new() -> Self {
        let (app, receiver) = (TestApp::with_manual_clock(), Receiver::start());
        // How full the disk of this machine is, and when its backup is due, is not what these tests are about.
        let settings = json!({ "endpoint_limit": 1000, "alert_disk_percent": 0, "alert_disk_days": 0, "backup_schedule": "" });
        app.change_settings(&settings);
        Self { app, receiver }
    }

    /// Makes an alert that writes to `/chat`; its id.
    fn chat(&self, more: &Value) -> String {
        let mut fields = json!({ "kind": "slack", "url": self.receiver.url("/chat") });
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.make(&fields)
    }

    fn make(&self, fields: &Value) -> String {
        text(&self.app.post("/alerts", fields).expect(201).json(), "id")
    }

    /// Makes endpoints of a tenant that fail with their only attempt.
    fn dead(&self, tenant: &str, number: usize) -> Vec<String> {
        self.receiver.always_on(&format!("/dead/{tenant}"), Reply::status(500));
        let url = self.receiver.url(&format!("/dead/{tenant}"));
        let fields = json!({ "url": url, "tenant": tenant, "events": ["fall"], "retry_schedule": [] });
        let made = (0..number).map(|_| text(&self.app.create_endpoint(&fields), "id")).collect();
        self.fall(tenant);
        made
    }

    /// Whatever fails at a tenant fails now.
    fn fall(&self, tenant: &str) {
        self.app.post("/events", &json!({ "type": "fall", "data": 1, "tenant": tenant })).expect(202);
        self.app.settle();
    }

    fn look(&self) {
        self.app.service().look_at_alerts().expect("a look");
    }

    /// Lets time pass, and looks.
    fn pass(&self, time: Duration) {
        self.app.advance(time);
        self.look();
    }

    /// What is news is collected, and sent.
    fn tell(&self) {
        self.look();
        self.pass(COLLECT);
    }

    /// What was written to the chat so far.
    fn told(&self) -> Vec<String> {
        let all = self.receiver.received_on("/chat");
        all.iter().map(|request| text(&request.json(), "text")).collect()
    }

    fn last(&self) -> String {
        self.told().pop().expect("a message")
    }
}

#[test]
fn what_is_over_before_it_is_told_is_not_told_and_an_end_is_told_once() {
    let world = World::new();
    world.chat(&json!({}));
    world.dead("acme", 2);
    world.look();
    world.receiver.always_on("/dead/acme", Reply::ok());
    world.fall("acme");
    world.pass(COLLECT);
    assert_eq!(world.told(), [""; 0]);
    world.receiver.always_on("/dead/acme", Reply::status(500));
    world.fall("acme");
    world.tell();
    assert!(world.last().starts_with("*Postrider: 2 endpoints are failing*"), "{}", world.last());
    world.receiver.always_on("/dead/acme", Reply::ok());
    world.fall("acme");
    world.tell();
    assert!(world.last().starts_with("*Postrider: 2 endpoints have recovered*"), "{}", world.last());
    assert!(world.last().contains("/dead/acme: receives again"), "{}", world.last());
    world.pass(DAY);
    assert_eq!(world.told().len(), 2);
}

#[test]
fn an_endpoint_that_flaps_is_told_of_once_a_day() {
    let world = World::new();
    world.chat(&json!({}));
    world.dead("acme", 1);
    for hour in 0..30 {
        let reply = if hour % 2 == 0 { Reply::status(500) } else { Reply::ok() };
        world.receiver.always_on("/dead/acme", reply);
        world.fall("acme");
        world.pass(Duration::from_mins(30));
        world.pass(Duration::from_mins(30));
    }
    let titles: Vec<_> = world.told().iter().map(|text| text.lines().next().unwrap().to_owned()).collect();
    let (fails, back) = ("*Postrider: 1 endpoint is failing*", "*Postrider: 1 endpoint has recovered*");
    assert_eq!(titles, [fails, back, fails, back]);
}

#[test]
fn a_restart_repeats_nothing_and_loses_nothing() {
    let mut world = World::new();
    world.chat(&json!({}));
    world.dead("acme", 1);
    world.tell();
    assert_eq!(world.told().len(), 1);
    world.app.restart();
    world.tell();
    assert_eq!(world.told().len(), 1, "it was told before");
    world.dead("globex", 1);
    world.look();
    world.app.restart();
    world.pass(COLLECT);
    assert_eq!(world.told().len(), 2, "it was being collected");
    assert!(world.last().contains("globex"), "{}", world.last());
}

#[test]
fn what_could_not_be_sent_is_tried_again_and_shown() {
    let world = World::new();
    let id = world.chat(&json!({ "name": "On call" }));
    let alert = || world.app.get(&format!("/alerts/{id}"));
    world.receiver.reply_on("/chat", Reply::status(500));
    world.dead("acme", 1);
    world.tell();
    let shown = alert();
    assert_eq!(shown["last_error"], "answered 500: it did not take the message");
    let metrics = || world.app.client.get("/metrics").expect(200).text().to_owned();
    let count = |kind: &str, outcome: &str, number: u32| {
        let sample =
            format!("postrider_alert_messages_total{{kind=\"{kind}\",outcome=\"{outcome}\"}} {number}\n");
        assert!(metrics().contains(&sample), "{sample}");
    };
    count("slack", "failed", 1);
    count("slack", "sent", 0);
    assert!(shown["last_error_at"].is_string() && shown["last_sent_at"].is_null(), "{shown}");
    assert!(shown["next_try_at"].is_string(), "{shown}");
    world.look();
    assert_eq!(world.told().len(), 1, "not at once");
    world.pass(Duration::from_mins(1));
    assert_eq!(world.told().len(), 2);
    assert_eq!(world.told()[0], world.told()[1]);
    let shown = alert();
    assert!(shown["last_error"].is_null() && shown["last_sent_at"].is_string(), "{shown}");
    assert!(shown["next_try_at"].is_null());
    world.app.post(&format!("/alerts/{id}/test"), &json!({})).expect(200);
    count("slack", "failed", 1);
    count("slack", "sent", 1);
    count("email", "failed", 0);
}

#[test]
fn an_endpoint_that_is_gone_is_told_of_as_disabled_and_one_that_somebody_disabled_is_not() {
    let world = World::new();
    world.chat(&json!({}));
    let off = world.app.endpoint_at(&world.receiver, "/off");
    world.app.disable(&off);
    world.dead("acme", 1);
    world.receiver.always_on("/dead/acme", Reply::status(410));
    world.tell();
    world.fall("acme");
    world.tell();
    let all = world.told();
    assert_eq!(all.len(), 2, "{all:#?}");
    assert!(all[1].starts_with("*Postrider: 1 endpoint was disabled*"), "{}", all[1]);
    assert!(all[1].contains("answered 410; enable or delete it"), "{}", all[1]);
}

#[test]
fn an_alert_of_a_tenant_is_about_its_endpoints_alone() {
    let world = World::new();
    world.chat(&json!({ "tenant": "acme" }));
    world.dead("acme", 2);
    world.dead("globex", 3);
    world.app.service().readiness().set_own_trouble("no route".to_owned(), Duration::ZERO);
    world.tell();
    assert!(world.last().starts_with("*Postrider: 2 endpoints are failing*"), "{}", world.last());
    assert!(!world.last().contains("globex") && world.told().len() == 1);
}

#[test]
fn only_the_conditions_that_were_chosen_are_told() {
    let world = World::new();
    world.chat(&json!({ "conditions": ["endpoint_failing"] }));
    world.dead("acme", 1);
    world.tell();
    world.receiver.always_on("/dead/acme", Reply::ok());
    world.fall("acme");
    world.tell();
    assert_eq!(world.told().len(), 1, "recoveries were not asked for");
}

#[test]
fn what_concerns_the_server_is_told_daily_as_long_as_it_lasts_and_its_end_once() {
    let world = World::new();
    world.chat(&json!({ "conditions": ["disk", "backup", "own_trouble"] }));
    let why = world.app.fail_to_back_up();
    world.app.change_settings(&json!({ "alert_disk_percent": 1 }));
    world.tell();
    let first = world.last();
    assert!(first.starts_with("*Postrider: the disk is nearly full, the last backup failed*"), "{first}");
    assert!(first.contains(&format!("The last backup failed:\n- {why}, since")), "{first}");
    world.pass(Duration::from_hours(23));
    assert_eq!(world.told().len(), 1);
    world.pass(Duration::from_hours(1));
    world.pass(COLLECT);
    assert_eq!(world.told().len(), 2, "a day later");
    assert_eq!(world.app.back_up()["status"], "done");
    world.app.change_settings(&json!({ "alert_disk_percent": 0, "alert_disk_days": 0 }));
    world.tell();
    assert!(
        world.last().contains("The disk has room again.\n\nThe last backup is complete again."),
        "{}",
        world.last()
    );
    world.pass(DAY);
    assert_eq!(world.told().len(), 3);
}

#[test]
fn trouble_on_this_side_is_told() {
    let world = World::new();
    world.chat(&json!({ "conditions": ["own_trouble"] }));
    world.app.change_settings(&json!({ "alert_collect_minutes": 0 }));
    let now = world.app.service().store().times().clock().monotonic();
    world.app.service().readiness().set_own_trouble("there is no route".to_owned(), now);
    world.look();
    let text = world.last();
    assert!(
        text.contains(
            "This server cannot accept or deliver:\n- deliveries fail on this side: there is no route"
        ),
        "{text}"
    );
    world.pass(Duration::from_mins(4));
    assert!(world.last().contains("accepts and delivers again"), "{}", world.last());
}

#[test]
fn deliveries_that_wait_for_too_long_are_a_backlog() {
    let (world, gate) = (World::new(), Gate::new());
    world.chat(&json!({ "conditions": ["backlog"] }));
    world.receiver.always_on("/slow", Reply::ok().gated(&gate));
    world.app.endpoint_at(&world.receiver, "/slow");
    world.app.publish("a.b", &json!(1));
    world.receiver.wait_in_flight(1);
    world.app.change_settings(&json!({ "alert_backlog_minutes": 2, "alert_collect_minutes": 0 }));
    world.look();
    assert_eq!(world.told(), [""; 0]);
    // Not settled: it is in flight all the time.
    world.app.clock().advance(Duration::from_mins(2));
    world.look();
    let told = world.last();
    assert!(told.starts_with("*Postrider: deliveries wait for too long*"), "{told}");
    assert!(told.contains("/slow: the oldest delivery that is due is for this endpoint"), "{told}");
    gate.open();
    world.app.settle();
    world.look();
    assert!(world.last().contains("Deliveries do not wait any more."), "{}", world.last());
}

#[test]
fn what_waits_for_its_retry_or_is_held_is_no_backlog() {
    let world = World::new();
    world.chat(&json!({ "conditions": ["backlog"] }));
    world.app.change_settings(&json!({ "alert_backlog_minutes": 2 }));
    world.receiver.always_on("/later", Reply::status(500));
    let fields = json!({ "retry_schedule": [100_000] });
    world.app.endpoint_with(&world.receiver, "/later", &fields);
    world.app.endpoint_with(&world.receiver, "/held", &json!({ "enabled": false }));
    world.app.publish("a.b", &json!(1));
    world.app.settle();
    world.pass(Duration::from_hours(2));
    world.tell();
    assert_eq!(world.told(), [""; 0]);
}

#[test]
fn an_alert_that_is_switched_off_tells_nothing_and_can_be_tested() {
    let world = World::new();
    let id = world.chat(&json!({ "enabled": false }));
    world.dead("acme", 1);
    world.tell();
    assert_eq!(world.told(), [""; 0]);
    world.app.post(&format!("/alerts/{id}/test"), &json!({})).expect(200);
    assert!(world.last().contains("This is a test"));
}

#[test]
fn what_goes_elsewhere_from_now_on_tells_everything_there() {
    let world = World::new();
    let id = world.chat(&json!({}));
    world.dead("acme", 1);
    world.tell();
    world.app.patch(&format!("/alerts/{id}"), &json!({ "name": "Renamed" })).expect(200);
    world.tell();
    assert_eq!(world.told().len(), 1, "another name is no other place");
    let url = world.receiver.url("/chat?room=2");
    world.app.patch(&format!("/alerts/{id}"), &json!({ "url": url })).expect(200);
    world.tell();
    assert_eq!(world.told().len(), 2);
}
