//! Answers that are none: codes, lies, cut and mangled messages.

use super::dns::Reply;
use super::namespace::inside;
use super::world::{GOOD, World};

/// Where the question of an answer ends, and its records begin.
fn records(message: &[u8]) -> usize {
    let mut at = 12;
    while message[at] > 0 {
        at += 1 + usize::from(message[at]);
    }
    at + 5
}

/// Each leads somewhere forbidden, as far as it can be understood.
fn oddities() -> Vec<(&'static str, Reply)> {
    let mangled = |how| Reply::mangled(&["10.0.0.1", "::1"], how);
    vec![
        ("format-error", Reply::Code(1)),
        ("server-failure", Reply::Code(2)),
        ("not-implemented", Reply::Code(4)),
        ("refused", Reply::Code(5)),
        ("silence", Reply::Silence),
        ("other-id", mangled(|m| m[0] ^= 0xff)),
        ("other-question", mangled(|m| m[13] ^= 1)),
        (
            "other-owner",
            mangled(|m| {
                let at = records(m);
                m[at + 1] ^= 1;
            }),
        ),
        ("no-answer-bit", mangled(|m| m[2] &= 0x7f)),
        ("only-over-tcp", mangled(|m| m[2] |= 2)),
        ("cut", mangled(|m| m.truncate(m.len() - 3))),
        ("only-a-head", mangled(|m| m.truncate(12))),
        ("three-bytes", mangled(|m| m.truncate(3))),
        ("empty", mangled(Vec::clear)),
        ("too-many-records", mangled(|m| m[7] = 200)),
        ("no-question", mangled(|m| m[5] = 0)),
        ("noise", mangled(|m| (2..m.len()).for_each(|at| m[at] = m[at].wrapping_mul(151) ^ 0x5a))),
        (
            "pointer-to-itself",
            mangled(|m| {
                let at = records(m);
                m.splice(at..=at, [0xc0, u8::try_from(at).unwrap()]);
            }),
        ),
        (
            "long-address",
            mangled(|m| {
                let at = m.len() - 5;
                m[at] += 9;
            }),
        ),
        ("five-hundred-bytes-more", mangled(|m| m.resize(500, 0xff))),
    ]
}

#[test]
fn an_answer_that_is_none_fails_the_attempt_in_time_and_leads_nowhere() {
    inside("timeout:1 attempts:1", || {
        let names: Vec<_> =
            oddities().into_iter().map(|(name, reply)| (format!("{name}.test"), reply)).collect();
        let scripts: Vec<_> =
            names.iter().map(|(name, reply)| (name.as_str(), vec![reply.clone()])).collect();
        let world = World::new();
        world.raise_limit();
        let world =
            world.after_saving(&[&scripts[..], &[("good.test", vec![Reply::addresses(&[GOOD])])]].concat());
        world.ended(&world.publish("good.test"), "delivered");
        let events: Vec<_> = scripts.iter().map(|(name, _)| (name, world.publish(name))).collect();
        for (name, event) in &events {
            let ended = world.ended(event, "failed");
            assert!(ended.attempt["duration_ms"].as_u64().is_some_and(|ms| ms < 11_000), "{ended:?}");
            assert!(ended.attempt["address"].is_null() && !ended.error.is_empty(), "{name}: {ended:?}");
        }
        assert_eq!(world.receiver.count(), 1);
        let world = world.restart();
        for (name, _) in &scripts {
            world.dns.set(name, &[Reply::addresses(&[GOOD])]);
            world.ended(&world.publish(name), "delivered");
        }
        world.only_spoke_to(&[GOOD]);
    });
}
