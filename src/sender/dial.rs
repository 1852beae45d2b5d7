//! Opening a connection: only to addresses that were checked for this very attempt.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::ClientConfig;

use super::failure::{Failure, FailureKind};
use super::lookup::LookupError;
use super::pool::Connection;
use super::resolver::Resolver;
use super::sockets::Sockets;
use super::tls;
use super::tunnel::EgressProxy;
use super::wire::{Deadline, Wire, WireError};
use super::{MAX_DIALLED, Phases};
use crate::clock::Stopwatch;
use crate::domain::target::{Host, Target};

/// Opens connections.
pub(super) struct Dialer {
    pub(super) tls: Arc<ClientConfig>,
    pub(super) proxy: Option<EgressProxy>,
    pub(super) sockets: Arc<Sockets>,
    pub(super) resolver: Arc<Resolver>,
}

impl Dialer {
    /// A connection to the first of `addresses` that answers, with TLS if the target wants it. Each address
    /// but the last gets half of the time that is left.
    pub(super) fn dial(
        &self,
        target: &Target,
        addresses: &[SocketAddr],
        deadline: Deadline,
        phases: &mut Phases,
    ) -> Result<Connection, Failure> {
        let watch = Stopwatch::start();
        let connected = self.connect_any(addresses, deadline);
        phases.connect = Some(watch.elapsed());
        let (mut wire, address) = connected?;
        if target.is_https() {
            let watch = Stopwatch::start();
            let shaken = wire.start_tls(tls::session(&self.tls, target)?, deadline);
            phases.tls = Some(watch.elapsed());
            shaken.map_err(|error| match error {
                WireError::Timeout => {
                    let message = format!("timed out during the TLS handshake with {address}");
                    Failure::new(FailureKind::TlsTimeout, message)
                }
                WireError::Io(error) => {
                    let message = format!("{address} ended the connection during the TLS handshake: {error}");
                    Failure::new(FailureKind::Tls, message)
                }
                WireError::Tls(error) => tls::failure(&error, target, address),
            })?;
        }
        Ok(Connection { wire, address, age: watch, kept: false })
    }

    fn connect_any(
        &self,
        addresses: &[SocketAddr],
        deadline: Deadline,
    ) -> Result<(Wire, SocketAddr), Failure> {
        first_of(addresses, deadline, |address, until| self.connect(address, until))
    }

    fn connect(&self, address: SocketAddr, until: Deadline) -> Result<Wire, Failure> {
        let Some(proxy) = &self.proxy else {
            return self.open(address, until);
        };
        let mut wire = self.reach(proxy, until)?;
        proxy.open(&mut wire, address, until)?;
        Ok(wire)
    }

    /// A connection to the proxy. Whatever keeps it away is trouble of ours, and no receiver's fault.
    fn reach(&self, proxy: &EgressProxy, until: Deadline) -> Result<Wire, Failure> {
        let found = match &proxy.host {
            Host::Ip(ip) => vec![*ip],
            Host::Name(name) => match self.resolver.wait(name, until) {
                None => return Err(proxy.unreachable("its name was not resolved in time")),
                Some(Ok(found)) => found.to_vec(),
                Some(Err(unresolved)) => match unresolved.error {
                    LookupError::NoSuchName => return Err(proxy.unreachable("its name does not exist")),
                    LookupError::Temporary(why) => {
                        return Err(proxy.unreachable(&format!("its name was not resolved: {why}")));
                    }
                },
            },
        };
        let addresses: Vec<_> =
            found.iter().take(MAX_DIALLED).map(|ip| SocketAddr::new(*ip, proxy.port)).collect();
        if addresses.is_empty() {
            return Err(proxy.unreachable("its name has no address"));
        }
        match first_of(&addresses, until, |address, until| self.open(address, until)) {
            Ok((wire, _)) => Ok(wire),
            Err(failure) if failure.kind.is_ours() => Err(failure),
            Err(failure) => Err(proxy.unreachable(&failure.message)),
        }
    }

    fn open(&self, address: SocketAddr, until: Deadline) -> Result<Wire, Failure> {
        let left = until.left().ok_or_else(too_late)?;
        let stream =
            TcpStream::connect_timeout(&address, left).map_err(|error| Failure::connect(address, &error))?;
        // A request is one write, but TLS and large bodies are more.
        stream.set_nodelay(true).map_err(|error| Failure::connect(address, &error))?;
        self.sockets.register(stream).map(Wire::new).ok_or_else(Failure::stopped)
    }
}

/// The first of `addresses` that lets itself be connected to, and the connection. Each but the last gets half of the time
/// that is left.
fn first_of(
    addresses: &[SocketAddr],
    deadline: Deadline,
    connect: impl Fn(SocketAddr, Deadline) -> Result<Wire, Failure>,
) -> Result<(Wire, SocketAddr), Failure> {
    let mut worst: Option<Failure> = None;
    for (index, address) in addresses.iter().enumerate() {
        let Some(left) = deadline.left() else { break };
        let share = if index + 1 < addresses.len() { left / 2 } else { left };
        match connect(*address, Deadline::new(Stopwatch::start(), share)) {
            Ok(wire) => return Ok((wire, *address)),
            // What the other side did says more than what ours could not do.
            Err(failure) => {
                if !failure.kind.is_ours() || worst.as_ref().is_none_or(|known| known.kind.is_ours()) {
                    worst = Some(failure);
                }
            }
        }
    }
    Err(worst.unwrap_or_else(too_late))
}

fn too_late() -> Failure {
    Failure::new(FailureKind::ConnectTimeout, "timed out before connecting")
}
