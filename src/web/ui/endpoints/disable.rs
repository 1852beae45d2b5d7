//! Disabling an endpoint, with a note for the others.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};
use askama::Template;

use crate::domain::scope::Scope;
use crate::service::endpoints::EndpointDetail;
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::visit::{Posted, Visit};

use super::tabs::{self, Head, Tab};
use super::{PATH, find};

/// Registers the page.
pub fn routes(config: &mut ServiceConfig) {
    config.service(
        web::resource("/endpoints/{id}/disable").route(read().to(show)).route(web::post().to(disable)),
    );
}

#[derive(Template)]
#[template(path = "ui/endpoint_disable.html")]
struct Disable {
    frame: Frame,
    head: Head,
    form: Form,
}

async fn show(state: Data<AppState>, visit: Visit, id: Path<String>) -> Result<HttpResponse, Problem> {
    let found = find(&state, &visit, &id, Scope::EndpointsWrite).await?;
    let note = found.endpoint.disabled_note.clone().unwrap_or_default();
    page(&visit, found, Form::of([("note", note)]))
}

async fn disable(
    state: Data<AppState>,
    Posted(visit, mut form): Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::EndpointsWrite)?;
    match state.service.disable_endpoint(&scope, &id, None, form.filled("note")).await {
        Ok(endpoint) => Ok(visit.done(&tabs::path(&endpoint, ""), "The endpoint is disabled.")),
        Err(error) => {
            form.refuse(error.into())?;
            page(&visit, find(&state, &visit, &id, Scope::EndpointsWrite).await?, form)
        }
    }
}

fn page(visit: &Visit, found: EndpointDetail, form: Form) -> Result<HttpResponse, Problem> {
    let head = Head::new(found.endpoint, Tab::Overview);
    let status = form.status();
    visit.page_with(&Disable { frame: visit.frame(&head.title("Disable"), PATH), head, form }, status)
}
