//! Parameters and schemas that several resources share.

use crate::domain::delivery::StatusFilter;
use crate::domain::ids;
use crate::domain::matching::MAX_PATTERNS;
use crate::domain::names::{EventType, IdempotencyKey, OwnId, TenantName, Uid};
use crate::service::endpoints::MAX_SEARCH;
use crate::web::query::{DEFAULT_LIMIT, MAX_LIMIT};

use super::json::{Json, object as json_object};
use super::operation::{Parameter, Place};
use super::schema::{
    Schema, either, list_of, named, nullable, object, pattern, required, text, time, whole, word,
};

/// A pattern of event types: exact, `prefix.*` or `*`.
const PATTERN: &str = r"^(\*|[A-Za-z0-9_:/-]+(\.[A-Za-z0-9_:/-]+)*(\.\*)?)$";
/// How much of an answer's body is kept.
pub const RESPONSE_BODY: &str = "The first 2 KB of the answer's body.";
/// Times in examples.
pub const AT: &str = "2026-02-23T14:30:00.000Z";

/// The id of one of our things.
pub fn id(pattern: &'static str) -> Schema {
    text().with("pattern", pattern)
}

/// An event type.
pub fn event_type() -> Schema {
    pattern(EventType::PATTERN, 1, EventType::MOST)
}

/// A pattern of event types.
pub fn type_pattern() -> Schema {
    pattern(PATTERN, 1, EventType::MOST)
}

/// A list of patterns of event types.
pub fn type_patterns() -> Schema {
    list_of(type_pattern()).with("maxItems", MAX_PATTERNS)
}

/// The name of a tenant.
pub fn tenant() -> Schema {
    pattern(TenantName::PATTERN, 1, TenantName::MOST)
}

/// An id that a caller chooses: nothing that could be one of ours.
fn not_ours(schema: Schema) -> Schema {
    schema.with("not", json_object([("type", Json::from("string")), ("pattern", ids::OURS_PATTERN.into())]))
}

/// An event's own id.
pub fn own_id() -> Schema {
    not_ours(pattern(OwnId::PATTERN, 1, OwnId::MOST))
}

/// An endpoint's handle.
pub fn uid() -> Schema {
    not_ours(pattern(Uid::PATTERN, 1, Uid::MOST))
}

fn parameter(
    name: &'static str,
    place: Place,
    schema: Schema,
    example: &'static str,
    about: &'static str,
) -> Parameter {
    Parameter { name, place, schema, about, example: example.into() }
}

/// A parameter behind the question mark.
pub fn query(name: &'static str, schema: Schema, example: &'static str, about: &'static str) -> Parameter {
    parameter(name, Place::Query, schema, example, about)
}

/// The parameter `search` of a list.
pub fn search(example: &'static str, about: &'static str) -> Parameter {
    query("search", text().length(1, MAX_SEARCH).with("pattern", r"\S"), example, about)
}

/// A parameter in the path.
pub fn path(name: &'static str, schema: Schema, example: &'static str, about: &'static str) -> Parameter {
    parameter(name, Place::Path, schema, example, about)
}

/// `{id}` of an endpoint.
pub fn endpoint_id() -> Parameter {
    let schema = pattern(Uid::PATTERN, 1, Uid::MOST);
    path("id", schema, "ep_01m0e3tb0g000", "The endpoint's id, or its `uid` in the tenant.")
}

/// `{id}` of an event.
pub fn event_id() -> Parameter {
    let schema = pattern(OwnId::PATTERN, 1, OwnId::MOST);
    path("id", schema, "evt_01m0e3tb0g001", "The event's id: ours, or the publisher's own in the tenant.")
}

/// `?tenant=` of a call about one thing.
pub fn of_tenant() -> Parameter {
    let about =
        "Where a caller's own id or handle is looked up: the key's tenant, or `default`, when absent.";
    query("tenant", tenant(), "acme", about)
}

/// `?tenant=` of a list.
pub fn in_tenant() -> Parameter {
    query("tenant", tenant(), "acme", "Those of one tenant; absent: of all that the key may see.")
}

/// `?endpoint=` of a list.
pub fn of_endpoint() -> Parameter {
    let schema = pattern(Uid::PATTERN, 1, Uid::MOST);
    query("endpoint", schema, "ep_01m0e3tb0g000", "Those of one endpoint, by id or by `uid`.")
}

/// `?type=` of a list.
pub fn of_type() -> Parameter {
    query("type", type_pattern(), "invoice.*", "An event type, or a pattern such as `invoice.*`.")
}

/// `?status=` of deliveries.
pub fn of_status() -> Parameter {
    let words = StatusFilter::WORDS.split([',', ' ']).filter(|word| !word.is_empty() && *word != "or");
    query("status", word(words), "failed", "A status; `retrying` is pending with attempts behind it.")
}

/// `?since=` and `?until=`.
pub fn span() -> [Parameter; 2] {
    [
        query("since", time(), AT, "Accepted at this time or later."),
        query("until", time(), "2026-02-24T14:30:00.000Z", "Accepted before this time."),
    ]
}

/// `?limit=` and `?cursor=`, of which each list has its own.
pub fn page(cursor: &'static str) -> [Parameter; 2] {
    let limit = whole(1, MAX_LIMIT as u64).or(DEFAULT_LIMIT);
    let about = "`next_cursor` of the page before, as it is; absent for the first page.";
    [
        Parameter { example: DEFAULT_LIMIT.into(), ..query("limit", limit, "", "Rows of a page at most.") },
        query("cursor", text(), cursor, about),
    ]
}

/// `Idempotency-Key`.
pub fn idempotency_key() -> Parameter {
    let schema = pattern(IdempotencyKey::PATTERN, 1, IdempotencyKey::MOST);
    let about =
        "Makes a repetition harmless: the same key with the same bytes gives the same answer again for 24 h.";
    parameter("Idempotency-Key", Place::Header, schema, "invoice-17-paid", about)
}

/// What the header says that goes with it.
pub const REPLAYED: (&str, &str) = ("Idempotent-Replayed", "`true` on an answer that was given before.");

/// A page of a list.
pub fn page_of(name: &str) -> Schema {
    object([
        required("data", list_of(named(name)), "The rows, the newest first."),
        nullable("next_cursor", text(), "Where the next page starts; null: this is the last one."),
    ])
}

/// How headers of a request or an answer are shown.
pub fn headers() -> Schema {
    super::schema::map_of(either([text(), list_of(text())]))
}
