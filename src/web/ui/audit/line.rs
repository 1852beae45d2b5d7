//! A line of the audit log, as it is read: what was changed, from what to what, and where to look at it.

use serde_json::{Map, Value};

use crate::domain::time::UnixMs;
use crate::store::audit::AuditLine;
use crate::web::ui::event_types;
use crate::web::ui::shown::short;
use crate::web::ui::weight::{Room, weight};

/// Values are cut after so many characters: a page holds many.
const LONGEST: usize = 200;
/// Bytes of the page that the changes of a line take, and what stands around each.
const ROOM: usize = 1_300;
const AROUND: usize = 40;

/// A line.
pub(super) struct Line {
    pub(super) at: UnixMs,
    pub(super) actor: String,
    /// From where; empty: from this machine.
    pub(super) address: String,
    pub(super) action: String,
    pub(super) target: String,
    /// Where it is shown; empty: nowhere.
    pub(super) path: String,
    pub(super) tenant: String,
    pub(super) changes: Vec<Change>,
    /// Whether it made something: then the changes are what it was made with.
    pub(super) makes: bool,
    /// How many there are besides.
    pub(super) more: usize,
    /// What it told went with its tenant.
    pub(super) blanked: bool,
}

/// A value that was changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// Its name; empty: the line is about one value.
    pub(super) name: String,
    /// `None`: it was not there.
    pub(super) before: Option<String>,
    /// `None`: it is not there any more.
    pub(super) after: Option<String>,
}

impl Change {
    fn fits(&self, room: &mut Room) -> bool {
        let values = self.before.iter().chain(&self.after).map(|value| weight(value) + AROUND);
        room.takes(&self.name, AROUND + values.sum::<usize>())
    }
}

impl Line {
    pub(super) fn of(line: &AuditLine) -> Self {
        let mut changes = changes(line.before.as_deref(), line.after.as_deref());
        let (all, mut room) = (changes.len(), Room::new(ROOM));
        let fits = changes.iter().position(|change| !change.fits(&mut room));
        changes.truncate(fits.unwrap_or(all));
        Self {
            more: all - changes.len(),
            blanked: line.is_blanked(),
            at: line.at,
            actor: line.actor.clone(),
            address: line.address.clone().unwrap_or_default(),
            action: line.action.clone(),
            target: line.target.clone(),
            path: place(&line.action, shown_under(line).as_deref().unwrap_or(&line.target)),
            tenant: line
                .tenant
                .as_ref()
                .map(ToString::to_string)
                .filter(|name| *name != line.target)
                .unwrap_or_default(),
            makes: line.before.is_none(),
            changes,
        }
    }

    /// The address of the list with one filter more or less: `name` holds `value`.
    #[expect(clippy::unused_self, reason = "templates call methods")]
    pub(super) fn filter(&self, name: &str, value: &str) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
        format!("{}?{query}", super::PATH)
    }
}

/// What is about a replay, which is shown on a page of its endpoint.
const REPLAY: &str = "endpoint.replay";

/// Of a replay its endpoint; empty where the line does not tell it any more.
fn shown_under(line: &AuditLine) -> Option<String> {
    let after = || serde_json::from_str::<Value>(line.after.as_deref()?).ok();
    let endpoint = || Some(after()?["endpoint"].as_str()?.to_owned());
    (line.action == REPLAY).then(|| endpoint().unwrap_or_default())
}

/// Where what it is about is shown. Names need no escaping in a path, but for slashes in those of event types.
fn place(action: &str, target: &str) -> String {
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.:@/-".contains(&b));
    let kind = action.split('.').next().unwrap_or_default();
    if action.ends_with(".delete") || action == "key.revoke" || target.is_empty() || !plain(target) {
        return String::new();
    }
    match kind {
        "endpoint" if action == REPLAY => format!("/endpoints/{target}/replay"),
        "endpoint" => format!("/endpoints/{target}"),
        "event" => format!("/events/{target}"),
        "delivery" if target.starts_with("dlv_") => format!("/deliveries/{target}"),
        "tenant" => format!("/tenants/{target}"),
        "format" => format!("/formats/{target}"),
        "event_type" => event_types::address(target),
        "key" => "/keys".to_owned(),
        "operator" => "/operators".to_owned(),
        "settings" => "/settings".to_owned(),
        "cleanup" => "/settings#cleanup".to_owned(),
        _ => String::new(),
    }
}

fn changes(before: Option<&str>, after: Option<&str>) -> Vec<Change> {
    let read = |text: Option<&str>| text.and_then(|text| serde_json::from_str::<Value>(text).ok());
    match (read(before), read(after)) {
        (None, None) => Vec::new(),
        (Some(Value::Object(old)), Some(Value::Object(new))) => between(&old, &new),
        (Some(Value::Object(old)), None) => between(&old, &Map::new()),
        (None, Some(Value::Object(new))) => between(&Map::new(), &new),
        (old, new) => vec![Change {
            name: String::new(),
            before: old.as_ref().map(shown),
            after: new.as_ref().map(shown),
        }],
    }
}

/// What the line says anyway: of what, whose, and when.
const TOLD: [&str; 4] = ["id", "tenant", "created_at", "updated_at"];

/// What differs, the names of the new one first. An empty value that was made is no news.
fn between(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<Change> {
    let gone = old.keys().filter(|name| !new.contains_key(*name));
    let named = new.keys().chain(gone);
    named
        .filter(|name| !TOLD.contains(&name.as_str()) && old.get(*name) != new.get(*name))
        .map(|name| Change {
            name: name.clone(),
            before: old.get(name).map(shown),
            after: new.get(name).map(shown),
        })
        .filter(|change| change.before.is_some() || !change.after.as_deref().is_some_and(is_nothing))
        .collect()
}

fn is_nothing(text: &str) -> bool {
    matches!(text, "null" | "[]" | "{}" | "\"\"")
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) if !text.is_empty() => text.clone(),
        other => other.to_string(),
    };
    short(&text, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(name: &str, before: Option<&str>, after: Option<&str>) -> Change {
        Change { name: name.to_owned(), before: before.map(str::to_owned), after: after.map(str::to_owned) }
    }

    #[test]
    fn what_differs_is_told_and_nothing_else() {
        let (old, new) = (r#"{"a":1,"b":[1],"c":"x"}"#, r#"{"b":[1,2],"c":"x","d":""}"#);
        let expected = [change("b", Some("[1]"), Some("[1,2]")), change("a", Some("1"), None)];
        assert_eq!(changes(Some(old), Some(new)), expected);
        assert_eq!(
            changes(None, Some(r#"{"url":"https://x","filters":{}}"#)),
            [change("url", None, Some("https://x"))]
        );
        assert_eq!(changes(Some("1"), Some("2")), [change("", Some("1"), Some("2"))]);
        assert_eq!(changes(None, None), []);
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let long = shown(&Value::from("ä".repeat(300)));
        assert_eq!((long.chars().count(), long.ends_with("ä…")), (201, true));
    }

    #[test]
    fn a_line_tells_as_many_changes_as_it_has_room_for() {
        let mut room = Room::new(ROOM);
        let long = change("url", Some(&"<".repeat(80)), Some(&"<".repeat(80)));
        assert_eq!((0..9).filter(|_| long.fits(&mut room)).count(), 1);
        assert!(change("a", None, Some("1")).fits(&mut room));
    }

    #[test]
    fn a_line_leads_to_what_it_is_about_unless_that_is_gone() {
        assert_eq!(place("endpoint.change", "ep_1"), "/endpoints/ep_1");
        assert_eq!(place("endpoint.replay", "ep_1"), "/endpoints/ep_1/replay");
        assert_eq!(place("tenant.put", "ops@example.org"), "/tenants/ops@example.org");
        assert_eq!(place("settings.change", "settings"), "/settings");
        assert_eq!(place("event_type.put", "a/./b"), "/event-types/a%2F.%2Fb");
        for (action, target) in
            [("endpoint.delete", "ep_1"), ("tenant.put", "a b"), ("strange", "x"), (REPLAY, "")]
        {
            assert_eq!(place(action, target), "", "{action}");
        }
    }
}
