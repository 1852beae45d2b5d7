//! Floor 1: sends requests. The only place that knows ureq and rustls.
//!
//! [`Sender::send`] blocks, and is called from many threads at once. The way of a request:
//!
//! 1. [`resolver`] knows the addresses of the name, or waits for them; [`guard`] judges all of them.
//! 2. [`pool`] has a connection to one of them that still stands, or [`dial`] opens one, through the
//!    [`tunnel`] of an egress proxy if there is one.
//! 3. [`client`] has ureq write the request and read the answer, over the buffers and limits of [`exchange`].
//! 4. [`head`] decides: as soon as the head of an answer is in, the request has an answer.
//!
//! One deadline holds from the first of these to the last byte of the body.

mod client;
mod dial;
mod exchange;
mod failure;
mod forward;
mod guard;
pub mod head;
mod keeper;
mod line;
mod lookup;
mod pool;
mod request;
mod resolver;
mod sockets;
mod tls;
mod tunnel;
mod wire;

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

pub use rustls::pki_types::CertificateDer;
pub use ureq::http::{HeaderName, HeaderValue};

use self::dial::Dialer;
use self::exchange::{Exchange, Outcome};
pub use self::failure::{Failure, FailureKind};
pub use self::forward::{Forwarded, Forwarder};
use self::guard::Guard;
use self::keeper::Alarm;
pub use self::line::Line;
pub use self::lookup::{Lookup, LookupError, SystemLookup};
use self::pool::{Connection, Pool};
use self::request::message;
pub use self::request::{Answer, Check, Phases, Request, SenderConfig, Sent};
use self::resolver::{Known, Resolver};
use self::sockets::Sockets;
pub use self::tls::public_authorities;
pub use self::tunnel::EgressProxy;
use self::wire::Deadline;
use crate::clock::Stopwatch;
use crate::domain::target::{Host, Target};

/// Addresses of a name that are tried, after all of them were judged.
const MAX_DIALLED: usize = 16;

/// Sends requests. Dropping it closes all connections and ends its threads.
pub struct Sender {
    agent: ureq::Agent,
    guard: Guard,
    dialer: Dialer,
    pool: Arc<Pool>,
    resolver: Arc<Resolver>,
    sockets: Arc<Sockets>,
    alarm: Arc<Alarm>,
    authorities: Vec<CertificateDer<'static>>,
}

impl Sender {
    /// Sets a sender up, with one thread; others start when names are looked up.
    ///
    /// # Errors
    /// A sentence, when an extra authority cannot be used or the thread cannot start.
    pub fn new(config: SenderConfig) -> Result<Self, String> {
        let alarm = Arc::new(Alarm::default());
        let pool = Pool::new(Arc::clone(&alarm), config.idle_connections);
        let resolver = Resolver::new(config.lookup, Arc::clone(&alarm), config.hanging_names);
        let sockets = Arc::new(Sockets::default());
        let authorities = config.extra_ca.clone();
        let tls = tls::config(config.extra_ca)?;
        keeper::start(Arc::clone(&alarm), Arc::clone(&pool), Arc::clone(&resolver))
            .map_err(|error| format!("cannot start a thread: {error}"))?;
        let dialer = Dialer {
            tls,
            proxy: config.egress_proxy,
            sockets: Arc::clone(&sockets),
            resolver: Arc::clone(&resolver),
        };
        let guard = Guard::new(config.policy);
        Ok(Self { agent: client::agent(), guard, dialer, pool, resolver, sockets, alarm, authorities })
    }

    /// Whether a request to `target` can be sent without waiting for DNS: its addresses, or that it has none,
    /// are known. If not, `wake` is called once when they are, on another thread; else it is dropped.
    pub fn prepare(&self, target: &Target, wake: Box<dyn FnOnce() + Send>) -> bool {
        match target.host() {
            Host::Name(name) if self.guard.judge_name(target).is_ok() => {
                self.resolver.ask(name, Some(wake)).is_some()
            }
            _ => true,
        }
    }

    /// Judges a target for saving; a name is resolved for at most `wait`.
    pub fn check(&self, target: &Target, wait: Duration) -> Check {
        let deadline = Deadline::new(Stopwatch::start(), wait);
        match self.addresses(target, deadline) {
            Ok(_) => Check::Fine,
            Err(failure) if failure.kind == FailureKind::Blocked => Check::Denied(failure.message),
            Err(failure) => Check::Unresolved(failure.message),
        }
    }

    /// Sends a request and waits for what becomes of it, at most `timeout` and a little.
    pub fn send(&self, request: &Request<'_>) -> Sent {
        let watch = Stopwatch::start();
        let deadline = Deadline::new(watch, request.timeout);
        let mut sent = Sent {
            duration: Duration::ZERO,
            phases: Phases::default(),
            address: None,
            result: Err(Failure::stopped()),
        };
        sent.result = self.attempt(request, deadline, &mut sent.phases, &mut sent.address);
        if sent.result.is_err() && self.sockets.is_stopped() {
            sent.result = Err(Failure::stopped());
        }
        sent.duration = watch.elapsed();
        sent
    }

    /// Cuts all connections and refuses new requests: those that are under way fail within moments as
    /// [`FailureKind::Stopped`], except that a connect in progress may take until its deadline.
    pub fn stop(&self) {
        self.sockets.stop();
        self.resolver.stop();
        self.alarm.stop();
        self.pool.clear();
    }

    /// Authorities that are trusted beside the public ones.
    pub fn authorities(&self) -> &[CertificateDer<'static>] {
        &self.authorities
    }

    /// How many connections wait for another request.
    pub fn idle_connections(&self) -> usize {
        self.pool.len()
    }

    fn attempt(
        &self,
        request: &Request<'_>,
        deadline: Deadline,
        phases: &mut Phases,
        address: &mut Option<SocketAddr>,
    ) -> Result<Answer, Failure> {
        let watch = Stopwatch::start();
        let found = self.addresses(request.target, deadline);
        phases.dns = matches!(request.target.host(), Host::Name(_)).then(|| watch.elapsed());
        let addresses = found?;
        if let Some(kept) = self.pool.take(request.endpoint, request.revision, &addresses) {
            *address = Some(kept.address);
            if let Some(result) = self.exchange(request, kept, deadline, phases) {
                return result;
            }
        }
        let fresh = self.dialer.dial(request.target, &addresses, deadline, phases);
        let fresh = fresh.inspect_err(|_| *address = addresses.first().copied())?;
        *address = Some(fresh.address);
        self.exchange(request, fresh, deadline, phases).unwrap_or_else(|| {
            Err(Failure::new(FailureKind::ClosedEarly, "the connection was closed without an answer"))
        })
    }

    /// The addresses to dial: all of them judged, then the first sixteen.
    fn addresses(&self, target: &Target, deadline: Deadline) -> Result<Vec<SocketAddr>, Failure> {
        let blocked = |rule: String| Failure::new(FailureKind::Blocked, format!("blocked: {rule}"));
        let found: Arc<[IpAddr]> = match target.host() {
            Host::Ip(ip) => [*ip].into(),
            Host::Name(name) => {
                self.guard.judge_name(target).map_err(blocked)?;
                self.resolver.wait(name, deadline).map_or_else(
                    || {
                        let message = format!("timed out while resolving {name}");
                        Err(Failure::new(FailureKind::ResolveTimeout, message))
                    },
                    |known: Known| known.map_err(|unresolved| unresolved.failure(name)),
                )?
            }
        };
        self.guard.judge(target, &found).map_err(|denied| blocked(denied.to_string()))?;
        Ok(found.iter().take(MAX_DIALLED).map(|ip| SocketAddr::new(*ip, target.port())).collect())
    }

    /// One request on one connection; `None` if that had ended before and nothing was heard.
    fn exchange(
        &self,
        request: &Request<'_>,
        connection: Connection,
        deadline: Deadline,
        phases: &mut Phases,
    ) -> Option<Result<Answer, Failure>> {
        let unsendable = |error: &dyn fmt::Display| {
            let message = format!("the request cannot be sent: {error}");
            Some(Err(Failure::new(FailureKind::Unsendable, message)))
        };
        let (message, head) = match message(request) {
            Ok(message) => message,
            Err(error) => return unsendable(&error),
        };
        let exchange = Box::new(Exchange::new(connection, deadline, head, request.body.len()));
        let (exchange, body, error) = client::run(&self.agent, message, exchange);
        let Some(exchange) = exchange else {
            return unsendable(&"the HTTP client lost the connection");
        };
        let Outcome { connection, unheard, wait, read, result } = exchange.outcome(request.target);
        (phases.wait, phases.read) = (wait, read);
        if let Some(connection) = connection {
            self.pool.put(request.endpoint, request.revision, connection);
        }
        match (result, error) {
            (Some(Ok(head)), _) => Some(Ok(Answer { status: head.status, headers: head.headers, body })),
            (_, _) if unheard => None,
            (Some(Err(failure)), _) => Some(Err(failure)),
            (None, Some(error)) => unsendable(&error),
            (None, None) => unsendable(&"the HTTP client did not use the connection"),
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("idle", &self.pool.len()).finish_non_exhaustive()
    }
}
