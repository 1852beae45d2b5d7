//! `/endpoints`.

use actix_web::http::header;
use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;

use crate::domain::ids::EndpointId;
use crate::domain::limits;
use crate::domain::names::TenantName;
use crate::domain::scope::Scope;
use crate::domain::stats::Window;
use crate::service::endpoints::{self, Day, EndpointQuery, EndpointView, HealthStatus, Held, TestDraft};
use crate::service::{Code, Service};
use crate::web::auth::Authenticated;
use crate::web::body;
use crate::web::fields::Fields;
use crate::web::problem::Problem;
use crate::web::query::{self, Query};
use crate::web::read;
use crate::web::state::AppState;

use super::endpoint_fields;

/// 500 patterns and 20 filters fit in it.
const BODY: usize = 256 * 1024;
/// Names that are resolved at a time for saving endpoints, for each thread that answers requests: a lookup keeps
/// one of its four reading threads for up to 2 s.
const LOOKUPS: usize = 2;

/// One for each thread that answers requests.
struct Lookups(Semaphore);

/// Registers the calls.
pub fn routes(config: &mut ServiceConfig) {
    let lookups = Data::new(Lookups(Semaphore::new(LOOKUPS)));
    config
        .service(
            web::resource("/endpoints")
                .app_data(lookups.clone())
                .route(read().to(list))
                .route(web::post().to(create)),
        )
        .service(
            web::resource("/endpoints/{id}")
                .app_data(lookups)
                .route(read().to(get))
                .route(web::patch().to(change))
                .route(web::delete().to(delete)),
        )
        .service(web::resource("/endpoints/{id}/enable").route(web::post().to(enable)))
        .service(web::resource("/endpoints/{id}/disable").route(web::post().to(disable)))
        .service(web::resource("/endpoints/{id}/test").route(web::post().to(test)));
}

/// The only parameter of calls about one thing with a handle of its owner: whose it is.
pub(super) fn tenant(request: &HttpRequest) -> Result<Option<TenantName>, Problem> {
    let mut query = Query::of(request);
    let tenant = query.parsed("tenant", TenantName::parse);
    query.finish()?;
    Ok(tenant)
}

async fn create(
    state: Data<AppState>,
    lookups: Data<Lookups>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::EndpointsWrite)?;
    query::none(&request)?;
    let body = body::read(&request, payload, BODY, false).await?;
    let mut fields = Fields::parse(&body)?;
    let tenant: Option<String> = fields.optional("tenant", "a text");
    let draft = endpoint_fields::draft(fields);
    let turn = turn(&lookups).await?;
    let checked =
        state.read(move |service| service.check_endpoint(&scope, tenant.as_deref(), &draft)).await?;
    drop(turn);
    let saved = state.service.create_endpoint(checked).await?;
    let location = format!("/api/v1/endpoints/{}", saved.endpoint.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(saved))
}

async fn turn(lookups: &Lookups) -> Result<tokio::sync::SemaphorePermit<'_>, Problem> {
    // It is never closed.
    lookups.0.acquire().await.map_err(|_| Problem::new(Code::Internal, ""))
}

async fn list(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::EndpointsRead)?;
    let mut query = Query::of(&request);
    let wanted = EndpointQuery {
        tenant: query.parsed("tenant", TenantName::parse),
        enabled: query.flag("enabled"),
        health: query.parsed("health", HealthStatus::parse),
        search: query.parsed("search", endpoints::search),
    };
    let with_day = query.parsed("stats", last_day).is_some();
    let (limit, before) = (query.limit(), query.cursor(EndpointId::parse));
    query.finish()?;
    if with_day {
        caller.tenant_scope(Scope::DeliveriesRead)?;
    }
    let answer = move |service: &Service| {
        let page = service.endpoints(&scope, &wanted, before, limit)?;
        let ids: Vec<EndpointId> = page.rows.iter().map(|endpoint| endpoint.id).collect();
        let days = if with_day { service.endpoints_day(&scope, &ids)? } else { Vec::new() };
        let mut days = days.into_iter();
        let rows = page.rows.into_iter().map(|endpoint| Row { endpoint, last_24h: days.next() });
        query::long_list(rows.collect(), page.next.map(|id| EndpointId(id).to_string()))
    };
    state.answer(answer).await
}

/// An endpoint in a list.
#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    endpoint: EndpointView,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_24h: Option<Day>,
}

/// The only window that a list is told with.
fn last_day(text: &str) -> Result<(), String> {
    if text == Window::Day.as_str() { Ok(()) } else { Err(format!("must be {}", Window::Day.as_str())) }
}

async fn get(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::EndpointsRead)?;
    let tenant = tenant(&request)?;
    let endpoint = state.read(move |service| service.endpoint(&scope, &id, tenant.as_ref())).await?;
    Ok(HttpResponse::Ok().json(endpoint))
}

async fn change(
    state: Data<AppState>,
    lookups: Data<Lookups>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::EndpointsWrite)?;
    let tenant = tenant(&request)?;
    let body = body::read(&request, payload, BODY, true).await?;
    let mut fields = Fields::parse_optional(&body)?;
    if fields.raw("tenant").is_some() {
        fields.invalid().push("tenant", "cannot be changed; make the endpoint again for the other tenant");
    }
    let draft = endpoint_fields::draft(fields);
    let turn = turn(&lookups).await?;
    let checked =
        state.read(move |service| service.check_endpoint_change(&scope, &id, tenant.as_ref(), draft)).await?;
    drop(turn);
    Ok(HttpResponse::Ok().json(state.service.change_endpoint(checked).await?))
}

async fn delete(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::EndpointsWrite)?;
    let tenant = tenant(&request)?;
    state.service.delete_endpoint(&scope, &id, tenant.as_ref()).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn enable(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::EndpointsWrite)?;
    let tenant = tenant(&request)?;
    let body = body::read(&request, payload, body::SMALL, true).await?;
    let mut fields = Fields::parse_optional(&body)?;
    let held = fields.optional_text("held", |text| Held::parse(text).map(|_| text.to_owned()));
    fields.finish()?;
    let endpoint = state.service.enable_endpoint(&scope, &id, tenant.as_ref(), held.as_deref()).await?;
    Ok(HttpResponse::Ok().json(endpoint))
}

async fn disable(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::EndpointsWrite)?;
    let tenant = tenant(&request)?;
    let body = body::read(&request, payload, body::SMALL, true).await?;
    let mut fields = Fields::parse_optional(&body)?;
    let note = fields.optional_text("note", |text| limits::note(text).map(|()| text.to_owned()));
    fields.finish()?;
    let endpoint = state.service.disable_endpoint(&scope, &id, tenant.as_ref(), note.as_deref()).await?;
    Ok(HttpResponse::Ok().json(endpoint))
}

async fn test(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::EndpointsWrite)?;
    let tenant = tenant(&request)?;
    let limit = state.service.store().directory().settings().data_limit_bytes as usize;
    let body = body::read(&request, payload, limit + body::SMALL, true).await?;
    let body: &[u8] = if body.is_empty() { b"{}" } else { &body };
    let mut fields = Fields::parse_around_data(body, 1)?;
    let draft = TestDraft {
        event_type: fields.optional("type", "a text"),
        data: fields.optional::<Box<RawValue>>("data", "a JSON value").map(|raw| raw.get().to_owned()),
    };
    fields.finish_with(draft.wrong())?;
    let testing = state.service.test_endpoint(&scope, &id, tenant.as_ref(), &draft)?;
    Ok(HttpResponse::Ok().json(testing.finished().await?))
}
