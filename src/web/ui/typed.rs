//! A form that cannot be taken now, and is to be sent again: what of it is kept, and how it travels through the page to
//! sign in, sealed, for it may hold a secret and nobody is signed in there.

use data_encoding::BASE64URL_NOPAD;
use url::form_urlencoded;

use crate::domain::headers::MASK;
use crate::web::state::AppState;

use super::form::Form;
use super::page;

/// Fields that are the page's own business: no page shows them, and nobody has typed them.
const OWN: [&str; 9] =
    ["once", "shown", "do", "what", "old", "counted", "left_out", "dry_run", "has_password"];
/// Choices of a button or a box: nothing is lost where they are all that there is.
const CHOSEN: [&str; 5] = ["held", "active", "role", "group", "tenant"];
/// What cannot be undone is asked for where it says so, and never here: by a button's own name and value,
const FINAL: [(&str, &str); 4] =
    [("do", "delete"), ("what", "clean"), ("held", "discard"), ("active", "false")];
/// or by the end of the address that it goes to.
const FINAL_WAYS: [&str; 5] = ["delete", "delete-data", "revoke", "cancel", "end"];
/// What has to be typed again.
const SECRETS: [&str; 4] = ["password", "old_password", "new_password", "secret"];
/// How long the page to sign in may wait with what it carries.
const CARRIED_MS: u64 = 24 * 60 * 60 * 1000;

/// A form to be sent again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Typed {
    /// Where it goes to.
    pub(super) action: String,
    /// What it holds, without its token; of secrets only that there is one.
    pub(super) fields: Vec<(String, String)>,
}

impl Typed {
    /// What is kept of a form that was sent to `action`. `None`: nothing would be lost, or it cannot be undone, or it is
    /// one that says itself where it goes on, such as that of the look.
    pub(super) fn of(action: &str, sent: &Form) -> Option<Self> {
        let mut typed = Self { action: page::within_site(action).to_owned(), fields: Vec::new() };
        let fields = || sent.fields().filter(|(name, _)| *name != "csrf");
        let is_lost = |(name, value): (&str, &str)| {
            !value.is_empty() && !OWN.contains(&name) && !CHOSEN.contains(&name) && !typed.is_secret(name)
        };
        let is_kept = |field: (&str, &str)| field.0 != "to" && !FINAL.contains(&field);
        if typed.path().rsplit('/').next().is_some_and(|end| FINAL_WAYS.contains(&end))
            || !fields().any(is_lost)
            || !fields().all(is_kept)
        {
            return None;
        }
        let kept = fields().map(|(name, value)| (name.to_owned(), typed.without_secrets(name, value)));
        typed.fields = kept.collect();
        Some(typed)
    }

    /// The form of a page to sign in that carries this: `to` and `kept`.
    pub(super) fn carried(&self, state: &AppState) -> Form {
        let text = format!("{} {}", now(state), self.encoded());
        let sealed = state.service.store().seal(&purpose(&self.action), &text);
        Form::of([("to", self.action.clone()), ("kept", BASE64URL_NOPAD.encode(&sealed))])
    }

    /// What a page to sign in has carried. `None`: there is nothing, or it is not of this server, or of another day.
    pub(super) fn from_carried(state: &AppState, form: &Form) -> Option<Self> {
        let sealed = BASE64URL_NOPAD.decode(form.text("kept").as_bytes()).ok()?;
        let to = form.text("to");
        let text = state.service.store().unseal(&purpose(to), &sealed)?;
        let (at, fields) = text.split_once(' ')?;
        let age = at.parse::<i64>().ok()?.abs_diff(now(state));
        (age < CARRIED_MS).then(|| Self::decoded(to, fields))
    }

    fn encoded(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.fields).finish()
    }

    fn decoded(to: &str, text: &str) -> Self {
        let fields = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        Self { action: page::within_site(to).to_owned(), fields }
    }

    /// The page above where it goes to.
    pub(super) fn above(&self) -> &str {
        page::above(self.path())
    }

    fn path(&self) -> &str {
        self.action.split('?').next().unwrap_or_default()
    }

    /// Whether a field has to be typed again. The address of a chat is as good as a password for it.
    pub(super) fn is_secret(&self, name: &str) -> bool {
        SECRETS.contains(&name) || (name == "url" && self.path().starts_with("/alerts"))
    }

    /// Whether a field is the page's own business, or nothing was typed there.
    pub(super) fn is_hidden(&self, name: &str, value: &str) -> bool {
        OWN.contains(&name) || (value.is_empty() && !self.is_secret(name))
    }

    /// Whether something has to be typed again.
    pub(super) fn has_secret(&self) -> bool {
        let is_open = |line: &str| !line.trim().is_empty() && !line.contains(':');
        let mut fields = self.fields.iter();
        fields.any(|(name, value)| self.is_secret(name) || (name == "headers" && value.lines().any(is_open)))
    }

    fn without_secrets(&self, name: &str, value: &str) -> String {
        match name {
            "headers" => value.lines().map(without_value).collect::<Vec<_>>().join("\n"),
            _ if self.is_secret(name) => String::new(),
            _ => value.to_owned(),
        }
    }
}

/// A line of headers without what is a credential. It lacks the `:` then, so that it is not taken before its value is typed.
fn without_value(line: &str) -> &str {
    match line.split_once(':') {
        Some((_, value)) if matches!(value.trim(), "" | MASK) => line,
        Some((name, _)) => name,
        None if line.trim().is_empty() => "",
        None => MASK,
    }
}

/// What the seal is for: it goes nowhere else.
fn purpose(action: &str) -> String {
    format!("typed for {action}")
}

fn now(state: &AppState) -> i64 {
    state.service.store().times().wall().0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_kept_and_neither_tokens_nor_passwords_are() {
        let sent = Form::of_query("csrf=t&name=CI+%26+co&scopes=a&scopes=b&old_password=x");
        let typed = Typed::of("/keys?x=1", &sent).unwrap();
        assert_eq!((typed.action.as_str(), typed.above()), ("/keys?x=1", "/"));
        assert_eq!(typed.encoded(), "name=CI+%26+co&scopes=a&scopes=b&old_password=");
        assert_eq!(Typed::decoded("/keys?x=1", &typed.encoded()), typed);
        let is_hidden = |name, value| typed.is_hidden(name, value);
        assert!(!is_hidden("old_password", "") && is_hidden("note", "") && is_hidden("once", "x"));
    }

    #[test]
    fn of_headers_the_names_are_kept_and_of_a_chat_not_even_the_address() {
        let sent =
            Form::of_query("url=https://a.example&headers=X-Old:+•••%0AX-New:+hush%0A%0Ahush%0AX-None:");
        let typed = Typed::of("/endpoints/new", &sent).unwrap();
        assert_eq!(typed.fields[0].1, "https://a.example");
        assert_eq!(typed.fields[1].1, "X-Old: •••\nX-New\n\n•••\nX-None:");
        assert!(typed.has_secret());
        let chat = Typed::of("/alerts/alr_1?x", &Form::of_query("name=x&url=https://hush.example")).unwrap();
        assert!(chat.fields[1].1.is_empty() && chat.has_secret());
    }

    #[test]
    fn a_form_in_which_nothing_would_be_lost_is_not_kept() {
        for query in [
            "csrf=t",
            "",
            "csrf=t&theme=dark&to=%2F",
            "csrf=t&password=x&once=y&note=",
            "held=deliver",
            "role=viewer&old=admin",
            "what=count",
            "older_than_days=3&what=clean",
            "note=x&do=delete",
        ] {
            assert_eq!(Typed::of("/keys", &Form::of_query(query)), None, "{query}");
        }
        let word = Form::of_query("confirm=acme");
        assert_eq!(Typed::of("/tenants/acme/delete?x=1", &word), None);
    }

    #[test]
    fn it_goes_nowhere_but_within_the_site() {
        assert_eq!(Typed::decoded("//evil.example", "a=b").action, "/");
    }
}
