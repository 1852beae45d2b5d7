//! What is shown this once: a secret that was just made. It waits in memory for the page that the browser is sent to, for
//! whoever has made it, so that a reload makes no other. Also a form that waits to be sent again ([`super::send_again`]).

use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::time::UnixMs;
use crate::service::Code;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;

use super::form::Form;
use super::frame::Frame;
use super::lost::Of;
use super::send_again;
use super::typed::Typed;
use super::visit::Visit;

/// Registers the page.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/shown/{id}").route(read().to(show)));
}

/// What a secret is shown with. Without `Debug`: it holds the secret.
#[derive(Clone)]
pub(super) struct Secret {
    /// What it is of.
    pub(super) of: Of,
    /// The navigation's link that the page belongs to.
    pub(super) section: &'static str,
    /// What was done, as a sentence.
    pub(super) done: String,
    /// What to do with it.
    pub(super) about: &'static str,
    /// In clear text.
    pub(super) text: Option<String>,
    /// A command that takes it over into a shell.
    pub(super) command: Option<String>,
    /// A moment, behind the words for it.
    pub(super) until: Option<(&'static str, UnixMs)>,
    /// What to think of.
    pub(super) warnings: Vec<String>,
    /// Where to go on, as addresses with their words.
    pub(super) next: Vec<(String, String)>,
}

/// What waits.
#[derive(Clone)]
pub(super) enum Kept {
    /// Shown once.
    Secret(Box<Secret>),
    /// Shown for as long as it waits: it is not to be lost.
    Typed(Typed),
}

#[derive(Template)]
#[template(path = "ui/shown.html")]
struct Shown {
    frame: Frame,
    secret: Secret,
}

async fn show(
    state: Data<AppState>,
    visit: Visit,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    if request.method() == Method::HEAD {
        // Only whoever looks takes it.
        return Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").finish());
    }
    match state.kept.take(&state, &id, visit.session.id) {
        Some(Kept::Secret(secret)) => {
            let frame = visit.frame(secret.done.trim_end_matches('.'), secret.section);
            visit.page(&Shown { frame, secret: *secret })
        }
        Some(Kept::Typed(typed)) => send_again::page(&visit, typed),
        None => {
            if let Some(of) = Of::read(Form::of_query(request.query_string()).text("of")) {
                let secret = of.lost();
                let frame = visit.frame(&secret.done, secret.section);
                return visit.page_with(&Shown { frame, secret }, StatusCode::NOT_FOUND);
            }
            let detail = "this was shown once already, or nobody looked at it for five minutes";
            Err(Problem::new(Code::NotFound, detail))
        }
    }
}
