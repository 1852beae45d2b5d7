//! An endpoint's settings as a form: from an endpoint to what is shown, and from what was typed to a draft. Only what a
//! person has changed goes into the draft, so that two who change different fields do not undo one another.

use url::form_urlencoded::Serializer;

use crate::domain::limits::MAX_FORMATS;
use crate::service::endpoints::{EndpointDraft, EndpointView};
use crate::service::{Error, Patch, Service, TenantScope};
use crate::web::ui::form::Form;

/// What is typed for a schedule that tries nothing again.
const NO_RETRIES: &str = "none";
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
        let (types, _) = service.event_types(scope, None, TYPES)?;
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
            "Seconds to wait after each failed attempt, 0 to 20 of them with commas between; `{NO_RETRIES}`: one attempt. \
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

/// What was typed, as far as it differs from what was `shown`. What cannot be read is in the draft.
pub(super) fn draft(form: &mut Form, shown: &Form) -> EndpointDraft {
    let mut typed = Typed { form, shown };
    EndpointDraft {
        url: typed.text("url"),
        uid: typed.text("uid"),
        events: typed.events(),
        description: typed.text("description"),
        secret: secret(typed.form),
        enabled: Patch::Keep,
        filters: typed.text("filters"),
        headers: typed.changed("headers", |form, name| form.pairs(name, ':')),
        format: typed.text("format"),
        metadata: typed.changed("metadata", |form, name| form.pairs(name, '=')),
        retry_schedule: typed.changed("retry_schedule", retries),
        timeout_seconds: typed.changed("timeout_seconds", Form::number),
        rate_limit: typed.changed("rate_limit", Form::number),
        max_in_flight: typed.changed("max_in_flight", Form::number),
        while_disabled: typed.text("while_disabled"),
        wrong: std::mem::take(typed.form.invalid()),
    }
}

/// A form and what it held when the page was made.
struct Typed<'a> {
    form: &'a mut Form,
    shown: &'a Form,
}

impl Typed<'_> {
    fn changed<T>(&mut self, name: &str, read: impl Fn(&mut Form, &str) -> Patch<T>) -> Patch<T> {
        if self.form.text(name) == self.shown.text(name) { Patch::Keep } else { read(self.form, name) }
    }

    fn text(&mut self, name: &str) -> Patch<String> {
        self.changed(name, |form, name| form.patch(name))
    }

    /// The lines, and the types that were ticked besides.
    fn events(&mut self) -> Patch<Vec<String>> {
        let mut events = self.form.lines("events");
        let typed = self.form.text("events") != self.shown.text("events");
        let ticked: Vec<String> = self
            .form
            .all("types")
            .filter(|name| !events.iter().any(|known| known == name))
            .map(str::to_owned)
            .collect();
        if !typed && ticked.is_empty() {
            return Patch::Keep;
        }
        events.extend(ticked);
        Patch::Set(events)
    }
}

fn secret(form: &mut Form) -> Patch<String> {
    let own = form.filled("secret").map(str::to_owned);
    match (form.text("signing"), own) {
        ("own", Some(secret)) => return Patch::Set(secret),
        ("own", None) => {
            form.invalid().push("secret", "must be typed here, or choose above that one is made")
        }
        (_, Some(_)) => {
            form.invalid().push("secret", "is taken only with `one of mine`: choose it, or leave this empty")
        }
        ("make", None) => return Patch::Reset,
        ("none", None) => return Patch::Set(String::new()),
        _ => {}
    }
    Patch::Keep
}

fn retries(form: &mut Form, name: &str) -> Patch<Vec<i64>> {
    let Some(text) = form.filled(name) else { return Patch::Reset };
    if text.eq_ignore_ascii_case(NO_RETRIES) {
        return Patch::Set(Vec::new());
    }
    let parts = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty());
    let steps: Result<Vec<i64>, _> = parts.map(str::parse).collect();
    if let Ok(steps) = steps {
        return Patch::Set(steps);
    }
    form.invalid().push(name, format!("must be whole seconds with commas between, or `{NO_RETRIES}`"));
    Patch::Keep
}
