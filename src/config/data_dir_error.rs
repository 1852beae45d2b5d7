//! What can be wrong with the data directory, each as a sentence that says what to do.

use std::io;
use std::path::{Path, PathBuf};

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// There is a file of that name.
    #[error("the data directory {path:?} is not a directory: name another with --data")]
    NotADirectory {
        /// Where.
        path: PathBuf,
    },
    /// A symbolic link whose target does not exist (a disk that is not mounted, for one).
    #[error(
        "the data directory {path:?} is a symbolic link to a place that does not exist: \
         create or mount its target, or remove the link"
    )]
    DanglingLink {
        /// Where.
        path: PathBuf,
    },
    /// Named by mistake: others have files there, and nothing in it is Postrider's.
    #[error(
        "the data directory {path:?} is open to other users and holds files that are not Postrider's: \
         name a folder of its own with --data, such as {:?}", path.join("postrider")
    )]
    NotOurs {
        /// Where.
        path: PathBuf,
    },
    /// The socket in it would have a path that the operating system cannot take.
    #[error("the path of the data directory {path:?} is too long for the socket in it: at most {max} bytes")]
    PathTooLong {
        /// Where.
        path: PathBuf,
        /// Bytes allowed.
        max: usize,
    },
    /// A command that needs a database was pointed at a folder without one.
    #[error(
        "there is no Postrider database in {path:?}: name the server's data directory with --data or POSTRIDER_DATA"
    )]
    NoDatabase {
        /// Where.
        path: PathBuf,
    },
    /// The mode is open to others, and only the owner of the file may change that.
    #[error(
        "{path:?} has the mode {found:04o} and must have {wanted:04o}, which could not be set ({error}): \
         let it belong to the user that runs Postrider, or name a folder inside it with --data"
    )]
    Mode {
        /// Where.
        path: PathBuf,
        /// The mode that it has.
        found: u32,
        /// The mode that it needs.
        wanted: u32,
        /// What the operating system said.
        error: io::Error,
    },
    /// Another process owns the directory.
    #[error(
        "another Postrider process{} uses the data directory {path:?}: \
         stop it first, or name another directory with --data",
        pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
    )]
    Locked {
        /// The data directory.
        path: PathBuf,
        /// The process that owns it, if it has written that down.
        pid: Option<u32>,
    },
    /// The operating system refused, for a reason of its own.
    #[error("cannot {what} {path:?}: {error}{}", advice(error))]
    Io {
        /// What was attempted, as a verb.
        what: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
}

impl DataDirError {
    pub(super) fn io(what: &'static str, path: &Path, error: io::Error) -> Self {
        Self::Io { what, path: path.to_owned(), error }
    }
}

/// The number of "input/output error", for which the standard library has no kind.
const EIO: i32 = 5;

/// What to do about an error of the operating system, where that is known.
pub(super) fn advice(error: &io::Error) -> &'static str {
    if error.raw_os_error() == Some(EIO) {
        return "; see the system's log for the faults of that disk";
    }
    match error.kind() {
        io::ErrorKind::PermissionDenied => "; let it belong to the user that runs Postrider",
        io::ErrorKind::ReadOnlyFilesystem => {
            "; mount the file system for writing, or name another with --data"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; free some space on that disk",
        io::ErrorKind::NotADirectory => "; a part of the path is a file",
        io::ErrorKind::AlreadyExists => "; another process may be using the directory",
        io::ErrorKind::Unsupported => "; put the data directory on a local disk, not on a network share",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_of_the_operating_system_come_with_advice() {
        for (kind, says) in [
            (io::ErrorKind::PermissionDenied, "belong to the user"),
            (io::ErrorKind::ReadOnlyFilesystem, "for writing"),
            (io::ErrorKind::StorageFull, "free some space"),
        ] {
            let error = DataDirError::io("create", Path::new("/data"), kind.into()).to_string();
            assert!(error.starts_with("cannot create \"/data\": ") && error.contains(says), "{error}");
        }
        let broken = DataDirError::io("create", Path::new("/data"), io::Error::from_raw_os_error(EIO));
        assert!(broken.to_string().contains("see the system's log"), "{broken}");
    }
}
