//! TLS towards receivers: whom we trust, and what to say when the handshake fails.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, ClientConnection, InvalidMessage, RootCertStore};

use super::failure::{Failure, FailureKind};
use crate::domain::target::{Host, Target};
use crate::domain::time::UnixMs;

/// One configuration for all connections: the public authorities and `extra`.
pub(super) fn config(extra: Vec<CertificateDer<'static>>) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for (index, certificate) in extra.into_iter().enumerate() {
        roots.add(certificate).map_err(|error| {
            format!("certificate {} of the extra authorities cannot be used: {error}", index + 1)
        })?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// How many public authorities are trusted.
pub fn public_authorities() -> usize {
    webpki_roots::TLS_SERVER_ROOTS.len()
}

/// A new session with the host of `target`.
pub(super) fn session(config: &Arc<ClientConfig>, target: &Target) -> Result<ClientConnection, Failure> {
    let name = match target.host() {
        Host::Ip(ip) => ServerName::from(*ip),
        Host::Name(name) => ServerName::try_from(name.clone()).map_err(|error| {
            Failure::new(FailureKind::Tls, format!("`{name}` cannot be a name in a certificate: {error}"))
        })?,
    };
    ClientConnection::new(Arc::clone(config), name)
        .map_err(|error| Failure::new(FailureKind::Tls, format!("TLS cannot start: {error}")))
}

/// What a fault that rustls found means for the owner of the receiver.
pub(super) fn failure(error: &rustls::Error, target: &Target, address: SocketAddr) -> Failure {
    fault(error, target.host_header(), &address)
}

/// The same for any host.
pub(super) fn fault(error: &rustls::Error, host: &str, address: &dyn std::fmt::Display) -> Failure {
    match error {
        rustls::Error::InvalidCertificate(fault) => certificate(fault, host),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => Failure::new(
            FailureKind::Tls,
            format!("{address} does not speak TLS on this port; is it http://?"),
        ),
        rustls::Error::AlertReceived(alert) => {
            Failure::new(FailureKind::Tls, format!("{host} ended the TLS handshake with the alert {alert:?}"))
        }
        other => Failure::new(FailureKind::Tls, format!("TLS with {host} failed: {other}")),
    }
}

fn certificate(fault: &CertificateError, host: &str) -> Failure {
    use CertificateError as E;
    let (kind, said) = match fault {
        E::ExpiredContext { not_after, .. } => {
            (FailureKind::CertificateExpired, format!("expired on {}; renew it", day(*not_after)))
        }
        E::Expired => (FailureKind::CertificateExpired, "has expired; renew it".to_owned()),
        E::NotValidYetContext { not_before, .. } => {
            (FailureKind::CertificateExpired, format!("is not valid before {}", day(*not_before)))
        }
        E::NotValidYet => (FailureKind::CertificateExpired, "is not valid yet".to_owned()),
        E::NotValidForNameContext { presented, .. } => {
            let names = presented.iter().take(5).map(|name| bare(name)).collect::<Vec<_>>().join(", ");
            (FailureKind::CertificateOtherName, format!("is for another name ({names})"))
        }
        E::NotValidForName => (FailureKind::CertificateOtherName, "is for another name".to_owned()),
        E::UnknownIssuer => (
            FailureKind::CertificateUnknownAuthority,
            "is by an unknown authority; is the chain complete? `--extra-ca` trusts a private one".to_owned(),
        ),
        E::BadSignature => (
            FailureKind::CertificateUnknownAuthority,
            "is not signed by the authority that it names, but maybe by another one of the same name; `--extra-ca` \
             trusts a private one"
                .to_owned(),
        ),
        // `openssl req -x509` makes certificates that are their own authority.
        E::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => (
            FailureKind::CertificateUnknownAuthority,
            "is self-signed, an authority's own; use one that an authority signed".to_owned(),
        ),
        other => (FailureKind::Tls, format!("is not accepted: {other}")),
    };
    Failure::new(kind, format!("the certificate of {host} {said}"))
}

/// A name as rustls lists it, `DnsName("a.example")`, without what stands around it.
fn bare(name: &str) -> &str {
    let inside = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.unwrap_or(name).trim_matches('"')
}

fn day(at: UnixTime) -> String {
    let text = UnixMs(i64::try_from(at.as_secs()).unwrap_or(i64::MAX).saturating_mul(1000)).to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}
