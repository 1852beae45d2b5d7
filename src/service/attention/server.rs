//! What is the matter with the server itself, and not with an endpoint.

use crate::domain::alert::message::Item;
use crate::service::{Error, Service};
use crate::store::Reader;
use crate::store::restored::HeldBack;

use super::{Attention, Topic};

/// Alerts that are looked at, the newest.
const ALERTS: usize = 250;

impl Service {
    /// All of it, in the order of the topics.
    pub(super) fn of_server(&self, reader: &Reader<'_>) -> Result<Vec<Attention>, Error> {
        let mut all: Vec<_> = self.problems().into_iter().map(|why| general(Topic::NotReady, why)).collect();
        all.extend(held_back(reader)?);
        all.extend(self.housekeeping(reader)?);
        all.extend(alerts_unsent(reader)?);
        Ok(all)
    }

    /// What is the matter with the cleanup and the backups: as alerts tell it.
    fn housekeeping(&self, reader: &Reader<'_>) -> Result<Vec<Attention>, Error> {
        let cleanup = self.cleanup_trouble(reader)?;
        let waits = self.store.cleanup_doubt().is_some();
        let topic = if waits { Topic::CleanupWaits } else { Topic::CleanupFails };
        let told = |topic, what: &str, Item { message, since, .. }: Item| Attention {
            since,
            ..general(topic, format!("{what}{message}"))
        };
        let cleanup =
            cleanup.map(|item| told(topic, if waits { "" } else { "the last cleanup failed: " }, item));
        let backup = self.backup_trouble();
        let backup = backup.map(|item| told(Topic::BackupFails, "the last backup failed: ", item));
        Ok(cleanup.into_iter().chain(backup).collect())
    }
}

/// What a restore still holds back.
fn held_back(reader: &Reader<'_>) -> Result<Option<Attention>, Error> {
    Ok(reader.held_back()?.map(|HeldBack { since, held_then, count, more }| {
        let count = if more { format!("{count} or more") } else { count.to_string() };
        let why = format!(
            "{count} deliveries (of {held_then} at first) are held since the restore, for they may have been sent: \
             deliver or discard them, on the overview or by `postrider deliveries release`"
        );
        Attention { since: Some(since), ..general(Topic::Restored, why) }
    }))
}

/// Alerts that do not reach anybody: whoever relies on them hears nothing, and takes that for good news.
fn alerts_unsent(reader: &Reader<'_>) -> Result<Option<Attention>, Error> {
    let enabled = reader.alerts(None, ALERTS)?.rows.into_iter().filter(|alert| alert.enabled);
    let mut unsent = enabled.filter_map(|alert| Some((alert.last_error_at, alert.last_error?, alert.name)));
    let Some((since, error, name)) = unsent.next() else { return Ok(None) };
    let others = unsent.count();
    let more = if others == 0 { String::new() } else { format!(" (and {others} more)") };
    let why = format!("the alert {name}{more} could not be sent: {error}; mend and test it (page Alerts)");
    Ok(Some(Attention { since, ..general(Topic::AlertFails, why) }))
}

fn general(topic: Topic, why: String) -> Attention {
    Attention { topic, message: why, since: None, until: None, endpoint: None }
}
