//! Deleting what an event was about: its data, and what receivers have answered. The records stay, with the time of the
//! deletion in `blanked`, which is 0 before. An event may have very many deliveries: `blanking` goes through them.
//!
//! The bytes go from the file as well: SQLite overwrites what it frees in such a transaction, and the WAL, which holds
//! older copies of these pages, is copied back and emptied after it. Backups and copies elsewhere are not reached.

use rusqlite::OptionalExtension;

use crate::domain::ids::{DeliveryId, EndpointId, EventId};
use crate::domain::time::UnixMs;

use super::audit::{Actor, Audited};
use super::error::StoreError;
use super::events::StoredEvent;
use super::handover::Change;
use super::reader::Reader;
use super::tx::Tx;

impl Reader<'_> {
    /// Whether the data of an event was deleted.
    pub(super) fn is_blanked(&self, event: EventId) -> Result<bool, StoreError> {
        let blanked = self
            .connection()
            .prepare_cached("SELECT blanked <> 0 FROM events WHERE id = ?1")?
            .query_row([event.0], |row| row.get(0))
            .optional()?;
        Ok(blanked.unwrap_or(false))
    }

    /// The same for the event of a delivery.
    pub(super) fn is_blanked_for(&self, delivery: DeliveryId) -> Result<bool, StoreError> {
        let blanked = self
            .connection()
            .prepare_cached(
                "SELECT e.blanked <> 0 FROM deliveries d CROSS JOIN events e ON e.id = d.event_id WHERE d.id = ?1",
            )?
            .query_row([delivery.0], |row| row.get(0))
            .optional()?;
        Ok(blanked.unwrap_or(false))
    }
}

impl Tx<'_> {
    /// Deletes the data of an event and all answers that were kept; what is pending or held of it is canceled. An
    /// attempt that is under way goes on, and its answer is not kept.
    pub fn blank_event(&mut self, event: &StoredEvent, actor: &Actor) -> Result<(), StoreError> {
        let at = UnixMs(self.now.0.max(1));
        self.overwriting(|tx| {
            tx.connection()
                .prepare_cached("UPDATE events SET data = 'null', blanked = ?2 WHERE id = ?1")?
                .execute([event.id.0, at.0])?;
            tx.begin_blanking(event.id)
        })?;
        self.gathered.empty_wal = true;
        self.audit(Audited {
            actor,
            action: "event.blank",
            target: event.public_id().to_string(),
            tenant_id: Some(event.tenant_id),
            before: None,
            after: Some(serde_json::json!({ "data_deleted_at": at })),
        })
    }

    /// Cancels a delivery that is pending or held.
    pub(super) fn withdraw(&mut self, delivery: DeliveryId, endpoint: EndpointId) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "UPDATE deliveries SET state = 5, held_reason = NULL, due_at = NULL, own_trouble = NULL WHERE id = ?1",
            )?
            .execute([delivery.0])?;
        self.gathered.changes.push(Change::Withdrawn(delivery, endpoint));
        Ok(())
    }

    /// Runs `work` while SQLite overwrites with zeros what it frees, pages that it would not write otherwise as well, which
    /// costs too much for everything else.
    pub(super) fn overwriting<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let set = |tx: &Self, how: &str| tx.connection().pragma_update(None, "secure_delete", how);
        set(self, "ON")?;
        let worked = work(self);
        set(self, "FAST")?;
        worked
    }
}
