//! Why a start fails.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::{DataDirError, SecretKeyError};
use crate::service::Error;
use crate::store::{OpenError, StoreError};

/// Why the server cannot start. Each is a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// `secret.key`.
    #[error(transparent)]
    SecretKey(#[from] SecretKeyError),
    /// The database.
    #[error("{path}: {error}", path = path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: OpenError,
    },
    /// There was a database, and it is not there any more.
    #[error(
        "{database:?} is missing or empty, and {backups:?} has backups of it: restore one with `postrider restore FILE \
         --data {dir:?}` (only to begin anew, move them elsewhere)",
        dir = database.parent().unwrap_or(database)
    )]
    Emptied {
        /// The file.
        database: PathBuf,
        /// The folder.
        backups: PathBuf,
    },
    /// The address.
    #[error("cannot listen on {address}: {error}; name another address with --listen (POSTRIDER_LISTEN)")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// The Unix socket.
    #[error("cannot listen on {path}: {error}", path = path.display())]
    Socket {
        /// Where.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// Anything else that the system refuses.
    #[error("{0}")]
    System(String),
    /// The first key.
    #[error("POSTRIDER_API_KEY: {0}")]
    FirstKey(Error),
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::System(error.to_string())
    }
}
