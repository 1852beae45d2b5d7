//! Names that have forbidden addresses, alone, among good ones, and behind others.

use serde_json::json;

use super::dns::Reply;
use super::namespace::inside;
use super::world::{GOOD, GOOD_TOO, GOOD_V6, World, url};

/// One of each range and of each form, and the metadata services.
const FORBIDDEN: [&str; 48] = [
    "0.0.0.0",
    "0.0.0.1",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.0.0.2",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::169.254.169.254",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:93.184.216.34",
    "64:ff9b::127.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b::93.184.216.34",
    "64:ff9b:1::10.0.0.1",
    "100::1",
    "2001::1",
    "2001:1ff::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "5f00::1",
];

/// How an address is hidden: alone, beside good ones before and after it, and behind other names.
fn disguises(address: &str) -> [Reply; 4] {
    [
        Reply::addresses(&[address]),
        Reply::addresses(&[GOOD, GOOD_V6, address]),
        Reply::addresses(&[address, GOOD, GOOD_TOO]),
        Reply::chain(&["www.cdn.test", "edge.cdn.test"], &[GOOD, address]),
    ]
}

#[test]
fn a_forbidden_address_is_refused_when_it_is_saved_and_sees_no_packet() {
    inside("timeout:1 attempts:1", || {
        let world = World::new();
        for (index, address) in FORBIDDEN.iter().enumerate() {
            for (way, reply) in disguises(address).into_iter().enumerate() {
                let name = format!("saved-{index}-{way}.test");
                world.dns.set(&name, &[reply]);
                let answer = world.server.post("/endpoints", &json!({ "url": url(&name), "events": ["*"] }));
                assert_eq!(answer.status, 422, "{address}, {way}: {}", answer.text());
                assert_eq!(world.dns.asked(&name), 1, "{address}");
            }
        }
        world.only_spoke_to(&[]);
    });
}

#[test]
fn a_forbidden_address_behind_a_saved_name_denies_the_name_and_sees_no_packet() {
    inside("timeout:1 attempts:1", || {
        let mut scripts = Vec::new();
        for (index, address) in FORBIDDEN.iter().enumerate() {
            let way = index % disguises(address).len();
            scripts.push((format!("turned-{index}.test"), vec![disguises(address)[way].clone()]));
        }
        let scripts: Vec<_> = scripts.iter().map(|(name, script)| (name.as_str(), script.clone())).collect();
        let world = World::new();
        world.raise_limit();
        let world = world.after_saving(&scripts);
        let events: Vec<_> = scripts.iter().map(|(name, _)| world.publish(name)).collect();
        for event in &events {
            world.ended(event, "failed").expect_blocked();
        }
        assert_eq!(world.receiver.count(), 0);
        world.only_spoke_to(&[]);
    });
}

#[test]
fn names_behind_names_are_judged_by_where_they_lead() {
    inside("timeout:1 attempts:1", || {
        let long: Vec<String> = (0..12).map(|step| format!("step-{step}.chain.test")).collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        let good = [
            ("short.test", Reply::chain(&["edge.cdn.test"], &[GOOD])),
            ("long.test", Reply::chain(&long, &[GOOD, GOOD_V6])),
            ("inside.test", Reply::chain(&["app.internal", "localhost"], &[GOOD_TOO])),
        ];
        let bad = [
            ("home.test", Reply::chain(&["localhost"], &["127.0.0.1"])),
            ("home-v6.test", Reply::chain(&["localhost"], &["::1"])),
            ("metadata.test", Reply::chain(&["metadata.google.internal"], &["169.254.169.254"])),
            ("deep.test", Reply::chain(&long, &[GOOD, "10.0.0.1"])),
        ];
        let nowhere = [
            ("empty.test", Reply::chain(&["localhost"], &[])),
            ("round.test", Reply::chain(&["other.test", "round.test"], &[])),
        ];
        let all = good.iter().chain(&bad).chain(&nowhere);
        let scripts: Vec<_> = all.map(|(name, reply)| (*name, vec![reply.clone()])).collect();
        let world = World::new().after_saving(&scripts);
        for (name, _) in &good {
            world.ended(&world.publish(name), "delivered");
        }
        for (name, _) in &bad {
            world.ended(&world.publish(name), "failed").expect_blocked();
        }
        for (name, _) in &nowhere {
            let ended = world.ended(&world.publish(name), "failed");
            assert!(ended.error.contains("no such name") && ended.attempt["address"].is_null(), "{ended:?}");
        }
        assert_eq!(world.receiver.count(), good.len());
        world.only_spoke_to(&[GOOD, GOOD_TOO, GOOD_V6]);
    });
}
