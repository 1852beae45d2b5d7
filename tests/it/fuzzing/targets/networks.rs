//! Networks, addresses and URLs on the command line: what is taken is what stands there.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use postrider::config::{Config, ConfigError, Environment, Flags};

/// `--allow-net`, `--trusted-proxy`, `--listen`, `--egress-proxy`, `--public-url`; those that are empty are left out.
pub fn target(bytes: &[u8]) {
    let Some([nets, proxies, listen, egress, public]) = super::texts(bytes) else { return };
    let list = |text: &str| if text.is_empty() { vec![] } else { vec![text.to_owned()] };
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let read = |flags: Flags| Config::read(flags, &Environment::of(&[]));
    if let Some(config) = checked(nets, read(Flags { allow_net: list(nets), ..Flags::default() })) {
        let expected: Vec<_> = entries(nets).map(network).collect();
        assert_eq!(config.allow_net.iter().copied().map(Some).collect::<Vec<_>>(), expected);
        written_again(&config);
    }
    if let Some(config) = checked(proxies, read(Flags { trusted_proxy: list(proxies), ..Flags::default() })) {
        let expected: Vec<_> = entries(proxies).map(|entry| network(entry).map(|(net, _)| net)).collect();
        assert_eq!(config.trusted_proxy.iter().copied().map(Some).collect::<Vec<_>>(), expected);
    }
    if let Some(config) = checked(listen, read(Flags { listen: some(listen), ..Flags::default() }))
        && !listen.is_empty()
    {
        let expected = listen.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
        assert_eq!(expected.as_deref().unwrap_or(listen).parse::<SocketAddr>().ok(), Some(config.listen));
    }
    if let Some(config) = checked(public, read(Flags { public_url: some(public), ..Flags::default() }))
        && let Some(url) = config.public_url
    {
        assert!(url.has_host() && url.username().is_empty() && url.password().is_none(), "{url}");
        assert_eq!((url.path(), url.query(), url.fragment()), ("/", None, None));
    }
    proxy(egress, read(Flags { egress_proxy: some(egress), ..Flags::default() }));
}

fn checked(given: &str, read: Result<Config, ConfigError>) -> Option<Config> {
    if let Err(error) = &read {
        let message = error.to_string();
        assert!(message.starts_with("--") && message.len() < 1000 + given.len(), "{message}");
        assert!(!message.contains(|c: char| c.is_control()), "{message:?}");
    }
    read.ok()
}

fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

/// The plain reading of one entry.
fn network(entry: &str) -> Option<(IpNet, Option<u16>)> {
    let bracketed = entry.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (net, port) = match bracketed {
        Some((net, port)) => (net, port.strip_prefix(':')),
        None if entry.matches(':').count() == 1 => {
            entry.split_once(':').map(|(net, port)| (net, Some(port)))?
        }
        None => (entry, None),
    };
    let port = port.map(|port| port.parse::<u16>().ok()).map_or(Some(None), |port| port.map(Some))?;
    let net = net.parse().or_else(|_| net.parse::<IpAddr>().map(IpNet::from)).ok()?;
    Some((net, port))
}

fn written_again(config: &Config) {
    let text: Vec<_> = config
        .allow_net
        .iter()
        .map(|(net, port)| match (net, port) {
            (net, None) => net.to_string(),
            (IpNet::V4(net), Some(port)) => format!("{net}:{port}"),
            (IpNet::V6(net), Some(port)) => format!("[{net}]:{port}"),
        })
        .collect();
    let flags = Flags { allow_net: text, ..Flags::default() };
    assert_eq!(
        Config::read(flags, &Environment::of(&[])).map(|again| again.allow_net).as_ref(),
        Ok(&config.allow_net)
    );
}

/// A proxy's host and port are those of its URL, and no error repeats its password.
fn proxy(given: &str, read: Result<Config, ConfigError>) {
    match read {
        Ok(config) => {
            let Some(proxy) = config.egress_proxy else { return };
            let bracketed =
                if proxy.host.contains(':') { format!("[{}]", proxy.host) } else { proxy.host.clone() };
            let url = url::Url::parse(&format!("http://{bracketed}:{}/", proxy.port)).expect("a URL");
            assert_eq!(url.port_or_known_default(), Some(proxy.port));
            assert!(proxy.port > 0 && proxy.host.bytes().all(|b| b.is_ascii_graphic()), "{proxy:?}");
            assert!(!format!("{proxy:?}").contains("Basic "), "a password in a log");
        }
        Err(error) => {
            let secret = given.split_once('@').map(|(before, _)| before).filter(|before| before.len() > 40);
            assert!(secret.is_none_or(|secret| !error.to_string().contains(secret)), "{error}");
        }
    }
}
