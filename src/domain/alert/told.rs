//! What is news to somebody, given what they were told before; and when it is sent.
//!
//! - What begins is told once. The same thing that is over and begins again within a day is told again if it lasts, so
//!   that nobody believes for a day that it is over: an endpoint's once it has lasted for an hour, the server's an hour
//!   after it was last told. Of an endpoint that only flaps, beginning and end are told once a day.
//! - What concerns the whole server is told once a day as long as it lasts: somebody has to do something about it.
//! - An end is told once, if the beginning was.
//! - News is collected for some minutes and sent as one message: what is over by then was never told. Where endpoints
//!   fail one after the other through a night, more and more of that is collected.
//! - A message that could not be sent is made anew at each try, of what is news then.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::time::UnixMs;

use super::Topic;

/// The same thing is told once in this time.
const QUIET_MS: i64 = 24 * HOUR_MS;
/// But what is over and begins again is told again once it has lasted for so long.
const LASTS_MS: i64 = HOUR_MS;
const HOUR_MS: i64 = 3_600_000;
/// So many messages within this time are nothing unusual.
const USUAL: usize = 2;
const LATELY_MS: i64 = 4 * HOUR_MS;
/// News of endpoints is collected for so many times as long at most.
const LONGEST: u32 = 12;
/// Waits before the tries after the first one that failed; the last goes on.
const WAITS: [Duration; 5] = [
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(15),
    Duration::from_mins(30),
    Duration::from_hours(1),
];

/// What is the matter, and with what: an endpoint's number, or 0 for the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What.
    pub topic: Topic,
    /// With what.
    pub subject: i64,
}

/// What is the matter now, and since when, where that is known.
pub type PresentKeys = BTreeMap<Key, Option<UnixMs>>;

/// What somebody was told about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// When they were told that it began.
    pub at: UnixMs,
    /// Whether it is over since, and they were told that or need not be.
    pub ended: bool,
}

/// What there is to tell, and what is to be noted without telling it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// What began, or still lasts.
    pub began: Vec<Key>,
    /// What is over.
    pub ended: Vec<Key>,
    /// What is over and need not be told: another condition of the same endpoint took its place, or nobody asked.
    pub closed: Vec<Key>,
    /// What may be forgotten: it is over, and its day of quiet as well.
    pub forgotten: Vec<Key>,
}

impl News {
    /// What is news, given what is the matter now. `tells_recovery`: whether ends of endpoints' conditions are wanted.
    pub fn of(present: &PresentKeys, told: &BTreeMap<Key, Told>, tells_recovery: bool, now: UnixMs) -> Self {
        let mut news = Self::default();
        // A clock that went back must not keep anybody quiet for long.
        let quiet_is_over = |told: &Told| (now.0 - told.at.0).abs() >= QUIET_MS;
        for (key, since) in present {
            let of_endpoint = key.topic.is_of_endpoint();
            let lasts = |told: &Told| {
                let from = if of_endpoint { *since } else { Some(told.at) };
                from.is_some_and(|from| now.0 - from.0 >= LASTS_MS)
            };
            let again = match told.get(key) {
                None => true,
                Some(told) if told.ended => quiet_is_over(told) || lasts(told),
                // It was over and has begun again between two looks.
                Some(told) if of_endpoint => since.is_some_and(|since| since > told.at) && lasts(told),
                Some(told) => quiet_is_over(told),
            };
            if again {
                news.began.push(*key);
            }
        }
        let has_another = |key: &Key| {
            key.topic.is_of_endpoint()
                && [Topic::EndpointFailing, Topic::EndpointDisabled]
                    .iter()
                    .any(|topic| present.contains_key(&Key { topic: *topic, subject: key.subject }))
        };
        for (key, told) in told.iter().filter(|(key, _)| !present.contains_key(key)) {
            match told.ended {
                false if has_another(key) => news.closed.push(*key),
                false if key.topic.is_of_endpoint() && !tells_recovery => news.closed.push(*key),
                false => news.ended.push(*key),
                true if quiet_is_over(told) => news.forgotten.push(*key),
                true => {}
            }
        }
        news
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.began.is_empty() && self.ended.is_empty()
    }

    /// How long it is collected, where `collect` is usual: after three messages within four hours twice as long, and with
    /// each more twice as long again. What begins at the server waits no longer than usual.
    pub fn patience(&self, told: &BTreeMap<Key, Told>, collect: Duration, now: UnixMs) -> Duration {
        if self.began.iter().any(|key| !key.topic.is_of_endpoint()) {
            return collect;
        }
        // All that one message tells has the same moment.
        let at = told.values().map(|told| told.at).filter(|at| (0..LATELY_MS).contains(&(now.0 - at.0)));
        let doubled = at.collect::<BTreeSet<_>>().len().saturating_sub(USUAL).min(4);
        collect * LONGEST.min(1 << doubled)
    }

    /// What was told once this is sent. Without `sent`: only what need not be.
    pub fn noted(&self, told: &mut BTreeMap<Key, Told>, sent: bool, now: UnixMs) {
        let end = |told: &mut BTreeMap<Key, Told>, key: &Key| {
            if let Some(known) = told.get_mut(key) {
                known.ended = true;
            }
        };
        self.closed.iter().for_each(|key| end(told, key));
        for key in &self.forgotten {
            told.remove(key);
        }
        if sent {
            self.ended.iter().for_each(|key| end(told, key));
            told.extend(self.began.iter().map(|key| (*key, Told { at: now, ended: false })));
        }
    }
}

/// How far the sending to somebody has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Since when there is news that was not sent.
    pub collecting_since: Option<UnixMs>,
    /// Tries that failed in a row.
    pub failures: u32,
    /// Not before this again.
    pub next_try_at: Option<UnixMs>,
}

impl Progress {
    /// The progress to be kept, and whether to send now.
    pub fn step(self, has_news: bool, now: UnixMs, collect: Duration) -> (Self, bool) {
        if !has_news {
            return (Self::default(), false);
        }
        // A clock that went back does not put it off.
        let since = self.collecting_since.filter(|since| *since <= now).unwrap_or(now);
        let collected = now >= since.plus(collect);
        let longest = now.plus(WAITS[WAITS.len() - 1]);
        let waits = self.next_try_at.is_some_and(|at| now < at && at <= longest);
        (Self { collecting_since: Some(since), ..self }, collected && !waits)
    }

    /// The progress after a try that failed.
    pub fn failed(self, now: UnixMs) -> Self {
        let wait = WAITS[(self.failures as usize).min(WAITS.len() - 1)];
        Self { failures: self.failures.saturating_add(1), next_try_at: Some(now.plus(wait)), ..self }
    }
}

#[cfg(test)]
#[path = "told_tests.rs"]
mod tests;
