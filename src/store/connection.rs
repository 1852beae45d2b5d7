//! Opening the file: every connection gets the same settings, in the same order.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, ffi};

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
pub(super) fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
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
pub(super) fn fold_at_close(connection: &Connection, folds: bool) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !folds).map(drop)
}

/// Makes a database of ours of an empty file: in one transaction, so that the first page is known for ours from the
/// first, also when its making is cut off (`cut_off.rs`).
pub(super) fn begin_file(connection: &Connection) -> rusqlite::Result<()> {
    // `auto_vacuum` has to come before the first page; later it would need a VACUUM.
    connection.execute_batch(&format!(
        "BEGIN; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = {APPLICATION_ID}; COMMIT"
    ))
}

/// Makes it ready to write. Only for a file that was looked at: the first setting changes the file. `checkpoints`: whether
/// we copy the WAL back ourselves.
pub(super) fn prepare_writer(connection: &Connection, checkpoints: bool) -> rusqlite::Result<()> {
    keep_wal(connection)?;
    common(connection, WRITER_CACHE_KIB)?;
    // They run where they hold nobody up (`checkpoint.rs`).
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    if checkpoints {
        // Not where Litestream does: once the WAL has started afresh, it still reads what stands behind the new beginning.
        // What we cut off there would be missing in its copy, which would be damaged.
        connection.pragma_update(None, "journal_size_limit", JOURNAL_LIMIT)?;
    }
    Ok(())
}

/// Opens a database that nobody else has open and that is to stand alone in one file: what is in its WAL is folded into
/// it, and changes go by a rollback journal. Each commit is synced.
pub(super) fn open_alone(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY",
    )?;
    let mode: String = connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
    if mode == "delete" {
        return Ok(connection);
    }
    Err(rusqlite::Error::SqliteFailure(
        ffi::Error::new(ffi::SQLITE_CANTOPEN),
        Some("the WAL could not be folded into the file".to_owned()),
    ))
}

/// Sets the mode WAL, and sees that it is set: SQLite answers with the mode that it then has, and what fails as the
/// change is committed is only told after that answer.
fn keep_wal(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("PRAGMA journal_mode = WAL")?;
    let mut rows = statement.query([])?;
    let mode: Option<String> = rows.next()?.map(|row| row.get(0)).transpose()?;
    while rows.next()?.is_some() {}
    match mode.as_deref() {
        Some("wal") => Ok(()),
        _ => Err(rusqlite::Error::SqliteFailure(
            ffi::Error::new(ffi::SQLITE_CANTOPEN),
            Some("the mode WAL could not be set".to_owned()),
        )),
    }
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
    // Pages that are written anyway keep no copies of what has moved from them or was deleted: `blank.rs` finds all.
    connection.pragma_update(None, "secure_delete", "FAST")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// Flags of a pool's reading connections.
pub(super) fn reader_flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX
}
