//! An endpoint's settings as a form: what it offers and what it shows. `typed` is the way back.

use url::form_urlencoded::Serializer;

use crate::domain::limits::MAX_FORMATS;
use crate::service::endpoints::EndpointView;
use crate::service::{Error, Service, TenantScope};
use crate::web::ui::form::Form;

/// What is typed for a schedule that tries nothing again.
pub(super) const NO_RETRIES: &str = "none";
/// Types of the catalogue that a form suggests.
const TYPES: usize = 100;
/// All formats that a team may have, and more than are built in.
const FORMATS: usize = MAX_FORMATS + 100;

/// What a form of settings offers.
pub(super) struct Choices {
    /// Names of formats, as values and labels.
    pub formats: Vec<(String, String)>,
    /// Types of the catalogue that may be ticked.
    pub types: Vec<String>,
    /// The schedule of who has set none.
    pub retries: String,
}

impl Choices {
    /// Reads them. Types that `subscribed` names are not offered again. Blocks.
    pub fn read(service: &Service, scope: &TenantScope, subscribed: &[String]) -> Result<Self, Error> {
        let (formats, _) = service.formats(scope, None, FORMATS)?;
        let (types, _) = service.event_types(scope, None, None, TYPES)?;
        let types = types.into_iter().filter(|row| !row.reserved).map(|row| row.name.to_string());
        let settings = service.store().directory().settings();
        Ok(Self {
            formats: formats.into_iter().map(|format| (format.name.clone(), format.name)).collect(),
            types: types.filter(|name| !subscribed.contains(name)).collect(),
            retries: steps(settings.retry_schedule.seconds()),
        })
    }

    /// What the field `retry_schedule` says below itself.
    pub fn retries_hint(&self) -> String {
        format!(
            "Seconds to wait after each failed attempt, 0 to 20 of them with commas between; {NO_RETRIES}: one attempt. \
             Empty: as the server's setting says, now {}.",
            self.retries
        )
    }
}

fn steps(seconds: &[u32]) -> String {
    if seconds.is_empty() {
        return NO_RETRIES.to_owned();
    }
    seconds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// An endpoint as its form shows it, with the same again in the field `shown`.
pub(super) fn shown(endpoint: &EndpointView) -> Form {
    let optional = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let fields = [
        ("url", endpoint.url.clone()),
        ("uid", endpoint.uid.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("events", endpoint.events.join("\n")),
        ("description", endpoint.description.clone()),
        ("filters", if endpoint.filters == "{}" { String::new() } else { endpoint.filters.clone() }),
        ("headers", lines(&endpoint.headers, ": ")),
        ("format", endpoint.format.clone()),
        (
            "metadata",
            if fits_lines(&endpoint.metadata) { lines(&endpoint.metadata, " = ") } else { String::new() },
        ),
        ("retry_schedule", endpoint.retry_schedule.as_deref().map(steps).unwrap_or_default()),
        ("timeout_seconds", endpoint.timeout_seconds.to_string()),
        ("rate_limit", optional(endpoint.rate_limit)),
        ("max_in_flight", endpoint.max_in_flight.to_string()),
        ("while_disabled", endpoint.while_disabled.to_owned()),
    ];
    let again = Serializer::new(String::new()).extend_pairs(&fields).finish();
    let mut form = Form::of(fields);
    form.add("shown", again);
    form
}

fn lines(pairs: &[(String, String)], sign: &str) -> String {
    pairs.iter().map(|(name, value)| format!("{name}{sign}{value}")).collect::<Vec<_>>().join("\n")
}

/// Whether metadata can be written as lines and read again: its values may hold anything.
pub(super) fn fits_lines(metadata: &[(String, String)]) -> bool {
    let plain = |text: &str| text.trim() == text && !text.contains(['\n', '\r']);
    metadata.iter().all(|(key, value)| plain(key) && plain(value) && !key.contains('='))
}
