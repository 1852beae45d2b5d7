//! What admins do about operators: invite, change roles, deactivate, give a new link.

use crate::domain::ids::OperatorId;
use crate::domain::operator::{Email, Role};
use crate::service::{AdminScope, Code, Error, Service, ViewScope};
use crate::store::audit::Audited;
use crate::store::links::{Link, Purpose};
use crate::store::operators::{NewOperator, Operator};
use crate::store::{Answer, Listed, Reader, StoreError, Tx};

use super::links::{self, INVITATION, LinkMade};
use super::view::OperatorView;

/// An operator who was invited, with the link, this once.
#[derive(Debug)]
pub struct OperatorInvited {
    /// The operator.
    pub operator: OperatorView,
    /// The link that they set their password with.
    pub link: LinkMade,
}

/// An operator by id, or by address: whoever has lost a password knows no id.
fn find(reader: &Reader<'_>, id: &str) -> Result<Operator, Error> {
    let found = match (OperatorId::parse(id), Email::parse(id)) {
        (Some(id), _) => reader.operator(id)?,
        (None, Ok(email)) => reader.operator_by_email(&email)?,
        (None, Err(_)) => None,
    };
    found.ok_or_else(|| Error::not_found("operator", id))
}

impl Service {
    /// Operators, the newest first, below `before`; at most `limit`. With `search` (read by
    /// [`crate::service::endpoints::search`]) those whose address or id holds it. Blocks.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn operators(
        &self,
        _scope: &ViewScope,
        search: Option<&str>,
        before: Option<OperatorId>,
        limit: usize,
    ) -> Result<Listed<OperatorView>, Error> {
        let page = self.store.read::<_, StoreError>(|reader| reader.operators(search, before, limit))?;
        Ok(Listed { rows: page.rows.into_iter().map(OperatorView::from).collect(), next: page.next })
    }

    /// An operator. Blocks.
    ///
    /// # Errors
    /// `not_found`.
    pub fn operator(&self, _scope: &ViewScope, id: &str) -> Result<OperatorView, Error> {
        self.store.read(|reader| find(reader, id)).map(OperatorView::from)
    }

    /// Invites an operator: they are pending until they have set a password with the link, within 72 hours.
    ///
    /// # Errors
    /// In the answer: `operator_exists`.
    pub fn invite(&self, scope: &AdminScope, email: Email, role: Role) -> Answer<OperatorInvited, Error> {
        let (scope, token) = (scope.clone(), self.token());
        self.store.write(move |tx| {
            let new = NewOperator { email, password: None, role };
            let id = tx.insert_operator(&new)?.ok_or_else(|| {
                let detail =
                    "an operator with this address exists; POST /api/v1/operators/{id}/link makes a new link";
                Error::new(Code::OperatorExists, detail).about("email", "is that of another operator")
            })?;
            let link = Link {
                purpose: Purpose::Invitation,
                operator: Some(id),
                expires_at: tx.now.plus(INVITATION),
            };
            let link = links::make(tx, &link, token, &scope.actor().name)?;
            tx.audit(Audited {
                actor: scope.actor(),
                action: "operator.invite",
                target: id.to_string(),
                tenant_id: None,
                before: None,
                after: Some(serde_json::json!({ "email": new.email, "role": role })),
            })?;
            Ok(OperatorInvited { operator: find(tx, &id.to_string())?.into(), link })
        })
    }

    /// Changes what an operator may do; `None` keeps it. In force with the answer, also for the sessions that they
    /// have; whoever is deactivated has none any more, and no link.
    ///
    /// # Errors
    /// In the answer: `not_found`; `last_admin`.
    pub fn change_operator(
        &self,
        scope: &AdminScope,
        id: &str,
        role: Option<Role>,
        active: Option<bool>,
    ) -> Answer<OperatorView, Error> {
        let (scope, id) = (scope.clone(), id.to_owned());
        self.store.write(move |tx| change(tx, &scope, &id, role, active))
    }

    /// Makes a new link for an operator, for 72 hours: to set a password. Links that they had end; until it is used,
    /// their password and their sessions stay as they are.
    ///
    /// # Errors
    /// In the answer: `not_found`; `operator_inactive`.
    pub fn make_operator_link(&self, scope: &AdminScope, id: &str) -> Answer<LinkMade, Error> {
        let (scope, id, token) = (scope.clone(), id.to_owned(), self.token());
        self.store.write(move |tx| {
            let operator = find(tx, &id)?;
            if !operator.active {
                let detail = "the operator is deactivated, so a link would be of no use; activate them first";
                return Err(Error::new(Code::OperatorInactive, detail));
            }
            let purpose = if operator.password.is_some() { Purpose::Reset } else { Purpose::Invitation };
            let expires_at = tx.now.plus(INVITATION);
            let link = Link { purpose, operator: Some(operator.id), expires_at };
            let made = links::make(tx, &link, token, &scope.actor().name)?;
            tx.audit(Audited {
                actor: scope.actor(),
                action: "operator.link",
                target: operator.id.to_string(),
                tenant_id: None,
                before: None,
                after: Some(serde_json::json!({ "purpose": purpose.as_str(), "expires_at": expires_at })),
            })?;
            Ok(made)
        })
    }
}

fn change(
    tx: &mut Tx<'_>,
    scope: &AdminScope,
    id: &str,
    role: Option<Role>,
    active: Option<bool>,
) -> Result<OperatorView, Error> {
    let before = find(tx, id)?;
    let (role, active) = (role.unwrap_or(before.role), active.unwrap_or(before.active));
    if (role, active) == (before.role, before.active) {
        return Ok(before.into());
    }
    let in_charge = before.active && before.role == Role::Admin && before.password.is_some();
    if in_charge && !tx.has_admin_besides(before.id)? {
        let detail = "this is the last active admin; make another operator an admin first";
        return Err(Error::new(Code::LastAdmin, detail));
    }
    tx.update_operator(before.id, role, active)?;
    tx.audit(Audited {
        actor: scope.actor(),
        action: "operator.update",
        target: before.id.to_string(),
        tenant_id: None,
        before: Some(serde_json::json!({ "role": before.role, "active": before.active })),
        after: Some(serde_json::json!({ "role": role, "active": active })),
    })?;
    Ok(find(tx, id)?.into())
}
