//! Settings: what an operator changes while the server runs.

use crate::domain::scope::Scope::Admin;
use crate::domain::settings::{Settings, range};
use crate::web::openapi::json::Json;
use crate::web::openapi::operation::Operation;
use crate::web::openapi::schema::{
    Field, Schema, flag, named, nullable, object, optional, required, text, whole,
};

use super::Resource;
use super::endpoint_fields::retry_schedule;

/// See the module.
pub fn resource() -> Resource {
    let shown = |name: &'static str, schema: Schema, about: &'static str| {
        let field: Make = if name == "event_retention_days" { nullable } else { required };
        field(name, schema, about)
    };
    Resource {
        name: "Settings",
        about: "What an operator changes while the server runs.",
        operations: vec![get(), change()],
        schemas: vec![
            ("Settings", object(fields().map(|(name, schema, about)| shown(name, schema, about)))),
            ("SettingsChange", object(fields().map(|(name, schema, about)| optional(name, schema, about)))),
        ],
    }
}

type Make = fn(&'static str, Schema, &'static str) -> Field;

fn number(name: &str) -> Schema {
    let (least, most) = range(name).unwrap_or_default();
    whole(least.into(), most.into())
}

/// A test of the whole document fails where a setting is missing.
fn fields() -> [(&'static str, Schema, &'static str); 12] {
    let numbers = |name: &'static str, about| (name, number(name), about);
    [
        numbers("retention_days", "Deliveries and attempts older than so many days are deleted at night."),
        numbers(
            "event_retention_days",
            "The same for events that no delivery refers to; null: as `retention_days`; 0: never.",
        ),
        ("cleanup_schedule", text(), "Cron, five or six fields, UTC."),
        ("retry_schedule", retry_schedule(), "For endpoints that have none of their own; seconds."),
        numbers(
            "failing_after_failures",
            "Failed attempts in a row after which an endpoint's health is `failing`.",
        ),
        numbers(
            "disable_after_failures",
            "Failed attempts in a row before an endpoint is disabled; 0 leaves the condition out.",
        ),
        numbers(
            "disable_after_hours",
            "Hours since the first of them before an endpoint is disabled; 0 leaves the condition out.",
        ),
        numbers("data_limit_bytes", "Bytes of an event's `data`."),
        numbers("endpoint_limit", "Endpoints of a tenant that has no limit of its own."),
        ("strict_tenants", flag(), "Refuse tenants that were not made before."),
        ("strict_event_types", flag(), "Refuse event types that are not in the catalogue."),
        numbers("audit_retention_days", "Days that the audit log is kept; 0: for ever."),
    ]
}

fn get() -> Operation {
    Operation::new("GET", "/api/v1/settings", "getSettings", Admin).says("Get the settings", "").answers(
        200,
        "Those in force.",
        named("Settings"),
        &Json::of(&Settings::default()).to_string(),
    )
}

fn change() -> Operation {
    Operation::new("PATCH", "/api/v1/settings", "changeSettings", Admin)
        .says("Change settings", "What is absent stays, `null` resets to the default.")
        .may_take(named("SettingsChange"), r#"{"retention_days":90}"#)
        .answers(200, "In force.", named("Settings"), &Json::of(&Settings::default()).to_string())
}
