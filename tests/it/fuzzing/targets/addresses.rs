//! The guard of addresses, against lists of networks as the contract has them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use postrider::domain::address::{AllowedNet, Policy};

const DENIED: [&str; 21] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "168.63.129.16/32",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "fd00:ec2::254/128",
];
const METADATA: [&str; 6] =
    ["169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254"];

/// A byte that says how the address is made, the address, a port, and then entries that are allowed or our own.
pub fn target(bytes: &[u8]) {
    let Some((&[how, ref raw @ .., high, low], rest)) = bytes.split_first_chunk::<19>() else { return };
    let (ip, port) = (address(how, *raw), u16::from_be_bytes([high, low]));
    let policy = policy(rest, ip, port);
    let verdict = policy.check(ip, port);
    assert_eq!(verdict.is_ok(), passes(&policy, ip, port), "{ip} {port}: {verdict:?} under {policy:?}");
    if let Err(denied) = verdict {
        let within = matches!(ip, IpAddr::V6(v6) if inside(v6).iter().any(|v4| denied.address.ip() == *v4));
        assert!(denied.address.port() == port && (denied.address.ip() == ip || within), "{denied:?}");
        assert!(denied.to_string().contains(&denied.address.ip().to_string()), "{denied}");
    }
    if let IpAddr::V4(v4) = ip {
        let mapped = policy.check(v4.to_ipv6_mapped().into(), port);
        assert!(mapped.is_err() || policy.check(ip, port).is_ok(), "{v4} passes as a mapped address");
    }
    let open = Policy { allow: vec!["0.0.0.0/0", "::/0"].into_iter().map(allow).collect(), own: vec![] };
    assert_eq!(open.check(ip, port).is_err(), is_metadata(ip), "{ip}, where everything is allowed");
}

fn allow(net: &str) -> AllowedNet {
    AllowedNet { net: net.parse().expect("a network"), port: None }
}

/// Whether endpoints reach an address that nothing allows.
pub fn is_public(ip: IpAddr) -> bool {
    passes(&Policy::default(), ip, 443)
}

/// IPv4, IPv6, or one of the forms that carry IPv4; some of them at places that matter.
fn address(how: u8, raw: [u8; 16]) -> IpAddr {
    let v4 = Ipv4Addr::new(raw[12], raw[13], raw[14], raw[15]);
    let mut bytes = raw;
    let prefix: &[u8] = match how % 10 {
        0 => return v4.into(),
        1 => return METADATA[usize::from(raw[0]) % METADATA.len()].parse().expect("an address"),
        2 => {
            let net: IpNet = DENIED[usize::from(raw[0]) % DENIED.len()].parse().expect("a network");
            return edge(net, raw[1]);
        }
        3 => &[0; 12],
        4 => &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
        5 => &[0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0],
        6 => &[0, 0x64, 0xff, 0x9b, 0, 1],
        7 => &[0x20, 2],
        8 => &[0x20, 1],
        _ => &[],
    };
    bytes[..prefix.len()].copy_from_slice(prefix);
    if how >= 128 {
        bytes[8] = 0;
        bytes[13..].fill(0);
    }
    Ipv6Addr::from(bytes).into()
}

/// The first or last address of a network, or the one before or after it.
fn edge(net: IpNet, which: u8) -> IpAddr {
    let (first, last) = (net.network(), net.broadcast());
    let moved = |ip: IpAddr, by: i8| match ip {
        IpAddr::V4(v4) => IpAddr::from(Ipv4Addr::from_bits(v4.to_bits().wrapping_add_signed(by.into()))),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits().wrapping_add_signed(by.into())).into(),
    };
    match which % 4 {
        0 => first,
        1 => last,
        2 => moved(first, -1),
        _ => moved(last, 1),
    }
}

/// Up to four entries of four bytes: about this address, or about one of the denied networks.
fn policy(bytes: &[u8], ip: IpAddr, port: u16) -> Policy {
    let mut policy = Policy::default();
    for &[kind, which, length, with_port] in bytes.as_chunks::<4>().0.iter().take(4) {
        let about: IpNet = match which % 3 {
            0 => ip.into(),
            1 => DENIED[usize::from(which / 3) % DENIED.len()].parse().expect("a network"),
            _ => METADATA[usize::from(which / 3) % METADATA.len()]
                .parse::<IpAddr>()
                .expect("an address")
                .into(),
        };
        let net = IpNet::new(about.addr(), length % (about.max_prefix_len() + 1)).expect("a length").trunc();
        let named = if with_port & 2 == 0 { port } else { 8080 };
        if kind % 3 == 0 {
            let own =
                [about.addr(), Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into(), ip.to_canonical()];
            policy.own.push(SocketAddr::new(own[usize::from(with_port) % 4], named));
        } else {
            policy.allow.push(AllowedNet { net, port: (with_port & 1 == 1).then_some(named) });
        }
    }
    policy
}

/// The verdict, by the words of the contract.
fn passes(policy: &Policy, ip: IpAddr, port: u16) -> bool {
    let covered = |entry: &&AllowedNet| entry.net.contains(&ip) && entry.port.is_none_or(|only| only == port);
    let allowed = policy.allow.iter().any(|entry| covered(&entry));
    let named = policy.allow.iter().filter(|entry| entry.port.is_some()).any(|entry| covered(&entry));
    if is_metadata(ip) || (is_own(policy, ip, port) && !named) {
        return false;
    }
    match ip {
        IpAddr::V6(v6) if is_form(v6) => {
            inside(v6).into_iter().all(|v4| passes(policy, v4.into(), port)) && allowed
        }
        _ => allowed || !is_denied(ip),
    }
}

fn is_own(policy: &Policy, ip: IpAddr, port: u16) -> bool {
    let ip = ip.to_canonical();
    policy.own.iter().filter(|own| own.port() == port).map(|own| own.ip().to_canonical()).any(|own| {
        own == ip
            || (own.is_unspecified() && (ip.is_loopback() || ip.is_unspecified()))
            || (own.is_loopback() && ip.is_unspecified())
    })
}

fn is_denied(ip: IpAddr) -> bool {
    let listed = DENIED.iter().any(|net| net.parse::<IpNet>().expect("a network").contains(&ip));
    listed || matches!(ip, IpAddr::V6(v6) if v6.octets()[0] >> 5 != 1)
}

fn is_form(v6: Ipv6Addr) -> bool {
    let forms = ["::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48"];
    forms.iter().any(|net| net.parse::<IpNet>().expect("a network").contains(&IpAddr::from(v6)))
}

/// The addresses that a form can stand for, by the table of RFC 6052, section 2.2.
fn inside(v6: Ipv6Addr) -> Vec<Ipv4Addr> {
    let b = v6.octets();
    let mut found = vec![Ipv4Addr::new(b[12], b[13], b[14], b[15])];
    let zero = |from: usize| b[8] == 0 && b[from..].iter().all(|byte| *byte == 0);
    if b[..6] == [0, 0x64, 0xff, 0x9b, 0, 1] {
        let shapes = [(11, [6, 7, 9, 10]), (12, [7, 9, 10, 11]), (13, [9, 10, 11, 12])];
        let fits = shapes.into_iter().filter(|(from, _)| zero(*from));
        found.extend(fits.map(|(_, at)| Ipv4Addr::from(at.map(|at: usize| b[at]))));
    }
    found
}

fn is_metadata(ip: IpAddr) -> bool {
    let listed = |ip: IpAddr| METADATA.iter().any(|known| known.parse() == Ok(ip));
    let IpAddr::V6(v6) = ip else { return listed(ip) };
    let b = v6.octets();
    let six_to_four = Ipv4Addr::new(b[2], b[3], b[4], b[5]);
    let compatible = Ipv4Addr::new(b[12], b[13], b[14], b[15]);
    listed(ip)
        || (b[..2] == [0x20, 2] && listed(six_to_four.into()))
        || (b[..12] == [0; 12] && listed(compatible.into()))
        || (is_form(v6) && inside(v6).into_iter().any(|v4| listed(v4.into())))
}
