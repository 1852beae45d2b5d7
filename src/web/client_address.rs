//! Where a request comes from, behind proxies that we trust or without any.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{self, HeaderMap};
use ipnet::IpNet;

/// The address that the audit log names: the peer's, or, when the peer is a trusted proxy, the rightmost of
/// `X-Forwarded-For` that is not one. What stands further left was written by whoever made the request.
pub fn of(peer: Option<SocketAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let forwarded = headers.get_all(header::X_FORWARDED_FOR).filter_map(|value| value.to_str().ok());
    Some(behind(peer?.ip(), forwarded, trusted))
}

fn behind<'a>(peer: IpAddr, forwarded: impl Iterator<Item = &'a str>, trusted: &[IpNet]) -> IpAddr {
    let trusts = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    if !trusts(&client) {
        return client;
    }
    let lines: Vec<&str> = forwarded.collect();
    for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        // Something that is no address ends the chain: what it hides cannot be told.
        let Some(address) = read(entry.trim()) else { break };
        client = address;
        if !trusts(&client) {
            break;
        }
    }
    client
}

/// An address, with or without a port; IPv6 in brackets or without.
fn read(text: &str) -> Option<IpAddr> {
    let address = text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    let address = address.or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok());
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        behind(peer.parse().unwrap(), forwarded.iter().copied(), &trusted).to_string()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_eq!(client("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
    }

    #[test]
    fn a_trusted_proxy_is_believed_up_to_the_first_that_is_not() {
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["1.1.1.1", "198.51.100.7:4711,10.0.0.2"]), "198.51.100.7");
        assert_eq!(client("::ffff:10.0.0.1", &["[2001:db8::1]:80"]), "2001:db8::1");
        assert_eq!(client("fd00::1", &["[2001:db8::2]"]), "2001:db8::2");
    }

    #[test]
    fn without_a_readable_entry_it_is_the_last_proxy() {
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.7, unknown"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["unknown, 10.0.0.3"]), "10.0.0.3");
        assert_eq!(client("10.0.0.1", &["10.0.0.4, 10.0.0.3"]), "10.0.0.4");
    }
}
