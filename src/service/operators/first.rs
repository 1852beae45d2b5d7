//! The first operator: by a one-time link, or by what the environment brings.

use crate::domain::ids::OperatorId;
use crate::domain::invalid::Invalid;
use crate::domain::operator::{Email, Role, check_password};
use crate::domain::password::PasswordHash;
use crate::domain::token;
use crate::service::{Code, Error, Service};
use crate::store::audit::{Actor, Audited};
use crate::store::links::{Link, Purpose};
use crate::store::operators::{NewOperator, Operator};
use crate::store::{Answer, StoreError, Tx};

use super::links::{self, LinkMade, SETUP, gone};
use super::session::{self, SignedIn, Visitor, operator_actor};

/// No operator has it: who is meant where there is nobody to be left out.
const NONE: OperatorId = OperatorId(0);

impl Service {
    /// Whether there is no operator who can administrate, so that a link makes the first one. From memory.
    pub fn needs_setup(&self) -> bool {
        !self.store.sessions().has_admin()
    }

    /// Makes the link for the first operator, for 30 minutes. Links that were made for that before end.
    ///
    /// # Errors
    /// In the answer: the database cannot be written.
    pub fn make_setup_link(&self) -> Answer<LinkMade, Error> {
        let token = self.token();
        self.store.write(move |tx| {
            let actor = Actor::system();
            let expires_at = tx.now.plus(SETUP);
            let link = Link { purpose: Purpose::Setup, operator: None, expires_at };
            let made = links::make(tx, &link, token, &actor.name)?;
            tx.audit(Audited {
                actor: &actor,
                action: "operator.setup_link",
                target: Purpose::Setup.to_string(),
                tenant_id: None,
                before: None,
                after: Some(serde_json::json!({ "expires_at": expires_at })),
            })?;
            Ok(made)
        })
    }

    /// Makes the first operator, an admin, and signs them in. Of two at once, one comes too late. Blocks.
    ///
    /// # Errors
    /// `not_found`: the link was used, or is too old, or there is an operator by now; `invalid` for `email` and
    /// `password`; `overloaded`.
    pub fn set_up(
        &self,
        link: &str,
        email: &str,
        password: &str,
        visitor: &Visitor,
    ) -> Result<SignedIn, Error> {
        // Before anything is hashed: strangers are not to make work.
        if self.open_link(link)?.purpose != Purpose::Setup {
            return Err(gone());
        }
        let email = check(email, password, ["email", "password"])?;
        let hash = self.hashing.hash(password, &**self.store.random())?;
        let (link, token, visitor) = (token::hash(link), self.token(), visitor.clone());
        let set_up = self.store.write(move |tx| {
            // Whoever comes second finds the link used.
            let used = tx.use_link(&link)?.filter(|link| link.purpose == Purpose::Setup);
            if used.is_none() || tx.has_admin_besides(NONE)? {
                return Err(gone());
            }
            let actor = operator_actor(&email, visitor.address);
            let operator = make(tx, &actor, email, hash)?;
            Ok::<_, Error>(session::open(tx, &operator, &visitor, token)?)
        });
        set_up.wait()
    }

    /// Makes the operator that the environment brings at the first start, an admin. Later, when there is one, nothing
    /// happens and the answer is `None`. Hashes before it answers.
    ///
    /// # Errors
    /// In the answer: `invalid`, with the names of the variables.
    pub fn register_first_operator(&self, email: &str, password: &str) -> Answer<Option<OperatorId>, Error> {
        if !self.needs_setup() {
            return Answer::ready(Ok(None));
        }
        let checked = check(email, password, ["POSTRIDER_ADMIN_EMAIL", "POSTRIDER_ADMIN_PASSWORD"]);
        let hashed = |email| Ok((email, self.hashing.hash(password, &**self.store.random())?));
        let (email, hash) = match checked.and_then(hashed) {
            Ok(checked) => checked,
            Err(error) => return Answer::ready(Err(error)),
        };
        self.store.write(move |tx| {
            if tx.has_admin_besides(NONE)? {
                return Ok(None);
            }
            make(tx, &Actor::system(), email, hash).map(|operator| Some(operator.id))
        })
    }
}

fn check(email: &str, password: &str, names: [&str; 2]) -> Result<Email, Error> {
    let mut invalid = Invalid::new();
    let email = invalid.check(names[0], Email::parse(email));
    invalid.check(names[1], check_password(password));
    match email {
        Some(email) if invalid.is_empty() => Ok(email),
        _ => Err(invalid.into()),
    }
}

/// The first operator. Whoever was invited to be one before (by a key) becomes it.
fn make(tx: &mut Tx<'_>, actor: &Actor, email: Email, hash: PasswordHash) -> Result<Operator, Error> {
    let id = match tx.operator_by_email(&email)? {
        Some(invited) => {
            tx.set_password(invited.id, &hash)?;
            tx.update_operator(invited.id, Role::Admin, true)?;
            tx.end_links_of(Some(invited.id))?;
            Some(invited.id)
        }
        None => tx.insert_operator(&NewOperator { email, password: Some(hash), role: Role::Admin })?,
    };
    tx.end_links_of(None)?;
    let made = id.map(|id| tx.operator(id)).transpose()?.flatten();
    let made = made.ok_or_else(|| Error::new(Code::Internal, ""))?;
    told(tx, actor, &made)?;
    Ok(made)
}

fn told(tx: &mut Tx<'_>, actor: &Actor, made: &Operator) -> Result<(), StoreError> {
    tx.audit(Audited {
        actor,
        action: "operator.create",
        target: made.id.to_string(),
        tenant_id: None,
        before: None,
        after: Some(serde_json::json!({ "email": made.email, "role": made.role })),
    })
}
