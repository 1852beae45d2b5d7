//! Putting a restored database in the place of the one that is there. Whatever happens on the way, a kill or a loss of
//! power, the next one who opens the directory finds the old database or the new one, whole.
//!
//! 1. The new database is made beside, under a name that nobody takes for one, and synced. So is its key, if it brings one.
//! 2. One rename decides: from then on it is to be put in place.
//! 3. What is there is moved into a folder of its own, `replaced-TIME`; then the key and the database get their names.
//!
//! After 2 a start, or a command, does what is left of 3 before it looks at anything else. Before 2 it removes what was made.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use data_encoding::BASE64;

use super::data_dir::DataDir;
use super::data_dir_error::DataDirError;
use super::folders::{make_folder, remove_if_there, sync_folder};
use super::lock::Lock;
use super::secret_key::{COMMENT, SecretKeyError};

/// The database that is being made.
const UNFINISHED: &str = "postrider.restoring";
/// The one that is to be put in place, and its key; the time follows.
const DECIDED: &str = "postrider.restored-";
const DECIDED_KEY: &str = "secret.key.restored-";
/// Where what was replaced is kept; the time follows.
const REPLACED: &str = "replaced-";

/// Folders that are made for a restore, and go again if it comes to nothing.
#[derive(Debug)]
pub struct Missing(Vec<PathBuf>);

impl Missing {
    /// Those that are not there yet of a data directory and the folders around it.
    pub fn look(path: &Path) -> Self {
        let absent = |path: &&Path| {
            let found = fs::symlink_metadata(path);
            found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        };
        let named = path.ancestors().take_while(|path| !path.as_os_str().is_empty());
        Self(named.take_while(absent).map(Path::to_path_buf).collect())
    }

    /// Removes what was made of them, with what a restore has put there.
    ///
    /// # Errors
    /// The reason of the operating system; among them that a folder holds anything else, which stays.
    pub fn remove(&self, dir: &DataDir, _owner: Lock) -> Result<(), DataDirError> {
        if self.0.is_empty() {
            return Ok(());
        }
        remove_if_there(&dir.lock_file())?;
        // From the inside out: where one is not empty, neither are those around it, and the first is the one to tell of.
        for folder in std::iter::once(&dir.backups()).chain(&self.0) {
            fs::remove_dir(folder).map_err(|error| DataDirError::io("remove", folder, error))?;
        }
        Ok(())
    }
}

impl DataDir {
    /// Makes the empty file that a restored database is made in.
    ///
    /// # Errors
    /// The reason of the operating system.
    pub fn begin_restore(&self, owner: &Lock) -> Result<(PathBuf, File), DataDirError> {
        self.tidy_restore(owner)?;
        let path = self.path().join(UNFINISHED);
        let file = self.create_private(&path)?;
        Ok((path, file))
    }

    /// Puts the restored database in place, which is synced and closed, with its key if it brings one. `stamp` is the time
    /// for names. Where what was there is kept; `None`: there was nothing.
    ///
    /// # Errors
    /// The reason of the operating system. Once it was decided, the next start goes on with it.
    pub fn commit_restore(
        &self,
        owner: &Lock,
        stamp: &str,
        key: Option<&[u8; 32]>,
    ) -> Result<Option<PathBuf>, SecretKeyError> {
        // What was kept before is not to be kept over.
        let free = |stamp: &str| !self.path().join(format!("{REPLACED}{stamp}")).exists();
        let numbered = || (1..=u32::MAX).map(|n| format!("{stamp}-{n}")).find(|stamp| free(stamp));
        let stamp = if free(stamp) { stamp.to_owned() } else { numbered().unwrap_or_default() };
        if let Some(key) = key {
            let path = self.path().join(format!("{DECIDED_KEY}{stamp}"));
            let mut file = self.create_private(&path)?;
            file.write_all(format!("{COMMENT}{}\n", BASE64.encode(key)).as_bytes())
                .and_then(|()| file.sync_all())
                .map_err(|error| DataDirError::io("write", &path, error))?;
        }
        self.sync()?;
        let decided = self.path().join(format!("{DECIDED}{stamp}"));
        fs::rename(self.path().join(UNFINISHED), &decided)
            .map_err(|error| DataDirError::io("write", &decided, error))?;
        self.sync()?;
        Ok(self.finish_restore(owner)?)
    }

    /// Does what is left to do of a restore that was cut off: puts the database in place, if that was decided, else removes
    /// what was made of it. Where what was there is kept, if something was put in place.
    ///
    /// # Errors
    /// The reason of the operating system.
    pub fn finish_restore(&self, owner: &Lock) -> Result<Option<PathBuf>, DataDirError> {
        let mut kept = None;
        while let Some(stamp) = self.decided()? {
            kept = self.put_in_place(&stamp)?;
        }
        self.tidy_restore(owner)?;
        Ok(kept)
    }

    /// The time in the name of a database that is to be put in place.
    fn decided(&self) -> Result<Option<String>, DataDirError> {
        Ok(self.names()?.into_iter().find_map(|name| name.strip_prefix(DECIDED).map(str::to_owned)))
    }

    fn names(&self) -> Result<Vec<String>, DataDirError> {
        let failed = |error| DataDirError::io("list", self.path(), error);
        let entries = fs::read_dir(self.path()).map_err(failed)?;
        let names =
            entries.map(|entry| entry.map(|entry| entry.file_name().into_string().unwrap_or_default()));
        names.collect::<io::Result<Vec<_>>>().map_err(failed)
    }

    /// Each step may have been done before. A WAL must not be found beside the new database, so it goes first.
    fn put_in_place(&self, stamp: &str) -> Result<Option<PathBuf>, DataDirError> {
        let (database, key) = (self.database(), self.path().join(format!("{DECIDED_KEY}{stamp}")));
        let kept = self.path().join(format!("{REPLACED}{stamp}"));
        for end in ["-wal", "-journal", ""] {
            self.keep(&beside(&database, end), &kept)?;
        }
        remove_if_there(&beside(&database, "-shm"))?;
        if key.exists() {
            self.keep(&self.secret_key(), &kept)?;
            self.sync()?;
            rename(&key, &self.secret_key())?;
        }
        self.sync()?;
        rename(&self.path().join(format!("{DECIDED}{stamp}")), &database)?;
        self.sync()?;
        Ok(kept.exists().then_some(kept))
    }

    /// Moves a file into the folder of what is replaced, if it is there.
    fn keep(&self, path: &Path, folder: &Path) -> Result<(), DataDirError> {
        if !path.exists() {
            return Ok(());
        }
        make_folder(folder)?;
        rename(path, &folder.join(path.file_name().unwrap_or_default()))?;
        sync_folder(folder)?;
        self.sync()
    }

    /// Removes what was made of a restore that was not decided. A key that belongs to one that was stays.
    ///
    /// # Errors
    /// The reason of the operating system.
    pub fn tidy_restore(&self, _owner: &Lock) -> Result<(), DataDirError> {
        let decided = self.decided()?.is_some();
        for name in self.names()? {
            if name.starts_with(UNFINISHED) || (!decided && name.starts_with(DECIDED_KEY)) {
                remove_if_there(&self.path().join(name))?;
            }
        }
        Ok(())
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn rename(from: &Path, to: &Path) -> Result<(), DataDirError> {
    fs::rename(from, to).map_err(|error| DataDirError::io("move", from, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: &str = "20260223T143000Z";

    fn text(path: &Path) -> String {
        fs::read_to_string(path).unwrap_or_default()
    }

    /// A directory with an old database, and a new one that was decided, cut off after so many of the steps of putting it in
    /// place.
    fn cut(temp: &Path, steps: usize) -> (DataDir, Lock) {
        let dir = DataDir::open(&temp.join(format!("data-{steps}"))).unwrap();
        let lock = dir.lock().unwrap();
        let kept = dir.path().join(format!("{REPLACED}{STAMP}"));
        let decided = |start: &str| dir.path().join(format!("{start}{STAMP}"));
        for (name, content) in
            [("postrider.db", "old"), ("postrider.db-wal", "old wal"), ("secret.key", "old key")]
        {
            fs::write(dir.path().join(name), content).unwrap();
        }
        fs::write(decided(DECIDED), "new").unwrap();
        fs::write(decided(DECIDED_KEY), "new key").unwrap();
        let moved = |name: &str| {
            make_folder(&kept).unwrap();
            rename(&dir.path().join(name), &kept.join(name)).unwrap();
        };
        let all: [&dyn Fn(); 5] = [
            &|| moved("postrider.db-wal"),
            &|| moved("postrider.db"),
            &|| moved("secret.key"),
            &|| rename(&decided(DECIDED_KEY), &dir.secret_key()).unwrap(),
            &|| rename(&decided(DECIDED), &dir.database()).unwrap(),
        ];
        all.iter().take(steps).for_each(|step| step());
        (dir, lock)
    }

    #[test]
    fn what_was_decided_is_finished_wherever_it_was_cut_off() {
        let temp = tempfile::tempdir().unwrap();
        for steps in 0..=5 {
            let (dir, lock) = cut(temp.path(), steps);
            // As a command does that fails in the middle.
            dir.tidy_restore(&lock).unwrap();
            let kept = dir.finish_restore(&lock).unwrap();
            assert_eq!(kept.is_some(), steps < 5, "{steps}");
            let kept = dir.path().join(format!("{REPLACED}{STAMP}"));
            let there =
                [dir.database(), dir.secret_key(), kept.join("postrider.db"), kept.join("secret.key")];
            assert_eq!(there.map(|path| text(&path)), ["new", "new key", "old", "old key"], "{steps}");
            assert_eq!(text(&kept.join("postrider.db-wal")), "old wal", "{steps}");
            assert!(!dir.path().join("postrider.db-wal").exists());
            assert_eq!(dir.finish_restore(&lock).unwrap(), None, "there is nothing left to do");
        }
    }

    #[test]
    fn folders_that_were_made_go_again_up_to_the_first_that_holds_anything_else() {
        for holds in ["a/data/backups", "a/data", "a", ""] {
            let temp = tempfile::tempdir().unwrap();
            let (path, holds) = (temp.path().join("a/data"), temp.path().join(holds));
            let missing = Missing::look(&path);
            let dir = DataDir::open(&path).unwrap();
            let lock = dir.lock().unwrap();
            fs::write(holds.join("strange"), "x").unwrap();
            let removed = missing.remove(&dir, lock);
            for folder in [dir.backups(), path.clone(), temp.path().join("a"), temp.path().to_owned()] {
                assert_eq!(
                    folder.exists(),
                    holds.starts_with(&folder),
                    "{folder:?} where {holds:?} holds a file"
                );
            }
            match removed {
                Ok(()) => assert_eq!(holds, temp.path().join("")),
                Err(error) => assert!(error.to_string().contains(&format!("{holds:?}")), "{error}"),
            }
            assert!(holds.join("strange").exists());
        }
    }

    #[test]
    fn what_was_not_decided_leaves_everything_as_it_was() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::open(&temp.path().join("data")).unwrap();
        let lock = dir.lock().unwrap();
        fs::write(dir.database(), "old").unwrap();
        let (path, _file) = dir.begin_restore(&lock).unwrap();
        fs::write(beside(&path, "-journal"), "half").unwrap();
        fs::write(dir.path().join(format!("{DECIDED_KEY}{STAMP}")), "new key").unwrap();
        assert_eq!(dir.finish_restore(&lock).unwrap(), None);
        assert_eq!(text(&dir.database()), "old");
        let mut names = dir.names().unwrap();
        names.sort();
        assert_eq!(names, ["backups", "postrider.db", "postrider.lock"]);
    }

    #[test]
    fn where_nothing_was_nothing_is_kept() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::open(&temp.path().join("data")).unwrap();
        let lock = dir.lock().unwrap();
        let (path, mut file) = dir.begin_restore(&lock).unwrap();
        file.write_all(b"new").unwrap();
        assert!(path.exists());
        assert_eq!(dir.commit_restore(&lock, STAMP, Some(&[7; 32])).unwrap(), None);
        assert_eq!(text(&dir.database()), "new");
        assert_eq!(dir.load_secret_key().unwrap(), [7; 32]);
    }
}
