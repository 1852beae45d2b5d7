//! `/mail-server`: the server that alerts by mail go through.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::invalid::Invalid;
use crate::domain::whole::Whole;
use crate::service::alerts::MailServerDraft;
use crate::web::auth::Authenticated;
use crate::web::body;
use crate::web::fields::Fields;
use crate::web::problem::Problem;
use crate::web::query;
use crate::web::read;
use crate::web::state::AppState;

const TEXT: &str = "a text";

/// Registers the calls.
pub fn routes(config: &mut ServiceConfig) {
    config.service(
        web::resource("/mail-server")
            .route(read().to(get))
            .route(web::put().to(put))
            .route(web::delete().to(delete)),
    );
}

async fn get(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.view()?;
    query::none(&request)?;
    let server = state.read(move |service| service.mail_server(&scope)).await?;
    Ok(HttpResponse::Ok().json(server))
}

async fn put(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let scope = caller.admin()?;
    query::none(&request)?;
    let body = body::read(&request, payload, body::SMALL, false).await?;
    let mut fields = Fields::parse(&body)?;
    let mut draft = MailServerDraft {
        wrong: Invalid::new(),
        host: fields.optional("host", TEXT),
        port: fields.optional::<Whole>("port", "a whole number").map(|port| port.0),
        security: fields.optional("security", TEXT),
        user: fields.optional("user", TEXT),
        password: fields.optional("password", TEXT),
        from: fields.optional("from", TEXT),
    };
    if let Err(problem) = fields.finish() {
        draft.wrong = Invalid(problem.0.fields);
    }
    let server = state.service.put_mail_server(&scope, &draft).await?;
    Ok(HttpResponse::Ok().json(server))
}

async fn delete(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.admin()?;
    query::none(&request)?;
    state.service.delete_mail_server(&scope).await?;
    Ok(HttpResponse::NoContent().finish())
}
