//! `/keys`.

use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::ids::KeyId;
use crate::domain::names::TenantName;
use crate::service::endpoints::search;
use crate::service::keys::{KeyDraft, KeyQuery};
use crate::web::auth::Authenticated;
use crate::web::body;
use crate::web::fields::Fields;
use crate::web::problem::Problem;
use crate::web::query::{self, Query};
use crate::web::read;
use crate::web::state::AppState;

/// Registers the calls.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/keys").route(read().to(list)).route(web::post().to(create)))
        .service(web::resource("/keys/{id}").route(web::delete().to(revoke)));
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
    let draft = KeyDraft {
        name: fields.required("name", "a text").unwrap_or_default(),
        scopes: fields.required("scopes", "an array of texts").unwrap_or_default(),
        tenant: fields.optional("tenant", "a text"),
    };
    fields.finish_with(draft.wrong())?;
    let made = state.service.create_key(&scope, &draft).await?;
    Ok(HttpResponse::Created().json(made))
}

async fn list(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.view()?;
    let mut query = Query::of(&request);
    let wanted = KeyQuery {
        tenant: query.parsed("tenant", TenantName::parse),
        search: query.parsed("search", search),
    };
    let (limit, before) = (query.limit(), query.cursor(KeyId::parse));
    query.finish()?;
    let page = state.read(move |service| service.keys(&scope, &wanted, before, limit)).await?;
    Ok(query::list(page.rows, page.next.map(|id| KeyId(id).to_string())))
}

async fn revoke(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.admin()?;
    query::none(&request)?;
    state.service.revoke_key(&scope, &id).await?;
    Ok(HttpResponse::NoContent().finish())
}
