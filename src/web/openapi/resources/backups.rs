//! Backups.

use crate::domain::ids::BackupId;
use crate::domain::scope::Scope::Admin;
use crate::service::Code;
use crate::web::openapi::links::ID;
use crate::web::openapi::operation::Operation;
use crate::web::openapi::schema::{
    Schema, count, flag, named, nullable, object, optional, required, text, time, whole, word,
};
use crate::web::openapi::words::{id, page, page_of, path};

use super::Resource;

const RUNNING: &str = r#"{"id":"bak_01m0e3tb0g007","status":"running","stage":"copying","percent":40,"by":"key:key_01m0e3tb0g004","compressed":true,"file":null,"kept":false,"bytes":null,"started_at":"2026-02-23T14:30:00.000Z","ended_at":null,"error":null}"#;
const MADE: &str = r#"{"id":"bak_01m0e3tb0g007","status":"done","stage":null,"percent":null,"by":"schedule","compressed":true,"file":"postrider-20260223T023000Z.db.gz","kept":true,"bytes":4096000,"started_at":"2026-02-23T02:30:00.000Z","ended_at":"2026-02-23T02:30:04.000Z","error":null}"#;

/// See the module.
pub fn resource() -> Resource {
    Resource {
        name: "Backups",
        about: "Copies of the database, consistent and checked, in `backups/` of the data directory. They are made while \
                events are accepted and delivered. The settings `backup_schedule`, `backups_keep` and `backup_compress` \
                say when, how many are kept, and how. `secret.key` is never in them.",
        operations: vec![list(), begin(), get(), cancel()],
        schemas: vec![("Backup", backup())],
    }
}

fn backup() -> Schema {
    object([
        required("id", id(BackupId::PATTERN), "`bak_…`."),
        required("status", word(["running", "done", "failed", "canceled"]), "How it stands."),
        nullable(
            "stage",
            word(["copying", "checking", "compressing"]),
            "What it is at, while it is under way.",
        ),
        nullable("percent", whole(0, 100), "How much of that is done, where that is known."),
        required("by", text(), "Who wanted it; `schedule`: nobody did."),
        required("compressed", flag(), "Whether it is compressed (gzip)."),
        nullable("file", text(), "The name of its file in `backups/`, once it is whole. Names sort by time."),
        required(
            "kept",
            flag(),
            "Whether that file is still there: older ones are removed, and files can be moved away.",
        ),
        nullable("bytes", count(), "Bytes of the file."),
        required("started_at", time(), "When it began."),
        nullable("ended_at", time(), "When it ended."),
        nullable("error", text(), "Why it failed, or who canceled it."),
    ])
}

fn list() -> Operation {
    Operation::new("GET", "/api/v1/backups", "listBackups", Admin)
        .says("List backups", "Also one that is under way.")
        .with(page("bak_01m0e3tb0g007"))
        .answers(200, "A page.", page_of("Backup"), &format!("{{\"data\":[{MADE}],\"next_cursor\":null}}"))
}

fn begin() -> Operation {
    let body = object([
        optional(
            "compress",
            flag(),
            "Whether to compress it; as the setting `backup_compress` says when absent.",
        ),
        optional(
            "elsewhere",
            flag(),
            "Whether you take its file away from `backups/` when it is made, as `postrider backup FILE` does: it is none of \
             those that are kept there.",
        ),
    ]);
    Operation::new("POST", "/api/v1/backups", "makeBackup", Admin)
        .says("Make a backup", "The answer comes when it has begun; it goes on in the background.")
        .may_take(body, r#"{"compress":true}"#)
        .answers(202, "It has begun.", named("Backup"), RUNNING)
        .leads_to("getBackup", ID)
        .fails([Code::BackupRunning])
}

fn get() -> Operation {
    Operation::new("GET", "/api/v1/backups/{id}", "getBackup", Admin)
        .says("Get a backup", "")
        .with([path("id", id(BackupId::PATTERN), "bak_01m0e3tb0g007", "The backup's id.")])
        .answers(200, "It.", named("Backup"), MADE)
}

fn cancel() -> Operation {
    Operation::new("POST", "/api/v1/backups/{id}/cancel", "cancelBackup", Admin)
        .says("Cancel a backup", "What was made of it is removed. One that is over stays as it is.")
        .with([path("id", id(BackupId::PATTERN), "bak_01m0e3tb0g007", "The backup's id.")])
        .may_take(object([]), "{}")
        .answers(202, "How it stands; it may need a moment to end.", named("Backup"), RUNNING)
}
