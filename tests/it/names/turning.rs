//! Names that turn from a good address to a forbidden one at the worst moments.

use std::time::Duration;

use serde_json::{Value, json};

use super::dns::Reply;
use super::namespace::inside;
use super::world::{GOOD, GOOD_TOO, World, url};
use crate::support::process::until;

const METADATA: &str = "169.254.169.254";

#[test]
fn the_address_that_was_judged_is_the_one_that_is_dialled() {
    inside("timeout:1 attempts:1", || {
        let world = World::new();
        let turns = [Reply::addresses(&[GOOD]), Reply::addresses(&[METADATA])];
        world.dns.set("turns.test", &turns);
        world.endpoint("turns.test");
        // From here on, everybody who asks is told the forbidden address.
        assert_eq!(world.dns.asked("turns.test"), 1);
        let ended = world.ended(&world.publish("turns.test"), "delivered");
        assert_eq!(ended.attempt["address"], format!("{GOOD}:80"));
        assert_eq!(world.dns.asked("turns.test"), 1, "the judged answer was used");
        let world = world.restart();
        world.ended(&world.publish("turns.test"), "failed").expect_blocked();
        assert_eq!((world.dns.asked("turns.test"), world.receiver.count()), (2, 1));
        world.only_spoke_to(&[GOOD]);
    });
}

#[test]
fn a_name_that_turns_with_every_answer_is_sent_to_the_good_one_or_not_at_all() {
    inside("timeout:1 attempts:1", || {
        let mut world = World::new();
        let (good, bad) = (Reply::addresses(&[GOOD]), Reply::addresses(&["127.0.0.1"]));
        let turns: Vec<_> = [good, bad].into_iter().cycle().take(8).collect();
        world.dns.set("flips.test", &turns);
        world.endpoint("flips.test");
        for round in 1..turns.len() {
            world = world.restart();
            let event = world.publish("flips.test");
            if round % 2 == 0 {
                world.ended(&event, "delivered");
            } else {
                world.ended(&event, "failed").expect_blocked();
            }
            assert_eq!(world.dns.asked("flips.test"), round + 1, "one question for one attempt");
        }
        assert_eq!(world.receiver.count(), turns.len() / 2 - 1);
        world.only_spoke_to(&[GOOD]);
    });
}

#[test]
fn a_kept_connection_is_not_used_once_its_name_has_turned() {
    inside("timeout:1 attempts:1", || {
        let world = World::new();
        for (name, later) in [("turns.test", "10.0.0.1"), ("moves.test", GOOD_TOO)] {
            world.dns.set(name, &[Reply::addresses(&[GOOD]), Reply::addresses(&[later])]);
            world.endpoint(name);
        }
        // More often than connections that are idle are closed, until the answers are renewed.
        let mut delivered = 0;
        let turned = until("the names to turn", Duration::from_mins(2), || {
            std::thread::park_timeout(Duration::from_millis(200));
            let other = world.ended(&world.publish("moves.test"), "delivered");
            delivered += 1;
            let event = world.publish("turns.test");
            let list = format!("/events/{}/deliveries", event["id"].as_str().expect("an id"));
            let status = until("an end", Duration::from_secs(30), || {
                let status = world.server.get(&list)["data"][0]["status"].clone();
                (status != "pending").then_some(status)
            });
            if status == "delivered" {
                delivered += 1;
                return None;
            }
            world.ended(&event, "failed").expect_blocked();
            let moved = other.attempt["address"] == format!("{GOOD_TOO}:80");
            moved.then(|| world.receiver.connections())
        });
        // Three if the machine is fast enough to keep them: one for each name, and a second for the one that moved.
        eprintln!("{turned} connections for {delivered} deliveries");
        assert!(turned * 2 < delivered, "{turned} connections for {delivered} deliveries");
        assert_eq!(world.receiver.count(), delivered);
        let again: Value = world.publish("turns.test");
        world.ended(&again, "failed").expect_blocked();
        assert_eq!([world.dns.asked("turns.test"), world.dns.asked("moves.test")], [2, 2]);
        world.only_spoke_to(&[GOOD, GOOD_TOO]);
    });
}

#[test]
fn a_chat_that_turns_after_it_was_saved_is_told_nothing() {
    inside("timeout:1 attempts:1", || {
        let world = World::new();
        let chats = [("slack", "slack.test", METADATA), ("discord", "discord.test", "10.0.0.1")];
        let made = chats.map(|(kind, name, _)| {
            world.dns.set(name, &[Reply::addresses(&[GOOD])]);
            let fields = json!({ "kind": kind, "url": url(name) });
            let made = world.server.post("/alerts", &fields).expect(201).json();
            format!("/alerts/{}", made["id"].as_str().expect("an id"))
        });
        let test = |world: &World, alert: &str| {
            world.server.post(&format!("{alert}/test"), &json!({})).expect(200).json()
        };
        for alert in &made {
            assert_eq!(test(&world, alert)["success"], true);
        }
        let world = world.restart();
        for ((_, name, turned), alert) in chats.iter().zip(&made) {
            world.dns.set(name, &[Reply::addresses(&[turned])]);
            let tested = test(&world, alert);
            let error = tested["error"].as_str().expect("a reason");
            assert!(error.starts_with("blocked: "), "{tested}");
            let shown = world.server.get(alert);
            assert_eq!(shown["last_error"], error, "it is noted: {shown}");
        }
        assert_eq!(world.receiver.count(), 2, "what was sent before they turned");
        world.only_spoke_to(&[GOOD]);
    });
}
