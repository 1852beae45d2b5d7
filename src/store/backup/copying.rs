//! The writer's part of a backup: a few pages a turn, between whatever else it does.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::clock::Stopwatch;
use crate::store::error::StoreError;
use crate::store::writer::{Run, Writer};

/// Pages of a turn: 0.4 MB, which takes under a millisecond where the system has the file in memory, and 2 MB where nobody
/// has asked for anything lately.
const PAGES: i32 = 100;
const PAGES_IDLE: i32 = 500;
/// While somebody publishes, turns come this far apart.
const TURN_EVERY: Duration = Duration::from_millis(25);
/// Memory for the copy's own pages.
const CACHE_KIB: i64 = 1024;
/// How often a copy may have to begin anew: SQLite does so when a transaction fails, which is rare.
const RESTARTS: u32 = 20;

/// A copy that the writer is asked for.
pub(in crate::store) struct CopyJob {
    /// An empty file.
    pub(super) path: PathBuf,
    /// Hears of every turn.
    pub(super) told: Sender<Copied>,
    /// Says after every turn that what was written is on the disk.
    pub(super) synced: Receiver<()>,
    /// It is to stop.
    pub(super) stop: Arc<AtomicBool>,
}

/// What is told of a copy.
pub(super) enum Copied {
    /// So many pages are copied, of so many.
    Pages(u64, u64),
    /// It is over.
    Over(Result<(), StoreError>),
}

/// Why a copy goes no further.
enum Ended {
    Failed(StoreError),
    /// The writer's queue is closed.
    Closed,
}

impl From<rusqlite::Error> for Ended {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Writer {
    /// Makes a copy and goes on with everything else meanwhile. `false`: the queue is closed and empty.
    pub(in crate::store) fn copy_out(&mut self, run: &mut Run, job: &CopyJob) -> bool {
        let source = Rc::clone(&self.connection);
        let (result, open) = match self.copy(run, &source, job) {
            Ok(()) => (Ok(()), true),
            Err(Ended::Failed(error)) => (Err(error), true),
            Err(Ended::Closed) => (Err(StoreError::Stopping), false),
        };
        // Whoever asked waits for nothing else.
        drop(job.told.send(Copied::Over(result)));
        open
    }

    fn copy(&mut self, run: &mut Run, source: &Connection, job: &CopyJob) -> Result<(), Ended> {
        let mut copy = open_copy(job)?;
        let backup = Backup::new(source, &mut copy)?;
        let (mut last, mut reached, mut restarts) = (Stopwatch::start(), 0, 0);
        let mut waits_for_sync = false;
        loop {
            let asked = self.queue.is_asked_lately();
            let rest = if asked { last.left(TURN_EVERY) } else { Duration::ZERO };
            let until = if waits_for_sync { None } else { Some(rest) };
            if !self.once_within(run, until) {
                return Err(Ended::Closed);
            }
            self.may_go_on(run, job)?;
            match job.synced.try_recv() {
                Ok(()) => waits_for_sync = false,
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return Err(Ended::Failed(StoreError::Stopping)),
            }
            if waits_for_sync || (asked && !last.left(TURN_EVERY).is_zero()) {
                continue;
            }
            if backup.step(if asked { PAGES } else { PAGES_IDLE })? == StepResult::Done {
                return Ok(());
            }
            let progress = backup.progress();
            let (all, left) = (progress.pagecount.unsigned_abs(), progress.remaining.unsigned_abs());
            let done = u64::from(all.saturating_sub(left));
            restarts += u32::from(done < reached);
            if restarts > RESTARTS {
                let says = "the copy had to begin anew too often, because transactions failed; see the log";
                return Err(Ended::Failed(StoreError::Unavailable(says.to_owned())));
            }
            (last, reached, waits_for_sync) = (Stopwatch::start(), done, true);
            // If nobody listens any more, nobody syncs either.
            drop(job.told.send(Copied::Pages(done, u64::from(all))));
        }
    }

    /// Once around, at most so long if there is nothing to do (`None`: until somebody wakes the writer).
    fn once_within(&mut self, run: &mut Run, most: Option<Duration>) -> bool {
        let patience = self.patience(run);
        let patience = match (patience, most) {
            (Some(patience), Some(most)) => Some(patience.min(most)),
            (patience, most) => patience.or(most),
        };
        self.once(run, patience)
    }

    /// A backup must not make the trouble worse that a full disk makes.
    fn may_go_on(&self, run: &Run, job: &CopyJob) -> Result<(), Ended> {
        if job.stop.load(Ordering::Relaxed) {
            return Err(Ended::Failed(StoreError::Stopping));
        }
        if run.trouble {
            let why = self.shared.trouble().unwrap_or_default();
            return Err(Ended::Failed(StoreError::Unavailable(format!("nothing can be written: {why}"))));
        }
        Ok(())
    }
}

/// The copy. What a kill leaves of it is thrown away, so that it needs neither a journal nor syncs of SQLite's.
fn open_copy(job: &CopyJob) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let copy = Connection::open_with_flags(&job.path, flags)?;
    copy.execute_batch(&format!(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
         PRAGMA cache_size = -{CACHE_KIB}"
    ))?;
    Ok(copy)
}
