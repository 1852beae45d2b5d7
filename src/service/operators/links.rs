//! One-time links: opened to see whom they are for, and used to set a password.

use std::time::Duration;

use crate::domain::operator::{Email, Role, check_password};
use crate::domain::time::UnixMs;
use crate::domain::token::{self, Token};
use crate::service::{Code, Error, Service};
use crate::store::audit::Audited;
use crate::store::links::{Link, Purpose};
use crate::store::operators::Operator;
use crate::store::{Reader, StoreError, Tx};

use super::session::{self, SignedIn, Visitor, operator_actor};

/// How long a link for the first operator works: it stands in a terminal, and maybe in a log.
pub const SETUP: Duration = Duration::from_mins(30);
/// How long an invitation or a new password waits: over a weekend.
pub const INVITATION: Duration = Duration::from_hours(72);

/// A link that was made, with its text, this once.
#[derive(Debug)]
pub struct LinkMade {
    /// What it is for.
    pub purpose: Purpose,
    /// Its text.
    pub token: Token,
    /// When it ends.
    pub expires_at: UnixMs,
}

impl LinkMade {
    /// Its path below the public URL: `/setup/TEXT`, or `/join/TEXT`.
    pub fn path(&self) -> String {
        let page = match self.purpose {
            Purpose::Setup => "setup",
            Purpose::Invitation | Purpose::Reset => "join",
        };
        format!("/{page}/{}", self.token.expose())
    }
}

/// A link as the page behind it shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkView {
    /// What it is for.
    pub purpose: Purpose,
    /// For whom; `None`: the first operator, who is to say.
    pub operator: Option<(Email, Role)>,
    /// When it ends.
    pub expires_at: UnixMs,
}

/// A link that does not work.
pub(super) fn gone() -> Error {
    Error::new(Code::NotFound, "this link was used already, or is too old; ask for a new one")
}

/// Makes a link, which ends those that there are for the same operator.
pub(super) fn make(tx: &mut Tx<'_>, link: &Link, token: Token, by: &str) -> Result<LinkMade, StoreError> {
    tx.insert_link(token.hash(), link, by)?;
    Ok(LinkMade { purpose: link.purpose, token, expires_at: link.expires_at })
}

/// The link, with its operator where it is for one who may sign in.
fn find(reader: &Reader<'_>, hash: &[u8; 32], now: UnixMs) -> Result<(Link, Option<Operator>), Error> {
    let link = reader.link(hash, now)?.ok_or_else(gone)?;
    let Some(id) = link.operator else { return Ok((link, None)) };
    let operator = reader.operator(id)?.filter(|operator| operator.active).ok_or_else(gone)?;
    Ok((link, Some(operator)))
}

impl Service {
    /// What a link is for, without using it. Blocks.
    ///
    /// # Errors
    /// `not_found`: it was used, or is too old, or never was.
    pub fn open_link(&self, text: &str) -> Result<LinkView, Error> {
        let (hash, now) = (token::hash(text), self.store.times().wall());
        let (link, operator) = self.store.read(|reader| find(reader, &hash, now))?;
        if link.purpose == Purpose::Setup && !self.needs_setup() {
            return Err(gone());
        }
        let operator = operator.map(|operator| (operator.email, operator.role));
        Ok(LinkView { purpose: link.purpose, operator, expires_at: link.expires_at })
    }

    /// Takes an invitation, or a link for a new password: sets the password, ends what sessions there are, forgets the
    /// wrong passwords that were tried, and signs in. Blocks.
    ///
    /// # Errors
    /// `not_found` as [`Service::open_link`]; `invalid` for `password`; `overloaded`.
    pub fn accept_invitation(
        &self,
        text: &str,
        password: &str,
        visitor: &Visitor,
    ) -> Result<SignedIn, Error> {
        // Before anything is hashed: strangers are not to make work.
        self.open_link(text)?;
        check_password(password).map_err(|message| Error::field("password", message))?;
        let hash = self.hashing.hash(password, &**self.store.random())?;
        let (link, token, here) = (token::hash(text), self.token(), visitor.clone());
        let visitor = here.clone();
        let accepted = self.store.write(move |tx| {
            let (found, operator) = find(tx, &link, tx.now)?;
            let operator = operator.ok_or_else(gone)?;
            tx.use_link(&link)?;
            tx.set_password(operator.id, &hash)?;
            tx.end_sessions_of(operator.id, None)?;
            tx.audit(Audited {
                actor: &operator_actor(&operator.email, visitor.address),
                action: "operator.set_password",
                target: operator.id.to_string(),
                tenant_id: None,
                before: None,
                after: Some(serde_json::json!({ "link": found.purpose.as_str() })),
            })?;
            Ok::<_, Error>(session::open(tx, &operator, &visitor, token)?)
        });
        let signed = accepted.wait()?;
        let account = signed.session.email.clone();
        self.slowing.succeeded(&self.attempt(Some(account), None, &here));
        Ok(signed)
    }
}
