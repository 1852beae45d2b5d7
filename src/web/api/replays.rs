//! `/replays`, `/endpoints/{id}/replay`, and `/events/{id}/replay`.

use actix_web::http::header::{ContentType, HeaderValue};
use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::ids::ReplayId;
use crate::domain::names::TenantName;
use crate::domain::replay::Replayed;
use crate::domain::scope::Scope;
use crate::domain::time::UnixMs;
use crate::service::Service;
use crate::service::once::Told;
use crate::service::replays::{ReplayDraft, ReplayEvent, ReplayQuery};
use crate::store::idempotent::Idempotency;
use crate::web::auth::Authenticated;
use crate::web::body;
use crate::web::fields::Fields;
use crate::web::problem::Problem;
use crate::web::query::{self, Query};
use crate::web::read;
use crate::web::state::AppState;

use super::endpoints::tenant;
use super::events::{REPLAYED, idempotency_key, request_hash};

/// Registers the calls.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/endpoints/{id}/replay").route(web::post().to(start)))
        .service(web::resource("/events/{id}/replay").route(web::post().to(replay_event)))
        .service(web::resource("/replays").route(read().to(list)))
        .service(web::resource("/replays/{id}").route(read().to(get)))
        .service(web::resource("/replays/{id}/cancel").route(web::post().to(cancel)));
}

async fn start(
    Authenticated(caller): Authenticated,
    state: Data<AppState>,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::DeliveriesWrite)?;
    let tenant = tenant(&request)?;
    let body = body::read(&request, payload, body::SMALL, false).await?;
    let idempotency = idempotency(&request, &body)?;
    let draft = read_draft(&body)?;
    let told = state.service.replay_endpoint(&scope, &id, tenant.as_ref(), draft, idempotency).await?;
    Ok(accepted(told))
}

/// One event, to one endpoint or to all that match now.
async fn replay_event(
    Authenticated(caller): Authenticated,
    state: Data<AppState>,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::DeliveriesWrite)?;
    let tenant = tenant(&request)?;
    let body = body::read(&request, payload, body::SMALL, true).await?;
    let idempotency = idempotency(&request, &body)?;
    let mut fields = Fields::parse_optional(&body)?;
    let endpoint: Option<String> = fields.optional("endpoint", "the id or the uid of an endpoint");
    fields.finish()?;
    let again = ReplayEvent { id: id.into_inner(), tenant, endpoint, idempotency };
    let answer = state.read(move |service| service.replay_event(&scope, again)).await?;
    Ok(accepted(answer.await?))
}

/// The idempotency key of a call, with a hash of all that it asks for: what it is about stands in its path.
pub(super) fn idempotency(request: &HttpRequest, body: &[u8]) -> Result<Option<Idempotency>, Problem> {
    let Some(key) = idempotency_key(request)? else { return Ok(None) };
    let all = [request.uri().to_string().as_bytes(), b"\n", body].concat();
    Ok(Some((key, request_hash(&all))))
}

/// The answer of a call that may be repeated.
pub(super) fn accepted(told: Told) -> HttpResponse {
    let mut answer = HttpResponse::Accepted();
    if told.replayed {
        answer.insert_header((REPLAYED, HeaderValue::from_static("true")));
    }
    answer.insert_header(ContentType::json()).body(told.text)
}

fn read_draft(body: &[u8]) -> Result<ReplayDraft, Problem> {
    let mut fields = Fields::parse(body)?;
    let since = fields.required_text("since", UnixMs::parse);
    let until = fields.optional_text("until", UnixMs::parse);
    let status = fields.optional_text("status", Replayed::parse).unwrap_or_default();
    let events = fields.optional("events", "a list of patterns of event types");
    let dry_run = fields.optional("dry_run", "true or false").unwrap_or_default();
    let draft = since.map(|since| ReplayDraft { since, until, status, events, dry_run });
    if let Some(draft) = &draft {
        fields.invalid().merge(draft.wrong());
    }
    fields.done(draft)
}

async fn list(
    Authenticated(caller): Authenticated,
    state: Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::DeliveriesRead)?;
    let mut query = Query::of(&request);
    let wanted = ReplayQuery {
        endpoint: query.text("endpoint"),
        tenant: query.parsed("tenant", TenantName::parse),
        limit: query.limit(),
        before: query.cursor(ReplayId::parse),
    };
    query.finish()?;
    let answer = move |service: &Service| {
        let page = service.replays(&scope, &wanted)?;
        query::long_list(page.rows, page.next.map(|id| ReplayId(id).to_string()))
    };
    state.answer(answer).await
}

async fn get(
    Authenticated(caller): Authenticated,
    state: Data<AppState>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::DeliveriesRead)?;
    query::none(&request)?;
    let replay = state.read(move |service| service.replay(&scope, &id)).await?;
    Ok(HttpResponse::Ok().json(replay))
}

async fn cancel(
    caller: Authenticated,
    state: Data<AppState>,
    request: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = super::deliveries::without_fields(&caller, &request, payload).await?;
    let replay = state.service.cancel_replay(&scope, &id)?.await?;
    Ok(HttpResponse::Accepted().json(replay))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_of_a_replay_is_named_at_once() {
        let wrong = |body: &[u8]| -> Vec<String> {
            read_draft(body).unwrap_err().0.fields.into_iter().map(|error| error.field).collect()
        };
        assert_eq!(
            wrong(br#"{"until":"x","status":"pending","events":["a..b"],"dry_run":1,"from":1}"#),
            ["since", "until", "status", "dry_run", "from"]
        );
        assert_eq!(
            wrong(br#"{"since":"2026-02-23T14:30:00Z","until":"2026-02-23T14:00:00Z","events":[]}"#),
            ["until", "events"]
        );
        let draft = read_draft(br#"{"since":"2026-02-23T14:30:00Z"}"#).unwrap();
        assert_eq!((draft.status, draft.events, draft.dry_run), (Replayed::Failed, None, false));
    }
}
