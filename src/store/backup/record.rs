//! The record of the backups: the table `backups`.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::ids::BackupId;
use crate::domain::time::UnixMs;
use crate::store::audit::{Actor, Audited};
use crate::store::cleanup::SCHEDULE;
use crate::store::error::StoreError;
use crate::store::lists;
use crate::store::reader::{Listed, Reader};
use crate::store::tx::Tx;

use super::BackupRequest;

/// A backup as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupRow {
    /// Its id.
    pub id: BackupId,
    /// When it began.
    pub started_at: UnixMs,
    /// When it ended.
    pub ended_at: Option<UnixMs>,
    /// Who wanted it; `schedule`: nobody did.
    pub by: String,
    /// Whether it is compressed.
    pub compressed: bool,
    /// The name of its file in the folder of backups, once it is whole.
    pub file: Option<String>,
    /// Bytes of that.
    pub bytes: Option<u64>,
    /// Who ended it before its end.
    pub canceled: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

const COLUMNS: &str = "id, started_at, ended_at, by_whom, compressed, file, bytes, canceled, error";

fn read(row: &Row<'_>) -> rusqlite::Result<BackupRow> {
    Ok(BackupRow {
        id: BackupId(row.get(0)?),
        started_at: UnixMs(row.get(1)?),
        ended_at: row.get::<_, Option<i64>>(2)?.map(UnixMs),
        by: row.get(3)?,
        compressed: row.get(4)?,
        file: row.get(5)?,
        bytes: row.get::<_, Option<i64>>(6)?.map(i64::unsigned_abs),
        canceled: row.get(7)?,
        error: row.get(8)?,
    })
}

/// The last backup that has ended, and the last one that was made.
pub(in crate::store) fn last_rows(
    connection: &Connection,
) -> rusqlite::Result<(Option<BackupRow>, Option<BackupRow>)> {
    let one = |sql: &str| connection.query_row(sql, [], read).optional();
    let last = one(&format!("SELECT {COLUMNS} FROM backups WHERE id > 0 ORDER BY id DESC LIMIT 1"))?;
    let made = one(&format!(
        "SELECT {COLUMNS} FROM backups INDEXED BY backups_done WHERE file IS NOT NULL ORDER BY id DESC LIMIT 1"
    ))?;
    Ok((last, made))
}

/// Says of backups that a stop has cut off that they have failed: nothing is left of them.
pub(in crate::store) fn note_cut_off(connection: &Connection, now: UnixMs) -> rusqlite::Result<()> {
    // There is one row a day.
    connection.execute(
        "UPDATE backups SET ended_at = ?1, error = 'the server ended before it was done' WHERE ended_at IS NULL",
        [now.0],
    )?;
    Ok(())
}

impl Tx<'_> {
    /// Writes down that a backup begins.
    pub(super) fn begin_backup(&mut self, request: &BackupRequest) -> Result<BackupRow, StoreError> {
        let row = BackupRow {
            id: BackupId(self.allot()),
            started_at: self.now,
            ended_at: None,
            by: request.by.clone(),
            compressed: request.compress,
            file: None,
            bytes: None,
            canceled: None,
            error: None,
        };
        self.connection().execute(
            "INSERT INTO backups (id, started_at, by_whom, compressed) VALUES (?1, ?2, ?3, ?4)",
            params![row.id.0, row.started_at.0, row.by, row.compressed],
        )?;
        if request.by != SCHEDULE {
            let actor = Actor { name: request.by.clone(), address: request.address };
            self.audit(Audited {
                actor: &actor,
                action: "backup.create",
                target: row.id.to_string(),
                tenant_id: None,
                before: None,
                after: Some(serde_json::json!({ "compressed": row.compressed })),
            })?;
        }
        Ok(row)
    }

    /// Writes down how one ended.
    pub(super) fn end_backup(&mut self, row: &BackupRow) -> Result<(), StoreError> {
        let bytes = row.bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        self.connection().execute(
            "UPDATE backups SET ended_at = ?2, file = ?3, bytes = ?4, canceled = ?5, error = ?6 WHERE id = ?1",
            params![row.id.0, row.ended_at.map(|at| at.0), row.file, bytes, row.canceled, row.error],
        )?;
        Ok(())
    }
}

impl Reader<'_> {
    /// A backup.
    pub fn backup(&self, id: BackupId) -> Result<Option<BackupRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM backups WHERE id = ?1");
        Ok(self.connection().prepare_cached(&sql)?.query_row([id.0], read).optional()?)
    }

    /// The backups, the newest first, below `before`.
    pub fn backups(&self, before: Option<BackupId>, limit: usize) -> Result<Listed<BackupRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM backups WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
        let most = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement
            .query_map(params![before.map_or(i64::MAX, |id| id.0), most], read)?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(lists::cut(rows, limit, |row| row.id.0))
    }

    /// When the last backup began; before the first, when the oldest event was accepted; `None` without one.
    pub fn backed_up_at(&self) -> Result<Option<UnixMs>, StoreError> {
        match self.backups(None, 1)?.rows.first() {
            Some(last) => Ok(Some(last.started_at)),
            None => self.oldest_event_at(),
        }
    }
}
