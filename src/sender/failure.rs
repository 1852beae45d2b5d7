//! Why a request got no answer, in one line that a person can act on.

use std::fmt;
use std::io;
use std::net::SocketAddr;

/// What went wrong. [`FailureKind::is_ours`] says whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The name does not exist, or has no address.
    NameNotFound,
    /// The resolver could not find out about this name, while it answers for others.
    ResolverTrouble,
    /// The resolver answers for no name at all.
    ResolverSilent,
    /// The deadline passed before the name was resolved.
    ResolveTimeout,
    /// A rule of the address guard forbids it.
    Blocked,
    /// Nothing listens there.
    Refused,
    /// A router says that the host is not there.
    HostUnreachable,
    /// This machine has no route to the network.
    NoRoute,
    /// This machine is out of descriptors, ports or memory.
    OutOfDescriptors,
    /// The deadline passed before the connection stood.
    ConnectTimeout,
    /// Any other reason why a connection did not come about.
    ConnectFailed,
    /// The certificate has expired, or is not valid yet.
    CertificateExpired,
    /// The certificate is for another name.
    CertificateOtherName,
    /// Nobody who is trusted vouches for the certificate.
    CertificateUnknownAuthority,
    /// TLS failed in any other way.
    Tls,
    /// The deadline passed during the TLS handshake.
    TlsTimeout,
    /// The deadline passed before the request was sent completely.
    SendTimeout,
    /// The deadline passed before the first byte of an answer.
    WaitTimeout,
    /// The deadline passed between the first byte of an answer and the end of its headers.
    HeadTimeout,
    /// The connection ended before the answer's headers did.
    ClosedEarly,
    /// The answer is not HTTP/1.
    NotHttp,
    /// The answer's head is larger than 32 KB or has more than 128 fields.
    HeadTooLarge,
    /// The egress proxy cannot be reached or does not answer as one.
    ProxyUnreachable,
    /// The egress proxy does not let us through (407, 403 and the like).
    ProxyRefused,
    /// The egress proxy could not connect to the target.
    ProxyCouldNotConnect,
    /// The sender is being stopped.
    Stopped,
    /// The HTTP client did not accept the request.
    Unsendable,
}

impl FailureKind {
    /// Whether the fault lies on our side: such a failure uses up no attempt and does not count for health.
    pub fn is_ours(self) -> bool {
        matches!(
            self,
            Self::ResolverSilent
                | Self::NoRoute
                | Self::OutOfDescriptors
                | Self::ProxyUnreachable
                | Self::ProxyRefused
                | Self::Stopped
        )
    }

    /// Whether the deadline passed: three in a row make an endpoint go one request at a time.
    pub fn is_timeout(self) -> bool {
        matches!(
            self,
            Self::ResolveTimeout
                | Self::ConnectTimeout
                | Self::TlsTimeout
                | Self::SendTimeout
                | Self::WaitTimeout
                | Self::HeadTimeout
        )
    }
}

/// A request that got no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong.
    pub kind: FailureKind,
    /// One line that a person can act on.
    pub message: String,
}

impl Failure {
    /// A failure with its line; anything that would break the line is escaped.
    pub(super) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        let message: String = message.into();
        let clean = |c: char| if c.is_control() { ' ' } else { c };
        Self { kind, message: message.chars().map(clean).collect() }
    }

    /// The sender was stopped while the request was under way.
    pub(super) fn stopped() -> Self {
        Self::new(FailureKind::Stopped, "Postrider is stopping; the request was abandoned")
    }

    /// A connection to `address` that did not come about.
    pub(super) fn connect(address: SocketAddr, error: &io::Error) -> Self {
        use io::ErrorKind as K;
        let (kind, message) = match error.kind() {
            K::ConnectionRefused => {
                (FailureKind::Refused, format!("connection refused by {address}: nothing listens there"))
            }
            K::TimedOut | K::WouldBlock => {
                (FailureKind::ConnectTimeout, format!("timed out while connecting to {address}"))
            }
            K::HostUnreachable => (
                FailureKind::HostUnreachable,
                format!(
                    "no way to {address}: the host is unreachable; is it up, and does its firewall let us in?"
                ),
            ),
            K::NetworkUnreachable => (
                FailureKind::NoRoute,
                format!("this machine has no route to {address}; check its network (and IPv6, if it is one)"),
            ),
            K::PermissionDenied => (
                FailureKind::NoRoute,
                format!("this machine's own firewall forbids the connection to {address}"),
            ),
            _ if out_of_resources(error) => (
                FailureKind::OutOfDescriptors,
                format!(
                    "this machine cannot open another connection ({error}); raise its limits (LimitNOFILE)"
                ),
            ),
            _ => (FailureKind::ConnectFailed, format!("could not connect to {address}: {error}")),
        };
        Self::new(kind, message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// ENFILE, EMFILE, ENOBUFS on Linux; ports and memory have kinds of their own.
fn out_of_resources(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24 | 105))
        || matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::OutOfMemory)
}

/// The beginning of what a peer sent, fit for a line of text.
pub(super) fn shown(bytes: &[u8]) -> String {
    let cut = bytes.get(..40).unwrap_or(bytes);
    format!("\"{}\"{}", cut.escape_ascii(), if cut.len() < bytes.len() { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connect(error: &io::Error) -> FailureKind {
        let failure = Failure::connect("8.8.8.8:443".parse().unwrap(), error);
        assert!(
            failure.message.contains("8.8.8.8:443") || failure.message.contains("LimitNOFILE"),
            "{failure}"
        );
        failure.kind
    }

    #[test]
    fn the_errors_of_a_connect_are_told_apart() {
        let kind = |errno| connect(&io::Error::from_raw_os_error(errno));
        assert_eq!(kind(111), FailureKind::Refused);
        assert_eq!(kind(110), FailureKind::ConnectTimeout);
        assert_eq!(kind(113), FailureKind::HostUnreachable);
        assert_eq!(kind(101), FailureKind::NoRoute);
        assert_eq!(kind(13), FailureKind::NoRoute);
        assert_eq!(kind(104), FailureKind::ConnectFailed);
        for errno in [24, 23, 105, 12, 99] {
            assert_eq!(kind(errno), FailureKind::OutOfDescriptors, "{errno}");
        }
    }

    #[test]
    fn what_is_ours_is_no_timeout_of_the_receiver() {
        assert!(FailureKind::NoRoute.is_ours() && !FailureKind::NoRoute.is_timeout());
        assert!(FailureKind::WaitTimeout.is_timeout() && !FailureKind::WaitTimeout.is_ours());
        assert!(!FailureKind::ResolverTrouble.is_ours() && FailureKind::ResolverSilent.is_ours());
    }

    #[test]
    fn a_message_is_one_line_whatever_the_peer_sent() {
        let failure = Failure::new(FailureKind::NotHttp, format!("got {}", shown(b"SSH-2.0\r\n\x00\xff")));
        assert_eq!(failure.message, r#"got "SSH-2.0\r\n\x00\xff""#);
        assert_eq!(Failure::new(FailureKind::Tls, "a\nb").message, "a b");
        assert!(shown(&[b'x'; 50]).ends_with("x\"…"));
    }
}
