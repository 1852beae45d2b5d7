//! Copying the WAL back into the file: often and little, because whoever publishes waits meanwhile.
//!
//! On the writer's thread, between two commits, and not beside it. Beside it a copy ends before the last commit, and
//! SQLite then neither syncs the file nor copies these pages again: a disk that fails later would lose them.

use std::cell::Cell;
use std::time::Duration;

use rusqlite::Connection;

use crate::clock::Stopwatch;

use super::connection::WRITER_PATIENCE;

/// Pages of the WAL after which it is copied back (1 MB): a copy takes 1 to 2 ms then.
const COPY_PAGES: i32 = 256;
/// Pages after which readers, who keep it from starting afresh, are waited for (16 MB).
const RESTART_PAGES: i32 = 4_096;
const RESTART_PATIENCE: Duration = Duration::from_millis(100);
/// After a failure the next try, and the next line in the log about it, waits so long.
const PAUSE: Duration = Duration::from_secs(5);

thread_local! {
    /// Pages in the WAL after the last commit, told by SQLite. The hook cannot carry anything else.
    static WAL_PAGES: Cell<i32> = const { Cell::new(0) };
}

/// Copies the WAL back when it has grown.
#[derive(Debug)]
pub(super) struct Checkpoints {
    /// Pages in the WAL when it is copied next, and when readers are waited for.
    copy_at: i32,
    restart_at: i32,
    /// When the last try failed, if it did.
    failed: Option<Stopwatch>,
    /// Since when the WAL could not be emptied that was to be.
    full: Option<Stopwatch>,
}

impl Default for Checkpoints {
    fn default() -> Self {
        Self { copy_at: COPY_PAGES, restart_at: RESTART_PAGES, failed: None, full: None }
    }
}

impl Checkpoints {
    /// Has SQLite tell after each commit on this thread how long the WAL is.
    pub(super) fn watch(connection: &Connection) {
        connection.wal_hook(Some(|_, pages| {
            WAL_PAGES.set(pages);
            Ok(())
        }));
    }

    /// After each commit. Where somebody waits for the next one, the WAL may grow to twice as much.
    pub(super) fn when_grown(&mut self, connection: &Connection, asked: bool) {
        if self.full.is_some_and(|full| full.elapsed() >= PAUSE) {
            self.empty(connection);
        }
        let pages = WAL_PAGES.get();
        if pages + COPY_PAGES < self.copy_at {
            // It has started afresh.
            (self.copy_at, self.restart_at) = (COPY_PAGES, RESTART_PAGES);
        }
        let spare = if asked { COPY_PAGES } else { 0 };
        if pages < self.copy_at + spare || self.failed.is_some_and(|failed| failed.elapsed() < PAUSE) {
            return;
        }
        // Where a reader needs what is there, nothing is gained by another try at the next commit.
        self.copy_at = pages + COPY_PAGES;
        if pages < self.restart_at {
            self.copy(connection, "PASSIVE");
        } else {
            self.restart_at = pages + RESTART_PAGES / 4;
            self.copy(connection, "RESTART");
        }
    }

    /// Copies all that can be copied: for one who wants to see the file become smaller.
    pub(super) fn copy_now(&mut self, connection: &Connection) {
        self.copy(connection, "PASSIVE");
    }

    /// Copies all and empties the WAL, for what must not be found in it any more. Where a reader needs it still, it is
    /// tried again some seconds later.
    pub(super) fn empty(&mut self, connection: &Connection) {
        let done = self.copy(connection, "TRUNCATE");
        self.full = (!done).then(Stopwatch::start);
    }

    /// Copies the WAL back in this mode of `wal_checkpoint`. Whether nothing stood in its way.
    fn copy(&mut self, connection: &Connection, mode: &str) -> bool {
        let copied = connection.busy_timeout(RESTART_PATIENCE).and_then(|()| {
            let sql = format!("PRAGMA wal_checkpoint({mode})");
            connection.query_row(&sql, [], |row| row.get::<_, i64>(0))
        });
        let patient = connection.busy_timeout(WRITER_PATIENCE);
        let done = matches!(copied, Ok(0));
        self.failed = copied.map(drop).and(patient).err().map(|error| {
            let pages = WAL_PAGES.get();
            tracing::warn!(%error, pages, "the WAL could not be copied back, and grows until it can");
            Stopwatch::start()
        });
        done
    }
}
