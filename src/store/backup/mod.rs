//! Backups: copies of the file that are consistent, checked and private, made while the server goes on.
//!
//! **How it is copied, and why.** By SQLite's backup API from the writer's own connection, a few pages a turn
//! ([`copying`]). What the writer commits meanwhile is copied along by SQLite, so the copy is the file as it is at the last
//! page, and nothing has to be held still. The ways that were weighed against it:
//!
//! - A reader's transaction for as long as the copy takes (`VACUUM INTO`, or the same API on a connection of its own). It
//!   keeps the WAL from starting afresh: at 20 MB of WAL a second (what full load writes) ten minutes leave 12 GB, and the
//!   checkpoint that copies them back afterwards holds ingest up for all of it. It cannot be done beside the writer
//!   either (`checkpoint.rs` says why).
//! - The API on a connection of its own without such a transaction starts anew with every commit of another connection,
//!   and never ends under load.
//! - Copying the file with the system's calls: closing it drops the locks that SQLite has in this process.
//!
//! Measured (two busy cores, a debug build): 0.5 GB were copied in 5.5 s while nothing else happened. With 1,475 events a second
//! it took 44 s, 6 % fewer events were accepted meanwhile, p99 went from 15 to 17 ms, and the WAL stayed at 2 MB.
//!
//! What it costs the writer: a turn of [`copying`] at most every 25 ms under load, and each page that is written again
//! after it was copied is written twice. Everything else is done on a thread of its own at the lowest priority ([`worker`]):
//! the copy is synced after each turn, so that it never piles up what the next commit's sync would have to wait for; then
//! it is checked, compressed, renamed.

mod check;
mod compress;
mod copying;
mod key;
mod names;
mod part;
mod record;
mod state;
mod upgrade;
mod worker;

use std::net::IpAddr;
use std::path::PathBuf;

use crate::domain::ids::BackupId;
use crate::domain::time::UnixMs;

use super::Store;
use super::answer::Answer;
use super::cleanup::SCHEDULE;

pub use compress::{Packed, compress, unpack};
pub(super) use copying::CopyJob;
pub use key::add_key;
pub(super) use key::{carried, take_out as take_key_out};
pub(super) use part::tidy;
pub use record::BackupRow;
pub(super) use record::{last_rows, note_cut_off};
pub(super) use state::Backups;
pub use state::{BackupsNow, Progress, Running, Stage};
pub(super) use upgrade::{copy, forget_older};

/// A backup that somebody wants.
#[derive(Debug, Clone)]
pub struct BackupRequest {
    /// Whether it is compressed.
    pub compress: bool,
    /// Whether whoever wants it takes its file elsewhere when it is made: it drives out none of those that are kept.
    pub elsewhere: bool,
    /// Who wants it: the schedule, or an actor's name.
    pub by: String,
    /// Where the request came from, for the audit log.
    pub address: Option<IpAddr>,
}

impl BackupRequest {
    /// The one of the schedule.
    pub fn by_schedule(compress: bool) -> Self {
        Self { compress, elsewhere: false, by: SCHEDULE.to_owned(), address: None }
    }
}

impl Store {
    /// The data directory.
    pub fn data_folder(&self) -> &std::path::Path {
        self.backups.parent().unwrap_or(&self.backups)
    }

    /// The folder of backups.
    pub fn backups_folder(&self) -> &std::path::Path {
        &self.backups
    }

    /// Begins a backup. The answer comes as soon as it is written down that it began; it goes on by itself.
    /// `None`: another one is under way.
    pub fn backup(&self, request: BackupRequest) -> Option<Answer<BackupRow>> {
        worker::begin(self, request)
    }

    /// The backup that is under way, and the last ones.
    pub fn backups_now(&self) -> BackupsNow {
        self.shared.backups.now()
    }

    /// Ends the backup that is under way, if it is this one. `false`: it is not, or somebody has done so before.
    pub fn cancel_backup(&self, id: BackupId, by: &str) -> bool {
        let canceled = self.shared.backups.cancel(id, by);
        self.queue.nudge();
        canceled
    }

    /// Where a backup lies, if it still does.
    pub fn backup_file(&self, row: &BackupRow) -> Option<PathBuf> {
        let path = self.backups.join(row.file.as_ref()?);
        path.exists().then_some(path)
    }
}

/// What a backup is called that was begun then.
fn name_of(started_at: UnixMs, request: &BackupRequest) -> names::Name {
    let made = match (request.elsewhere, request.by.as_str()) {
        (true, _) => names::Made::Elsewhere,
        (false, SCHEDULE) => names::Made::BySchedule,
        (false, _) => names::Made::ByHand,
    };
    names::Name { at: started_at.stamp(), nth: 0, made, compressed: request.compress }
}

/// Whether a backup of this name was made to be taken elsewhere.
pub fn is_elsewhere(name: &str) -> bool {
    names::Name::parse(name).is_some_and(|name| name.made == names::Made::Elsewhere)
}
