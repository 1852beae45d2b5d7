//! `/cleanups`.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::domain::invalid::Invalid;
use crate::domain::whole::Whole;
use crate::service::cleanup::older_than;
use crate::store::cleanup::{CleanupReport, CleanupsNow};
use crate::web::auth::Authenticated;
use crate::web::body;
use crate::web::fields::Fields;
use crate::web::problem::Problem;
use crate::web::query::{self, Numbered};
use crate::web::read;
use crate::web::state::AppState;

const CURSOR: Numbered = Numbered("cleanups");

/// A page, and what a person has to know who wonders why it does not grow.
#[derive(Serialize)]
struct Page {
    data: Vec<CleanupReport>,
    next_cursor: Option<String>,
    waits: Option<String>,
    running: Option<CleanupReport>,
    queued: usize,
}

/// Registers the calls.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/cleanups").route(read().to(list)).route(web::post().to(clean)));
}

async fn list(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.view()?;
    let (limit, before) = query::page(&request, |text| CURSOR.parse(text))?;
    let (waits, now) = (state.service.cleanup_waits(&scope), state.service.cleanups_now(&scope));
    let page = state.read(move |service| service.cleanups(&scope, before, limit)).await?;
    let next_cursor = page.next.map(|row| CURSOR.cursor(row));
    let CleanupsNow { running, queued } = now;
    Ok(HttpResponse::Ok().json(Page { data: page.rows, next_cursor, waits, running, queued }))
}

/// Answers when the cleanup is done; it goes on if the caller goes away.
async fn clean(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let scope = caller.admin()?;
    query::none(&request)?;
    let body = body::read(&request, payload, body::SMALL, true).await?;
    let mut fields = Fields::parse_optional(&body)?;
    let older_than_seconds = fields.optional("older_than_seconds", "a whole number of seconds");
    let older_than_seconds = older_than_seconds.map(|Whole(seconds)| seconds);
    let dry_run: bool = fields.optional("dry_run", "true or false").unwrap_or_default();
    let mut wrong = Invalid::new();
    if let Some(seconds) = older_than_seconds {
        wrong.check("older_than_seconds", older_than(seconds));
    }
    fields.finish_with(wrong)?;
    let report = state.service.cleanup(&scope, older_than_seconds, dry_run)?.await?;
    Ok(HttpResponse::Ok().json(report))
}
