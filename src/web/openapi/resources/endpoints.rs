//! Endpoints: URLs of a tenant that receive.

use crate::domain::format::code::Language;
use crate::domain::ids::DeliveryId;
use crate::domain::scope::Scope::{DeliveriesRead, EndpointsRead, EndpointsWrite};
use crate::service::Code;
use crate::service::endpoints::{MAX_OVERLAP_SECONDS, OVERLAP_SECONDS};
use crate::web::openapi::json::Json;
use crate::web::openapi::links::{FIRST, ID, OF_DELIVERY, OF_ENDPOINT, SAME};
use crate::web::openapi::operation::{Content, Operation};
use crate::web::openapi::schema::{
    Schema, any, count, flag, named, nullable, object, optional, required, sometimes, text, time, whole, word,
};
use crate::web::openapi::words::{
    RESPONSE_BODY, endpoint_id, event_type, id, in_tenant, of_status, of_tenant, of_type, page, page_of,
    query, search, span,
};

use super::Resource;
use super::endpoint_fields::{change, new_endpoint, own_secret, prose, saved, shown};

const NEW: &str =
    r#"{"url":"https://example.com/hook","tenant":"acme","events":["invoice.*"],"description":"The books"}"#;
const SHOWN: &str = r#"{"id":"ep_01m0e3tb0g000","uid":null,"tenant":"acme","url":"https://example.com/hook","description":"The books","events":["invoice.*"],"filters":{},"headers":{},"format":"standard","metadata":{},"enabled":true,"disabled_reason":null,"disabled_note":null,"disabled_at":null,"disable_at":null,"health":"ok","failure_count":0,"first_failure_at":null,"last_failure_at":null,"last_success_at":"2026-02-23T14:30:00.000Z","retry_schedule":null,"timeout_seconds":10,"rate_limit":null,"max_in_flight":16,"while_disabled":"hold","unsigned":false,"public_key":null,"last_rotation":null,"created_at":"2026-02-23T14:30:00.000Z","updated_at":"2026-02-23T14:30:00.000Z"}"#;

/// See the module.
pub fn resource() -> Resource {
    Resource {
        name: "Endpoints",
        about: "A URL of a tenant that receives events, with its subscription, secret and settings.",
        operations: vec![
            create(),
            list(),
            get(),
            update(),
            delete(),
            enable(),
            disable(),
            test(),
            rotate(),
            deliveries(),
            super::stats::of_endpoint(),
            verify_code(),
        ],
        schemas: vec![
            ("NewEndpoint", new_endpoint()),
            ("EndpointChange", change()),
            ("Endpoint", object(shown())),
            ("EndpointDetail", detail()),
            ("ListedEndpoint", listed()),
            ("SavedEndpoint", saved()),
            ("TestResult", test_result()),
        ],
    }
}

/// An endpoint as an answer to a call that changed it.
fn saved_example() -> String {
    let shown = SHOWN.trim_end_matches('}');
    format!("{shown},\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=\",\"warnings\":[]}}")
}

fn on(method: &'static str, path: &'static str, name: &'static str) -> Operation {
    let scope = if method == "GET" { EndpointsRead } else { EndpointsWrite };
    Operation::new(method, path, name, scope).with([endpoint_id(), of_tenant()])
}

fn create() -> Operation {
    Operation::new("POST", "/api/v1/endpoints", "createEndpoint", EndpointsWrite)
        .says(
            "Make an endpoint",
            "The answer shows the signing secret, this once. Where the URL leads is checked.",
        )
        .takes(named("NewEndpoint"), NEW)
        .answers(201, "It receives from now on.", named("SavedEndpoint"), &saved_example())
        .header("Location", "Where the endpoint is.")
        .leads_to_all(OF_ENDPOINT, ID)
        .fails([
            Code::NotFound,
            Code::UidTaken,
            Code::EndpointLimitReached,
            Code::TargetDenied,
            Code::UnknownTenant,
        ])
}

fn list() -> Operation {
    Operation::new("GET", "/api/v1/endpoints", "listEndpoints", EndpointsRead)
        .says("List endpoints", "")
        .with([
            in_tenant(),
            crate::web::openapi::operation::Parameter {
                example: Json::from(true),
                ..query("enabled", flag(), "", "Those that receive, or those that do not.")
            },
            query("health", word(["ok", "failing", "disabled"]), "failing", "Those that do so."),
            search(
                "example.com",
                "Those whose URL, description, `uid` or id holds this text, in whatever case.",
            ),
            query(
                "stats",
                word(["24h"]),
                "24h",
                "With `last_24h` in each row; needs `deliveries:read` as well.",
            ),
        ])
        .with(page("ep_01m0e3tb0g000"))
        .answers(
            200,
            "A page.",
            page_of("ListedEndpoint"),
            &format!("{{\"data\":[{SHOWN}],\"next_cursor\":null}}"),
        )
        .leads_to_all(OF_ENDPOINT, FIRST)
        .fails([Code::NotFound])
}

fn get() -> Operation {
    on("GET", "/api/v1/endpoints/{id}", "getEndpoint")
        .says("Get an endpoint", "")
        .answers(200, "The endpoint.", named("EndpointDetail"), &detail_example())
        .leads_to_all(OF_ENDPOINT, ID)
}

fn detail_example() -> String {
    let shown = SHOWN.trim_end_matches('}');
    format!("{shown},\"held\":0,\"held_more\":false,\"next_retry_at\":null}}")
}

/// An endpoint with what waits at it.
fn detail() -> Schema {
    object(shown().into_iter().chain([
        required("held", count(), "Deliveries that are held for it, counted to 10,000."),
        required("held_more", flag(), "Whether there are more."),
        nullable("next_retry_at", time(), "When the next of its deliveries is tried again."),
    ]))
}

/// An endpoint in a list.
fn listed() -> Schema {
    let day = object([
        required("delivered", count(), "Deliveries that were delivered."),
        required("failed", count(), "Deliveries whose attempts were used up."),
        required("attempts", count(), "Requests that were made."),
        required("attempts_failed", count(), "Those of them that failed."),
    ]);
    let about = "The hour that runs and the 24 before it, with `stats=24h`.";
    object(shown().into_iter().chain([sometimes("last_24h", day, about)]))
}

fn update() -> Operation {
    on("PATCH", "/api/v1/endpoints/{id}", "updateEndpoint")
        .says(
            "Change an endpoint",
            "What is absent stays, `null` resets to the default. A `secret` replaces the one before at once.",
        )
        .may_take(named("EndpointChange"), r#"{"events":["invoice.*","order.paid"],"timeout_seconds":20}"#)
        .answers(200, "In force.", named("SavedEndpoint"), &saved_example())
        .leads_to_all(OF_ENDPOINT, ID)
        .fails([Code::UidTaken, Code::TargetDenied])
}

fn delete() -> Operation {
    on("DELETE", "/api/v1/endpoints/{id}", "deleteEndpoint")
        .says(
            "Delete an endpoint",
            "What is pending is canceled; its deliveries stay readable until they are pruned.",
        )
        .answers_nothing("It receives nothing more.")
        .leads_to("listDeliveriesOfEndpoint", SAME)
}

fn enable() -> Operation {
    let body = object([optional(
        "held",
        word(["deliver", "discard"]).or("deliver"),
        "What becomes of what was held meanwhile.",
    )]);
    on("POST", "/api/v1/endpoints/{id}/enable", "enableEndpoint")
        .says(
            "Enable an endpoint",
            "Its failures are forgotten; what was held goes out in order, or is discarded.",
        )
        .may_take(body, r#"{"held":"deliver"}"#)
        .answers(200, "It receives.", named("Endpoint"), SHOWN)
        .leads_to_all(["getEndpoint", "enableEndpoint", "disableEndpoint", "testEndpoint"], ID)
}

fn disable() -> Operation {
    let body = object([optional("note", prose(), "Why, for people.")]);
    on("POST", "/api/v1/endpoints/{id}/disable", "disableEndpoint")
        .says("Disable an endpoint", "Its deliveries are held, or not made at all, as `while_disabled` says.")
        .may_take(body, r#"{"note":"The books are closed"}"#)
        .answers(200, "It receives nothing.", named("Endpoint"), SHOWN)
        .leads_to_all(["getEndpoint", "enableEndpoint", "disableEndpoint", "testEndpoint"], ID)
}

fn test_result() -> Schema {
    object([
        required("success", flag(), "A 2xx."),
        nullable("status_code", count(), "The status of the answer."),
        required("duration_ms", count(), "How long it took."),
        nullable("error", text(), "One line that a person can act on."),
        nullable("response_body", text(), RESPONSE_BODY),
        required("delivery_id", id(DeliveryId::PATTERN), "The delivery that it is recorded as."),
    ])
}

fn test() -> Operation {
    let body = object([
        optional("type", event_type().or("webhook.test"), "The type of the event."),
        optional("data", any(), "Its data; the example of the catalogue, or a sample, when absent."),
    ]);
    on("POST", "/api/v1/endpoints/{id}/test", "testEndpoint")
        .says("Send a test", "Sent now, whatever the subscription, enabled or not; never retried, and not counted for health.")
        .may_take(body, r#"{"type":"webhook.test","data":{"hello":"world"}}"#)
        .answers(
            200,
            "What came of it.",
            named("TestResult"),
            r#"{"success":true,"status_code":200,"duration_ms":12,"error":null,"response_body":"ok","delivery_id":"dlv_01m0e3tb0g002"}"#,
        )
        .leads_to_all(OF_DELIVERY, &[("id", "$response.body#/delivery_id")])
        .fails([Code::TooManyTests])
}

fn rotate() -> Operation {
    let body = object([
        optional("secret", own_secret(), "The new one; one is made when absent."),
        optional(
            "overlap_seconds",
            whole(0, MAX_OVERLAP_SECONDS.into()).or(OVERLAP_SECONDS),
            "How long the one before signs as well, where the format can carry two signatures.",
        ),
    ]);
    on("POST", "/api/v1/endpoints/{id}/rotate-secret", "rotateSecret")
        .says(
            "Replace the secret",
            "The answer shows the new one, this once. At most 5 secrets sign at a time: a rotation with an overlap beyond \
             that is 409 `too_many_secrets` and says from when on it can be. The secret that signs at present is refused.",
        )
        .may_take(body, r#"{"overlap_seconds":3600}"#)
        .answers(200, "Both sign for the overlap.", named("SavedEndpoint"), &saved_example())
        .leads_to_all(["getEndpoint", "updateEndpoint", "testEndpoint", "deleteEndpoint"], ID)
        .fails([Code::TooManySecrets])
}

fn verify_code() -> Operation {
    let content = Content {
        media_type: "text/plain",
        schema: text(),
        example: "def verify(headers, body, secret=None):\n".into(),
    };
    let language = word(Language::ALL.map(Language::as_str)).or(Language::Python.as_str());
    on("GET", "/api/v1/endpoints/{id}/verify-code", "getVerifyCode")
        .says(
            "Get code that verifies deliveries",
            "Of this endpoint, in its own format. The secret comes from the environment of the program.",
        )
        .with([query("language", language, "node", "In which language.")])
        .answers_as(200, "The program text.", content)
}

fn deliveries() -> Operation {
    Operation::new("GET", "/api/v1/endpoints/{id}/deliveries", "listDeliveriesOfEndpoint", DeliveriesRead)
        .says("List the deliveries of an endpoint", "")
        .with([endpoint_id(), of_tenant(), of_status(), of_type()])
        .with(span())
        .with(page("dlv_01m0e3tb0g002"))
        .answers(200, "A page.", page_of("Delivery"), &super::deliveries::page_example())
        .leads_to_all(OF_DELIVERY, FIRST)
}
