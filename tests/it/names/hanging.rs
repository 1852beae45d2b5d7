//! DNS servers that never answer: for one name, for many, for all.

use std::time::Duration;

use serde_json::{Value, json};

use super::dns::Reply;
use super::namespace::inside;
use super::world::{GOOD, World, url};
use crate::support::process::{PATIENCE, until};

#[test]
fn a_name_that_hangs_fails_by_itself_and_delays_no_other() {
    inside("timeout:30 attempts:1", || {
        let world = World::new();
        world.dns.set("hangs.test", &[Reply::Silence]);
        world.dns.set("*.good.test", &[Reply::addresses(&[GOOD])]);
        let endpoint = json!({ "url": url("hangs.test"), "events": ["hangs.test"], "retry_schedule": [] });
        let saved = world.server.post("/endpoints", &endpoint).expect(201).json();
        assert!(saved["warnings"].to_string().contains("hangs.test"), "{saved}");
        let hanging = world.publish("hangs.test");
        let good: Vec<_> = (0..8).map(|number| format!("n{number}.good.test")).collect();
        for name in &good {
            world.endpoint(name);
            world.ended(&world.publish(name), "delivered");
        }
        let ended = world.ended(&hanging, "failed");
        assert!(
            ended.error.contains("hangs.test") && ended.error.contains("no answer within 5 s"),
            "{ended:?}"
        );
        assert!(ended.attempt["duration_ms"].as_u64().is_some_and(|ms| ms < 11_000), "{ended:?}");
        assert_eq!(world.dns.asked("hangs.test"), 1, "nobody asks again as long as a question is open");
        assert_eq!(world.server.readiness().0, 200);
        let world = world.restart();
        world.dns.set("hangs.test", &[Reply::addresses(&[GOOD])]);
        world.ended(&world.publish("hangs.test"), "delivered");
        world.only_spoke_to(&[GOOD]);
    });
}

#[test]
fn a_resolver_that_answers_for_no_name_uses_up_no_attempt() {
    inside("timeout:1 attempts:1", || {
        let names = ["one.test", "two.test", "three.test"];
        let world = World::new().after_saving(&names.map(|name| (name, vec![Reply::Silence])));
        let mut deliveries = Vec::new();
        for name in names {
            deliveries.push(only_delivery(&world, &world.publish(name)));
            // The first lookup fails while the next one is still under way.
            until("a question", PATIENCE, || (world.dns.asked(name) > 0).then_some(()));
            std::thread::park_timeout(Duration::from_millis(300));
        }
        until("trouble that is ours", PATIENCE, || {
            let (status, body) = world.server.readiness();
            (status == 503 && body.to_string().contains("check its DNS")).then_some(())
        });
        for delivery in &deliveries {
            let path = format!("/deliveries/{}", delivery["id"].as_str().expect("an id"));
            let found = until("an answer", PATIENCE, || {
                let found = world.server.get(&path);
                (!found["error"].is_null()).then_some(found)
            });
            assert_eq!((&found["status"], &found["attempts"]), (&json!("pending"), &json!(0)), "{found}");
        }
        for name in names {
            world.dns.set(name, &[Reply::addresses(&[GOOD])]);
        }
        for delivery in &deliveries {
            let path = format!("/deliveries/{}", delivery["id"].as_str().expect("an id"));
            until("a delivery", Duration::from_mins(2), || {
                if world.server.get(&path)["status"] == "delivered" {
                    return Some(());
                }
                // An operator who does not want to wait. It may be in flight, or just delivered.
                world.server.client.post(&format!("/api/v1{path}/retry"), &json!({}));
                std::thread::park_timeout(Duration::from_millis(500));
                None
            });
        }
        assert_eq!(world.server.readiness().0, 200);
        world.only_spoke_to(&[GOOD]);
    });
}

#[test]
fn two_hundred_names_that_hang_delay_no_other() {
    // What glibc does when it is told nothing.
    inside("timeout:5 attempts:2", || {
        let names: Vec<_> = (0..200).map(|number| format!("n{number}.hanging.test")).collect();
        let scripts: Vec<_> = names.iter().map(|name| (name.as_str(), vec![Reply::Silence])).collect();
        let world = World::new();
        world.raise_limit();
        let world =
            world.after_saving(&[&scripts[..], &[("good.test", vec![Reply::addresses(&[GOOD])])]].concat());
        for name in &names {
            world.publish(name);
        }
        // Sixty-four threads would need more than half a minute for that.
        let all = names.len();
        until("every name to be asked for", PATIENCE, || (world.dns.names_asked() == all).then_some(()));
        // It succeeds at its first attempt, which waits for its name for 5 s at most.
        world.ended(&world.publish("good.test"), "delivered");
        world.only_spoke_to(&[GOOD]);
    });
}

#[track_caller]
fn only_delivery(world: &World, event: &Value) -> Value {
    let path = format!("/events/{}/deliveries", event["id"].as_str().expect("an id"));
    world.server.get(&path)["data"][0].clone()
}
