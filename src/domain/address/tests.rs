//! The guard over its whole ranges.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::*;
use proptest::prelude::*;

/// What the contract denies, once more and in another form than the rule's tables.
const DENIED_V4: &str = "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 \
     172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 \
     203.0.113.0/24 224.0.0.0/4 240.0.0.0/4";
const DENIED_V6: &str = "2001::/23 2001:db8::/32 2002::/16 3fff::/20";

fn nets(text: &str) -> Vec<IpNet> {
    text.split_whitespace().map(net).collect()
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

/// `CIDR` or `CIDR:PORT`.
fn allowed(text: &str) -> AllowedNet {
    let (address, rest) = text.split_once('/').unwrap();
    let (length, port) = rest.split_once(':').map_or((rest, None), |(length, port)| (length, Some(port)));
    AllowedNet { net: net(&format!("{address}/{length}")), port: port.map(|port| port.parse().unwrap()) }
}

fn policy(allow: &[&str]) -> Policy {
    Policy { allow: allow.iter().map(|text| allowed(text)).collect(), own: Vec::new() }
}

fn check(policy: &Policy, ip: &str) -> Result<(), Rule> {
    policy.check(ip.parse().unwrap(), 443).map_err(|denied| denied.rule)
}

fn denied_v4(ip: Ipv4Addr) -> bool {
    nets(DENIED_V4).iter().any(|range| range.contains(&IpAddr::V4(ip)))
}

fn denied_v6(ip: Ipv6Addr) -> bool {
    !net("2000::/3").contains(&IpAddr::V6(ip))
        || nets(DENIED_V6).iter().any(|range| range.contains(&IpAddr::V6(ip)))
}

fn mapped(v4: Ipv4Addr) -> Ipv6Addr {
    v4.to_ipv6_mapped()
}

/// RFC 6052, section 2.2: `v4` after a prefix of `length` bits, around the zero bits 64 to 71.
fn nat64(prefix: Ipv6Addr, length: usize, v4: Ipv4Addr) -> Ipv6Addr {
    let mut bytes = prefix.octets();
    let places = (length / 8..16).filter(|place| *place != 8);
    for (place, byte) in places.zip(v4.octets()) {
        bytes[place] = byte;
    }
    Ipv6Addr::from(bytes)
}

#[test]
fn the_first_and_last_address_of_each_range_is_denied_and_its_neighbours_are_judged_by_themselves() {
    let none = policy(&[]);
    for range in nets(DENIED_V4) {
        let IpNet::V4(range) = range else { unreachable!() };
        let (first, last) = (range.network(), range.broadcast());
        assert!(none.check(first.into(), 443).is_err(), "{first}");
        assert!(none.check(last.into(), 443).is_err(), "{last}");
        let neighbours = [first.to_bits().checked_sub(1), last.to_bits().checked_add(1)];
        for ip in neighbours.into_iter().flatten().map(Ipv4Addr::from_bits) {
            assert_eq!(none.check(ip.into(), 443).is_err(), denied_v4(ip), "{ip}, next to {range}");
        }
    }
    for range in nets(DENIED_V6) {
        let IpNet::V6(range) = range else { unreachable!() };
        let (first, last) = (range.network(), range.broadcast());
        assert!(none.check(first.into(), 443).is_err(), "{first}");
        assert!(none.check(last.into(), 443).is_err(), "{last}");
        for ip in [first.to_bits() - 1, last.to_bits() + 1].map(Ipv6Addr::from_bits) {
            assert_eq!(none.check(ip.into(), 443).is_err(), denied_v6(ip), "{ip}, next to {range}");
        }
    }
}

#[test]
fn the_first_addresses_outside_are_allowed() {
    let none = policy(&[]);
    let outside = "1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 \
         169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.1.255 \
         192.0.3.0 192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 \
         198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255 168.63.129.15 \
         168.63.129.17 2000:: 2000:ffff::1 2001:200:: 2001:db7::1 2001:db9:: 2001:ffff::1 2003:: \
         3ffe:ffff:: 3fff:1000:: 2606:4700:4700::1111";
    for ip in outside.split_whitespace() {
        assert_eq!(check(&none, ip), Ok(()), "{ip}");
    }
    for ip in [
        "1fff:ffff::",
        "4000::",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::10.0.0.1",
        "255.255.255.255",
    ] {
        assert!(check(&none, ip).is_err(), "{ip}");
    }
}

#[test]
fn metadata_addresses_are_denied_whatever_is_allowed() {
    let all = policy(&["0.0.0.0/0", "::/0", "169.254.169.254/32:80"]);
    let forms = "169.254.169.254 169.254.170.2 168.63.129.16 100.100.100.200 192.0.0.192 fd00:ec2::254 \
         ::ffff:169.254.169.254 64:ff9b::169.254.169.254 64:ff9b:1::169.254.169.254 ::169.254.169.254 \
         2002:a9fe:a9fe::1 64:ff9b:1:a9fe:a9:fe00:: 64:ff9b:1:0:a9:fea9:fe00:0";
    for ip in forms.split_whitespace() {
        assert_eq!(check(&all, ip), Err(Rule::Metadata), "{ip}");
    }
    assert_eq!(check(&all, "169.254.169.253"), Ok(()));
}

#[test]
fn translated_forms_need_the_form_and_the_address_inside_to_be_allowed() {
    assert!(matches!(check(&policy(&[]), "::ffff:8.8.8.8"), Err(Rule::Form("::ffff:0:0/96", _))));
    assert!(matches!(check(&policy(&[]), "64:ff9b::8.8.8.8"), Err(Rule::Form("64:ff9b::/96", _))));
    let nat = policy(&["64:ff9b::/96"]);
    assert_eq!(check(&nat, "64:ff9b::8.8.8.8"), Ok(()));
    assert!(matches!(check(&nat, "64:ff9b::10.0.0.1"), Err(Rule::Range("10.0.0.0/8", _))));
    let both = policy(&["64:ff9b::/96", "10.0.0.0/8"]);
    assert_eq!(check(&both, "64:ff9b::10.0.0.1"), Ok(()));
    assert!(check(&policy(&["10.0.0.0/8"]), "::ffff:10.0.0.1").is_err());
}

#[test]
fn our_own_address_needs_an_entry_that_names_the_port() {
    let mut policy = policy(&["127.0.0.0/8", "::1/128"]);
    policy.own = vec!["127.0.0.1:8383".parse().unwrap(), "0.0.0.0:9000".parse().unwrap()];
    let rule = |policy: &Policy, ip: &str, port| policy.check(ip.parse().unwrap(), port).map_err(|d| d.rule);
    assert_eq!(rule(&policy, "127.0.0.1", 8383), Err(Rule::Own));
    assert_eq!(rule(&policy, "127.0.0.1", 8384), Ok(()));
    assert_eq!(rule(&policy, "127.0.0.2", 8383), Ok(()));
    assert_eq!(rule(&policy, "127.0.0.2", 9000), Err(Rule::Own));
    assert_eq!(rule(&policy, "::1", 9000), Err(Rule::Own), "a socket on every address may be dual-stack");
    assert!(policy.listens_everywhere_on(9000) && !policy.listens_everywhere_on(8383));
    assert!(policy.check_own("8.8.8.8".parse().unwrap(), 9000).is_err());
    policy.allow.push(allowed("127.0.0.1/32:8383"));
    assert_eq!(rule(&policy, "127.0.0.1", 8383), Ok(()));
}

#[test]
fn a_refusal_names_the_rule_and_the_option() {
    let refusal = |ip: &str| policy(&[]).check(ip.parse().unwrap(), 443).unwrap_err().to_string();
    assert_eq!(
        refusal("10.0.0.7"),
        "10.0.0.7 is in 10.0.0.0/8 (private), which endpoints may not reach; the server's `--allow-net 10.0.0.7/32` allows it"
    );
    assert!(refusal("169.254.169.254").contains("no option allows"));
    assert!(refusal("::ffff:8.8.8.8").contains("--allow-net ::ffff:0:0/96"));
}

proptest! {
    #[test]
    fn ipv4_is_denied_exactly_inside_the_ranges(bits: u32) {
        let ip = Ipv4Addr::from_bits(bits);
        prop_assert_eq!(policy(&[]).check(ip.into(), 443).is_err(), denied_v4(ip));
    }

    #[test]
    fn ipv6_is_denied_exactly_inside_the_ranges(bits: u128, global: bool) {
        let bits = if global { bits >> 3 | 1 << 125 } else { bits };
        let ip = Ipv6Addr::from_bits(bits);
        prop_assert_eq!(policy(&[]).check(ip.into(), 443).is_err(), denied_v6(ip));
    }

    #[test]
    fn every_address_inside_a_range_is_denied_in_every_form(
        range in prop::sample::select(nets(DENIED_V4)), bits: u32, length in prop::sample::select(vec![48usize, 56, 64, 96]),
    ) {
        let IpNet::V4(range) = range else { unreachable!() };
        let ip = Ipv4Addr::from_bits(range.network().to_bits() | (bits & range.hostmask().to_bits()));
        let forms = policy(&["::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48"]);
        let local = "64:ff9b:1::".parse().unwrap();
        let wide = "64:ff9b::".parse().unwrap();
        prop_assert!(forms.check(ip.into(), 443).is_err());
        prop_assert!(forms.check(mapped(ip).into(), 443).is_err());
        prop_assert!(forms.check(nat64(wide, 96, ip).into(), 443).is_err());
        prop_assert!(forms.check(nat64(local, length, ip).into(), 443).is_err());
    }

    #[test]
    fn a_public_address_in_an_allowed_form_is_reachable(bits: u32) {
        let ip = Ipv4Addr::from_bits(bits);
        prop_assume!(!denied_v4(ip));
        let forms = policy(&["::ffff:0:0/96", "64:ff9b::/96"]);
        prop_assert!(forms.check(mapped(ip).into(), 443).is_ok());
        prop_assert!(forms.check(nat64("64:ff9b::".parse().unwrap(), 96, ip).into(), 443).is_ok());
        prop_assert!(policy(&[]).check(mapped(ip).into(), 443).is_err());
    }

    #[test]
    fn an_allowed_network_allows_its_addresses_on_its_port_alone(host: u8, port: u16) {
        let ip = IpAddr::V4(Ipv4Addr::new(10, 9, 8, host));
        let policy = policy(&["10.9.8.0/24:8080"]);
        prop_assert_eq!(policy.check(ip, port).is_ok(), port == 8080);
    }
}
