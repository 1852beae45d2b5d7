//! Settings: what an operator changes while the server runs.

use crate::domain::scope::Scope::Admin;
use crate::domain::setting_words::SETTINGS;
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

/// A test of the whole document fails where a setting is missing.
fn fields() -> impl Iterator<Item = (&'static str, Schema, &'static str)> {
    SETTINGS.iter().map(|words| (words.name, schema(words.name), words.says))
}

fn schema(name: &str) -> Schema {
    match (name, range(name)) {
        (_, Some((least, most))) => whole(least.into(), most.into()),
        ("cleanup_schedule" | "backup_schedule", _) => text(),
        ("retry_schedule", _) => retry_schedule(),
        _ => flag(),
    }
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
