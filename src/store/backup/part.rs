//! Files that are being made: never seen under their final name before they are whole and on the disk.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::store::error::StoreError;

/// A copy that is being made, and what it is compressed to. Always of these names, so that what a kill leaves does not
/// stay for ever.
const COPY: &str = "unfinished.part";
const COMPRESSED: &str = "unfinished.gz.part";
/// How everything ends that is being made: the command line has names of its own.
const PART: &str = ".part";
/// What SQLite puts beside a file that it changes.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

/// Where a copy is made that goes into this folder.
pub(super) fn copy_in(folder: &Path) -> PathBuf {
    folder.join(COPY)
}

/// Where it is compressed to.
pub(super) fn compressed_in(folder: &Path) -> PathBuf {
    folder.join(COMPRESSED)
}

/// Removes what a kill has left in the folder of backups. At a start: nobody is at work there then.
pub(in crate::store) fn tidy(folder: &Path) -> Result<(), StoreError> {
    let entries = fs::read_dir(folder).map_err(|error| failed(folder, &error))?;
    for entry in entries {
        let name = entry.map_err(|error| failed(folder, &error))?.file_name();
        if name.to_str().is_some_and(|name| name.ends_with(PART)) {
            remove_with_all(&folder.join(name))?;
        }
    }
    tidy_own(folder)
}

/// Removes what a backup of this process has left, or one before it.
pub(super) fn tidy_own(folder: &Path) -> Result<(), StoreError> {
    remove_with_all(&copy_in(folder))?;
    remove(&compressed_in(folder))
}

/// Makes an empty file, private before anything is in it.
pub(super) fn create(path: &Path) -> Result<File, StoreError> {
    let file = File::create_new(path).map_err(|error| failed(path, &error))?;
    file.set_permissions(Permissions::from_mode(0o600)).map_err(|error| failed(path, &error))?;
    Ok(file)
}

/// Gives a file that is whole and synced its name, in a folder of ours: one of that name would be replaced.
pub(super) fn publish(part: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(part, to).map_err(|error| failed(to, &error))?;
    let folder = to.parent().unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed(folder, &error))
}

/// Removes a database with all that SQLite has put beside it.
pub(super) fn remove_with_all(path: &Path) -> Result<(), StoreError> {
    for end in BESIDE {
        let mut beside = path.as_os_str().to_owned();
        beside.push(end);
        remove(Path::new(&beside))?;
    }
    remove(path)
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path, &error)),
        _ => Ok(()),
    }
}

/// What the system says about a file.
pub(super) fn failed(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Unavailable(format!("{}: {error}", path.display()))
}
