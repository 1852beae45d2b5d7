//! News as a message: the first few by name.

use crate::domain::alert::Topic;
use crate::domain::alert::message::{Endpoint, Group, Item, Message, NAMED};
use crate::domain::alert::told::{Key, News};
use crate::domain::ids::EndpointId;
use crate::service::{Error, Service};
use crate::store::Reader;
use crate::store::endpoints::{DisabledReason, EndpointRow};

use super::present::Present;

impl Service {
    /// The message that tells this news; `of_tenant`: perhaps to somebody outside of the team.
    pub(super) fn compose(
        &self,
        reader: &Reader<'_>,
        news: &News,
        present: &Present,
        of_tenant: bool,
    ) -> Result<Message, Error> {
        let mut groups = Vec::new();
        for topic in Topic::ALL {
            let began: Vec<&Key> = news.began.iter().filter(|key| key.topic == topic).collect();
            let ended: Vec<&Key> = news.ended.iter().filter(|key| told_as(key) == topic).collect();
            for (keys, over) in [(began, false), (ended, true)] {
                if !keys.is_empty() {
                    groups.push(group(reader, topic, &keys, over, present)?);
                }
            }
        }
        // Customers have no business there.
        let console = self.alerts.console.get().filter(|_| !of_tenant).cloned();
        Ok(Message { groups, console, test: false })
    }
}

/// Under which topic an end is told: endpoints recover, whatever was the matter.
fn told_as(key: &Key) -> Topic {
    if key.topic.is_of_endpoint() { Topic::EndpointRecovered } else { key.topic }
}

fn group(
    reader: &Reader<'_>,
    topic: Topic,
    keys: &[&Key],
    ended: bool,
    present: &Present,
) -> Result<Group, Error> {
    let mut first = Vec::new();
    for key in keys.iter().take(NAMED) {
        if !topic.is_of_endpoint() {
            first.extend(present.server.get(&topic).filter(|_| !ended).cloned());
        } else if let Some(row) = reader.endpoint(EndpointId(key.subject))? {
            first.push(of_endpoint(&row, ended));
        }
    }
    Ok(Group { condition: topic, ended, count: keys.len(), first })
}

fn of_endpoint(row: &EndpointRow, ended: bool) -> Item {
    let health = &row.health.health;
    let (message, since) = match (row.enabled, row.disabled_reason) {
        (true, _) if ended => ("receives again".to_owned(), None),
        // Somebody has switched it off: nothing fails there any more.
        (false, _) if ended => ("was disabled by hand".to_owned(), row.disabled_at),
        (false, Some(DisabledReason::Gone)) => {
            ("answered 410; enable or delete it".to_owned(), row.disabled_at)
        }
        (false, _) => ("failed for too long; mend and enable it".to_owned(), row.disabled_at),
        (true, _) if health.failure_count == 1 => {
            ("its last attempt has failed".to_owned(), health.first_failure_at)
        }
        (true, _) if health.failure_count > 1 => {
            (format!("{} attempts in a row have failed", health.failure_count), health.first_failure_at)
        }
        (true, _) => ("a delivery was given up".to_owned(), health.last_failure_at),
    };
    Item { message, since, endpoint: Some(Endpoint::new(&row.id, &row.tenant, &row.revision.url)) }
}
