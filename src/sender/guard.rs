//! The address rules, with what only the machine itself knows: which addresses are its own.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use crate::domain::address::{Denied, Policy, Rule};
use crate::domain::target::Target;

/// Judges the addresses of a target on every use.
#[derive(Debug)]
pub(super) struct Guard {
    policy: Policy,
}

impl Guard {
    pub(super) fn new(policy: Policy) -> Self {
        Self { policy }
    }

    /// Judges all addresses of `target`; one that is denied denies all.
    pub(super) fn judge(&self, target: &Target, addresses: &[IpAddr]) -> Result<(), Denied> {
        let port = target.port();
        for ip in addresses {
            self.policy.check(*ip, port)?;
            if self.policy.listens_everywhere_on(port) && is_this_machine(*ip) {
                self.policy.check_own(*ip, port)?;
            }
            if let Some(pattern) = target.denied_name()
                && !self.policy.allows(*ip, port)
            {
                return Err(Denied { address: SocketAddr::new(*ip, port), rule: Rule::Name(pattern) });
            }
        }
        Ok(())
    }

    /// What is wrong with the name of `target` whatever its addresses are; such a name is not even looked up.
    pub(super) fn judge_name(&self, target: &Target) -> Result<(), String> {
        match target.denied_name() {
            Some(pattern) if self.policy.allow.is_empty() => Err(format!(
                "`{}` is not a public name ({pattern}); the server's `--allow-net` with the network of its addresses allows it",
                target.host_header()
            )),
            _ => Ok(()),
        }
    }
}

/// Only an address of this machine can be bound. Nothing is sent.
fn is_this_machine(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}
