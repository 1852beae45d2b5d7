//! Statistics, and what the one who runs the server looks at first.

use crate::domain::ids::EndpointId;
use crate::domain::scope::Scope::{Admin, DeliveriesRead};
use crate::domain::stats::{Step, Window};
use crate::service::attention::MOST;
use crate::web::openapi::operation::{Operation, Parameter};
use crate::web::openapi::schema::{
    Field, Schema, count, flag, integer, list_of, named, nullable, number, object, required, text, time, word,
};
use crate::web::openapi::words::{endpoint_id, id, in_tenant, of_tenant, query, tenant};

use super::Resource;

const OF_ENDPOINT: &str = r#"{"window":"1h","since":"2026-02-23T13:00:00.000Z","until":"2026-02-23T14:30:00.000Z","delivered":1,"failed":0,"attempts":1,"attempts_failed":0,"success_rate":1.0,"latency_ms":{"p50":20,"p95":20,"p99":20},"series":[{"at":"2026-02-23T13:00:00.000Z","delivered":1,"failed":0,"attempts":1,"attempts_failed":0,"success_rate":1.0,"latency_ms":{"p50":20,"p95":20,"p99":20}}]}"#;
const NOW: &str = r#"{"waiting":1,"waiting_more":false,"held":0,"held_more":false,"oldest_waiting_at":"2026-02-23T14:30:00.000Z"}"#;
const ATTENTION: &str = r#"{"data":[{"topic":"endpoint_disabled","message":"it answered 410 and was disabled; 1 delivery is held for it: enable or delete it","since":"2026-02-23T14:30:00.000Z","until":null,"endpoint":{"id":"ep_01m0e3tb0g000","tenant":"acme","url":"https://example.com/hook","description":"The books","health":"disabled","disabled_reason":"gone","disabled_note":null,"failure_count":1,"first_failure_at":"2026-02-23T14:30:00.000Z","held":1,"held_more":false}}],"more":false}"#;
const STORAGE: &str = r#"{"database_bytes":409600,"free_bytes":4096,"wal_bytes":32768,"disk_free_bytes":40000000000,"growth_bytes_per_day":50000,"growth_since":"2026-02-16T14:30:00.000Z","full_at":null,"days":[{"at":"2026-02-16T14:30:00.000Z","database_bytes":59600,"free_bytes":4096}]}"#;

/// See the module.
pub fn resource() -> Resource {
    Resource {
        name: "Overview",
        about: "Is all well? What happened lately, what is under way, what needs a hand, and the room on the disk.",
        operations: vec![overall(), attention(), storage()],
        schemas: vec![
            ("Stats", stats_schema(Vec::new())),
            ("OverallStats", stats_schema(vec![required("now", now(), "What has not come to an end.")])),
            ("Attention", needs_a_hand()),
            ("Storage", storage_schema()),
        ],
    }
}

/// Those of one endpoint.
pub fn of_endpoint() -> Operation {
    let windows = word(Window::ALL.map(Window::as_str)).or(Window::default().as_str());
    Operation::new("GET", "/api/v1/endpoints/{id}/stats", "getStats", DeliveriesRead)
        .says(
            "Get the statistics of an endpoint",
            "From counters by the hour, so a window is made of whole hours.",
        )
        .with([endpoint_id(), of_tenant(), query("window", windows, "1h", "How far back."), step()])
        .answers(
            200,
            "Counts, the success rate, percentiles, and a series for plots.",
            named("Stats"),
            OF_ENDPOINT,
        )
}

fn overall() -> Operation {
    let windows = word(Window::ALL.map(Window::as_str)).or(Window::default().as_str());
    // Before the series, whose braces end the text.
    let example = OF_ENDPOINT.replacen("\"series\"", &format!("\"now\":{NOW},\"series\""), 1);
    Operation::new("GET", "/api/v1/stats", "getOverallStats", DeliveriesRead)
        .says(
            "Get the statistics of all endpoints",
            "Or of those of a tenant. From counters by the hour; what is under way is counted to 10,000.",
        )
        .with([in_tenant(), query("window", windows, "1h", "How far back."), step()])
        .answers(200, "What happened, and what is under way.", named("OverallStats"), &example)
        .fails([crate::service::Code::NotFound])
}

fn step() -> Parameter {
    let steps = word(Step::ALL.map(Step::as_str)).or(Step::default().as_str());
    query("step", steps, "1h", "How much time each point of the series stands for; longer ones begin in UTC.")
}

fn attention() -> Operation {
    let all = object([
        required("data", list_of(named("Attention")).items(0, MOST), "The most urgent first."),
        required("more", flag(), "Whether there is more than is told."),
    ]);
    Operation::new("GET", "/api/v1/attention", "getAttention", Admin)
        .says(
            "What needs a hand first",
            "Endpoints that fail or are disabled, what will be deleted, what is in the way.",
        )
        .answers(200, "At most 100.", all, ATTENTION)
}

fn storage() -> Operation {
    Operation::new("GET", "/api/v1/storage", "getStorage", Admin)
        .says("Room on the disk", "How large the database is, how it grows, and when the disk is full.")
        .answers(200, "In bytes.", named("Storage"), STORAGE)
}

fn now() -> Schema {
    object([
        required(
            "waiting",
            count(),
            "Deliveries that wait for an attempt, those in flight too; counted to 10,000.",
        ),
        required("waiting_more", flag(), "Whether there are more."),
        required("held", count(), "Deliveries that are held; counted to 10,000."),
        required("held_more", flag(), "Whether there are more."),
        nullable("oldest_waiting_at", time(), "When the oldest of those that wait was made."),
    ])
}

fn needs_a_hand() -> Schema {
    let topics = [
        "not_ready",
        "restored",
        "cleanup_waits",
        "cleanup_fails",
        "backup_fails",
        "alert_fails",
        "held_expires",
        "endpoint_ends",
        "endpoint_disabled",
        "endpoint_fails",
        "endpoint_off",
    ];
    let endpoint = object([
        required("id", id(EndpointId::PATTERN), "`ep_…`."),
        required("tenant", tenant(), "Whose it is."),
        required("url", text(), "Where it is."),
        required("description", text(), "For people."),
        required("health", word(["ok", "failing", "disabled"]), "How it does."),
        nullable("disabled_reason", word(["manual", "failing", "gone"]), "Why it is disabled."),
        nullable("disabled_note", text(), "What somebody noted then."),
        required("failure_count", count(), "Failed attempts in a row."),
        nullable("first_failure_at", time(), "The first of these."),
        required("held", count(), "Deliveries that are held for it, counted to 10,000."),
        required("held_more", flag(), "Whether there are more."),
    ]);
    object([
        required("topic", word(topics), "What it is about; they come in this order."),
        required("message", text(), "A sentence that says what is the matter."),
        nullable("since", time(), "Since when, where that is known."),
        nullable(
            "until",
            time(),
            "When the cleanup deletes the first held deliveries, or the endpoint is disabled; of `endpoint_fails` at the earliest.",
        ),
        nullable("endpoint", endpoint, "The endpoint that it is about."),
    ])
}

fn storage_schema() -> Schema {
    let day = object([
        required("at", time(), "When it was noted."),
        required("database_bytes", integer(), "Bytes of the file."),
        required("free_bytes", integer(), "Bytes of it that were free."),
    ]);
    object([
        required("database_bytes", integer(), "Bytes of the database file."),
        required("free_bytes", integer(), "Bytes of it that are free: used again before it grows."),
        required("wal_bytes", integer(), "Bytes of the WAL beside it."),
        required("disk_free_bytes", integer(), "Bytes that are left on its file system."),
        nullable("growth_bytes_per_day", integer(), "How the used part grew; null until a day is known."),
        nullable("growth_since", time(), "From when on that was measured."),
        nullable("full_at", time(), "When the disk is full at that rate; null: not foreseen."),
        required("days", list_of(day), "The last size of each day, the oldest first."),
    ])
}

fn counted() -> Vec<Field> {
    let latency = object([
        required("p50", count(), "Half took at most so long."),
        required("p95", count(), "95 of 100."),
        required("p99", count(), "99 of 100."),
    ]);
    vec![
        required("delivered", count(), "Deliveries that were delivered."),
        required("failed", count(), "Deliveries whose attempts were used up."),
        required("attempts", count(), "Requests that were made."),
        required("attempts_failed", count(), "Those of them that failed."),
        nullable(
            "success_rate",
            number().with("minimum", 0_u64).with("maximum", 1_u64),
            "Of the deliveries that ended, the share that was delivered.",
        ),
        nullable("latency_ms", latency, "How long requests took, in milliseconds."),
    ]
}

fn stats_schema(more: Vec<Field>) -> Schema {
    let point = object([required("at", time(), "When the hour begins.")].into_iter().chain(counted()));
    let around = [
        required("window", word(Window::ALL.map(Window::as_str)), "What was asked for."),
        required("since", time(), "From when on it counts."),
        required("until", time(), "Until when: now."),
    ];
    let series = required("series", list_of(point), "Step by step, the oldest first.");
    object(around.into_iter().chain(counted()).chain([series]).chain(more))
}
