//! Changing an endpoint: a check that may take 2 s, then a write.

use serde_json::Value;

use crate::domain::names::TenantName;
use crate::domain::secret::Secret;
use crate::domain::target::TargetRules;
use crate::service::patch::Patch;
use crate::service::settings::differing;
use crate::service::{Error, Service, TenantScope};
use crate::store::audit::Audited;
use crate::store::endpoints::{DisabledReason, EndpointRow};
use crate::store::revisions::Revision;
use crate::store::{Answer, StoreError, Tx};

use super::create::{check_uid, json, show};
use super::draft::{Applied, Base, EndpointDraft};
use super::read::EndpointRef;
use super::signing::{SecretChange, shown};
use super::view::{EndpointSaved, EndpointView};

/// A change of an endpoint, checked as far as it can be outside the transaction.
pub struct CheckedChange {
    scope: TenantScope,
    endpoint: EndpointRef,
    draft: EndpointDraft,
    rules: TargetRules,
    random: [u8; 32],
    warning: Option<String>,
}

impl Service {
    /// Checks a change: all fields, then where a new URL leads. Blocks, for up to 2 s when a name has to be
    /// resolved. `text` and `tenant` as in [`Service::live_endpoint`].
    ///
    /// # Errors
    /// `not_found`, `invalid` with every wrong field, `target_denied`.
    pub fn check_endpoint_change(
        &self,
        scope: &TenantScope,
        text: &str,
        tenant: Option<&TenantName>,
        draft: EndpointDraft,
    ) -> Result<CheckedChange, Error> {
        let row = self.live_endpoint(scope, text, tenant)?;
        let base = self.store.read::<_, StoreError>(|reader| Base::of(reader, &row, &draft))?;
        let mut invalid = self.unknown_events(&draft);
        let applied = invalid.absorb(draft.apply(base, self.rules));
        let Some(applied) = applied.filter(|_| invalid.is_empty()) else { return Err(invalid.into()) };
        let warning = match draft.url {
            Patch::Set(_) => self.check_target(&applied.revision.url)?,
            Patch::Keep | Patch::Reset => None,
        };
        Ok(CheckedChange {
            scope: scope.clone(),
            endpoint: EndpointRef::new(text, tenant),
            draft,
            rules: self.rules,
            random: self.fresh_key(),
            warning,
        })
    }

    /// Changes the endpoint; holds for its very next attempt. The answer has the secret if this call has set it.
    ///
    /// # Errors
    /// In the answer: `not_found`, `invalid`, `uid_taken`.
    pub fn change_endpoint(&self, change: CheckedChange) -> Answer<EndpointSaved, Error> {
        self.store.write(move |tx| write(tx, change))
    }
}

fn write(tx: &mut Tx<'_>, change: CheckedChange) -> Result<EndpointSaved, Error> {
    let row = change.endpoint.find(tx, &change.scope)?;
    // Again, and now for good: somebody else may have changed it meanwhile.
    let mut applied = change.draft.apply(Base::of(tx, &row, &change.draft)?, change.rules)?;
    check_uid(tx, row.tenant_id, &applied.settings, Some(row.id))?;
    let scheme = applied.format.scheme();
    let secret = std::mem::replace(&mut applied.secret, SecretChange::Keep).resolve(scheme, change.random);
    let before = show(tx, row.id)?;
    let ended = ends_overlap(tx, &row, &applied, secret.as_ref().map(Option::as_ref))?;
    if rewrite(tx, &row, &applied, secret.as_ref().map(Option::as_ref), ended)? {
        let told = secret.as_ref().map(|secret| if secret.is_some() { "replaced" } else { "removed" });
        audit(tx, &change.scope, &row, &before, &applied.revision, told)?;
    }
    let actor = change.scope.actor();
    match (row.enabled, applied.enabled) {
        (false, true) => tx.enable_endpoint(row.id, true, actor)?,
        (true, false) => tx.disable_endpoint(row.id, DisabledReason::Manual, None, actor)?,
        _ => {}
    }
    let mut warnings = applied.warnings;
    warnings.extend(ended.then(|| OVERLAP_ENDED.to_owned()));
    warnings.extend(change.warning);
    let secret = secret.flatten().and_then(|secret| shown(scheme, &secret));
    Ok(EndpointSaved { endpoint: show(tx, row.id)?, secret, warnings })
}

/// Said where the secret before stops signing earlier than its rotation said.
const OVERLAP_ENDED: &str = "the overlap of the last rotation has ended: the secret before signs no more, because what the \
    endpoint signs with now cannot carry its signature; receivers that only know that one refuse from now on";

/// Whether a change ends the overlap of a rotation before its time. A new secret says so itself: it replaces at once.
#[expect(clippy::option_option, reason = "whether the secret changes, and to what")]
fn ends_overlap(
    tx: &Tx<'_>,
    row: &EndpointRow,
    applied: &Applied,
    secret: Option<Option<&Secret>>,
) -> Result<bool, StoreError> {
    let live = tx.overlapping_secrets(row.id, tx.now)?;
    let live: Vec<Secret> = live.into_iter().map(|row| row.secret).collect();
    Ok(match secret {
        _ if live.is_empty() => false,
        Some(secret) => secret.is_none(),
        None => applied.revision.format != row.revision.format && !applied.format.carries_overlap(&live),
    })
}

/// Writes what differs. `false`: nothing did.
#[expect(clippy::option_option, reason = "whether the secret changes, and to what")]
fn rewrite(
    tx: &mut Tx<'_>,
    row: &EndpointRow,
    applied: &Applied,
    secret: Option<Option<&Secret>>,
    ends_overlap: bool,
) -> Result<bool, Error> {
    let other_requests = applied.revision != row.revision;
    if !other_requests && secret.is_none() && applied.settings == row.settings {
        return Ok(false);
    }
    tx.update_endpoint(row.id, &applied.settings)?;
    if other_requests {
        tx.put_revision(row.id, &applied.revision)?;
    }
    if let Some(secret) = secret {
        match secret {
            Some(secret) => tx.rotate_secret(row.id, secret, None)?,
            None => tx.put_secret(row.id, None, None)?,
        }
    }
    if ends_overlap {
        tx.end_overlap(row.id)?;
    }
    tx.reload_route(row.id)?;
    Ok(true)
}

/// Notes the fields that differ, without a secret or the value of a header.
fn audit(
    tx: &mut Tx<'_>,
    scope: &TenantScope,
    row: &EndpointRow,
    before: &EndpointView,
    revision: &Revision,
    secret: Option<&'static str>,
) -> Result<(), Error> {
    let after = show(tx, row.id)?;
    let (Value::Object(before), Value::Object(after)) = (json(before)?, json(&after)?) else {
        return Err(StoreError::Internal("an endpoint is no object".to_owned()).into());
    };
    let masked = after.get("headers").cloned();
    let (mut old, mut new) = differing(before, after);
    for told_otherwise in ["updated_at", "last_rotation", "disable_at"] {
        old.remove(told_otherwise);
        new.remove(told_otherwise);
    }
    if revision.headers != row.revision.headers
        && let (false, Some(masked)) = (new.contains_key("headers"), masked)
    {
        // Only values differ, which are not shown.
        new.insert("headers".to_owned(), masked);
    }
    if let Some(word) = secret {
        new.insert("secret".to_owned(), word.into());
    }
    Ok(tx.audit(Audited {
        actor: scope.actor(),
        action: "endpoint.change",
        target: row.id.to_string(),
        tenant_id: Some(row.tenant_id),
        before: Some(Value::Object(old)),
        after: Some(Value::Object(new)),
    })?)
}
