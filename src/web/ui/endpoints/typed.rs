//! From what was typed about an endpoint to a draft. Only what a person has changed goes into it, so that two who change
//! different fields do not undo one another.

use crate::service::Patch;
use crate::service::endpoints::EndpointDraft;
use crate::web::ui::form::Form;

use super::fields::{self, NO_RETRIES};

/// What was typed, as far as it differs from what was `shown`, whose marks ([`fields::mark`]) these are. What cannot be
/// read is in the draft.
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
        if self.is_shown(name) { Patch::Keep } else { read(self.form, name) }
    }

    /// Whether a field holds what it held when the page was made.
    fn is_shown(&self, name: &str) -> bool {
        fields::mark(self.form.text(name)) == self.shown.text(name)
    }

    fn text(&mut self, name: &str) -> Patch<String> {
        self.changed(name, |form, name| form.patch(name))
    }

    /// The lines, and the types that were ticked besides.
    fn events(&mut self) -> Patch<Vec<String>> {
        let mut events = self.form.lines("events");
        let typed = !self.is_shown("events");
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
    let (signing, own) = (form.text("signing").to_owned(), form.filled("secret").map(str::to_owned));
    match (signing.as_str(), own) {
        ("own", Some(secret)) => return Patch::Set(secret),
        ("own", None) => {
            form.invalid().push("secret", "must be typed here, or choose above that one is made");
        }
        (_, Some(_)) => {
            form.invalid().push("secret", "is taken only with `one of mine`: choose it, or leave this empty");
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
