//! Enabling an endpoint: what it has held is delivered or discarded.

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
        web::resource("/endpoints/{id}/enable").route(read().to(show)).route(web::post().to(enable)),
    );
}

#[derive(Template)]
#[template(path = "ui/endpoint_enable.html")]
struct Enable {
    frame: Frame,
    head: Head,
    form: Form,
    /// How many deliveries are held.
    held: u32,
    /// Whether there are more than are counted.
    held_more: bool,
}

async fn show(state: Data<AppState>, visit: Visit, id: Path<String>) -> Result<HttpResponse, Problem> {
    let found = find(&state, &visit, &id, Scope::EndpointsWrite).await?;
    page(&visit, found, Form::of([("held", "deliver".to_owned())]))
}

async fn enable(
    state: Data<AppState>,
    Posted(visit, mut form): Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::EndpointsWrite)?;
    match state.service.enable_endpoint(&scope, &id, None, form.filled("held")).await {
        Ok(endpoint) => {
            // It is asked where something is held, and only there.
            let said = match form.text("held") {
                "" => "The endpoint is enabled.",
                "discard" => "The endpoint is enabled; what was held is discarded.",
                _ => "The endpoint is enabled; what was held is on its way.",
            };
            Ok(visit.done(&tabs::path(&endpoint, ""), said))
        }
        Err(error) => {
            form.refuse(error.into())?;
            page(&visit, find(&state, &visit, &id, Scope::EndpointsWrite).await?, form)
        }
    }
}

fn page(visit: &Visit, found: EndpointDetail, form: Form) -> Result<HttpResponse, Problem> {
    let head = Head::new(found.endpoint, Tab::Overview);
    let status = form.status();
    let frame = visit.frame(&head.title("Enable"), PATH);
    visit.page_with(&Enable { frame, head, form, held: found.held, held_more: found.held_more }, status)
}
