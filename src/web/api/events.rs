//! `/events`.

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::{self, Bytes, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::clock::Stopwatch;
use crate::domain::ids::{DeliveryId, EndpointId, EventId};
use crate::domain::invalid::Invalid;
use crate::domain::matching::Pattern;
use crate::domain::names::{EventType, IdempotencyKey, OwnId, TenantName};
use crate::domain::scope::Scope;
use crate::domain::time::UnixMs;
use crate::service::batch::Accepted;
use crate::service::events::{EventQuery, Publish, Wrong};
use crate::service::{Code, Service, TenantScope};
use crate::store::Answer;
use crate::store::events::StoredEvent;
use crate::store::publish::{PublishError, Published};
use crate::web::auth::Authenticated;
use crate::web::body;
use crate::web::fields::Fields;
use crate::web::problem::Problem;
use crate::web::query::{self, Query};
use crate::web::read;
use crate::web::state::AppState;

use super::endpoints::tenant;
use super::shapes::Delivery;

/// Room for everything in a body that is not `data`.
const AROUND_DATA: usize = 64 * 1024;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/events").route(read().to(list)).route(web::post().to(publish)))
        .service(web::resource("/events/{id}").route(read().to(get)))
        .service(web::resource("/events/{id}/deliveries").route(read().to(deliveries)))
        .service(web::resource("/events/{id}/matching").route(read().to(matching)))
        .service(web::resource("/events/{id}/data").route(web::delete().to(blank)));
}

async fn publish(
    caller: Authenticated,
    state: Data<AppState>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let scope = caller.0.tenant_scope(Scope::EventsWrite)?;
    query::none(&request)?;
    let key = idempotency_key(&request)?;
    let body = body::read(&request, payload, state.service.data_limit() + AROUND_DATA, false).await?;
    let watch = Stopwatch::start();
    let published = hand_over(&state, scope, body, key).await?.await?;
    state.service.note_accepted(watch.elapsed());
    let mut answer = HttpResponse::Accepted();
    if published.replayed {
        answer.insert_header((REPLAYED, HeaderValue::from_static("true")));
    }
    Ok(answer.json(Accepted::of(&published)))
}

/// Gives an event to the writer, which has its own copy of the data: the body is not kept for each event that waits for
/// the disk.
async fn hand_over(
    state: &AppState,
    scope: TenantScope,
    body: Bytes,
    key: Option<IdempotencyKey>,
) -> Result<Answer<Published, PublishError>, Problem> {
    match read_event(&body, key.clone()) {
        Ok(event) if !state.service.has_schema(&event.event_type) => {
            return Ok(state.service.publish(&scope, event)?);
        }
        Err(wrong) if !wrong.known.as_ref().is_some_and(|(known, _)| state.service.has_schema(known)) => {
            return Err(state.service.all_wrong(wrong).into());
        }
        _ => {}
    }
    // To check data against a schema may take a while: not where other requests wait for their turn.
    let check = move |service: &Service| match read_event(&body, key) {
        Ok(event) => service.publish(&scope, event),
        Err(wrong) => Err(service.all_wrong(wrong)),
    };
    state.read(check).await
}

/// The key that makes a repetition harmless.
pub(super) fn idempotency_key(request: &HttpRequest) -> Result<Option<IdempotencyKey>, Problem> {
    let mut given = request.headers().get_all(IDEMPOTENCY_KEY);
    let Some(value) = given.next() else { return Ok(None) };
    let key = match given.next() {
        // What is not UTF-8 is not ASCII either, and refused as such.
        None => IdempotencyKey::parse(&String::from_utf8_lossy(value.as_bytes())),
        Some(_) => Err("is there twice".to_owned()),
    };
    key.map(Some)
        .map_err(|message| Problem::fields(Code::InvalidHeader, Invalid::one("Idempotency-Key", message)))
}

fn read_event(body: &[u8], key: Option<IdempotencyKey>) -> Result<Publish<'_>, Wrong<'_>> {
    event(
        Fields::parse_around_data(body, 1).map_err(|problem| problem.0)?,
        key.map(|key| (key, request_hash(body))),
    )
}

/// The fields of an event.
pub(super) fn event(
    mut fields: Fields<'_>,
    idempotency: Option<(IdempotencyKey, [u8; 16])>,
) -> Result<Publish<'_>, Wrong<'_>> {
    let event_type = fields.required_text("type", EventType::parse);
    let data = fields.raw("data").map(RawValue::get);
    if data.is_none() {
        fields.missing("data", "any JSON value");
    }
    let tenant = fields.optional_text("tenant", TenantName::parse);
    let id = fields.optional_text("id", OwnId::parse);
    let timestamp = fields.optional_text("timestamp", UnixMs::parse);
    let known = event_type.clone().zip(data);
    let event = event_type.zip(data).map(|(event_type, data)| Publish {
        tenant,
        event_type,
        data,
        id,
        timestamp,
        idempotency,
    });
    fields.done(event).map_err(|problem| Wrong { error: problem.0, known })
}

/// Tells one body from another under the same key.
pub(super) fn request_hash(body: &[u8]) -> [u8; 16] {
    let mut hash = [0; 16];
    hash.copy_from_slice(&Sha256::digest(body)[..16]);
    hash
}

/// An event as it is shown; the one event with its data.
#[derive(Serialize)]
struct Event<'a> {
    id: &'a str,
    r#type: &'a EventType,
    tenant: &'a TenantName,
    timestamp: UnixMs,
    created_at: UnixMs,
    deliveries: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    data_deleted_at: Option<UnixMs>,
}

impl<'a> Event<'a> {
    fn of(event: &'a StoredEvent, id: &'a str, data: Option<&'a RawValue>) -> Self {
        Self {
            id,
            r#type: &event.event_type,
            tenant: &event.tenant,
            timestamp: event.timestamp,
            created_at: event.created_at,
            deliveries: event.deliveries,
            data,
            data_deleted_at: event.blanked_at,
        }
    }
}

async fn list(
    caller: Authenticated,
    state: Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.0.tenant_scope(Scope::EventsRead)?;
    let mut query = Query::of(&request);
    let wanted = EventQuery {
        tenant: query.parsed("tenant", TenantName::parse),
        event_type: query.parsed("type", Pattern::parse),
        span: query.span(),
        limit: query.limit(),
        before: query.cursor(EventId::parse),
    };
    query.finish()?;
    let answer = move |service: &Service| {
        let page = service.events(&scope, wanted)?;
        let ids: Vec<_> = page.rows.iter().map(StoredEvent::public_id).collect();
        let rows = page.rows.iter().zip(&ids).map(|(event, id)| Event::of(event, id, None)).collect();
        query::long_list(rows, page.next.map(|id| EventId(id).to_string()))
    };
    state.answer(answer).await
}

async fn get(
    caller: Authenticated,
    state: Data<AppState>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.0.tenant_scope(Scope::EventsRead)?;
    let tenant = tenant(&request)?;
    let answer = move |service: &Service| {
        let event = service.event(&scope, &id, tenant.as_ref())?;
        let text = if event.blanked_at.is_some() { "null" } else { &event.data };
        let data = serde_json::from_str::<&RawValue>(text)
            .map_err(|error| Problem::internal(format!("the data of {}: {error}", event.id)))?;
        Problem::or_json(&Event::of(&event, &event.public_id(), Some(data)))
    };
    state.answer(answer).await
}

async fn matching(
    caller: Authenticated,
    state: Data<AppState>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.0.tenant_scope(Scope::DeliveriesRead)?;
    let mut query = Query::of(&request);
    let tenant = query.parsed("tenant", TenantName::parse);
    let (limit, before) = (query.limit(), query.cursor(EndpointId::parse));
    query.finish()?;
    let answer = move |service: &Service| {
        let page = service.matching(&scope, &id, tenant.as_ref(), before, limit)?;
        query::long_list(page.rows, page.next.map(|id| EndpointId(id).to_string()))
    };
    state.answer(answer).await
}

async fn blank(
    caller: Authenticated,
    state: Data<AppState>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.0.tenant_scope(Scope::EventsWrite)?;
    let tenant = tenant(&request)?;
    state.read(move |service| service.blank_event(&scope, &id, tenant.as_ref())).await?.await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn deliveries(
    caller: Authenticated,
    state: Data<AppState>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.0.tenant_scope(Scope::DeliveriesRead)?;
    let mut query = Query::of(&request);
    let tenant = query.parsed("tenant", TenantName::parse);
    let (limit, before) = (query.limit(), query.cursor(DeliveryId::parse));
    query.finish()?;
    let answer = move |service: &Service| {
        let page = service.deliveries_of_event(&scope, &id, tenant.as_ref(), before, limit)?;
        Delivery::list(service, &page)
    };
    state.answer(answer).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_taken_byte_for_byte_and_may_be_null() {
        let event = read_event(b"{\"type\":\"a.b\",\"data\":{ \"n\" : 1.0e0 },\"id\":null}", None).unwrap();
        assert_eq!((event.data, event.id), ("{ \"n\" : 1.0e0 }", None));
        assert_eq!(read_event(b"{\"type\":\"a\",\"data\":null}", None).unwrap().data, "null");
    }

    #[test]
    fn every_wrong_field_of_an_event_is_named() {
        let body = br#"{"type":"a..b","tenant":"","id":"a.b","timestamp":"today","payload":1}"#;
        let fields: Vec<String> =
            read_event(body, None).unwrap_err().error.fields.into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["type", "data", "tenant", "id", "timestamp", "payload"]);
    }

    #[test]
    fn data_nests_as_deep_as_is_said() {
        let event = |levels: usize| {
            format!("{{\"type\":\"a\",\"data\":{}{}}}", "[".repeat(levels), "]".repeat(levels))
        };
        assert!(read_event(event(64).as_bytes(), None).is_ok());
        let refused = read_event(event(65).as_bytes(), None).unwrap_err().error;
        assert_eq!(refused.code, crate::service::Code::MalformedJson);
        assert!(
            refused.detail.contains("`data` must not nest arrays and objects more than 64 deep"),
            "{}",
            refused.detail
        );
    }

    #[test]
    fn another_body_has_another_hash() {
        assert_ne!(request_hash(b"{}"), request_hash(b"{ }"));
        assert_eq!(request_hash(b"{}"), request_hash(b"{}"));
    }
}
