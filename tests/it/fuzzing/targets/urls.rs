//! The URL of an endpoint: one canonical text, nothing that could break out of a request, and no spelling of an address
//! that is taken for a name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use postrider::domain::address::Policy;
use postrider::domain::target::{Host, MAX_LENGTH, Target, TargetRules};
use url::Url;

use super::addresses::is_public;

pub fn target(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let both = TargetRules { allow_http: true };
    let taken = Target::parse(text, both);
    let secure = Target::parse(text, TargetRules { allow_http: false });
    assert_eq!(secure.ok().as_ref(), taken.as_ref().ok().filter(|target| target.is_https()));
    let Ok(target) = taken else { return };
    assert_eq!(Target::parse(target.as_str(), both).as_ref(), Ok(&target), "its text is itself");
    parts(&target);
    as_written(text, &target);
    host(&target);
}

/// The parts make up the whole, in characters that fit a request.
fn parts(target: &Target) {
    let scheme = if target.is_https() { "https" } else { "http" };
    let (header, path) = (target.host_header(), target.path_and_query());
    assert_eq!(target.as_str(), format!("{scheme}://{header}{path}"));
    assert!(target.as_str().len() <= MAX_LENGTH && target.as_str().bytes().all(|b| b.is_ascii_graphic()));
    assert!(path.starts_with('/') && !path.contains('#'), "{path}");
    assert!(!header.contains(['@', '/', '?', '%', '\\']), "{header}");
    let url = Url::parse(target.as_str()).expect("a URL");
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    assert_eq!(url.port_or_known_default(), Some(target.port()));
    assert!(matches!(target.port(), 80 | 443 | 1024..) && ![6000, 6667, 10080].contains(&target.port()));
}

/// Where the authority is written plainly, it is what the target has: nobody's idea of a URL leads elsewhere.
fn as_written(text: &str, target: &Target) {
    let rest = text.split_once("://").map(|(_, rest)| rest).expect("a scheme");
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let (host, port) = match authority.rfind(':').filter(|at| !authority[*at..].contains(']')) {
        Some(at) => (&authority[..at], &authority[at + 1..]),
        None => (authority, ""),
    };
    if let Ok(port) = port.parse::<u16>() {
        assert_eq!(target.port(), port);
    } else {
        assert!(port.is_empty(), "{port:?} is a port");
        assert_eq!(target.port(), if target.is_https() { 443 } else { 80 });
    }
    let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let numeric =
        host.trim_end_matches('.').rsplit('.').next().is_some_and(|last| last.as_bytes()[0].is_ascii_digit());
    if let Some(v6) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        assert_eq!(target.host(), &Host::Ip(v6.parse::<Ipv6Addr>().expect("an address").into()));
    } else if let Ok(v4) = host.parse::<Ipv4Addr>() {
        assert_eq!(target.host(), &Host::Ip(v4.into()));
    } else if plain && !numeric && !host.to_ascii_lowercase().contains("xn--") {
        let name = host.strip_suffix('.').unwrap_or(host);
        assert_eq!(target.host(), &Host::Name(name.to_ascii_lowercase()));
    }
}

fn host(target: &Target) {
    match target.host() {
        Host::Name(name) => {
            assert!(!inet_aton(name) && name.parse::<IpAddr>().is_err(), "{name} is an address");
            let label = |part: &str| !part.is_empty() && part.len() <= 63;
            assert!(name.len() <= 253 && name.split('.').all(label), "{name}");
            assert!(
                name.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase() || b"-_.".contains(&b))
            );
            assert_eq!(target.denied_name().is_some(), never_public(name), "{name}");
        }
        Host::Ip(ip) => {
            let verdict = Policy::default().check(*ip, target.port());
            assert_eq!(verdict.is_ok(), is_public(*ip), "{ip}: {verdict:?}");
            assert_eq!(target.denied_name(), None);
        }
    }
}

fn never_public(name: &str) -> bool {
    let below = [".localhost", ".local", ".internal", ".home.arpa"];
    !name.contains('.') || name == "home.arpa" || below.iter().any(|end| name.ends_with(end))
}

/// Whether the C library would take it for an address: one to four numbers, decimal, octal or hexadecimal.
fn inet_aton(name: &str) -> bool {
    let number = |part: &str| match part.as_bytes() {
        [b'0', b'x' | b'X', digits @ ..] => digits.iter().all(u8::is_ascii_hexdigit),
        digits => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
    };
    name.split('.').count() <= 4 && name.split('.').all(number)
}
