//! The backup that is under way, as all threads see it, and what became of the last ones.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::domain::ids::BackupId;

use super::{BackupRow, CopyJob};

/// What a backup is at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Copying the database.
    #[default]
    Copying,
    /// Reading the copy through.
    Checking,
    /// Compressing it.
    Compressing,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// What it is at.
    pub stage: Stage,
    /// How much of that is done, in hundredths; `None`: nobody knows.
    pub percent: Option<u8>,
}

/// A backup that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// As it was written down.
    pub row: BackupRow,
    /// How far it has come.
    pub progress: Progress,
}

/// See [`Backups`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackupsNow {
    /// The one that is under way.
    pub running: Option<Running>,
    /// The last one that has ended, however it did.
    pub last: Option<BackupRow>,
    /// The last one that was made.
    pub made: Option<BackupRow>,
}

/// What is known in memory about backups.
#[derive(Default)]
pub(in crate::store) struct Backups {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// One is under way, or about to be. Set: it is to stop.
    taken: Option<Arc<AtomicBool>>,
    running: Option<Running>,
    canceled: Option<String>,
    /// How it ends is decided: it cannot be canceled any more.
    decided: bool,
    job: Option<CopyJob>,
    thread: Option<JoinHandle<()>>,
    closed: bool,
    now: BackupsNow,
}

impl Backups {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the file tells of the last ones.
    pub(in crate::store) fn start(&self, (last, made): (Option<BackupRow>, Option<BackupRow>)) {
        let mut inner = self.lock();
        (inner.now.last, inner.now.made) = (last, made);
    }

    /// What is to be told.
    pub(super) fn now(&self) -> BackupsNow {
        let inner = self.lock();
        BackupsNow { running: inner.running.clone(), ..inner.now.clone() }
    }

    /// Takes the one place that there is. The answer becomes true when it is to stop; `None`: it is taken.
    pub(super) fn take(&self) -> Option<Arc<AtomicBool>> {
        let mut inner = self.lock();
        if inner.closed || inner.taken.is_some() {
            return None;
        }
        let stop = Arc::new(AtomicBool::new(false));
        inner.taken = Some(Arc::clone(&stop));
        (inner.canceled, inner.decided) = (None, false);
        Some(stop)
    }

    /// Keeps the thread of the one that has the place, to wait for it at a stop. The one before has ended.
    pub(super) fn keep(&self, thread: JoinHandle<()>) {
        self.lock().thread = Some(thread);
    }

    /// It was written down that it begins.
    pub(super) fn begun(&self, row: &BackupRow) {
        self.lock().running = Some(Running { row: row.clone(), progress: Progress::default() });
    }

    /// Tells how far it has come.
    pub(super) fn tell(&self, stage: Stage, done: u64, of: u64) {
        let percent = (of > 0).then(|| u8::try_from((done.min(of) * 100) / of).unwrap_or(100));
        if let Some(running) = &mut self.lock().running {
            running.progress = Progress { stage, percent };
        }
    }

    /// Gives the place free. `ended`: what became of it, if it had begun.
    pub(super) fn leave(&self, ended: Option<BackupRow>) {
        let mut inner = self.lock();
        (inner.taken, inner.running, inner.job) = (None, None, None);
        if let Some(ended) = ended {
            if ended.file.is_some() {
                inner.now.made = Some(ended.clone());
            }
            inner.now.last = Some(ended);
        }
    }

    /// Ends the one that is under way, if it is this one.
    pub(super) fn cancel(&self, id: BackupId, by: &str) -> bool {
        let mut inner = self.lock();
        let is_it = inner.running.as_ref().is_some_and(|running| running.row.id == id);
        if !is_it || inner.decided || inner.canceled.is_some() {
            return false;
        }
        inner.canceled = Some(by.to_owned());
        if let Some(stop) = &inner.taken {
            stop.store(true, Ordering::Relaxed);
        }
        true
    }

    /// How it ends is decided. Who has canceled it, if somebody has.
    pub(super) fn decide(&self) -> Option<String> {
        let mut inner = self.lock();
        inner.decided = true;
        inner.canceled.clone()
    }

    /// Asks the writer for a copy.
    pub(super) fn ask(&self, job: CopyJob) {
        self.lock().job = Some(job);
    }

    /// The copy that the writer is asked for.
    pub(in crate::store) fn asked(&self) -> Option<CopyJob> {
        self.lock().job.take()
    }

    /// No more backups; the thread of the one that is under way, which stops.
    pub(in crate::store) fn close(&self) -> Option<JoinHandle<()>> {
        let mut inner = self.lock();
        inner.closed = true;
        if let Some(stop) = &inner.taken {
            stop.store(true, Ordering::Relaxed);
        }
        inner.thread.take()
    }
}
