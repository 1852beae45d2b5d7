//! When an endpoint that was told of is told to have recovered.

use serde_json::json;

use crate::support::receiver::{Gate, Reply};

use super::World;

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
    world.receiver.always_on("/dead/acme", Reply::ok());
    world.fall("acme");
    world.tell();
    assert!(world.last().starts_with("*Postrider: 1 endpoint has recovered*"), "{}", world.last());
}
