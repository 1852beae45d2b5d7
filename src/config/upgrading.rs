//! The mark of an upgrade. `install.sh` puts it beside the database when it has copied that, and starts the new version.
//! As long as it lies there, nothing was accepted or sent since, and the copy may take the place of the database again.
//! Without it nobody but a person may decide that: an answer of 202 is a promise.

use super::data_dir::DataDir;
use super::data_dir_error::DataDirError;
use super::folders::remove_if_there;
use super::lock::Lock;

/// The name of the mark.
const MARK: &str = "postrider.upgrading";

impl DataDir {
    /// Removes the mark, and has that on the disk before it returns: from now on the database may hold what is nowhere else.
    /// To be called before anything is accepted or sent.
    ///
    /// # Errors
    /// The reason of the operating system.
    pub fn begin_accepting(&self, _owner: &Lock) -> Result<(), DataDirError> {
        if remove_if_there(&self.path().join(MARK))? { self.sync() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_goes_and_that_there_is_none_is_no_error() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::open(&temp.path().join("data")).unwrap();
        let lock = dir.lock().unwrap();
        dir.begin_accepting(&lock).unwrap();
        let mark = dir.path().join("postrider.upgrading");
        std::fs::write(&mark, "").unwrap();
        dir.begin_accepting(&lock).unwrap();
        assert!(!mark.exists());
    }
}
