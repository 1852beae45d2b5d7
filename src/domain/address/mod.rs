//! Which addresses endpoints may reach: the guard against requests into the operator's own networks (SSRF).
//!
//! Pure: an address and a port go in, a verdict comes out. The sender asks on every attempt, for every address
//! that a name has, and dials only what it asked about.
//!
//! Sources: the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890 and its updates), RFC 6052 and
//! RFC 8215 for NAT64, RFC 3056 for 6to4, and the cloud vendors' manuals for metadata addresses.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

mod ranges;
#[cfg(test)]
mod tests;

use self::ranges::{decodings, form, is_metadata, range};

/// What is allowed beside the public Internet, and what is Postrider itself.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Networks that are reachable although a range denies them (`--allow-net`). Never metadata addresses.
    pub allow: Vec<AllowedNet>,
    /// Addresses that this process listens on; `0.0.0.0` and `::` mean every address of the machine.
    pub own: Vec<SocketAddr>,
}

/// One entry of `--allow-net`.
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
    /// What the rule denies: the address that was asked for, or the IPv4 address in it; and the port.
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

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ip, port) = (self.address.ip(), self.address.port());
        let option = format!("--allow-net {}", IpNet::from(ip));
        match self.rule {
            Rule::Metadata => write!(f, "{ip} is a cloud metadata address, which no option allows"),
            Rule::Own => write!(
                f,
                "{} is where Postrider itself listens; only the server's `{option}:{port}`, with the port, allows it",
                self.address
            ),
            Rule::Range(net, meaning) => {
                write!(
                    f,
                    "{ip} is in {net} ({meaning}), which endpoints may not reach; the server's `{option}` allows it"
                )
            }
            Rule::Form(net, meaning) => {
                write!(
                    f,
                    "{ip} is in {net} ({meaning}), and such forms are refused; the server's `--allow-net {net}` allows them"
                )
            }
            Rule::Name(pattern) => write!(
                f,
                "`{pattern}` names are never public, and {ip} is not in an allowed network; the server's `{option}` allows it"
            ),
        }
    }
}

impl std::error::Error for Denied {}
