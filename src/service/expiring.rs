//! Held deliveries that the cleanup will soon delete because of their age, told in time for somebody to send them.

use std::sync::Arc;

use crate::domain::growth::DAY_MS;
use crate::domain::ids::EndpointId;
use crate::domain::schedule::Schedule;
use crate::domain::time::UnixMs;
use crate::store::backlog::UpTo;
use crate::store::directory::Route;
use crate::store::{Reader, StoreError};

use super::{Error, Service, ViewScope};

/// They are told of from so long before they are old enough, or from half of the time that they are kept.
const SOON_MS: i64 = 3 * DAY_MS;

/// What counts as soon.
pub(super) struct Soon {
    /// What was made before is told of.
    pub(super) before: UnixMs,
    /// How long they are kept.
    kept_ms: i64,
    now: UnixMs,
    /// When cleanups are.
    schedule: Option<Schedule>,
}

impl Soon {
    /// When the cleanup deletes what was made then: at its first run that finds it old enough.
    pub(super) fn deleted_at(&self, made_at: UnixMs) -> UnixMs {
        let old_at = UnixMs(made_at.0.saturating_add(self.kept_ms)).max(self.now);
        self.schedule.as_ref().and_then(|schedule| schedule.next_after(old_at)).unwrap_or(old_at)
    }
}

/// What the cleanup deletes, from when on, and what to do. `enabled`: the endpoint is, so it is a restore that holds it
/// back.
pub(super) fn sentence(held: UpTo, until: UnixMs, enabled: bool) -> String {
    let held = match (held.count, held.more) {
        (1, false) => "1 delivery".to_owned(),
        (count, false) => format!("{count} deliveries"),
        (count, true) => format!("more than {count} deliveries"),
    };
    let first = if enabled { "" } else { "enable the endpoint and " };
    format!(
        "what is held grows too old: the cleanup deletes it ({held}, from {until} on); {first}deliver or discard it, \
         or keep more (setting retention_days)"
    )
}

impl Service {
    /// When the cleanup deletes the first of what is held for an endpoint, if that is soon. Blocks.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn held_until(&self, _scope: &ViewScope, endpoint: EndpointId) -> Result<Option<UnixMs>, Error> {
        Ok(self.store.read::<_, StoreError>(|reader| {
            let soon = self.soon(reader);
            Ok(reader.oldest_held(endpoint, soon.before)?.map(|oldest| soon.deleted_at(oldest)))
        })?)
    }

    /// What counts as soon by today's settings.
    pub(super) fn soon(&self, reader: &Reader<'_>) -> Soon {
        let (now, settings) = (self.store.times().wall(), reader.settings());
        let kept_ms = i64::from(settings.retention_days) * DAY_MS;
        let before = UnixMs(now.0 - kept_ms + SOON_MS.min(kept_ms / 2));
        let schedule = Schedule::parse(&settings.cleanup_schedule).ok();
        Soon { before, kept_ms, now, schedule }
    }

    /// For whom such are held, and when the oldest of each was made; that with the oldest first.
    pub(super) fn expiring(
        &self,
        reader: &Reader<'_>,
        soon: &Soon,
    ) -> Result<Vec<(EndpointId, UnixMs)>, StoreError> {
        let mut endpoints = reader.held_before(soon.before)?;
        // For one that was deleted or enabled just now, rows may be held that are about to be canceled or sent.
        let restored = reader.held_back()?.is_some();
        let directory = self.store.directory();
        let waits = |route: Arc<Route>| !route.enabled || restored;
        endpoints.retain(|(endpoint, _)| directory.route(*endpoint).is_some_and(waits));
        Ok(endpoints)
    }
}
