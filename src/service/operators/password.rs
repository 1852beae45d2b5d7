//! What operators change about themselves: the password, the time zone.

use crate::domain::operator::{ZoneName, check_password};
use crate::domain::password::{PasswordHash, Verdict};
use crate::service::{Error, Service};
use crate::store::audit::Audited;
use crate::store::operators::Operator;
use crate::store::sessions::Session;
use crate::store::{Answer, StoreError};

use super::session::Visitor;
use super::sign_in::SignInError;

impl Service {
    /// Changes the password of whoever has this session, who has to know the old one. Their other sessions end, and so
    /// do their one-time links. Blocks.
    ///
    /// # Errors
    /// See [`SignInError`]: `Wrong` for the old password; `invalid` for `new_password`.
    pub fn change_password(
        &self,
        session: &Session,
        old: &str,
        new: &str,
        visitor: &Visitor,
    ) -> Result<(), SignInError> {
        check_password(new).map_err(|message| Error::field("new_password", message))?;
        let id = session.operator;
        let attempt = self.attempt(Some(session.email.clone()), Some(id), visitor);
        let actor = session.actor(visitor.address);
        self.let_in(&attempt, Some(id), &actor)?;
        let found = self.store.read::<_, StoreError>(|reader| reader.operator(id))?;
        let compared = found.and_then(|operator| operator.password).unwrap_or_else(PasswordHash::nobody);
        if self.hashing.verify(old, &compared)? == Verdict::Wrong {
            return Err(self.refused(&attempt, Some(id), &actor));
        }
        self.slowing.succeeded(&attempt);
        let hash = self.hashing.hash(new, &**self.store.random())?;
        let session = session.id;
        let changed = self.store.write(move |tx| {
            let as_it_was = |now: &Operator| now.active && now.password.as_ref() == Some(&compared);
            if !tx.operator(id)?.as_ref().is_some_and(as_it_was) {
                return Err(SignInError::Wrong);
            }
            tx.set_password(id, &hash)?;
            tx.end_links_of(Some(id))?;
            let ended = tx.end_sessions_of(id, Some(session))?;
            Ok(tx.audit(Audited {
                actor: &actor,
                action: "operator.change_password",
                target: id.to_string(),
                tenant_id: None,
                before: None,
                after: Some(serde_json::json!({ "sessions_ended": ended })),
            })?)
        });
        changed.wait()
    }

    /// Sets in which time zone whoever has this session is shown times; `None`: UTC, until the
    /// next sign-in takes that of the browser.
    ///
    /// # Errors
    /// In the answer: `invalid` for `time_zone`.
    pub fn set_time_zone(
        &self,
        session: &Session,
        zone: Option<&str>,
        visitor: &Visitor,
    ) -> Answer<(), Error> {
        let zone = match zone.map(ZoneName::parse).transpose() {
            Ok(zone) => zone,
            Err(message) => return Answer::ready(Err(Error::field("time_zone", message))),
        };
        let (id, actor) = (session.operator, session.actor(visitor.address));
        let before = session.time_zone.clone();
        self.store.write(move |tx| {
            tx.set_time_zone(id, zone.as_ref())?;
            Ok(tx.audit(Audited {
                actor: &actor,
                action: "operator.update",
                target: id.to_string(),
                tenant_id: None,
                before: Some(serde_json::json!({ "time_zone": before })),
                after: Some(serde_json::json!({ "time_zone": zone })),
            })?)
        })
    }
}
