//! Answers that are given again to the same `Idempotency-Key`, of calls that are no single event. (Those keep the key
//! in the event's row.)

use rusqlite::{OptionalExtension, params};

use crate::domain::names::IdempotencyKey;

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

impl Tx<'_> {
    /// Whether a call with this key was answered in the last 24 hours.
    pub fn answered_before(&self, tenant_id: i64, idempotency: &Idempotency) -> Result<Answered, StoreError> {
        let (key, hash) = idempotency;
        let found: Option<([u8; 16], String, i64)> = self
            .connection()
            .prepare_cached(
                "SELECT request_hash, answer, created_at FROM idempotent_answers WHERE tenant_id = ?1 AND key = ?2",
            )?
            .query_row(params![tenant_id, key.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        match found.filter(|(_, _, at)| self.now.0 - at < KEY_LIFE_MS) {
            Some((before, answer, _)) if before == *hash => Ok(Answered::Before(answer)),
            Some(_) => Ok(Answered::Otherwise),
            None if self.is_key_of_event(tenant_id, key)? => Ok(Answered::Otherwise),
            None => Ok(Answered::Never),
        }
    }

    /// Remembers an answer, instead of an older one.
    pub fn remember_answer(
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
