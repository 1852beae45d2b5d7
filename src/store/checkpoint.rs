//! Copying the WAL back into the file, at a time when it holds nobody up.

use std::cell::Cell;
use std::time::Duration;

use rusqlite::Connection;

use crate::clock::Stopwatch;

use super::connection::WRITER_PATIENCE;

/// Pages of the WAL after which it is copied back, and after which readers are made to start afresh (16 MB).
const CHECKPOINT_PAGES: i32 = 1_000;
const RESTART_PAGES: i32 = 4_096;
const RESTART_PATIENCE: Duration = Duration::from_millis(100);
/// After a failure the next try, and the next line in the log about it, waits so long.
const PAUSE: Duration = Duration::from_secs(5);

thread_local! {
    /// Pages in the WAL after the last commit, told by SQLite. The hook cannot carry anything else.
    static WAL_PAGES: Cell<i32> = const { Cell::new(0) };
    /// When the last try failed, if it did.
    static FAILED: Cell<Option<Stopwatch>> = const { Cell::new(None) };
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
    let pauses = FAILED.get().is_some_and(|failed| failed.elapsed() < PAUSE);
    if pages >= CHECKPOINT_PAGES && !pauses {
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
        Ok(()) => {
            WAL_PAGES.set(0);
            FAILED.set(None);
        }
        Err(error) => {
            tracing::warn!(%error, pages = WAL_PAGES.get(), "the WAL could not be copied back, and grows until it can");
            FAILED.set(Some(Stopwatch::start()));
        }
    }
}
