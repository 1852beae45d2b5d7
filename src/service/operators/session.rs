//! Sessions: who is signed in, where, and the end of it.

use std::net::IpAddr;

use crate::domain::ids::{OperatorId, SessionId};
use crate::domain::operator::Email;
use crate::domain::token::{self, Token};
use crate::service::{Error, Service};
use crate::store::audit::{Actor, Audited};
use crate::store::operators::Operator;
use crate::store::sessions::{NewSession, Session};
use crate::store::{Answer, StoreError, Tx};

/// Characters of a `User-Agent` that are kept.
const USER_AGENT: usize = 200;

/// From where and with what somebody visits the console.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// The address, behind trusted proxies the forwarded one.
    pub address: Option<IpAddr>,
    user_agent: Option<String>,
    /// Hash of the text of the session that they leave.
    leaves: Option<[u8; 32]>,
}

impl Visitor {
    /// A visitor, with the beginning of their `User-Agent`.
    pub fn new(address: Option<IpAddr>, user_agent: Option<&str>) -> Self {
        let shown = |text: &str| text.chars().filter(|c| !c.is_control()).take(USER_AGENT).collect();
        Self { address, user_agent: user_agent.map(shown), leaves: None }
    }

    /// The same, who had a session with this text until now: it ends when they sign in.
    #[must_use]
    pub fn leaving(self, session: Option<&str>) -> Self {
        Self { leaves: session.map(token::hash), ..self }
    }
}

impl Session {
    /// Whoever has it, for the audit log.
    pub(in crate::service) fn actor(&self, address: Option<IpAddr>) -> Actor {
        operator_actor(&self.email, address)
    }
}

/// An operator, as the audit log names them.
pub(super) fn operator_actor(email: &Email, address: Option<IpAddr>) -> Actor {
    Actor { name: format!("operator:{email}"), address }
}

/// Somebody who has just signed in. Each sign-in has a session of its own.
#[derive(Debug)]
pub struct SignedIn {
    /// What the cookie has to hold.
    pub token: Token,
    /// The session.
    pub session: Session,
}

/// Ends the session that a visitor leaves, whosever it is: who has its text may end it.
fn leave(tx: &mut Tx<'_>, visitor: &Visitor) -> Result<(), StoreError> {
    let left = visitor.leaves.map(|hash| tx.end_session_of_text(&hash)).transpose()?.flatten();
    let Some((id, operator)) = left else { return Ok(()) };
    let Some(whose) = tx.operator(operator)? else { return Ok(()) };
    ended(tx, &operator_actor(&whose.email, visitor.address), "operator.sign_out", operator, id)
}

/// Opens a session, which ends the one that the visitor had, and says so in the audit log.
pub(super) fn open(
    tx: &mut Tx<'_>,
    operator: &Operator,
    visitor: &Visitor,
    token: Token,
) -> Result<SignedIn, StoreError> {
    let address = visitor.address.map(|address| address.to_string());
    let (hash, user_agent) = (token.hash(), visitor.user_agent.clone());
    leave(tx, visitor)?;
    let new =
        NewSession { hash, operator: operator.id, address: address.clone(), user_agent: user_agent.clone() };
    let id = tx.insert_session(&new)?;
    tx.audit(Audited {
        actor: &operator_actor(&operator.email, visitor.address),
        action: "operator.sign_in",
        target: operator.id.to_string(),
        tenant_id: None,
        before: None,
        after: Some(serde_json::json!({ "session": id, "user_agent": user_agent })),
    })?;
    let session = Session {
        id,
        operator: operator.id,
        email: operator.email.clone(),
        role: operator.role,
        time_zone: operator.time_zone.clone(),
        address,
        user_agent,
        created_at: tx.now,
        last_used_at: tx.now,
    };
    Ok(SignedIn { token, session })
}

impl Service {
    /// The session whose text this is, unless it has ended, from memory. That it is used is written down once a minute
    /// at most, and nobody waits for that: where the writer has no room for it, the next use is noted instead.
    pub fn session(&self, text: &str) -> Option<Session> {
        let (now, hash, sessions) = (self.store.times().wall(), token::hash(text), self.store.sessions());
        let mut session = sessions.find(&hash, now)?;
        if sessions.touch(&hash, now) {
            session.last_used_at = now;
            let (id, operator, created) = (session.id, session.operator, session.created_at);
            drop(self.store.write::<(), StoreError>(move |tx| tx.touch_session(id, operator, created, now)));
        }
        Some(session)
    }

    /// The sessions of whoever has this one, the newest first, with it.
    pub fn sessions(&self, session: &Session) -> Vec<Session> {
        self.store.sessions().of(session.operator, self.store.times().wall())
    }

    /// Ends this session.
    ///
    /// # Errors
    /// In the answer: the database cannot be written.
    pub fn sign_out(&self, session: &Session, visitor: &Visitor) -> Answer<(), Error> {
        let (id, operator) = (session.id, session.operator);
        let actor = session.actor(visitor.address);
        self.store.write(move |tx| {
            // Somebody may have ended it elsewhere, which comes to the same.
            if tx.end_session(id, operator)? {
                ended(tx, &actor, "operator.sign_out", operator, id)?;
            }
            Ok(())
        })
    }

    /// Ends another session of whoever has this one, or this one.
    ///
    /// # Errors
    /// In the answer: `not_found`.
    pub fn end_session(&self, session: &Session, id: &str, visitor: &Visitor) -> Answer<(), Error> {
        let absent = || Error::new(crate::service::Code::NotFound, "this session has ended already");
        let Some(id) = SessionId::parse(id) else { return Answer::ready(Err(absent())) };
        let (operator, actor) = (session.operator, session.actor(visitor.address));
        self.store.write(move |tx| {
            if !tx.end_session(id, operator)? {
                return Err(absent());
            }
            Ok(ended(tx, &actor, "operator.end_session", operator, id)?)
        })
    }
}

fn ended(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: &'static str,
    operator: OperatorId,
    session: SessionId,
) -> Result<(), StoreError> {
    tx.audit(Audited {
        actor,
        action,
        target: operator.to_string(),
        tenant_id: None,
        before: Some(serde_json::json!({ "session": session })),
        after: None,
    })
}
