//! Many names, and names with many addresses.

use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::dns::Reply;
use super::namespace::inside;
use super::world::{GOOD, GOOD_TOO, GOOD_V6, World, url};
use crate::support::length::short_or_long;
use crate::support::process::until;

#[test]
fn a_name_may_have_many_addresses_and_one_bad_among_them_denies_all() {
    inside("timeout:1 attempts:1", || {
        let public = |count: usize| -> Vec<String> {
            (0..count).map(|n| format!("93.184.{}.{}", n / 250, n % 250 + 1)).collect()
        };
        let reply = |addresses: &[String], last: &[&str]| {
            let all: Vec<&str> = addresses.iter().map(String::as_str).chain(last.iter().copied()).collect();
            vec![Reply::addresses(&all)]
        };
        // Answers that do not fit into a datagram.
        let scripts = [
            ("forty.test", reply(&public(40), &[])),
            ("forty-and-one.test", reply(&public(40), &["10.0.0.1"])),
            ("forty-and-one-v6.test", reply(&public(40), &["fd00:ec2::254"])),
            ("too-many.test", reply(&public(300), &[])),
        ];
        let world = World::new().after_saving(&scripts);
        let ended = world.ended(&world.publish("forty.test"), "delivered");
        assert!(ended.attempt["address"].as_str().is_some_and(|address| address.starts_with("93.184.0.")));
        for name in ["forty-and-one.test", "forty-and-one-v6.test"] {
            world.ended(&world.publish(name), "failed").expect_blocked();
        }
        let ended = world.ended(&world.publish("too-many.test"), "failed");
        assert!(ended.error.contains("more than 256 addresses"), "{ended:?}");
        let all = public(40);
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        world.only_spoke_to(&all);
    });
}

#[test]
fn thousands_of_names_need_bounded_memory_and_threads() {
    inside("timeout:5 attempts:2", || {
        let count = short_or_long(1_000, 20_000);
        let world = World::new();
        world.raise_limit();
        world.dns.set("*.many.test", &[Reply::addresses(&[GOOD, GOOD_TOO, GOOD_V6])]);
        let numbers: Vec<usize> = (0..count).collect();
        let before = status(&world, "VmRSS:");
        thread::scope(|scope| {
            for part in numbers.chunks(count / 4) {
                let server = &world.server;
                scope.spawn(move || {
                    for number in part {
                        server.endpoint(&url(&format!("n{number}.many.test")), &json!({}));
                    }
                });
            }
        });
        let saved = status(&world, "VmRSS:");
        let world = world.restart();
        world.publish("to.all");
        let (mut memory, mut threads) = (0, 0);
        until("every delivery", Duration::from_mins(15), || {
            memory = memory.max(status(&world, "VmRSS:"));
            threads = threads.max(status(&world, "Threads:"));
            (world.receiver.count() >= count).then_some(())
        });
        eprintln!(
            "{count} names: {before} kB at first, {saved} kB when saved, {memory} kB and {threads} threads at most"
        );
        // Those that deliver and those that ask for names, each at its most, and a few others.
        assert!(threads < 512 + 320 + 32, "{threads} threads");
        // An endpoint itself, its name and its addresses are remembered: some 3 KB each.
        let limit = if std::env::var_os("POSTRIDER_BIN").is_some() { 60 } else { 100 };
        assert!(memory < limit * 1024 + 3 * count as u64, "{memory} kB");
        assert_eq!(world.receiver.count(), count);
        world.only_spoke_to(&[GOOD, GOOD_TOO, GOOD_V6]);
    });
}

/// A figure of the server's process.
fn status(world: &World, field: &str) -> u64 {
    let path = format!("/proc/{}/status", world.server.process.pid());
    let text = fs::read_to_string(path).expect("a process that runs");
    let line = text.lines().find_map(|line| line.strip_prefix(field)).expect("the field");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
