//! The server that mail goes through. Its password is sealed.

use rusqlite::{OptionalExtension, Row, params};

use crate::domain::alert::mail::Security;

use super::error::StoreError;
use super::lists;
use super::reader::Reader;
use super::tx::Tx;

/// A mail server, without its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailServerRow {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub security: Security,
    /// Who signs in there; `None`: nobody does.
    pub user: Option<String>,
    /// Whether there is a password.
    pub has_password: bool,
    /// The address that mail comes from.
    pub from: String,
}

const PURPOSE: &[u8] = b"password:mail_server";

fn read_row(row: &Row<'_>) -> rusqlite::Result<MailServerRow> {
    Ok(MailServerRow {
        host: row.get(0)?,
        port: row.get(1)?,
        security: lists::name(row, 2, Security::parse)?,
        user: row.get(3)?,
        has_password: row.get(4)?,
        from: row.get(5)?,
    })
}

impl Reader<'_> {
    /// The server, if one is set.
    pub fn mail_server(&self) -> Result<Option<MailServerRow>, StoreError> {
        let found = self
            .connection()
            .prepare_cached(
                "SELECT host, port, security, user_name, password IS NOT NULL, sender FROM mail_server WHERE id = 1",
            )?
            .query_row([], read_row)
            .optional()?;
        Ok(found)
    }

    /// Its password.
    pub fn mail_password(&self) -> Result<Option<String>, StoreError> {
        let sealed: Option<Option<Vec<u8>>> = self
            .connection()
            .prepare_cached("SELECT password FROM mail_server WHERE id = 1")?
            .query_row([], |row| row.get(0))
            .optional()?;
        let Some(sealed) = sealed.flatten() else { return Ok(None) };
        let wrong = |error: &dyn std::fmt::Display| {
            StoreError::Internal(format!("the password of the mail server: {error}"))
        };
        let plain = self.shared().vault.open(PURPOSE, &sealed).map_err(|error| wrong(&error))?;
        String::from_utf8(plain).map(Some).map_err(|_| wrong(&"it is not UTF-8"))
    }
}

impl Tx<'_> {
    /// Sets the server. `password`: `None` keeps the one that is there; `has_password` of the row is not looked at.
    pub fn put_mail_server(
        &mut self,
        server: &MailServerRow,
        password: Option<Option<&str>>,
    ) -> Result<(), StoreError> {
        let nonce = crate::random::bytes(&*self.shared().random);
        let seal = |plain: &str| self.shared().vault.seal(PURPOSE, plain.as_bytes(), nonce);
        let sealed = password.flatten().map(seal);
        self.connection()
            .prepare_cached(
                "INSERT INTO mail_server (id, host, port, security, user_name, password, sender)
                 VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (id) DO UPDATE SET host = excluded.host, port = excluded.port,
                     security = excluded.security, user_name = excluded.user_name, sender = excluded.sender,
                     password = CASE WHEN ?7 THEN password ELSE excluded.password END",
            )?
            .execute(params![
                server.host,
                server.port,
                server.security.as_str(),
                server.user,
                sealed,
                server.from,
                password.is_none()
            ])?;
        Ok(())
    }

    /// Forgets the server. `false`: there is none.
    pub fn delete_mail_server(&mut self) -> Result<bool, StoreError> {
        let deleted = self.connection().prepare_cached("DELETE FROM mail_server WHERE id = 1")?.execute([])?;
        Ok(deleted > 0)
    }
}
