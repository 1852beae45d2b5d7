//! What goes into the sender and what comes out of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use ureq::http::{self, HeaderName, HeaderValue};

use super::failure::Failure;
use super::lookup::{Lookup, SystemLookup};
use super::tunnel::EgressProxy;
use crate::domain::address::Policy;
use crate::domain::ids::EndpointId;
use crate::domain::target::Target;

/// How a sender is set up.
pub struct SenderConfig {
    /// Which addresses may be reached.
    pub policy: Policy,
    /// The only proxy that is ever used.
    pub egress_proxy: Option<EgressProxy>,
    /// Authorities that are trusted beside the public ones.
    pub extra_ca: Vec<CertificateDer<'static>>,
    /// Who knows the addresses of names.
    pub lookup: Arc<dyn Lookup>,
    /// Connections that are kept for another request, at most.
    pub idle_connections: usize,
    /// How many names may wait for servers that do not answer without delaying other names: a thread each.
    pub hanging_names: usize,
}

impl Default for SenderConfig {
    /// The public Internet, directly, by the system's resolver.
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            egress_proxy: None,
            extra_ca: Vec::new(),
            lookup: Arc::new(SystemLookup),
            idle_connections: 2_048,
            hanging_names: 256,
        }
    }
}

/// A request to be sent, by POST.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Whose connections it may use.
    pub endpoint: EndpointId,
    /// The revision of the endpoint; connections of an older one are closed.
    pub revision: i64,
    /// Where it goes.
    pub target: &'a Target,
    /// All headers but `host` and `content-length`, which are added.
    pub headers: &'a [(HeaderName, HeaderValue)],
    /// The body as it is signed.
    pub body: &'a [u8],
    /// From DNS to the last byte read.
    pub timeout: Duration,
}

/// What became of a request.
#[derive(Debug)]
pub struct Sent {
    /// How long all of it took.
    pub duration: Duration,
    /// How long its phases took.
    pub phases: Phases,
    /// The address that was spoken to, the target's also behind an egress proxy.
    pub address: Option<SocketAddr>,
    /// The answer, or why there is none.
    pub result: Result<Answer, Failure>,
}

/// The time of each phase of an attempt; `None` for one that did not happen. Of a request that was sent once
/// more, because its kept connection had ended, these are the phases of the second time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Phases {
    /// Finding the addresses of the name, from memory mostly.
    pub dns: Option<Duration>,
    /// Connecting, with all addresses that were tried and the proxy; not on a kept connection.
    pub connect: Option<Duration>,
    /// Shaking hands; not on a kept connection.
    pub tls: Option<Duration>,
    /// From the last byte sent to the first byte of the answer.
    pub wait: Option<Duration>,
    /// From the first byte of the answer to the last that was read.
    pub read: Option<Duration>,
}

/// An answer. Its status alone decides the outcome; 1xx have been skipped, except a 101, which nobody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// 101, or 200 to 999.
    pub status: u16,
    /// Lower-case names and values as they came, cut at 8 KB in all.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The first 2 KB of the body, as far as it came.
    pub body: Vec<u8>,
}

/// Whether an endpoint may be saved with a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// It resolves to addresses that may be reached.
    Fine,
    /// A rule forbids it: a sentence that names the rule and the option that allows it.
    Denied(String),
    /// Nothing is known about it: a sentence for a warning.
    Unresolved(String),
}

/// The request for ureq, and how many bytes its head takes at most.
pub(super) fn message<'a>(request: &Request<'a>) -> Result<(http::Request<&'a [u8]>, usize), http::Error> {
    let target = request.target;
    let mut message = http::Request::post(target.as_str()).body(request.body)?;
    let headers = message.headers_mut();
    headers.reserve(request.headers.len() + 1);
    headers.insert(http::header::HOST, HeaderValue::try_from(target.host_header())?);
    let mut size = 256 + target.as_str().len() + target.host_header().len();
    for (name, value) in request.headers {
        size += name.as_str().len() + value.len() + 4;
        headers.append(name.clone(), value.clone());
    }
    Ok((message, size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::target::TargetRules;
    use proptest::prelude::*;

    fn uri(target: &Target) -> http::Uri {
        let request = Request {
            endpoint: EndpointId(1),
            revision: 1,
            target,
            headers: &[],
            body: b"",
            timeout: Duration::from_secs(1),
        };
        message(&request).unwrap_or_else(|error| panic!("{target}: {error}")).0.uri().clone()
    }

    proptest! {
        #[test]
        fn every_target_is_a_uri_that_says_the_same(
            name in "[a-z0-9_.-]{1,20}|\\[::[0-9a-f]{1,4}\\]", tail in "(:[1-9][0-9]{3})?[/?]([!-~é]|%[0-9a-f]{2}){0,60}",
        ) {
            let url = format!("https://{name}{tail}");
            if let Ok(target) = Target::parse(&url, TargetRules::default()) {
                let uri = uri(&target);
                prop_assert_eq!(uri.path_and_query().map(http::uri::PathAndQuery::as_str), Some(target.path_and_query()));
                prop_assert_eq!(uri.authority().map(http::uri::Authority::as_str), Some(target.host_header()));
            }
        }
    }
}
