//! Single values of the file.

use std::sync::atomic::Ordering;

use rusqlite::types::{FromSql, ToSql};
use rusqlite::{Connection, OptionalExtension};

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

/// Writes the steady offset down where it differs from the file's: the wall clock has jumped. What was written,
/// for [`super::Shared::written_offset`], once it is committed.
pub(super) fn keep_offset(connection: &Connection, shared: &super::Shared) -> rusqlite::Result<Option<i64>> {
    let offset = shared.times.offset();
    if shared.written_offset.load(Ordering::Relaxed) == offset {
        return Ok(None);
    }
    set(connection, Meta::SteadyOffset, offset)?;
    Ok(Some(offset))
}

/// Notes the wall clock, the uptime and the offset.
pub(super) fn mark(connection: &Connection, shared: &super::Shared) -> rusqlite::Result<()> {
    let times = &shared.times;
    times.notice_jump();
    let offset = times.offset();
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let mark = shared.trusted_wall().map_or(Ok(()), |wall| set(connection, Meta::Mark, wall.0));
    let written = mark
        .and_then(|()| set(connection, Meta::Uptime, times.up_ms()))
        .and_then(|()| set(connection, Meta::SteadyOffset, offset))
        .and_then(|()| connection.execute_batch("COMMIT"));
    if written.is_err() {
        if !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK")?;
        }
        return written;
    }
    shared.written_offset.store(offset, Ordering::Relaxed);
    Ok(())
}
