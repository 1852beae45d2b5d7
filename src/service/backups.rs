//! Backups: begun by hand or by the schedule, made in the background.

use serde::Serialize;

use crate::domain::ids::BackupId;
use crate::domain::time::UnixMs;
use crate::store::audit::Audited;
use crate::store::backup::{BackupRequest, BackupRow, Progress, Stage};
use crate::store::{Answer, Listed, StoreError};

use super::error::Code;
use super::{AdminScope, Error, Service, ViewScope};

/// How a backup stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupStatus {
    /// Under way.
    Running,
    /// Made.
    Done,
    /// Not made.
    Failed,
    /// Ended by a person before its end.
    Canceled,
}

impl BackupStatus {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

/// A backup as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackupView {
    /// Its id.
    pub id: BackupId,
    /// How it stands.
    pub status: BackupStatus,
    /// What it is at, while it is under way.
    pub stage: Option<Stage>,
    /// How much of that is done, in hundredths, where that is known.
    pub percent: Option<u8>,
    /// Who wanted it; `schedule`: nobody did.
    pub by: String,
    /// Whether it is compressed.
    pub compressed: bool,
    /// The name of its file in the folder of backups, once it is whole.
    pub file: Option<String>,
    /// Whether that file is still there.
    pub kept: bool,
    /// Bytes of it.
    pub bytes: Option<u64>,
    /// When it began.
    pub started_at: UnixMs,
    /// When it ended.
    pub ended_at: Option<UnixMs>,
    /// Why it failed, or who canceled it.
    pub error: Option<String>,
}

impl Service {
    /// Begins a backup; compressed as the settings say, if that is left open. It goes on in the background. `elsewhere`:
    /// whoever asks takes its file away when it is made.
    ///
    /// # Errors
    /// `backup_running`; in the answer: the database cannot be written.
    pub fn backup(
        &self,
        scope: &AdminScope,
        compress: Option<bool>,
        elsewhere: bool,
    ) -> Result<Answer<BackupRow>, Error> {
        let compress = compress.unwrap_or_else(|| self.store.directory().settings().backup_compress);
        let actor = scope.actor();
        let request = BackupRequest { compress, elsewhere, by: actor.name.clone(), address: actor.address };
        self.store.backup(request).ok_or_else(|| {
            Error::new(
                Code::BackupRunning,
                "another backup is under way; wait until it is done, or cancel it: GET /api/v1/backups names it",
            )
        })
    }

    /// Begins the backup of the schedule, unless one is under way. How it goes is logged and recorded.
    pub fn backup_by_schedule(&self) {
        let compress = self.store.directory().settings().backup_compress;
        if self.store.backup(BackupRequest::by_schedule(compress)).is_none() {
            tracing::warn!("the backup of the schedule is left out: another one is under way");
        }
    }

    /// Ends a backup that is under way; how it stands. One that is over stays as it is.
    ///
    /// # Errors
    /// In the answer: `not_found`.
    pub fn cancel_backup(&self, scope: &AdminScope, id: &str) -> Result<Answer<BackupRow, Error>, Error> {
        let known = parse(id)?;
        let canceled = self.store.cancel_backup(known, &scope.actor().name);
        let scope = scope.clone();
        Ok(self.store.write(move |tx| {
            let row = tx.backup(known)?.ok_or_else(|| not_found(&known.to_string()))?;
            if canceled {
                tx.audit(Audited {
                    actor: scope.actor(),
                    action: "backup.cancel",
                    target: known.to_string(),
                    tenant_id: None,
                    before: None,
                    after: None,
                })?;
            }
            Ok(row)
        }))
    }

    /// A backup. Blocks.
    ///
    /// # Errors
    /// `not_found`.
    pub fn backup_of(&self, _scope: &ViewScope, id: &str) -> Result<BackupView, Error> {
        let known = parse(id)?;
        let row = self.store.read::<_, StoreError>(|reader| reader.backup(known))?;
        Ok(self.show_backup(row.ok_or_else(|| not_found(id))?))
    }

    /// The backups, the newest first, below `before`; at most `limit`. Blocks.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn backups(
        &self,
        _scope: &ViewScope,
        before: Option<BackupId>,
        limit: usize,
    ) -> Result<Listed<BackupView>, Error> {
        let page = self.store.read::<_, StoreError>(|reader| reader.backups(before, limit))?;
        let rows = page.rows.into_iter().map(|row| self.show_backup(row)).collect();
        Ok(Listed { rows, next: page.next })
    }

    /// A backup with what is known about it in memory, and on the disk.
    pub fn show_backup(&self, row: BackupRow) -> BackupView {
        let running = self.store.backups_now().running.filter(|running| running.row.id == row.id);
        let kept = self.store.backup_file(&row).is_some();
        let status = match (&row.file, &row.canceled, row.ended_at) {
            (Some(_), ..) => BackupStatus::Done,
            (None, Some(_), _) => BackupStatus::Canceled,
            (None, None, Some(_)) => BackupStatus::Failed,
            (None, None, None) => BackupStatus::Running,
        };
        let Progress { stage, percent } = running.map(|running| running.progress).unwrap_or_default();
        let runs = status == BackupStatus::Running;
        BackupView {
            id: row.id,
            status,
            stage: runs.then_some(stage),
            percent: percent.filter(|_| runs),
            by: row.by,
            compressed: row.compressed,
            file: row.file,
            kept,
            bytes: row.bytes,
            started_at: row.started_at,
            ended_at: row.ended_at,
            error: row.error.or_else(|| row.canceled.map(|by| format!("canceled by {by}"))),
        }
    }

    /// How the last backup ended that nobody canceled, from memory; `None`: there was none.
    pub fn last_backup(&self) -> Option<BackupRow> {
        let now = self.store.backups_now();
        now.last.filter(|backup| backup.canceled.is_none()).or(now.made)
    }
}

fn parse(id: &str) -> Result<BackupId, Error> {
    BackupId::parse(id).ok_or_else(|| not_found(id))
}

fn not_found(id: &str) -> Error {
    Error::not_found("backup", id)
}
