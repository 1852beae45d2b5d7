//! A copy of the database in a file of its own: consistent, checked, private.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::Connection;

use super::connection;
use super::error::StoreError;

/// A copy that is being made. Always of this name, so that what a kill leaves does not stay for ever.
const UNFINISHED: &str = "unfinished.part";

/// Copies the database to `to`, which must not exist. The copy appears whole or not at all: it is made beside its
/// place, synced, checked, and then renamed. What a kill has left of another is removed before.
///
/// # Errors
/// The disk, or a database that fails its own check; nothing is left behind.
pub(super) fn copy(connection: &Connection, to: &Path) -> Result<(), StoreError> {
    let part = to.with_file_name(UNFINISHED);
    let made = remove(&part).and_then(|()| make(connection, &part)).and_then(|()| {
        fs::rename(&part, to).map_err(|error| failed(to, &error))?;
        let folder = to.parent().unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed(folder, &error))
    });
    if made.is_err() {
        // The first error is the one to tell.
        drop(remove(&part));
    }
    made
}

fn make(connection: &Connection, part: &Path) -> Result<(), StoreError> {
    // Private before anything is in it.
    let file = File::create_new(part).map_err(|error| failed(part, &error))?;
    file.set_permissions(Permissions::from_mode(0o600)).map_err(|error| failed(part, &error))?;
    let name =
        part.to_str().ok_or_else(|| StoreError::Unavailable(format!("{} is not UTF-8", part.display())))?;
    connection.execute("VACUUM INTO ?1", [name])?;
    file.sync_all().map_err(|error| failed(part, &error))?;
    let copy = Connection::open_with_flags(part, connection::reader_flags())?;
    let verdict: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(StoreError::Unavailable(format!("the database is damaged ({verdict}); restore a backup")))
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path, &error)),
        _ => Ok(()),
    }
}

fn failed(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Unavailable(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_private_whole_and_never_replaces_anything_half() {
        let dir = tempfile::tempdir().unwrap();
        let connection = Connection::open(dir.path().join("a.db")).unwrap();
        connection.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (7)").unwrap();
        let to = dir.path().join("copy.db");
        let part = to.with_file_name(UNFINISHED);
        fs::write(&part, "left over").unwrap();
        copy(&connection, &to).unwrap();
        assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
        let copied = Connection::open(&to).unwrap();
        assert_eq!(copied.query_row("SELECT x FROM t", [], |row| row.get::<_, i64>(0)).unwrap(), 7);
        assert!(!part.exists());
    }

    #[test]
    fn a_copy_that_fails_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let connection = Connection::open(dir.path().join("a.db")).unwrap();
        let to = dir.path().join("missing").join("copy.db");
        assert!(copy(&connection, &to).is_err());
        assert!(!to.exists());
    }
}
