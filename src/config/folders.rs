//! Folders and modes on the disk, each step with its error.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use super::data_dir_error::DataDirError;

/// The mode of folders: for their owner alone.
pub(super) const FOLDER_MODE: u32 = 0o700;

/// Makes a folder with its parents, unless it is there; its name is on the disk when this returns.
pub(super) fn make_folder(path: &Path) -> Result<(), DataDirError> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => {
            return Err(DataDirError::NotADirectory {
                path: path.to_owned(),
            });
        }
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(DataDirError::io("look at", path, e)),
        Err(_) if fs::symlink_metadata(path).is_ok() => {
            return Err(DataDirError::DanglingLink {
                path: path.to_owned(),
            });
        }
        Err(_) => {}
    }
    let parent = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|e| DataDirError::io("create", parent, e))?;
    match DirBuilder::new().mode(FOLDER_MODE).create(path) {
        // Another process that starts at the same time may have been first.
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
            return Err(DataDirError::io("create", path, e));
        }
        _ => {}
    }
    fs::set_permissions(path, Permissions::from_mode(FOLDER_MODE))
        .map_err(|e| DataDirError::io("set the mode of", path, e))?;
    sync_folder(parent)
}

/// Sets the mode, if the file is there and has another. Follows links.
pub(super) fn repair_mode(path: &Path, mode: u32) -> Result<(), DataDirError> {
    let found = match fs::metadata(path) {
        Ok(found) => found.permissions().mode() & 0o7777,
        // SQLite's own files come and go while the process that owns the folder runs.
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(DataDirError::io("look at", path, e)),
    };
    if found == mode {
        return Ok(());
    }
    match fs::set_permissions(path, Permissions::from_mode(mode)) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(DataDirError::Mode {
            path: path.to_owned(),
            found,
            wanted: mode,
            error,
        }),
        Ok(()) => Ok(()),
    }
}

/// Puts the names in a folder on the disk.
pub(super) fn sync_folder(path: &Path) -> Result<(), DataDirError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|e| DataDirError::io("sync", path, e))
}
