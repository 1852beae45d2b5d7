//! Room on the disk: what the file takes, what is free in it and around it, and how it grew.

use std::path::Path;

use rusqlite::{Connection, params};

use crate::domain::growth::{DAY_MS, Sample};
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::reader::Reader;
use super::{Store, meta};

/// Days that are kept.
const KEPT_DAYS: i64 = 60;

/// What the file and its surroundings measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes of the database file.
    pub database_bytes: u64,
    /// Bytes of the WAL beside it.
    pub wal_bytes: u64,
    /// Bytes that are free on its file system, for a process without privileges.
    pub disk_free_bytes: u64,
    /// Bytes of its file system.
    pub disk_bytes: u64,
}

/// Notes how large the file is today, and forgets days that are long past.
pub(super) fn note(connection: &Connection, wall: UnixMs) -> rusqlite::Result<()> {
    let (database, free) = pages(connection)?;
    let day = wall.0.div_euclid(DAY_MS);
    connection
        .prepare_cached(
            "INSERT INTO daily_sizes (day, at, database_bytes, free_bytes) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (day) DO UPDATE SET at = excluded.at, database_bytes = excluded.database_bytes,
                 free_bytes = excluded.free_bytes",
        )?
        .execute(params![day, wall.0, database, free])?;
    connection.prepare_cached("DELETE FROM daily_sizes WHERE day < ?1")?.execute([day - KEPT_DAYS])?;
    Ok(())
}

/// Bytes of the whole database and of its free pages, as this transaction sees them.
pub(super) fn pages(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let size = number("page_size")?;
    Ok((size * number("page_count")?, size * number("freelist_count")?))
}

/// Bytes that are free on the file system of this path, for a process without privileges.
pub(super) fn free_at(path: &Path) -> Result<u64, StoreError> {
    Ok(disk_at(path)?.0)
}

/// The same, and how many it has in all.
fn disk_at(path: &Path) -> Result<(u64, u64), StoreError> {
    let system = rustix::fs::statvfs(path)
        .map_err(|error| StoreError::Internal(format!("the room on the disk: {error}")))?;
    let bytes = |blocks: u64| blocks.saturating_mul(system.f_frsize);
    Ok((bytes(system.f_bavail), bytes(system.f_blocks)))
}

impl Reader<'_> {
    /// Bytes of free pages in the file, which are used before it grows.
    pub fn free_bytes(&self) -> Result<u64, StoreError> {
        Ok(pages(self.connection())?.1.unsigned_abs())
    }

    /// The sizes that were noted, the oldest first: one for each day, at most 61.
    pub fn daily_sizes(&self) -> Result<Vec<Sample>, StoreError> {
        Ok(daily_sizes(self.connection())?)
    }
}

/// The same of any connection.
pub(super) fn daily_sizes(connection: &Connection) -> rusqlite::Result<Vec<Sample>> {
    let mark = meta::get::<i64>(connection, meta::Meta::Mark)?.unwrap_or(0);
    let mut statement = connection.prepare_cached(
        "SELECT at, database_bytes, free_bytes FROM daily_sizes WHERE day >= ?1 ORDER BY day LIMIT 61",
    )?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Sample {
            at: UnixMs(row.get(0)?),
            database_bytes: row.get::<_, i64>(1)?.unsigned_abs(),
            free_bytes: row.get::<_, i64>(2)?.unsigned_abs(),
        })
    };
    let rows = statement.query_map([mark.div_euclid(DAY_MS) - KEPT_DAYS], read)?;
    rows.collect()
}

impl Store {
    /// What the file takes, and what is left beside it.
    ///
    /// # Errors
    /// The operating system does not tell.
    pub fn space(&self) -> Result<Space, StoreError> {
        let (disk_free_bytes, disk_bytes) = disk_at(&self.path)?;
        let (database_bytes, wal_bytes) = self.sizes();
        Ok(Space { database_bytes, wal_bytes, disk_free_bytes, disk_bytes })
    }
}
