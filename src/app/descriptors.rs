//! Open files and connections: how many this process may have, and how they are shared.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The most connections of clients. An idle one takes some 10 KB.
const MOST: usize = 8192;
/// The most connections to receivers that are kept while they are idle: enough for two thousand endpoints in turn.
const IDLE: usize = 2_048;
/// Database, socket, listeners, log, and what libraries open for a moment.
const OWN: usize = 64;

/// Who may have how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shares {
    /// Connections of clients.
    pub(super) clients: usize,
    /// Idle connections to receivers.
    pub(super) idle: usize,
}

/// Raises the limit as far as the system lets it, and shares what there is, so that deliveries and the database do
/// not find themselves without descriptors.
pub(super) fn share(delivery_threads: usize) -> Shares {
    let limit = raise();
    let shares = shares(limit, delivery_threads);
    if shares.clients < MOST {
        tracing::info!(
            limit,
            connections = shares.clients,
            "the limit of open files (LimitNOFILE, ulimit -n) bounds the connections of clients"
        );
    }
    shares
}

/// The limit from which on this many deliveries take nothing from the clients.
pub(super) fn wanted(delivery_threads: usize) -> usize {
    2 * delivery_threads + OWN
}

/// Raises the soft limit to the hard one; what it is then. Soft limits are low for the sake of programs that use
/// `select`, which this one does not.
fn raise() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // None: no limit.
    let number =
        |limit: Option<u64>| limit.map_or(usize::MAX, |limit| limit.try_into().unwrap_or(usize::MAX));
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => number(maximum),
        Err(error) => {
            tracing::warn!(%error, "the limit of open files could not be raised");
            number(current)
        }
    }
}

/// An eighth for connections that may come in handy; for clients what is left beside deliveries or, where that is
/// little, half of all.
fn shares(limit: usize, delivery_threads: usize) -> Shares {
    let idle = (limit / 8).min(IDLE);
    let clients = limit.saturating_sub(delivery_threads + idle + OWN).max(limit / 2).clamp(2, MOST);
    Shares { clients, idle }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_keep_what_they_may_need_and_clients_at_least_half_of_little() {
        let of = |limit, threads| (shares(limit, threads).clients, shares(limit, threads).idle);
        assert_eq!(of(usize::MAX, 512), (MOST, IDLE));
        assert_eq!(of(20_000, 4096), (MOST, IDLE));
        assert_eq!(of(4096, 512), (4096 - 512 - 512 - 64, 512));
        assert_eq!(of(1024, 512), (512, 128));
        assert_eq!(of(256, 512), (128, 32));
        assert_eq!(of(0, 512), (2, 0));
    }
}
