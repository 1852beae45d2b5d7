//! When an endpoint that was told of is told to have recovered.

use std::time::Duration;

use serde_json::json;

use crate::support::receiver::{Gate, Reply};

use super::World;

/// The endpoint of `acme` receives again, and that is told.
fn recovers(world: &World) {
    world.receiver.always_on("/dead/acme", Reply::ok());
    world.fall("acme");
    world.tell();
    assert!(world.last().starts_with("*Postrider: 1 endpoint has recovered*"), "{}", world.last());
}

#[test]
fn an_endpoint_that_is_enabled_has_recovered_once_something_succeeds() {
    let (world, gate) = (World::new(), Gate::new());
    world.chat(&json!({}));
    world.receiver.always_on("/gone", Reply::status(410));
    let gone = world.app.endpoint_at(&world.receiver, "/gone");
    world.app.publish("a.b", &json!(1));
    world.app.settle();
    world.tell();
    assert!(world.last().starts_with("*Postrider: 1 endpoint was disabled*"), "{}", world.last());
    world.receiver.always_on("/gone", Reply::ok().gated(&gate));
    world.app.enable(&gone);
    world.receiver.wait_in_flight(1);
    for _ in 0..2 {
        // Not settled: what was held for it is in flight.
        world.look();
        world.app.clock().advance(super::COLLECT);
        world.look();
    }
    assert_eq!(world.told().len(), 1, "nobody knows yet whether it receives");
    gate.open();
    world.app.settle();
    world.tell();
    assert!(world.last().starts_with("*Postrider: 1 endpoint has recovered*"), "{}", world.last());
    assert!(world.last().contains("/gone: receives again"), "{}", world.last());
    world.tell();
    assert_eq!(world.told().len(), 2);
}

#[test]
fn an_endpoint_that_is_enabled_and_fails_again_is_told_of_as_failing() {
    let world = World::new();
    world.chat(&json!({}));
    world.receiver.always_on("/gone", Reply::status(410));
    let fields = json!({ "retry_schedule": [], "events": ["fall"] });
    let gone = world.app.endpoint_with(&world.receiver, "/gone", &fields);
    world.app.publish("fall", &json!(1));
    world.app.settle();
    world.tell();
    world.receiver.always_on("/gone", Reply::status(500));
    world.app.enable(&gone);
    world.app.settle();
    world.tell();
    assert_eq!(world.told().len(), 2, "{:#?}", world.told());
    assert!(world.last().starts_with("*Postrider: 1 endpoint is failing*"), "{}", world.last());
}

#[test]
fn an_endpoint_that_somebody_switches_off_or_deletes_has_not_recovered() {
    let world = World::new();
    world.chat(&json!({}));
    let dead = world.dead("acme", 3);
    world.tell();
    world.app.disable(&dead[0]);
    world.app.delete_endpoint(&dead[1]);
    world.tell();
    assert_eq!(world.told().len(), 1, "whoever did it knows: {:#?}", world.told());
    recovers(&world);
}

#[test]
fn an_endpoint_that_recovers_and_falls_for_good_within_a_day_is_told_of_after_an_hour() {
    let world = World::new();
    world.chat(&json!({}));
    world.dead("acme", 1);
    world.tell();
    recovers(&world);
    world.receiver.always_on("/dead/acme", Reply::status(500));
    world.fall("acme");
    world.tell();
    world.pass(Duration::from_mins(50));
    assert_eq!(world.told().len(), 2, "it may flap: {:#?}", world.told());
    world.pass(Duration::from_mins(10));
    world.tell();
    assert_eq!(world.told().len(), 3, "{:#?}", world.told());
    assert!(world.last().starts_with("*Postrider: 1 endpoint is failing*"), "{}", world.last());
    world.pass(Duration::from_hours(30));
    assert_eq!(world.told().len(), 3);
}

#[test]
fn a_condition_that_nobody_asks_for_any_more_is_not_told_to_be_over() {
    let world = World::new();
    let id = world.chat(&json!({}));
    world.app.change_settings(&json!({ "alert_disk_percent": 1 }));
    world.dead("acme", 1);
    world.tell();
    assert!(world.last().contains("the disk is nearly full, 1 endpoint is failing"), "{}", world.last());
    let fewer = json!({ "conditions": ["backlog", "endpoint_disabled", "endpoint_recovered"] });
    world.app.patch(&format!("/alerts/{id}"), &fewer).expect(200);
    world.tell();
    assert_eq!(world.told().len(), 1, "{:#?}", world.told());
}

#[test]
fn an_endpoint_that_failed_and_is_disabled_has_not_recovered_for_who_asks_for_failing_ones_alone() {
    let world = World::new();
    world.chat(&json!({ "conditions": ["endpoint_failing", "endpoint_recovered"] }));
    let dead = world.dead("acme", 1).remove(0);
    world.tell();
    world.receiver.always_on("/dead/acme", Reply::status(410));
    world.fall("acme");
    world.tell();
    assert_eq!((world.app.endpoint(&dead)["health"].as_str(), world.told().len()), (Some("disabled"), 1));
    world.receiver.always_on("/dead/acme", Reply::ok());
    world.app.enable(&dead);
    world.app.settle();
    world.tell();
    assert!(world.last().starts_with("*Postrider: 1 endpoint has recovered*"), "{}", world.last());
}
