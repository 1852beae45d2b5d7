//! `/settings`.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::web::auth::Authenticated;
use crate::web::body;
use crate::web::fields::Fields;
use crate::web::problem::Problem;
use crate::web::query;
use crate::web::read;
use crate::web::state::AppState;

/// Registers the calls.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/settings").route(read().to(get)).route(web::patch().to(change)));
}

async fn get(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.view()?;
    query::none(&request)?;
    Ok(HttpResponse::Ok().json(&*state.service.settings(&scope)))
}

async fn change(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let scope = caller.admin()?;
    query::none(&request)?;
    let body = body::read(&request, payload, body::SMALL, true).await?;
    let patch = Fields::parse_optional(&body)?.all(|patch| state.service.wrong_settings(&scope, patch))?;
    Ok(HttpResponse::Ok().json(state.service.change_settings(&scope, patch).await?))
}
