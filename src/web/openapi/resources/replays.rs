//! Replays: what an endpoint missed, sent again in the background.

use crate::domain::ids::{EndpointId, ReplayId};
use crate::domain::scope::Scope::{DeliveriesRead, DeliveriesWrite};
use crate::service::Code;
use crate::web::openapi::links::{FIRST, ID, ITS_ENDPOINT};
use crate::web::openapi::operation::{Operation, Parameter};
use crate::web::openapi::schema::{
    Schema, count, flag, named, nullable, object, optional, required, text, time, word,
};
use crate::web::openapi::words::{
    REPLAYED, endpoint_id, id, idempotency_key, in_tenant, of_endpoint, of_tenant, page, page_of, path,
    tenant, type_patterns,
};

use super::Resource;

const KINDS: [&str; 3] = ["failed", "missing", "delivered"];
const SHOWN: &str = r#"{"id":"rpl_01m0e3tb0g003","endpoint_id":"ep_01m0e3tb0g000","tenant":"acme","status":"running","replayed_status":"failed","since":"2026-02-22T00:00:00.000Z","until":null,"events":null,"dry_run":false,"examined":120,"matched":17,"done":5,"blanked":0,"pruned":0,"reason":null,"created_at":"2026-02-23T14:30:00.000Z","ended_at":null}"#;

/// See the module.
pub fn resource() -> Resource {
    Resource {
        name: "Replays",
        about: "What an endpoint missed, sent again in the background. A replay gives way to fresh events and survives \
                a restart.",
        operations: vec![start(), list(), get(), cancel()],
        schemas: vec![("NewReplay", new_replay()), ("Replay", shown())],
    }
}

fn new_replay() -> Schema {
    object([
        required("since", time(), "Accepted at this time or later."),
        optional("until", time(), "Accepted before this time; later than `since`. Now, when absent."),
        optional(
            "status",
            word(KINDS).or("failed"),
            "`failed` gets a new round; `missing` (events that match now and never had a delivery here) and `delivered` get new deliveries.",
        ),
        optional("events", type_patterns().with("minItems", 1_u64), "Only of these event types."),
        optional("dry_run", flag().or(false), "Only count."),
    ])
}

fn shown() -> Schema {
    object([
        required("id", id(ReplayId::PATTERN), "`rpl_…`."),
        required("endpoint_id", id(EndpointId::PATTERN), "The endpoint that receives again."),
        required("tenant", tenant(), "Its tenant."),
        required(
            "status",
            word(["running", "waiting", "done", "canceled"]),
            "`waiting`: until its endpoint is enabled.",
        ),
        required("replayed_status", word(KINDS), "What is sent again."),
        required("since", time(), "Accepted at this time or later."),
        nullable("until", time(), "Accepted before this time."),
        nullable("events", type_patterns(), "Only of these event types."),
        required("dry_run", flag(), "Whether it only counts."),
        required("examined", count(), "Looked at so far."),
        required("matched", count(), "Of these, to be sent again."),
        required("done", count(), "Of these, on their way."),
        required("blanked", count(), "Passed over: the data was deleted."),
        required("pruned", count(), "Passed over: deliveries of the event were pruned."),
        nullable("reason", text(), "Why it was canceled."),
        required("created_at", time(), "When it was asked for."),
        nullable("ended_at", time(), "When it ended."),
    ])
}

fn replay_id() -> Parameter {
    path("id", id(ReplayId::PATTERN), "rpl_01m0e3tb0g003", "The replay's id.")
}

fn start() -> Operation {
    Operation::new("POST", "/api/v1/endpoints/{id}/replay", "replayEndpoint", DeliveriesWrite)
        .says("Replay an endpoint", "With `dry_run` it is the same and only counts.")
        .with([endpoint_id(), of_tenant(), idempotency_key()])
        .takes(named("NewReplay"), r#"{"since":"2026-02-22T00:00:00Z","status":"failed"}"#)
        .answers(202, "It runs in the background.", named("Replay"), SHOWN)
        .header(REPLAYED.0, REPLAYED.1)
        .leads_to_all(["getReplay", "cancelReplay"], ID)
        .fails([Code::NotReplayable, Code::ReplayRunning, Code::IdempotencyKeyReused])
}

fn list() -> Operation {
    Operation::new("GET", "/api/v1/replays", "listReplays", DeliveriesRead)
        .says("List replays", "")
        .with([in_tenant(), of_endpoint()])
        .with(page("rpl_01m0e3tb0g003"))
        .answers(200, "A page.", page_of("Replay"), &format!("{{\"data\":[{SHOWN}],\"next_cursor\":null}}"))
        .leads_to_all(["getReplay", "cancelReplay"], FIRST)
        .fails([Code::NotFound])
}

fn get() -> Operation {
    Operation::new("GET", "/api/v1/replays/{id}", "getReplay", DeliveriesRead)
        .says("Get a replay", "How it stands.")
        .with([replay_id()])
        .answers(200, "The replay.", named("Replay"), SHOWN)
        .leads_to("cancelReplay", ID)
        .leads_to("getEndpoint", ITS_ENDPOINT)
}

fn cancel() -> Operation {
    Operation::new("POST", "/api/v1/replays/{id}/cancel", "cancelReplay", DeliveriesWrite)
        .says("Cancel a replay", "What is on its way stays so; a replay that has ended stays as it is.")
        .with([replay_id()])
        .may_take(object([]), "{}")
        .answers(202, "It goes no further.", named("Replay"), SHOWN)
        .leads_to("getReplay", ID)
}
