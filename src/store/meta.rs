//! Single values of the file.

use std::sync::atomic::Ordering;

use rusqlite::types::{FromSql, ToSql};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

/// The names in the table `meta`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meta {
    /// The last delivery that the tables filled behind hold.
    FilledDeliveries,
    /// The last event that they hold.
    FilledEvents,
    /// Wall clock less steady time, milliseconds (`times.rs`).
    SteadyOffset,
    /// Milliseconds that the server ran.
    Uptime,
    /// The wall clock when it was last noted, hourly: the newest mark.
    Mark,
    /// The last id that was allotted while the clock was behind the ids.
    AheadUntil,
    /// A sealed text by which a wrong `secret.key` is noticed.
    KeyCheck,
    /// Set once an API key was made, for ever.
    KeyMade,
    /// The greatest number of a tenant that was deleted: no later one gets it.
    LastTenant,
    /// The key of `secret.key`, in a backup that carries it along (`backup/key.rs`).
    CarriedKey,
    /// When this file was restored from a backup, and what that has held back, as JSON (`restored.rs`).
    Restored,
}

impl Meta {
    fn name(self) -> &'static str {
        match self {
            Self::FilledDeliveries => "filled_deliveries",
            Self::FilledEvents => "filled_events",
            Self::SteadyOffset => "steady_offset_ms",
            Self::Uptime => "uptime_ms",
            Self::Mark => "mark_at",
            Self::AheadUntil => "ahead_until",
            Self::KeyCheck => "key_check",
            Self::KeyMade => "key_made",
            Self::LastTenant => "last_tenant",
            Self::CarriedKey => "carried_key",
            Self::Restored => "restored",
        }
    }
}

/// A value, if it was ever set.
pub(super) fn get<T: FromSql>(connection: &Connection, which: Meta) -> rusqlite::Result<Option<T>> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([which.name()], |row| row.get(0))
        .optional()
}

/// Sets a value.
pub(super) fn set(connection: &Connection, which: Meta, value: impl ToSql) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )?
        .execute(rusqlite::params![which.name(), value])?;
    Ok(())
}

/// Removes a value.
pub(super) fn remove(connection: &Connection, which: Meta) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM meta WHERE name = ?1")?.execute([which.name()])?;
    Ok(())
}

/// Writes the steady offset down where it differs from the file's: the wall clock has jumped. What was written,
/// for [`super::Shared::written_offset`], once it is committed.
pub(super) fn keep_offset(connection: &Connection, shared: &super::Shared) -> rusqlite::Result<Option<i64>> {
    if !shared.is_offset_unwritten() {
        return Ok(None);
    }
    let offset = shared.times.offset();
    set(connection, Meta::SteadyOffset, offset)?;
    Ok(Some(offset))
}

/// Writes the steady offset down in a commit of its own.
pub(super) fn write_offset(connection: &Connection, shared: &super::Shared) -> rusqlite::Result<()> {
    let offset = shared.times.offset();
    set(connection, Meta::SteadyOffset, offset)?;
    shared.written_offset.store(offset, Ordering::Relaxed);
    Ok(())
}

/// Notes the wall clock and how large the file is (unless the clock is in doubt), the uptime and the offset.
pub(super) fn mark(connection: &Connection, shared: &super::Shared) -> rusqlite::Result<()> {
    let (offset, wall) = (shared.times.offset(), shared.believed_wall().ok());
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    if let Some(wall) = wall {
        set(&transaction, Meta::Mark, wall.0)?;
        super::space::note(&transaction, wall)?;
    }
    set(&transaction, Meta::Uptime, shared.times.up_ms())?;
    set(&transaction, Meta::SteadyOffset, offset)?;
    transaction.commit()?;
    shared.written_offset.store(offset, Ordering::Relaxed);
    if let Some(wall) = wall {
        // Only now it is the file's.
        shared.cleanups.doubt().trust(wall);
    }
    Ok(())
}
