//! What an endpoint signs with: the format that a draft names, and what becomes of its secret.

use std::sync::Arc;

use crate::domain::format::Format;
use crate::domain::format::scheme::{Scheme, Taken};
use crate::domain::invalid::Invalid;
use crate::domain::secret::{KeyForm, Secret};
use crate::service::patch::Patch;
use crate::store::endpoints::EndpointRow;
use crate::store::{Reader, StoreError};

/// Names of formats that a refusal lists.
const LISTED: usize = 20;

/// What an endpoint signs with at present.
#[derive(Clone)]
pub(super) struct Present {
    format: Arc<Format>,
    secret: Option<Secret>,
}

impl Present {
    /// Of an endpoint that exists.
    pub(super) fn of(reader: &Reader<'_>, row: &EndpointRow) -> Result<Self, StoreError> {
        let name = &row.revision.format;
        let format = reader.format(name)?;
        let format = format.ok_or_else(|| StoreError::Internal(format!("{} uses {name}", row.id)))?.format;
        let secret = reader.secrets(row.id)?.into_iter().next().map(|newest| newest.secret);
        Ok(Self { format, secret })
    }
}

/// The format that a draft leaves an endpoint with.
pub(super) enum Chosen {
    Format(Arc<Format>),
    /// There is none of this name; these there are.
    Unknown(Vec<String>),
}

impl Chosen {
    /// Looks a format up. `present`: of an endpoint that exists.
    pub(super) fn look_up(
        reader: &Reader<'_>,
        named: &Patch<String>,
        present: Option<&Present>,
    ) -> Result<Self, StoreError> {
        let name = match (named, present) {
            (Patch::Set(name), _) => name,
            (Patch::Keep, Some(present)) => return Ok(Self::Format(Arc::clone(&present.format))),
            (Patch::Keep | Patch::Reset, _) => return Ok(Self::Format(Arc::new(Format::standard()))),
        };
        if let Some(row) = reader.format(name)? {
            return Ok(Self::Format(row.format));
        }
        let known = reader.formats(None, None, LISTED)?.rows;
        Ok(Self::Unknown(known.iter().map(|row| row.format.name().to_owned()).collect()))
    }

    /// The format; `None` after it was noted that there is none.
    pub(super) fn format(&self, invalid: &mut Invalid) -> Option<&Arc<Format>> {
        match self {
            Self::Format(format) => Some(format),
            Self::Unknown(known) => {
                let message = format!("must be the name of a format; there are {}", known.join(", "));
                invalid.push("format", message);
                None
            }
        }
    }
}

/// What becomes of the signing secret.
pub(super) enum SecretChange {
    /// It stays; a new endpoint has none.
    Keep,
    /// A new one is made.
    Make,
    /// The caller's own.
    Take(Secret),
    /// There is none any more.
    Remove,
}

impl SecretChange {
    /// What `secret` asks for, of an endpoint with `present` (`None`: a new one) that comes to `format`.
    pub(super) fn read(
        secret: &Patch<String>,
        format: &Format,
        present: Option<&Present>,
        invalid: &mut Invalid,
    ) -> Self {
        let scheme = format.scheme();
        match (secret, present) {
            (Patch::Set(text), _) => match invalid.check("secret", scheme.take(text)) {
                Some(Taken::Secret(secret)) => Self::Take(secret),
                Some(Taken::Unsigned) => Self::Remove,
                None => Self::Keep,
            },
            (Patch::Reset, _) | (Patch::Keep, None) if scheme.has_secrets() => Self::Make,
            (Patch::Reset, _) => Self::Remove,
            (Patch::Keep, present) => {
                if let Some(present) = present {
                    invalid.check("secret", fits(scheme, present));
                }
                Self::Keep
            }
        }
    }

    /// The secret that is written: `None`, it stays; `Some(None)`, there is none.
    #[expect(clippy::option_option, reason = "whether something changes, and to what")]
    pub(super) fn resolve(self, scheme: &Scheme, random: [u8; 32]) -> Option<Option<Secret>> {
        match self {
            Self::Keep => None,
            Self::Make => Some(scheme.make(random)),
            Self::Take(secret) => Some(Some(secret)),
            Self::Remove => Some(None),
        }
    }

    /// What is said to whoever asked for it.
    pub(super) fn warning(&self, scheme: &Scheme) -> Option<String> {
        match self {
            Self::Take(secret) => scheme.warning(secret),
            Self::Remove if scheme.has_secrets() => Some(
                "the endpoint is unsigned: its receiver cannot tell whether a request comes from here; have a \
                 secret made in its settings, which by the API is `secret`: null"
                    .to_owned(),
            ),
            Self::Remove | Self::Keep | Self::Make => None,
        }
    }
}

/// Notes what is wrong with a secret in whatever format it is for.
pub(super) fn check_for_any(secret: &Patch<String>, invalid: &mut Invalid) {
    if let Patch::Set(text) = secret
        && !text.is_empty()
    {
        invalid.check("secret", Secret::from_caller(text, KeyForm::Verbatim));
    }
}

/// Whether the secret that an endpoint has can stay with another format.
fn fits(scheme: &'static Scheme, present: &Present) -> Result<(), String> {
    if scheme == present.format.scheme() || !scheme.has_secrets() {
        return Ok(());
    }
    match &present.secret {
        Some(secret) => {
            scheme.fits(secret).map_err(|says| format!("{says}; the present one is not, so send one"))
        }
        None => Err("must be set with this format, which signs; null has one made".to_owned()),
    }
}

/// The secret as its owner is shown it, this once.
pub(super) fn shown(scheme: &Scheme, secret: &Secret) -> Option<String> {
    scheme.shows_secret().then(|| secret.expose().to_owned())
}
