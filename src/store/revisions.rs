//! What shapes an endpoint's requests, by revision, and its secrets.
//!
//! A revision is kept as long as an attempt refers to it, so that the exact request of an old attempt can be
//! rendered again. Headers and secrets are sealed.

use rusqlite::{OptionalExtension, params};

use crate::domain::ids::EndpointId;
use crate::domain::secret::Secret;
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::reader::Reader;
use super::tx::Tx;

/// A revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Its number, from 1.
    pub number: i64,
    /// Where requests go.
    pub url: String,
    /// The endpoint's own headers, in clear.
    pub headers: Vec<(String, String)>,
    /// The name of the format.
    pub format: String,
    /// From DNS to the last byte; `None`: the default.
    pub timeout_seconds: Option<u32>,
}

/// Secrets of an endpoint that sign at a time at most: all share one header.
pub const MOST_SECRETS: usize = 5;

/// A signing secret.
#[derive(Debug, Clone)]
pub struct SecretRow {
    /// The text.
    pub secret: Secret,
    /// When it stops signing; `None`: it is the newest.
    pub expires_at: Option<UnixMs>,
}

/// What a sealed value belongs to, so that it cannot be put elsewhere.
fn purpose(kind: &str, endpoint: EndpointId) -> Vec<u8> {
    format!("{kind}:{endpoint}").into_bytes()
}

impl Reader<'_> {
    /// A revision of an endpoint.
    pub fn revision(&self, endpoint: EndpointId, number: i64) -> Result<Option<Revision>, StoreError> {
        type Columns = (String, Option<Vec<u8>>, String, Option<u32>);
        let found: Option<Columns> = self
            .connection()
            .prepare_cached(
                "SELECT url, headers, format, timeout_seconds FROM endpoint_revisions
                 WHERE endpoint_id = ?1 AND revision = ?2",
            )?
            .query_row([endpoint.0, number], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .optional()?;
        let Some((url, sealed, format, timeout_seconds)) = found else { return Ok(None) };
        let headers = match sealed {
            None => Vec::new(),
            Some(sealed) => {
                let plain = self.unseal("headers", endpoint, &sealed)?;
                serde_json::from_slice(&plain).map_err(|error| StoreError::Internal(error.to_string()))?
            }
        };
        Ok(Some(Revision { number, url, headers, format, timeout_seconds }))
    }

    /// The live secrets of an endpoint, the newest first.
    pub fn secrets(&self, endpoint: EndpointId) -> Result<Vec<SecretRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT secret, expires_at FROM endpoint_secrets WHERE endpoint_id = ?1 ORDER BY version DESC",
        )?;
        let mut rows = statement.query([endpoint.0])?;
        let mut secrets = Vec::new();
        while let Some(row) = rows.next()? {
            let sealed: Vec<u8> = row.get(0)?;
            let plain = self.unseal("secret", endpoint, &sealed)?;
            let text = String::from_utf8(plain).map_err(|error| StoreError::Internal(error.to_string()))?;
            let expires_at = row.get::<_, Option<i64>>(1)?.map(UnixMs);
            secrets.push(SecretRow { secret: Secret::stored(&text), expires_at });
        }
        Ok(secrets)
    }

    /// The secrets before the newest that still sign at this moment.
    pub fn overlapping_secrets(
        &self,
        endpoint: EndpointId,
        now: UnixMs,
    ) -> Result<Vec<SecretRow>, StoreError> {
        let mut secrets = self.secrets(endpoint)?;
        secrets.retain(|secret| secret.expires_at.is_some_and(|end| now < end));
        Ok(secrets)
    }

    fn unseal(&self, kind: &str, endpoint: EndpointId, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.shared()
            .vault
            .open(&purpose(kind, endpoint), sealed)
            .map_err(|error| StoreError::Internal(format!("{kind} of {endpoint}: {error}")))
    }
}

impl Tx<'_> {
    fn seal(&self, kind: &str, endpoint: EndpointId, plain: &[u8]) -> Vec<u8> {
        let nonce = crate::random::bytes(&*self.shared().random);
        self.shared().vault.seal(&purpose(kind, endpoint), plain, nonce)
    }

    /// Writes a new revision and makes it the present one. Its number is one more than the last; `revision.number`
    /// is not looked at.
    pub fn put_revision(&mut self, endpoint: EndpointId, revision: &Revision) -> Result<(), StoreError> {
        let headers = if revision.headers.is_empty() {
            None
        } else {
            let plain = serde_json::to_vec(&revision.headers)
                .map_err(|error| StoreError::Internal(error.to_string()))?;
            Some(self.seal("headers", endpoint, &plain))
        };
        let last: i64 = self
            .connection()
            .prepare_cached("SELECT revision FROM endpoints WHERE id = ?1")?
            .query_row([endpoint.0], |row| row.get(0))?;
        let replaced_after = self.kept.last_id;
        self.connection()
            .prepare_cached(
                "UPDATE endpoint_revisions SET replaced_after = ?3 WHERE endpoint_id = ?1 AND revision = ?2",
            )?
            .execute([endpoint.0, last, replaced_after])?;
        self.connection()
            .prepare_cached(
                "INSERT INTO endpoint_revisions (endpoint_id, revision, url, headers, format, timeout_seconds)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                endpoint.0,
                last + 1,
                revision.url,
                headers,
                revision.format,
                revision.timeout_seconds
            ])?;
        self.connection()
            .prepare_cached("UPDATE endpoints SET revision = ?2 WHERE id = ?1")?
            .execute([endpoint.0, last + 1])?;
        Ok(())
    }

    /// Replaces the secret of an endpoint by another. Those before sign until `overlap_end`, or until their own end if
    /// that comes first; without it they are deleted. What has ended is deleted in any case. That they are not more than
    /// [`MOST_SECRETS`] is the caller's concern.
    pub fn rotate_secret(
        &mut self,
        endpoint: EndpointId,
        secret: &Secret,
        overlap_end: Option<UnixMs>,
    ) -> Result<(), StoreError> {
        self.put_secret(endpoint, Some(secret), overlap_end)?;
        self.connection()
            .prepare_cached("DELETE FROM endpoint_secrets WHERE endpoint_id = ?1 AND expires_at <= ?2")?
            .execute(params![endpoint.0, self.now.0])?;
        self.connection()
            .prepare_cached(
                "UPDATE endpoints SET secret_rotated_at = ?2, old_secret_until = ?3, updated_at = ?2 WHERE id = ?1",
            )?
            .execute(params![endpoint.0, self.now.0, overlap_end.unwrap_or(self.now).0])?;
        Ok(())
    }

    /// Ends the overlap of a rotation now: the newest secret alone signs from here on.
    pub fn end_overlap(&mut self, endpoint: EndpointId) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("DELETE FROM endpoint_secrets WHERE endpoint_id = ?1 AND expires_at IS NOT NULL")?
            .execute([endpoint.0])?;
        self.connection()
            .prepare_cached(
                "UPDATE endpoints SET old_secret_until = min(old_secret_until, ?2) WHERE id = ?1
                 AND old_secret_until IS NOT NULL",
            )?
            .execute([endpoint.0, self.now.0])?;
        Ok(())
    }

    /// Makes `secret` the newest. The others sign until `overlap_end`; without one they are deleted.
    /// `None` for `secret`: the endpoint is unsigned from now on.
    pub fn put_secret(
        &mut self,
        endpoint: EndpointId,
        secret: Option<&Secret>,
        overlap_end: Option<UnixMs>,
    ) -> Result<(), StoreError> {
        match overlap_end {
            Some(end) => self
                .connection()
                .prepare_cached(
                    "UPDATE endpoint_secrets SET expires_at = ?2 WHERE endpoint_id = ?1
                     AND (expires_at IS NULL OR expires_at > ?2)",
                )?
                .execute(params![endpoint.0, end.0])?,
            None => self
                .connection()
                .prepare_cached("DELETE FROM endpoint_secrets WHERE endpoint_id = ?1")?
                .execute([endpoint.0])?,
        };
        if let Some(secret) = secret {
            let sealed = self.seal("secret", endpoint, secret.expose().as_bytes());
            self.connection()
                .prepare_cached(
                    "INSERT INTO endpoint_secrets (endpoint_id, version, secret, created_at)
                     SELECT ?1, coalesce(max(version), 0) + 1, ?2, ?3 FROM endpoint_secrets WHERE endpoint_id = ?1",
                )?
                .execute(params![endpoint.0, sealed, self.now.0])?;
        }
        Ok(())
    }
}
