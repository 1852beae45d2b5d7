//! Making an endpoint: a check that may take 2 s, then a write.

use std::time::Duration;

use crate::domain::ids::EndpointId;
use crate::domain::invalid::{FieldError, Invalid};
use crate::domain::names::TenantName;
use crate::domain::target::{Target, TargetRules};
use crate::sender::Check;
use crate::service::error::Code;
use crate::service::lookup::tenant_of;
use crate::service::patch::Patch;
use crate::service::tenants;
use crate::service::{Error, Service, TenantScope};
use crate::store::audit::Audited;
use crate::store::endpoints::EndpointSettings;
use crate::store::{Answer, StoreError, Tx};

use super::draft::{Applied, Base, EndpointDraft};
use super::signing::shown;
use super::view::{EndpointSaved, EndpointView, Judging};

/// How long saving an endpoint waits for its name to be resolved.
const RESOLVE_WAIT: Duration = Duration::from_secs(2);

/// A new endpoint, checked and ready to be written.
pub struct CheckedEndpoint {
    scope: TenantScope,
    tenant: TenantName,
    draft: EndpointDraft,
    rules: TargetRules,
    random: [u8; 32],
    warning: Option<String>,
}

impl Service {
    /// Checks a new endpoint: all fields, then where its URL leads. Blocks, for up to 2 s when the name has to
    /// be resolved. `tenant`: the one that was named.
    ///
    /// # Errors
    /// `invalid` with every wrong field; `target_denied`; `not_found` for another key's tenant.
    pub fn check_endpoint(
        &self,
        scope: &TenantScope,
        tenant: Option<&str>,
        draft: &EndpointDraft,
    ) -> Result<CheckedEndpoint, Error> {
        let mut invalid = Invalid::new();
        let named = tenant.and_then(|name| invalid.check("tenant", TenantName::parse(name)));
        let base = self.store.read::<_, StoreError>(|reader| Base::new(reader, draft))?;
        let applied = invalid.absorb(draft.apply(base, self.rules));
        invalid.merge(self.unknown_events(draft));
        let Some(applied) = applied.filter(|_| invalid.is_empty()) else { return Err(invalid.into()) };
        let tenant = tenant_of(scope, named.as_ref())?;
        Ok(CheckedEndpoint {
            scope: scope.clone(),
            tenant,
            warning: self.check_target(&applied.revision.url)?,
            draft: draft.clone(),
            rules: self.rules,
            random: self.fresh_key(),
        })
    }

    /// Makes the endpoint. The answer holds its secret, this once.
    ///
    /// # Errors
    /// In the answer: `uid_taken`, `endpoint_limit_reached`, `unknown_tenant`.
    pub fn create_endpoint(&self, new: CheckedEndpoint) -> Answer<EndpointSaved, Error> {
        self.store.write(move |tx| insert(tx, new))
    }

    /// Which of the given `events` the catalogue does not allow.
    pub(super) fn unknown_events(&self, draft: &EndpointDraft) -> Invalid {
        match &draft.events {
            Patch::Set(patterns) => self.unknown_types(patterns),
            Patch::Keep | Patch::Reset => Invalid::new(),
        }
    }

    /// Judges where a URL leads; a warning if nobody knows.
    pub(in crate::service) fn check_target(&self, url: &str) -> Result<Option<String>, Error> {
        let target =
            Target::parse(url, self.rules).map_err(|error| Error::field("url", error.to_string()))?;
        match self.sender.check(&target, RESOLVE_WAIT) {
            Check::Fine => Ok(None),
            Check::Unresolved(reason) => {
                Ok(Some(format!("the URL was saved, but it cannot be reached at present: {reason}")))
            }
            Check::Denied(message) => Err(Error {
                fields: vec![FieldError { field: "url".to_owned(), message: message.clone() }],
                ..Error::new(Code::TargetDenied, format!("url is {message}"))
            }),
        }
    }

    /// What a secret is made of.
    pub(in crate::service) fn fresh_key(&self) -> [u8; 32] {
        crate::random::bytes(&**self.store.random())
    }
}

fn insert(tx: &mut Tx<'_>, new: CheckedEndpoint) -> Result<EndpointSaved, Error> {
    let tenant_id = room_for_one(tx, &new.tenant)?;
    // Again, and now for good: somebody may have changed the format meanwhile.
    let applied = new.draft.apply(Base::new(tx, &new.draft)?, new.rules)?;
    check_uid(tx, tenant_id, &applied.settings, None)?;
    let Applied { settings, revision, format, secret, enabled, mut warnings } = applied;
    warnings.extend(new.warning);
    let secret = secret.resolve(format.scheme(), new.random).flatten();
    let id = tx.insert_endpoint(tenant_id, &settings, enabled)?;
    tx.put_revision(id, &revision)?;
    tx.put_secret(id, secret.as_ref(), None)?;
    tx.reload_route(id)?;
    let endpoint = show(tx, id)?;
    tx.audit(Audited {
        actor: new.scope.actor(),
        action: "endpoint.create",
        target: id.to_string(),
        tenant_id: Some(tenant_id),
        before: None,
        after: Some(json(&endpoint)?),
    })?;
    let secret = secret.and_then(|secret| shown(format.scheme(), &secret));
    Ok(EndpointSaved { endpoint, secret, warnings })
}

/// The row of a tenant, which is made if need be and may have another endpoint.
fn room_for_one(tx: &mut Tx<'_>, name: &TenantName) -> Result<i64, Error> {
    let (id, own_limit) = match tx.tenant(name)? {
        Some(tenant) => (tenant.id, tenant.endpoint_limit),
        None => (tenants::make_by_naming(tx, name)?, None),
    };
    let limit = own_limit.unwrap_or(tx.settings().endpoint_limit);
    let has = tx.count_endpoints(id)?;
    if has < limit {
        return Ok(id);
    }
    let plural = if limit == 1 { "" } else { "s" };
    let delete = if limit == 0 { "" } else { "delete one, or " };
    Err(Error::new(
        Code::EndpointLimitReached,
        format!(
            "the tenant {name} may have {limit} endpoint{plural}, and has {has}; {delete}let it have more: its own limit \
             (endpoint_limit), or that of all in the settings"
        ),
    ))
}

/// Refuses a uid that another endpoint of the tenant has.
pub(super) fn check_uid(
    tx: &Tx<'_>,
    tenant_id: i64,
    settings: &EndpointSettings,
    own: Option<EndpointId>,
) -> Result<(), Error> {
    let Some(uid) = &settings.uid else { return Ok(()) };
    match tx.endpoint_by_uid(tenant_id, uid)? {
        Some(other) if Some(other.id) != own => Err(Error {
            fields: vec![FieldError { field: "uid".to_owned(), message: format!("is that of {}", other.id) }],
            ..Error::new(Code::UidTaken, format!("the uid {uid} is that of {}; choose another", other.id))
        }),
        _ => Ok(()),
    }
}

/// An endpoint as the transaction has left it.
pub(super) fn show(tx: &mut Tx<'_>, id: EndpointId) -> Result<EndpointView, Error> {
    let gone = || StoreError::Internal(format!("{id} is not there"));
    let row = tx.changed_endpoint(id)?.ok_or_else(gone)?;
    let judging = Judging::by(tx.settings(), tx.times());
    Ok(EndpointView::of(&row, tx.route(id).as_deref(), &judging))
}

/// A view as the audit log keeps it. Filters may hold numbers that no [`serde_json::Value`] can (1e400); they are
/// kept as the text that they came in.
pub(super) fn json(view: &EndpointView) -> Result<serde_json::Value, StoreError> {
    let filters = serde_json::from_str(&view.filters).unwrap_or_else(|_| view.filters.as_str().into());
    let plain = EndpointView { filters: "null".to_owned(), ..view.clone() };
    let mut value = serde_json::to_value(plain).map_err(|error| StoreError::Internal(error.to_string()))?;
    value["filters"] = filters;
    Ok(value)
}
