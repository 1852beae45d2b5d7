//! Replacing the secret of an endpoint, with a time in which the one before signs as well.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};
use askama::Template;

use crate::domain::format::Format;
use crate::domain::scope::Scope;
use crate::service::endpoints::{EndpointSaved, OVERLAP_SECONDS, RotationDraft};
use crate::service::{Patch, TenantScope};
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::visit::{Posted, Visit};

use super::tabs::{Head, Tab};
use super::{PATH, saved};

/// For how long the secret before may go on signing, in seconds and in words.
const OVERLAPS: [(&str, &str); 6] = [
    ("0", "not at all: it ends now"),
    ("3600", "for 1 hour"),
    ("21600", "for 6 hours"),
    ("86400", "for 24 hours"),
    ("259200", "for 3 days"),
    ("604800", "for 7 days"),
];

/// Registers the page.
pub fn routes(config: &mut ServiceConfig) {
    config.service(
        web::resource("/endpoints/{id}/rotate-secret").route(read().to(show)).route(web::post().to(rotate)),
    );
}

#[derive(Template)]
#[template(path = "ui/endpoint_rotate.html")]
struct Rotate {
    frame: Frame,
    head: Head,
    form: Form,
    /// Whether its format signs.
    signs: bool,
    /// What can be chosen: only the end of the one before, where a request carries one signature.
    overlaps: &'static [(&'static str, &'static str)],
}

async fn show(state: Data<AppState>, visit: Visit, id: Path<String>) -> Result<HttpResponse, Problem> {
    page(&state, &visit, &id, Form::of([("overlap_seconds", OVERLAP_SECONDS.to_string())])).await
}

async fn rotate(
    state: Data<AppState>,
    Posted(visit, mut form): Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::EndpointsWrite)?;
    match replace(&state, &scope, &id, &mut form).await {
        Ok(Some(done)) => Ok(saved::page(&visit, done, "The secret is replaced.")),
        Ok(None) => page(&state, &visit, &id, form).await,
        Err(problem) => {
            form.refuse(problem)?;
            page(&state, &visit, &id, form).await
        }
    }
}

/// `None`: what was typed cannot be read.
async fn replace(
    state: &AppState,
    scope: &TenantScope,
    id: &str,
    form: &mut Form,
) -> Result<Option<EndpointSaved>, Problem> {
    let overlap_seconds = match form.number("overlap_seconds") {
        Patch::Set(seconds) => Some(seconds),
        Patch::Keep | Patch::Reset => None,
    };
    if form.is_refused() {
        return Ok(None);
    }
    let draft = RotationDraft { secret: form.filled("secret").map(str::to_owned), overlap_seconds };
    Ok(Some(state.service.rotate_secret(scope, id, None, draft).await?))
}

async fn page(state: &AppState, visit: &Visit, id: &str, form: Form) -> Result<HttpResponse, Problem> {
    let (scope, id) = (visit.caller.tenant_scope(Scope::EndpointsWrite)?, id.to_owned());
    let read = state.read(move |service| {
        let endpoint = service.endpoint(&scope, &id, None)?.endpoint;
        let format = service.format(&scope, &endpoint.format)?;
        Ok((endpoint, Format::compile(&format.name, format.definition)))
    });
    let (endpoint, format) = read.await?;
    let (head, status) = (Head::new(endpoint, Tab::Settings), form.status());
    let rotate = Rotate {
        frame: visit.frame(&head.title("Rotate the secret"), PATH),
        head,
        form,
        signs: format.scheme().has_secrets(),
        overlaps: if format.carries_several_signatures() { &OVERLAPS } else { &OVERLAPS[..1] },
    };
    visit.page_with(&rotate, status)
}
