//! Events: publishing and reading them.

use crate::domain::names::OwnId;
use crate::domain::scope::Scope::{DeliveriesRead, DeliveriesWrite, EventsRead, EventsWrite};
use crate::service::Code;
use crate::service::batch::MAX_EVENTS;
use crate::web::openapi::links::{EVENT, FIRST, FIRST_EVENT, OF_DELIVERY, OF_EVENT, SAME};
use crate::web::openapi::operation::Operation;
use crate::web::openapi::schema::{
    Field, Schema, any, count, flag, list_of, named, nullable, object, optional, pattern, required,
    sometimes, text, time,
};
use crate::web::openapi::words::{
    REPLAYED, event_id, event_type, idempotency_key, in_tenant, of_tenant, of_type, own_id, page, page_of,
    span, tenant,
};

use super::{Resource, matching};

const NEW: &str = r#"{"type":"invoice.paid","tenant":"acme","data":{"invoice":"in_17","amount":"12.00"}}"#;
const ACCEPTED: &str = r#"{"id":"evt_01m0e3tb0g001","type":"invoice.paid","tenant":"acme","timestamp":"2026-02-23T14:30:00.000Z","created_at":"2026-02-23T14:30:00.000Z","deliveries":1}"#;
const SHOWN: &str = r#"{"id":"evt_01m0e3tb0g001","type":"invoice.paid","tenant":"acme","timestamp":"2026-02-23T14:30:00.000Z","created_at":"2026-02-23T14:30:00.000Z","deliveries":1,"data":{"invoice":"in_17","amount":"12.00"},"data_deleted_at":null}"#;

/// See the module.
pub fn resource() -> Resource {
    Resource {
        name: "Events",
        about: "One thing that happened: type, data, time. Immutable. A 202 means that the event and all its \
                deliveries are on disk.",
        operations: vec![
            publish(),
            publish_batch(),
            list(),
            get(),
            deliveries(),
            matching::operation(),
            replay(),
            blank(),
        ],
        schemas: vec![
            ("NewEvent", new_event()),
            ("AcceptedEvent", accepted(Vec::new())),
            ("BatchedEvent", accepted(vec![replayed()])),
            ("EventSummary", object(listed())),
            ("Event", whole()),
            ("Matching", matching::schema()),
        ],
    }
}

fn new_event() -> Schema {
    object([
        required("type", event_type(), "What happened, such as `invoice.paid`."),
        required("data", any(), "Any JSON value; passed on byte for byte."),
        optional("tenant", tenant(), "Whose endpoints receive it; the key's own, or `default`, when absent."),
        optional("id", own_id(), "The publisher's own id, unique in the tenant; the event's `webhook-id`."),
        optional("timestamp", time(), "When it happened; the time of acceptance when absent."),
    ])
}

fn event_fields() -> Vec<Field> {
    vec![
        required("id", pattern(OwnId::PATTERN, 1, OwnId::MOST), "`evt_…`, or the publisher's own."),
        required("type", event_type(), "What happened."),
        required("tenant", tenant(), "Whose endpoints receive it."),
        required("timestamp", time(), "When it happened."),
        required("created_at", time(), "When it was accepted."),
        required("deliveries", count(), "Endpoints that matched at that moment."),
    ]
}

fn listed() -> Vec<Field> {
    let deleted = nullable("data_deleted_at", time(), "When its data was deleted; null where it was not.");
    event_fields().into_iter().chain([deleted]).collect()
}

fn replayed() -> Field {
    required("replayed", flag(), "Whether it was accepted before, with the same id and content.")
}

fn accepted(more: Vec<Field>) -> Schema {
    let warnings = sometimes("warnings", list_of(text()), "What is allowed and probably not meant.");
    object(event_fields().into_iter().chain(more).chain([warnings]))
}

fn whole() -> Schema {
    let data = required("data", any(), "As it was published; null where it was deleted.");
    object(listed().into_iter().chain([data]))
}

fn publish() -> Operation {
    Operation::new("POST", "/api/v1/events", "publishEvent", EventsWrite)
        .says(
            "Publish an event",
            "The same `id` with the same type, data and timestamp answers the same event; with other content it is 409.",
        )
        .with([idempotency_key()])
        .takes(named("NewEvent"), NEW)
        .answers(202, "It is on disk, with all its deliveries.", named("AcceptedEvent"), ACCEPTED)
        .header(REPLAYED.0, REPLAYED.1)
        .leads_to_all(OF_EVENT, EVENT)
        .fails([Code::NotFound, Code::IdTaken, Code::IdempotencyKeyReused])
        .fails([Code::UnknownTenant, Code::ReservedEventType, Code::UnknownEventType])
}

fn publish_batch() -> Operation {
    let batch = object([required("events", list_of(named("NewEvent")).items(1, MAX_EVENTS), "The events.")]);
    let done = object([required("data", list_of(named("BatchedEvent")), "The events, in their order.")]);
    Operation::new("POST", "/api/v1/events/batch", "publishEvents", EventsWrite)
        .says(
            "Publish many events",
            "All or nothing, in one transaction, at most 8 MB. A refusal names the index: `events[3].type`. To check all \
             data against schemas may take 5 s in all.",
        )
        .with([idempotency_key()])
        .takes(batch, &format!("{{\"events\":[{NEW}]}}"))
        .answers(
            202,
            "All are on disk.",
            done,
            &format!(
                "{{\"data\":[{}]}}",
                ACCEPTED.replace("\"deliveries\":1", "\"deliveries\":1,\"replayed\":false")
            ),
        )
        .header(REPLAYED.0, REPLAYED.1)
        .leads_to_all(OF_EVENT, FIRST_EVENT)
        .fails([Code::NotFound, Code::IdTaken, Code::IdempotencyKeyReused])
        .fails([Code::UnknownTenant, Code::ReservedEventType, Code::UnknownEventType])
}

fn list() -> Operation {
    let example = ACCEPTED.replace('}', ",\"data_deleted_at\":null}");
    Operation::new("GET", "/api/v1/events", "listEvents", EventsRead)
        .says("List events", "Without their data.")
        .with([in_tenant(), of_type()])
        .with(span())
        .with(page("evt_01m0e3tb0g001"))
        .answers(
            200,
            "A page.",
            page_of("EventSummary"),
            &format!("{{\"data\":[{example}],\"next_cursor\":null}}"),
        )
        .leads_to_all(OF_EVENT, FIRST_EVENT)
        .leads_to("listEvents", &[("cursor", "$response.body#/next_cursor")])
        .fails([Code::NotFound])
}

fn get() -> Operation {
    Operation::new("GET", "/api/v1/events/{id}", "getEvent", EventsRead)
        .says("Get an event", "With its data.")
        .with([event_id(), of_tenant()])
        .answers(200, "The event.", named("Event"), SHOWN)
        .leads_to_all(OF_EVENT, EVENT)
}

fn deliveries() -> Operation {
    Operation::new("GET", "/api/v1/events/{id}/deliveries", "listDeliveriesOfEvent", DeliveriesRead)
        .says("List the deliveries of an event", "")
        .with([event_id(), of_tenant()])
        .with(page("dlv_01m0e3tb0g002"))
        .answers(200, "A page.", page_of("Delivery"), &super::deliveries::page_example())
        .leads_to_all(OF_DELIVERY, FIRST)
}

fn replay() -> Operation {
    let wanted = object([optional(
        "endpoint",
        text(),
        "Only to this one, by id or `uid`, whatever it subscribes to.",
    )]);
    let done = object([required("deliveries", count(), "How many were made.")]);
    Operation::new("POST", "/api/v1/events/{id}/replay", "replayEvent", DeliveriesWrite)
        .says(
            "Deliver an event again",
            "To all that match now, or to one endpoint: new deliveries, with `replay_of`.",
        )
        .with([event_id(), of_tenant(), idempotency_key()])
        .may_take(wanted, "{}")
        .answers(202, "The deliveries are on disk.", done, r#"{"deliveries":1}"#)
        .leads_to_all(["listDeliveriesOfEvent", "deleteEventData"], SAME)
        .header(REPLAYED.0, REPLAYED.1)
        .fails([Code::NotReplayable, Code::IdempotencyKeyReused])
}

fn blank() -> Operation {
    Operation::new("DELETE", "/api/v1/events/{id}/data", "deleteEventData", EventsWrite)
        .says(
            "Delete the data of an event",
            "The payload and the kept answers go, from the file as well, and the records stay; what is pending of it is \
             canceled. Of an event with very many deliveries the answers leave the file in the background; they are \
             shown to nobody from this answer on.",
        )
        .with([event_id(), of_tenant()])
        .answers_nothing("The data is gone.")
        .leads_to_all(["getEvent", "listDeliveriesOfEvent", "replayEvent"], SAME)
}
