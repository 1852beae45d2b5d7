//! What is known about names, and when it has to be asked again. No threads, no clock: `now` is handed in.
//!
//! - An answer lives 30 s and is renewed in the background from three quarters of that on.
//! - A failure lives 5 s. "No such name" takes the old answer away; no answer leaves it for 5 minutes.
//! - A lookup that has not come back after 5 s counts as a failure, and its answer is still welcome.
//! - One lookup per name at a time.
//! - A failure is told once it is clear whose fault it is: without a recent answer to any name, that shows with the
//!   lookup of another one that is under way.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::sender::lookup::LookupError;

#[cfg(test)]
mod tests;

const ANSWER_LIFE: Duration = Duration::from_secs(30);
const RENEW_FROM: Duration = Duration::from_millis(22_500);
const STALE_LIFE: Duration = Duration::from_mins(5);
const FAILURE_LIFE: Duration = Duration::from_secs(5);
/// How long a lookup may take before those who wait for it are told that it failed.
const LOOKUP_LIMIT: Duration = Duration::from_secs(5);
/// How long an answer to any name proves that the resolver works.
const PROOF_LIFE: Duration = Duration::from_mins(1);
/// From this age of the proof on, a failure makes us ask for a name that used to work.
const PROBE_AFTER: Duration = Duration::from_secs(10);
/// Names that are remembered; at most some 10 MB with all their addresses.
const MAX_NAMES: usize = 16_384;
/// Addresses that a name may have.
const MAX_ADDRESSES: usize = 256;

/// What a lookup left behind.
type Found = Result<Arc<[IpAddr]>, LookupError>;

/// Called once, when a name that was waited for is known.
pub(in crate::sender) type Waker = Box<dyn FnOnce() + Send>;

/// Why there are no addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sender) struct Unresolved {
    /// What the lookup said.
    pub(in crate::sender) error: LookupError,
    /// Whether no name at all gets an answer, so that the fault is ours.
    pub(in crate::sender) silent: bool,
}

/// What is known about a name at this moment.
pub(in crate::sender) type Known = Result<Arc<[IpAddr]>, Unresolved>;

#[derive(Default)]
struct Entry {
    answer: Option<(Arc<[IpAddr]>, Duration)>,
    failure: Option<(LookupError, Duration)>,
    /// Since when a lookup is queued or under way, and whether it was given up on.
    running: Option<(Duration, bool)>,
    wakers: Vec<Waker>,
    used: Duration,
}

/// All names.
#[derive(Default)]
pub(super) struct Cache {
    names: HashMap<Arc<str>, Entry>,
    /// Lookups in the order in which they were asked for; those that came back are skipped.
    started: VecDeque<(Duration, Arc<str>)>,
    last_answer: Option<Duration>,
    first_failed: Option<Arc<str>>,
    others_failed: bool,
    /// Those who wait for a failure to be clear.
    undecided: Vec<Waker>,
}

/// What to do after a question: `known` answers it, `start` wants to be looked up.
pub(super) struct Asked {
    pub(super) known: Option<Known>,
    pub(super) start: Option<Arc<str>>,
}

impl Entry {
    fn hangs(&self) -> bool {
        self.running.is_some_and(|(_, given_up)| given_up)
    }

    /// What is known, and whether it should be asked again.
    fn look(&self, now: Duration) -> (Option<Found>, bool) {
        let fresh_failure = self.failure.as_ref().filter(|(_, at)| now.saturating_sub(*at) < FAILURE_LIFE);
        let troubled = self.hangs() || self.failure.is_some();
        if let Some((addresses, at)) = &self.answer {
            let age = now.saturating_sub(*at);
            if age < ANSWER_LIFE || (troubled && age < STALE_LIFE) {
                return (Some(Ok(Arc::clone(addresses))), age >= RENEW_FROM && fresh_failure.is_none());
            }
        }
        if self.hangs() {
            let text = format!("no answer within {} s", LOOKUP_LIMIT.as_secs());
            return (Some(Err(LookupError::Temporary(text))), false);
        }
        match fresh_failure {
            Some((error, _)) => (Some(Err(error.clone())), false),
            None => (None, true),
        }
    }
}

impl Cache {
    /// What is known about `name`. With `known: None` the caller waits: see [`Cache::wait`].
    pub(super) fn ask(&mut self, name: &str, now: Duration) -> Asked {
        if !self.names.contains_key(name) && !self.make_room() {
            let error = LookupError::Temporary("too many names are being looked up at once".to_owned());
            return Asked { known: Some(Err(Unresolved { error, silent: true })), start: None };
        }
        let silent = self.is_silent(now);
        let entry = match self.names.get_mut(name) {
            Some(entry) => entry,
            None => self.names.entry(name.into()).or_default(),
        };
        entry.used = now;
        let (known, again) = entry.look(now);
        let failed = matches!(known, Some(Err(LookupError::Temporary(_))));
        let start: Option<Arc<str>> = (again && entry.running.is_none()).then(|| name.into());
        if let Some(name) = &start {
            entry.running = Some((now, false));
            self.started.push_back((now, Arc::clone(name)));
        }
        let unresolved =
            |error: LookupError| Unresolved { silent: silent && error != LookupError::NoSuchName, error };
        let known = known.map(|known| known.map_err(unresolved));
        let known = known.filter(|_| !failed || self.is_clear(name, now));
        Asked { known, start }
    }

    /// Calls `waker` when `name`, for which [`Cache::ask`] knew nothing, may be known.
    pub(super) fn wait(&mut self, name: &str, waker: Waker) {
        match self.names.get_mut(name) {
            Some(entry) if entry.running.is_some_and(|(_, given_up)| !given_up) => entry.wakers.push(waker),
            _ => self.undecided.push(waker),
        }
    }

    /// Takes in what a lookup found. Returns who waited for it, and a name to look up to see whether the
    /// resolver answers at all.
    pub(super) fn settle(
        &mut self,
        name: &Arc<str>,
        found: Result<Vec<IpAddr>, LookupError>,
        now: Duration,
    ) -> (Vec<Waker>, Option<Arc<str>>) {
        let silent = matches!(found, Err(LookupError::Temporary(_)));
        if silent {
            self.note_failure(name);
        } else {
            (self.last_answer, self.first_failed, self.others_failed) = (Some(now), None, false);
        }
        let Some(entry) = self.names.get_mut(name) else {
            return (Vec::new(), None);
        };
        entry.running = None;
        match found {
            Ok(addresses) if addresses.len() > MAX_ADDRESSES => {
                let error = LookupError::Temporary(format!("it has more than {MAX_ADDRESSES} addresses"));
                (entry.answer, entry.failure) = (None, Some((error, now)));
            }
            Ok(addresses) => (entry.answer, entry.failure) = (Some((addresses.into(), now)), None),
            Err(LookupError::NoSuchName) => {
                (entry.answer, entry.failure) = (None, Some((LookupError::NoSuchName, now)));
            }
            Err(error) => entry.failure = Some((error, now)),
        }
        let mut wakers = std::mem::take(&mut entry.wakers);
        wakers.append(&mut self.undecided);
        (wakers, if silent { self.probe(name, now) } else { None })
    }

    /// Gives up on lookups that take too long. Returns who waited for them, and when to look again.
    pub(super) fn give_up(&mut self, now: Duration) -> (Vec<Waker>, Option<Duration>) {
        let mut wakers = Vec::new();
        while let Some((since, name)) = self.started.front() {
            let since = *since;
            let waiting = self.names.get_mut(name).filter(|entry| entry.running == Some((since, false)));
            let left = LOOKUP_LIMIT.saturating_sub(now.saturating_sub(since));
            if waiting.is_some() && !left.is_zero() {
                return (wakers, Some(left));
            }
            if let Some(entry) = waiting {
                entry.running = Some((since, true));
                wakers.append(&mut entry.wakers);
                wakers.append(&mut self.undecided);
                let name = Arc::clone(name);
                self.note_failure(&name);
            }
            self.started.pop_front();
        }
        (wakers, None)
    }

    /// Everyone who waits, for a stop.
    pub(super) fn all_wakers(&mut self) -> Vec<Waker> {
        let undecided = std::mem::take(&mut self.undecided);
        let waiting = self.names.values_mut().flat_map(|entry| std::mem::take(&mut entry.wakers));
        waiting.chain(undecided).collect()
    }

    /// "The resolver answers for no name at all": no answer for a minute, and more than one name has failed
    /// since, or there is but one.
    fn is_silent(&self, now: Duration) -> bool {
        !self.is_proven(now) && (self.others_failed || self.names.len() <= 1)
    }

    fn is_proven(&self, now: Duration) -> bool {
        self.last_answer.is_some_and(|at| now.saturating_sub(at) < PROOF_LIFE)
    }

    /// Whether it can be said whose fault the failure of `name` is. If not, another lookup is under way, which ends
    /// or is given up on.
    fn is_clear(&self, name: &str, now: Duration) -> bool {
        let running = |(since, other): &(Duration, Arc<str>)| {
            **other != *name
                && self.names.get(other).is_some_and(|entry| entry.running == Some((*since, false)))
        };
        self.is_proven(now) || self.others_failed || !self.started.iter().any(running)
    }

    fn note_failure(&mut self, name: &Arc<str>) {
        match &self.first_failed {
            None => self.first_failed = Some(Arc::clone(name)),
            Some(first) if first != name => self.others_failed = true,
            Some(_) => {}
        }
    }

    fn probe(&mut self, failed: &Arc<str>, now: Duration) -> Option<Arc<str>> {
        if self.last_answer.is_some_and(|at| now.saturating_sub(at) < PROBE_AFTER) {
            return None;
        }
        let good = |(name, entry): &(&Arc<str>, &mut Entry)| {
            *name != failed && entry.answer.is_some() && entry.running.is_none()
        };
        let (name, entry) = self.names.iter_mut().find(good)?;
        entry.running = Some((now, false));
        self.started.push_back((now, Arc::clone(name)));
        Some(Arc::clone(name))
    }

    /// Forgets the eighth of the names that were used longest ago, when it is full.
    fn make_room(&mut self) -> bool {
        if self.names.len() < MAX_NAMES {
            return true;
        }
        let unused = |entry: &Entry| entry.running.is_none();
        let mut ages: Vec<Duration> = self.names.values().filter(|e| unused(e)).map(|e| e.used).collect();
        ages.sort_unstable();
        let Some(limit) = ages.get(MAX_NAMES / 8).or(ages.last()).copied() else {
            return false;
        };
        self.names.retain(|_, entry| !unused(entry) || entry.used > limit);
        true
    }
}
