//! The answer to a call that has set a secret, or that has something to say: shown this once.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use crate::domain::time::UnixMs;
use crate::service::endpoints::EndpointSaved;
use crate::web::problem::Problem;
use crate::web::ui::form;
use crate::web::ui::frame::Frame;
use crate::web::ui::visit::Visit;

use super::PATH;
use super::tabs::{Head, Tab};

#[derive(Template)]
#[template(path = "ui/endpoint_saved.html")]
struct Saved {
    frame: Frame,
    head: Head,
    /// What was done, as a sentence.
    done: &'static str,
    /// The secret, in clear text.
    secret: Option<String>,
    /// Until when the secret before signs as well.
    old_until: Option<UnixMs>,
    warnings: Vec<String>,
}

impl Saved {
    /// What the receiver verifies with: the secret, or the public key of its pair.
    fn shows_key(&self) -> bool {
        self.secret.is_none() && self.head.endpoint.public_key.is_some()
    }
}

/// Whether there is anything that has to be shown at once.
pub(super) fn has_to_be_shown(saved: &EndpointSaved) -> bool {
    saved.secret.is_some() || !saved.warnings.is_empty()
}

/// The page.
pub(super) fn page(
    visit: &Visit,
    saved: EndpointSaved,
    done: &'static str,
    status: StatusCode,
) -> Result<HttpResponse, Problem> {
    let rotation = saved.endpoint.last_rotation.map(|rotation| rotation.old_secret_expires_at);
    let head = Head::new(saved.endpoint, Tab::Settings);
    let page = Saved {
        frame: visit.frame(&head.title("Saved"), PATH),
        head,
        done,
        secret: saved.secret,
        old_until: rotation.filter(|end| *end > visit.now()),
        warnings: saved.warnings.iter().map(|warning| form::sentence(warning)).collect(),
    };
    visit.page_with(&page, status)
}
