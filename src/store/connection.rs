//! Opening the file: every connection gets the same settings, in the same order.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::StoreError;

/// Marks the file as ours: "PSTR".
pub(super) const APPLICATION_ID: i32 = 0x5053_5452;

/// How long the writer waits for a lock that another program holds, before those who wait get a 503.
pub(super) const WRITER_PATIENCE: Duration = Duration::from_secs(2);
/// The same for a reader; in WAL mode it waits for recovery at most.
const READER_PATIENCE: Duration = Duration::from_secs(2);

const WRITER_CACHE_KIB: i64 = 8 * 1024;
const READER_CACHE_KIB: i64 = 1024;
/// What is left of the WAL after a checkpoint.
const JOURNAL_LIMIT: i64 = 16 * 1024 * 1024;
/// Prepared statements kept by each connection; there are about 60 in all.
const STATEMENTS: usize = 96;

/// The connection that writes, with nothing written yet. The file must exist (empty, 0600) already.
pub(super) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(WRITER_PATIENCE)?;
    // If the file is refused, closing it must not fold the WAL into it either (see `fold_at_close`).
    fold_at_close(&connection, false)?;
    Ok(connection)
}

/// Whether SQLite copies the WAL back and removes it when the last connection is closed.
pub(super) fn fold_at_close(connection: &Connection, folds: bool) -> Result<(), StoreError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !folds)?;
    Ok(())
}

/// Makes it ready to write. Only for a file that was looked at: the first two settings change the file.
pub(super) fn prepare_writer(connection: &Connection) -> Result<(), StoreError> {
    // Has to come before the first table; later it would need a VACUUM.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    common(connection, WRITER_CACHE_KIB)?;
    // The writer runs checkpoints itself, where they hold nobody up (`writer.rs`).
    Ok(connection.pragma_update(None, "wal_autocheckpoint", 0)?)
}

/// A connection that only reads.
pub(super) fn open_reader(connection: &mut Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(READER_PATIENCE)?;
    common(connection, READER_CACHE_KIB)?;
    connection.pragma_update(None, "query_only", true)
}

fn common(connection: &Connection, cache_kib: i64) -> Result<(), rusqlite::Error> {
    // A 202 promises that the event is on disk: every commit is synced.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "journal_size_limit", JOURNAL_LIMIT)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// Flags of a pool's reading connections.
pub(super) fn reader_flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX
}
