//! Where Postrider listens, where people reach it, and the proxy through which it sends.

use std::net::{Ipv4Addr, SocketAddr};

use data_encoding::BASE64;
use url::{Host, Url};

use super::environment::ConfigError;
use super::flags::{DEV, EGRESS_PROXY, LISTEN, PUBLIC_URL};
use super::hidden::Hidden;

/// The address on which `serve` listens by default.
pub(super) const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8383);

/// An HTTP proxy (RFC 9110, CONNECT) for everything that is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressProxy {
    /// A name, or an IP address without brackets.
    pub host: String,
    /// Its port; 80 if the URL names none.
    pub port: u16,
    /// The value of `Proxy-Authorization` (RFC 7617, Basic), if the URL has a user or a password.
    pub authorization: Option<Hidden>,
}

/// `IP:PORT`, or `localhost:PORT` for 127.0.0.1.
pub(super) fn listen(text: &str) -> Result<SocketAddr, ConfigError> {
    let numbers = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    numbers.parse().map_err(|_| {
        let allowed = "an IP address and a port such as 127.0.0.1:8383, 0.0.0.0:8383 or [::1]:8383";
        ConfigError::must_not_be(LISTEN, allowed, text)
    })
}

/// `--dev` opens what the SSRF rules close, so nobody else may reach it.
pub(super) fn only_loopback(listen: SocketAddr) -> Result<(), ConfigError> {
    if listen.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    let says = format_args!("listens on loopback only, and {LISTEN} is {listen}: leave one of the two out");
    Err(ConfigError::about(DEV, says))
}

/// The root under which people reach the console: scheme, host, port.
pub(super) fn public_url(text: &str) -> Result<Url, ConfigError> {
    let refused = || {
        let allowed = "an http:// or https:// URL of a host alone, such as https://hooks.example.com";
        // With a user in it, it may hold a password.
        if text.contains('@') {
            ConfigError::must(PUBLIC_URL, format_args!("{allowed}, without a user"))
        } else {
            ConfigError::must_not_be(PUBLIC_URL, allowed, text)
        }
    };
    let url = Url::parse(text).map_err(|_| refused())?;
    if is_http_root(&url) && url.username().is_empty() && url.password().is_none() {
        Ok(url)
    } else {
        Err(refused())
    }
}

/// An `http://` URL of the proxy, which may hold a user and a password. It is never quoted.
pub(super) fn egress_proxy(text: &str) -> Result<EgressProxy, ConfigError> {
    let refused = || {
        let allowed =
            "an http:// URL such as http://proxy.example:3128 or http://user:password@proxy.example:3128";
        ConfigError::must(EGRESS_PROXY, allowed)
    };
    let url = Url::parse(text).map_err(|_| refused())?;
    let host = match url.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => return Err(refused()),
    };
    if url.scheme() != "http" || !is_http_root(&url) || url.port() == Some(0) {
        return Err(refused());
    }
    let port = url.port_or_known_default().ok_or_else(refused)?;
    Ok(EgressProxy { host, port, authorization: authorization(&url) })
}

/// `http` or `https`, and nothing behind host and port.
fn is_http_root(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none()
}

fn authorization(url: &Url) -> Option<Hidden> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut credentials = percent_decoded(url.username());
    credentials.push(b':');
    credentials.extend(percent_decoded(url.password().unwrap_or_default()));
    Some(Hidden::new(format!("Basic {}", BASE64.encode(&credentials))))
}

/// Undoes `%40` and its like (RFC 3986, section 2.1); a per cent sign that begins no such thing stays.
fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits =
            after.first_chunk::<2>().filter(|d| *first == b'%' && d.iter().all(u8::is_ascii_hexdigit));
        let code = digits.and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_to_listen_on_are_read() {
        for (text, address) in [
            ("127.0.0.1:8383", "127.0.0.1:8383"),
            ("0.0.0.0:0", "0.0.0.0:0"),
            ("[::1]:80", "[::1]:80"),
            ("localhost:9000", "127.0.0.1:9000"),
        ] {
            assert_eq!(listen(text), Ok(address.parse().unwrap()), "{text}");
        }
        for text in
            ["", "8383", ":8383", "127.0.0.1", "example.com:80", "127.0.0.1:65536", "::1:80", "localhost:"]
        {
            let error = listen(text).unwrap_err().to_string();
            assert!(
                error.contains("--listen (POSTRIDER_LISTEN) must be an IP address and a port"),
                "{error}"
            );
        }
    }

    #[test]
    fn dev_listens_on_loopback_only() {
        for address in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert_eq!(only_loopback(address.parse().unwrap()), Ok(()), "{address}");
        }
        for address in ["0.0.0.0:1", "[::]:1", "192.168.0.1:1"] {
            let error = only_loopback(address.parse().unwrap()).unwrap_err().to_string();
            assert!(error.contains("--dev (POSTRIDER_DEV)") && error.contains("--listen"), "{error}");
        }
    }

    #[test]
    fn a_public_url_is_a_host_alone() {
        assert_eq!(public_url("https://hooks.example.com").unwrap().as_str(), "https://hooks.example.com/");
        assert_eq!(public_url("http://localhost:8383/").unwrap().port(), Some(8383));
        for text in
            ["", "hooks.example.com", "ftp://a.b", "https://a.b/path", "https://a.b/?q", "https://a.b/#f"]
        {
            assert!(public_url(text).unwrap_err().to_string().ends_with(&format!("{text:?}")), "{text}");
        }
        let error = public_url("https://user:geheim@a.b").unwrap_err().to_string();
        assert!(!error.contains("geheim"), "{error}");
    }

    #[test]
    fn a_proxy_is_read_with_its_credentials() {
        let plain = EgressProxy { host: "proxy.example".into(), port: 3128, authorization: None };
        assert_eq!(egress_proxy("http://proxy.example:3128"), Ok(plain));
        assert_eq!(egress_proxy("http://[fd00::1]/").map(|p| (p.host, p.port)), Ok(("fd00::1".into(), 80)));
        let proxy = egress_proxy("http://us%40er:p%c3%a4ss%zz@10.0.0.1:1").unwrap();
        assert_eq!(proxy.host, "10.0.0.1");
        let expected = format!("Basic {}", BASE64.encode("us@er:päss%zz".as_bytes()));
        assert_eq!(proxy.authorization.unwrap().expose(), expected);
    }

    #[test]
    fn neither_errors_nor_debug_show_the_proxys_password() {
        for text in [
            "https://u:geheim@p:1",
            "u:geheim@p:1",
            "http://u:geheim@p:1/path",
            "http://u:geheim@",
            "http://u:geheim@p:0",
        ] {
            let error = egress_proxy(text).unwrap_err().to_string();
            assert!(error.contains("--egress-proxy (POSTRIDER_EGRESS_PROXY)"), "{error}");
            assert!(!error.contains("geheim"), "{error}");
        }
        let shown = format!("{:?}", egress_proxy("http://u:geheim@p:1").unwrap());
        assert!(!shown.contains("geheim") && !shown.contains(&BASE64.encode(b"u:geheim")), "{shown}");
    }
}
