//! `POST /events/batch`.

use std::fmt;

use actix_web::http::Method;
use actix_web::http::header::HeaderValue;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, guard};
use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::clock::Stopwatch;
use crate::domain::names::IdempotencyKey;
use crate::domain::scope::Scope;
use crate::service::batch::{MAX_EVENTS, batch_answer};
use crate::service::events::{Publish, Wrong};
use crate::service::{Error, Service};
use crate::store::publish_batch::BatchDone;
use crate::web::auth::Authenticated;
use crate::web::body;
use crate::web::fields::Fields;
use crate::web::problem::Problem;
use crate::web::query;
use crate::web::state::AppState;

use super::events::{REPLAYED, event, idempotency_key, request_hash};

/// Bytes of the whole body.
const BODY: usize = 8 * 1024 * 1024;
/// The event, the list and the object around its data, which may nest as deep as that of a single event.
const AROUND: usize = 3;

/// The route. Before that of one event, but not to be read: an event may have the id `batch`.
pub fn routes(config: &mut ServiceConfig) {
    // Not `guard::Not`: actix would take GET for a method that `Allow` has to name.
    let others = guard::fn_guard(|context| !matches!(context.head().method, Method::GET | Method::HEAD));
    config.service(web::resource("/events/batch").guard(others).route(web::post().to(publish)));
}

async fn publish(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::EventsWrite)?;
    query::none(&request)?;
    let key = idempotency_key(&request)?;
    let (body, kept) = body::read_and_keep(&request, payload, BODY, false).await?;
    let watch = Stopwatch::start();
    let check = move |service: &Service| {
        let idempotency = key.map(|key: IdempotencyKey| (key, request_hash(&body)));
        let events = read(&body).map_err(|problem| problem.0)?;
        let committed = service.publish_batch(&scope, events, idempotency);
        // From here on the writer's queue has its own copy, and counts it.
        drop(kept);
        committed
    };
    // To read and match a thousand events takes some milliseconds, and their schemas more.
    let done = state.read(check).await?.await.map_err(Error::from)?;
    state.service.note_accepted(watch.elapsed());
    let mut answer = HttpResponse::Accepted();
    let text = match done {
        BatchDone::Accepted(published) => batch_answer(&published)?,
        BatchDone::Before(text) => {
            answer.insert_header((REPLAYED, HeaderValue::from_static("true")));
            text
        }
    };
    Ok(answer.content_type("application/json").body(text))
}

/// The events of a body, or what is wrong with each.
fn read(body: &[u8]) -> Result<Vec<Result<Publish<'_>, Wrong<'_>>>, Problem> {
    let mut fields = Fields::parse_around_data(body, AROUND)?;
    let events = match fields.raw("events") {
        None => Err(format!("is required and must be a list of 1 to {MAX_EVENTS} events")),
        Some(raw) => serde_json::from_str::<Items<'_>>(raw.get())
            .ok()
            .filter(|items| (1..=MAX_EVENTS).contains(&items.0.len()))
            .ok_or_else(|| format!("must be a list of 1 to {MAX_EVENTS} events")),
    };
    let events = fields.invalid().check("events", events);
    Ok(fields.done(events)?.0.into_iter().map(one).collect())
}

fn one(raw: &RawValue) -> Result<Publish<'_>, Wrong<'_>> {
    if !raw.get().starts_with('{') {
        return Err(Error::field("", "must be an object with type and data").into());
    }
    let fields = Fields::parse_around_data(raw.get().as_bytes(), 1)
        .map_err(|problem| Error::field("", problem.0.detail))?;
    event(fields, None)
}

/// The texts of a list's items, up to one more than are allowed.
struct Items<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for Items<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemsVisitor;

        impl<'de> Visitor<'de> for ItemsVisitor {
            type Value = Items<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Items<'de>, A::Error> {
                let mut items = Vec::new();
                while items.len() <= MAX_EVENTS {
                    let Some(item) = list.next_element()? else { return Ok(Items(items)) };
                    items.push(item);
                }
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Items(items))
            }
        }

        deserializer.deserialize_seq(ItemsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(body: &str) -> Vec<String> {
        read(body.as_bytes()).map(drop).unwrap_err().0.fields.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn a_batch_is_a_list_of_one_to_a_thousand_events() {
        for body in ["{}", r#"{"events":null}"#, r#"{"events":{}}"#, r#"{"events":[]}"#] {
            assert_eq!(wrong(body), ["events"], "{body}");
        }
        let many = |count: usize| {
            format!("{{\"events\":[{}]}}", vec!["{\"type\":\"a\",\"data\":1}"; count].join(","))
        };
        assert_eq!(wrong(&many(1_001)), ["events"]);
        assert_eq!(read(many(1_000).as_bytes()).unwrap().len(), 1_000);
        assert_eq!(wrong(r#"{"events":[{}],"more":1}"#), ["more"]);
    }

    #[test]
    fn each_event_is_read_as_a_single_one_is() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let event = |data: &str| format!("{{\"type\":\"a\",\"data\":{data}}}");
        let body =
            format!("{{\"events\":[{},7,{{\"type\":1}},{}]}}", event("{ \"n\" : 1.0e0 }"), event(&deep(64)));
        let events = read(body.as_bytes()).unwrap();
        let fields = |at: usize| {
            events[at]
                .as_ref()
                .err()
                .map(|wrong| wrong.error.fields.iter().map(|e| e.field.as_str()).collect())
        };
        assert_eq!(events[0].as_ref().unwrap().data, "{ \"n\" : 1.0e0 }");
        assert_eq!((fields(1), fields(2), fields(3)), (Some(vec![""]), Some(vec!["type", "data"]), None));
        let body = format!("{{\"events\":[{}]}}", event(&deep(65)));
        let refused = read(body.as_bytes()).map(drop).unwrap_err().0;
        assert!(
            refused.detail.contains("`data` must not nest arrays and objects more than 64 deep"),
            "{}",
            refused.detail
        );
    }
}
