//! The fields of an endpoint, as they are set and as they are shown.

use crate::domain::filters::MAX_FILTERS;
use crate::domain::headers::MAX_HEADERS;
use crate::domain::ids::EndpointId;
use crate::domain::limits::{
    DEFAULT_MAX_IN_FLIGHT, DEFAULT_TIMEOUT_SECONDS, MAX_MAX_IN_FLIGHT, MAX_METADATA, MAX_METADATA_KEY,
    MAX_METADATA_VALUE, MAX_PROSE, MAX_RATE_LIMIT, MAX_TIMEOUT_SECONDS, PROSE_PATTERN,
};
use crate::domain::names::FormatName;
use crate::domain::retry::{MAX_STEP_SECONDS, MAX_STEPS};
use crate::domain::target::MAX_LENGTH;
use crate::web::openapi::json::Json;
use crate::web::openapi::json::object as json_object;
use crate::web::openapi::schema::{
    Field, Schema, any, count, flag, list_of, map_of, nullable, object, optional, pattern, required,
    sometimes, text, time, whole, word,
};
use crate::web::openapi::words::{id, tenant, type_patterns, uid};

/// Waits between attempts.
pub fn retry_schedule() -> Schema {
    list_of(whole(1, MAX_STEP_SECONDS.into())).items(0, MAX_STEPS)
}

/// The name of a format.
pub fn format_name() -> Schema {
    pattern(FormatName::PATTERN, 1, FormatName::MOST)
}

/// Prose of people.
pub fn prose() -> Schema {
    pattern(PROSE_PATTERN, 0, MAX_PROSE)
}

/// A signing secret that a caller brings.
pub fn own_secret() -> Schema {
    text().with("maxLength", 128_u64)
}

fn url() -> Schema {
    text().with("format", "uri").with("maxLength", MAX_LENGTH)
}

fn metadata() -> Schema {
    let keys = json_object([
        ("minLength", Json::from(1_u64)),
        ("maxLength", MAX_METADATA_KEY.into()),
        ("pattern", r"^[^\x00-\x1f\x7f-\x9f]+$".into()),
    ]);
    map_of(text().length(0, MAX_METADATA_VALUE)).with("propertyNames", keys).at_most(MAX_METADATA)
}

/// What a create takes but for the tenant, and a change too.
pub fn settable(url_field: fn(Schema) -> Field) -> Vec<Field> {
    vec![
        url_field(url()),
        optional("uid", uid(), "The caller's own handle, unique in the tenant; usable wherever an id is."),
        optional(
            "events",
            type_patterns(),
            "Patterns of event types: exact, `prefix.*` or `*`. Empty: nothing is sent.",
        ),
        optional("description", prose(), "For people."),
        optional(
            "secret",
            own_secret(),
            "The signing secret; one is made when absent. `whsec_` and base64, or 8 to 128 printable characters.",
        ),
        optional("enabled", flag().or(true), "Whether it receives."),
        optional(
            "filters",
            map_of(any()).at_most(MAX_FILTERS),
            "Paths into `data` and the value, or the list of values, that it must have.",
        ),
        optional(
            "headers",
            map_of(text()).at_most(MAX_HEADERS),
            "Headers that are sent along. Values are credentials: shown as `•••` after the call that set them.",
        ),
        optional("format", format_name().or("standard"), "How a delivery looks on the wire."),
        optional("metadata", metadata(), "The caller's own texts."),
        optional(
            "retry_schedule",
            retry_schedule(),
            "Seconds to wait after each failed attempt; null: as the setting says.",
        ),
        optional(
            "timeout_seconds",
            whole(1, MAX_TIMEOUT_SECONDS.into()).or(DEFAULT_TIMEOUT_SECONDS),
            "From DNS to the last byte read.",
        ),
        optional(
            "rate_limit",
            whole(1, MAX_RATE_LIMIT.into()),
            "Attempts started in any sliding second; null: no limit.",
        ),
        optional(
            "max_in_flight",
            whole(1, MAX_MAX_IN_FLIGHT.into()).or(DEFAULT_MAX_IN_FLIGHT),
            "Requests at a time.",
        ),
        optional(
            "while_disabled",
            word(["hold", "skip"]).or("hold"),
            "Whether events wait while it is disabled, or make no delivery.",
        ),
    ]
}

/// What a create takes.
pub fn new_endpoint() -> Schema {
    let own = settable(|schema| {
        required("url", schema, "The URL that receives, such as `https://example.com/hook`.")
    });
    let tenant = optional("tenant", tenant(), "Who owns it; the key's own, or `default`, when absent.");
    object(own.into_iter().chain([tenant]))
}

/// What a change takes.
pub fn change() -> Schema {
    object(settable(|schema| sometimes("url", schema, "The URL that receives.")))
}

/// An endpoint as it is shown.
pub fn shown() -> Vec<Field> {
    let mut fields = identity();
    fields.extend(state());
    fields.extend(sending());
    fields
}

fn identity() -> Vec<Field> {
    vec![
        required("id", id(EndpointId::PATTERN), "`ep_…`."),
        nullable("uid", uid(), "The caller's own handle."),
        required("tenant", tenant(), "Who owns it."),
        required("url", text(), "The URL that receives."),
        required("description", text(), "For people."),
        required("events", type_patterns(), "Patterns of event types."),
        required("filters", map_of(any()), "Filters on `data`."),
        required("headers", map_of(text()), "Headers that are sent along, each value as `•••`."),
        required("format", format_name(), "How a delivery looks on the wire."),
        required("metadata", map_of(text()), "The caller's own texts."),
    ]
}

fn state() -> Vec<Field> {
    vec![
        required("enabled", flag(), "Whether it receives."),
        nullable("disabled_reason", word(["manual", "failing", "gone"]), "Why it does not."),
        nullable("disabled_note", text(), "What was noted when it was disabled."),
        nullable("disabled_at", time(), "Since when."),
        nullable(
            "disable_at",
            time(),
            "When its next failed attempt disables it, if nothing succeeds until then; foreseen from half of \
             `disable_after_hours` on.",
        ),
        required("health", word(["ok", "failing", "disabled"]), "How it does."),
        required("failure_count", count(), "Failed attempts in a row."),
        nullable("first_failure_at", time(), "The first of them."),
        nullable("last_failure_at", time(), "The last failure."),
        nullable("last_success_at", time(), "The last success."),
    ]
}

fn sending() -> Vec<Field> {
    let rotation = object([
        required("rotated_at", time(), "When."),
        required("old_secret_expires_at", time(), "Until when the secret before signs as well."),
    ]);
    vec![
        nullable(
            "retry_schedule",
            retry_schedule(),
            "Seconds to wait after each failed attempt; null: as the setting says.",
        ),
        required("timeout_seconds", whole(1, MAX_TIMEOUT_SECONDS.into()), "From DNS to the last byte read."),
        nullable("rate_limit", whole(1, MAX_RATE_LIMIT.into()), "Attempts started in any sliding second."),
        required("max_in_flight", whole(1, MAX_MAX_IN_FLIGHT.into()), "Requests at a time."),
        required("while_disabled", word(["hold", "skip"]), "What becomes of events while it is disabled."),
        required("unsigned", flag(), "Whether requests go without a signature."),
        nullable("public_key", text(), "`whpk_…` of an asymmetric format."),
        nullable("last_rotation", rotation, "The last rotation of the secret."),
        required("created_at", time(), "When it was made."),
        required("updated_at", time(), "When it was last changed."),
    ]
}

/// The answer to a create or a change.
pub fn saved() -> Schema {
    object(shown().into_iter().chain([
        sometimes("secret", text(), "The signing secret, in the one answer to the call that set it."),
        required("warnings", list_of(text()), "What is allowed and probably not meant."),
    ]))
}
