//! Room on the disk: what the database takes, how it grows, and when the disk is full at that rate.

use serde::Serialize;

use crate::domain::growth::{Growth, Sample};
use crate::domain::time::UnixMs;
use crate::store::StoreError;

use super::{Error, Service, ViewScope};

/// What there is to tell.
#[derive(Debug, Clone, Serialize)]
pub struct Storage {
    /// Bytes of the database file.
    pub database_bytes: u64,
    /// Bytes of it that are free: used again before it grows, and given back by the nightly cleanup.
    pub free_bytes: u64,
    /// Bytes of the WAL beside it.
    pub wal_bytes: u64,
    /// Bytes that are left on its file system.
    pub disk_free_bytes: u64,
    /// How much the used part of the file grew a day over the last week; null as long as less than a day is known.
    pub growth_bytes_per_day: Option<i64>,
    /// From when on that was measured.
    pub growth_since: Option<UnixMs>,
    /// When the disk is full at that rate; null where it does not grow, or not within ten years.
    pub full_at: Option<UnixMs>,
    /// The sizes that were noted, the oldest first, one for each day.
    pub days: Vec<DaySize>,
}

/// The last size of a day.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct DaySize {
    /// When it was noted.
    pub at: UnixMs,
    /// Bytes of the file.
    pub database_bytes: u64,
    /// Bytes of it that were free.
    pub free_bytes: u64,
}

impl Service {
    /// What the database takes and what is left. Blocks.
    ///
    /// # Errors
    /// Neither the database nor the operating system is to be read.
    pub fn storage(&self, _scope: &ViewScope) -> Result<Storage, Error> {
        let space = self.store.space()?;
        let read = |reader: &crate::store::Reader<'_>| Ok((reader.free_bytes()?, reader.daily_sizes()?));
        let (free_bytes, samples) = self.store.read::<_, StoreError>(read)?;
        let at = self.store.times().wall();
        let growth = Growth::of(&samples, &Sample { at, database_bytes: space.database_bytes, free_bytes });
        let room = space.disk_free_bytes.saturating_add(free_bytes);
        let day = |sample: &Sample| DaySize {
            at: sample.at,
            database_bytes: sample.database_bytes,
            free_bytes: sample.free_bytes,
        };
        Ok(Storage {
            database_bytes: space.database_bytes,
            free_bytes,
            wal_bytes: space.wal_bytes,
            disk_free_bytes: space.disk_free_bytes,
            growth_bytes_per_day: growth.map(|growth| growth.bytes_per_day),
            growth_since: growth.map(|growth| growth.since),
            full_at: growth.and_then(|growth| growth.full_at(at, room)),
            days: samples.iter().map(day).collect(),
        })
    }
}
