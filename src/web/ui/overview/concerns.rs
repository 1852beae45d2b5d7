//! What needs a hand, as the page tells it.

use crate::domain::time::UnixMs;
use crate::service::attention::{Attention, Topic};
use crate::web::ui::amounts;
use crate::web::ui::form;
use crate::web::ui::moments::Zone;
use crate::web::ui::shown;

/// So many are shown, the most urgent first; the list of endpoints has them all.
const ROWS: usize = 25;
/// Characters of a note or a message.
const WORDS: usize = 200;

/// All that there is to tell.
pub(super) struct Concerns {
    /// What needs a hand, the most urgent first.
    pub(super) urgent: Vec<Concern>,
    /// What somebody wanted so.
    pub(super) wanted: Vec<Concern>,
    /// How many of either there are; more are not told of where `more` says so.
    counts: (usize, usize),
    more: bool,
    /// A restore holds deliveries back.
    pub(super) restored: bool,
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
    /// What else to look at: words and a path.
    pub(super) links: Vec<(&'static str, String)>,
    /// The endpoint's URL, and what people call it.
    pub(super) endpoint: Option<(String, String)>,
    /// Whose it is.
    pub(super) tenant: String,
    /// What somebody noted.
    pub(super) note: Option<String>,
}

impl Concerns {
    pub(super) fn of(attention: Vec<Attention>, more: bool, zone: &Zone) -> Self {
        let restored = attention.iter().any(|one| one.topic == Topic::Restored);
        let (wanted, urgent): (Vec<_>, Vec<_>) =
            attention.into_iter().partition(|one| one.topic == Topic::EndpointOff);
        let counts = (urgent.len(), wanted.len());
        let told = |all: Vec<Attention>, most| {
            all.into_iter().take(most).map(|one| Concern::of(one, zone)).collect()
        };
        let left = ROWS.saturating_sub(urgent.len());
        Self { urgent: told(urgent, ROWS), wanted: told(wanted, left), counts, more, restored }
    }

    /// Whether there are more than are shown.
    pub(super) fn has_more(&self) -> bool {
        self.more || self.counts.0 + self.counts.1 > self.urgent.len() + self.wanted.len()
    }

    /// The answer, in a sentence.
    pub(super) fn sentence(&self) -> String {
        match (self.counts.0, self.more) {
            (0, _) => "All is well.".to_owned(),
            (count, true) => format!("{count} or more things need a hand."),
            (1, false) => "One thing needs a hand.".to_owned(),
            (count, false) => format!("{count} things need a hand."),
        }
    }

    /// Whether anything was wanted so.
    pub(super) fn has_wanted(&self) -> bool {
        self.counts.1 > 0
    }

    /// What was wanted, in a few words.
    pub(super) fn wanted(&self) -> String {
        let count = amounts::some(self.counts.1, "endpoint is", "endpoints are");
        format!("{count} disabled by hand")
    }
}

impl Concern {
    fn of(one: Attention, zone: &Zone) -> Self {
        let (title, place) = match one.topic {
            Topic::NotReady => ("The server", ""),
            Topic::Restored => ("A restored backup", ""),
            Topic::CleanupWaits | Topic::CleanupFails => ("Cleanup", "/settings#cleanup"),
            Topic::BackupFails => ("Backup", "/settings#backups"),
            Topic::AlertFails => ("Alerts", "/alerts"),
            _ => ("", ""),
        };
        let then = match one.topic {
            Topic::HeldExpires => Some("Deleted"),
            Topic::EndpointEnds => Some("Disabled"),
            _ => None,
        };
        // The sentence holds the moment as the API writes it.
        let message = match one.until {
            Some(at) => one.message.replace(&at.to_string(), &zone.typed(at)),
            None => one.message,
        };
        let concern = Self {
            status: "",
            title,
            message: shown::short(&form::sentence(&message), WORDS),
            since: one.since,
            until: then.zip(one.until),
            path: place.to_owned(),
            links: Vec::new(),
            endpoint: None,
            tenant: String::new(),
            note: None,
        };
        let Some(endpoint) = one.endpoint else { return concern };
        let path = format!("/endpoints/{}", endpoint.id);
        Self {
            status: endpoint.health.as_str(),
            links: match one.topic {
                Topic::EndpointFails | Topic::EndpointEnds => {
                    vec![("Its last deliveries", format!("{path}/deliveries"))]
                }
                Topic::HeldExpires => vec![
                    ("What is held", format!("{path}/deliveries?status=held")),
                    ("Keep more", "/settings#keeping".to_owned()),
                ],
                _ => Vec::new(),
            },
            path,
            endpoint: Some((shown::url(&endpoint.url), shown::called(&endpoint.description))),
            tenant: endpoint.tenant.to_string(),
            note: endpoint.disabled_note.map(|note| shown::short(&note, WORDS)),
            ..concern
        }
    }
}
