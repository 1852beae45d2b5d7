//! Attempts: one row for each HTTP request, without the request's text, which is rendered again when needed.

use rusqlite::{OptionalExtension, Row, params};

use crate::domain::ids::DeliveryId;
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::outcome::{AttemptRecord, PhasesMs};
use super::reader::Reader;
use super::tx::Tx;

/// An attempt as it is stored.
#[derive(Debug, Clone)]
pub struct AttemptRow {
    /// Its number in the delivery, from 1, over all rounds.
    pub number: u32,
    /// The round that it was made in.
    pub round: u32,
    /// What was sent and what came back.
    pub record: AttemptRecord,
}

impl AttemptRow {
    fn has_answer(&self) -> bool {
        !self.record.response_headers.is_empty() || !self.record.response_body.is_empty()
    }
}

const COLUMNS: &str = "number, round, revision, format_revision, started_at, duration_ms, dns_ms, connect_ms, tls_ms, \
     wait_ms, read_ms, status_code, address, signatures, error, response_headers, response_body";

fn read_row(row: &Row<'_>) -> rusqlite::Result<AttemptRow> {
    Ok(AttemptRow {
        number: row.get(0)?,
        round: row.get(1)?,
        record: AttemptRecord {
            revision: row.get(2)?,
            format_revision: row.get(3)?,
            started_at: UnixMs(row.get(4)?),
            duration_ms: row.get(5)?,
            phases: PhasesMs {
                dns: row.get(6)?,
                connect: row.get(7)?,
                tls: row.get(8)?,
                wait: row.get(9)?,
                read: row.get(10)?,
            },
            status_code: row.get(11)?,
            address: row.get(12)?,
            signatures: row.get::<_, Option<String>>(13)?.unwrap_or_default(),
            error: row.get(14)?,
            response_headers: row.get::<_, Option<Vec<u8>>>(15)?.unwrap_or_default(),
            response_body: row.get::<_, Option<Vec<u8>>>(16)?.unwrap_or_default(),
        },
    })
}

impl Reader<'_> {
    /// The attempts of a delivery, the first one first.
    pub fn attempts(&self, delivery: DeliveryId) -> Result<Vec<AttemptRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(&format!(
            "SELECT {COLUMNS} FROM attempts WHERE delivery_id = ?1 ORDER BY number"
        ))?;
        let mut rows = statement.query_map([delivery.0], read_row)?.collect::<rusqlite::Result<Vec<_>>>()?;
        // What the deletion of the event's data has yet to reach.
        if rows.iter().any(AttemptRow::has_answer) && self.is_blanked_for(delivery)? {
            for row in &mut rows {
                row.record = row.record.without_answer();
            }
        }
        Ok(rows)
    }

    /// The version of Postrider that made requests at a time: their `User-Agent` names it.
    pub fn version_at(&self, at: UnixMs) -> Result<String, StoreError> {
        let found: Option<String> = self
            .connection()
            .prepare_cached(
                "SELECT version FROM program_versions WHERE since_at <= ?1 ORDER BY since_at DESC LIMIT 1",
            )?
            .query_row([at.0], |row| row.get(0))
            .optional()?;
        Ok(found.unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned()))
    }
}

/// Empty things are stored as NULL, which takes no room.
fn none_if_empty<T: AsRef<[u8]> + ?Sized>(value: &T) -> Option<&T> {
    if value.as_ref().is_empty() { None } else { Some(value) }
}

impl Tx<'_> {
    /// Writes an attempt down.
    pub(super) fn insert_attempt(
        &self,
        delivery: DeliveryId,
        number: u32,
        round: u32,
        record: &AttemptRecord,
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "INSERT INTO attempts (delivery_id, number, round, revision, format_revision, started_at,
                     duration_ms, dns_ms, connect_ms, tls_ms, wait_ms, read_ms, status_code, address, signatures,
                     error, response_headers, response_body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
            )?
            .execute(params![
                delivery.0,
                number,
                round,
                record.revision,
                record.format_revision,
                record.started_at.0,
                record.duration_ms,
                record.phases.dns,
                record.phases.connect,
                record.phases.tls,
                record.phases.wait,
                record.phases.read,
                record.status_code,
                record.address,
                none_if_empty(record.signatures.as_str()),
                record.error,
                none_if_empty(record.response_headers.as_slice()),
                none_if_empty(record.response_body.as_slice()),
            ])?;
        Ok(())
    }
}
