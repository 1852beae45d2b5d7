//! Why an event went where it went.

use crate::domain::ids::{DeliveryId, EndpointId};
use crate::domain::scope::Scope::DeliveriesRead;
use crate::web::openapi::operation::Operation;
use crate::web::openapi::schema::{Schema, any, flag, nullable, object, required, text, word};
use crate::web::openapi::words::{event_id, id, of_tenant, page, page_of, uid};

const ROW: &str = r#"{"endpoint_id":"ep_01m0e3tb0g000","uid":null,"url":"https://example.com/hook","enabled":true,"matched":false,"delivery_id":null,"reason":"filter","filter":{"path":"status","wanted":"published","got":"draft","got_kind":"string"},"message":"The filter status wants \"published\", and the data has \"draft\".","changed_since":false}"#;

/// The call.
pub fn operation() -> Operation {
    Operation::new("GET", "/api/v1/events/{id}/matching", "listMatching", DeliveriesRead)
        .says(
            "Why an event went where it went",
            "Each endpoint of its tenant with the rule that did not match, by today's settings.",
        )
        .with([event_id(), of_tenant()])
        .with(page("ep_01m0e3tb0g000"))
        .answers(200, "A page.", page_of("Matching"), &format!("{{\"data\":[{ROW}],\"next_cursor\":null}}"))
        .leads_to("getEndpoint", &[("id", "$response.body#/data/0/endpoint_id")])
}

/// An endpoint and the event.
pub fn schema() -> Schema {
    let reasons = [
        "delivered_to",
        "made_later",
        "not_subscribed",
        "filter",
        "data_deleted",
        "skipped_while_disabled",
        "matches_now",
    ];
    let kinds = ["missing", "null", "boolean", "number", "string", "array", "object"];
    let filter = object([
        required("path", text(), "Where it looks."),
        required("wanted", any(), "The value that it wants, or a list of values."),
        required("got", any(), "What is there; null where nothing is, or where it is longer than 1 KB."),
        required("got_kind", word(kinds), "What kind of value is there."),
    ]);
    object([
        required("endpoint_id", id(EndpointId::PATTERN), "The endpoint."),
        nullable("uid", uid(), "Its owner's handle."),
        required("url", text(), "Where it is."),
        required("enabled", flag(), "Whether it receives."),
        nullable("matched", flag(), "Whether the event matches today; null where its data was deleted."),
        nullable("delivery_id", id(DeliveryId::PATTERN), "The first delivery of the event to it."),
        required("reason", word(reasons), "Why, in a word."),
        nullable("filter", filter, "The first filter that does not hold."),
        required("message", text(), "A sentence that says so."),
        required("changed_since", flag(), "Whether the endpoint was changed after the event was accepted."),
    ])
}
