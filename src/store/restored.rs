//! What a restore holds back: deliveries that were pending in the backup, and may have been sent since it was made.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::domain::delivery::HeldReason;
use crate::domain::ids::EndpointId;
use crate::domain::time::UnixMs;

use super::bulk_kind::BulkKind;
use super::error::StoreError;
use super::meta::{self, Meta};
use super::reader::Reader;
use super::tx::Tx;

/// So many held deliveries are looked at.
pub const LOOKED_AT: u32 = 2_000;

/// What the file says of the restore that it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    at: i64,
    held: u64,
}

impl Mark {
    /// Notes it; where nothing is held there is nothing to say.
    pub(super) fn write(file: &Connection, at: UnixMs, held: u64) -> Result<(), StoreError> {
        if held == 0 {
            return Ok(meta::remove(file, Meta::Restored)?);
        }
        let text = serde_json::to_string(&Self { at: at.0, held });
        let text = text.map_err(|error| StoreError::Internal(error.to_string()))?;
        Ok(meta::set(file, Meta::Restored, text)?)
    }
}

/// What a restore still holds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldBack {
    /// When the restore was.
    pub since: UnixMs,
    /// How many it held back then.
    pub held_then: u64,
    /// How many it still does, as far as they are counted.
    pub count: u32,
    /// Whether there may be more.
    pub more: bool,
}

/// What was seen of an endpoint's held deliveries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Looked {
    /// How many were looked at.
    pub at: u32,
    /// How many of these a restore holds back.
    pub restored: u32,
}

impl Looked {
    fn over(mut rows: rusqlite::Rows<'_>) -> rusqlite::Result<Self> {
        let mut looked = Self::default();
        while let Some(row) = rows.next()? {
            looked.at += 1;
            let reason = row.get::<_, Option<i64>>(0)?;
            looked.restored += u32::from(reason == Some(HeldReason::Restored as i64));
        }
        Ok(looked)
    }
}

impl Reader<'_> {
    /// What a restore still holds back; `None`: nothing. Looks at [`LOOKED_AT`] held deliveries at most, the oldest first,
    /// and at none where there was no restore.
    pub fn held_back(&self) -> Result<Option<HeldBack>, StoreError> {
        let mark = meta::get::<String>(self.connection(), Meta::Restored)?;
        let Some(mark) = mark.and_then(|text| serde_json::from_str::<Mark>(&text).ok()) else {
            return Ok(None);
        };
        let mut statement = self.connection().prepare_cached(
            "SELECT held_reason FROM deliveries INDEXED BY deliveries_rare WHERE state = 3 AND state >= 2
             ORDER BY id LIMIT ?1",
        )?;
        let Looked { at, restored: count } = Looked::over(statement.query([LOOKED_AT])?)?;
        let more = at == LOOKED_AT;
        let some = count > 0 || more;
        Ok(some.then_some(HeldBack { since: UnixMs(mark.at), held_then: mark.held, count, more }))
    }
}

impl Tx<'_> {
    /// Everything that a restore holds back has got its word.
    pub fn forget_restore(&mut self) -> Result<(), StoreError> {
        Ok(meta::remove(self.connection(), Meta::Restored)?)
    }

    /// Says what becomes of the deliveries of an endpoint that a restore holds back: a new round for each, or none.
    /// At a disabled endpoint they wait for that instead. Looks at `most` of what is held there, to count; `None`: nothing of
    /// it is held.
    pub fn release_restored(
        &mut self,
        endpoint: EndpointId,
        deliver: bool,
        most: u32,
    ) -> Result<Option<Looked>, StoreError> {
        let Some(route) = self.route(endpoint) else { return Ok(None) };
        let held = self.look_at_held(endpoint, most)?;
        if held.at == 0 {
            return Ok(None);
        }
        let kind = match (deliver, route.enabled) {
            (false, _) => BulkKind::DiscardRestored,
            (true, true) => BulkKind::ReleaseRestored,
            (true, false) => BulkKind::HoldRestored,
        };
        self.start_bulk(endpoint, kind)?;
        Ok(Some(held))
    }

    fn look_at_held(&self, endpoint: EndpointId, most: u32) -> Result<Looked, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT held_reason FROM deliveries INDEXED BY deliveries_rare_by_endpoint
             WHERE endpoint_id = ?1 AND state = 3 AND state >= 2 LIMIT ?2",
        )?;
        Ok(Looked::over(statement.query([endpoint.0, i64::from(most)])?)?)
    }
}
