//! `secret.key`: the 32 bytes from which every key of the encryption at rest is derived.
//!
//! A text of comments (`#`) and one line of base64, so that it can be looked at, copied and kept in a password
//! manager. It is made once, at the first start, and never replaced: without it what is encrypted in the
//! database is lost, so a missing file beside a database that needs it is the operator's to find, not ours to make.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, BASE64_NOPAD};

use super::data_dir::DataDir;
use super::data_dir_error::{DataDirError, advice};
use super::folders::remove_if_there;
use super::lock::Lock;

const KEY_LEN: usize = 32;
/// More than a key file can need, and less than a file that was named by mistake can harm.
const FILE_MAX: u64 = 16 * 1024;

/// What stands above the key in its file.
pub(super) const COMMENT: &str = "\
# Postrider's key for the signing secrets and headers that are encrypted in postrider.db.
# The database cannot be used without it: keep a copy, apart from the copies of the database.
";

/// Why the key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretKeyError {
    /// There is no file.
    #[error(
        "{path:?} is missing, and the database beside it holds secrets that only this key opens: \
         put the file back from your copy of it (a new key cannot open them)"
    )]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// There is one, and the operating system does not give it out.
    #[error("cannot read the key in {path:?}: {error}{}", advice(error))]
    Unreadable {
        /// Where.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// There is one, and it is no key.
    #[error(
        "the key in {path:?} is damaged: {what}; put the file back from your copy of it \
         (only where no secret was ever stored, remove it and a new one is made)"
    )]
    Damaged {
        /// Where.
        path: PathBuf,
        /// In which way.
        what: String,
    },
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] DataDirError),
}

/// Reads the key of the data directory at `data`, and changes nothing there.
///
/// # Errors
/// [`SecretKeyError`]: missing, unreadable or damaged.
pub fn read_secret_key(data: &Path) -> Result<[u8; KEY_LEN], SecretKeyError> {
    let path = data.join("secret.key");
    let mut bytes = Vec::new();
    match File::open(&path).and_then(|file| file.take(FILE_MAX).read_to_end(&mut bytes)) {
        Ok(_) => parse(&bytes).map_err(|what| SecretKeyError::Damaged { path, what }),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(SecretKeyError::Missing { path }),
        Err(error) => Err(SecretKeyError::Unreadable { path, error }),
    }
}

impl DataDir {
    /// Whether there is a `secret.key`, of whatever content.
    ///
    /// # Errors
    /// [`SecretKeyError::Unreadable`] if that cannot be known.
    pub fn secret_key_exists(&self) -> Result<bool, SecretKeyError> {
        let path = self.secret_key();
        fs::exists(&path).map_err(|error| SecretKeyError::Unreadable { path, error })
    }

    /// Reads the key.
    ///
    /// # Errors
    /// [`SecretKeyError`]: missing, unreadable or damaged.
    pub fn load_secret_key(&self) -> Result<[u8; KEY_LEN], SecretKeyError> {
        read_secret_key(self.path())
    }

    /// Writes a new key, all of it or nothing, and has it on the disk before it returns.
    ///
    /// # Errors
    /// There is one already (it is never overwritten), or it cannot be written.
    pub fn create_secret_key(&self, _owner: &Lock, key: &[u8; KEY_LEN]) -> Result<(), SecretKeyError> {
        let path = self.secret_key();
        if self.secret_key_exists()? {
            return Err(DataDirError::io("create", &path, io::ErrorKind::AlreadyExists.into()).into());
        }
        // A crash while the file is written must not leave half a key under its name.
        let unfinished = self.path().join("secret.key.new");
        remove_if_there(&unfinished)?;
        let mut file = self.create_private(&unfinished)?;
        let text = format!("{COMMENT}{}\n", BASE64.encode(key));
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&unfinished, &path))
            .map_err(|e| DataDirError::io("write", &path, e))?;
        Ok(self.sync()?)
    }
}

/// The key in the text, or what is wrong with it. Never quotes the text.
fn parse(bytes: &[u8]) -> Result<[u8; KEY_LEN], String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not a text".to_owned())?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let line = lines.next().ok_or("it holds no key")?;
    if lines.next().is_some() {
        return Err("it holds more than one line beside the comments".to_owned());
    }
    let line = line.trim_end_matches('=');
    let key = BASE64_NOPAD.decode(line.as_bytes()).map_err(|_| "its line is not base64".to_owned())?;
    key.try_into()
        .map_err(|key: Vec<u8>| format!("its line is {} bytes in base64 and must be {KEY_LEN}", key.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn dir() -> (tempfile::TempDir, DataDir, Lock) {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::open(&temp.path().join("data")).unwrap();
        let lock = dir.lock().unwrap();
        (temp, dir, lock)
    }

    #[test]
    fn a_key_that_was_made_is_loaded_again() {
        let (_temp, dir, lock) = dir();
        assert!(!dir.secret_key_exists().unwrap());
        dir.create_secret_key(&lock, &[0xa5; 32]).unwrap();
        assert!(dir.secret_key_exists().unwrap());
        assert_eq!(dir.load_secret_key().unwrap(), [0xa5; 32]);
        assert_eq!(fs::metadata(dir.secret_key()).unwrap().permissions().mode() & 0o7777, 0o600);
    }

    #[test]
    fn a_key_is_never_overwritten() {
        let (_temp, dir, lock) = dir();
        dir.create_secret_key(&lock, &[1; 32]).unwrap();
        assert!(dir.create_secret_key(&lock, &[2; 32]).is_err());
        assert_eq!(dir.load_secret_key().unwrap(), [1; 32]);
    }

    #[test]
    fn half_a_key_from_a_crash_is_not_taken_for_one() {
        let (_temp, dir, lock) = dir();
        fs::write(dir.path().join("secret.key.new"), "# half").unwrap();
        assert!(!dir.secret_key_exists().unwrap());
        dir.create_secret_key(&lock, &[1; 32]).unwrap();
        assert_eq!(dir.load_secret_key().unwrap(), [1; 32]);
        assert!(!dir.path().join("secret.key.new").exists());
    }

    #[test]
    fn a_missing_key_is_an_error_that_says_to_put_it_back() {
        let (_temp, dir, _lock) = dir();
        let error = dir.load_secret_key().unwrap_err();
        assert!(matches!(error, SecretKeyError::Missing { .. }));
        assert!(error.to_string().contains("put the file back"), "{error}");
    }

    #[test]
    fn damage_is_named_without_quoting_the_key() {
        let (_temp, dir, _lock) = dir();
        for (text, says) in [
            (&b""[..], "holds no key"),
            (b"# only a comment\n", "holds no key"),
            (b"c2hvcnQ=\n", "is 5 bytes in base64"),
            (b"not base64, secret\n", "not base64"),
            (b"pqampqampqampqampqampqampqampqampqampqampqY=\nx", "more than one line"),
            (b"\xff\xfe", "not a text"),
        ] {
            fs::write(dir.secret_key(), text).unwrap();
            let error = dir.load_secret_key().unwrap_err().to_string();
            assert!(error.contains(says) && error.contains("secret.key"), "{error}");
            assert!(!error.contains("not base64, secret"), "{error}");
        }
    }

    #[test]
    fn padding_and_line_ends_of_another_editor_do_no_harm() {
        for text in [
            "\r\n# Postrider\r\npaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU\r\n",
            "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=",
        ] {
            assert_eq!(parse(text.as_bytes()), Ok([0xa5; 32]), "{text}");
        }
    }

    #[test]
    fn a_folder_in_its_place_is_unreadable() {
        let (_temp, dir, _lock) = dir();
        fs::create_dir(dir.secret_key()).unwrap();
        assert!(matches!(dir.load_secret_key(), Err(SecretKeyError::Unreadable { .. })));
    }
}
