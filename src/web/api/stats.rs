//! `/stats` and `/endpoints/{id}/stats`.

use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::domain::names::TenantName;
use crate::domain::scope::Scope;
use crate::domain::stats::{Step, Window};
use crate::service::Service;
use crate::service::stats::{Now, Stats, StatsOf};
use crate::web::auth::Authenticated;
use crate::web::problem::Problem;
use crate::web::query::Query;
use crate::web::read;
use crate::web::state::AppState;

/// Registers the calls.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/stats").route(read().to(of_all)))
        .service(web::resource("/endpoints/{id}/stats").route(read().to(of_endpoint)));
}

/// What happened, and what is under way.
#[derive(Serialize)]
struct Overall {
    #[serde(flatten)]
    past: Stats,
    now: Now,
}

async fn of_all(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::DeliveriesRead)?;
    let mut query = Query::of(&request);
    let tenant = query.parsed("tenant", TenantName::parse);
    let window = query.parsed("window", Window::parse).unwrap_or_default();
    let step = query.parsed("step", Step::parse).unwrap_or_default();
    query.finish()?;
    let answer = move |service: &Service| {
        let now = service.waiting_now(&scope, tenant.as_ref())?;
        let past = service.stats_by(&scope, &StatsOf::Tenant(tenant), window, step)?;
        Problem::or_json(&Overall { past, now })
    };
    state.answer(answer).await
}

async fn of_endpoint(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::DeliveriesRead)?;
    let mut query = Query::of(&request);
    let tenant = query.parsed("tenant", TenantName::parse);
    let window = query.parsed("window", Window::parse).unwrap_or_default();
    let step = query.parsed("step", Step::parse).unwrap_or_default();
    query.finish()?;
    let of = StatsOf::Endpoint(id.into_inner(), tenant);
    let answer = move |service: &Service| Problem::or_json(&service.stats_by(&scope, &of, window, step)?);
    state.answer(answer).await
}
