//! Where addresses come from.

use std::net::IpAddr;

use dns_lookup::{AddrInfoHints, LookupErrorKind, SockType};

/// Why a name has no addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupError {
    /// The name does not exist, or has no address: an answer.
    NoSuchName,
    /// There was no answer, with the reason in a few words.
    Temporary(String),
}

/// Something that knows the addresses of names. It may block; it is called on threads of its own.
pub trait Lookup: Send + Sync + 'static {
    /// All addresses of `name`, in the order in which they should be tried.
    ///
    /// # Errors
    /// See [`LookupError`].
    fn lookup(&self, name: &str) -> Result<Vec<IpAddr>, LookupError>;
}

/// The system's resolver (`getaddrinfo`), with its hosts file and its search domains.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: &str) -> Result<Vec<IpAddr>, LookupError> {
        // One kind of socket, or every address comes three times.
        let hints = AddrInfoHints { socktype: SockType::Stream.into(), ..AddrInfoHints::default() };
        let found =
            dns_lookup::getaddrinfo(Some(name), None, Some(hints)).map_err(|error| match error.kind() {
                LookupErrorKind::NoName | LookupErrorKind::NoData => LookupError::NoSuchName,
                _ => LookupError::Temporary(std::io::Error::from(error).to_string()),
            })?;
        let mut addresses = Vec::new();
        for info in found {
            let ip = info.map_err(|error| LookupError::Temporary(error.to_string()))?.sockaddr.ip();
            if !addresses.contains(&ip) {
                addresses.push(ip);
            }
        }
        if addresses.is_empty() { Err(LookupError::NoSuchName) } else { Ok(addresses) }
    }
}
