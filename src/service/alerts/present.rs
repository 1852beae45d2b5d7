//! What is the matter now. Read along small indexes and from memory: it costs the same however much there is.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::alert::Topic;
use crate::domain::alert::message::{Endpoint, Item};
use crate::domain::alert::told::{Key, Told};
use crate::domain::growth::{DAY_MS, Growth, Sample};
use crate::domain::ids::EndpointId;
use crate::domain::time::UnixMs;
use crate::service::endpoints::{HealthStatus, Judging};
use crate::service::{Error, Service};
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
    /// With endpoints, and whose they are.
    pub(super) endpoints: BTreeMap<EndpointId, (Topic, i64)>,
}

impl Present {
    /// What an alert is about of it, given what it has told; and which of that is over without anybody having to be told:
    /// an endpoint was deleted or switched off, which whoever did it knows.
    ///
    /// An endpoint that was told of and is enabled again has not recovered before something succeeds.
    pub(super) fn of(
        &self,
        alert: &AlertRow,
        told: &BTreeMap<Key, Told>,
        reader: &Reader<'_>,
        judging: &Judging,
    ) -> Result<(BTreeSet<Key>, BTreeSet<Key>), Error> {
        let tenant = alert.tenant.as_ref().map(|(id, _)| *id);
        let wanted = |topic: &Topic| alert.topics.contains(topic);
        let of_server =
            self.server.keys().filter(|_| tenant.is_none()).map(|topic| Key { topic: *topic, subject: 0 });
        // It is not told that it fails itself: it would not arrive.
        let of_endpoints = self.endpoints.iter().filter(|(id, (_, whose))| {
            tenant.is_none_or(|tenant| tenant == *whose) && alert.endpoint != Some(**id)
        });
        let of_endpoints = of_endpoints.map(|(id, (topic, _))| Key { topic: *topic, subject: id.0 });
        let mut keys: BTreeSet<Key> =
            of_server.chain(of_endpoints).filter(|key| wanted(&key.topic)).collect();
        let mut quiet = BTreeSet::new();
        for (key, _) in told.iter().filter(|(key, told)| key.topic.is_of_endpoint() && !told.ended) {
            let id = EndpointId(key.subject);
            if self.endpoints.contains_key(&id) {
                continue;
            }
            match reader.endpoint(id)?.filter(|row| row.deleted_at.is_none()) {
                None => drop(quiet.insert(*key)),
                // It may have changed since it was not seen.
                Some(row) => match topic_of(&row, judging) {
                    Some(topic) => keys.extend(wanted(&topic).then_some(Key { topic, subject: key.subject })),
                    None if !row.enabled => drop(quiet.insert(*key)),
                    None if row.health.health.is_unproven() => drop(keys.insert(*key)),
                    None => {}
                },
            }
        }
        Ok((keys, quiet))
    }
}

/// What is the matter with an endpoint. Being disabled by somebody is nothing.
pub(super) fn topic_of(row: &EndpointRow, judging: &Judging) -> Option<Topic> {
    match (row.enabled, row.disabled_reason) {
        (true, _) if judging.status(true, &row.health.health) == HealthStatus::Failing => {
            Some(Topic::EndpointFailing)
        }
        (false, Some(DisabledReason::Failing | DisabledReason::Gone)) => Some(Topic::EndpointDisabled),
        _ => None,
    }
}

impl Service {
    /// Looks.
    pub(super) fn present(&self, reader: &Reader<'_>, judging: &Judging) -> Result<Present, Error> {
        let mut endpoints = BTreeMap::new();
        for (route, _) in self.failing_endpoints(reader, judging)? {
            endpoints.insert(route.id, (Topic::EndpointFailing, route.tenant_id));
        }
        for (id, tenant) in reader.ended_endpoints()? {
            endpoints.insert(id, (Topic::EndpointDisabled, tenant));
        }
        let now = self.store.times().wall();
        let found = [
            (Topic::OwnTrouble, self.own_trouble()),
            (Topic::Disk, self.disk(reader, now)?),
            (Topic::Backlog, self.backlog_trouble(reader, now)?),
            (Topic::Cleanup, self.cleanup_trouble(reader)?),
            (Topic::Backup, self.backup_trouble()),
        ];
        let server = found.into_iter().filter_map(|(topic, item)| Some((topic, item?))).collect();
        Ok(Present { server, endpoints })
    }

    /// Told with the endpoint whose delivery is the oldest: it is the first to look at.
    fn backlog_trouble(&self, reader: &Reader<'_>, now: UnixMs) -> Result<Option<Item>, Error> {
        let minutes = reader.settings().alert_backlog_minutes;
        let oldest = if minutes == 0 { None } else { reader.oldest_due()? };
        let late = oldest.filter(|(_, at)| now.0 - at.0 >= i64::from(minutes) * MINUTE_MS);
        let Some((endpoint, at)) = late else { return Ok(None) };
        let message = "the oldest delivery that is due is for this endpoint: is it slow, paused or limited? \
                       if many wait, see the overview";
        let endpoint = reader.endpoint(endpoint)?;
        let endpoint = endpoint.map(|row| Endpoint::new(&row.id, &row.tenant, &row.revision.url));
        Ok(Some(Item { message: message.to_owned(), since: Some(at), endpoint }))
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

    fn cleanup_trouble(&self, reader: &Reader<'_>) -> Result<Option<Item>, Error> {
        if let Some(doubt) = self.store.cleanup_doubt() {
            return Ok(Some(item(doubt, None)));
        }
        // One that runs has not shown yet that it works. At most one does, and one that a kill has cut stays without end.
        let last = reader.cleanups(None, ENDED_AMONG)?.rows.into_iter();
        let last = last.map(|(_, report)| report).find(|report| report.ended_at.is_some());
        let failed = last.and_then(|report| Some((report.error?, report.started_at)));
        Ok(failed.map(|(error, at)| item(format!("it ended early: {error}; the next one goes on"), Some(at))))
    }

    fn backup_trouble(&self) -> Option<Item> {
        let backup = self.backup_told()?;
        Some(item(backup.error?, Some(backup.ended_at)))
    }
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
