//! Operators: people who sign in to the console.

use rusqlite::{OptionalExtension, Row, params};

use crate::domain::ids::OperatorId;
use crate::domain::operator::{Email, Role, ZoneName};
use crate::domain::password::PasswordHash;
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::lists;
use super::reader::{Listed, Reader};
use super::tx::Tx;

/// An operator.
#[derive(Debug, Clone)]
pub struct Operator {
    /// The record.
    pub id: OperatorId,
    /// What they sign in with.
    pub email: Email,
    /// `None`: was invited, and has not come yet.
    pub password: Option<PasswordHash>,
    /// What they may do.
    pub role: Role,
    /// Whether they may sign in.
    pub active: bool,
    /// In which times are shown to them.
    pub time_zone: Option<ZoneName>,
    /// When they were made or invited.
    pub created_at: UnixMs,
    /// When they last did something, to the minute.
    pub last_seen_at: Option<UnixMs>,
}

/// An operator to be made.
#[derive(Debug)]
pub struct NewOperator {
    /// What they sign in with.
    pub email: Email,
    /// `None`: they are invited only.
    pub password: Option<PasswordHash>,
    /// What they may do.
    pub role: Role,
}

const COLUMNS: &str = "id, email, password_hash, role, active, time_zone, created_at, last_seen_at";

fn read_row(row: &Row<'_>) -> rusqlite::Result<Operator> {
    Ok(Operator {
        id: OperatorId(row.get(0)?),
        email: lists::name(row, 1, Email::parse)?,
        password: row.get::<_, Option<String>>(2)?.map(PasswordHash::kept),
        role: lists::name(row, 3, Role::parse)?,
        active: row.get(4)?,
        time_zone: zone(row, 5)?,
        created_at: UnixMs(row.get(6)?),
        last_seen_at: row.get::<_, Option<i64>>(7)?.map(UnixMs),
    })
}

/// A time zone; one that the database of this version does not know any more counts as none.
pub(super) fn zone(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<ZoneName>> {
    Ok(row.get::<_, Option<String>>(column)?.and_then(|name| ZoneName::parse(&name).ok()))
}

impl Reader<'_> {
    /// Operators, the newest first, below `before`. With `search`, a text in small letters, those whose address or id holds
    /// it.
    pub fn operators(
        &self,
        search: Option<&str>,
        before: Option<OperatorId>,
        limit: usize,
    ) -> Result<Listed<Operator>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM operators WHERE id < ?1 ORDER BY id DESC");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query([before.map_or(i64::MAX, |id| id.0)])?;
        let holds = |one: &Operator, text| {
            lists::holds(one.email.as_str(), text) || lists::holds(&one.id.to_string(), text)
        };
        let passes = |one: &Operator| search.is_none_or(|text| holds(one, text));
        lists::walk(rows, limit, read_row, |operator| operator.id.0, passes)
    }

    /// An operator.
    pub fn operator(&self, id: OperatorId) -> Result<Option<Operator>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM operators WHERE id = ?1");
        Ok(self.connection().prepare_cached(&sql)?.query_row([id.0], read_row).optional()?)
    }

    /// An operator by their address.
    pub fn operator_by_email(&self, email: &Email) -> Result<Option<Operator>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM operators WHERE email = ?1");
        Ok(self.connection().prepare_cached(&sql)?.query_row([email.as_str()], read_row).optional()?)
    }

    /// Whether an admin, besides this one, can sign in.
    pub fn has_admin_besides(&self, id: OperatorId) -> Result<bool, StoreError> {
        Ok(has_admin_besides(self.connection(), id)?)
    }
}

/// See [`Reader::has_admin_besides`]. An operator who was only invited does not count.
pub(super) fn has_admin_besides(connection: &rusqlite::Connection, id: OperatorId) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM operators INDEXED BY operators_by_role
             WHERE role = 'admin' AND active = 1 AND password_hash IS NOT NULL AND id <> ?1)",
        )?
        .query_row([id.0], |row| row.get(0))
}

impl Tx<'_> {
    /// Makes an operator. `None`: the address is another one's.
    pub fn insert_operator(&mut self, new: &NewOperator) -> Result<Option<OperatorId>, StoreError> {
        let id = OperatorId(self.allot());
        let made = self
            .connection()
            .prepare_cached(
                "INSERT INTO operators (id, email, password_hash, role, active, created_at)
                 VALUES (?1, ?2, ?3, ?4, 1, ?5) ON CONFLICT (email) DO NOTHING",
            )?
            .execute(params![
                id.0,
                new.email.as_str(),
                new.password.as_ref().map(PasswordHash::as_str),
                new.role.as_str(),
                self.now.0
            ])?;
        if made == 0 {
            return Ok(None);
        }
        self.operators_changed()?;
        Ok(Some(id))
    }

    /// Changes what an operator may do, with the commit. Whoever may not sign in any more has no session and no link.
    pub fn update_operator(&mut self, id: OperatorId, role: Role, active: bool) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("UPDATE operators SET role = ?2, active = ?3 WHERE id = ?1")?
            .execute(params![id.0, role.as_str(), active])?;
        if !active {
            self.end_links_of(Some(id))?;
            self.end_sessions_of(id, None)?;
        }
        self.operators_changed()
    }

    /// Sets an operator's password. Sessions go on; see [`Tx::end_sessions_of`].
    pub fn set_password(&mut self, id: OperatorId, hash: &PasswordHash) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("UPDATE operators SET password_hash = ?2 WHERE id = ?1")?
            .execute(params![id.0, hash.as_str()])?;
        self.operators_changed()
    }

    /// Sets in which time zone an operator is shown times.
    pub fn set_time_zone(&mut self, id: OperatorId, zone: Option<&ZoneName>) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("UPDATE operators SET time_zone = ?2 WHERE id = ?1")?
            .execute(params![id.0, zone.map(ZoneName::as_str)])?;
        self.operators_changed()
    }
}
