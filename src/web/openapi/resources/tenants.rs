//! Tenants, and their deletions.

use crate::domain::ids::TenantDeletionId;
use crate::domain::scope::Scope::{Admin, EndpointsRead};
use crate::domain::settings::MAX_ENDPOINT_LIMIT;
use crate::web::openapi::links::{FIRST, ID, OF_TENANT, TENANT};
use crate::web::openapi::operation::{Operation, Parameter};
use crate::web::openapi::schema::{
    Field, Schema, count, named, nullable, object, optional, required, text, time, whole, word,
};
use crate::web::openapi::words::{id, page, page_of, path, search, tenant};

use super::Resource;
use super::event_types::display_name;

const SHOWN: &str = r#"{"tenant":"acme","name":"Acme Inc.","endpoint_limit":25,"created_at":"2026-02-23T14:30:00.000Z","updated_at":"2026-02-23T14:30:00.000Z"}"#;
const DELETION: &str = r#"{"id":"del_01m0e3tb0g005","tenant":"acme","status":"running","endpoints":2,"keys":1,"events":500,"deliveries":700,"attempts":720,"created_at":"2026-02-23T14:30:00.000Z","ended_at":null}"#;

/// See the module.
pub fn resource() -> Resource {
    Resource {
        name: "Tenants",
        about: "A customer of the team that runs Postrider; owns endpoints. One that is named for the first time is \
                made, unless the setting `strict_tenants` refuses.",
        operations: vec![list(), get(), put(), delete(), list_deletions(), get_deletion()],
        schemas: vec![
            ("TenantDescription", described()),
            ("Tenant", object(fields())),
            ("TenantDetail", detail()),
            ("TenantDeletion", deletion()),
        ],
    }
}

fn described() -> Schema {
    object([
        optional("name", display_name(), "What people call it."),
        optional(
            "endpoint_limit",
            whole(0, MAX_ENDPOINT_LIMIT.into()),
            "Endpoints that it may have; null: as the setting says.",
        ),
    ])
}

fn fields() -> Vec<Field> {
    vec![
        required("tenant", tenant(), "What it is called in the API."),
        nullable("name", text(), "What people call it."),
        nullable("endpoint_limit", count(), "Endpoints that it may have; null: as the setting says."),
        required("created_at", time(), "When it was made."),
        required("updated_at", time(), "When it was last changed."),
    ]
}

fn detail() -> Schema {
    let day = object([
        required("delivered", count(), "Deliveries that were delivered."),
        required("failed", count(), "Deliveries that failed for good."),
        required("attempts", count(), "Attempts, successful or not."),
    ]);
    object(fields().into_iter().chain([
        required("endpoints", count(), "Its endpoints."),
        nullable(
            "pending",
            count(),
            "Deliveries that wait, counted up to 10,000; null: it has more than 1,000 endpoints.",
        ),
        required("held", count(), "Deliveries that are held, counted up to 10,000."),
        nullable(
            "last_24h",
            day,
            "What its endpoints did, as `GET /stats` counts it for `24h`; null: they are more than 1,000.",
        ),
    ]))
}

fn deletion() -> Schema {
    object([
        required("id", id(TenantDeletionId::PATTERN), "`del_…`."),
        required("tenant", tenant(), "The tenant that was."),
        required("status", word(["running", "done"]), "How it stands."),
        required("endpoints", count(), "Endpoints deleted."),
        required("keys", count(), "Keys revoked."),
        required("events", count(), "Events deleted so far."),
        required("deliveries", count(), "Deliveries deleted so far."),
        required("attempts", count(), "Attempts deleted so far."),
        required("created_at", time(), "When it was asked for."),
        nullable("ended_at", time(), "When it was done."),
    ])
}

fn name() -> Parameter {
    path("tenant", tenant(), "acme", "The tenant.")
}

fn list() -> Operation {
    Operation::new("GET", "/api/v1/tenants", "listTenants", Admin)
        .says("List tenants", "")
        .with([search(
            "acme",
            "Those whose name, in the API or for people, holds this text, in whatever case.",
        )])
        .with(page("tenants:17"))
        .answers(200, "A page.", page_of("Tenant"), &format!("{{\"data\":[{SHOWN}],\"next_cursor\":null}}"))
        .leads_to_all(
            ["getTenant", "putTenant", "listEndpoints"],
            &[("tenant", "$response.body#/data/0/tenant")],
        )
}

fn get() -> Operation {
    let example = SHOWN.trim_end_matches('}');
    let example = format!(
        "{example},\"endpoints\":2,\"pending\":0,\"held\":0,\"last_24h\":{{\"delivered\":40,\"failed\":0,\"attempts\":41}}}}"
    );
    Operation::new("GET", "/api/v1/tenants/{tenant}", "getTenant", EndpointsRead)
        .says("Get a tenant", "Everything about it in one call. `endpoints:read` is enough for a key that is bound to it, else `admin`.")
        .with([name()])
        .answers(200, "The tenant.", named("TenantDetail"), &example)
        .leads_to_all(OF_TENANT, TENANT)
}

fn put() -> Operation {
    Operation::new("PUT", "/api/v1/tenants/{tenant}", "putTenant", Admin)
        .says("Make or replace a tenant", "What is absent gets its default.")
        .with([name()])
        .may_take(named("TenantDescription"), r#"{"name":"Acme Inc.","endpoint_limit":25}"#)
        .answers(200, "It was there, and is replaced.", named("Tenant"), SHOWN)
        .leads_to_all(OF_TENANT, TENANT)
        .answers(201, "It was not there.", named("Tenant"), SHOWN)
        .leads_to_all(OF_TENANT, TENANT)
}

fn delete() -> Operation {
    Operation::new("DELETE", "/api/v1/tenants/{tenant}", "deleteTenant", Admin)
        .says(
            "Delete a tenant",
            "Nothing of it is sent or shown from the answer on; its data goes in the background, from the file as well. \
             The audit log keeps who did what and when, and forgets how things of the tenant looked.",
        )
        .with([name()])
        .answers(202, "The job.", named("TenantDeletion"), DELETION)
        .header("Location", "Where the job is.")
        .leads_to("getTenantDeletion", ID)
}

fn list_deletions() -> Operation {
    Operation::new("GET", "/api/v1/tenant-deletions", "listTenantDeletions", Admin)
        .says("List deletions of tenants", "")
        .with(page("del_01m0e3tb0g005"))
        .answers(
            200,
            "A page.",
            page_of("TenantDeletion"),
            &format!("{{\"data\":[{DELETION}],\"next_cursor\":null}}"),
        )
        .leads_to("getTenantDeletion", FIRST)
}

fn get_deletion() -> Operation {
    let id = path("id", id(TenantDeletionId::PATTERN), "del_01m0e3tb0g005", "The deletion's id.");
    Operation::new("GET", "/api/v1/tenant-deletions/{id}", "getTenantDeletion", Admin)
        .says("Get the deletion of a tenant", "How far it is.")
        .with([id])
        .answers(200, "The job.", named("TenantDeletion"), DELETION)
}
