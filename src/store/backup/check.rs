//! Whether a copy is what it should be.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::{Connection, params};

use crate::domain::ids::BackupId;
use crate::domain::time::UnixMs;
use crate::store::connection;
use crate::store::error::StoreError;

/// Steps of SQLite between two looks whether it is to stop.
const STEPS: i32 = 10_000;

/// Reads the whole database and looks whether it holds together.
///
/// # Errors
/// It does not, or it cannot be read.
pub(super) fn check(path: &Path) -> Result<(), StoreError> {
    sound(&Connection::open_with_flags(path, connection::reader_flags())?)
}

fn sound(connection: &Connection) -> Result<(), StoreError> {
    let verdict: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(StoreError::Unavailable(format!("the database is damaged ({verdict}); restore a backup")))
}

/// What the copy is to say about itself: in the file that was copied, it is not over.
pub(super) struct Own {
    pub(super) id: BackupId,
    pub(super) file: String,
    pub(super) ended_at: UnixMs,
}

/// Makes of a fresh copy a file that stands alone (no WAL belongs to it), knows of itself that it was made, and is sound.
///
/// # Errors
/// It is damaged or cannot be written, or `stop` was set meanwhile.
pub(super) fn finish(path: &Path, own: &Own, stop: &Arc<AtomicBool>) -> Result<(), StoreError> {
    let copy = connection::open_alone(path)?;
    copy.execute(
        "UPDATE backups SET ended_at = ?2, file = ?3 WHERE id = ?1",
        params![own.id.0, own.ended_at.0, own.file],
    )?;
    let stop = Arc::clone(stop);
    copy.progress_handler(STEPS, Some(move || stop.load(Ordering::Relaxed)))?;
    sound(&copy)
}
