//! Replacing the secret of an endpoint, with a time in which the one before signs as well.

use std::time::Duration;

use crate::domain::format::Format;
use crate::domain::format::scheme::Taken;
use crate::domain::invalid::Invalid;
use crate::domain::names::TenantName;
use crate::domain::secret::Secret;
use crate::service::{Code, Error, Service, TenantScope};
use crate::store::audit::Audited;
use crate::store::endpoints::EndpointRow;
use crate::store::revisions::MOST_SECRETS;
use crate::store::{Answer, StoreError, Tx};

use super::create::show;
use super::read::EndpointRef;
use super::signing::shown;
use super::view::EndpointSaved;

/// Seconds that the secret before goes on signing, when the caller does not say.
pub const OVERLAP_SECONDS: u32 = 86_400;
/// At most so many.
pub const MAX_OVERLAP_SECONDS: u32 = 604_800;

/// What a caller says about a rotation; nothing in it is checked. It holds a secret, so it has no `Debug`.
#[derive(Clone, Default)]
pub struct RotationDraft {
    /// The new secret; one is made if it is absent.
    pub secret: Option<String>,
    /// How long the one before signs as well.
    pub overlap_seconds: Option<i64>,
}

impl Service {
    /// Replaces the secret of an endpoint. The answer holds the new one, this once (or the public key).
    ///
    /// # Errors
    /// In the answer: `not_found`; `too_many_secrets` while five sign; `invalid` with every wrong field: for the secret
    /// that signs at present, for an overlap in a format whose requests carry
    /// one signature, or in one that does not sign.
    pub fn rotate_secret(
        &self,
        scope: &TenantScope,
        text: &str,
        tenant: Option<&TenantName>,
        draft: RotationDraft,
    ) -> Answer<EndpointSaved, Error> {
        let (scope, endpoint) = (scope.clone(), EndpointRef::new(text, tenant));
        let random = self.fresh_key();
        self.store.write(move |tx| rotate(tx, &scope, &endpoint, &draft, random))
    }
}

/// A rotation whose fields were checked.
struct Plan {
    secret: Secret,
    own: bool,
    overlap_seconds: u32,
}

fn rotate(
    tx: &mut Tx<'_>,
    scope: &TenantScope,
    endpoint: &EndpointRef,
    draft: &RotationDraft,
    random: [u8; 32],
) -> Result<EndpointSaved, Error> {
    let row = endpoint.find(tx, scope)?;
    let missing = || StoreError::Internal(format!("the format of {} is not there", row.id));
    let format = tx.format(&row.revision.format)?.ok_or_else(missing)?.format;
    let plan = check(&format, draft, random)?;
    check_live(tx, &row, &plan)?;
    let end = tx.now.plus(Duration::from_secs(plan.overlap_seconds.into()));
    tx.rotate_secret(row.id, &plan.secret, (plan.overlap_seconds > 0).then_some(end))?;
    tx.reload_route(row.id)?;
    tx.audit(Audited {
        actor: scope.actor(),
        action: "endpoint.rotate_secret",
        target: row.id.to_string(),
        tenant_id: Some(row.tenant_id),
        before: None,
        after: Some(serde_json::json!({
            "secret": if plan.own { "replaced by the caller's" } else { "replaced" },
            "overlap_seconds": plan.overlap_seconds,
        })),
    })?;
    Ok(EndpointSaved {
        endpoint: show(tx, row.id)?,
        secret: shown(format.scheme(), &plan.secret),
        warnings: format.scheme().warning(&plan.secret).into_iter().collect(),
    })
}

/// Whether what signs at present allows this rotation.
fn check_live(tx: &Tx<'_>, row: &EndpointRow, plan: &Plan) -> Result<(), Error> {
    let newest = tx.secrets(row.id)?.into_iter().find(|secret| secret.expires_at.is_none());
    if newest.is_some_and(|newest| newest.secret.expose() == plan.secret.expose()) {
        return Err(Error::field("secret", "must be another than the one that signs at present"));
    }
    let live = tx.overlapping_secrets(row.id, tx.now)?;
    let next = live.iter().filter_map(|secret| secret.expires_at).min();
    // The newest, which becomes one of those before, and the new one.
    let Some(next) = next.filter(|_| plan.overlap_seconds > 0 && live.len() + 2 > MOST_SECRETS) else {
        return Ok(());
    };
    let detail = format!(
        "{MOST_SECRETS} secrets of the endpoint sign at present, which is as many as can; rotate again from {next} on, or \
         with overlap_seconds 0, which ends the others at once"
    );
    Err(Error::new(Code::TooManySecrets, detail))
}

fn check(format: &Format, draft: &RotationDraft, random: [u8; 32]) -> Result<Plan, Invalid> {
    let (mut invalid, scheme) = (Invalid::new(), format.scheme());
    let secret = match &draft.secret {
        _ if !scheme.has_secrets() => {
            let message = format!("cannot be rotated: the format {} does not sign", format.name());
            invalid.push("secret", message);
            None
        }
        None => scheme.make(random),
        Some(text) => match invalid.check("secret", scheme.take(text)) {
            Some(Taken::Secret(secret)) => Some(secret),
            Some(Taken::Unsigned) => {
                invalid.push("secret", "must not be empty; PATCH the endpoint to leave it unsigned");
                None
            }
            None => None,
        },
    };
    let several = format.carries_several_signatures();
    let default = if several { OVERLAP_SECONDS } else { 0 };
    let overlap = draft.overlap_seconds.map_or(Ok(default), |seconds| overlap(seconds, several));
    match (secret, invalid.check("overlap_seconds", overlap)) {
        (Some(secret), Some(overlap_seconds)) if invalid.is_empty() => {
            Ok(Plan { secret, own: draft.secret.is_some(), overlap_seconds })
        }
        _ => Err(invalid),
    }
}

fn overlap(seconds: i64, several: bool) -> Result<u32, String> {
    let inside = u32::try_from(seconds).ok().filter(|seconds| *seconds <= MAX_OVERLAP_SECONDS);
    match inside {
        Some(seconds) if seconds > 0 && !several => {
            Err("must be 0: requests in this format carry one signature, the newest secret's".to_owned())
        }
        Some(seconds) => Ok(seconds),
        None => Err(format!("must be a whole number of seconds from 0 to {MAX_OVERLAP_SECONDS}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::format::builtin;

    fn wrong(format: &Format, secret: Option<&str>, overlap_seconds: Option<i64>) -> Vec<String> {
        let draft = RotationDraft { secret: secret.map(str::to_owned), overlap_seconds };
        let invalid = check(format, &draft, [0; 32]).err().unwrap_or_default();
        invalid.0.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn an_overlap_needs_a_format_that_carries_two_signatures() {
        let (standard, github) = (Format::standard(), builtin::find("github").unwrap());
        for good in [None, Some(0), Some(604_800)] {
            assert!(wrong(&standard, None, good).is_empty(), "{good:?}");
        }
        for bad in [-1, 604_801, i64::MAX] {
            assert_eq!(wrong(&standard, Some("x"), Some(bad)), ["secret", "overlap_seconds"], "{bad}");
        }
        assert!(wrong(github, None, None).is_empty() && wrong(github, None, Some(0)).is_empty());
        assert_eq!(wrong(github, Some(""), Some(1)), ["secret", "overlap_seconds"]);
        let overlap =
            |format| check(format, &RotationDraft::default(), [0; 32]).map(|plan| plan.overlap_seconds);
        assert_eq!((overlap(&standard), overlap(github)), (Ok(86_400), Ok(0)));
    }

    #[test]
    fn what_does_not_sign_cannot_be_rotated() {
        let bare = Format::parse("bare", r#"{"signature":{"scheme":"none"},"envelope":"data"}"#).unwrap();
        assert_eq!(wrong(&bare, None, None), ["secret"]);
    }
}
