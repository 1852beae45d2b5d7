//! Connections that wait for their next request: a bounded number in all, 4 s each, none older than 60 s.
//!
//! Kept by endpoint and revision: a change of the endpoint closes what it had. ureq has a pool of its own,
//! which is quadratic in the number of hosts; it is switched off, and this one stands below it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::keeper::Alarm;
use super::wire::Wire;
use crate::clock::Stopwatch;
use crate::domain::ids::EndpointId;

const IDLE_LIFE: Duration = Duration::from_secs(4);
const LIFE: Duration = Duration::from_mins(1);

/// A connection and what it is for.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) wire: Wire,
    /// The checked address of the target, also behind an egress proxy.
    pub(super) address: SocketAddr,
    /// Since it was opened.
    pub(super) age: Stopwatch,
    /// Whether it has carried a request before.
    pub(super) kept: bool,
}

/// All idle connections.
pub(super) struct Pool {
    alarm: Arc<Alarm>,
    /// Connections at most. Where endpoints have their turns one after another, fewer than there are endpoints would
    /// be as good as none: each is closed just before it is wanted.
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    endpoints: HashMap<EndpointId, Kept>,
    /// Which endpoint's oldest idle connection comes next, by the order in which they fell idle.
    order: BTreeMap<u64, EndpointId>,
    next: u64,
}

struct Kept {
    revision: i64,
    /// The one that fell idle last is at the back.
    idle: VecDeque<Idle>,
}

struct Idle {
    connection: Connection,
    since: Stopwatch,
    number: u64,
}

impl State {
    fn drop_all(&mut self, endpoint: EndpointId) -> Option<Kept> {
        let kept = self.endpoints.remove(&endpoint)?;
        for idle in &kept.idle {
            self.order.remove(&idle.number);
        }
        Some(kept)
    }

    fn drop_oldest(&mut self) -> Option<Idle> {
        let (_, endpoint) = self.order.pop_first()?;
        let kept = self.endpoints.get_mut(&endpoint)?;
        let idle = kept.idle.pop_front();
        if kept.idle.is_empty() {
            self.endpoints.remove(&endpoint);
        }
        idle
    }
}

impl Pool {
    pub(super) fn new(alarm: Arc<Alarm>, most: usize) -> Arc<Self> {
        Arc::new(Self { alarm, most, state: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection of this revision of the endpoint that still stands, to one of `addresses`.
    pub(super) fn take(
        &self,
        endpoint: EndpointId,
        revision: i64,
        addresses: &[SocketAddr],
    ) -> Option<Connection> {
        loop {
            // Closing is a system call: what is thrown away is dropped after the lock.
            let mut idle = self.pop(endpoint, revision)?;
            let young = idle.since.elapsed() < IDLE_LIFE && idle.connection.age.elapsed() < LIFE;
            if young && addresses.contains(&idle.connection.address) && idle.connection.wire.is_quiet() {
                idle.connection.kept = true;
                return Some(idle.connection);
            }
        }
    }

    fn pop(&self, endpoint: EndpointId, revision: i64) -> Option<Idle> {
        let mut state = self.lock();
        let kept = state.endpoints.get_mut(&endpoint)?;
        if kept.revision != revision {
            let old = if kept.revision < revision { state.drop_all(endpoint) } else { None };
            drop(state);
            drop(old);
            return None;
        }
        let idle = kept.idle.pop_back()?;
        if kept.idle.is_empty() {
            state.endpoints.remove(&endpoint);
        }
        state.order.remove(&idle.number);
        Some(idle)
    }

    /// Keeps a connection for the next request.
    pub(super) fn put(&self, endpoint: EndpointId, revision: i64, connection: Connection) {
        if connection.age.elapsed() >= LIFE {
            return;
        }
        let mut state = self.lock();
        let known = state.endpoints.get(&endpoint).map(|kept| kept.revision);
        if known.is_some_and(|known| known > revision) {
            return;
        }
        let old = if known.is_some_and(|known| known < revision) { state.drop_all(endpoint) } else { None };
        let crowd = if state.order.len() >= self.most { state.drop_oldest() } else { None };
        state.next += 1;
        let number = state.next;
        let kept =
            state.endpoints.entry(endpoint).or_insert_with(|| Kept { revision, idle: VecDeque::new() });
        kept.idle.push_back(Idle { connection, since: Stopwatch::start(), number });
        state.order.insert(number, endpoint);
        drop(state);
        drop((old, crowd));
        self.alarm.poke();
    }

    /// Closes what has been idle for too long; when to come again.
    pub(super) fn tick(&self) -> Option<Duration> {
        let mut old = Vec::new();
        let mut state = self.lock();
        let next = loop {
            let oldest = state.order.first_key_value().map(|(_, endpoint)| *endpoint);
            let Some(kept) = oldest.and_then(|endpoint| state.endpoints.get(&endpoint)) else {
                break None;
            };
            let left = kept.idle.front().map_or(Duration::ZERO, |idle| idle.since.left(IDLE_LIFE));
            if !left.is_zero() {
                break Some(left);
            }
            old.extend(state.drop_oldest());
        };
        drop(state);
        next
    }

    /// Closes everything.
    pub(super) fn clear(&self) {
        let old = std::mem::take(&mut *self.lock());
        drop(old);
    }

    /// How many connections are idle.
    pub(super) fn len(&self) -> usize {
        self.lock().order.len()
    }
}
