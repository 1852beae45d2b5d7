//! Sessions of operators: hashed in the file, by hash in memory, so that a request of the console costs no look-up in
//! the file.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::ids::{OperatorId, SessionId};
use crate::domain::operator::{Email, Role, ZoneName};
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::last_use::LastUse;
use super::lists;
use super::tx::{DirectoryChange, Tx};

/// A session that is not used for so long ends: a week, so that a look on Mondays needs no password.
pub const IDLE: Duration = Duration::from_hours(7 * 24);
/// A session ends after so long however much it is used.
pub const ABSOLUTE: Duration = Duration::from_hours(30 * 24);
/// Sessions of one operator. The one that was not used for longest makes room for a new one.
pub const MOST: usize = 50;

/// A session with whose it is, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The record.
    pub id: SessionId,
    /// Whose it is.
    pub operator: OperatorId,
    /// Whose it is.
    pub email: Email,
    /// What they may do.
    pub role: Role,
    /// In which times are shown to them; `None`: none was named, nor told by a browser: UTC.
    pub time_zone: Option<ZoneName>,
    /// Where they signed in from.
    pub address: Option<String>,
    /// What they signed in with.
    pub user_agent: Option<String>,
    /// When they signed in.
    pub created_at: UnixMs,
    /// When it was last used, to the minute.
    pub last_used_at: UnixMs,
}

impl Session {
    /// When it ends if it is not used any more.
    pub fn ends_at(&self) -> UnixMs {
        ends_at(self.created_at, self.last_used_at)
    }
}

/// A session in memory, as it was read, and its last use since.
#[derive(Debug)]
struct Kept {
    session: Session,
    last_used: LastUse,
}

impl Kept {
    fn as_it_is(&self) -> Session {
        Session { last_used_at: self.last_used.get(), ..self.session.clone() }
    }
}

/// When a session ends if it is not used any more.
fn ends_at(created: UnixMs, last_used: UnixMs) -> UnixMs {
    created.plus(ABSOLUTE).min(last_used.plus(IDLE))
}

/// What is known about operators without reading the file.
#[derive(Debug, Default)]
pub(super) struct Known {
    sessions: HashMap<[u8; 32], Kept>,
    has_admin: bool,
}

/// All sessions in memory.
#[derive(Debug, Default)]
pub struct Sessions {
    known: RwLock<Known>,
}

impl Sessions {
    /// The session whose text has this hash, unless it has ended.
    pub fn find(&self, hash: &[u8; 32], now: UnixMs) -> Option<Session> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.sessions.get(hash).map(Kept::as_it_is).filter(|session| now < session.ends_at())
    }

    /// The sessions of an operator that have not ended, the newest first.
    pub fn of(&self, operator: OperatorId, now: UnixMs) -> Vec<Session> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let theirs = known.sessions.values().filter(|kept| kept.session.operator == operator);
        let mut found: Vec<_> =
            theirs.map(Kept::as_it_is).filter(|session| now < session.ends_at()).collect();
        found.sort_by_key(|session| std::cmp::Reverse(session.id));
        found
    }

    /// Whether there is an admin who can sign in.
    pub fn has_admin(&self) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).has_admin
    }

    /// Notes that the session whose text has this hash is used now. `true`: worth writing down ([`Tx::touch_session`]).
    pub fn touch(&self, hash: &[u8; 32], now: UnixMs) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.sessions.get(hash).is_some_and(|kept| kept.last_used.touch(now))
    }

    pub(super) fn replace(&self, known: Known) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
    }
}

/// A session by its hash.
fn read_row(row: &Row<'_>) -> rusqlite::Result<([u8; 32], Kept)> {
    let last_used = row.get(8)?;
    let session = Session {
        id: SessionId(row.get(0)?),
        operator: OperatorId(row.get(1)?),
        email: lists::name(row, 2, Email::parse)?,
        role: lists::name(row, 3, Role::parse)?,
        time_zone: super::operators::zone(row, 4)?,
        address: row.get(5)?,
        user_agent: row.get(6)?,
        created_at: UnixMs(row.get(7)?),
        last_used_at: UnixMs(last_used),
    };
    Ok((row.get(9)?, Kept { session, last_used: LastUse::at(last_used) }))
}

/// Reads all sessions of operators who may sign in.
pub(super) fn read_all(connection: &Connection) -> rusqlite::Result<Known> {
    let mut statement = connection.prepare_cached(
        "SELECT s.id, s.operator_id, o.email, o.role, o.time_zone, s.address, s.user_agent, s.created_at, s.last_used_at, s.hash
         FROM sessions s JOIN operators o ON o.id = s.operator_id AND o.active = 1",
    )?;
    let sessions = statement.query_map([], read_row)?.collect::<rusqlite::Result<_>>()?;
    let has_admin = super::operators::has_admin_besides(connection, OperatorId(0))?;
    Ok(Known { sessions, has_admin })
}

/// A session to be made.
#[derive(Debug)]
pub struct NewSession {
    /// Hash of its text.
    pub hash: [u8; 32],
    /// Whose it is.
    pub operator: OperatorId,
    /// Where from.
    pub address: Option<String>,
    /// What with.
    pub user_agent: Option<String>,
}

impl Tx<'_> {
    /// Makes a session. Valid with the commit.
    pub fn insert_session(&mut self, new: &NewSession) -> Result<SessionId, StoreError> {
        let id = SessionId(self.allot());
        let (now, ends) = (self.now, ends_at(self.now, self.now));
        self.connection()
            .prepare_cached(
                "INSERT INTO sessions
                     (id, hash, operator_id, address, user_agent, created_at, last_used_at, ends_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)",
            )?
            .execute(params![id.0, new.hash, new.operator.0, new.address, new.user_agent, now.0, ends.0])?;
        self.connection()
            .prepare_cached(
                "DELETE FROM sessions WHERE id IN
                     (SELECT id FROM sessions WHERE operator_id = ?1 AND id <> ?3
                      ORDER BY last_used_at DESC LIMIT -1 OFFSET ?2)",
            )?
            .execute(params![new.operator.0, i64::try_from(MOST - 1).unwrap_or(i64::MAX), id.0])?;
        self.connection()
            .prepare_cached("UPDATE operators SET last_seen_at = ?2 WHERE id = ?1")?
            .execute(params![new.operator.0, now.0])?;
        self.operators_changed()?;
        Ok(id)
    }

    /// Ends a session of an operator, with the commit. `false`: they have no such session.
    pub fn end_session(&mut self, id: SessionId, operator: OperatorId) -> Result<bool, StoreError> {
        let ended = self
            .connection()
            .prepare_cached("DELETE FROM sessions WHERE id = ?1 AND operator_id = ?2")?
            .execute([id.0, operator.0])?;
        if ended > 0 {
            self.operators_changed()?;
        }
        Ok(ended > 0)
    }

    /// Ends the session whose text has this hash, with the commit: which it was, and whose.
    pub fn end_session_of_text(
        &mut self,
        hash: &[u8; 32],
    ) -> Result<Option<(SessionId, OperatorId)>, StoreError> {
        let ended = self
            .connection()
            .prepare_cached("DELETE FROM sessions WHERE hash = ?1 RETURNING id, operator_id")?
            .query_row([hash], |row| Ok((SessionId(row.get(0)?), OperatorId(row.get(1)?))))
            .optional()?;
        if ended.is_some() {
            self.operators_changed()?;
        }
        Ok(ended)
    }

    /// Ends an operator's sessions, with the commit, except this one; how many there were.
    pub fn end_sessions_of(
        &mut self,
        operator: OperatorId,
        except: Option<SessionId>,
    ) -> Result<usize, StoreError> {
        let ended = self
            .connection()
            .prepare_cached("DELETE FROM sessions WHERE operator_id = ?1 AND id <> ?2")?
            .execute([operator.0, except.map_or(0, |id| id.0)])?;
        if ended > 0 {
            self.operators_changed()?;
        }
        Ok(ended)
    }

    /// Writes down that a session, which began at `created`, is used, and so its operator was seen.
    pub fn touch_session(
        &mut self,
        id: SessionId,
        operator: OperatorId,
        created: UnixMs,
        at: UnixMs,
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("UPDATE sessions SET last_used_at = ?2, ends_at = ?3 WHERE id = ?1")?
            .execute(params![id.0, at.0, ends_at(created, at).0])?;
        self.connection()
            .prepare_cached("UPDATE operators SET last_seen_at = ?2 WHERE id = ?1")?
            .execute(params![operator.0, at.0])?;
        Ok(())
    }

    /// Notes that memory has to take in what the tables hold now.
    pub(super) fn operators_changed(&mut self) -> Result<(), StoreError> {
        let known = read_all(self.connection())?;
        self.gathered.directory.push(DirectoryChange::Operators(known));
        Ok(())
    }
}
