//! Folders and modes on the disk, each step with its error.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::data_dir::DataDir;
use super::data_dir_error::DataDirError;

/// The mode of folders: for their owner alone.
pub(super) const FOLDER_MODE: u32 = 0o700;
/// The mode of files: for their owner alone.
pub(super) const FILE_MODE: u32 = 0o600;

impl DataDir {
    /// Makes a new file, 0600 from its first moment, and puts its name on the disk (its content is the
    /// caller's to fsync). Takes paths in this folder and in `backups`.
    ///
    /// # Errors
    /// The file exists, or the reason of the operating system.
    pub fn create_private(&self, path: &Path) -> Result<File, DataDirError> {
        let made = OpenOptions::new().write(true).read(true).create_new(true).mode(FILE_MODE).open(path);
        let file = made.map_err(|e| DataDirError::io("create", path, e))?;
        // The umask can only have taken rights away that the owner needs.
        file.set_permissions(Permissions::from_mode(FILE_MODE))
            .map_err(|e| DataDirError::io("set the mode of", path, e))?;
        sync_folder(path.parent().unwrap_or(self.path()))?;
        Ok(file)
    }

    /// Gives what another library made (the socket, a `-wal` file) its mode, 0600.
    ///
    /// # Errors
    /// The reason of the operating system.
    pub fn make_private(&self, path: &Path) -> Result<(), DataDirError> {
        fs::set_permissions(path, Permissions::from_mode(FILE_MODE))
            .map_err(|e| DataDirError::io("set the mode of", path, e))
    }

    /// Writes the names in the folder to the disk, after a rename or a removal.
    ///
    /// # Errors
    /// The reason of the operating system.
    pub fn sync(&self) -> Result<(), DataDirError> {
        sync_folder(self.path())
    }
}

/// Makes a folder with its parents, unless it is there; its name is on the disk when this returns.
pub(super) fn make_folder(path: &Path) -> Result<(), DataDirError> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => {
            return Err(DataDirError::NotADirectory { path: path.to_owned() });
        }
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(DataDirError::io("look at", path, e)),
        Err(_) if fs::symlink_metadata(path).is_ok() => {
            return Err(DataDirError::DanglingLink { path: path.to_owned() });
        }
        Err(_) => {}
    }
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
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
        Err(error) => Err(DataDirError::Mode { path: path.to_owned(), found, wanted: mode, error }),
        Ok(()) => Ok(()),
    }
}

/// Removes a file, unless it is gone already; whether it was there.
///
/// # Errors
/// The reason of the operating system.
pub fn remove_if_there(path: &Path) -> Result<bool, DataDirError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(DataDirError::io("remove", path, e)),
    }
}

/// Puts the names in a folder on the disk.
pub(super) fn sync_folder(path: &Path) -> Result<(), DataDirError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|e| DataDirError::io("sync", path, e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn refusal(path: &Path) -> String {
        let refusal = make_folder(path).unwrap_err().to_string();
        assert!(refusal.contains(&format!("{path:?}")), "{refusal}");
        refusal
    }

    #[test]
    fn what_is_no_folder_is_refused_by_its_name() {
        let temp = tempfile::tempdir().unwrap();
        let (file, link, round) =
            (temp.path().join("file"), temp.path().join("link"), temp.path().join("round"));
        fs::write(&file, "x").unwrap();
        symlink(temp.path().join("nowhere"), &link).unwrap();
        symlink(&round, &round).unwrap();
        assert!(refusal(&file).contains("is not a directory"));
        assert!(refusal(&file.join("below")).contains("a part of the path is a file"));
        assert!(refusal(&link).contains("symbolic link to a place that does not exist"));
        assert!(refusal(&round).contains("symbolic links"));
    }

    #[test]
    fn a_file_is_removed_that_there_is_none_is_no_error_and_anything_else_is() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("file");
        fs::write(&file, "x").unwrap();
        assert!(remove_if_there(&file).unwrap() && !file.exists());
        assert!(!remove_if_there(&file).unwrap());
        let refusal = remove_if_there(temp.path()).unwrap_err().to_string();
        assert!(refusal.contains(&format!("{:?}", temp.path())), "{refusal}");
    }

    #[test]
    fn a_link_to_a_folder_is_followed() {
        let temp = tempfile::tempdir().unwrap();
        let (target, link) = (temp.path().join("disk"), temp.path().join("data"));
        fs::create_dir(&target).unwrap();
        symlink(&target, &link).unwrap();
        make_folder(&link).unwrap();
        repair_mode(&link, FOLDER_MODE).unwrap();
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o7777, 0o700);
    }
}
