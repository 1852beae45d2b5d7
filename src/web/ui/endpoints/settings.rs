//! What the owner of an endpoint has set, and changing it.

use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::scope::Scope;
use crate::domain::time::UnixMs;
use crate::service::endpoints::{EndpointSaved, EndpointView};
use crate::service::{Error, TenantScope};
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::shown;
use crate::web::ui::visit::{Posted, Visit};

use super::fields::{self, Choices};
use super::tabs::{Head, Tab};
use super::{PATH, saved, typed};

/// Registers the page.
pub fn routes(config: &mut ServiceConfig) {
    config.service(
        web::resource("/endpoints/{id}/settings").route(read().to(show)).route(web::post().to(change)),
    );
}

#[derive(Template)]
#[template(path = "ui/endpoint_settings.html")]
struct Settings {
    frame: Frame,
    head: Head,
    form: Form,
    choices: Choices,
    /// Until when the secret before signs as well.
    old_until: Option<UnixMs>,
    /// Whether metadata can be changed here.
    metadata: bool,
}

/// The page; for `?save=NAME` one of the settings as a file, for what a page has no room for.
async fn show(
    state: Data<AppState>,
    visit: Visit,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let asked = Form::of_query(request.query_string());
    let Some(name) = asked.filled("save") else { return page(&state, &visit, &id, None).await };
    let endpoint = super::find(&state, &visit, &id, Scope::EndpointsRead).await?.endpoint;
    let text = fields::file(&endpoint, name).ok_or_else(|| Error::not_found("setting", name))?;
    Ok(shown::file(&format!("{name}.txt"), text))
}

async fn change(
    state: Data<AppState>,
    Posted(visit, mut form): Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    match save(&state, visit.caller.tenant_scope(Scope::EndpointsWrite)?, &id, &mut form).await {
        Ok(done) if saved::has_to_be_shown(&done) => Ok(saved::page(&visit, done, "The settings are saved.")),
        Ok(done) => {
            let said = "The settings are saved: they hold from the next attempt on.";
            Ok(visit.done(&super::tabs::path(&done.endpoint, "/settings"), said))
        }
        Err(problem) => {
            form.refuse(problem)?;
            page(&state, &visit, &id, Some(form)).await
        }
    }
}

async fn save(
    state: &AppState,
    scope: TenantScope,
    id: &str,
    form: &mut Form,
) -> Result<EndpointSaved, Problem> {
    let shown = Form::of_query(form.text("shown"));
    let (draft, id) = (typed::draft(form, &shown), id.to_owned());
    let check = state.read(move |service| service.check_endpoint_change(&scope, &id, None, draft));
    Ok(state.service.change_endpoint(check.await?).await?)
}

/// The page with what was typed; `None`: with what is set.
async fn page(
    state: &AppState,
    visit: &Visit,
    id: &str,
    typed: Option<Form>,
) -> Result<HttpResponse, Problem> {
    let (scope, id) = (visit.caller.tenant_scope(Scope::EndpointsRead)?, id.to_owned());
    let read = state.read(move |service| {
        let endpoint = service.endpoint(&scope, &id, None)?.endpoint;
        let choices = Choices::read(service, &scope, &endpoint.events)?;
        Ok((endpoint, choices))
    });
    let (endpoint, choices) = read.await?;
    let form = typed.unwrap_or_else(|| fields::shown(&endpoint));
    let status = form.status();
    visit.page_with(&settings(visit, endpoint, form, choices), status)
}

fn settings(visit: &Visit, endpoint: EndpointView, form: Form, choices: Choices) -> Settings {
    let old_until = endpoint.last_rotation.map(|rotation| rotation.old_secret_expires_at);
    let metadata = fields::fits_lines(&endpoint.metadata);
    let head = Head::new(endpoint, Tab::Settings);
    Settings {
        frame: visit.frame(&head.title("Settings"), PATH),
        head,
        form,
        choices,
        old_until: old_until.filter(|end| *end > visit.now()),
        metadata,
    }
}
