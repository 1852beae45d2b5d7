//! `/deliveries`, and `/endpoints/{id}/deliveries`.

use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::delivery::StatusFilter;
use crate::domain::ids::DeliveryId;
use crate::domain::matching::Pattern;
use crate::domain::names::TenantName;
use crate::domain::scope::Scope;
use crate::service::deliveries::DeliveryQuery;
use crate::service::endpoints::Held;
use crate::service::{Service, TenantScope};
use crate::web::auth::Authenticated;
use crate::web::body;
use crate::web::fields::Fields;
use crate::web::problem::Problem;
use crate::web::query::{self, Query};
use crate::web::read;
use crate::web::state::AppState;

use super::shapes::{Delivery, OneDelivery};

/// The routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/deliveries").route(read().to(list)))
        .service(web::resource("/deliveries/release").route(web::post().to(release)))
        .service(web::resource("/deliveries/{id}").route(read().to(get)))
        .service(web::resource("/deliveries/{id}/curl").route(read().to(curl)))
        .service(web::resource("/deliveries/{id}/retry").route(web::post().to(retry)))
        .service(web::resource("/deliveries/{id}/cancel").route(web::post().to(cancel)))
        .service(web::resource("/endpoints/{id}/deliveries").route(read().to(list_of_endpoint)));
}

async fn list(
    caller: Authenticated,
    state: Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let endpoint = query.text("endpoint");
    answer_list(&caller, &state, query, endpoint).await
}

async fn list_of_endpoint(
    caller: Authenticated,
    state: Data<AppState>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    answer_list(&caller, &state, Query::of(&request), Some(id.into_inner())).await
}

async fn answer_list(
    caller: &Authenticated,
    state: &AppState,
    mut query: Query,
    endpoint: Option<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.0.tenant_scope(Scope::DeliveriesRead)?;
    let wanted = DeliveryQuery {
        endpoint,
        tenant: query.parsed("tenant", TenantName::parse),
        status: query.parsed("status", |text| {
            StatusFilter::parse(text).ok_or_else(|| format!("must be {}", StatusFilter::WORDS))
        }),
        event_type: query.parsed("type", Pattern::parse),
        span: query.span(),
        limit: query.limit(),
        before: query.cursor(DeliveryId::parse),
    };
    query.finish()?;
    state.answer(move |service| Delivery::list(service, &service.deliveries(&scope, wanted)?)).await
}

async fn get(
    caller: Authenticated,
    state: Data<AppState>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.0.tenant_scope(Scope::DeliveriesRead)?;
    query::none(&request)?;
    let answer = move |service: &Service| {
        let detail = service.delivery(&scope, &id)?;
        Problem::or_json(&OneDelivery::of(service, &detail))
    };
    state.answer(answer).await
}

async fn curl(
    caller: Authenticated,
    state: Data<AppState>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.0.tenant_scope(Scope::DeliveriesRead)?;
    let mut query = Query::of(&request);
    let number = query.parsed("attempt", |text| {
        let number = text.parse::<u32>().ok().filter(|number| *number > 0);
        number.ok_or_else(|| "must be the number of an attempt, from 1".to_owned())
    });
    query.finish()?;
    let command = state.read(move |service| service.curl(&scope, &id, number)).await?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(command))
}

async fn retry(
    caller: Authenticated,
    state: Data<AppState>,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = without_fields(&caller, &request, payload).await?;
    let row = state.service.retry(&scope, &id)?.await?;
    Ok(HttpResponse::Accepted().json(Delivery::of(&state.service, &row)))
}

async fn cancel(
    caller: Authenticated,
    state: Data<AppState>,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = without_fields(&caller, &request, payload).await?;
    let row = state.service.cancel(&scope, &id)?.await?;
    Ok(HttpResponse::Accepted().json(Delivery::of(&state.service, &row)))
}

/// What becomes of all that a restore holds back.
async fn release(
    caller: Authenticated,
    state: Data<AppState>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let scope = caller.0.tenant_scope(Scope::DeliveriesWrite)?;
    query::none(&request)?;
    let body = body::read(&request, payload, body::SMALL, false).await?;
    let mut fields = Fields::parse(&body)?;
    let held = fields.required_text("held", Held::parse);
    let tenant = fields.optional_text("tenant", TenantName::parse);
    let endpoint: Option<String> = fields.optional("endpoint", "the id or the uid of an endpoint");
    let held = fields.done(held)?;
    let released = state.service.release(&scope, held, tenant.as_ref(), endpoint.as_deref())?.await?;
    Ok(HttpResponse::Accepted().json(released))
}

/// A call that changes a delivery and takes neither fields nor parameters.
pub(super) async fn without_fields(
    caller: &Authenticated,
    request: &HttpRequest,
    payload: Payload,
) -> Result<TenantScope, Problem> {
    let scope = caller.0.tenant_scope(Scope::DeliveriesWrite)?;
    body::nothing(request, payload).await?;
    Ok(scope)
}
