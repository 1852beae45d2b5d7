//! The folder of the demonstration.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::random::{self, Random};

/// A folder that was made for the demonstration. Dropped, a temporary one goes as well.
pub(super) struct Folder {
    path: PathBuf,
    temporary: bool,
}

impl Folder {
    /// Makes it: where somebody wants to keep it, or below the system's folder for what is temporary.
    ///
    /// # Errors
    /// There is something at that place, or it cannot be made.
    pub(super) fn make(keep: Option<&Path>, random: &dyn Random) -> Result<Self, String> {
        let temporary = || {
            let word = data_encoding::HEXLOWER.encode(&random::bytes::<6>(random));
            std::env::temp_dir().join(format!("postrider-demo-{word}"))
        };
        let path = keep.map_or_else(temporary, Path::to_owned);
        DirBuilder::new().mode(0o700).create(&path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => format!(
                "{} is there already: name a folder that is not, or serve it with `postrider serve --dev --data {0}`",
                path.display()
            ),
            _ => format!("cannot create {}: {error}", path.display()),
        })?;
        Ok(Self { path, temporary: keep.is_none() })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it, if it is temporary.
    ///
    /// # Errors
    /// A sentence that names it.
    pub(super) fn remove(mut self) -> Result<(), String> {
        if !std::mem::take(&mut self.temporary) {
            return Ok(());
        }
        fs::remove_dir_all(&self.path)
            .map_err(|error| format!("cannot remove {}: {error}", self.path.display()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            eprintln!("postrider: cannot remove {}: {error}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededRandom;

    #[test]
    fn a_temporary_folder_goes_and_one_that_is_named_stays() {
        let random = SeededRandom::new(u64::from(std::process::id()));
        let temporary = Folder::make(None, &random).unwrap();
        let path = temporary.path().to_owned();
        assert!(path.is_dir());
        temporary.remove().unwrap();
        assert!(!path.exists());
        drop(Folder::make(None, &random).unwrap());

        let there = tempfile::tempdir().unwrap();
        let refused = Folder::make(Some(there.path()), &random).err().unwrap();
        assert!(refused.contains("is there already"), "{refused}");
        let kept = Folder::make(Some(&there.path().join("kept")), &random).unwrap();
        kept.remove().unwrap();
        assert!(there.path().join("kept").is_dir());
    }
}
