//! Who made a request, behind proxies: nobody names himself another unless every hop before him is trusted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use actix_web::http::header::{HeaderMap, HeaderValue, X_FORWARDED_FOR};
use ipnet::IpNet;
use postrider::web::client_address;

/// A byte that chooses the peer, and lines of `X-Forwarded-For`.
pub fn target(bytes: &[u8]) {
    let Some((choice, lines)) = bytes.split_first() else { return };
    let trusted: Vec<IpNet> =
        ["10.0.0.0/8", "::1/128", "fd00::/8"].iter().map(|net| net.parse().expect("a network")).collect();
    let peers = ["10.0.0.1", "9.9.9.9", "::1", "::ffff:10.1.2.3", "2620:fe::fe"];
    let peer: IpAddr = peers[usize::from(*choice) % peers.len()].parse().expect("an address");
    let mut headers = HeaderMap::new();
    let mut texts = Vec::new();
    for line in lines.split(|byte| *byte == b'\n').take(8) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            texts.extend(value.to_str().ok().map(str::to_owned));
            headers.append(X_FORWARDED_FOR, value);
        }
    }
    let found = client_address::of(Some(SocketAddr::new(peer, 1)), &headers, &trusted).expect("a peer");
    assert_eq!(found, expected(peer.to_canonical(), &texts, &trusted));
    assert_eq!(client_address::of(Some(SocketAddr::new(peer, 1)), &headers, &[]), Some(peer.to_canonical()));
    assert_eq!(client_address::of(None, &headers, &trusted), None);
}

fn expected(peer: IpAddr, lines: &[String], trusted: &[IpNet]) -> IpAddr {
    let trusts = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    let joined = lines.join(",");
    let mut hops: Vec<Option<IpAddr>> =
        if lines.is_empty() { vec![] } else { joined.split(',').map(|hop| address(hop.trim())).collect() };
    hops.push(Some(peer));
    // From the right: the first that is not trusted, or the last before one that cannot be read.
    let mut client = peer;
    for hop in hops.into_iter().rev() {
        let Some(hop) = hop else { break };
        client = hop;
        if !trusts(&hop) {
            break;
        }
    }
    client
}

/// An address, bare or in brackets; or IPv4, or IPv6 in brackets, with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = |text: &str| text.parse::<IpAddr>().ok();
    let found = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => bare(host),
        Some((host, port)) if port.strip_prefix(':').is_some_and(is_port) => {
            // An interface may stand behind the address.
            let (host, zone) = host.split_once('%').unwrap_or((host, "0"));
            let v6 = host.parse::<Ipv6Addr>().ok().filter(|_| is_number(zone) && zone.parse::<u32>().is_ok());
            v6.map(IpAddr::V6)
        }
        Some(_) => None,
        None => bare(text).or_else(|| {
            let (host, _) = text.split_once(':').filter(|(_, port)| is_port(port))?;
            host.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
        }),
    };
    found.map(|ip| ip.to_canonical())
}

fn is_port(text: &str) -> bool {
    is_number(text) && text.parse::<u16>().is_ok()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
