//! Deleting what is old: by hand here, nightly by the dispatcher.

use std::time::Duration;

use crate::store::audit::Actor;
use crate::store::cleanup::{CleanupReport, CleanupRequest, CleanupsNow};
use crate::store::{Answer, Listed, StoreError};

use super::{AdminScope, Code, Error, Service, ViewScope};

/// A cleanup by hand keeps at least the last day.
pub const LEAST_SECONDS: i64 = 86_400;
/// Ten years, as for the settings.
pub const MOST_SECONDS: i64 = 3650 * 86_400;

impl Service {
    /// Deletes what is older than `older_than_seconds`, else than the settings say; with `dry_run` it only
    /// counts. The answer comes at the end, and the cleanup goes on if nobody waits for it. It is also the
    /// word of an operator that the clock is right.
    ///
    /// # Errors
    /// `invalid`: less than a day, or more than ten years; `unavailable`: nothing can be written, so nothing can be deleted.
    pub fn cleanup(
        &self,
        scope: &AdminScope,
        older_than_seconds: Option<i64>,
        dry_run: bool,
    ) -> Result<Answer<CleanupReport>, Error> {
        let older_than = match older_than_seconds.map(older_than).transpose() {
            Ok(older_than) => older_than,
            Err(message) => return Err(Error::field("older_than_seconds", message)),
        };
        // It would wait in silence, and a full disk is just what it is to help against.
        if let Some(reason) = self.store.trouble() {
            let detail = format!(
                "nothing can be written ({reason}), so nothing can be deleted either. If the disk is full, remove some MB by hand \
                 first: old files in backups/, or the folders replaced-…, in the data directory"
            );
            return Err(Error::new(Code::Unavailable, detail));
        }
        if !dry_run {
            self.store.trust_clock();
        }
        let Actor { name: by, address } = scope.actor().clone();
        Ok(self.store.cleanup(CleanupRequest { older_than, dry_run, by, address }))
    }

    /// Why none deletes anything for now: the clock may be wrong. It takes 24 hours, or [`Service::cleanup`].
    pub fn cleanup_waits(&self, _scope: &ViewScope) -> Option<String> {
        self.store.cleanup_doubt()
    }

    /// The cleanup that is under way, with what it has done so far, and how many wait for their turn.
    pub fn cleanups_now(&self, _scope: &ViewScope) -> CleanupsNow {
        self.store.cleanups_now()
    }

    /// The cleanups, the newest first, below the number `before`; at most `limit`. Blocks.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn cleanups(
        &self,
        _scope: &ViewScope,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Listed<CleanupReport>, Error> {
        let page = self.store.read::<_, StoreError>(|reader| reader.cleanups(before, limit))?;
        Ok(Listed { rows: page.rows.into_iter().map(|(_, report)| report).collect(), next: page.next })
    }
}

/// How far back a cleanup by hand goes: a day to ten years.
///
/// # Errors
/// What is allowed.
pub fn older_than(seconds: i64) -> Result<Duration, String> {
    match u64::try_from(seconds) {
        Ok(whole) if (LEAST_SECONDS..=MOST_SECONDS).contains(&seconds) => Ok(Duration::from_secs(whole)),
        _ => Err(format!("must be a whole number of seconds from {LEAST_SECONDS} (a day) to {MOST_SECONDS}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_is_kept() {
        assert_eq!(older_than(86_400), Ok(Duration::from_hours(24)));
        for wrong in [86_399, 0, -1, i64::MIN, i64::MAX] {
            assert!(older_than(wrong).is_err_and(|message| message.contains("86400")), "{wrong}");
        }
    }
}
