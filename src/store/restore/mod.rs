//! Restoring: a file that was copied somewhere is judged, and made ready to go on where it is put. Nobody else has it
//! open; where it lies, and what it replaces, is not known here.
//!
//! What happened after the file was copied is unknown. So what was pending in it is held, unless a person says that it is
//! to be sent again, and nothing that it would go on with by itself is left (replays, changes to many rows). Sessions and
//! one-time links are ended: they may have been ended since.

mod pending;

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::ids;
use crate::domain::time::UnixMs;

use super::audit::Actor;
use super::backup;
use super::connection;
use super::error::{StoreError, advice};
use super::meta::{self, Meta};
use super::migrations::{self, Found};
use super::open::{TABLES_WITH_IDS, greatest_ids};
use super::restored::Mark;

pub use pending::Pending;

/// Why a file cannot be restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// It is no database of ours, or a newer one, or it is damaged.
    #[error("{0}")]
    Refused(String),
    /// It cannot be read or written.
    #[error("{0}{advice}", advice = advice(.0))]
    File(#[from] rusqlite::Error),
    /// Anything else.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The version of its schema.
    pub version: usize,
    /// By which the key in `secret.key` is known that opens its secrets.
    pub key_check: Option<Vec<u8>>,
    /// The key, if it carries it.
    pub carried_key: Option<[u8; 32]>,
}

/// Reads the whole file and looks whether it can be restored. Changes nothing in it but that what is in a WAL beside it is
/// folded in.
///
/// # Errors
/// A sentence that says why not, and what to do.
pub fn judge(path: &Path) -> Result<Judged, RestoreError> {
    let refused = |says: &str| RestoreError::Refused(says.to_owned());
    let unreadable = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            RestoreError::Refused(format!("it is damaged, or no database: {error}; take an older backup"))
        }
        _ => RestoreError::File(error),
    };
    let file = connection::open_alone(path).map_err(unreadable)?;
    let version = match migrations::look(&file) {
        Ok(Found::Version(version)) if version > 0 => version,
        Ok(_) => return Err(refused("there is nothing in it; take another file")),
        Err(super::OpenError::File(error)) => return Err(unreadable(error)),
        Err(super::OpenError::NotOurs(says)) => return Err(RestoreError::Refused(says)),
        Err(other) => return Err(RestoreError::Refused(other.to_string())),
    };
    let verdict = file.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
    let verdict = verdict.map_err(unreadable)?;
    if verdict != "ok" {
        return Err(RestoreError::Refused(format!("it is damaged ({verdict}); take an older backup")));
    }
    let key_check = meta::get(&file, Meta::KeyCheck)?;
    Ok(Judged { version, key_check, carried_key: backup::carried(&file)? })
}

/// How a file is to be made ready.
#[derive(Debug)]
pub struct Preparing<'a> {
    /// What becomes of the deliveries that are pending in it.
    pub pending: Pending,
    /// The time.
    pub now: UnixMs,
    /// Who restores it.
    pub actor: &'a Actor,
    /// What it is called, for the audit log.
    pub name: &'a str,
    /// The database that it replaces, if there is one that can be read: no id of that is used again.
    pub replaces: Option<&'a Path>,
}

/// What was found and done.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Prepared {
    /// When something was written to it last.
    pub last_entry_at: UnixMs,
    /// The version of its schema.
    pub version: i64,
    /// Deliveries that were pending in it.
    pub pending: u64,
    /// How many of these are held now.
    pub held: u64,
    /// Replays that were under way and are canceled.
    pub replays_canceled: u64,
    /// Sessions of operators that were ended.
    pub sessions_ended: u64,
    /// One-time links that were ended.
    pub links_ended: u64,
}

/// Makes a file ready that was judged: in one transaction, which is on the disk when this returns.
///
/// # Errors
/// It cannot be written.
pub fn prepare(path: &Path, how: &Preparing<'_>) -> Result<Prepared, RestoreError> {
    let mut file = connection::open_alone(path)?;
    backup::take_key_out(&file)?;
    let version = file.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let transaction = file.transaction()?;
    let own = last_id(&transaction)?;
    let mut done = Prepared {
        last_entry_at: ids::time_of(own),
        version,
        pending: pending::count(&transaction)?,
        held: 0,
        replays_canceled: 0,
        sessions_ended: count(transaction.execute("DELETE FROM sessions", [])?),
        links_ended: count(transaction.execute("DELETE FROM links", [])?),
    };
    if how.pending == Pending::Hold {
        done.replays_canceled = pending::cancel_replays(&transaction, how.now)?;
        done.held = pending::hold(&transaction)?;
    }
    Mark::write(&transaction, how.now, done.held)?;
    keep_ids(&transaction, own, how)?;
    audit(&transaction, how, &done)?;
    transaction.commit()?;
    Ok(done)
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

/// Whether there is such a table: older versions have fewer.
fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    Ok(connection.query_row(sql, [name], |_| Ok(())).optional()?.is_some())
}

/// The greatest id that was allotted in a file of any version.
fn last_id(connection: &Connection) -> rusqlite::Result<i64> {
    let mut tables = Vec::new();
    for table in TABLES_WITH_IDS {
        if has_table(connection, table)? {
            tables.push(table);
        }
    }
    let ahead = meta::get::<i64>(connection, Meta::AheadUntil)?.unwrap_or(0);
    Ok(greatest_ids(connection, tables)?.max(ahead))
}

/// Has ids go on above all that the replaced database has allotted: somebody may know them. Above its own they go on
/// anyway, and as a rule the time alone sees to it; not with a clock that goes back.
fn keep_ids(file: &Connection, own: i64, how: &Preparing<'_>) -> rusqlite::Result<()> {
    // One that cannot be read may be why a backup is restored.
    let replaced = how.replaces.and_then(|path| {
        Connection::open_with_flags(path, connection::reader_flags())
            .and_then(|replaced| last_id(&replaced))
            .inspect_err(|error| tracing::debug!(%error, "the ids of the replaced database are not known"))
            .ok()
    });
    match replaced {
        Some(replaced) if replaced > own => meta::set(file, Meta::AheadUntil, replaced),
        _ => Ok(()),
    }
}

/// The restore in the audit log of the file.
fn audit(file: &Connection, how: &Preparing<'_>, done: &Prepared) -> rusqlite::Result<()> {
    let id = (last_id(file)? + 1).max(ids::first_at(how.now));
    let after = serde_json::json!({
        "file": how.name, "last_entry_at": done.last_entry_at, "pending": done.pending, "held": done.held,
        "replays_canceled": done.replays_canceled, "sessions_ended": done.sessions_ended,
    });
    file.execute(
        "INSERT INTO audit (id, at, actor, address, action, target, tenant_id, before, after)
         VALUES (?1, ?2, ?3, NULL, 'backup.restore', 'database', NULL, NULL, ?4)",
        params![id, how.now.0, how.actor.name, after.to_string()],
    )?;
    Ok(())
}
