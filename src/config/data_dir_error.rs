//! What can be wrong with the data directory, each as a sentence that says what to do.

use std::fmt::{self, Display, Formatter};
use std::io;
use std::path::{Path, PathBuf};

/// The flag that names the data directory of the server, and of most commands.
const FLAG: &str = "--data";

/// Why the data directory cannot be used. Shown, it names the flag `--data`; [`DataDirError::told_of`] names another.
#[derive(Debug)]
pub enum DataDirError {
    /// There is a file of that name.
    NotADirectory {
        /// Where.
        path: PathBuf,
    },
    /// A symbolic link whose target does not exist (a disk that is not mounted, for one).
    DanglingLink {
        /// Where.
        path: PathBuf,
    },
    /// Named by mistake: others have files there, and nothing in it is Postrider's.
    NotOurs {
        /// Where.
        path: PathBuf,
    },
    /// The socket in it would have a path that the operating system cannot take.
    PathTooLong {
        /// Where.
        path: PathBuf,
        /// Bytes allowed.
        max: usize,
    },
    /// A command that needs a database was pointed at a folder without one.
    NoDatabase {
        /// Where.
        path: PathBuf,
    },
    /// The mode is open to others, and only the owner of the file may change that.
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
    /// It belongs to another user, and this process, which is root, cannot become that one.
    Owner {
        /// The data directory.
        path: PathBuf,
        /// To whom it belongs.
        uid: u32,
        /// What the operating system said.
        error: io::Error,
    },
    /// Another process owns the directory.
    Locked {
        /// The data directory.
        path: PathBuf,
        /// The process that owns it, if it has written that down.
        pid: Option<u32>,
    },
    /// The operating system refused, for a reason of its own.
    Io {
        /// What was attempted, as a verb.
        what: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
}

impl std::error::Error for DataDirError {}

impl Display for DataDirError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told_of(FLAG))
    }
}

impl DataDirError {
    pub(super) fn io(what: &'static str, path: &Path, error: io::Error) -> Self {
        Self::Io { what, path: path.to_owned(), error }
    }

    /// The sentence, for a command whose data directory is named with `flag`.
    #[expect(
        clippy::unnecessary_debug_formatting,
        reason = "a path stands in quotes, and what is odd in it is seen"
    )]
    pub fn told_of(&self, flag: &str) -> String {
        match self {
            Self::NotADirectory { path } => {
                format!("the data directory {path:?} is not a directory: name another with {flag}")
            }
            Self::DanglingLink { path } => format!(
                "the data directory {path:?} is a symbolic link to a place that does not exist: \
                 create or mount its target, or remove the link"
            ),
            Self::NotOurs { path } => format!(
                "the data directory {path:?} is open to other users and holds files that are not Postrider's: \
                 name a folder of its own with {flag}, such as {:?}",
                path.join("postrider")
            ),
            Self::PathTooLong { path, max } => format!(
                "the path of the data directory {path:?} is too long for the socket in it: at most {max} bytes"
            ),
            Self::NoDatabase { path } => format!(
                "there is no Postrider database in {path:?}: name the server's data directory with {flag} or POSTRIDER_DATA (an \
                 installed server has /var/lib/postrider); `postrider serve` makes a new one"
            ),
            Self::Mode { path, found, wanted, error } => format!(
                "{path:?} has the mode {found:04o} and must have {wanted:04o}, which could not be set ({error}): \
                 let it belong to the user that runs Postrider, or name a folder inside it with {flag}"
            ),
            Self::Owner { path, uid, error } => format!(
                "the data directory {path:?} belongs to user {uid}, whom root cannot become here ({error}): \
                 run this as that user"
            ),
            Self::Locked { path, pid } => format!(
                "another Postrider process{} uses the data directory {path:?}: \
                 stop it first, or name another directory with {flag}",
                pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
            ),
            Self::Io { what, path, error } => format!("cannot {what} {path:?}: {error}{}", advice(error)),
        }
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
        io::ErrorKind::PermissionDenied => {
            "; let it belong to the user that runs Postrider, or run this as the user that it belongs to (sudo -u postrider)"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "; mount the file system for writing, or name another data directory (as a service of systemd, the server \
             needs it in ReadWritePaths=)"
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
    fn a_sentence_names_the_flag_of_the_command_that_is_meant() {
        let path = PathBuf::from("/data--data");
        for error in [
            DataDirError::NotADirectory { path: path.clone() },
            DataDirError::NotOurs { path: path.clone() },
            DataDirError::NoDatabase { path: path.clone() },
            DataDirError::Mode {
                path: path.clone(),
                found: 0,
                wanted: 0,
                error: io::ErrorKind::Other.into(),
            },
            DataDirError::Locked { path, pid: Some(7) },
        ] {
            assert!(error.to_string().contains(" with --data"), "{error}");
            let told = error.told_of("--data-dir");
            assert!(told.contains(" with --data-dir") && told.contains("/data--data"), "{told}");
        }
    }

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
