//! Event types: the catalogue.

use crate::domain::limits::{DISPLAY_NAME_PATTERN, MAX_DISPLAY_NAME};
use crate::domain::scope::Scope::{Admin, EndpointsRead};
use crate::service::Code;
use crate::web::openapi::links::NAME;
use crate::web::openapi::operation::{Operation, Parameter};
use crate::web::openapi::schema::{
    Field, Schema, any, either, flag, map_of, named, nullable, object, optional, pattern, required, text,
    time,
};
use crate::web::openapi::words::{event_type, page, page_of, path, search};

use super::Resource;
use super::endpoint_fields::prose;

const PUT: &str = r#"{"description":"An invoice was paid in full","group":"Invoices","example":{"invoice":"in_17"},"schema":{"type":"object","required":["invoice"],"properties":{"invoice":{"type":"string"}}}}"#;
const SUMMARY: &str = r#"{"name":"invoice.paid","description":"An invoice was paid in full","group":"Invoices","reserved":false,"has_schema":true,"created_at":"2026-02-23T14:30:00.000Z","updated_at":"2026-02-23T14:30:00.000Z""#;

/// What there is to do with a type.
const OF_TYPE: [&str; 3] = ["getEventType", "putEventType", "deleteEventType"];

/// See the module.
pub fn resource() -> Resource {
    Resource {
        name: "Event types",
        about: "The catalogue: what there is to subscribe to, and what its data looks like.",
        operations: vec![list(), get(), put(), delete()],
        schemas: vec![
            ("EventTypeDescription", described()),
            ("EventTypeSummary", object(fields())),
            ("EventType", whole()),
        ],
    }
}

/// A name for people, in one line.
pub fn display_name() -> Schema {
    pattern(DISPLAY_NAME_PATTERN, 1, MAX_DISPLAY_NAME)
}

fn described() -> Schema {
    let schema = either([map_of(any()), flag()]);
    object([
        optional("description", prose(), "What it means, for people."),
        optional("group", display_name(), "What it is shown under."),
        optional("example", any(), "Data as it may look. It fits the schema."),
        optional("schema", schema, "JSON Schema: data that does not fit is refused."),
        optional("reserved", flag().or(false), "It can be subscribed to, and nobody may publish it."),
    ])
}

fn fields() -> Vec<Field> {
    vec![
        required("name", event_type(), "The type."),
        nullable("description", text(), "What it means."),
        nullable("group", text(), "What it is shown under."),
        required("reserved", flag(), "Whether nobody may publish it."),
        required("has_schema", flag(), "Whether its data has to fit a schema."),
        required("created_at", time(), "When it was made."),
        required("updated_at", time(), "When it was last changed."),
    ]
}

fn whole() -> Schema {
    object(fields().into_iter().chain([
        required("example", any(), "Data as it may look, or null."),
        required("schema", any(), "The JSON Schema of its data, or null."),
    ]))
}

fn example() -> String {
    format!("{SUMMARY},\"example\":{{\"invoice\":\"in_17\"}},\"schema\":{{\"type\":\"object\"}}}}")
}

fn name() -> Parameter {
    path(
        "name",
        event_type(),
        "invoice.paid",
        "The type. It may hold slashes, as they are or as `%2F`; only so where a client or a proxy would shorten `//` or `/./`.",
    )
}

fn list() -> Operation {
    Operation::new("GET", "/api/v1/event-types", "listEventTypes", EndpointsRead)
        .says("List event types", "Without example and schema.")
        .with([search(
            "invoice",
            "Those whose name, group or description holds this text, in whatever case.",
        )])
        .with(page("event-types:1771857000000-invoice.paid"))
        .answers(
            200,
            "A page.",
            page_of("EventTypeSummary"),
            &format!("{{\"data\":[{SUMMARY}}}],\"next_cursor\":null}}"),
        )
        .leads_to_all(OF_TYPE, &[("name", "$response.body#/data/0/name")])
}

fn get() -> Operation {
    Operation::new("GET", "/api/v1/event-types/{name}", "getEventType", EndpointsRead)
        .says("Get an event type", "")
        .with([name()])
        .answers(200, "The type.", named("EventType"), &example())
        .leads_to_all(OF_TYPE, NAME)
}

fn put() -> Operation {
    Operation::new("PUT", "/api/v1/event-types/{name}", "putEventType", Admin)
        .says(
            "Make or replace an event type",
            "What is absent gets its default. The catalogue may have 10,000 types.",
        )
        .with([name()])
        .may_take(named("EventTypeDescription"), PUT)
        .answers(200, "It was there, and is replaced.", named("EventType"), &example())
        .leads_to_all(OF_TYPE, NAME)
        .answers(201, "It was not there.", named("EventType"), &example())
        .leads_to_all(OF_TYPE, NAME)
        .fails([Code::EventTypeLimitReached])
}

fn delete() -> Operation {
    Operation::new("DELETE", "/api/v1/event-types/{name}", "deleteEventType", Admin)
        .says("Delete an event type", "Subscriptions and events of it stay.")
        .with([name()])
        .answers_nothing("It is not in the catalogue any more.")
}
