//! Open files and connections: how many this process may have, and how they are shared.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The most connections of clients. An idle one takes some 10 KB.
const MOST: usize = 8192;
/// Connections to receivers that are kept while they are idle.
const IDLE: usize = 512;
/// Database, socket, listeners, log, and what libraries open for a moment.
const OWN: usize = 64;

/// Raises the limit as far as the system lets it, and says how many connections clients may have, so that
/// deliveries and the database do not find themselves without descriptors.
pub(super) fn for_clients(delivery_threads: usize) -> usize {
    let limit = raise();
    let connections = share(limit, delivery_threads);
    if connections < MOST {
        tracing::info!(
            limit,
            connections,
            "the limit of open files (LimitNOFILE, ulimit -n) bounds the connections of clients"
        );
    }
    connections
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

/// What is left beside deliveries; where that is little, half of all.
fn share(limit: usize, delivery_threads: usize) -> usize {
    let others = delivery_threads + IDLE + OWN;
    limit.saturating_sub(others).max(limit / 2).clamp(2, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_keep_what_they_may_need_and_clients_at_least_half_of_little() {
        assert_eq!(share(usize::MAX, 512), MOST);
        assert_eq!(share(20_000, 4096), MOST);
        assert_eq!(share(4096, 512), 4096 - 512 - 512 - 64);
        assert_eq!(share(1024, 512), 512);
        assert_eq!(share(256, 512), 128);
        assert_eq!(share(0, 512), 2);
    }
}
