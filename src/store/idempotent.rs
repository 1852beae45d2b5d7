//! Answers that are given again to the same `Idempotency-Key`, of calls that are no single event. (Those keep the key
//! in the event's row.)

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::names::IdempotencyKey;
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::publish::KEY_LIFE_MS;
use super::tx::Tx;

/// A key, and a hash of the request that came with it.
pub type Idempotency = (IdempotencyKey, [u8; 16]);

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// It is new.
    Never,
    /// This was the answer to the same request.
    Before(String),
    /// It came with another request.
    Otherwise,
}

/// Keys in memory at most; 24 bytes or so each.
const MOST_KEPT: usize = 4_096;

/// Hashes of the keys that stand in no event's row, so that publishing under a key looks into the table of answers
/// only if one of them is the key's: with no such keys, which is usual, it costs a look at an empty map.
///
/// A hash may be here without its row (it was rolled back, or pruned), never the other way round.
#[derive(Debug, Default)]
pub(super) struct OtherKeys {
    /// When the last answer under a hash was remembered.
    at: HashMap<i64, i64>,
    /// Up to this time there may be more keys than are here.
    more_until: i64,
}

impl OtherKeys {
    /// The keys of the last 24 hours, at the start. Those of batches are among them: the table does not tell.
    pub(super) fn load(
        connection: &Connection,
        now: UnixMs,
        hash: impl Fn(i64, &str) -> i64,
    ) -> rusqlite::Result<Self> {
        let mut keys = Self::default();
        let mut statement = connection.prepare(
            "SELECT tenant_id, key, created_at FROM idempotent_answers INDEXED BY idempotent_answers_by_age
             WHERE created_at > ?1 ORDER BY created_at LIMIT ?2",
        )?;
        let most = i64::try_from(MOST_KEPT + 1).unwrap_or(i64::MAX);
        let mut rows = statement.query([now.0 - KEY_LIFE_MS, most])?;
        while let Some(row) = rows.next()? {
            let key = row.get_ref(1)?.as_str()?;
            keys.note(hash(row.get(0)?, key), UnixMs(row.get(2)?).max(now));
        }
        Ok(keys)
    }

    fn note(&mut self, hash: i64, now: UnixMs) {
        if self.at.len() >= MOST_KEPT {
            self.at.retain(|_, at| now.0 - *at < KEY_LIFE_MS);
        }
        if self.at.len() < MOST_KEPT {
            self.at.insert(hash, now.0);
        } else {
            self.more_until = now.0 + KEY_LIFE_MS;
        }
    }

    /// Whether the table has to be asked.
    fn may_hold(&self, hash: i64, now: UnixMs) -> bool {
        self.at.contains_key(&hash) || now.0 < self.more_until
    }
}

impl Tx<'_> {
    /// Whether a call with this key was answered in the last 24 hours.
    pub fn answered_before(&self, tenant_id: i64, idempotency: &Idempotency) -> Result<Answered, StoreError> {
        let (key, hash) = idempotency;
        match self.remembered(tenant_id, key)? {
            Some((before, answer)) if before == *hash => Ok(Answered::Before(answer)),
            Some(_) => Ok(Answered::Otherwise),
            None if self.is_key_of_event(tenant_id, key)? => Ok(Answered::Otherwise),
            None => Ok(Answered::Never),
        }
    }

    /// Whether a call that is no single event came with this key, whose hash this is, in the last 24 hours.
    pub(super) fn is_key_of_another_call(
        &self,
        tenant_id: i64,
        key: &IdempotencyKey,
        hash: i64,
    ) -> Result<bool, StoreError> {
        Ok(self.kept.other_keys.may_hold(hash, self.now) && self.remembered(tenant_id, key)?.is_some())
    }

    /// What is in the table under a key, and not older than 24 hours.
    fn remembered(
        &self,
        tenant_id: i64,
        key: &IdempotencyKey,
    ) -> Result<Option<([u8; 16], String)>, StoreError> {
        let found: Option<([u8; 16], String, i64)> = self
            .connection()
            .prepare_cached(
                "SELECT request_hash, answer, created_at FROM idempotent_answers WHERE tenant_id = ?1 AND key = ?2",
            )?
            .query_row(params![tenant_id, key.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let fresh = found.filter(|(_, _, at)| self.now.0 - at < KEY_LIFE_MS);
        Ok(fresh.map(|(hash, answer, _)| (hash, answer)))
    }

    /// Remembers the answer of a call whose key stands in no event's row, instead of an older one.
    pub fn remember_answer(
        &mut self,
        tenant_id: i64,
        idempotency: &Idempotency,
        answer: &str,
    ) -> Result<(), StoreError> {
        self.write_answer(tenant_id, idempotency, answer)?;
        let hash = self.shared().key_hash(tenant_id, idempotency.0.as_str());
        self.kept.other_keys.note(hash, self.now);
        Ok(())
    }

    /// Remembers an answer whose key stands in an event's row as well.
    pub(super) fn write_answer(
        &mut self,
        tenant_id: i64,
        idempotency: &Idempotency,
        answer: &str,
    ) -> Result<(), StoreError> {
        let (key, hash) = idempotency;
        self.connection()
            .prepare_cached(
                "INSERT OR REPLACE INTO idempotent_answers (tenant_id, key, request_hash, status, answer, created_at)
                 VALUES (?1, ?2, ?3, 202, ?4, ?5)",
            )?
            .execute(params![tenant_id, key.as_str(), hash.as_slice(), answer, self.now.0])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_beyond_those_that_fit_are_looked_up_in_the_table() {
        let (mut keys, start) = (OtherKeys::default(), UnixMs(1_000_000));
        assert!(!keys.may_hold(0, start));
        let most = i64::try_from(MOST_KEPT).unwrap();
        for hash in 0..most {
            keys.note(hash, start);
        }
        assert!(keys.may_hold(most - 1, start) && !keys.may_hold(most, start));
        keys.note(most, start);
        assert!(keys.may_hold(most, start) && keys.may_hold(-1, start), "nobody knows any more");
        assert_eq!(keys.at.len(), MOST_KEPT);
        let later = UnixMs(start.0 + KEY_LIFE_MS);
        keys.note(most, later);
        assert!(keys.may_hold(most, later) && !keys.may_hold(-1, later), "the old ones made room");
        assert_eq!(keys.at.len(), 1);
    }
}
