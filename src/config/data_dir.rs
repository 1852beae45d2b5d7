//! The data directory: what lies where, who may read it, and the lock that makes one process its owner.
//!
//! Folders are 0700 and files 0600, whatever the umask says: modes are set after the file is made, and what is
//! found with another mode is repaired at the next start.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::data_dir_error::DataDirError;
use super::folders::{FILE_MODE, FOLDER_MODE, make_folder, repair_mode};

/// Every file of ours begins with one of these.
const OUR_NAMES: [&str; 2] = ["postrider.", "secret.key"];

/// The longest path that a Unix socket can have everywhere: 104 bytes with the final zero on macOS, 108 on Linux.
const SOCKET_PATH_MAX: usize = 103;

/// An existing, private, writable folder for the database and all that goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDir {
    path: PathBuf,
}

impl DataDir {
    /// Opens the folder at `path`; makes it and `backups` in it if they are not there, and repairs modes.
    ///
    /// A folder that is open to others and holds only files that are not ours is left alone: it was
    /// named by mistake, and closing it (a home, `/tmp`) would harm others.
    ///
    /// # Errors
    /// [`DataDirError`], a sentence that names the path and says what to do.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let dir = Self { path: path.to_owned() };
        if dir.socket().as_os_str().len() > SOCKET_PATH_MAX {
            return Err(DataDirError::PathTooLong {
                path: dir.path,
                max: SOCKET_PATH_MAX - "/postrider.sock".len(),
            });
        }
        make_folder(&dir.path)?;
        dir.repair_own_mode()?;
        make_folder(&dir.backups())?;
        repair_mode(&dir.backups(), FOLDER_MODE)?;
        dir.repair_files()?;
        Ok(dir)
    }

    /// As [`open`](Self::open), for commands that make no sense on a folder that does not exist yet.
    ///
    /// # Errors
    /// [`DataDirError::NoDatabase`] if there is no `postrider.db` at `path`, and those of `open`.
    pub fn open_existing(path: &Path) -> Result<Self, DataDirError> {
        match fs::metadata(path.join("postrider.db")) {
            Ok(_) => Self::open(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(DataDirError::NoDatabase { path: path.to_owned() })
            }
            Err(error) => Err(DataDirError::io("look into", path, error)),
        }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database, `postrider.db`.
    pub fn database(&self) -> PathBuf {
        self.path.join("postrider.db")
    }

    /// The key of what is encrypted in the database, `secret.key`.
    pub fn secret_key(&self) -> PathBuf {
        self.path.join("secret.key")
    }

    /// The file whose lock is held by the process that owns the folder, `postrider.lock`.
    pub fn lock_file(&self) -> PathBuf {
        self.path.join("postrider.lock")
    }

    /// The Unix socket for commands on the same machine, `postrider.sock`.
    pub fn socket(&self) -> PathBuf {
        socket_path(&self.path)
    }

    /// The socket between a command that owns the folder and its own server, `postrider.call`. Not the one above:
    /// another command would find it, and be cut off when the first is done.
    pub fn call_socket(&self) -> PathBuf {
        self.path.join("postrider.call")
    }

    /// The folder of backups, `backups`.
    pub fn backups(&self) -> PathBuf {
        self.path.join("backups")
    }

    fn repair_own_mode(&self) -> Result<(), DataDirError> {
        let found = fs::metadata(&self.path).map_err(|e| DataDirError::io("look at", &self.path, e))?;
        if found.permissions().mode() & 0o7777 != FOLDER_MODE && self.is_of_others()? {
            return Err(DataDirError::NotOurs { path: self.path.clone() });
        }
        repair_mode(&self.path, FOLDER_MODE)
    }

    /// Whether there are files in the folder, and none of them is ours.
    fn is_of_others(&self) -> Result<bool, DataDirError> {
        let failed = |e| DataDirError::io("list", &self.path, e);
        let mut others = false;
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let name = name.to_string_lossy();
            if is_our_name(&name) {
                return Ok(false);
            }
            // The root of a freshly made file system has this one.
            others |= name != "lost+found";
        }
        Ok(others)
    }

    fn repair_files(&self) -> Result<(), DataDirError> {
        for folder in [&self.path, &self.backups()] {
            let failed = |e| DataDirError::io("list", folder, e);
            for entry in fs::read_dir(folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let ours = folder != &self.path || is_our_name(&entry.file_name().to_string_lossy());
                // A link leads to a file that somebody else looks after (a secret that is mounted read-only).
                if ours && entry.file_type().map_err(failed)?.is_file() {
                    repair_mode(&entry.path(), FILE_MODE)?;
                }
            }
        }
        Ok(())
    }
}

/// The path of the socket in the data directory at `dir`, which need not exist.
pub fn socket_path(dir: &Path) -> PathBuf {
    dir.join("postrider.sock")
}

fn is_our_name(name: &str) -> bool {
    OUR_NAMES.iter().any(|ours| name.starts_with(ours))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::symlink;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn refusal(path: &Path) -> String {
        let refusal = DataDir::open(path).unwrap_err().to_string();
        assert!(refusal.contains(&format!("{path:?}")), "{refusal}");
        refusal
    }

    #[test]
    fn a_new_folder_and_what_is_made_in_it_are_private() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::open(&temp.path().join("not/yet/there")).unwrap();
        dir.create_private(&dir.database()).unwrap();
        assert_eq!((mode(dir.path()), mode(&dir.backups()), mode(&dir.database())), (0o700, 0o700, 0o600));
        assert!(dir.create_private(&dir.database()).is_err(), "it exists");
    }

    #[test]
    fn the_umask_changes_nothing_about_that() {
        let this = std::env::current_exe().unwrap();
        let test = "config::data_dir::tests::a_new_folder_and_what_is_made_in_it_are_private";
        for umask in ["000", "077"] {
            let script = format!("umask {umask}; exec \"$0\" --exact {test}");
            let run = std::process::Command::new("sh").arg("-c").arg(script).arg(&this).output().unwrap();
            let said = String::from_utf8_lossy(&run.stdout);
            assert!(run.status.success() && said.contains("1 passed"), "umask {umask}: {said}");
        }
    }

    #[test]
    fn modes_that_are_too_open_or_too_closed_are_repaired() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::open(&temp.path().join("data")).unwrap();
        let files = [
            dir.database(),
            dir.path().join("postrider.db-wal"),
            dir.secret_key(),
            dir.backups().join("a.db"),
        ];
        for (file, wrong) in files.iter().zip([0o644, 0o666, 0o444, 0o640]) {
            fs::write(file, "x").unwrap();
            chmod(file, wrong);
        }
        chmod(&dir.backups(), 0o755);
        chmod(dir.path(), 0o2777);
        DataDir::open(dir.path()).unwrap();
        assert_eq!((mode(dir.path()), mode(&dir.backups())), (0o700, 0o700));
        for file in files {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
    }

    #[test]
    fn files_of_others_in_the_folder_and_behind_links_keep_their_modes() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::open(&temp.path().join("data")).unwrap();
        let (note, mounted) = (dir.path().join("note.txt"), temp.path().join("mounted"));
        for file in [&note, &mounted] {
            fs::write(file, "x").unwrap();
            chmod(file, 0o644);
        }
        symlink(&mounted, dir.secret_key()).unwrap();
        DataDir::open(dir.path()).unwrap();
        assert_eq!((mode(&note), mode(&mounted)), (0o644, 0o644));
    }

    #[test]
    fn a_folder_that_was_named_by_mistake_is_left_as_it_is() {
        let temp = tempfile::tempdir().unwrap();
        let home = temp.path().join("home");
        fs::create_dir(&home).unwrap();
        fs::write(home.join("letter.txt"), "x").unwrap();
        chmod(&home, 0o755);
        assert!(refusal(&home).contains("files that are not Postrider's"));
        assert_eq!(mode(&home), 0o755);
        assert!(!home.join("backups").exists());
    }

    #[test]
    fn a_path_that_is_too_long_for_the_socket_is_refused_before_anything_is_made() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("x".repeat(100));
        assert!(refusal(&path).contains("too long for the socket in it: at most 88 bytes"));
        assert!(!path.exists());
    }

    #[test]
    fn an_empty_folder_and_a_fresh_file_system_are_taken() {
        let temp = tempfile::tempdir().unwrap();
        chmod(temp.path(), 0o755);
        fs::create_dir(temp.path().join("lost+found")).unwrap();
        DataDir::open(temp.path()).unwrap();
        assert_eq!(mode(temp.path()), 0o700);
    }

    #[test]
    fn a_command_does_not_make_a_folder_that_is_not_there() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("typo");
        assert!(matches!(DataDir::open_existing(&path), Err(DataDirError::NoDatabase { .. })));
        assert!(!path.exists());
        let dir = DataDir::open(&path).unwrap();
        dir.create_private(&dir.database()).unwrap();
        assert_eq!(DataDir::open_existing(&path).unwrap(), dir);
    }
}
