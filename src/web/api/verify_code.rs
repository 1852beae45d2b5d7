//! `/endpoints/{id}/verify-code`.

use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::format::code::Language;
use crate::domain::names::TenantName;
use crate::domain::scope::Scope;
use crate::web::auth::Authenticated;
use crate::web::problem::Problem;
use crate::web::query::Query;
use crate::web::read;
use crate::web::state::AppState;

/// Registers the call.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/endpoints/{id}/verify-code").route(read().to(verify_code)));
}

async fn verify_code(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::EndpointsRead)?;
    let mut query = Query::of(&request);
    let tenant = query.parsed("tenant", TenantName::parse);
    let language = query.parsed("language", Language::parse).unwrap_or(Language::Python);
    query.finish()?;
    let code = state.read(move |service| service.verify_code(&scope, &id, tenant.as_ref(), language)).await?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(code))
}
