//! What is the matter now. Read along small indexes and from memory: it costs the same however much there is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::domain::alert::Topic;
use crate::domain::alert::message::{Endpoint, Item};
use crate::domain::alert::told::{Key, PresentKeys, Told};
use crate::domain::growth::{DAY_MS, Growth, Sample};
use crate::domain::ids::EndpointId;
use crate::domain::time::UnixMs;
use crate::service::endpoints::{HealthStatus, Judging};
use crate::service::{Error, Service, expiring};
use crate::store::Reader;
use crate::store::alerts::AlertRow;
use crate::store::endpoints::{DisabledReason, EndpointRow};

const MINUTE_MS: i64 = 60_000;
/// The last cleanup that came to an end, well or not, is looked for among so many.
const ENDED_AMONG: usize = 20;

/// What is the matter.
pub(super) struct Present {
    /// With the server, and since when.
    pub(super) server: BTreeMap<Topic, Item>,
    /// With endpoints.
    pub(super) endpoints: BTreeMap<EndpointId, Concern>,
}

/// What is the matter with an endpoint.
#[derive(Clone, Copy)]
pub(super) struct Concern {
    topic: Topic,
    tenant_id: i64,
    since: Option<UnixMs>,
}

/// What an alert is about.
#[derive(Default)]
pub(super) struct About {
    /// What is the matter.
    pub(super) keys: PresentKeys,
    /// What was told, is over for this alert, and is told nobody.
    pub(super) quiet: BTreeSet<Key>,
}

impl Present {
    /// What an alert is about of it, given what it has told.
    pub(super) fn of(
        &self,
        alert: &AlertRow,
        told: &BTreeMap<Key, Told>,
        reader: &Reader<'_>,
        judging: &Judging,
    ) -> Result<About, Error> {
        let tenant = alert.tenant.as_ref().map(|(id, _)| *id);
        let of_server = self.server.iter().filter(|_| tenant.is_none());
        let of_server = of_server.map(|(topic, item)| (Key { topic: *topic, subject: 0 }, item.since));
        // It is not told that it fails itself: it would not arrive.
        let of_endpoints = self.endpoints.iter().filter(|(id, concern)| {
            tenant.is_none_or(|tenant| tenant == concern.tenant_id) && alert.endpoint != Some(**id)
        });
        let of_endpoints = of_endpoints.map(|(id, concern)| concern.entry(*id));
        let keys = of_server.chain(of_endpoints).filter(|(key, _)| alert.topics.contains(&key.topic));
        let mut about = About { keys: keys.collect(), ..About::default() };
        for (key, _) in told.iter().filter(|(_, told)| !told.ended) {
            self.follow(alert, *key, reader, judging, &mut about)?;
        }
        Ok(about)
    }

    /// Looks what became of something that was told. Only what is over for good has come to an end.
    fn follow(
        &self,
        alert: &AlertRow,
        key: Key,
        reader: &Reader<'_>,
        judging: &Judging,
        about: &mut About,
    ) -> Result<(), Error> {
        if !alert.topics.contains(&key.topic) {
            // It lasts perhaps, and nobody asks any more.
            about.quiet.insert(key);
            return Ok(());
        }
        if !key.topic.is_of_endpoint() || about.keys.contains_key(&key) {
            return Ok(());
        }
        let id = EndpointId(key.subject);
        let mut concern = self.endpoints.get(&id).copied();
        if concern.is_none() {
            let row = reader.endpoint(id)?.filter(|row| row.deleted_at.is_none());
            // It may have changed since it was not seen.
            concern = row.as_ref().and_then(|row| Concern::of(row, judging));
            match row {
                Some(row) if concern.is_none() && row.enabled => {
                    // It was enabled again: whether it receives is seen once something succeeds.
                    about.keys.extend(row.health.health.is_unproven().then_some((key, None)));
                }
                // It was deleted or switched off: whoever did it knows.
                _ if concern.is_none() => drop(about.quiet.insert(key)),
                _ => {}
            }
        }
        let entry = concern.map(|concern| concern.entry(id));
        // Where something else is the matter, which this alert is not about, it has not recovered.
        about.keys.extend(
            entry.map(|entry| if alert.topics.contains(&entry.0.topic) { entry } else { (key, None) }),
        );
        Ok(())
    }
}

impl Concern {
    /// What is the matter with an endpoint. Being disabled by somebody is nothing.
    fn of(row: &EndpointRow, judging: &Judging) -> Option<Self> {
        let health = &row.health.health;
        let (topic, since) = match (row.enabled, row.disabled_reason) {
            (true, _) if judging.status(true, health) == HealthStatus::Failing => {
                (Topic::EndpointFailing, health.first_failure_at)
            }
            (false, Some(DisabledReason::Failing | DisabledReason::Gone)) => {
                (Topic::EndpointDisabled, row.disabled_at)
            }
            _ => return None,
        };
        Some(Self { topic, tenant_id: row.tenant_id, since })
    }

    fn entry(&self, id: EndpointId) -> (Key, Option<UnixMs>) {
        (Key { topic: self.topic, subject: id.0 }, self.since)
    }
}

impl Service {
    /// Looks.
    pub(super) fn present(&self, reader: &Reader<'_>, judging: &Judging) -> Result<Present, Error> {
        let mut endpoints = BTreeMap::new();
        for (route, health) in self.failing_endpoints(reader, judging)? {
            let (topic, since) = (Topic::EndpointFailing, health.first_failure_at);
            endpoints.insert(route.id, Concern { topic, tenant_id: route.tenant_id, since });
        }
        for (id, tenant_id, since) in reader.ended_endpoints()? {
            endpoints.insert(id, Concern { topic: Topic::EndpointDisabled, tenant_id, since: Some(since) });
        }
        let now = self.store.times().wall();
        let found = [
            (Topic::OwnTrouble, self.own_trouble()),
            (Topic::Disk, self.disk(reader, now)?),
            (Topic::Backlog, backlog(reader, now)?),
            (Topic::Cleanup, self.cleanup_trouble(reader)?),
            (Topic::Backup, self.backup_trouble()),
            (Topic::HeldExpires, self.held_expires(reader)?),
        ];
        let server = found.into_iter().filter_map(|(topic, item)| Some((topic, item?))).collect();
        Ok(Present { server, endpoints })
    }

    fn own_trouble(&self) -> Option<Item> {
        // A stop is what somebody wanted.
        if self.readiness.is_stopping() {
            return None;
        }
        let problems = self.problems();
        (!problems.is_empty()).then(|| item(problems.join("; "), None))
    }

    fn disk(&self, reader: &Reader<'_>, now: UnixMs) -> Result<Option<Item>, Error> {
        let settings = reader.settings();
        let space = self.store.space()?;
        let percent = used_percent(space.disk_free_bytes, space.disk_bytes);
        if settings.alert_disk_percent > 0 && percent >= settings.alert_disk_percent {
            let left = megabytes(space.disk_free_bytes);
            let message = format!(
                "{percent} percent of it are used, {left} MB are left; make room, or keep less (setting retention_days)"
            );
            return Ok(Some(item(message, None)));
        }
        if settings.alert_disk_days == 0 {
            return Ok(None);
        }
        let free_bytes = reader.free_bytes()?;
        let sample = Sample { at: now, database_bytes: space.database_bytes, free_bytes };
        let growth = Growth::of(&reader.daily_sizes()?, &sample);
        let room = space.disk_free_bytes.saturating_add(free_bytes);
        let full_at = growth.and_then(|growth| growth.full_at(now, room));
        let horizon = UnixMs(now.0.saturating_add(i64::from(settings.alert_disk_days) * DAY_MS));
        Ok(full_at.filter(|at| *at <= horizon).map(|at| {
            let message = format!(
                "it is full at {at} if the database grows on as in the last week; make room, or keep less \
                 (setting retention_days)"
            );
            item(message, None)
        }))
    }

    /// Why the last cleanup is none to rely on.
    pub(in crate::service) fn cleanup_trouble(&self, reader: &Reader<'_>) -> Result<Option<Item>, Error> {
        if let Some(doubt) = self.store.cleanup_doubt() {
            return Ok(Some(item(doubt, None)));
        }
        // One that runs has not shown yet that it works. At most one does, and one that a kill has cut stays without end.
        let last = reader.cleanups(None, ENDED_AMONG)?.rows.into_iter();
        let last = last.map(|(_, report)| report).find(|report| report.ended_at.is_some());
        let failed = last.and_then(|report| Some((report.error?, report.started_at)));
        Ok(failed.map(|(error, at)| item(format!("it ended early: {error}; the next one goes on"), Some(at))))
    }

    /// Told with the endpoint whose oldest held delivery goes first.
    fn held_expires(&self, reader: &Reader<'_>) -> Result<Option<Item>, Error> {
        let soon = self.soon(reader);
        let expiring = self.expiring(reader, &soon)?;
        let Some((endpoint, oldest)) = expiring.first().copied() else { return Ok(None) };
        let Some(row) = reader.endpoint(endpoint)? else { return Ok(None) };
        let held = reader.old_held_of(endpoint, soon.before)?;
        let mut message = expiring::sentence(held, soon.deleted_at(oldest), row.enabled);
        let others = expiring.len() - 1;
        if others > 0 {
            let _ = write!(message, "; the same for {others} more, see the overview");
        }
        Ok(Some(Item { message, since: None, endpoint: Some(told(&row)) }))
    }

    /// Why the last backup is none.
    pub(in crate::service) fn backup_trouble(&self) -> Option<Item> {
        let backup = self.last_backup()?;
        Some(item(backup.error?, backup.ended_at))
    }
}

/// Told with the endpoint whose delivery is the oldest: it is the first to look at.
fn backlog(reader: &Reader<'_>, now: UnixMs) -> Result<Option<Item>, Error> {
    let minutes = reader.settings().alert_backlog_minutes;
    let oldest = if minutes == 0 { None } else { reader.oldest_due()? };
    let late = oldest.filter(|(_, at)| now.0 - at.0 >= i64::from(minutes) * MINUTE_MS);
    let Some((endpoint, at)) = late else { return Ok(None) };
    let message = "the oldest delivery that is due is for this endpoint: is it slow, paused or limited? \
                   if many wait, see the overview";
    let endpoint = reader.endpoint(endpoint)?.as_ref().map(told);
    Ok(Some(Item { message: message.to_owned(), since: Some(at), endpoint }))
}

fn told(row: &EndpointRow) -> Endpoint {
    Endpoint::new(&row.id, &row.tenant, &row.revision.url)
}

fn item(message: String, since: Option<UnixMs>) -> Item {
    Item { message, since, endpoint: None }
}

/// Rounded down, so that 90 means that 90 percent are used.
fn used_percent(free: u64, all: u64) -> u32 {
    if all == 0 {
        return 0;
    }
    let used = u128::from(all.saturating_sub(free)) * 100 / u128::from(all);
    u32::try_from(used).unwrap_or(100)
}

fn megabytes(bytes: u64) -> u64 {
    bytes / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_are_rounded_down() {
        assert_eq!(
            (used_percent(100, 1_000), used_percent(101, 1_000), used_percent(0, 1_000)),
            (90, 89, 100)
        );
        assert_eq!((used_percent(5, 0), used_percent(9, 5)), (0, 0));
    }
}
