//! The answer to a call that has set a secret, or that has something to say: shown this once.

use actix_web::HttpResponse;

use crate::service::endpoints::EndpointSaved;
use crate::web::ui::form;
use crate::web::ui::kept::{Kept, Secret};
use crate::web::ui::lost::Of;
use crate::web::ui::visit::Visit;

use super::{PATH, tabs};

/// Whether there is anything that has to be shown at once.
pub(super) fn has_to_be_shown(saved: &EndpointSaved) -> bool {
    saved.secret.is_some() || !saved.warnings.is_empty()
}

/// Leads to the page that shows it. `done`: what was done, as a sentence.
pub(super) fn page(visit: &Visit, saved: EndpointSaved, done: &str) -> HttpResponse {
    let EndpointSaved { endpoint, secret, warnings } = saved;
    let about = match (&secret, &endpoint.public_key) {
        (Some(_), _) => {
            "Copy its secret now and give it to whoever runs the receiver: it is shown this once."
        }
        (None, Some(_)) => "Its receiver verifies with this public key, which is no secret:",
        (None, None) => "There is something to think of.",
    };
    let path = |page: &str| tabs::path(&endpoint, page);
    let next = [
        ("/verify", "Code that verifies what is sent to it, in six languages"),
        ("/test", "Send it a test"),
        ("/settings", "Its settings"),
    ];
    let mut next: Vec<_> = next.iter().map(|(page, words)| (path(page), (*words).to_owned())).collect();
    next.push((path(""), "The endpoint".to_owned()));
    if endpoint.events.is_empty() {
        next.insert(0, (path("/settings#events"), "Choose the event types that it receives".to_owned()));
    }
    let rotation = endpoint.last_rotation.map(|rotation| rotation.old_secret_expires_at);
    let until = rotation.filter(|end| *end > visit.now());
    visit.show_once(Kept::Secret(Box::new(Secret {
        of: Of::Endpoint(endpoint.id),
        section: PATH,
        done: done.to_owned(),
        about,
        command: None,
        text: secret.or_else(|| endpoint.public_key.clone()),
        until: until.map(|end| ("The secret before it signs as well until", end)),
        warnings: warnings.iter().map(|warning| form::sentence(warning)).collect(),
        next,
    })))
}
