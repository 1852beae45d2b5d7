//! Copying the WAL back into the file.
//!
//! On a thread of its own, beside the writer: copying waits for the disk, and whoever publishes would wait with it (a
//! turn of the writer takes 2 ms under full load, one with a copy in it took 13). Only starting the WAL afresh is left
//! to the writer, when there is little to copy any more: nothing may be written meanwhile.

use std::cell::Cell;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use crate::clock::Stopwatch;

use super::connection::{self, WRITER_PATIENCE};
use super::open::OpenError;

/// The WAL is copied back each time that it has grown by so many pages (4 MB).
const COPY_PAGES: i32 = 1_000;
/// From this size on (16 MB) it is to start afresh; once the writer would copy only so many pages for that, or the WAL
/// is far too long.
const RESTART_PAGES: i32 = 4_096;
const FEW_PAGES: i32 = 256;
const FAR_TOO_MANY_PAGES: i32 = 4 * RESTART_PAGES;
/// How long the writer waits for readers of the old WAL.
const RESTART_PATIENCE: Duration = Duration::from_millis(100);
/// After a failure the next try, and the next line in the log about it, waits so long.
const PAUSE: Duration = Duration::from_secs(5);

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

/// What became of a copy.
struct Copied {
    /// Readers of the old WAL are left, so that it was not started afresh.
    busy: bool,
    /// Pages of the WAL that are in the file now.
    pages: i32,
}

/// Copies the WAL back in this mode of `wal_checkpoint`.
fn copy(connection: &Connection, mode: &str) -> rusqlite::Result<Copied> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        Ok(Copied { busy: row.get(0)?, pages: row.get(2)? })
    })
}

fn warn(error: &rusqlite::Error) {
    tracing::warn!(%error, pages = WAL_PAGES.get(), "the WAL could not be copied back, and grows until it can");
}

#[derive(Default)]
struct Inner {
    /// A copy is wanted, or under way.
    wanted: bool,
    ended: bool,
    /// Pages of the WAL that were in the file after the last copy.
    copied: i32,
    /// When the last try failed, if it did.
    failed: Option<Stopwatch>,
}

#[derive(Default)]
struct State {
    inner: Mutex<Inner>,
    changed: Condvar,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, inner: MutexGuard<'a, Inner>) -> MutexGuard<'a, Inner> {
        self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread's life.
    fn work(&self, connection: &Connection) {
        let mut inner = self.lock();
        loop {
            while !inner.wanted && !inner.ended {
                inner = self.wait(inner);
            }
            if inner.ended {
                return;
            }
            drop(inner);
            let copied = copy(connection, "PASSIVE");
            inner = self.lock();
            inner.wanted = false;
            inner.note(&copied);
            self.changed.notify_all();
        }
    }
}

impl Inner {
    fn note(&mut self, copied: &rusqlite::Result<Copied>) {
        match copied {
            Ok(copied) => (self.copied, self.failed) = (copied.pages, None),
            Err(error) => {
                warn(error);
                self.failed = Some(Stopwatch::start());
            }
        }
    }
}

/// The thread that copies, as the writer sees it. Dropping it ends the thread.
pub(super) struct Checkpoints {
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
    /// Pages in the WAL when the next copy is due, and when it may be started afresh.
    copy_at: i32,
    restart_at: i32,
}

impl Checkpoints {
    /// Opens the file once more and starts the thread.
    pub(super) fn start(path: &Path) -> Result<Self, OpenError> {
        let connection = connection::open_copier(path)?;
        let state = Arc::new(State::default());
        let working = Arc::clone(&state);
        let thread = std::thread::Builder::new().name("checkpoints".to_owned());
        let thread = thread.spawn(move || working.work(&connection)).map_err(OpenError::Thread)?;
        Ok(Self { state, thread: Some(thread), copy_at: COPY_PAGES, restart_at: RESTART_PAGES })
    }

    /// After each commit: has the WAL copied back when it has grown.
    pub(super) fn when_grown(&mut self, connection: &Connection) {
        let pages = WAL_PAGES.get();
        if pages + COPY_PAGES < self.copy_at {
            // SQLite has started it afresh by itself, as all of it was copied.
            self.afresh();
        }
        if pages < self.copy_at.min(self.restart_at) {
            return;
        }
        let mut inner = self.state.lock();
        if inner.wanted || inner.failed.is_some_and(|failed| failed.elapsed() < PAUSE) {
            return;
        }
        let few = pages - inner.copied <= FEW_PAGES || pages >= FAR_TOO_MANY_PAGES;
        if pages >= self.restart_at && few {
            drop(inner);
            self.restart(connection, pages);
        } else {
            inner.wanted = true;
            self.copy_at = pages + COPY_PAGES;
            self.state.changed.notify_all();
        }
    }

    fn afresh(&mut self) {
        (self.copy_at, self.restart_at) = (COPY_PAGES, RESTART_PAGES);
        self.state.lock().copied = 0;
    }

    /// Copies the rest, on the writer's thread, and has the WAL start afresh.
    fn restart(&mut self, connection: &Connection, pages: i32) {
        let copied = connection.busy_timeout(RESTART_PATIENCE).and_then(|()| copy(connection, "RESTART"));
        let copied = connection.busy_timeout(WRITER_PATIENCE).and(copied);
        self.state.lock().note(&copied);
        match copied {
            Ok(Copied { busy: false, .. }) => {
                WAL_PAGES.set(0);
                self.afresh();
            }
            // Not at every commit.
            _ => self.restart_at = pages + COPY_PAGES,
        }
    }

    /// Copies all that can be copied, on the writer's thread: for one who wants to see the file become smaller.
    pub(super) fn copy_now(&self, connection: &Connection) {
        let mut inner = self.state.lock();
        while inner.wanted {
            inner = self.state.wait(inner);
        }
        inner.note(&copy(connection, "PASSIVE"));
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.state.lock().ended = true;
        self.state.changed.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that copies the WAL back had panicked");
        }
    }
}
