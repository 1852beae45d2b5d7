//! A backup that carries the key of its secrets along: one file is all that a new machine needs.
//!
//! In a row of its own in the table `meta`, so that such a backup is a database as any other. `restore` takes it out again,
//! and so does a server that finds it in its own file: a database must not hold its own key.

use std::path::Path;

use rusqlite::Connection;

use crate::store::connection;
use crate::store::error::StoreError;
use crate::store::meta::{self, Meta};
use crate::store::vault::Vault;

/// Puts the key of `secret.key` into the copy at `path`, which nobody has open.
///
/// # Errors
/// It is not the key of this database, or the file cannot be written.
pub fn add_key(path: &Path, key: [u8; 32]) -> Result<(), StoreError> {
    let copy = connection::open_alone(path)?;
    let check = meta::get::<Vec<u8>>(&copy, Meta::KeyCheck)?;
    if !check.is_some_and(|check| Vault::new(key).fits(&check)) {
        return Err(StoreError::Unavailable("secret.key is not the key of this database".to_owned()));
    }
    meta::set(&copy, Meta::CarriedKey, key)?;
    Ok(())
}

/// The key that a database carries, if it does.
pub(in crate::store) fn carried(connection: &Connection) -> Result<Option<[u8; 32]>, StoreError> {
    let found = meta::get::<Vec<u8>>(connection, Meta::CarriedKey)?;
    Ok(found.and_then(|key| key.try_into().ok()))
}

/// Takes the key out, so that nothing of it stays in the file.
pub(in crate::store) fn take_out(connection: &Connection) -> rusqlite::Result<()> {
    if meta::get::<Vec<u8>>(connection, Meta::CarriedKey)?.is_some() {
        // What is deleted is overwritten with zeros.
        connection.pragma_update(None, "secure_delete", true)?;
        meta::remove(connection, Meta::CarriedKey)?;
        connection.pragma_update(None, "secure_delete", "FAST")?;
    }
    Ok(())
}
