//! How a mail server is spoken to.

use std::fmt;
use std::net::IpAddr;

/// Whether the connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// It begins in the clear and has to go over to TLS before anything is said (RFC 3207). Port 587.
    StartTls,
    /// TLS from the first byte on (RFC 8314). Port 465.
    Tls,
    /// Never: only to this machine itself.
    None,
}

impl Security {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::StartTls, Self::Tls, Self::None];

    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StartTls => "starttls",
            Self::Tls => "tls",
            Self::None => "none",
        }
    }

    /// The port that goes with it.
    pub const fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }

    /// Reads a name.
    ///
    /// # Errors
    /// What is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|security| security.as_str() == text);
        found.ok_or_else(|| "must be starttls, tls or none".to_owned())
    }

    /// Whether a server of this name may be spoken to so.
    ///
    /// # Errors
    /// What is allowed.
    pub fn fits(self, host: &str) -> Result<(), String> {
        let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if self == Self::None && !loopback {
            return Err(
                "may be none for a server on this machine only (localhost); use starttls or tls".to_owned()
            );
        }
        Ok(())
    }
}

impl fmt::Display for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Security {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Reads the name or address of a server.
///
/// # Errors
/// What is allowed.
pub fn parse_host(text: &str) -> Result<String, String> {
    let text = text.trim();
    let name = |text: &str| {
        text.split('.').all(|label| {
            let inside =
                label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
            (1..=63).contains(&label.len()) && inside
        })
    };
    if text.len() <= 253 && (text.parse::<IpAddr>().is_ok() || name(text)) {
        return Ok(text.to_ascii_lowercase());
    }
    Err("must be the name or the address of a mail server, such as smtp.example.com".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_the_clear_only_this_machine_is_spoken_to() {
        for host in ["localhost", "127.0.0.1", "127.9.9.9", "::1"] {
            assert!(Security::None.fits(host).is_ok(), "{host}");
        }
        for host in ["smtp.example.com", "10.0.0.1", "localhost.example.com"] {
            assert!(Security::None.fits(host).is_err(), "{host}");
            assert!(Security::StartTls.fits(host).is_ok() && Security::Tls.fits(host).is_ok());
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_address() {
        for good in ["smtp.example.com", "Mail-1", "192.0.2.1", "::1"] {
            assert!(parse_host(good).is_ok(), "{good}");
        }
        for wrong in ["", "a b", "a..b", "https://a", "a:25", "a/b", "a\r\nb"] {
            assert!(parse_host(wrong).is_err(), "{wrong}");
        }
    }
}
