//! The record of the cleanups: the table `cleanups`.

use rusqlite::{OptionalExtension, params};

use crate::domain::time::UnixMs;

use super::super::error::StoreError;
use super::super::lists;
use super::super::reader::{Listed, Reader};
use super::CleanupReport;

/// Bytes of the database file.
pub(super) fn size(reader: &Reader<'_>) -> Result<i64, StoreError> {
    let pragma = |name| reader.connection().pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    Ok(pragma("page_count")? * pragma("page_size")?)
}

/// Writes down how a cleanup ended.
pub(super) fn write(reader: &Reader<'_>, id: i64, report: &CleanupReport) -> Result<(), StoreError> {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    reader.connection().execute(
        "UPDATE cleanups SET ended_at = ?2, deliveries = ?3, events = ?4, freed_bytes = ?5, error = ?6 WHERE id = ?1",
        params![
            id,
            report.ended_at.map(|at| at.0),
            number(report.deliveries),
            number(report.events),
            report.freed_bytes,
            report.error,
        ],
    )?;
    Ok(())
}

impl Reader<'_> {
    /// The cleanups, the newest first, below `before`.
    pub fn cleanups(
        &self,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Listed<(i64, CleanupReport)>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT id, started_at, ended_at, by_whom, deliveries, events, freed_bytes, error FROM cleanups
             WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
        )?;
        let most = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let rows = statement
            .query_map(params![before.unwrap_or(i64::MAX), most], |row| {
                let report = CleanupReport {
                    started_at: UnixMs(row.get(1)?),
                    ended_at: row.get::<_, Option<i64>>(2)?.map(UnixMs),
                    by: row.get(3)?,
                    dry_run: false,
                    deliveries: row.get::<_, i64>(4)?.unsigned_abs(),
                    events: row.get::<_, i64>(5)?.unsigned_abs(),
                    freed_bytes: row.get(6)?,
                    error: row.get(7)?,
                };
                Ok((row.get(0)?, report))
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(lists::cut(rows, limit, |(id, _)| *id))
    }

    /// When the last cleanup started; before the first, when the oldest event was accepted; `None` without one.
    pub fn cleaned_at(&self) -> Result<Option<UnixMs>, StoreError> {
        if let Some((_, last)) = self.cleanups(None, 1)?.rows.first() {
            return Ok(Some(last.started_at));
        }
        self.oldest_event_at()
    }

    /// When the oldest event that is kept was accepted.
    pub fn oldest_event_at(&self) -> Result<Option<UnixMs>, StoreError> {
        let oldest = self
            .connection()
            .prepare_cached("SELECT created_at FROM events WHERE id > 0 ORDER BY id LIMIT 1")?
            .query_row([], |row| row.get(0).map(UnixMs))
            .optional()?;
        Ok(oldest)
    }
}
