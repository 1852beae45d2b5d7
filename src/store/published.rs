//! Finding the event that a publish has made before: by its idempotency key, or by its own id.

use crate::domain::ids::EventId;
use crate::domain::names::IdempotencyKey;

use super::error::StoreError;
use super::events::StoredEvent;
use super::publish::{KEY_LIFE_MS, NewEvent, PublishError, Published};
use super::tx::Tx;

impl Tx<'_> {
    /// The event that the same call has made before.
    pub(super) fn published_before(
        &self,
        tenant_id: i64,
        event: &NewEvent,
    ) -> Result<Option<Published>, PublishError> {
        if let Some((key, hash)) = &event.idempotency {
            let under = self.shared().key_hash(tenant_id, key.as_str());
            for id in self.under_hash(under)? {
                let Some(stored) = self.stored_event(id)? else { continue };
                let fresh = self.now.0 - stored.created_at.0 < KEY_LIFE_MS;
                let same_key = stored.idempotency_key.as_deref() == Some(key.as_str());
                if stored.tenant_id == tenant_id && same_key && fresh {
                    let same = stored.request_hash == Some(*hash);
                    return if same { Ok(Some(stored.published())) } else { Err(PublishError::KeyReused) };
                }
            }
            if self.is_key_of_another_call(tenant_id, key, under)? {
                return Err(PublishError::KeyReused);
            }
        }
        let Some(own_id) = &event.own_id else { return Ok(None) };
        let Some(stored) = self.event_by_own_id(tenant_id, own_id.as_str())? else { return Ok(None) };
        if stored.blanked_at.is_some() {
            return Err(PublishError::IdDeleted);
        }
        let same = stored.event_type == event.event_type
            && stored.data == *event.data
            && event.timestamp.is_none_or(|timestamp| timestamp == stored.timestamp);
        if same { Ok(Some(stored.published())) } else { Err(PublishError::IdTaken) }
    }

    /// Whether an event of the last 24 hours came with this key.
    pub(super) fn is_key_of_event(&self, tenant_id: i64, key: &IdempotencyKey) -> Result<bool, StoreError> {
        for id in self.under_hash(self.shared().key_hash(tenant_id, key.as_str()))? {
            let found = self.stored_event(id)?.is_some_and(|event| {
                event.tenant_id == tenant_id
                    && event.idempotency_key.as_deref() == Some(key.as_str())
                    && self.now.0 - event.created_at.0 < KEY_LIFE_MS
            });
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Numbers of events under a hash, newest last.
    fn under_hash(&self, hash: i64) -> Result<Vec<EventId>, StoreError> {
        let mut ids = self.event_ids_under(hash)?;
        ids.extend(self.kept.unfilled.under(hash).iter().chain(self.gathered.rows.under(hash)).copied());
        ids.dedup();
        Ok(ids.into_iter().map(EventId).collect())
    }

    fn event_by_own_id(&self, tenant_id: i64, own_id: &str) -> Result<Option<StoredEvent>, StoreError> {
        for id in self.under_hash(self.shared().own_id_hash(tenant_id, own_id))? {
            if let Some(stored) = self.stored_event(id)?
                && stored.tenant_id == tenant_id
                && stored.own_id.as_deref() == Some(own_id)
            {
                return Ok(Some(stored));
            }
        }
        Ok(None)
    }
}
