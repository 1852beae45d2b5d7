//! `/tenants`, and `/tenant-deletions`.

use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::ids::TenantDeletionId;
use crate::domain::whole::Whole;
use crate::service::endpoints::search;
use crate::service::tenants::TenantDraft;
use crate::web::auth::Authenticated;
use crate::web::body;
use crate::web::fields::Fields;
use crate::web::problem::Problem;
use crate::web::query::{self, Numbered, Query};
use crate::web::read;
use crate::web::state::AppState;

const CURSOR: Numbered = Numbered("tenants");

/// Registers the calls.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/tenants").route(read().to(list)))
        .service(
            web::resource("/tenants/{tenant}")
                .route(read().to(get))
                .route(web::put().to(put))
                .route(web::delete().to(delete)),
        )
        .service(web::resource("/tenant-deletions").route(read().to(list_deletions)))
        .service(web::resource("/tenant-deletions/{id}").route(read().to(get_deletion)));
}

async fn list(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.view()?;
    let mut query = Query::of(&request);
    let search = query.parsed("search", search);
    let (limit, before) = (query.limit(), query.cursor(|text| CURSOR.parse(text)));
    query.finish()?;
    let page = state.read(move |service| service.tenants(&scope, search.as_deref(), before, limit)).await?;
    Ok(query::list(page.rows, page.next.map(|row| CURSOR.cursor(row))))
}

async fn get(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    tenant: Path<String>,
) -> Result<HttpResponse, Problem> {
    query::none(&request)?;
    let tenant = state.read(move |service| service.tenant(&caller, &tenant)).await?;
    Ok(HttpResponse::Ok().json(tenant))
}

/// 201 for a tenant that was not there (RFC 9110, section 9.3.4), else 200.
async fn put(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    payload: Payload,
    tenant: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.admin()?;
    query::none(&request)?;
    let body = body::read(&request, payload, body::SMALL, true).await?;
    let mut fields = Fields::parse_optional(&body)?;
    let draft = TenantDraft {
        name: fields.optional("name", "a text"),
        endpoint_limit: fields.optional("endpoint_limit", "a whole number").map(|Whole(limit)| limit),
    };
    fields.finish_with(draft.wrong(&tenant))?;
    let put = state.service.put_tenant(&scope, &tenant, &draft).await?;
    let status = if put.made { StatusCode::CREATED } else { StatusCode::OK };
    Ok(HttpResponse::build(status).json(put.tenant))
}

/// Takes effect for sending and publishing with the answer; the data goes in the background.
async fn delete(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    tenant: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.admin()?;
    query::none(&request)?;
    let deletion = state.service.delete_tenant(&scope, &tenant).await?;
    let location = format!("/api/v1/tenant-deletions/{}", deletion.id);
    Ok(HttpResponse::Accepted().insert_header((header::LOCATION, location)).json(deletion))
}

async fn list_deletions(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.view()?;
    let (limit, before) = query::page(&request, TenantDeletionId::parse)?;
    let page = state.read(move |service| service.tenant_deletions(&scope, before, limit)).await?;
    Ok(query::list(page.rows, page.next.map(|id| TenantDeletionId(id).to_string())))
}

async fn get_deletion(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.view()?;
    query::none(&request)?;
    let deletion = state.read(move |service| service.tenant_deletion(&scope, &id)).await?;
    Ok(HttpResponse::Ok().json(deletion))
}
