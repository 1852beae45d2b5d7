//! API keys.

use crate::domain::ids::KeyId;
use crate::domain::scope::Scope;
use crate::service::Code;
use crate::web::openapi::links::ID;
use crate::web::openapi::operation::Operation;
use crate::web::openapi::schema::{
    Field, Schema, list_of, named, nullable, object, optional, required, text, time, word,
};
use crate::web::openapi::words::{id, in_tenant, page, page_of, path, search, tenant};

use super::Resource;
use super::event_types::display_name;

const SHOWN: &str = r#"{"id":"key_01m0e3tb0g004","name":"The shop","scopes":["events:write"],"tenant":"acme","hint":"x7Qk","created_at":"2026-02-23T14:30:00.000Z","last_used_at":null}"#;

/// See the module.
pub fn resource() -> Resource {
    Resource {
        name: "Keys",
        about: "An API key: scopes, and optionally bound to one tenant. `admin` and `metrics:read` cannot be bound.",
        operations: vec![create(), list(), revoke()],
        schemas: vec![("NewKey", new_key()), ("Key", object(fields())), ("MadeKey", made())],
    }
}

fn scopes() -> Schema {
    list_of(word(Scope::ALL.iter().map(|scope| scope.as_str()))).items(1, 2 * Scope::ALL.len())
}

fn new_key() -> Schema {
    object([
        required("name", display_name(), "What people call it."),
        required("scopes", scopes(), "What it may do."),
        optional("tenant", tenant(), "The only tenant that exists for it."),
    ])
}

fn fields() -> Vec<Field> {
    vec![
        required("id", id(KeyId::PATTERN), "`key_…`."),
        required("name", text(), "What people call it."),
        required("scopes", scopes(), "What it may do."),
        nullable("tenant", tenant(), "The tenant that it is bound to."),
        required("hint", text(), "The last four characters of its text."),
        required("created_at", time(), "When it was made."),
        nullable("last_used_at", time(), "When it was last used, to the minute."),
    ]
}

fn made() -> Schema {
    object(fields().into_iter().chain([required("key", text(), "Its text, this once.")]))
}

fn create() -> Operation {
    let example = SHOWN.trim_end_matches('}');
    let example = format!("{example},\"key\":\"pr_5qY0m3eXAMPLEpLw9bN2sV8cTfRjZ1uKdHgAyEox7Qk\"}}");
    Operation::new("POST", "/api/v1/keys", "createKey", Scope::Admin)
        .says("Make a key", "The answer shows its text, this once; it is stored hashed.")
        .takes(named("NewKey"), r#"{"name":"The shop","scopes":["events:write"],"tenant":"acme"}"#)
        .answers(201, "Valid with the answer.", named("MadeKey"), &example)
        .leads_to("revokeKey", ID)
        .fails([Code::UnknownTenant])
}

fn list() -> Operation {
    Operation::new("GET", "/api/v1/keys", "listKeys", Scope::Admin)
        .says("List keys", "Never their text.")
        .with([
            in_tenant(),
            search(
                "billing",
                "Those whose name, id, tenant or last characters hold this text, in whatever case.",
            ),
        ])
        .with(page("key_01m0e3tb0g004"))
        .answers(200, "A page.", page_of("Key"), &format!("{{\"data\":[{SHOWN}],\"next_cursor\":null}}"))
}

fn revoke() -> Operation {
    let id = path("id", id(KeyId::PATTERN), "key_01m0e3tb0g004", "The key's id.");
    Operation::new("DELETE", "/api/v1/keys/{id}", "revokeKey", Scope::Admin)
        .says("Revoke a key", "")
        .with([id])
        .answers_nothing("Requests with it are refused from now on.")
}
