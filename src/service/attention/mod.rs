//! What needs a hand first. `server`: what is the matter with the server itself, and not with an endpoint.

mod server;

use std::cmp::Reverse;

use serde::Serialize;

use crate::domain::ids::EndpointId;
use crate::domain::names::TenantName;
use crate::domain::time::UnixMs;
use crate::store::Reader;
use crate::store::backlog::UpTo;
use crate::store::endpoints::DisabledReason;

use super::endpoints::{HealthStatus, Judging};
use super::expiring::{self, Soon};
use super::{Error, Service, ViewScope};

/// So many are told.
pub const MOST: usize = 100;

/// What it is about. In the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// The server cannot accept or deliver.
    NotReady,
    /// Deliveries are held since a backup was restored, until somebody says what becomes of them.
    Restored,
    /// A cleanup waits for a person's word that the clock is right.
    CleanupWaits,
    /// The last cleanup ended early.
    CleanupFails,
    /// The last backup failed.
    BackupFails,
    /// What an alert had to tell could not be sent the last time.
    AlertFails,
    /// Held deliveries are about to be deleted because of their age.
    HeldExpires,
    /// An endpoint is about to be disabled, because it fails.
    EndpointEnds,
    /// An endpoint was disabled because it failed, or said that it is gone.
    EndpointDisabled,
    /// An endpoint fails.
    EndpointFails,
    /// An endpoint was disabled by somebody.
    EndpointOff,
}

/// Something that needs a hand.
#[derive(Debug, Clone, Serialize)]
pub struct Attention {
    /// What it is about.
    pub topic: Topic,
    /// A sentence that says what is the matter and what to do.
    pub message: String,
    /// Since when, where that is known.
    pub since: Option<UnixMs>,
    /// When it gets worse: held deliveries are deleted, or the endpoint is disabled. Of one that only fails: before when it
    /// is not disabled.
    pub until: Option<UnixMs>,
    /// The endpoint that it is about.
    pub endpoint: Option<Concerned>,
}

/// An endpoint that needs a hand.
#[derive(Debug, Clone, Serialize)]
pub struct Concerned {
    /// The endpoint.
    pub id: EndpointId,
    /// Whose it is.
    pub tenant: TenantName,
    /// Where it is.
    pub url: String,
    /// For people.
    pub description: String,
    /// How it does.
    pub health: HealthStatus,
    /// Why it is disabled.
    pub disabled_reason: Option<DisabledReason>,
    /// What somebody noted then.
    pub disabled_note: Option<String>,
    /// Failed attempts in a row.
    pub failure_count: u32,
    /// The first of these.
    pub first_failure_at: Option<UnixMs>,
    /// Deliveries that are held for it, as far as they are counted: to 10,000.
    pub held: u32,
    /// Whether there are more.
    pub held_more: bool,
}

/// What is known before the endpoint is read.
struct Found {
    topic: Topic,
    endpoint: EndpointId,
    since: Option<UnixMs>,
    until: Option<UnixMs>,
    /// Held deliveries of it that were made before are about to be deleted.
    expiring: Option<UnixMs>,
}

impl Found {
    /// Those that get worse soonest first, then those that began last.
    fn urgency(&self) -> impl Ord + use<> {
        (self.topic, self.until, self.since.map(Reverse))
    }
}

impl Service {
    /// What needs a hand, the most urgent first: at most [`MOST`]. `true`: there is more. Blocks.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn attention(&self, _scope: &ViewScope) -> Result<(Vec<Attention>, bool), Error> {
        self.store.read::<_, Error>(|reader| {
            let mut all = self.of_server(reader)?;
            let room = MOST.saturating_sub(all.len());
            let judging = self.judging();
            let soon = self.soon(reader);
            let mut found = of_held(&soon, self.expiring(reader, &soon)?);
            found.extend(self.failing(reader, &judging)?);
            found.sort_by_key(Found::urgency);
            found.extend(disabled(reader, room)?);
            let mut more = found.len() > room;
            let mut shown = Vec::new();
            for found in found {
                shown.extend(show(reader, &found, &judging)?);
            }
            shown.sort_by_key(|shown: &Attention| shown.topic);
            more |= shown.len() > room;
            shown.truncate(room);
            all.extend(shown);
            Ok((all, more))
        })
    }

    /// Endpoints that fail, those that are disabled soonest first.
    fn failing(&self, reader: &Reader<'_>, judging: &Judging) -> Result<Vec<Found>, Error> {
        let failing = self.failing_endpoints(reader, judging)?.into_iter();
        let mut found: Vec<_> = failing
            .map(|(route, health)| {
                let (ends, earliest) =
                    (judging.disable_at(true, &health), judging.earliest_disable_at(true, &health));
                let topic = if ends.is_some() { Topic::EndpointEnds } else { Topic::EndpointFails };
                let (since, until) = (health.first_failure_at, ends.or(earliest));
                Found { topic, endpoint: route.id, since, until, expiring: None }
            })
            .collect();
        found.sort_by_key(Found::urgency);
        found.truncate(MOST + 1);
        Ok(found)
    }
}

/// Endpoints whose held deliveries are about to be deleted.
fn of_held(soon: &Soon, expiring: Vec<(EndpointId, UnixMs)>) -> Vec<Found> {
    let of = |(endpoint, oldest)| Found {
        topic: Topic::HeldExpires,
        endpoint,
        since: Some(oldest),
        until: Some(soon.deleted_at(oldest)),
        expiring: Some(soon.before),
    };
    expiring.into_iter().take(MOST + 1).map(of).collect()
}

/// Endpoints that are disabled, the last first.
fn disabled(reader: &Reader<'_>, room: usize) -> Result<Vec<Found>, Error> {
    let limit = u32::try_from(room + 1).unwrap_or(u32::MAX);
    let found = reader.disabled_endpoints(limit)?.into_iter();
    let topic = Topic::EndpointDisabled;
    Ok(found.map(|endpoint| Found { topic, endpoint, since: None, until: None, expiring: None }).collect())
}

/// The endpoint that was found; `None`: it was deleted.
fn show(reader: &Reader<'_>, found: &Found, judging: &Judging) -> Result<Option<Attention>, Error> {
    let Some(row) = reader.endpoint(found.endpoint)?.filter(|row| row.deleted_at.is_none()) else {
        return Ok(None);
    };
    let topic = match (found.topic, row.disabled_reason) {
        (Topic::EndpointDisabled, Some(DisabledReason::Manual) | None) => Topic::EndpointOff,
        (topic, _) => topic,
    };
    let held = reader.held_of(row.id)?;
    let health = &row.health.health;
    let concerned = Concerned {
        id: row.id,
        tenant: row.tenant,
        url: row.revision.url,
        description: row.settings.description,
        health: judging.status(row.enabled, health),
        disabled_reason: row.disabled_reason,
        disabled_note: row.disabled_note,
        failure_count: health.failure_count,
        first_failure_at: health.first_failure_at,
        held: held.count,
        held_more: held.more,
    };
    Ok(Some(Attention {
        topic,
        message: match (found.expiring, found.until) {
            (Some(before), Some(until)) => {
                expiring::sentence(reader.old_held_of(row.id, before)?, until, row.enabled)
            }
            _ => message(topic, &concerned, held, found.until),
        },
        since: found.since.or(row.disabled_at),
        until: found.until,
        endpoint: Some(concerned),
    }))
}

fn message(topic: Topic, endpoint: &Concerned, held: UpTo, until: Option<UnixMs>) -> String {
    let failures = endpoint.failure_count;
    let held = match (held.count, held.more) {
        (0, _) => "nothing is held for it".to_owned(),
        (count, true) => format!("more than {count} deliveries are held for it"),
        (1, _) => "1 delivery is held for it".to_owned(),
        (count, _) => format!("{count} deliveries are held for it"),
    };
    match topic {
        Topic::EndpointEnds => {
            let at = until.map_or_else(String::new, |at| format!(" from {at} on"));
            format!("{} failed; the next failure{at} disables the endpoint", attempts(failures))
        }
        Topic::EndpointFails if failures > 0 => {
            let failed = attempts(failures);
            let until = until.map_or_else(String::new, |at| {
                format!("; if none succeeds, it is disabled at the earliest at {at}")
            });
            format!("{failed} failed: see its last deliveries{until}")
        }
        Topic::EndpointFails => "a delivery was given up and nothing has succeeded since".to_owned(),
        Topic::EndpointDisabled if endpoint.disabled_reason == Some(DisabledReason::Gone) => {
            format!("it answered 410 and was disabled; {held}: enable or delete it")
        }
        Topic::EndpointDisabled => {
            format!("it failed for too long and was disabled; {held}: mend and enable it")
        }
        Topic::EndpointOff => format!("it was disabled by hand; {held}"),
        Topic::NotReady
        | Topic::Restored
        | Topic::CleanupWaits
        | Topic::CleanupFails
        | Topic::BackupFails
        | Topic::AlertFails
        | Topic::HeldExpires => String::new(),
    }
}

fn attempts(failures: u32) -> String {
    if failures == 1 {
        "the last attempt has".to_owned()
    } else {
        format!("{failures} attempts in a row have")
    }
}
