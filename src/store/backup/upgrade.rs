//! A copy of the database before its schema is upgraded, in a file of its own: nobody else is at work then.

use std::fs;
use std::io;
use std::path::Path;

use rusqlite::Connection;

use crate::store::error::StoreError;

use super::{check, part};

/// So many copies of one version stay, as many as `install.sh` keeps.
const KEPT: usize = 3;

/// Copies the database to `to`, which must not exist. The copy appears whole or not at all: it is made beside its
/// place, synced, checked, and then renamed. What a kill has left of another is removed before.
///
/// # Errors
/// The disk, or a database that fails its own check; nothing is left behind.
pub(in crate::store) fn copy(connection: &Connection, to: &Path) -> Result<(), StoreError> {
    let unfinished = part::copy_in(to.parent().unwrap_or(Path::new(".")));
    let made = part::remove_with_all(&unfinished)
        .and_then(|()| make(connection, &unfinished))
        .and_then(|()| part::publish(&unfinished, to));
    if made.is_err() {
        // The first error is the one to tell.
        drop(part::remove_with_all(&unfinished));
    }
    made
}

/// Removes the copies in a folder whose names begin so, and go on with a time, but for the newest [`KEPT`].
///
/// # Errors
/// The disk.
pub(in crate::store) fn forget_older(folder: &Path, start: &str) -> Result<(), StoreError> {
    let failed = |error| part::failed(folder, &error);
    let names = fs::read_dir(folder).map_err(failed)?.map(|entry| Ok(entry?.file_name()));
    let mut names = names.collect::<io::Result<Vec<_>>>().map_err(failed)?;
    names.retain(|name| name.to_str().is_some_and(|name| name.starts_with(start)));
    names.sort();
    let older = names.len().saturating_sub(KEPT);
    names.iter().take(older).try_for_each(|name| part::remove(&folder.join(name)))
}

fn make(connection: &Connection, unfinished: &Path) -> Result<(), StoreError> {
    let file = part::create(unfinished)?;
    let name = unfinished
        .to_str()
        .ok_or_else(|| StoreError::Unavailable(format!("{} is not UTF-8", unfinished.display())))?;
    connection.execute("VACUUM INTO ?1", [name])?;
    file.sync_all().map_err(|error| part::failed(unfinished, &error))?;
    check::check(unfinished)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_copy_is_private_whole_and_never_replaces_anything_half() {
        let dir = tempfile::tempdir().unwrap();
        let connection = Connection::open(dir.path().join("a.db")).unwrap();
        connection.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (7)").unwrap();
        let to = dir.path().join("copy.db");
        let unfinished = part::copy_in(dir.path());
        fs::write(&unfinished, "left over").unwrap();
        copy(&connection, &to).unwrap();
        assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
        let copied = Connection::open(&to).unwrap();
        assert_eq!(copied.query_row("SELECT x FROM t", [], |row| row.get::<_, i64>(0)).unwrap(), 7);
        assert!(!unfinished.exists());
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
