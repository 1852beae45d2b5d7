//! `/alerts`: whom this server tells when something is the matter.

use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::ids::AlertId;
use crate::domain::invalid::Invalid;
use crate::service::alerts::AlertDraft;
use crate::web::auth::Authenticated;
use crate::web::body;
use crate::web::fields::Fields;
use crate::web::problem::Problem;
use crate::web::query;
use crate::web::read;
use crate::web::state::AppState;

const TEXT: &str = "a text";

/// Registers the calls.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/alerts").route(read().to(list)).route(web::post().to(create)))
        .service(
            web::resource("/alerts/{id}")
                .route(read().to(get))
                .route(web::patch().to(change))
                .route(web::delete().to(delete)),
        )
        .service(web::resource("/alerts/{id}/test").route(web::post().to(test)));
}

async fn list(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.view()?;
    let (limit, before) = query::page(&request, AlertId::parse)?;
    let page = state.read(move |service| service.alerts(&scope, before, limit)).await?;
    Ok(query::list(page.rows, page.next.map(|id| AlertId(id).to_string())))
}

async fn get(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.view()?;
    query::none(&request)?;
    let alert = state.read(move |service| service.alert(&scope, &id)).await?;
    Ok(HttpResponse::Ok().json(alert))
}

async fn create(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let scope = caller.admin()?;
    query::none(&request)?;
    let body = body::read(&request, payload, body::SMALL, false).await?;
    let mut fields = Fields::parse(&body)?;
    let (kind, tenant) = (fields.optional("kind", TEXT), fields.optional("tenant", TEXT));
    let draft = AlertDraft { kind, tenant, ..draft(fields) };
    // Where a URL leads may take a while.
    let checked = state.read(move |service| service.check_alert(&scope, &draft)).await?;
    let made = state.service.save_alert(checked).await?;
    Ok(HttpResponse::Created().json(made))
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
    let draft = draft(Fields::parse(&body)?);
    let checked = state.read(move |service| service.check_alert_change(&scope, &id, &draft)).await?;
    let alert = state.service.save_alert(checked).await?;
    Ok(HttpResponse::Ok().json(alert))
}

async fn delete(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.admin()?;
    query::none(&request)?;
    state.service.delete_alert(&scope, &id).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn test(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.admin()?;
    body::nothing(&request, payload).await?;
    let tested = state.read(move |service| service.test_alert(&scope, &id)).await?.await?;
    Ok(HttpResponse::Ok().json(tested))
}

/// The fields that a create and a change have in common. What is wrong is noted in the draft, for the use case to add to.
fn draft(mut fields: Fields<'_>) -> AlertDraft {
    let mut draft = AlertDraft {
        name: fields.patch("name", TEXT),
        conditions: fields.patch("conditions", "an array of texts"),
        endpoint: fields.patch("endpoint", TEXT),
        url: fields.patch("url", TEXT),
        email: fields.patch("email", TEXT),
        enabled: fields.patch("enabled", "true or false"),
        ..AlertDraft::default()
    };
    if let Err(problem) = fields.finish() {
        draft.wrong = Invalid(problem.0.fields);
    }
    draft
}
