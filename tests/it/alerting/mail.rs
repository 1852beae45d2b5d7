//! A mail server that does not answer, or takes its time: it holds up mail, and nothing else.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::app::text;
use crate::support::smtp::MailServer;

use super::{COLLECT, World};

const MINUTE: Duration = Duration::from_mins(1);

/// A world with this mail server, and alerts to so many people.
fn world(mail: &MailServer, people: usize) -> (World, Vec<String>) {
    let world = World::new();
    let server = json!({ "host": "127.0.0.1", "port": mail.port(), "security": "none", "from": "postrider@example.com" });
    world.app.client.send_json("PUT", "/api/v1/mail-server", &server).expect(200);
    let alert = |n| world.make(&json!({ "kind": "email", "email": format!("{n}@example.com") }));
    let alerts = (0..people).map(alert).collect();
    (world, alerts)
}

fn shown(world: &World, alert: &str) -> Value {
    world.app.get(&format!("/alerts/{alert}"))
}

#[test]
fn a_mail_server_that_does_not_answer_is_asked_once_in_a_look() {
    let mail = MailServer::start();
    let (world, alerts) = world(&mail, 4);
    world.chat(&json!({}));
    mail.absent(true);
    world.dead("acme", 1);
    world.tell();
    assert_eq!((world.told().len(), mail.connections()), (1, 1));
    let why = shown(&world, &alerts[0])["last_error"].clone();
    assert!(why.as_str().is_some_and(|why| why.contains("check its name and port")), "{why}");
    for alert in &alerts {
        let shown = shown(&world, alert);
        assert_eq!(shown["last_error"], why);
        assert!(shown["next_try_at"].is_string() && shown["last_sent_at"].is_null(), "{shown}");
    }
    mail.absent(false);
    world.pass(MINUTE);
    let mut to: Vec<_> = mail.wait_for(4).into_iter().flat_map(|mail| mail.to).collect();
    to.sort_unstable();
    assert_eq!(to, ["0@example.com", "1@example.com", "2@example.com", "3@example.com"]);
    assert_eq!(shown(&world, &alerts[3])["last_error"], Value::Null);
}

#[test]
fn an_address_that_is_refused_is_nothing_to_the_others() {
    let mail = MailServer::start();
    let (world, _alerts) = world(&mail, 3);
    mail.refuse("550 5.1.1 nobody of that name");
    world.dead("acme", 1);
    world.tell();
    assert_eq!((mail.wait_for(2).len(), mail.connections()), (2, 3));
}

#[test]
fn whoever_waits_for_a_test_waits_for_one_mail_at_most() {
    let mail = MailServer::start();
    let (world, _alerts) = world(&mail, 3);
    let chat = world.chat(&json!({}));
    world.dead("acme", 1);
    world.look();
    mail.hold();
    // The server's own thread looks, and the test is made by none but it.
    world.app.clock().advance(COLLECT);
    mail.wait_for_connections(1);
    assert_eq!(world.told().len(), 1, "the chat is told before any mail");
    let path = format!("/alerts/{chat}/test");
    let tested = std::thread::scope(|scope| {
        let test = scope.spawn(|| world.app.post(&path, &json!({})).expect(200).json());
        world.app.eventually("the test to wait", |app| app.service().has_alert_tests().then_some(()));
        mail.let_in(1);
        test.join().expect("an answer")
    });
    assert_eq!(tested["success"], true);
    assert_eq!((world.told().len(), mail.wait_for(1).len()), (2, 1), "two mails wait still");
    mail.let_in(2);
    mail.wait_for(3);
}

/// As [`world`], with an endpoint that is dead and the first mail about it on its way, at a server that lets it wait.
fn telling(mail: &MailServer, alerts: usize) -> (World, Vec<String>) {
    let (world, alerts) = world(mail, alerts);
    world.dead("acme", 1);
    world.look();
    mail.hold();
    world.app.clock().advance(COLLECT);
    mail.wait_for_connections(1);
    (world, alerts)
}

#[test]
fn a_slow_mail_server_leaves_the_rest_to_the_next_look() {
    let mail = MailServer::start();
    let (world, alerts) = telling(&mail, 2);
    let late = world.app.clock().clone();
    late.advance(MINUTE);
    mail.let_in(1);
    mail.wait_for(1);
    let sent = || alerts.iter().map(|alert| shown(&world, alert)["last_sent_at"].clone()).collect::<Vec<_>>();
    // The newest alert comes first.
    world.app.eventually("the first to be noted", |_| sent()[1].is_string().then_some(()));
    late.advance(MINUTE);
    mail.let_in(1);
    world.look();
    assert_eq!(mail.wait_for(2)[1].to, ["0@example.com"]);
    assert_eq!(sent(), ["2026-02-23T14:37:00.000Z", "2026-02-23T14:35:00.000Z"]);
}

#[test]
fn an_alert_that_is_changed_while_others_are_told_is_told_as_it_is_then() {
    let mail = MailServer::start();
    let (world, alerts) = telling(&mail, 3);
    let change = |alert: &str, fields: &Value| {
        world.app.patch(&format!("/alerts/{alert}"), fields).expect(200);
    };
    // The newest is being told.
    change(&alerts[0], &json!({ "enabled": false }));
    change(&alerts[1], &json!({ "name": "Renamed" }));
    mail.let_in(2);
    let to: Vec<_> = mail.wait_for(2).into_iter().flat_map(|mail| mail.to).collect();
    assert_eq!(to, ["2@example.com", "1@example.com"]);
    world.tell();
    assert_eq!(mail.connections(), 2, "one is switched off, the others were told");
}

#[test]
fn a_mail_is_told_from_others_and_answered_by_no_machine() {
    let mail = MailServer::start();
    let (world, alerts) = world(&mail, 1);
    world.app.post(&format!("/alerts/{}/test", alerts[0]), &json!({})).expect(200);
    let got = mail.wait_for(1).remove(0);
    assert_eq!(got.header("Auto-Submitted"), Some("auto-generated"));
    let id = got.header("Message-ID").expect("an id");
    assert!(id.starts_with(&format!("<{}.", alerts[0])) && id.ends_with("@example.com>"), "{id}");
    assert_eq!(text(&shown(&world, &alerts[0]), "last_sent_at"), "2026-02-23T14:30:00.000Z");
}
