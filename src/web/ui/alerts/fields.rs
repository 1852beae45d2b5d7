//! Alerts and the mail server as fields of forms.

use crate::domain::alert::mail::Security;
use crate::domain::alert::{Kind, Topic};
use crate::service::alerts::{AlertDraft, AlertView, MailServerView};
use crate::service::patch::Patch;
use crate::web::ui::form::Form;

/// What people call a kind.
pub(super) const fn kind_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Webhook => "webhook: an event to one of the endpoints",
        Kind::Slack => "slack: an incoming webhook of Slack or Mattermost",
        Kind::Discord => "discord: a webhook of a channel",
        Kind::Email => "email",
    }
}

/// How a mail server may be spoken to.
pub(super) fn securities() -> Vec<(&'static str, &'static str)> {
    let words = |security| match security {
        Security::StartTls => "starttls (port 587)",
        Security::Tls => "tls from the first byte on (port 465)",
        Security::None => "none: only on this machine (port 25)",
    };
    Security::ALL.map(|security| (security.as_str(), words(security))).into()
}

/// The form of a new alert: about everything.
pub(super) fn fresh() -> Form {
    let mut form = Form::default();
    form.add("kind", Kind::Email.as_str());
    for topic in Topic::ALL {
        form.add("conditions", topic.as_str());
    }
    form
}

/// The form of an alert that is there. Its URL is not.
pub(super) fn of_alert(alert: &AlertView) -> Form {
    let mut form = Form::default();
    form.add("name", alert.name.as_str());
    for topic in &alert.conditions {
        form.add("conditions", topic.as_str());
    }
    form.add("endpoint", alert.endpoint.map_or_else(String::new, |id| id.to_string()));
    form.add("email", alert.email.clone().unwrap_or_default());
    if alert.enabled {
        form.add("enabled", "true");
    }
    form
}

/// The fields of both. An address that is left blank is not said.
pub(super) fn draft(form: &Form) -> AlertDraft {
    let address = |name: &str| form.filled(name).map_or(Patch::Keep, |text| Patch::Set(text.to_owned()));
    AlertDraft {
        name: form.patch("name"),
        conditions: Patch::Set(form.all("conditions").map(str::to_owned).collect()),
        endpoint: address("endpoint"),
        url: address("url"),
        email: address("email"),
        ..AlertDraft::default()
    }
}

/// The form of the mail server. Its password is not written into pages, only that there is one.
pub(super) fn of_server(server: Option<&MailServerView>) -> Form {
    let mut form = Form::default();
    let Some(server) = server else {
        form.add("security", Security::StartTls.as_str());
        return form;
    };
    form.add("host", server.host.as_str());
    form.add("port", server.port.to_string());
    form.add("security", server.security.as_str());
    form.add("user", server.user.clone().unwrap_or_default());
    form.add("from", server.from.as_str());
    form
}
