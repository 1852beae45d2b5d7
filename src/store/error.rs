//! What can go wrong with the file, sorted by what the caller can do about it.

use rusqlite::ErrorCode;

use super::cut_off::is_half_written;

/// A failure of the store. None of them is ever the caller's fault: over HTTP they are a 503 or a 500.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The writer's queue holds as many bytes as it may.
    #[error("more is waiting to be written than fits the queue")]
    Overloaded,
    /// All reading connections were in use for 2 s.
    #[error("all database connections were busy for 2 s")]
    Busy,
    /// The store is closing.
    #[error("the server is stopping")]
    Stopping,
    /// The file cannot be read or written at present: disk full, locked by another program, I/O error.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// A statement failed, or a row holds what this version cannot read. A defect.
    #[error("database error: {0}")]
    Internal(String),
}

impl StoreError {
    /// What to do about it where a start fails.
    pub(super) fn advice(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => {
                "; make room on that disk, see the system's log for its faults, or end what locks the database"
            }
            _ => "",
        }
    }

    /// Whether the same call may well succeed later, without anybody changing anything else than the disk.
    pub fn is_passing(&self) -> bool {
        !matches!(self, Self::Internal(_))
    }
}

/// Whether an error is about the machine (space, disk, locks) and not about the statement.
pub(super) fn is_environment(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OutOfMemory
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::PermissionDenied
        )
    )
}

/// What to do about a file that cannot be opened, where that is known.
pub(super) fn advice(error: &rusqlite::Error) -> &'static str {
    if is_half_written(error) {
        return "; its last writer was cut off: open it with that program, which undoes what was half written";
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "; the file is damaged or no database: restore a backup, or name another data directory"
        }
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => {
            "; make room on that disk, or see the system's log for its faults"
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            "; it and its folder have to be ones that the user who runs Postrider may write, on a disk without faults"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
            "; another program has locked it: end that first"
        }
        _ => "",
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        if is_environment(&error) {
            Self::Unavailable(error.to_string())
        } else {
            Self::Internal(error.to_string())
        }
    }
}

impl From<r2d2::Error> for StoreError {
    fn from(_: r2d2::Error) -> Self {
        Self::Busy
    }
}
