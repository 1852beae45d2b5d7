//! `/audit`.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::ids::AuditId;
use crate::domain::matching::Pattern;
use crate::domain::names::TenantName;
use crate::service::Service;
use crate::service::audit::AuditQuery;
use crate::web::auth::Authenticated;
use crate::web::problem::Problem;
use crate::web::query::{self, Query};
use crate::web::read;
use crate::web::state::AppState;

/// Registers the calls.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/audit").route(read().to(list)));
}

async fn list(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.view()?;
    let mut query = Query::of(&request);
    let wanted = AuditQuery {
        actor: query.named("actor"),
        action: query.parsed("action", action),
        target: query.named("target"),
        tenant: query.parsed("tenant", TenantName::parse),
        span: query.span(),
    };
    let (limit, before) = (query.limit(), query.cursor(AuditId::parse));
    query.finish()?;
    let answer = move |service: &Service| {
        let page = service.audit(&scope, wanted, before, limit)?;
        query::long_list(page.rows, page.next.map(|id| AuditId(id).to_string()))
    };
    state.answer(answer).await
}

fn action(text: &str) -> Result<Pattern, String> {
    Pattern::parse(text)
        .map_err(|_| "must be an action such as endpoint.create, or endpoint.* for all of them".to_owned())
}
