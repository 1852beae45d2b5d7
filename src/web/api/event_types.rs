//! `/event-types`.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::domain::names::EventType;
use crate::domain::scope::Scope;
use crate::domain::time::UnixMs;
use crate::service::Service;
use crate::service::endpoints::search;
use crate::service::event_types::EventTypeDraft;
use crate::store::event_types::{EventTypeCursor, EventTypeRow};
use crate::web::auth::Authenticated;
use crate::web::body;
use crate::web::fields::Fields;
use crate::web::problem::Problem;
use crate::web::query::{self, Numbered, Query};
use crate::web::read;
use crate::web::state::AppState;

/// Numbers in cursors are times of this list.
const CURSOR: Numbered = Numbered("event-types");
/// A schema and an example fit in it.
const BODY: usize = 256 * 1024;

/// Registers the calls. A type may hold slashes.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/event-types").route(read().to(list))).service(
        web::resource("/event-types/{name:.+}")
            .route(read().to(get))
            .route(web::put().to(put))
            .route(web::delete().to(delete)),
    );
}

/// A type as it is shown; in a list without example and schema.
#[derive(Serialize)]
struct Shown<'a> {
    name: &'a EventType,
    description: Option<&'a str>,
    group: Option<&'a str>,
    reserved: bool,
    has_schema: bool,
    created_at: UnixMs,
    updated_at: UnixMs,
    #[serde(flatten)]
    long: Option<Long<'a>>,
}

#[derive(Serialize)]
struct Long<'a> {
    example: Option<&'a RawValue>,
    schema: Option<&'a RawValue>,
}

impl<'a> Shown<'a> {
    fn of(row: &'a EventTypeRow) -> Self {
        Self {
            name: &row.name,
            description: row.description.as_deref(),
            group: row.group.as_deref(),
            reserved: row.reserved,
            has_schema: row.has_schema,
            created_at: row.created_at,
            updated_at: row.updated_at,
            long: None,
        }
    }

    fn whole(row: &'a EventTypeRow) -> Result<Self, Problem> {
        let raw = |text: &'a Option<String>| {
            let read = |text: &'a String| serde_json::from_str::<&RawValue>(text);
            text.as_ref().map(read).transpose().map_err(|error| Problem::internal(error.to_string()))
        };
        let long = Long { example: raw(&row.example)?, schema: raw(&row.schema)? };
        Ok(Self { long: Some(long), ..Self::of(row) })
    }
}

/// A cursor is the last row's time and name.
pub(in crate::web) fn cursor(text: &str) -> Option<EventTypeCursor> {
    let digits = text.find(':')?;
    let dash = digits + text[digits..].find('-')?;
    Some((UnixMs(CURSOR.parse(&text[..dash])?), EventType::parse(&text[dash + 1..]).ok()?.to_string()))
}

/// The text that [`cursor`] reads.
pub(in crate::web) fn cursor_text((at, name): &EventTypeCursor) -> String {
    format!("{}-{name}", CURSOR.cursor(at.0))
}

async fn list(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::EndpointsRead)?;
    let mut query = Query::of(&request);
    let (limit, before, search) = (query.limit(), query.cursor(cursor), query.parsed("search", search));
    query.finish()?;
    let listed =
        state.read(move |service| service.event_types(&scope, search.as_deref(), before.as_ref(), limit));
    let listed = listed.await?;
    let next = listed.next.as_ref().map(cursor_text);
    Ok(query::list(listed.rows.iter().map(Shown::of).collect(), next))
}

async fn get(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    name: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::EndpointsRead)?;
    query::none(&request)?;
    let row = state.read(move |service| service.event_type(&scope, &name)).await?;
    Ok(HttpResponse::Ok().json(Shown::whole(&row)?))
}

/// 201 for a type that was not there (RFC 9110, section 9.3.4), else 200.
async fn put(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    payload: Payload,
    name: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.admin()?;
    query::none(&request)?;
    let body = body::read(&request, payload, BODY, true).await?;
    let check = move |service: &Service| {
        let mut fields = Fields::parse_optional(&body).map_err(|problem| problem.0)?;
        let draft = draft(&mut fields);
        let checked = service.check_event_type(&scope, &name, draft);
        let checked = fields.invalid().absorb(checked);
        fields.done(checked).map_err(|problem| problem.0)
    };
    let checked = state.read(check).await?;
    let put = state.service.put_event_type(checked).await?;
    let status = if put.made { StatusCode::CREATED } else { StatusCode::OK };
    Ok(HttpResponse::build(status).json(Shown::whole(&put.event_type)?))
}

fn draft(fields: &mut Fields<'_>) -> EventTypeDraft {
    let mut json =
        |name| fields.optional::<Box<RawValue>>(name, "a JSON value").map(|raw| raw.get().to_owned());
    let (example, schema) = (json("example"), json("schema"));
    EventTypeDraft {
        description: fields.optional("description", "a text"),
        group: fields.optional("group", "a text"),
        example,
        schema,
        reserved: fields.optional("reserved", "true or false").unwrap_or_default(),
    }
}

async fn delete(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
    name: Path<String>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.admin()?;
    query::none(&request)?;
    state.service.delete_event_type(&scope, &name).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_a_time_and_a_name() {
        assert_eq!(cursor("event-types:17-a.b-c"), Some((UnixMs(17), "a.b-c".to_owned())));
        for bad in ["", "17", "17-", "x-a", "-1-a", "17-a..b"] {
            assert_eq!(cursor(&format!("event-types:{bad}")), None, "{bad}");
        }
        assert_eq!(cursor("17-a.b-c"), None, "of no list");
    }
}
