//! Root on a data directory that belongs to somebody else: what is made there has to be the owner's, who could not open it
//! otherwise, and what lies there is not to lead root anywhere. So root becomes the owner before it opens the directory.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::process::{DumpableBehavior, geteuid, set_dumpable_behavior};
use rustix::thread::{set_thread_gid, set_thread_groups, set_thread_uid};
use rustix::{fs::Gid, fs::Uid};

use super::data_dir_error::DataDirError;

/// Makes this thread, and those that it starts from here on, act as the user to whom the data directory at `path` belongs.
/// Nothing changes for another user than root, for a directory of root's own, and where there is none yet. Whether
/// something has changed.
///
/// Linux keeps users by thread; the others of this process stay what they are.
///
/// # Errors
/// [`DataDirError::Owner`]: the system does not let this process become that user.
pub fn act_as_owner(path: &Path) -> Result<bool, DataDirError> {
    // What cannot be looked at is told by whoever opens it.
    let Ok(found) = fs::metadata(path) else { return Ok(false) };
    if !geteuid().is_root() || found.uid() == 0 {
        return Ok(false);
    }
    let (user, group) = (Uid::from_raw(found.uid()), Gid::from_raw(found.gid()));
    set_thread_groups(&[]).and_then(|()| set_thread_gid(group)).and_then(|()| set_thread_uid(user)).map_err(
        |error| DataDirError::Owner { path: path.to_owned(), uid: found.uid(), error: error.into() },
    )?;
    Ok(true)
}

/// As [`act_as_owner`], for a process that has no other thread yet, and that has no further need of being root.
///
/// # Errors
/// Those of `act_as_owner`.
pub fn become_owner(path: &Path) -> Result<(), DataDirError> {
    if act_as_owner(path)? {
        // Else its own entry in /proc stays root's, where it reads what it takes of the machine.
        set_dumpable_behavior(DumpableBehavior::Dumpable)
            .map_err(|error| DataDirError::io("become the owner of", path, io::Error::from(error)))?;
    }
    Ok(())
}
