//! Copying the WAL back into the file, at a time when it holds nobody up.

use std::cell::Cell;
use std::time::Duration;

use rusqlite::Connection;

use super::connection::WRITER_PATIENCE;

/// Pages of the WAL after which it is copied back, and after which readers are made to start afresh (16 MB).
const CHECKPOINT_PAGES: i32 = 1_000;
const RESTART_PAGES: i32 = 4_096;
const RESTART_PATIENCE: Duration = Duration::from_millis(100);

thread_local! {
    /// Pages in the WAL after the last commit, told by SQLite. The hook cannot carry anything else.
    static WAL_PAGES: Cell<i32> = const { Cell::new(0) };
}

/// Has SQLite tell after each commit on this thread how long the WAL is.
pub(super) fn watch(connection: &Connection) {
    connection.wal_hook(Some(|_, pages| {
        WAL_PAGES.set(pages);
        Ok(())
    }));
}

/// Copies the WAL back when it has grown.
pub(super) fn when_grown(connection: &Connection) {
    let pages = WAL_PAGES.get();
    if pages >= CHECKPOINT_PAGES {
        copy_back(connection, if pages >= RESTART_PAGES { "RESTART" } else { "PASSIVE" });
    }
}

/// Copies the WAL back in this mode of `wal_checkpoint`.
pub(super) fn copy_back(connection: &Connection, mode: &str) {
    let copied = connection.busy_timeout(RESTART_PATIENCE).and_then(|()| {
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        connection.query_row(&sql, [], |row| row.get::<_, i64>(0))
    });
    let patient = connection.busy_timeout(WRITER_PATIENCE);
    match copied.and(patient) {
        // Counting starts again; pages that a reader still needs are copied next time.
        Ok(()) => WAL_PAGES.set(0),
        Err(error) => tracing::warn!(%error, "the WAL could not be copied back"),
    }
}
