//! Which addresses endpoints may reach: the guard against requests into the operator's own networks (SSRF).
//!
//! Pure: an address and a port go in, a verdict comes out. The sender asks on every attempt, for every address
//! that a name has, and dials only what it asked about.
//!
//! Sources: the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890 and its updates), RFC 6052 and
//! RFC 8215 for NAT64, RFC 3056 for 6to4, and the cloud vendors' manuals for metadata addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;

#[cfg(test)]
mod tests;

/// What is allowed beside the public Internet, and what is Postrider itself.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Networks that are reachable although a range denies them (`--allow-net`). Never metadata addresses.
    pub allow: Vec<AllowedNet>,
    /// Addresses that this process listens on; `0.0.0.0` and `::` mean every address of the machine.
    pub own: Vec<SocketAddr>,
}

/// One entry of `--allow-net`: `CIDR` or `CIDR:PORT`.
///
/// IPv6 is written the same way (`::1/128:8080`), or with brackets (`[::1/128]:8080`, `[::1]/128:8080`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllowedNet {
    /// The network, without host bits.
    pub net: IpNet,
    /// The only port that is allowed there; `None` is every port.
    pub port: Option<u16>,
}

/// Why an address may not be reached. Its text names the rule and the option that allows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// The address and port that were asked for.
    pub address: SocketAddr,
    /// The rule that denies it.
    pub rule: Rule,
}

/// A rule of the guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A cloud metadata service; no option allows it.
    Metadata,
    /// A port that this process listens on; only an entry of `--allow-net` that names the port allows it.
    Own,
    /// A range that is not public, with its meaning.
    Range(&'static str, &'static str),
    /// An IPv4 address in IPv6 clothes (mapped or NAT64) that would be reachable itself.
    Form(&'static str, &'static str),
    /// A name that is never public (`localhost`, `*.internal`, …), at an address that is not allowed.
    Name(&'static str),
}

impl Policy {
    /// Judges one address. The port matters for the allowed networks and for our own.
    ///
    /// # Errors
    /// The first rule that denies it.
    pub fn check(&self, ip: IpAddr, port: u16) -> Result<(), Denied> {
        let denied = |rule| Err(Denied { address: SocketAddr::new(ip, port), rule });
        if is_metadata(ip) {
            return denied(Rule::Metadata);
        }
        if self.is_own(ip, port) && !self.names_port(ip, port) {
            return denied(Rule::Own);
        }
        if let IpAddr::V6(v6) = ip
            && let Some((net, meaning)) = form(v6)
        {
            for inside in decodings(v6).into_iter().flatten() {
                self.check(inside.into(), port)?;
            }
            return if self.allows(ip, port) { Ok(()) } else { denied(Rule::Form(net, meaning)) };
        }
        match range(ip) {
            Some((net, meaning)) if !self.allows(ip, port) => denied(Rule::Range(net, meaning)),
            _ => Ok(()),
        }
    }

    /// Whether an entry of `--allow-net` covers the address and port.
    pub fn allows(&self, ip: IpAddr, port: u16) -> bool {
        self.allow.iter().any(|entry| entry.covers(ip, port))
    }

    /// Whether this process listens on `port` on every address of the machine, so that only the machine can
    /// say whether an address is its own.
    pub fn listens_everywhere_on(&self, port: u16) -> bool {
        self.own.iter().any(|own| own.port() == port && own.ip().is_unspecified())
    }

    /// The verdict on an address that the machine knows as its own, on a port of ours.
    ///
    /// # Errors
    /// [`Rule::Own`], unless an entry of `--allow-net` names the port.
    pub fn check_own(&self, ip: IpAddr, port: u16) -> Result<(), Denied> {
        if self.names_port(ip, port) {
            return Ok(());
        }
        Err(Denied { address: SocketAddr::new(ip, port), rule: Rule::Own })
    }

    fn is_own(&self, ip: IpAddr, port: u16) -> bool {
        let ip = ip.to_canonical();
        self.own.iter().filter(|own| own.port() == port).any(|own| {
            let here = ip.is_loopback() || ip.is_unspecified();
            let own = own.ip().to_canonical();
            own == ip || (own.is_unspecified() && here) || (own.is_loopback() && ip.is_unspecified())
        })
    }

    fn names_port(&self, ip: IpAddr, port: u16) -> bool {
        self.allow.iter().any(|entry| entry.port.is_some() && entry.covers(ip, port))
    }
}

impl AllowedNet {
    /// Whether the entry covers the address and port. An IPv4 network does not cover mapped addresses.
    pub fn covers(&self, ip: IpAddr, port: u16) -> bool {
        self.net.contains(&ip) && self.port.is_none_or(|only| only == port)
    }
}

impl FromStr for AllowedNet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not CIDR or CIDR:PORT, such as 10.1.0.0/16 or 127.0.0.1/32:8080");
        let plain: String = text.chars().filter(|c| !matches!(c, '[' | ']')).collect();
        let (address, rest) = plain.split_once('/').ok_or_else(wrong)?;
        let (length, port) = match rest.split_once(':') {
            Some((length, port)) => (length, Some(port.parse().map_err(|_| wrong())?)),
            None => (rest, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let net = IpNet::new(address, length.parse().map_err(|_| wrong())?).map_err(|_| wrong())?;
        Ok(Self { net: net.trunc(), port })
    }
}

impl fmt::Display for AllowedNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.net),
            None => write!(f, "{}", self.net),
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ip, port) = (self.address.ip(), self.address.port());
        let option = format!("--allow-net {}", IpNet::from(ip));
        match self.rule {
            Rule::Metadata => write!(f, "{ip} is a cloud metadata address, which no option allows"),
            Rule::Own => write!(
                f,
                "{} is where Postrider itself listens; only `{option}:{port}`, with the port, allows it",
                self.address
            ),
            Rule::Range(net, meaning) => {
                write!(f, "{ip} is in {net} ({meaning}), which endpoints may not reach; `{option}` allows it")
            }
            Rule::Form(net, meaning) => {
                write!(
                    f,
                    "{ip} is in {net} ({meaning}), and such forms are refused; `--allow-net {net}` allows them"
                )
            }
            Rule::Name(pattern) => write!(
                f,
                "`{pattern}` names are never public, and {ip} is not in an allowed network; `{option}` allows it"
            ),
        }
    }
}

impl std::error::Error for Denied {}

/// A prefix, its length in bits, its text and what it is for.
type Range<T> = (T, u32, &'static str, &'static str);

const V4: [Range<Ipv4Addr>; 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "0.0.0.0/8", "this host"),
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

/// Denied parts of 2000::/3, then names for the best known parts of the rest, all of which is denied.
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

fn range(ip: IpAddr) -> Option<(&'static str, &'static str)> {
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

fn form(v6: Ipv6Addr) -> Option<(&'static str, &'static str)> {
    find_v6(&FORMS, v6)
}

fn find_v6(ranges: &[Range<Ipv6Addr>], v6: Ipv6Addr) -> Option<(&'static str, &'static str)> {
    let hit = ranges.iter().find(|(net, bits, ..)| (v6.to_bits() ^ net.to_bits()).leading_zeros() >= *bits);
    hit.map(|(_, _, net, meaning)| (*net, *meaning))
}

/// The IPv4 addresses that `v6`, one of [`FORMS`], can stand for.
///
/// In 64:ff9b:1::/48 the position depends on a prefix length that only the local network knows (RFC 6052,
/// section 2.2): every position is taken whose remaining bits are zero as that standard wants them.
fn decodings(v6: Ipv6Addr) -> [Option<Ipv4Addr>; 4] {
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

/// Also in any IPv6 form that carries an IPv4 address.
fn is_metadata(ip: IpAddr) -> bool {
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
