//! Settings as fields of forms, and forms as changes of settings. What there is stands in the domain.

use serde_json::{Map, Value};
use url::form_urlencoded::Serializer;

use crate::domain::setting_words::{About, SETTINGS, Words};
use crate::domain::settings::{Settings, range};
use crate::web::ui::amounts::grouped;
use crate::web::ui::form::Form;

/// What is typed for a schedule without a retry, and for one that never comes.
const NONE: &str = "none";

/// Settings that are shown and saved together.
pub(super) struct Group {
    /// The name of its form.
    pub(super) name: &'static str,
    /// Its heading.
    pub(super) title: &'static str,
    /// Its settings.
    pub(super) fields: Vec<Field>,
    /// What its fields held when the page was made, as a query: what is still so is not saved, for somebody else may have
    /// changed it meanwhile.
    pub(super) shown: String,
}

/// A setting.
pub(super) struct Field {
    /// Its name.
    pub(super) name: &'static str,
    /// What people call it, with what it counts.
    pub(super) label: String,
    /// What follows from it, its default and its range.
    pub(super) hint: String,
    /// What there is to choose from; none: it is typed.
    pub(super) choices: &'static [(&'static str, &'static str)],
    /// `number`, where it is one.
    pub(super) kind: &'static str,
    /// Its value in words, for who cannot change it.
    pub(super) value: String,
}

type Choices = [(&'static str, &'static str); 2];

/// What a flag is called, by what it is about.
const fn choices(about: About) -> &'static Choices {
    match about {
        About::BackingUp => &[("false", "no"), ("true", "yes")],
        About::Telling => &[("false", "are not told"), ("true", "are told")],
        _ => &[("false", "are accepted"), ("true", "are refused")],
    }
}

fn all(settings: &Settings) -> Map<String, Value> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(all)) => all,
        _ => Map::new(),
    }
}

/// The section of the page that a form has saved.
pub(super) fn place(form: &Form) -> String {
    let about = About::ALL.into_iter().find(|about| form.has("group", about.as_str()));
    about.map_or_else(|| super::PATH.to_owned(), |about| format!("{}#{}", super::PATH, about.as_str()))
}

/// What the fields of a group hold.
fn held(about: About, now: &Map<String, Value>) -> String {
    let names = SETTINGS.iter().filter(|words| words.about == about).map(|words| words.name);
    let pairs = names.filter_map(|name| Some((name, typed(now.get(name)?))));
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// All settings with what is told of each. A form that is shown again still knows what it has shown first.
pub(super) fn groups(settings: &Settings, form: &Form) -> Vec<Group> {
    let (now, defaults) = (all(settings), all(&Settings::default()));
    let of = |values: &Map<String, Value>, name: &str| values.get(name).cloned().unwrap_or_default();
    let field = |words: &Words| Field::of(words, &of(&now, words.name), &of(&defaults, words.name));
    let group = |about: About| Group {
        name: about.as_str(),
        title: about.title(),
        fields: SETTINGS.iter().filter(|words| words.about == about).map(field).collect(),
        shown: match form.filled("shown") {
            Some(shown) if form.has("group", about.as_str()) => shown.to_owned(),
            _ => held(about, &now),
        },
    };
    About::ALL.into_iter().map(group).collect()
}

impl Field {
    fn of(words: &Words, now: &Value, default: &Value) -> Self {
        let flag = default.is_boolean();
        let kind = if range(words.name).is_some() { "number" } else { "text" };
        let unit = if words.unit.is_empty() { String::new() } else { format!(" ({})", words.unit) };
        let bounds = range(words.name)
            .map_or_else(String::new, |(least, most)| format!("; {} to {}", grouped(least), grouped(most)));
        Self {
            name: words.name,
            label: format!("{}{unit}", words.title),
            hint: format!("{} Default: {}{bounds}.", words.consequence, shown(default, words.about)),
            choices: if flag { choices(words.about) } else { &[] },
            kind,
            value: shown(now, words.about),
        }
    }
}

/// A value as it is read.
fn shown(value: &Value, about: About) -> String {
    match value {
        Value::Bool(flag) => choices(about)[usize::from(*flag)].1.to_owned(),
        Value::Null => "empty".to_owned(),
        Value::Number(number) => number.as_u64().map_or_else(|| number.to_string(), grouped),
        value => typed(value),
    }
}

/// A value as it is typed.
fn typed(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if text.is_empty() => NONE.to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(steps) if steps.is_empty() => NONE.to_owned(),
        Value::Array(steps) => steps.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Adds the settings in force where nothing was typed.
pub(super) fn fill(form: &mut Form, settings: &Settings) {
    for (name, value) in all(settings) {
        if form.all(&name).next().is_none() {
            form.add(&name, typed(&value));
        }
    }
}

/// The change that a form asks for: of the settings that it holds, as far as they differ from what it has shown. What
/// cannot be read is handed on as it is, so that it is refused with what is allowed.
pub(super) fn patch(form: &Form) -> Map<String, Value> {
    let defaults = all(&Settings::default());
    let shown = Form::of_query(form.text("shown"));
    let changed = |words: &&Words| {
        form.all(words.name).next().is_some_and(|text| shown.all(words.name).next() != Some(text))
    };
    let held = SETTINGS.iter().filter(changed);
    let value = |words: &Words| {
        let Some(text) = form.filled(words.name) else { return Value::Null };
        let read = match defaults.get(words.name) {
            Some(Value::String(_)) => (text == NONE).then(|| "".into()),
            Some(Value::Array(_)) => steps(text),
            _ => serde_json::from_str(text).ok(),
        };
        read.unwrap_or_else(|| text.into())
    };
    held.map(|words| (words.name.to_owned(), value(words))).collect()
}

/// `5, 300, 1800`.
fn steps(text: &str) -> Option<Value> {
    let parts = text.split([',', ' ', '\n']).map(str::trim).filter(|part| !part.is_empty() && *part != NONE);
    parts.map(|part| part.parse::<i64>().ok().map(Value::from)).collect::<Option<Vec<_>>>().map(Value::Array)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_shown_can_be_saved_and_changes_nothing() {
        let mut form = Form::default();
        let settings = Settings {
            event_retention_days: Some(0),
            strict_tenants: true,
            backup_schedule: String::new(),
            ..Settings::default()
        };
        fill(&mut form, &settings);
        let patch = patch(&form);
        assert_eq!(patch.len(), SETTINGS.len());
        assert_eq!(settings.patched(&patch).unwrap(), settings);
    }

    #[test]
    fn what_is_still_as_it_was_shown_is_no_change() {
        let settings = Settings { backup_schedule: String::new(), ..Settings::default() };
        let groups = groups(&settings, &Form::default());
        for group in groups {
            let mut form = Form::of([("group", group.name.to_owned()), ("shown", group.shown)]);
            fill(&mut form, &settings);
            assert!(
                group.fields.iter().all(|field| !patch(&form).contains_key(field.name)),
                "{}",
                group.name
            );
            assert_eq!(place(&form), format!("/settings#{}", group.name));
        }
    }

    #[test]
    fn what_is_typed_becomes_what_the_api_takes() {
        let form = Form::of([
            ("retention_days", " 7 ".to_owned()),
            ("event_retention_days", String::new()),
            ("retry_schedule", "5, 300\n1800".to_owned()),
            ("strict_tenants", "true".to_owned()),
            ("cleanup_schedule", "30 3 * * *".to_owned()),
            ("endpoint_limit", "ten".to_owned()),
        ]);
        let expected = json!({
            "retention_days": 7, "event_retention_days": null, "retry_schedule": [5, 300, 1800], "strict_tenants": true,
            "cleanup_schedule": "30 3 * * *", "endpoint_limit": "ten",
        });
        assert_eq!(Value::Object(patch(&form)), expected);
        let wrong = Settings::default().patched(&patch(&form)).unwrap_err();
        assert_eq!(wrong.0[0].message, "must be a whole number from 0 to 100000");
        assert_eq!(steps("none"), Some(json!([])));
        assert_eq!(steps("5 min"), None);
    }
}
