//! What the threads of the store share: what is kept in memory, and what is wrong at present.

use std::hash::Hasher;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use siphasher::sip::SipHasher13;

use crate::domain::complaints::Complaints;
use crate::random::Random;

use super::backup::Backups;
use super::cleanup::Cleanups;
use super::directory::Directory;
use super::event_types::EventTypes;
use super::figures::Figures;
use super::formats::Parsed;
use super::keys::Keys;
use super::sessions::Sessions;
use super::times::Times;
use super::vault::Vault;

/// What all threads of the store share.
pub(crate) struct Shared {
    pub(super) directory: Directory,
    pub(super) keys: Keys,
    pub(super) sessions: Sessions,
    pub(super) event_types: EventTypes,
    pub(super) formats: Parsed,
    pub(super) times: Times,
    pub(super) vault: Arc<Vault>,
    pub(super) random: Arc<dyn Random>,
    pub(super) lookup_key: [u8; 16],
    pub(super) written_offset: AtomicI64,
    pub(super) trouble: RwLock<Option<String>>,
    pub(super) damage: RwLock<Option<String>>,
    /// About deliveries without an event: each page finds them again.
    pub(super) orphans: Complaints,
    pub(super) cleanups: Cleanups,
    pub(super) backups: Backups,
    pub(super) figures: Figures,
}

impl Shared {
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_trouble(&self, reason: Option<String>) {
        *self.trouble.write().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    pub(super) fn set_damage(&self, found: String) {
        *self.damage.write().unwrap_or_else(PoisonError::into_inner) = Some(found);
    }

    /// Whether the file holds another steady offset than the one that counts.
    pub(super) fn is_offset_unwritten(&self) -> bool {
        self.written_offset.load(Ordering::Relaxed) != self.times.offset()
    }

    fn hash(&self, kind: u8, tenant_id: i64, text: &str) -> i64 {
        let mut hasher = SipHasher13::new_with_key(&self.lookup_key);
        hasher.write_u8(kind);
        hasher.write_i64(tenant_id);
        hasher.write(text.as_bytes());
        hasher.finish().cast_signed()
    }

    /// Where an idempotency key is looked up.
    pub(super) fn key_hash(&self, tenant_id: i64, key: &str) -> i64 {
        self.hash(b'k', tenant_id, key)
    }

    /// Where an own id is looked up.
    pub(super) fn own_id_hash(&self, tenant_id: i64, id: &str) -> i64 {
        self.hash(b'i', tenant_id, id)
    }

    /// All hashes that lead to an event.
    pub(super) fn hashes(&self, tenant_id: i64, own_id: Option<&str>, key: Option<&str>) -> Vec<i64> {
        let own = own_id.map(|id| self.own_id_hash(tenant_id, id));
        let key = key.map(|key| self.key_hash(tenant_id, key));
        own.into_iter().chain(key).collect()
    }
}
