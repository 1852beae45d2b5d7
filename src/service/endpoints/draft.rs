//! What a caller says about an endpoint, and checking it against what is there.

use std::sync::Arc;

use crate::domain::format::Format;
use crate::domain::headers::CustomHeaders;
use crate::domain::invalid::Invalid;
use crate::domain::limits;
use crate::domain::matching::Subscription;
use crate::domain::names::Uid;
use crate::domain::retry::RetrySchedule;
use crate::domain::target::{Target, TargetRules};
use crate::service::patch::Patch;
use crate::store::endpoints::{EndpointRow, EndpointSettings};
use crate::store::revisions::Revision;
use crate::store::{Reader, StoreError};

use super::signing::{self, Chosen, Present, SecretChange};

/// The fields of a create or a change as they came. Nothing in it is checked. It holds credentials, so it has no `Debug`.
#[derive(Clone, Default)]
#[expect(missing_docs, reason = "the names are those of the API, whose reference explains them")]
pub struct EndpointDraft {
    /// Fields that could not even be read, such as a text where a number belongs.
    pub wrong: Invalid,
    pub url: Patch<String>,
    pub uid: Patch<String>,
    pub events: Patch<Vec<String>>,
    pub description: Patch<String>,
    pub secret: Patch<String>,
    pub enabled: Patch<bool>,
    /// JSON text.
    pub filters: Patch<String>,
    pub headers: Patch<Vec<(String, String)>>,
    pub format: Patch<String>,
    pub metadata: Patch<Vec<(String, String)>>,
    pub retry_schedule: Patch<Vec<i64>>,
    pub timeout_seconds: Patch<i64>,
    pub rate_limit: Patch<i64>,
    pub max_in_flight: Patch<i64>,
    pub while_disabled: Patch<String>,
}

/// What a draft is applied to.
pub(super) struct Base {
    settings: EndpointSettings,
    revision: Revision,
    enabled: bool,
    /// `None`: the endpoint does not exist yet.
    signing: Option<Present>,
    format: Chosen,
}

impl Base {
    /// An endpoint that does not exist yet: everything has its default, unless `draft` names another format.
    pub(super) fn new(reader: &Reader<'_>, draft: &EndpointDraft) -> Result<Self, StoreError> {
        let settings = EndpointSettings {
            uid: None,
            description: String::new(),
            events: Vec::new(),
            filters: NO_FILTERS.to_owned(),
            metadata: Vec::new(),
            retry_schedule: None,
            rate_limit: None,
            max_in_flight: None,
            hold_while_disabled: true,
        };
        let revision = Revision {
            number: 0,
            url: String::new(),
            headers: Vec::new(),
            format: Format::standard().name().to_owned(),
            timeout_seconds: None,
        };
        let format = Chosen::look_up(reader, &draft.format, None)?;
        Ok(Self { settings, revision, enabled: true, signing: None, format })
    }

    /// An endpoint that exists.
    pub(super) fn of(
        reader: &Reader<'_>,
        row: &EndpointRow,
        draft: &EndpointDraft,
    ) -> Result<Self, StoreError> {
        let (settings, revision) = (row.settings.clone(), row.revision.clone());
        let signing = Present::of(reader, row)?;
        let format = Chosen::look_up(reader, &draft.format, Some(&signing))?;
        Ok(Self { settings, revision, enabled: row.enabled, signing: Some(signing), format })
    }
}

/// An endpoint as a draft would leave it; all of it is checked, except where its URL leads.
pub(super) struct Applied {
    pub(super) settings: EndpointSettings,
    pub(super) revision: Revision,
    pub(super) format: Arc<Format>,
    pub(super) secret: SecretChange,
    pub(super) enabled: bool,
    pub(super) warnings: Vec<String>,
}

const NO_FILTERS: &str = "{}";

/// Takes over a field; `take` notes what is wrong with it and answers `None`.
fn patched<T, U>(patch: &Patch<T>, current: U, default: U, take: impl FnOnce(&T) -> Option<U>) -> U {
    match patch {
        Patch::Keep => current,
        Patch::Reset => default,
        Patch::Set(value) => take(value).unwrap_or(current),
    }
}

impl EndpointDraft {
    /// Applies the draft to `base`.
    ///
    /// # Errors
    /// Every wrong field.
    pub(super) fn apply(&self, base: Base, rules: TargetRules) -> Result<Applied, Invalid> {
        let mut invalid = self.wrong.clone();
        let url = self.url(&base, rules, &mut invalid);
        let settings = self.settings(base.settings, &mut invalid);
        let (format, secret) = if let Some(format) = base.format.format(&mut invalid) {
            let change = SecretChange::read(&self.secret, format, base.signing.as_ref(), &mut invalid);
            (Arc::clone(format), change)
        } else {
            signing::check_for_any(&self.secret, &mut invalid);
            (Arc::new(Format::standard()), SecretChange::Keep)
        };
        let revision = Revision { url, ..self.revision(base.revision, &format, &mut invalid) };
        let enabled = patched(&self.enabled, base.enabled, true, |enabled| Some(*enabled));
        let mut warnings = Vec::new();
        if settings.events.is_empty() {
            warnings.push(
                "it subscribes to no event type (`events` is empty), so nothing is sent to this endpoint; give it \
                 patterns such as `invoice.*`, or `*` for all"
                    .to_owned(),
            );
        }
        warnings.extend(secret.warning(format.scheme()));
        invalid.keep_first();
        invalid.into_result(Applied { settings, revision, format, secret, enabled, warnings })
    }

    fn url(&self, base: &Base, rules: TargetRules, invalid: &mut Invalid) -> String {
        match &self.url {
            Patch::Set(url) => match Target::parse(url, rules) {
                Ok(target) => return target.as_str().to_owned(),
                Err(error) => invalid.push("url", error.to_string()),
            },
            Patch::Keep if base.signing.is_some() => {}
            _ => invalid.push("url", "is required: the URL that receives, such as https://example.com/hook"),
        }
        base.revision.url.clone()
    }

    fn settings(&self, base: EndpointSettings, invalid: &mut Invalid) -> EndpointSettings {
        let settings = EndpointSettings {
            uid: patched(&self.uid, base.uid, None, |uid| invalid.check("uid", Uid::parse(uid)).map(Some)),
            description: patched(&self.description, base.description, String::new(), |text| {
                invalid.check("description", limits::description(text)).map(|()| text.clone())
            }),
            events: patched(&self.events, base.events, Vec::new(), |events| Some(events.clone())),
            filters: patched(&self.filters, base.filters, NO_FILTERS.to_owned(), |text| {
                Some(if text.trim() == "null" { NO_FILTERS } else { text.trim() }.to_owned())
            }),
            metadata: patched(&self.metadata, base.metadata, Vec::new(), |pairs| {
                invalid.absorb(metadata(pairs)).map(|()| pairs.clone())
            }),
            retry_schedule: patched(&self.retry_schedule, base.retry_schedule, None, |steps| {
                let schedule = invalid.check("retry_schedule", RetrySchedule::parse(steps))?;
                Some(Some(schedule.seconds().to_vec()))
            }),
            rate_limit: patched(&self.rate_limit, base.rate_limit, None, |rate| {
                invalid.check("rate_limit", limits::rate_limit(Some(*rate)))
            }),
            max_in_flight: patched(&self.max_in_flight, base.max_in_flight, None, |most| {
                invalid.check("max_in_flight", limits::max_in_flight(*most)).map(Some)
            }),
            hold_while_disabled: patched(&self.while_disabled, base.hold_while_disabled, true, |word| {
                let known = match word.as_str() {
                    "hold" => Ok(true),
                    "skip" => Ok(false),
                    _ => Err("must be hold or skip".to_owned()),
                };
                invalid.check("while_disabled", known)
            }),
        };
        invalid.absorb(Subscription::parse(&settings.events, Some(&settings.filters)));
        settings
    }

    fn revision(&self, base: Revision, format: &Format, invalid: &mut Invalid) -> Revision {
        let (own, current) = (format.own_headers(), CustomHeaders::stored(base.headers.clone()));
        let headers = patched(&self.headers, base.headers, Vec::new(), |given| {
            let checked = CustomHeaders::from_caller(given.clone(), &current, &own);
            invalid.absorb(checked).map(|headers| headers.expose().to_vec())
        });
        if matches!(self.headers, Patch::Keep) {
            invalid.absorb(current.fit(&own));
        }
        let timeout_seconds = patched(&self.timeout_seconds, base.timeout_seconds, None, |seconds| {
            invalid.check("timeout_seconds", limits::timeout_seconds(*seconds)).map(Some)
        });
        Revision { headers, timeout_seconds, format: format.name().to_owned(), ..base }
    }
}

fn metadata(pairs: &[(String, String)]) -> Result<(), Invalid> {
    limits::metadata(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())))?;
    let mut keys: Vec<&str> = pairs.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    match keys.windows(2).find(|two| two[0] == two[1]) {
        Some(two) => Err(Invalid::one(format!("metadata.{}", two[0]), "is there twice")),
        None => Ok(()),
    }
}
