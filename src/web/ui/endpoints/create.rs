//! Making an endpoint.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::names::IdempotencyKey;
use crate::domain::scope::Scope;
use crate::service::endpoints::EndpointSaved;
use crate::service::{Code, Patch, TenantScope};
use crate::web::problem::Problem;
use crate::web::read;
use crate::web::state::AppState;
use crate::web::ui::events::once;
use crate::web::ui::form::Form;
use crate::web::ui::frame::Frame;
use crate::web::ui::visit::{Posted, Visit};

use super::fields::Choices;
use super::{PATH, saved, tabs, typed};

/// Registers the page.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/endpoints/new").route(read().to(show)).route(web::post().to(create)));
}

#[derive(Template)]
#[template(path = "ui/endpoint_new.html")]
struct New {
    frame: Frame,
    form: Form,
    choices: Choices,
}

async fn show(state: Data<AppState>, visit: Visit, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let tenant = Form::of_query(request.query_string()).text("tenant").to_owned();
    let chosen =
        [("enabled", "true"), ("format", "standard"), ("signing", "make"), ("while_disabled", "hold")];
    let mut form = Form::of(chosen.map(|(name, value)| (name, value.to_owned())));
    form.add("tenant", tenant);
    form.add("once", once::nonce(&state));
    page(&state, &visit, form).await
}

async fn create(state: Data<AppState>, Posted(visit, mut form): Posted) -> Result<HttpResponse, Problem> {
    let (scope, sent) = (visit.caller.tenant_scope(Scope::EndpointsWrite)?, sent(&form));
    let turn = if sent.is_some() { Some(state.made.turn().await) } else { None };
    if let Some(id) = sent.as_ref().and_then(|sent| state.made.find(visit.session.id, sent)) {
        match super::find(&state, &visit, &id, Scope::EndpointsWrite).await {
            Ok(found) => {
                let said = "This form has made the endpoint before: here it is, and no other was made.";
                return Ok(visit.done(&tabs::path(&found.endpoint, ""), said));
            }
            Err(problem) if problem.0.code == Code::NotFound => {}
            Err(problem) => {
                form.refuse(problem)?;
                return page(&state, &visit, form).await;
            }
        }
    }
    match save(&state, scope, &mut form).await {
        Ok(made) => {
            if let Some(sent) = sent {
                state.made.add(visit.session.id, sent, made.endpoint.id.to_string());
            }
            drop(turn);
            Ok(saved::page(&visit, made, "The endpoint is made."))
        }
        Err(problem) => {
            form.refuse(problem)?;
            page(&state, &visit, form).await
        }
    }
}

/// What was sent, by the page that it was sent from: the same again is a repetition.
fn sent(form: &Form) -> Option<IdempotencyKey> {
    let content: Vec<_> = form.fields().flat_map(|(name, value)| [name, value]).collect();
    once::key(form, &content).map(|(key, _)| key)
}

async fn save(state: &AppState, scope: TenantScope, form: &mut Form) -> Result<EndpointSaved, Problem> {
    let mut draft = typed::draft(form, &Form::default());
    draft.enabled = Patch::Set(form.has("enabled", "true"));
    let tenant = form.filled("tenant").map(str::to_owned);
    let checked =
        state.read(move |service| service.check_endpoint(&scope, tenant.as_deref(), &draft)).await?;
    Ok(state.service.create_endpoint(checked).await?)
}

async fn page(state: &AppState, visit: &Visit, mut form: Form) -> Result<HttpResponse, Problem> {
    let scope = visit.caller.tenant_scope(Scope::EndpointsWrite)?;
    let choices = state.read(move |service| Choices::read(service, &scope, &[])).await?;
    if choices.types.is_empty() && form.all("events").next().is_none() {
        // Where there is no catalogue to choose from, who says nothing wants to see something arrive.
        form.add("events", "*");
    }
    let status = form.status();
    visit.page_with(&New { frame: visit.frame("New endpoint", PATH), form, choices }, status)
}
