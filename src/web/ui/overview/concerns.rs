//! What needs a hand, as the page tells it.

use crate::domain::time::UnixMs;
use crate::service::attention::{Attention, Topic};
use crate::web::ui::amounts;
use crate::web::ui::form;

/// All that there is to tell.
pub(super) struct Concerns {
    /// What needs a hand, the most urgent first.
    pub(super) urgent: Vec<Concern>,
    /// What somebody wanted so.
    pub(super) wanted: Vec<Concern>,
    more: bool,
}

/// Something that needs a hand.
pub(super) struct Concern {
    /// The status word of the endpoint; empty where it is about none.
    pub(super) status: &'static str,
    /// What it is about, where that is no endpoint.
    pub(super) title: &'static str,
    /// What is the matter and what to do.
    pub(super) message: String,
    /// Since when.
    pub(super) since: Option<UnixMs>,
    /// What happens when: it gets worse then.
    pub(super) until: Option<(&'static str, UnixMs)>,
    /// Where to do something about it; empty: nowhere in the console.
    pub(super) path: String,
    /// The endpoint's URL, and what people call it.
    pub(super) endpoint: Option<(String, String)>,
    /// Whose it is.
    pub(super) tenant: String,
    /// What somebody noted.
    pub(super) note: Option<String>,
}

impl Concerns {
    pub(super) fn of(attention: Vec<Attention>, more: bool) -> Self {
        let (wanted, urgent): (Vec<_>, Vec<_>) =
            attention.into_iter().partition(|one| one.topic == Topic::EndpointOff);
        let told = |all: Vec<Attention>| all.into_iter().map(Concern::of).collect();
        Self { urgent: told(urgent), wanted: told(wanted), more }
    }

    /// The answer, in a sentence.
    pub(super) fn sentence(&self) -> String {
        match (self.urgent.len(), self.more) {
            (0, _) => "All is well.".to_owned(),
            (count, true) => format!("{count} or more things need a hand."),
            (1, false) => "One thing needs a hand.".to_owned(),
            (count, false) => format!("{count} things need a hand."),
        }
    }

    /// What was wanted, in a few words.
    pub(super) fn wanted(&self) -> String {
        let count = amounts::some(self.wanted.len(), "endpoint is", "endpoints are");
        format!("{count} disabled by hand")
    }
}

impl Concern {
    fn of(one: Attention) -> Self {
        let (title, place) = match one.topic {
            Topic::NotReady => ("The server", ""),
            Topic::CleanupWaits => ("Cleanup", "/settings#cleanup"),
            _ => ("", ""),
        };
        let then = if one.topic == Topic::HeldExpires { "Deleted" } else { "Disabled" };
        let concern = Self {
            status: "",
            title,
            message: form::sentence(&one.message),
            since: one.since,
            until: one.until.map(|at| (then, at)),
            path: place.to_owned(),
            endpoint: None,
            tenant: String::new(),
            note: None,
        };
        let Some(endpoint) = one.endpoint else { return concern };
        Self {
            status: endpoint.health.as_str(),
            path: format!("/endpoints/{}", endpoint.id),
            endpoint: Some((endpoint.url, endpoint.description)),
            tenant: endpoint.tenant.to_string(),
            note: endpoint.disabled_note,
            ..concern
        }
    }
}
