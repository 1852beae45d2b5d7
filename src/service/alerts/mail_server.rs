//! The server that mail goes through: one for all.

use serde::Serialize;

use crate::domain::alert::mail::{Security, parse_host};
use crate::domain::headers::MASK;
use crate::domain::invalid::Invalid;
use crate::domain::operator::Email;
use crate::service::{AdminScope, Error, Service, ViewScope};
use crate::store::audit::Audited;
use crate::store::mail_server::MailServerRow;
use crate::store::{Answer, StoreError, Tx};

/// Longest name and password of a user.
const CREDENTIAL_MAX: usize = 256;

/// A mail server as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MailServerView {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub security: Security,
    /// Who signs in there.
    pub user: Option<String>,
    /// `•••` where there is one.
    pub password: Option<&'static str>,
    /// The address that mail comes from.
    pub from: String,
}

impl From<MailServerRow> for MailServerView {
    fn from(row: MailServerRow) -> Self {
        let password = row.has_password.then_some(MASK);
        let MailServerRow { host, port, security, user, from, .. } = row;
        Self { host, port, security, user, password, from }
    }
}

/// A mail server to be set. Nothing in it is checked. It holds a password, so it has no `Debug`.
#[derive(Clone, Default)]
#[expect(missing_docs, reason = "the names are those of the API, whose reference explains them")]
pub struct MailServerDraft {
    /// Fields that could not even be read.
    pub wrong: Invalid,
    pub host: Option<String>,
    pub port: Option<i64>,
    pub security: Option<String>,
    pub user: Option<String>,
    /// `•••` keeps the one that is there.
    pub password: Option<String>,
    pub from: Option<String>,
}

fn absent() -> Error {
    let mut error = Error::not_found("mail server", "");
    "no mail server is set; PUT /api/v1/mail-server sets one".clone_into(&mut error.detail);
    error
}

impl Service {
    /// The mail server. Blocks.
    ///
    /// # Errors
    /// `not_found` where none is set.
    pub fn mail_server(&self, _scope: &ViewScope) -> Result<MailServerView, Error> {
        let found = self.store.read::<_, Error>(|reader| Ok(reader.mail_server()?))?;
        found.map(MailServerView::from).ok_or_else(absent)
    }

    /// Sets the mail server: all of it.
    ///
    /// # Errors
    /// In the answer: `invalid` with every wrong field.
    pub fn put_mail_server(
        &self,
        scope: &AdminScope,
        draft: &MailServerDraft,
    ) -> Answer<MailServerView, Error> {
        let row = match check(draft) {
            Ok(row) => row,
            Err(invalid) => return Answer::ready(Err(invalid.into())),
        };
        let (scope, password) = (scope.clone(), draft.password.clone());
        self.store.write(move |tx| put(tx, &scope, &row, password.as_deref()))
    }

    /// Forgets the mail server, with its password.
    ///
    /// # Errors
    /// In the answer: `not_found`.
    pub fn delete_mail_server(&self, scope: &AdminScope) -> Answer<(), Error> {
        let scope = scope.clone();
        self.store.write(move |tx| {
            let before = tx.mail_server()?.map(MailServerView::from).ok_or_else(absent)?;
            tx.delete_mail_server()?;
            audit(tx, &scope, "mail_server.delete", Some(&before), None)
        })
    }
}

fn put(
    tx: &mut Tx<'_>,
    scope: &AdminScope,
    row: &MailServerRow,
    password: Option<&str>,
) -> Result<MailServerView, Error> {
    let before = tx.mail_server()?;
    // A password that is kept goes on to be sent to this server, so it has to be the same one.
    let moved = before.as_ref().is_none_or(|before| before.host != row.host);
    let keeps = password == Some(MASK);
    if keeps && moved {
        return Err(Error::field("password", "is to be given again for another server"));
    }
    tx.put_mail_server(row, if keeps { None } else { Some(password) })?;
    let before = before.map(MailServerView::from);
    let after = tx.mail_server()?.map(MailServerView::from).ok_or_else(absent)?;
    audit(tx, scope, "mail_server.put", before.as_ref(), Some(&after))?;
    Ok(after)
}

fn audit(
    tx: &mut Tx<'_>,
    scope: &AdminScope,
    action: &'static str,
    before: Option<&MailServerView>,
    after: Option<&MailServerView>,
) -> Result<(), Error> {
    let json = |view: &MailServerView| {
        serde_json::to_value(view).map_err(|error| StoreError::Internal(error.to_string()))
    };
    let (before, after) = (before.map(json).transpose()?, after.map(json).transpose()?);
    let target = "mail_server".to_owned();
    tx.audit(Audited { actor: scope.actor(), action, target, tenant_id: None, before, after })?;
    Ok(())
}

fn check(draft: &MailServerDraft) -> Result<MailServerRow, Invalid> {
    let mut invalid = draft.wrong.clone();
    let mut required = |name: &str, value: &Option<String>| {
        if value.is_none() {
            invalid.push(name, "is required");
        }
        value.as_deref().map(|value| value.trim().to_owned())
    };
    let (host, from) = (required("host", &draft.host), required("from", &draft.from));
    let host = host.and_then(|host| invalid.check("host", parse_host(&host)));
    let from = from.and_then(|from| invalid.check("from", Email::parse(&from)));
    let security = Security::parse(draft.security.as_deref().unwrap_or(Security::StartTls.as_str()));
    let security = invalid.check("security", security).unwrap_or(Security::StartTls);
    if let Some(host) = &host {
        invalid.check("security", security.fits(host));
    }
    let port = draft.port.unwrap_or_else(|| security.port().into());
    let port = u16::try_from(port).ok().filter(|port| *port > 0);
    let port = invalid.check("port", port.ok_or_else(|| "must be a whole number from 1 to 65535".to_owned()));
    for (name, value) in [("user", &draft.user), ("password", &draft.password)] {
        let wrong = value.as_ref().is_some_and(|text| {
            text.is_empty() || text.chars().count() > CREDENTIAL_MAX || text.chars().any(char::is_control)
        });
        if wrong {
            invalid.push(name, format!("must be 1 to {CREDENTIAL_MAX} printable characters"));
        }
    }
    match (&draft.user, &draft.password) {
        (Some(_), None) => invalid.push("password", "is required with a user"),
        (None, Some(_)) => invalid.push("user", "is required with a password"),
        _ => {}
    }
    invalid.keep_first();
    invalid.into_result(())?;
    Ok(MailServerRow {
        host: host.unwrap_or_default(),
        port: port.unwrap_or_default(),
        security,
        user: draft.user.clone(),
        has_password: draft.password.is_some(),
        from: from.map(|from| from.to_string()).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(host: &str) -> MailServerDraft {
        let text = |text: &str| Some(text.to_owned());
        MailServerDraft { host: text(host), from: text("a@example.com"), ..MailServerDraft::default() }
    }

    #[test]
    fn the_port_follows_from_the_security() {
        let of = |security: &str| {
            let draft = MailServerDraft { security: Some(security.to_owned()), ..draft("localhost") };
            check(&draft).unwrap().port
        };
        assert_eq!((of("starttls"), of("tls"), of("none")), (587, 465, 25));
        assert_eq!(check(&draft("smtp.example.com")).unwrap().security, Security::StartTls);
    }

    #[test]
    fn every_wrong_field_is_named() {
        let wrong = MailServerDraft {
            host: Some("a b".to_owned()),
            port: Some(0),
            security: Some("ssl".to_owned()),
            user: Some("ada".to_owned()),
            from: None,
            ..MailServerDraft::default()
        };
        let fields: Vec<_> = check(&wrong).unwrap_err().0.into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["from", "host", "security", "port", "password"]);
    }
}
