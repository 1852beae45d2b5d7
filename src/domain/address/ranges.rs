//! The tables of the guard, and the IPv4 addresses that hide in IPv6 ones.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A prefix, its length in bits, its text and what it is for.
type Range<T> = (T, u32, &'static str, &'static str);

const V4: [Range<Ipv4Addr>; 16] = [
    (Ipv4Addr::UNSPECIFIED, 8, "0.0.0.0/8", "this host"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "10.0.0.0/8", "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "100.64.0.0/10", "carrier's own"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "127.0.0.0/8", "loopback"),
    (Ipv4Addr::new(168, 63, 129, 16), 32, "168.63.129.16/32", "Azure's platform"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "169.254.0.0/16", "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "172.16.0.0/12", "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "192.0.0.0/24", "protocol assignments"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "192.0.2.0/24", "documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "192.88.99.0/24", "6to4 relays"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "192.168.0.0/16", "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "198.18.0.0/15", "benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "198.51.100.0/24", "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "203.0.113.0/24", "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "224.0.0.0/4", "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "240.0.0.0/4", "reserved"),
];

/// Denied parts of `2000::/3`, then names for the best known parts of the rest, all of which is denied.
const V6: [Range<Ipv6Addr>; 10] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "2001::/23", "protocol assignments"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "2001:db8::/32", "documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "2002::/16", "6to4"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "3fff::/20", "documentation"),
    (Ipv6Addr::UNSPECIFIED, 128, "::/128", "unspecified"),
    (Ipv6Addr::LOCALHOST, 128, "::1/128", "loopback"),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "fc00::/7", "private"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "fe80::/10", "link-local"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "ff00::/8", "multicast"),
    (Ipv6Addr::UNSPECIFIED, 96, "::/96", "IPv4-compatible"),
];

const GLOBAL: Ipv6Addr = Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0);

/// Forms that carry an IPv4 address and are judged by it.
const FORMS: [Range<Ipv6Addr>; 3] = [
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, "::ffff:0:0/96", "IPv4-mapped"),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96, "64:ff9b::/96", "NAT64"),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, "64:ff9b:1::/48", "local NAT64"),
];

const METADATA: [IpAddr; 6] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// The denied range that `ip` lies in, and what it is for.
pub(super) fn range(ip: IpAddr) -> Option<(&'static str, &'static str)> {
    match ip {
        IpAddr::V4(v4) => V4
            .iter()
            .find(|(net, bits, ..)| (v4.to_bits() ^ net.to_bits()).leading_zeros() >= *bits)
            .map(|(_, _, net, meaning)| (*net, *meaning)),
        IpAddr::V6(v6) => find_v6(&V6, v6).or_else(|| {
            let global = (v6.to_bits() ^ GLOBAL.to_bits()).leading_zeros() >= 3;
            (!global).then_some(("::/0", "all IPv6 outside 2000::/3"))
        }),
    }
}

/// The form that `v6` has, if it carries an IPv4 address that is judged.
pub(super) fn form(v6: Ipv6Addr) -> Option<(&'static str, &'static str)> {
    find_v6(&FORMS, v6)
}

fn find_v6(ranges: &[Range<Ipv6Addr>], v6: Ipv6Addr) -> Option<(&'static str, &'static str)> {
    let hit = ranges.iter().find(|(net, bits, ..)| (v6.to_bits() ^ net.to_bits()).leading_zeros() >= *bits);
    hit.map(|(_, _, net, meaning)| (*net, *meaning))
}

/// The IPv4 addresses that `v6`, one of [`FORMS`], can stand for.
///
/// In `64:ff9b:1::/48` the position depends on a prefix length that only the local network knows
/// (RFC 6052, section 2.2): every position is taken whose remaining bits are zero as that standard wants them.
pub(super) fn decodings(v6: Ipv6Addr) -> [Option<Ipv4Addr>; 4] {
    let bits = v6.to_bits();
    let at = |shift: u32| Ipv4Addr::from_bits(u32::try_from((bits >> shift) & 0xffff_ffff).unwrap_or(0));
    let mut found = [Some(at(0)), None, None, None];
    if form(v6) != Some((FORMS[2].2, FORMS[2].3)) || (bits >> 56) & 0xff != 0 {
        return found;
    }
    // Without the eight zero bits 64 to 71, which the address is wrapped around.
    let joined = (bits & ((1 << 56) - 1)) | (bits >> 64 << 56);
    for (slot, length) in found.iter_mut().skip(1).zip([48, 56, 64]) {
        let suffix = 120 - length - 32;
        if joined & ((1 << suffix) - 1) == 0 {
            *slot = Some(Ipv4Addr::from_bits(u32::try_from((joined >> suffix) & 0xffff_ffff).unwrap_or(0)));
        }
    }
    found
}

/// Whether a cloud's metadata service answers there, also in any IPv6 form that carries its IPv4 address.
pub(super) fn is_metadata(ip: IpAddr) -> bool {
    let IpAddr::V6(v6) = ip else {
        return METADATA.contains(&ip);
    };
    let bits = v6.to_bits();
    let low = Ipv4Addr::from_bits(u32::try_from(bits & 0xffff_ffff).unwrap_or(0));
    let six_to_four = Ipv4Addr::from_bits(u32::try_from((bits >> 80) & 0xffff_ffff).unwrap_or(0));
    let carried = |v4: Ipv4Addr| METADATA.contains(&v4.into());
    METADATA.contains(&ip)
        || (bits >> 32 == 0 && carried(low))
        || (bits >> 112 == 0x2002 && carried(six_to_four))
        || (form(v6).is_some() && decodings(v6).into_iter().flatten().any(carried))
}
