//! `/endpoints/{id}/rotate-secret`.

use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::scope::Scope;
use crate::domain::whole::Whole;
use crate::service::endpoints::RotationDraft;
use crate::web::auth::Authenticated;
use crate::web::body;
use crate::web::fields::Fields;
use crate::web::problem::Problem;
use crate::web::state::AppState;

use super::endpoints::tenant;

/// Registers the call.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/endpoints/{id}/rotate-secret").route(web::post().to(rotate)));
}

async fn rotate(
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
    let draft = RotationDraft {
        secret: fields.optional("secret", "a text"),
        overlap_seconds: fields
            .optional("overlap_seconds", "a whole number of seconds")
            .map(|Whole(seconds)| seconds),
    };
    fields.finish()?;
    let saved = state.service.rotate_secret(&scope, &id, tenant.as_ref(), draft).await?;
    Ok(HttpResponse::Ok().json(saved))
}
