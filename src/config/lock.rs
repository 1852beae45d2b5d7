//! One process owns the data directory: it holds the lock on `postrider.lock`.
//!
//! The lock goes with the process, however it ends, so a kill leaves nothing to clean up. The file stays
//! (removing it would let two processes lock two files of one name) and says who holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::data_dir::DataDir;
use super::data_dir_error::DataDirError;
use super::folders::remove_if_there;

/// Ownership of the data directory, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl DataDir {
    /// Takes the lock, or refuses at once: who restarts a server waits for the old process to end.
    ///
    /// # Errors
    /// [`DataDirError::Locked`] with the other's process id; otherwise the reason of the operating system.
    pub fn lock(&self) -> Result<Lock, DataDirError> {
        let path = self.lock_file();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|e| DataDirError::io("open", &path, e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DataDirError::Locked { path: self.path().to_owned(), pid: read_pid(&mut file) });
            }
            Err(TryLockError::Error(e)) => return Err(DataDirError::io("lock", &path, e)),
        }
        self.make_private(&path)?;
        write_pid(&mut file).map_err(|e| DataDirError::io("write to", &path, e))?;
        Ok(Lock { _file: file })
    }

    /// Removes the sockets that a killed process left behind. Only who holds the lock knows that they are stale.
    ///
    /// # Errors
    /// The reason of the operating system.
    pub fn remove_stale_sockets(&self, _owner: &Lock) -> Result<(), DataDirError> {
        remove_if_there(&self.socket())?;
        remove_if_there(&self.call_socket())?;
        Ok(())
    }
}

/// Who owns a data directory, seen from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockState {
    /// Nobody.
    Free,
    /// A process, by its id if it has written that down.
    Held {
        /// The process id.
        pid: Option<u32>,
    },
}

/// Who owns the data directory at `dir`, which is left as it is. `answers`: its server is known to run, and the lock is
/// not touched; else it is taken and given back at once, unless it is held.
///
/// # Errors
/// The lock's file cannot be read.
pub fn lock_state(dir: &Path, answers: bool) -> Result<LockState, DataDirError> {
    let path = dir.join("postrider.lock");
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(LockState::Free),
        Err(error) => return Err(DataDirError::io("open", &path, error)),
    };
    if !answers {
        match file.try_lock_shared() {
            Ok(()) => return Ok(LockState::Free),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(DataDirError::io("lock", &path, error)),
        }
    }
    Ok(LockState::Held { pid: read_pid(&mut file) })
}

fn write_pid(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// The process id in the file. None while its owner has only just taken the lock: the refusal stands without it.
fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn dir() -> (tempfile::TempDir, DataDir) {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::open(&temp.path().join("data")).unwrap();
        (temp, dir)
    }

    #[test]
    fn the_second_is_refused_with_the_process_id_of_the_first() {
        let (_temp, dir) = dir();
        let held = dir.lock().unwrap();
        let refused = dir.lock().unwrap_err().to_string();
        assert!(refused.contains(&format!("(pid {})", std::process::id())), "{refused}");
        assert!(refused.contains(dir.path().to_str().unwrap()), "{refused}");
        let pid = Some(std::process::id());
        assert_eq!(lock_state(dir.path(), false).unwrap(), LockState::Held { pid });
        drop(held);
        assert_eq!(lock_state(dir.path(), false).unwrap(), LockState::Free);
        assert!(dir.lock().is_ok());
    }

    #[test]
    fn whatever_the_file_held_before_the_lock_is_private_and_names_this_process() {
        let (_temp, dir) = dir();
        std::fs::write(dir.lock_file(), "99999999999999999999999999999999999\n").unwrap();
        std::fs::set_permissions(dir.lock_file(), std::fs::Permissions::from_mode(0o666)).unwrap();
        let _held = dir.lock().unwrap();
        assert_eq!(std::fs::metadata(dir.lock_file()).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(dir.lock_file()).unwrap(), format!("{}\n", std::process::id()));
    }

    #[test]
    fn the_refusal_needs_no_process_id() {
        let (_temp, dir) = dir();
        let _held = dir.lock().unwrap();
        std::fs::write(dir.lock_file(), "\u{fffd}not a number").unwrap();
        let refused = dir.lock().unwrap_err();
        assert!(matches!(refused, DataDirError::Locked { pid: None, .. }), "{refused}");
        assert!(refused.to_string().starts_with("another Postrider process uses"), "{refused}");
    }

    #[test]
    fn a_socket_that_was_left_behind_goes_and_none_is_no_error() {
        let (_temp, dir) = dir();
        let lock = dir.lock().unwrap();
        drop(std::os::unix::net::UnixListener::bind(dir.socket()).unwrap());
        assert!(dir.socket().exists());
        dir.remove_stale_sockets(&lock).unwrap();
        assert!(!dir.socket().exists());
        dir.remove_stale_sockets(&lock).unwrap();
    }
}
