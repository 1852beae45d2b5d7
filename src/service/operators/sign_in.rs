//! Signing in with a password.

use crate::domain::ids::OperatorId;
use crate::domain::operator::Email;
use crate::domain::password::{PasswordHash, Verdict};
use crate::domain::token::Token;
use crate::service::{Code, Error, Service};
use crate::store::StoreError;
use crate::store::audit::{Actor, Audited};
use crate::store::operators::Operator;

use super::session::{self, SignedIn, Visitor};
use super::slowing::Attempt;

/// Why a password was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// It is not the password, or there is no such account that may sign in: which of them is not told.
    #[error("the address or the password is wrong")]
    Wrong,
    /// There were too many wrong ones; this one was not looked at. 429, with `Retry-After`.
    #[error("too many attempts; try again in {seconds} s")]
    TooOften {
        /// When it may be tried again, in seconds.
        seconds: u32,
    },
    /// Something else.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Service {
    /// Signs an operator in, with a new session. Takes as long for an account that is not there. Blocks.
    ///
    /// # Errors
    /// See [`SignInError`]; `overloaded` among what can fail.
    pub fn sign_in(&self, email: &str, password: &str, visitor: &Visitor) -> Result<SignedIn, SignInError> {
        let account = Email::parse(email).ok();
        let found = match &account {
            Some(email) => self.store.read::<_, StoreError>(|reader| reader.operator_by_email(email))?,
            None => None,
        };
        let known = found.as_ref().map(|operator| operator.id);
        let attempt = self.attempt(account, known, visitor);
        let nobody = Actor::anonymous(visitor.address);
        self.let_in(&attempt, known, &nobody)?;
        let operator = found.filter(|operator| operator.active && operator.password.is_some());
        let hash = operator.as_ref().and_then(|operator| operator.password.clone());
        let hash = hash.unwrap_or_else(PasswordHash::nobody);
        match (self.hashing.verify(password, &hash)?, operator) {
            (Verdict::Right { outdated }, Some(operator)) => {
                self.slowing.succeeded(&attempt);
                let renewed = if outdated { self.renewed(password)? } else { None };
                self.enter(operator.id, hash, renewed, visitor)
            }
            _ => Err(self.refused(&attempt, known, &nobody)),
        }
    }

    /// Opens the session, unless the account was changed while the password was compared.
    fn enter(
        &self,
        operator: OperatorId,
        compared: PasswordHash,
        renewed: Option<PasswordHash>,
        visitor: &Visitor,
    ) -> Result<SignedIn, SignInError> {
        let token = self.token();
        let visitor = visitor.clone();
        let opened = self.store.write(move |tx| {
            let as_it_was = |now: &Operator| now.active && now.password.as_ref() == Some(&compared);
            let Some(operator) = tx.operator(operator)?.filter(as_it_was) else {
                return Err(SignInError::Wrong);
            };
            if let Some(renewed) = renewed {
                tx.set_password(operator.id, &renewed)?;
            }
            Ok(session::open(tx, &operator, &visitor, token)?)
        });
        opened.wait()
    }

    /// The hash with the parameters of today. `None`: others hash at this moment, so at the next sign-in then.
    fn renewed(&self, password: &str) -> Result<Option<PasswordHash>, Error> {
        match self.hashing.hash(password, &**self.store.random()) {
            Ok(hash) => Ok(Some(hash)),
            Err(error) if error.code == Code::Overloaded => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A new text for a session or a link.
    pub(super) fn token(&self) -> Token {
        Token::generate(crate::random::bytes(&**self.store.random()))
    }

    pub(super) fn attempt(
        &self,
        account: Option<Email>,
        operator: Option<OperatorId>,
        visitor: &Visitor,
    ) -> Attempt {
        let here = visitor.address.map(|address| address.to_string());
        let now = self.store.times().wall();
        let known = here.is_some()
            && operator.is_some_and(|id| self.store.sessions().of(id, now).iter().any(|s| s.address == here));
        Attempt::new(account, visitor.address, known)
    }

    /// Whether an attempt may be made; `actor` is who makes it, as far as that is known.
    pub(super) fn let_in(
        &self,
        attempt: &Attempt,
        operator: Option<OperatorId>,
        actor: &Actor,
    ) -> Result<(), SignInError> {
        let now = self.store.times().clock().monotonic();
        let Some(seconds) = self.slowing.stopped(attempt, now) else { return Ok(()) };
        self.tell_refusal(attempt, operator, actor);
        Err(SignInError::TooOften { seconds })
    }

    /// Counts a failure.
    pub(super) fn refused(
        &self,
        attempt: &Attempt,
        operator: Option<OperatorId>,
        actor: &Actor,
    ) -> SignInError {
        self.slowing.failed(attempt, self.store.times().clock().monotonic());
        self.tell_refusal(attempt, operator, actor);
        SignInError::Wrong
    }

    /// Writes a refusal down, once a minute for each network at most; nobody waits for it. An address that is no
    /// operator's is not repeated: people type passwords there.
    fn tell_refusal(&self, attempt: &Attempt, operator: Option<OperatorId>, actor: &Actor) {
        if !self.slowing.worth_telling(attempt, self.store.times().clock().monotonic()) {
            return;
        }
        let actor = actor.clone();
        let target = operator.map_or_else(|| "unknown".to_owned(), |id| id.to_string());
        drop(self.store.write::<(), StoreError>(move |tx| {
            tx.audit(Audited {
                actor: &actor,
                action: "operator.sign_in_refused",
                target,
                tenant_id: None,
                before: None,
                after: None,
            })
        }));
    }

    /// How many passwords were hashed or compared since the start.
    pub fn passwords_hashed(&self) -> u64 {
        self.hashing.done()
    }
}
