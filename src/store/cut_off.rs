//! What is left where a writer, or the file itself, was cut off: told from the bytes, before SQLite sees the file and
//! does something about it.
//!
//! A writer that was cut off before there was a WAL (as a new file was made, or a copy was put in its place) leaves a
//! rollback journal. SQLite reads the file only once that was played back, which is writing. So the file's first
//! bytes tell whether it is ours to write. And a WAL beside an empty file is removed by SQLite: a file of ours was
//! never empty when it got one, so what is empty was cut, and most of what it held may be in the WAL.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use rusqlite::ffi;

use super::connection::APPLICATION_ID;

/// The part of a file that a disk writes whole, with all of SQLite's header in it.
const SECTOR: u64 = 512;
/// What SQLite's header begins with, and where the application's id stands in it.
const MAGIC: &[u8] = b"SQLite format 3\0";
const ID_AT: usize = 68;

/// Whether a connection that may not write is told this because of a rollback journal.
pub(super) fn is_half_written(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_READONLY_ROLLBACK)
}

/// Whether the file is ours by its first bytes. An empty one, and one whose first sector never came to the disk, are
/// nobody's.
pub(super) fn is_ours(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(SECTOR).read_to_end(&mut start));
    let id = start.get(ID_AT..ID_AT + 4).is_some_and(|id| id == APPLICATION_ID.to_be_bytes());
    read.is_ok() && (start.iter().all(|byte| *byte == 0) || (start.starts_with(MAGIC) && id))
}

/// The WAL that holds something although the file does not.
pub(super) fn lonely_wal(path: &Path) -> Option<PathBuf> {
    // SQLite takes one byte for none.
    wal(path).filter(|_| length(path) <= 1)
}

/// The WAL beside a file, if there is anything in it: after a stop as it should be there is none.
pub(super) fn wal(path: &Path) -> Option<PathBuf> {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    let wal = PathBuf::from(wal);
    (length(&wal) > 0).then_some(wal)
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}
