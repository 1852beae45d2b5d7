//! The data directory of a process that owns it: lock, key, database file, socket.

use std::io;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;

use crate::config::{DataDir, DataDirError, Lock};
use crate::random::{Random, bytes};
use crate::store::Store;
use crate::store::vault::Vault;

use super::StartError;

/// A data directory that this process owns until it is dropped.
pub(crate) struct Files {
    pub(super) dir: DataDir,
    pub(super) vault: Arc<Vault>,
    lock: Lock,
}

/// Takes the directory: makes what is missing, and refuses what another process owns.
pub(super) fn open(path: &Path, random: &dyn Random) -> Result<Files, StartError> {
    let dir = DataDir::open(path)?;
    let lock = dir.lock()?;
    if let Some(kept) = dir.finish_restore(&lock)? {
        tracing::warn!(kept = %kept.display(), "a restore that was cut off is finished; what was there before is kept");
    }
    let database = dir.database();
    let needs_key =
        Store::needs_key(&database).map_err(|error| StartError::Store { path: database.clone(), error })?;
    let failed =
        |error| DataDirError::Io { what: "look for a database and its backups in", path: path.into(), error };
    if is_lost(&database, &dir.backups()).map_err(failed)? {
        return Err(StartError::Emptied { database, backups: dir.backups() });
    }
    if !needs_key && !dir.secret_key_exists()? {
        dir.create_secret_key(&lock, &bytes(random))?;
    }
    let vault = Arc::new(Vault::new(dir.load_secret_key()?));
    // SQLite would make it with the modes of the umask; its other files take this one's.
    if database.exists() {
        dir.make_private(&database)?;
    } else {
        dir.create_private(&database)?;
        dir.sync()?;
    }
    Ok(Files { dir, vault, lock })
}

/// Whether a database is missing or empty and there are backups of it: a server that begins anew there would accept events
/// for nobody.
pub(super) fn is_lost(database: &Path, backups: &Path) -> io::Result<bool> {
    match std::fs::metadata(database) {
        Ok(file) if file.len() > 0 => return Ok(false),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    for entry in std::fs::read_dir(backups)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".db") || name.ends_with(".db.gz") {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Files {
    /// To be called before anything is accepted or sent: an upgrade cannot be taken back unasked from then on.
    pub(super) fn begin_accepting(&self) -> Result<(), StartError> {
        Ok(self.dir.begin_accepting(&self.lock)?)
    }

    /// Listens on the socket for the commands of this machine.
    pub(super) fn listen(&self) -> Result<UnixListener, StartError> {
        self.listen_on(&self.dir.socket())
    }

    /// Listens on the socket that only this process knows of.
    pub(super) fn listen_for_own_call(&self) -> Result<UnixListener, StartError> {
        self.listen_on(&self.dir.call_socket())
    }

    fn listen_on(&self, path: &Path) -> Result<UnixListener, StartError> {
        self.dir.remove_stale_sockets(&self.lock)?;
        let failed = |error| StartError::Socket { path: path.to_owned(), error };
        let listener = UnixListener::bind(path).map_err(failed)?;
        self.dir.make_private(path)?;
        Ok(listener)
    }

    /// Removes the socket: nobody answers on it any more.
    pub(super) fn remove_socket(&self) {
        if let Err(error) = self.dir.remove_stale_sockets(&self.lock) {
            tracing::warn!(%error, "the socket could not be removed");
        }
    }
}
