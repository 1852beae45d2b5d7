//! `/backups`.

use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::ids::BackupId;
use crate::service::Service;
use crate::web::auth::Authenticated;
use crate::web::body;
use crate::web::fields::Fields;
use crate::web::problem::Problem;
use crate::web::query;
use crate::web::read;
use crate::web::state::AppState;

/// Registers the calls.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/backups").route(read().to(list)).route(web::post().to(begin)))
        .service(web::resource("/backups/{id}").route(read().to(get)))
        .service(web::resource("/backups/{id}/cancel").route(web::post().to(cancel)));
}

async fn list(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.view()?;
    let (limit, before) = query::page(&request, BackupId::parse)?;
    let answer = move |service: &Service| {
        let page = service.backups(&scope, before, limit)?;
        query::long_list(page.rows, page.next.map(|id| BackupId(id).to_string()))
    };
    state.answer(answer).await
}

/// Answers when it has begun; it goes on in the background.
async fn begin(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let scope = caller.admin()?;
    query::none(&request)?;
    let body = body::read(&request, payload, body::SMALL, true).await?;
    let mut fields = Fields::parse_optional(&body)?;
    let compress: Option<bool> = fields.optional("compress", "true or false");
    let elsewhere = fields.optional("elsewhere", "true or false").unwrap_or_default();
    fields.finish()?;
    let row = state.service.backup(&scope, compress, elsewhere)?.await?;
    Ok(HttpResponse::Accepted().json(state.service.show_backup(row)))
}

async fn get(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.view()?;
    query::none(&request)?;
    let backup = state.read(move |service| service.backup_of(&scope, &id)).await?;
    Ok(HttpResponse::Ok().json(backup))
}

async fn cancel(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.admin()?;
    body::nothing(&request, payload).await?;
    let row = state.service.cancel_backup(&scope, &id)?.await?;
    Ok(HttpResponse::Accepted().json(state.service.show_backup(row)))
}
