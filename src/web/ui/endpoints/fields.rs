//! An endpoint's settings as a form: what it offers and what it shows. `typed` is the way back.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use url::form_urlencoded::Serializer;

use crate::domain::limits::MAX_FORMATS;
use crate::domain::matching::Pattern;
use crate::service::endpoints::EndpointView;
use crate::service::{Error, Service, TenantScope};
use crate::web::ui::form::Form;
use crate::web::ui::weight::Room;

/// Bytes of the page that the settings of an endpoint take which may be long. What does not fit is left out, and can be
/// saved as a file and changed by the API.
const ROOM: usize = 36 * 1024;
/// Bytes that the choices of types take, and those of formats.
const TYPES_ROOM: usize = 8 * 1024;
const FORMATS_ROOM: usize = 4 * 1024;
/// Bytes around a choice.
const AROUND: usize = 80;
/// What is typed for a schedule that tries nothing again.
pub(super) const NO_RETRIES: &str = "none";
/// Types of the catalogue that a form suggests.
const TYPES: usize = 100;
/// All formats that a team may have, and more than are built in.
const FORMATS: usize = MAX_FORMATS + 100;

/// What a form of settings offers.
pub(super) struct Choices {
    /// Names of formats, as values and labels; none where a page has no room for them all.
    pub formats: Vec<(String, String)>,
    /// Types of the catalogue that may be ticked.
    pub types: Vec<String>,
    /// The schedule of who has set none.
    pub retries: String,
}

impl Choices {
    /// Reads them. Types that the patterns in `subscribed` cover are not offered again. Blocks.
    pub fn read(service: &Service, scope: &TenantScope, subscribed: &[String]) -> Result<Self, Error> {
        let formats = service.formats(scope, None, None, FORMATS)?.rows;
        let mut names: Vec<_> = formats.into_iter().map(|format| format.name).collect();
        let all = names.len();
        Room::new(FORMATS_ROOM).cut(&mut names, AROUND);
        if names.len() < all {
            names.clear();
        }
        let types = service.published_types(scope).into_iter();
        let settings = service.store().directory().settings();
        let covers: Vec<_> = subscribed.iter().filter_map(|text| Pattern::parse(text).ok()).collect();
        let mut types: Vec<_> =
            types.filter(|name| !covers.iter().any(|pattern| pattern.matches(name))).take(TYPES).collect();
        Room::new(TYPES_ROOM).cut(&mut types, AROUND);
        Ok(Self {
            formats: names.into_iter().map(|name| (name.clone(), name)).collect(),
            types,
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

/// An endpoint as its form shows it, with a mark of each field in the field `shown`. The names of those that a page has no
/// room for stand in the field `left_out`.
pub(super) fn shown(endpoint: &EndpointView) -> Form {
    let (mut form, mut room, mut marks) = (Form::default(), Room::new(ROOM), Serializer::new(String::new()));
    for (name, text) in whole(endpoint) {
        if room.takes(&text, AROUND) {
            marks.append_pair(name, &mark(&text));
            form.add(name, text);
        } else {
            form.add("left_out", name);
        }
    }
    form.add("shown", marks.finish());
    form
}

/// What tells whether a field was changed, however long it is. Nothing for nothing. A browser sends ends of lines in a way
/// of its own.
pub(super) fn mark(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    if text.is_empty() { String::new() } else { BASE64URL_NOPAD.encode(&Sha256::digest(text)[..12]) }
}

/// One of the settings as a file; `None`: there is none of this name.
pub(super) fn file(endpoint: &EndpointView, name: &str) -> Option<String> {
    if name == "metadata" {
        return Some(lines(&endpoint.metadata, " = "));
    }
    whole(endpoint).into_iter().find(|(field, _)| *field == name).map(|(_, text)| text)
}

/// The settings as they are typed, the short ones first.
fn whole(endpoint: &EndpointView) -> [(&'static str, String); 13] {
    let optional = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    [
        ("url", endpoint.url.clone()),
        ("uid", endpoint.uid.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("format", endpoint.format.clone()),
        ("retry_schedule", endpoint.retry_schedule.as_deref().map(steps).unwrap_or_default()),
        ("timeout_seconds", endpoint.timeout_seconds.to_string()),
        ("rate_limit", optional(endpoint.rate_limit)),
        ("max_in_flight", endpoint.max_in_flight.to_string()),
        ("while_disabled", endpoint.while_disabled.to_owned()),
        ("description", endpoint.description.clone()),
        ("headers", lines(&endpoint.headers, ": ")),
        (
            "metadata",
            if fits_lines(&endpoint.metadata) { lines(&endpoint.metadata, " = ") } else { String::new() },
        ),
        ("events", endpoint.events.join("\n")),
        ("filters", if endpoint.filters == "{}" { String::new() } else { endpoint.filters.clone() }),
    ]
}

fn lines(pairs: &[(String, String)], sign: &str) -> String {
    pairs.iter().map(|(name, value)| format!("{name}{sign}{value}")).collect::<Vec<_>>().join("\n")
}

/// Whether metadata can be written as lines and read again: its values may hold anything.
pub(super) fn fits_lines(metadata: &[(String, String)]) -> bool {
    let plain = |text: &str| text.trim() == text && !text.contains(['\n', '\r']);
    metadata.iter().all(|(key, value)| plain(key) && plain(value) && !key.contains('='))
}
