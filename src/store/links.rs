//! One-time links: whoever has one sets a password, once. Kept as hashes.

use std::fmt;

use rusqlite::{OptionalExtension, params};

use crate::domain::ids::OperatorId;
use crate::domain::time::UnixMs;

use super::error::StoreError;
use super::lists;
use super::reader::Reader;
use super::tx::Tx;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Making the first operator.
    Setup,
    /// Coming to one's own account for the first time.
    Invitation,
    /// Setting a new password.
    Reset,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::Setup, Self::Invitation, Self::Reset];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Invitation => "invitation",
            Self::Reset => "reset",
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|purpose| purpose.as_str() == text);
        found.ok_or_else(|| format!("there are no links for {text}"))
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A link that works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// What it is for.
    pub purpose: Purpose,
    /// Whose password it sets; `None`: the first operator's.
    pub operator: Option<OperatorId>,
    /// When it ends.
    pub expires_at: UnixMs,
}

impl Reader<'_> {
    /// The link whose text has this hash, unless it has ended.
    pub fn link(&self, hash: &[u8; 32], now: UnixMs) -> Result<Option<Link>, StoreError> {
        let found = self
            .connection()
            .prepare_cached("SELECT purpose, operator_id, expires_at FROM links WHERE hash = ?1")?
            .query_row([hash], |row| {
                Ok(Link {
                    purpose: lists::name(row, 0, Purpose::parse)?,
                    operator: row.get::<_, Option<i64>>(1)?.map(OperatorId),
                    expires_at: UnixMs(row.get(2)?),
                })
            })
            .optional()?;
        Ok(found.filter(|link| now < link.expires_at))
    }
}

impl Tx<'_> {
    /// Makes a link, and ends those that there are for the same operator.
    pub fn insert_link(&mut self, hash: [u8; 32], link: &Link, by: &str) -> Result<(), StoreError> {
        self.end_links_of(link.operator)?;
        self.connection()
            .prepare_cached(
                "INSERT INTO links (hash, purpose, operator_id, by_whom, created_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                hash,
                link.purpose.as_str(),
                link.operator.map(|id| id.0),
                by,
                self.now.0,
                link.expires_at.0
            ])?;
        Ok(())
    }

    /// Uses a link up: it works once. `None`: it does not work, or not any more.
    pub fn use_link(&mut self, hash: &[u8; 32]) -> Result<Option<Link>, StoreError> {
        let found = self.link(hash, self.now)?;
        self.connection().prepare_cached("DELETE FROM links WHERE hash = ?1")?.execute([hash])?;
        Ok(found)
    }

    /// Ends the links of an operator, or those for the first one.
    pub fn end_links_of(&mut self, operator: Option<OperatorId>) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("DELETE FROM links WHERE operator_id IS ?1")?
            .execute([operator.map(|id| id.0)])?;
        Ok(())
    }
}
