//! The egress proxy (`--egress-proxy`): a tunnel to the checked address, made with CONNECT (RFC 9110, 9.3.6).
//!
//! The proxy is told an address and never a name, for plain HTTP too, so that what was checked is what is
//! reached. The proxy's own address is exempt from the guard: the operator named it.

use std::fmt;
use std::net::SocketAddr;

use super::failure::{Failure, FailureKind, shown};
use super::wire::{Deadline, Wire, WireError};
use crate::domain::target::Host;

/// The most that the proxy's answer to CONNECT may take.
const MAX_ANSWER: usize = 8 * 1024;

/// Where the egress proxy is, and how to log in to it.
#[derive(Clone, PartialEq, Eq)]
pub struct EgressProxy {
    pub(super) host: Host,
    pub(super) port: u16,
    /// The value of `proxy-authorization`.
    authorization: Option<String>,
}

impl EgressProxy {
    /// A proxy at `host` (a name or an address); `authorization` is the whole value of `proxy-authorization`.
    pub fn new(host: &str, port: u16, authorization: Option<String>) -> Self {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let host = bare.parse().map_or_else(|_| Host::Name(host.to_owned()), Host::Ip);
        Self { host, port, authorization }
    }

    /// Asks the proxy on `wire` for a tunnel to `address`.
    pub(super) fn open(
        &self,
        wire: &mut Wire,
        address: SocketAddr,
        deadline: Deadline,
    ) -> Result<(), Failure> {
        let mut request = format!("CONNECT {address} HTTP/1.1\r\nhost: {address}\r\n");
        if let Some(value) = &self.authorization {
            request.push_str("proxy-authorization: ");
            request.push_str(value);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        wire.write_all(request.as_bytes(), deadline).map_err(|error| self.broken(&error, address))?;
        let mut answer = vec![0; MAX_ANSWER];
        let mut filled = 0;
        loop {
            let room = answer.get_mut(filled..).filter(|room| !room.is_empty());
            let room = room.ok_or_else(|| self.unreachable("its answer to CONNECT is too large"))?;
            match wire.read(room, deadline).map_err(|error| self.broken(&error, address))? {
                0 => return Err(self.unreachable("it closed the connection instead of answering CONNECT")),
                count => filled += count,
            }
            if let Some(done) = self.judge(answer.get(..filled).unwrap_or_default(), address)? {
                return done;
            }
        }
    }

    fn judge(&self, bytes: &[u8], address: SocketAddr) -> Result<Option<Result<(), Failure>>, Failure> {
        let mut fields = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut fields);
        let parsed = response.parse(bytes);
        let length = match parsed {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(self.unreachable(&format!("it does not speak HTTP but {}", shown(bytes)))),
        };
        let status = response.code.unwrap_or_default();
        let reason = response.reason.unwrap_or_default();
        Ok(Some(match status {
            200..300 if length == bytes.len() => Ok(()),
            200..300 => {
                let early = shown(bytes.get(length..).unwrap_or_default());
                let message = format!("{address} spoke before it was asked, so it is not HTTP: {early}");
                Err(Failure::new(FailureKind::NotHttp, message))
            }
            500.. => Err(Failure::new(
                FailureKind::ProxyCouldNotConnect,
                format!("the egress proxy could not connect to {address}: {status} {reason}"),
            )),
            _ => Err(Failure::new(
                FailureKind::ProxyRefused,
                format!("the egress proxy {self} refused CONNECT to {address}: {status} {reason}"),
            )),
        }))
    }

    /// The proxy cannot be used, for a reason.
    pub(super) fn unreachable(&self, why: &str) -> Failure {
        let message = format!("the egress proxy {self} cannot be used: {why}");
        Failure::new(FailureKind::ProxyUnreachable, message)
    }

    fn broken(&self, error: &WireError, address: SocketAddr) -> Failure {
        match error {
            // The proxy was reached: it is the target that it does not get through to.
            WireError::Timeout => Failure::new(
                FailureKind::ConnectTimeout,
                format!("timed out while the egress proxy was connecting to {address}"),
            ),
            WireError::Io(error) => self.unreachable(&error.to_string()),
            WireError::Tls(error) => self.unreachable(&error.to_string()),
        }
    }
}

impl fmt::Display for EgressProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Name(name) => write!(f, "{name}:{}", self.port),
            Host::Ip(ip) => write!(f, "{}", SocketAddr::new(*ip, self.port)),
        }
    }
}

impl fmt::Debug for EgressProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EgressProxy({self}, {})", if self.authorization.is_some() { "•••" } else { "no login" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_shown_without_its_login() {
        let plain = EgressProxy::new("proxy.example", 3128, None);
        assert_eq!((plain.to_string().as_str(), plain.authorization), ("proxy.example:3128", None));
        let login = EgressProxy::new("::1", 8080, Some("Basic dTpw".to_owned()));
        assert_eq!(login.to_string(), "[::1]:8080");
        assert!(!format!("{login:?}").contains("dTpw"));
    }
}
