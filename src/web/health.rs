//! `/healthz` and `/readyz`, for load balancers and process managers. They need no key.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use serde_json::json;

use crate::service::Code;
use crate::web::read;

use super::problem::Problem;
use super::state::AppState;

/// The routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/healthz").route(read().to(alive)))
        .service(web::resource("/readyz").route(read().to(ready)));
}

async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

async fn ready(state: Data<AppState>) -> Result<HttpResponse, Problem> {
    let problems = state.service.problems();
    if problems.is_empty() {
        return Ok(HttpResponse::Ok().json(json!({ "status": "ready" })));
    }
    let code = if state.service.accepts() { Code::NotDelivering } else { Code::Unavailable };
    Err(Problem::new(code, problems.join("; ")))
}
