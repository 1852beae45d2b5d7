//! The sender against scripted peers on loopback.

mod answers;
mod connections;
mod guard;
mod names;
pub mod peer;
mod proxy;
mod stopping;
pub mod tls;
mod trouble;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use postrider::domain::address::{AllowedNet, Policy};
use postrider::domain::ids::EndpointId;
use postrider::domain::target::{Target, TargetRules};
use postrider::sender::{
    Answer, Failure, FailureKind, HeaderName, HeaderValue, Lookup, LookupError, Request, Sender,
    SenderConfig, Sent,
};

use crate::support::port;

/// Long enough to never matter, short enough that a hang is a failure.
const LONG: Duration = Duration::from_mins(1);
/// A timeout that is meant to pass, and not before what comes before: a connection, a handshake, half of an answer. On a
/// busy machine a thread may wait for its turn for a good part of a second.
const SHORT: Duration = Duration::from_secs(2);

/// A resolver of our own: what is not named here does not exist.
#[derive(Default)]
struct Names {
    known: Mutex<HashMap<String, Result<Vec<IpAddr>, LookupError>>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    fn new(known: &[(&str, &[&str])]) -> Arc<Self> {
        let names = Self::default();
        for (name, addresses) in known {
            names.set(name, Ok(addresses.iter().map(|ip| ip.parse().unwrap()).collect()));
        }
        Arc::new(names)
    }

    fn set(&self, name: &str, found: Result<Vec<IpAddr>, LookupError>) {
        self.known.lock().unwrap().insert(name.to_owned(), found);
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Lookup for Names {
    fn lookup(&self, name: &str) -> Result<Vec<IpAddr>, LookupError> {
        self.asked.lock().unwrap().push(name.to_owned());
        self.known.lock().unwrap().get(name).cloned().unwrap_or(Err(LookupError::NoSuchName))
    }
}

/// Networks such as `127.0.0.0/8`, or `127.0.0.1/32:8080` for one port.
fn allow(nets: &[&str]) -> Policy {
    let allowed = |text: &&str| {
        let (address, rest) = text.split_once('/').unwrap();
        let (length, port) = rest.split_once(':').map_or((rest, None), |(length, port)| (length, Some(port)));
        let net = format!("{address}/{length}").parse().unwrap();
        AllowedNet { net, port: port.map(|port| port.parse().unwrap()) }
    };
    Policy { allow: nets.iter().map(allowed).collect(), own: Vec::new() }
}

fn config() -> SenderConfig {
    let lookup = Names::new(&[("receiver.test", &["127.0.0.1"])]);
    SenderConfig { policy: allow(&["127.0.0.0/8", "::1/128"]), lookup, ..SenderConfig::default() }
}

/// A sender that may reach loopback.
fn sender() -> Sender {
    Sender::new(config()).unwrap()
}

fn target(url: &str) -> Target {
    Target::parse(url, TargetRules { allow_http: true }).unwrap_or_else(|error| panic!("{url} {error}"))
}

/// A sender with these names that may reach these networks.
fn with(names: &Arc<Names>, allowed: &[&str]) -> Sender {
    let lookup = Arc::clone(names);
    Sender::new(SenderConfig { policy: allow(allowed), lookup, ..SenderConfig::default() }).unwrap()
}

/// A request of endpoint 1, revision 1, to `url`.
fn post(sender: &Sender, url: &str) -> Sent {
    post_as(sender, url, (1, 1), b"{}", LONG)
}

/// A request that ends when [`SHORT`] has passed: who would wait for the answer would wait for ever.
fn post_briefly(sender: &Sender, url: &str) -> Sent {
    let sent = post_as(sender, url, (1, 1), b"{}", SHORT);
    assert!(sent.duration < LONG, "it ended late, after {:?}", sent.duration);
    sent
}

fn post_as(
    sender: &Sender,
    url: &str,
    (endpoint, revision): (i64, i64),
    body: &[u8],
    timeout: Duration,
) -> Sent {
    let headers = [
        (HeaderName::from_static("content-type"), HeaderValue::from_static("application/json")),
        (HeaderName::from_static("user-agent"), HeaderValue::from_static("Postrider/test")),
        (HeaderName::from_static("webhook-id"), HeaderValue::from_static("evt_1")),
    ];
    let target = target(url);
    let endpoint = EndpointId(endpoint);
    sender.send(&Request { endpoint, revision, target: &target, headers: &headers, body, timeout })
}

fn answer(sent: Sent) -> Answer {
    sent.result.unwrap_or_else(|failure| panic!("{:?}: {failure}", failure.kind))
}

fn status(sent: Sent) -> u16 {
    answer(sent).status
}

fn failure(sent: Sent) -> Failure {
    let failure = sent.result.expect_err("it fails");
    assert!(!failure.message.is_empty() && !failure.message.contains('\n'), "{failure:?}");
    failure
}

fn kind(sent: Sent) -> FailureKind {
    failure(sent).kind
}
