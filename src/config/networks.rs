//! Lists of networks: `--allow-net` and `--trusted-proxy`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::environment::{ConfigError, Setting};

/// A network and, if it was named, the one port that is meant: `10.1.0.0/16`, `10.1.2.3/32:8080`,
/// `[::1/128]:8080`.
pub type Network = (IpNet, Option<u16>);

const WITH_PORTS: &str = "networks such as 10.1.0.0/16, 10.1.2.3/32:8080, fd00::/8 or [::1/128]:8080";
const WITHOUT_PORTS: &str = "networks such as 10.1.0.0/16 or fd00::/8";

/// Reads entries that may have a port.
pub(super) fn with_ports(setting: Setting, entries: &[String]) -> Result<Vec<Network>, ConfigError> {
    let read = |entry: &String| {
        let (network, port) = split_port(entry).ok_or_else(|| refused(setting, WITH_PORTS, entry))?;
        Ok((read_network(setting, WITH_PORTS, entry, network)?, port))
    };
    entries.iter().map(read).collect()
}

/// Reads entries that have none.
pub(super) fn without_ports(setting: Setting, entries: &[String]) -> Result<Vec<IpNet>, ConfigError> {
    entries.iter().map(|entry| read_network(setting, WITHOUT_PORTS, entry, entry)).collect()
}

/// What `--dev` allows: `127.0.0.0/8` and `::1/128`.
pub(super) fn loopback() -> [Network; 2] {
    let v4 = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);
    let v6 = Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128);
    [(v4.into(), None), (v6.into(), None)]
}

/// Takes the port off. An IPv6 network with a port stands in brackets; without one it may.
fn split_port(entry: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = entry.strip_prefix('[') {
        let (network, after) = rest.split_once(']')?;
        let port = match after {
            "" => None,
            after => Some(read_port(after.strip_prefix(':')?)?),
        };
        return network.contains(':').then_some((network, port));
    }
    match entry.split_once(':') {
        Some((network, port)) if !port.contains(':') => Some((network, Some(read_port(port)?))),
        _ => Some((entry, None)),
    }
}

/// A port from 1 on, in plain digits.
fn read_port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| is_plain(text) && *port > 0)
}

/// Digits alone, without a sign, and without zeros in front, which others take for octal.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'))
}

/// A network, or a single address. One that names a host and a network at once is refused: either may be meant.
fn read_network(setting: Setting, allowed: &str, entry: &str, text: &str) -> Result<IpNet, ConfigError> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address));
    }
    // Not `IpNet`'s own reading, which takes 010.0.0.0 for 10.0.0.0 where others take it for 8.0.0.0.
    let network = text.split_once('/').and_then(|(address, length)| {
        IpNet::new(address.parse().ok()?, length.parse().ok().filter(|_| is_plain(length))?).ok()
    });
    let network = network.ok_or_else(|| refused(setting, allowed, entry))?;
    if network.addr() != network.network() {
        let (whole, single) = (network.trunc(), IpNet::from(network.addr()));
        return Err(ConfigError::about(
            setting,
            format_args!("has {entry:?}, which is an address inside a network: write {whole} or {single}"),
        ));
    }
    Ok(network)
}

fn refused(setting: Setting, allowed: &str, entry: &str) -> ConfigError {
    ConfigError::must_not_be(setting, format_args!("a list of {allowed}"), entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::flags::ALLOW_NET;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Network, String> {
        with_ports(ALLOW_NET, &[text.to_owned()]).map(|n| n[0]).map_err(|e| e.to_string())
    }

    #[test]
    fn networks_and_addresses_are_read_with_and_without_port() {
        for (text, network, port) in [
            ("10.1.0.0/16", "10.1.0.0/16", None),
            ("10.1.2.3", "10.1.2.3/32", None),
            ("10.1.2.3/32:8080", "10.1.2.3/32", Some(8080)),
            ("10.1.2.3:1", "10.1.2.3/32", Some(1)),
            ("::1/128", "::1/128", None),
            ("fd00::/8", "fd00::/8", None),
            ("[fd00::/8]", "fd00::/8", None),
            ("[::1/128]:65535", "::1/128", Some(65535)),
            ("[::1]:80", "::1/128", Some(80)),
            ("::ffff:10.0.0.0/104", "::ffff:10.0.0.0/104", None),
            ("0.0.0.0/0", "0.0.0.0/0", None),
        ] {
            assert_eq!(read(text), Ok((network.parse().unwrap(), port)), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_an_example() {
        for text in [
            "",
            "10.1",
            "10.1.0.0/33",
            "10.1.0.0/",
            "10.1.0.0/16:",
            "10.1.0.0/16:0",
            "10.1.0.0/16:65536",
            "10.1.0.0/16:+80",
            "10.1.0.0/16:80:80",
            "[10.0.0.0/8]:80",
            "[::1/128]:",
            "[::1/128]80",
            "[::1/128",
            "::1/128]:80",
            "fd00::/129",
            "localhost",
            "010.0.0.0/8",
            "10.0.0.0/08",
            "::1/0128",
            "10.0.0.0/8:080",
            "fe80::1%eth0",
        ] {
            let error = read(text).unwrap_err();
            assert!(
                error.starts_with("--allow-net (POSTRIDER_ALLOW_NET) must be a list of networks such as"),
                "{error}"
            );
            assert!(error.ends_with(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn a_network_with_host_bits_is_refused_with_both_meanings() {
        let error = read("10.1.2.3/8:80").unwrap_err();
        assert!(error.contains("write 10.0.0.0/8 or 10.1.2.3/32"), "{error}");
    }

    #[test]
    fn proxies_have_no_ports() {
        assert!(without_ports(ALLOW_NET, &["10.0.0.0/8:80".into()]).is_err());
        assert_eq!(without_ports(ALLOW_NET, &["10.0.0.1".into()]), Ok(vec!["10.0.0.1/32".parse().unwrap()]));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(address: IpAddr, length in 0..=128u8, port: Option<u16>) {
            let length = if address.is_ipv4() { length.min(32) } else { length };
            let network = IpNet::new(address, length).unwrap().trunc();
            let port = port.filter(|p| *p > 0);
            let text = match (port, network) {
                (None, _) => network.to_string(),
                (Some(port), IpNet::V4(_)) => format!("{network}:{port}"),
                (Some(port), IpNet::V6(_)) => format!("[{network}]:{port}"),
            };
            prop_assert_eq!(read(&text), Ok((network, port)));
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = read(&text);
        }
    }
}
