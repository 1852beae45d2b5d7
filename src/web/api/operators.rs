//! `/operators`: who signs in to the console. Signing in itself is no call of the API.

use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::domain::ids::OperatorId;
use crate::domain::operator::{Email, Role};
use crate::domain::time::UnixMs;
use crate::service::endpoints::search;
use crate::service::operators::OperatorView;
use crate::web::auth::Authenticated;
use crate::web::body;
use crate::web::fields::Fields;
use crate::web::problem::Problem;
use crate::web::query::{self, Query};
use crate::web::read;
use crate::web::state::AppState;

/// Registers the calls.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/operators").route(read().to(list)).route(web::post().to(invite)))
        .service(web::resource("/operators/{id}").route(read().to(get)).route(web::patch().to(change)))
        .service(web::resource("/operators/{id}/link").route(web::post().to(link)));
}

/// An operator with the link that they come with, this once.
#[derive(Serialize)]
struct Invited {
    #[serde(flatten)]
    operator: OperatorView,
    link: String,
    link_expires_at: UnixMs,
}

/// A link, this once.
#[derive(Serialize)]
struct Link {
    link: String,
    expires_at: UnixMs,
}

async fn list(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.view()?;
    let mut query = Query::of(&request);
    let search = query.parsed("search", search);
    let (limit, before) = (query.limit(), query.cursor(OperatorId::parse));
    query.finish()?;
    let page = state.read(move |service| service.operators(&scope, search.as_deref(), before, limit)).await?;
    Ok(query::list(page.rows, page.next.map(|id| OperatorId(id).to_string())))
}

async fn get(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.view()?;
    query::none(&request)?;
    let operator = state.read(move |service| service.operator(&scope, &id)).await?;
    Ok(HttpResponse::Ok().json(operator))
}

async fn invite(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let scope = caller.admin()?;
    query::none(&request)?;
    let body = body::read(&request, payload, body::SMALL, false).await?;
    let mut fields = Fields::parse(&body)?;
    let email = fields.required_text("email", Email::parse);
    let role = fields.required_text("role", Role::parse);
    let (email, role) = fields.done(email.zip(role))?;
    let invited = state.service.invite(&scope, email, role).await?;
    let (link, link_expires_at) = (state.link(&invited.link), invited.link.expires_at);
    Ok(HttpResponse::Created().json(Invited { operator: invited.operator, link, link_expires_at }))
}

async fn change(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.admin()?;
    query::none(&request)?;
    let body = body::read(&request, payload, body::SMALL, false).await?;
    let mut fields = Fields::parse(&body)?;
    let role = fields.optional_text("role", Role::parse);
    let active = fields.optional("active", "true or false");
    fields.finish()?;
    let operator = state.service.change_operator(&scope, &id, role, active).await?;
    Ok(HttpResponse::Ok().json(operator))
}

async fn link(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.admin()?;
    query::none(&request)?;
    let made = state.service.make_operator_link(&scope, &id).await?;
    Ok(HttpResponse::Created().json(Link { link: state.link(&made), expires_at: made.expires_at }))
}
