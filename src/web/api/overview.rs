//! `/attention` and `/storage`: what the one who runs the server looks at first.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::service::attention::Attention;
use crate::web::auth::Authenticated;
use crate::web::problem::Problem;
use crate::web::query;
use crate::web::read;
use crate::web::state::AppState;

/// Registers the calls.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/attention").route(read().to(attention)))
        .service(web::resource("/storage").route(read().to(storage)));
}

/// What needs a hand.
#[derive(Serialize)]
struct All {
    data: Vec<Attention>,
    more: bool,
}

async fn attention(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.view()?;
    query::none(&request)?;
    let (data, more) = state.read(move |service| service.attention(&scope)).await?;
    Ok(HttpResponse::Ok().json(All { data, more }))
}

async fn storage(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.view()?;
    query::none(&request)?;
    let storage = state.read(move |service| service.storage(&scope)).await?;
    Ok(HttpResponse::Ok().json(storage))
}
