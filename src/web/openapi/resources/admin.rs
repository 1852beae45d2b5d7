//! The audit log, and cleanups.

use crate::domain::ids::AuditId;
use crate::domain::scope::Scope::Admin;
use crate::service::cleanup::{LEAST_SECONDS, MOST_SECONDS};
use crate::web::openapi::operation::Operation;
use crate::web::openapi::schema::{
    Schema, any, count, flag, integer, list_of, named, nullable, object, optional, required, text, time,
    whole,
};
use crate::web::openapi::words::{id, in_tenant, page, page_of, query, span, tenant, type_pattern};

use super::Resource;

const LINE: &str = r#"{"id":"aud_01m0e3tb0g006","created_at":"2026-02-23T14:30:00.000Z","actor":"key:key_01m0e3tb0g004","address":"192.0.2.7","action":"endpoint.update","target":"ep_01m0e3tb0g000","tenant":"acme","before":{"description":""},"after":{"description":"The books"}}"#;
const REPORT: &str = r#"{"started_at":"2026-02-23T03:30:00.000Z","ended_at":"2026-02-23T03:30:04.000Z","by":"schedule","dry_run":false,"deliveries":1200,"events":900,"freed_bytes":4096000,"error":null}"#;

/// See the module.
pub fn resource() -> Resource {
    Resource {
        name: "Administration",
        about: "Who changed what, and what was deleted because of its age.",
        operations: vec![audit(), cleanups(), clean()],
        schemas: vec![("AuditLine", line()), ("Cleanup", report())],
    }
}

fn line() -> Schema {
    object([
        required("id", id(AuditId::PATTERN), "`aud_…`."),
        required("created_at", time(), "When."),
        required("actor", text(), "Who: `key:key_…`, `operator:…`, `cli:UID`, `anonymous` or `system`."),
        nullable("address", text(), "From where."),
        required("action", text(), "What, such as `endpoint.create`."),
        required("target", text(), "To what: an id or a name."),
        nullable("tenant", tenant(), "Whose."),
        required("before", any(), "What it looked like before, without secrets; or null."),
        required("after", any(), "What it looked like afterwards, without secrets; or null."),
    ])
}

fn report() -> Schema {
    object([
        required("started_at", time(), "When it started."),
        nullable("ended_at", time(), "When it ended."),
        required("by", text(), "Who wanted it; `schedule`: nobody did."),
        required("dry_run", flag(), "Whether it only counted."),
        required("deliveries", count(), "Deliveries deleted."),
        required("events", count(), "Events deleted."),
        required(
            "freed_bytes",
            integer(),
            "Bytes that the file is smaller; below 0 where more was added meanwhile.",
        ),
        nullable("error", text(), "Why it ended early."),
    ])
}

fn audit() -> Operation {
    let some = || text().with("minLength", 1_u64);
    Operation::new("GET", "/api/v1/audit", "listAudit", Admin)
        .says("List the audit log", "Every change, who made it and from where. Never a secret.")
        .with([
            query("actor", some(), "key:key_01m0e3tb0g004", "By whom."),
            query("action", type_pattern(), "endpoint.*", "What was done; `endpoint.*` for all of a kind."),
            query("target", some(), "ep_01m0e3tb0g000", "To what: an id or a name."),
            in_tenant(),
        ])
        .with(span())
        .with(page("aud_01m0e3tb0g006"))
        .answers(200, "A page.", page_of("AuditLine"), &format!("{{\"data\":[{LINE}],\"next_cursor\":null}}"))
}

fn cleanups() -> Operation {
    Operation::new("GET", "/api/v1/cleanups", "listCleanups", Admin)
        .says("List cleanups", "And what is under way, and whether one waits for a word of yours.")
        .with(page("cleanups:17"))
        .answers(
            200,
            "A page.",
            page_of_cleanups(),
            &format!(
                "{{\"data\":[{REPORT}],\"next_cursor\":null,\"waits\":null,\"running\":null,\"queued\":0}}"
            ),
        )
}

fn page_of_cleanups() -> Schema {
    let waits = "Why nothing is deleted for now: the clock is far ahead of when this database was last in use. A cleanup \
        by hand that is no dry run says that the clock is right. Null: nothing waits.";
    object([
        required("data", list_of(named("Cleanup")), "The rows, the newest first."),
        nullable("next_cursor", text(), "Where the next page starts; null: this is the last one."),
        nullable("waits", text(), waits),
        nullable("running", named("Cleanup"), "The one that is under way, with what it has done so far."),
        required("queued", count(), "How many wait for their turn."),
    ])
}

fn clean() -> Operation {
    let (least, most) = (LEAST_SECONDS.unsigned_abs(), MOST_SECONDS.unsigned_abs());
    let body = object([
        optional(
            "older_than_seconds",
            whole(least, most),
            "Delete what is older; as the settings say when absent.",
        ),
        optional("dry_run", flag().or(false), "Only count."),
    ]);
    Operation::new("POST", "/api/v1/cleanups", "clean", Admin)
        .says("Clean up", "The answer comes when it is done; it goes on if the caller goes away.")
        .may_take(body, r#"{"dry_run":true}"#)
        .answers(200, "What it did.", named("Cleanup"), REPORT)
}
