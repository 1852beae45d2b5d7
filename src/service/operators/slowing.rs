//! Slowing down those who try passwords.
//!
//! Failures are counted in three places, in memory, on the clock that nobody sets:
//!
//! - for an account from one network: the fifth failure in a row stops attempts for a second, each further one for
//!   twice as long, up to 15 minutes. This is what a guesser meets first, and it concerns nobody else.
//! - for a network, whichever accounts it tries: from the twentieth failure on, the same.
//! - for an account, from wherever: from the fiftieth failure on, up to a minute only. This slows a guesser with
//!   many addresses, and so it could be used to keep somebody out. That is why it ends soon, and does not count for
//!   who comes from an address at which the account has a session.
//!
//! While an attempt is stopped it is refused without a look at the password, so that nothing is learned from it, and
//! it is not counted. Failures are forgotten 15 minutes after the last of them (and after the stop it brought). A
//! success forgets those of its account, but not those of its network: an attacker may have an account as well.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::operator::Email;

/// How long failures are remembered, and a stop at most.
const WINDOW: Duration = Duration::from_mins(15);
/// A stop of an account for everybody at most.
const SHORT: Duration = Duration::from_mins(1);
/// Accounts and networks that are remembered, of each kind. Beyond, the one that failed longest ago is forgotten.
const MOST: usize = 10_000;
/// Refusals of one network closer together than this are told once.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// After how many failures attempts are stopped, and for how long at most.
#[derive(Debug, Clone, Copy)]
struct Rule {
    free: u32,
    longest: Duration,
}

const PAIR: Rule = Rule { free: 5, longest: WINDOW };
const NETWORK: Rule = Rule { free: 20, longest: WINDOW };
const ACCOUNT: Rule = Rule { free: 50, longest: SHORT };

impl Rule {
    /// How long the `count`th failure in a row stops attempts.
    fn stop(self, count: u32) -> Duration {
        let Some(beyond) = count.checked_sub(self.free) else { return Duration::ZERO };
        Duration::from_secs(1).saturating_mul(1 << beyond.min(16)).min(self.longest)
    }
}

/// Who tries.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    /// The account that is named, whether it is there or not.
    pub(super) account: Option<Email>,
    /// Where from.
    pub(super) network: Option<IpAddr>,
    /// Whether the account has a session at this address.
    pub(super) known: bool,
}

impl Attempt {
    pub(super) fn new(account: Option<Email>, address: Option<IpAddr>, known: bool) -> Self {
        Self { account, network: address.map(network), known }
    }
}

/// An IPv4 address, or the /64 of an IPv6 address: whoever has one of those has them all.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Failures {
    count: u32,
    last: Duration,
    until: Duration,
}

impl Failures {
    fn forgotten_at(&self) -> Duration {
        self.last.max(self.until) + WINDOW
    }
}

/// Failures by whom they are counted for.
#[derive(Debug)]
struct Table<K>(HashMap<K, Failures>);

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash + Clone> Table<K> {
    /// How long attempts are still stopped.
    fn left(&self, key: &K, now: Duration) -> Duration {
        self.0.get(key).map_or(Duration::ZERO, |failures| failures.until.saturating_sub(now))
    }

    fn fail(&mut self, key: K, rule: Rule, now: Duration) {
        if self.0.len() >= MOST && !self.0.contains_key(&key) {
            self.make_room(now);
        }
        let failures = self.0.entry(key).or_default();
        if failures.forgotten_at() <= now {
            *failures = Failures::default();
        }
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
        failures.until = now + rule.stop(failures.count);
    }

    fn make_room(&mut self, now: Duration) {
        self.0.retain(|_, failures| failures.forgotten_at() > now);
        if self.0.len() >= MOST
            && let Some(oldest) =
                self.0.iter().min_by_key(|(_, failures)| failures.last).map(|(key, _)| key.clone())
        {
            self.0.remove(&oldest);
        }
    }
}

#[derive(Debug, Default)]
struct Tables {
    pairs: Table<(Email, Option<IpAddr>)>,
    networks: Table<IpAddr>,
    accounts: Table<Email>,
    told: HashMap<Option<IpAddr>, Duration>,
}

/// Who has failed of late.
#[derive(Debug, Default)]
pub struct Slowing(Mutex<Tables>);

impl Slowing {
    /// For how many seconds attempts like this are still stopped; `None`: it may be made.
    pub(super) fn stopped(&self, attempt: &Attempt, now: Duration) -> Option<u32> {
        let tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left = attempt.network.map_or(Duration::ZERO, |network| tables.networks.left(&network, now));
        if let Some(account) = &attempt.account {
            left = left.max(tables.pairs.left(&(account.clone(), attempt.network), now));
            if !attempt.known {
                left = left.max(tables.accounts.left(account, now));
            }
        }
        let seconds = u32::try_from(left.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
        (seconds > 0).then_some(seconds)
    }

    /// Counts a failure.
    pub(super) fn failed(&self, attempt: &Attempt, now: Duration) {
        let mut tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(network) = attempt.network {
            tables.networks.fail(network, NETWORK, now);
        }
        if let Some(account) = &attempt.account {
            tables.pairs.fail((account.clone(), attempt.network), PAIR, now);
            tables.accounts.fail(account.clone(), ACCOUNT, now);
        }
    }

    /// Forgets the failures of an account, from here and in all.
    pub(super) fn succeeded(&self, attempt: &Attempt) {
        let mut tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = &attempt.account {
            tables.pairs.0.remove(&(account.clone(), attempt.network));
            tables.accounts.0.remove(account);
        }
    }

    /// Whether a refusal is worth a line in the audit log: the first of a minute from this network.
    pub(super) fn worth_telling(&self, attempt: &Attempt, now: Duration) -> bool {
        let mut tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tables.told.get(&attempt.network).is_some_and(|told| now < *told + TOLD_EVERY) {
            return false;
        }
        if tables.told.len() >= MOST {
            tables.told.retain(|_, told| now < *told + TOLD_EVERY);
        }
        // With as many networks within a minute the log would only grow.
        let room = tables.told.len() < MOST;
        if room {
            tables.told.insert(attempt.network, now);
        }
        room
    }
}

#[cfg(test)]
#[path = "slowing_tests.rs"]
mod tests;
