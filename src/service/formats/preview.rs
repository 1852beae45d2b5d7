//! The request that a format would make, without sending it.

use serde::Serialize;

use crate::domain::format::scheme::Taken;
use crate::domain::format::{AttemptOnWire, EventOnWire};
use crate::domain::ids::{EventId, first_at};
use crate::domain::names::TenantName;
use crate::domain::secret::Secret;
use crate::service::endpoints::{TestDraft, sample};
use crate::service::render::{Headers, on_wire};
use crate::service::{Error, Service, TenantScope};

/// What a preview is made of; nothing in it is checked. It may hold a secret, so it has no `Debug`.
#[derive(Clone, Default)]
pub struct PreviewDraft {
    /// The type and the data.
    pub event: TestDraft,
    /// The secret to sign with: one is made if it is absent; empty for none.
    pub secret: Option<String>,
}

/// A request that was not sent.
#[derive(Clone, Serialize)]
pub struct Preview {
    /// Always `POST`.
    pub method: &'static str,
    /// Names and values as they stand on the wire, without `host`, which the URL of an endpoint gives.
    #[serde(serialize_with = "pairs")]
    pub headers: Headers,
    /// The body, byte for byte.
    pub body: String,
    /// The secret that was made for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The public key that goes with the signature, for an asymmetric scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
}

impl Service {
    /// Renders a sample event, of now and of the caller's tenant, as it would be sent. Blocks.
    ///
    /// # Errors
    /// `not_found`; `invalid` with every wrong field; `too_large`.
    pub fn preview_format(
        &self,
        scope: &TenantScope,
        name: &str,
        draft: &PreviewDraft,
    ) -> Result<Preview, Error> {
        let format = self.find_format(name)?.format;
        let (event_type, data) = self.check_test(&draft.event)?;
        let data = match data {
            Some(data) => data,
            None => self.store.read(|reader| sample(reader, &event_type))?,
        };
        let scheme = format.scheme();
        let secret = match draft.secret.as_deref().map(|text| scheme.take(text)) {
            None => scheme.make(self.fresh_key()),
            Some(Ok(Taken::Secret(secret))) => Some(secret),
            Some(Ok(Taken::Unsigned)) => None,
            Some(Err(message)) => return Err(Error::field("secret", message)),
        };
        let broken = |message: String| Error::field("secret", message);
        let signer =
            secret.as_ref().map(|secret| format.signer(secret)).transpose().map_err(broken)?.flatten();
        let now = self.store.times().wall();
        let tenant = scope.tenant(None).unwrap_or_else(TenantName::default_name);
        let id = EventId(first_at(now)).to_string();
        let event = EventOnWire {
            id: &id,
            r#type: event_type.as_str(),
            timestamp: now,
            tenant: tenant.as_str(),
            data: &data,
        };
        let attempt = AttemptOnWire { timestamp_seconds: now.seconds(), number: 1 };
        let signers: Vec<_> = signer.iter().collect();
        let agent = concat!("Postrider/", env!("CARGO_PKG_VERSION"));
        let rendered = format.render(&event, &attempt, &signers, &[], agent);
        let headers = on_wire(rendered.headers, None, Some(rendered.body.len()));
        let made = |secret: &Secret| draft.secret.is_none().then(|| secret.expose().to_owned());
        Ok(Preview {
            method: "POST",
            headers,
            body: String::from_utf8_lossy(&rendered.body).into_owned(),
            secret: secret.as_ref().filter(|_| scheme.shows_secret()).and_then(made),
            public_key: secret.as_ref().and_then(|secret| scheme.public_key(secret)),
        })
    }
}

fn pairs<S: serde::Serializer>(pairs: &Headers, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}
