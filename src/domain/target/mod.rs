//! The URL of an endpoint: what it may look like, and what is left of it once it is read as browsers read it.
//!
//! The reading is the WHATWG URL Standard's (the `url` crate): decimal, octal, hexadecimal and full-width
//! spellings of an address *are* that address, names are lower case and in their ASCII form. Which addresses
//! may be reached is not decided here but in [`super::address`], on what the name resolves to.

use std::fmt;
use std::net::IpAddr;

use url::{Host as UrlHost, Position, Url};

#[cfg(test)]
mod tests;

/// The longest URL, in characters as given and in bytes as sent.
pub const MAX_LENGTH: usize = 2048;

/// Which URLs are accepted.
#[derive(Debug, Clone, Copy, Default)]
pub struct TargetRules {
    /// Accept `http://` too (`--allow-http`).
    pub allow_http: bool,
}

/// Where a request goes: a URL that passed the rules of the contract's section 7, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    text: String,
    path_at: usize,
    https: bool,
    host: Host,
    port: u16,
    host_header: String,
}

/// The host of a target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name in lower-case ASCII, without a trailing full stop.
    Name(String),
    /// An address, however it was spelled.
    Ip(IpAddr),
}

/// Why a URL is not accepted: a sentence for the person who gave it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Longer than [`MAX_LENGTH`].
    #[error("must be at most 2,048 characters long, also when special characters are percent-encoded")]
    TooLong,
    /// A blank, a line break or another control character.
    #[error("must not contain blanks or control characters; percent-encode them")]
    Blank,
    /// A backslash, which programs read in different ways.
    #[error("must not contain a backslash; write / or %5C")]
    Backslash,
    /// Neither `https://` nor `http://`, or not followed by a host.
    #[error("must be a full URL such as https://example.com/hook")]
    NotFull,
    /// `http://` without leave.
    #[error("must begin with https://; http:// is accepted only if Postrider runs with `--allow-http`")]
    Http,
    /// `user:password@`, even empty.
    #[error("must not contain user info (anything before an @); use the endpoint's headers for credentials")]
    UserInfo,
    /// Anything from `#` on.
    #[error("must not have a fragment (anything from # on): it is never sent")]
    Fragment,
    /// `%eth0` in an IPv6 address.
    #[error("must not name a network interface (zone id) in an address")]
    Zone,
    /// Not a URL, with the parser's reason.
    #[error("is not a valid URL: {0}")]
    Invalid(String),
    /// A host with characters, or lengths, that DNS names do not have.
    #[error("has a host that is no DNS name: letters, digits, - and _ in parts of 1 to 63, 253 in all")]
    BadHost,
    /// A port below 1024 that is not HTTP's, or one that browsers block.
    #[error("must use port 80, 443 or one from 1024 up that browsers do not block; {0} is not allowed")]
    BadPort(u16),
}

/// Ports from 1024 up that the Fetch Standard blocks ("bad port", section 2.9): other protocols live there.
const BLOCKED_PORTS: [u16; 19] = [
    1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679,
    6697, 10080,
];

impl Target {
    /// Reads and checks the URL of an endpoint.
    ///
    /// # Errors
    /// The first rule that `url` breaks.
    pub fn parse(url: &str, rules: TargetRules) -> Result<Self, TargetError> {
        check_text(url)?;
        let mut parsed = Url::parse(url).map_err(|e| TargetError::Invalid(e.to_string()))?;
        let https = parsed.scheme() == "https";
        if !https && !rules.allow_http {
            return Err(TargetError::Http);
        }
        if parsed.fragment().is_some() {
            return Err(TargetError::Fragment);
        }
        let host = host(&parsed)?;
        if let Host::Name(name) = &host {
            parsed.set_host(Some(name)).map_err(|e| TargetError::Invalid(e.to_string()))?;
        }
        let port = parsed.port_or_known_default().ok_or(TargetError::BadPort(0))?;
        if !matches!(port, 80 | 443 | 1024..) || BLOCKED_PORTS.contains(&port) {
            return Err(TargetError::BadPort(port));
        }
        if parsed.as_str().len() > MAX_LENGTH {
            return Err(TargetError::TooLong);
        }
        let path_at = parsed[..Position::BeforePath].len();
        let host_header = parsed[Position::BeforeHost..Position::BeforePath].to_owned();
        Ok(Self { text: parsed.into(), path_at, https, host, port, host_header })
    }

    /// The whole URL in its one canonical spelling.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether TLS is spoken.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Who is asked.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port, also when it is the scheme's own.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Path and query as they are sent; at least `/`.
    pub fn path_and_query(&self) -> &str {
        self.text.get(self.path_at..).unwrap_or("/")
    }

    /// The value of the `host` header: the host, and the port unless it is the scheme's own.
    pub fn host_header(&self) -> &str {
        &self.host_header
    }

    /// The pattern of names that are never public and that the host fits, if it does.
    ///
    /// Such a target is fine where every address of the name lies in `--allow-net`, and nowhere else.
    pub fn denied_name(&self) -> Option<&'static str> {
        let Host::Name(name) = &self.host else { return None };
        let last = name.rsplit('.').next().unwrap_or_default();
        match last {
            "localhost" if last == name => Some("localhost"),
            _ if last == name => Some("single label"),
            "localhost" => Some("*.localhost"),
            "local" => Some("*.local"),
            "internal" => Some("*.internal"),
            "arpa" if name == "home.arpa" || name.ends_with(".home.arpa") => Some("*.home.arpa"),
            _ => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What has to be seen in the text, because the parser mends or drops it without a word.
fn check_text(url: &str) -> Result<(), TargetError> {
    if url.chars().nth(MAX_LENGTH).is_some() {
        return Err(TargetError::TooLong);
    }
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(TargetError::Blank);
    }
    if url.contains('\\') {
        return Err(TargetError::Backslash);
    }
    let (scheme, rest) = url.split_once("://").ok_or(TargetError::NotFull)?;
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(TargetError::NotFull);
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() {
        return Err(TargetError::NotFull);
    }
    if authority.contains('@') {
        return Err(TargetError::UserInfo);
    }
    if authority.starts_with('[') && authority.contains('%') {
        return Err(TargetError::Zone);
    }
    Ok(())
}

fn host(parsed: &Url) -> Result<Host, TargetError> {
    match parsed.host() {
        Some(UrlHost::Ipv4(ip)) => Ok(Host::Ip(ip.into())),
        Some(UrlHost::Ipv6(ip)) => Ok(Host::Ip(ip.into())),
        Some(UrlHost::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            let label = |part: &str| {
                let plain = part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
                plain && (1..=63).contains(&part.len())
            };
            if name.len() > 253 || !name.split('.').all(label) {
                return Err(TargetError::BadHost);
            }
            Ok(Host::Name(name.to_owned()))
        }
        None => Err(TargetError::NotFull),
    }
}
