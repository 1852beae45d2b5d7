//! `/formats`.

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::value::RawValue;

use crate::domain::names::FormatName;
use crate::domain::scope::Scope;
use crate::service::Service;
use crate::service::endpoints::{TestDraft, search};
use crate::service::formats::PreviewDraft;
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
        .service(web::resource("/formats").route(read().to(list)))
        // Before the formats by name, of which none is called so.
        .service(web::resource("/formats/preview").route(web::post().to(preview_definition)))
        .service(
            web::resource("/formats/{name}")
                .route(read().to(get))
                .route(web::put().to(put))
                .route(web::delete().to(delete)),
        )
        .service(web::resource("/formats/{name}/preview").route(web::post().to(preview)));
}

/// The cursor is the name of the last format of the page before, with the list's, so that another list refuses it.
const CURSOR: &str = "formats:";

async fn list(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::EndpointsRead)?;
    let mut query = Query::of(&request);
    let search = query.parsed("search", search);
    let (limit, after) = (query.limit(), query.cursor(cursor));
    query.finish()?;
    let after = after.map(|name| name.to_string());
    let read = move |service: &Service| service.formats(&scope, search.as_deref(), after.as_deref(), limit);
    let listed = state.read(read).await?;
    Ok(query::list(listed.rows, listed.next.as_deref().map(cursor_text)))
}

/// Reads what [`cursor_text`] writes, and nothing else.
pub(in crate::web) fn cursor(text: &str) -> Option<FormatName> {
    FormatName::parse(text.strip_prefix(CURSOR)?).ok()
}

/// The cursor of the page behind the format of this name.
pub(in crate::web) fn cursor_text(name: &str) -> String {
    format!("{CURSOR}{name}")
}

async fn get(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    name: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::EndpointsRead)?;
    query::none(&request)?;
    let format = state.read(move |service| service.format(&scope, &name)).await?;
    Ok(HttpResponse::Ok().json(format))
}

/// 201 for a format that was not there (RFC 9110, section 9.3.4), else 200.
async fn put(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    payload: Payload,
    name: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.admin()?;
    query::none(&request)?;
    let body = body::read(&request, payload, body::SMALL, false).await?;
    // Whether it is an object of JSON at all; its fields are the use case's.
    Fields::parse(&body)?;
    let put = state.service.put_format(&scope, &name, &String::from_utf8_lossy(&body)).await?;
    let status = if put.made { StatusCode::CREATED } else { StatusCode::OK };
    Ok(HttpResponse::build(status).json(put.format))
}

async fn delete(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    name: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.admin()?;
    query::none(&request)?;
    state.service.delete_format(&scope, &name).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn preview(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    payload: Payload,
    name: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::EndpointsRead)?;
    query::none(&request)?;
    let body = preview_body(&state, &request, payload).await?;
    let mut fields = Fields::parse_around_data(&body, 1)?;
    let draft = preview_draft(&mut fields);
    fields.finish()?;
    let preview = state.read(move |service| service.preview_format(&scope, &name, &draft)).await?;
    Ok(HttpResponse::Ok().json(preview))
}

/// A definition that is not written yet.
async fn preview_definition(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::EndpointsRead)?;
    query::none(&request)?;
    let body = preview_body(&state, &request, payload).await?;
    let mut fields = Fields::parse_around_data(&body, 1)?;
    let definition = fields.raw("definition").map(|raw: &RawValue| raw.get().to_owned());
    if definition.is_none() {
        fields.missing("definition", "a format as in a PUT");
    }
    let draft = preview_draft(&mut fields);
    fields.finish()?;
    let definition = definition.unwrap_or_default();
    let preview = state.read(move |service| service.preview_definition(&scope, &definition, &draft)).await?;
    Ok(HttpResponse::Ok().json(preview))
}

async fn preview_body(state: &AppState, request: &HttpRequest, payload: Payload) -> Result<Bytes, Problem> {
    let limit = state.service.store().directory().settings().data_limit_bytes as usize;
    body::read(request, payload, limit + body::SMALL, false).await
}

fn preview_draft(fields: &mut Fields<'_>) -> PreviewDraft {
    let event_type = fields.required("type", "a text");
    let data = fields.raw("data").map(|raw: &RawValue| raw.get().to_owned());
    if data.is_none() {
        fields.missing("data", "a JSON value");
    }
    PreviewDraft { event: TestDraft { event_type, data }, secret: fields.optional("secret", "a text") }
}
