//! Deliveries: one event on its way to one endpoint.

use crate::domain::ids::{DeliveryId, EndpointId};
use crate::domain::names::OwnId;
use crate::domain::scope::Scope::{DeliveriesRead, DeliveriesWrite};
use crate::service::Code;
use crate::web::openapi::json::Json;
use crate::web::openapi::links::{FIRST, ID, ITS_ENDPOINT, ITS_EVENT, OF_DELIVERY};
use crate::web::openapi::operation::{Content, Operation, Parameter};
use crate::web::openapi::schema::{
    self, Field, Schema, count, flag, list_of, named, nullable, object, optional, pattern, required, text,
    time, word,
};
use crate::web::openapi::words::{
    RESPONSE_BODY, event_type, headers, id, in_tenant, of_endpoint, of_status, of_type, page, page_of, path,
    query, span, tenant,
};

use super::Resource;

const SHOWN: &str = r#"{"id":"dlv_01m0e3tb0g002","event_id":"evt_01m0e3tb0g001","event_type":"invoice.paid","endpoint_id":"ep_01m0e3tb0g000","tenant":"acme","status":"pending","held_reason":null,"attempts":1,"status_code":500,"response_body":"try later","error":"answered with 500","next_retry_at":"2026-02-23T14:30:05.000Z","created_at":"2026-02-23T14:30:00.000Z","delivered_at":null,"replay_of":null,"test":false}"#;
const ATTEMPT: &str = r#"{"number":1,"round":1,"started_at":"2026-02-23T14:30:00.000Z","duration_ms":12,"phases_ms":{"dns":1,"connect":2,"tls":4,"wait":4,"read":1},"url":"https://example.com/hook","address":"203.0.113.9:443","status_code":500,"error":"answered with 500","request_headers":{"webhook-id":"evt_01m0e3tb0g001"},"request_body":null,"response_headers":{"content-type":"text/plain"},"response_body":"try later"}"#;

/// See the module.
pub fn resource() -> Resource {
    Resource {
        name: "Deliveries",
        about: "One event on its way to one endpoint, with its attempts. `pending` waits for its first attempt or a \
                retry, `held` is kept back, `failed` has used its attempts up.",
        operations: vec![list(), get(), curl(), retry(), cancel(), release()],
        schemas: vec![
            ("Delivery", object(fields())),
            ("DeliveryWithAttempts", whole()),
            ("Attempt", attempt()),
        ],
    }
}

/// A page of deliveries.
pub fn page_example() -> String {
    format!("{{\"data\":[{SHOWN}],\"next_cursor\":null}}")
}

fn delivery_id() -> Parameter {
    path("id", id(DeliveryId::PATTERN), "dlv_01m0e3tb0g002", "The delivery's id.")
}

fn fields() -> Vec<Field> {
    vec![
        required("id", id(DeliveryId::PATTERN), "`dlv_…`."),
        required("event_id", pattern(OwnId::PATTERN, 1, OwnId::MOST), "The event."),
        required("event_type", event_type(), "Its type."),
        required("endpoint_id", id(EndpointId::PATTERN), "The endpoint."),
        required("tenant", tenant(), "Whose it is."),
        required("status", word(["pending", "held", "delivered", "failed", "canceled"]), "How it stands."),
        nullable("held_reason", word(["endpoint_disabled", "restored"]), "Why it is held."),
        required("attempts", count(), "Attempts so far; counts on over rounds."),
        nullable("status_code", count(), "The status of the last answer."),
        nullable("response_body", text(), RESPONSE_BODY),
        nullable("error", text(), "What went wrong last, in one line that a person can act on."),
        nullable(
            "next_retry_at",
            time(),
            "When it is tried; null also where it goes as soon as its turn comes.",
        ),
        required("created_at", time(), "When it was made."),
        nullable("delivered_at", time(), "When it was delivered."),
        nullable("replay_of", id(DeliveryId::PATTERN), "The delivery that it repeats."),
        required(
            "test",
            flag(),
            "Whether it was made by `POST /endpoints/{id}/test`: sent once, and not retried.",
        ),
    ]
}

fn whole() -> Schema {
    object(fields().into_iter().chain([
        nullable(
            "request_body",
            text(),
            "The exact body of the last attempt; null where the data was deleted.",
        ),
        required("attempt_list", list_of(named("Attempt")), "Its attempts."),
    ]))
}

fn attempt() -> Schema {
    let phase = |name| nullable(name, count(), "");
    let phases = object(["dns", "connect", "tls", "wait", "read"].map(phase));
    object([
        required("number", count(), "From 1, over all rounds."),
        required("round", count(), "A round is one run through the schedule."),
        required("started_at", time(), "When it began."),
        required("duration_ms", count(), "How long it took."),
        required("phases_ms", phases, "How long each part took."),
        nullable("url", text(), "Where it went."),
        nullable("address", text(), "The address that was dialled."),
        nullable("status_code", count(), "The status of the answer."),
        nullable("error", text(), "What went wrong."),
        nullable("request_headers", headers(), "What was sent; values that are credentials as `•••`."),
        nullable(
            "request_body",
            text(),
            "The exact body, where it is not the delivery's `request_body` because the format was another; else null, as it is \
             where these bodies would be more than 4 MB in all.",
        ),
        required("response_headers", headers(), "What came back, cut at 8 KB."),
        required("response_body", text(), RESPONSE_BODY),
    ])
}

fn list() -> Operation {
    Operation::new("GET", "/api/v1/deliveries", "listDeliveries", DeliveriesRead)
        .says("List deliveries", "")
        .with([in_tenant(), of_endpoint(), of_status(), of_type()])
        .with(span())
        .with(page("dlv_01m0e3tb0g002"))
        .answers(200, "A page.", page_of("Delivery"), &page_example())
        .leads_to_all(OF_DELIVERY, FIRST)
        .fails([Code::NotFound])
}

fn get() -> Operation {
    let example = SHOWN.trim_end_matches('}');
    let example = format!("{example},\"request_body\":\"{{}}\",\"attempt_list\":[{ATTEMPT}]}}");
    Operation::new("GET", "/api/v1/deliveries/{id}", "getDelivery", DeliveriesRead)
        .says("Get a delivery", "With its attempts and the exact requests.")
        .with([delivery_id()])
        .answers(200, "The delivery.", named("DeliveryWithAttempts"), &example)
        .leads_to_all(OF_DELIVERY, ID)
        .leads_to("getEvent", ITS_EVENT)
        .leads_to("getEndpoint", ITS_ENDPOINT)
}

fn curl() -> Operation {
    let content = Content {
        media_type: "text/plain",
        schema: text(),
        example: "curl --request POST \\\n  --url 'https://example.com/hook'\n".into(),
    };
    let number = Parameter {
        example: Json::from(1_u64),
        ..query("attempt", schema::whole(1, u32::MAX.into()), "", "Which attempt; the last one when absent.")
    };
    Operation::new("GET", "/api/v1/deliveries/{id}/curl", "getDeliveryAsCurl", DeliveriesRead)
        .says(
            "Get a request as a curl command",
            "For a POSIX shell, with the headers and the signature of an attempt; values that are credentials as `•••`.",
        )
        .with([delivery_id(), number])
        .answers_as(200, "The command.", content)
}

fn retry() -> Operation {
    Operation::new("POST", "/api/v1/deliveries/{id}/retry", "retryDelivery", DeliveriesWrite)
        .says(
            "Retry a delivery",
            "A failed or canceled one gets a new round at once, a pending one goes now, and of a delivered one the \
             answer is a new delivery.",
        )
        .with([delivery_id()])
        .may_take(object([]), "{}")
        .answers(202, "It is on its way.", named("Delivery"), SHOWN)
        .leads_to_all(["getDelivery", "cancelDelivery"], ID)
        .fails([Code::NotRetryable])
}

fn cancel() -> Operation {
    Operation::new("POST", "/api/v1/deliveries/{id}/cancel", "cancelDelivery", DeliveriesWrite)
        .says("Cancel a delivery", "One that is pending or held. What is in flight may still succeed.")
        .with([delivery_id()])
        .may_take(object([]), "{}")
        .answers(202, "It is given up.", named("Delivery"), SHOWN)
        .leads_to_all(["getDelivery", "retryDelivery"], ID)
        .fails([Code::NotCancelable])
}

fn release() -> Operation {
    let body = object([
        required("held", word(["deliver", "discard"]), "What becomes of it."),
        optional("tenant", tenant(), "Only of this tenant."),
        optional("endpoint", text(), "Only of this endpoint, by id or `uid`."),
    ]);
    let done = object([
        required("endpoints", count(), "At how many endpoints there may be such."),
        required("deliveries", count(), "How many deliveries that are, as far as they are counted."),
        required("deliveries_more", flag(), "Whether there may be more."),
    ]);
    Operation::new("POST", "/api/v1/deliveries/release", "releaseDeliveries", DeliveriesWrite)
        .says(
            "Release what a restore holds back",
            "Deliveries that were pending in a backup wait for this word.",
        )
        .takes(body, r#"{"held":"deliver","tenant":"acme"}"#)
        .answers(
            202,
            "The rows follow in the background.",
            done,
            r#"{"endpoints":1,"deliveries":17,"deliveries_more":false}"#,
        )
        .fails([Code::NotFound])
}
