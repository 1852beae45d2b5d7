//! The house itself: its disk, its housekeeping, its process.

use prometheus::proto::{MetricFamily, MetricType};

use crate::service::alerts::AlertTries;
use crate::service::metrics::Metrics;
use crate::service::process::Process;
use crate::store::cleanup::CleanupReport;
use crate::store::space::Space;

use super::family::{counter, family, gauge, histogram, labelled, maybe_gauge, one_counter, one_gauge};

pub(super) fn families(metrics: &Metrics) -> Vec<MetricFamily> {
    let all = general(metrics).into_iter().chain(commits(metrics)).chain(disk(metrics));
    all.chain(housekeeping(metrics)).chain([alerts(metrics)]).chain(process(metrics)).collect()
}

fn general(metrics: &Metrics) -> [MetricFamily; 2] {
    let version = env!("CARGO_PKG_VERSION");
    [
        family(
            "build_info",
            "1, with the version of the program.",
            MetricType::GAUGE,
            vec![labelled(gauge(1_u64), "version", version)],
        ),
        one_gauge(
            "ready",
            "1 while events can be accepted and delivered, else 0; /readyz says why.",
            metrics.ready,
        ),
    ]
}

fn commits(metrics: &Metrics) -> [MetricFamily; 2] {
    let counted = &metrics.counted;
    [
        histogram(
            "commit_duration_seconds",
            "How long commits of the database took; nearly all of it is the sync of the disk.",
            &counted.commits,
        ),
        one_counter(
            "commit_failures_total",
            "Commits that failed since the start: disk full, locked or broken.",
            counted.commits_failed,
        ),
    ]
}

fn disk(metrics: &Metrics) -> [MetricFamily; 5] {
    let of = |number: fn(&Space) -> u64| metrics.space.as_ref().map(number);
    let free = metrics.stored.as_ref().map(|stored| stored.free_bytes);
    [
        maybe_gauge("database_bytes", "Size of the database file.", of(|space| space.database_bytes)),
        maybe_gauge(
            "database_free_bytes",
            "Bytes of it that are free pages: used again before it grows, given back by the cleanup.",
            free,
        ),
        maybe_gauge("wal_bytes", "Size of the write-ahead log beside it.", of(|space| space.wal_bytes)),
        maybe_gauge(
            "disk_free_bytes",
            "Bytes that are left on the file system of the database.",
            of(|space| space.disk_free_bytes),
        ),
        maybe_gauge("disk_bytes", "Size of that file system.", of(|space| space.disk_bytes)),
    ]
}

fn housekeeping(metrics: &Metrics) -> [MetricFamily; 6] {
    let cleanup = metrics.stored.as_ref().and_then(|stored| stored.cleanup.as_ref());
    let ended = cleanup.filter(|cleanup| cleanup.ended_at.is_some() || cleanup.error.is_some());
    let deleted = |of: fn(&CleanupReport) -> u64| ended.map(of);
    let kinds = [
        ("deliveries", deleted(|cleanup| cleanup.deliveries)),
        ("events", deleted(|cleanup| cleanup.events)),
    ];
    let kinds = kinds.into_iter().filter_map(|(kind, number)| Some(labelled(gauge(number?), "kind", kind)));
    let backup = metrics.backup.as_ref();
    [
        maybe_gauge(
            "cleanup_last_start_timestamp_seconds",
            "When the last cleanup began.",
            cleanup.map(|cleanup| cleanup.started_at),
        ),
        maybe_gauge(
            "cleanup_last_success",
            "1: the last cleanup came to its end; 0: it ended early.",
            ended.map(|cleanup| cleanup.error.is_none()),
        ),
        family(
            "cleanup_last_deleted",
            "Rows that the last cleanup deleted.",
            MetricType::GAUGE,
            kinds.collect(),
        ),
        maybe_gauge(
            "backup_last_end_timestamp_seconds",
            "When the last backup ended.",
            backup.and_then(|backup| backup.ended_at),
        ),
        maybe_gauge(
            "backup_last_success",
            "1: the last backup is complete; 0: it failed.",
            backup.map(|backup| backup.error.is_none()),
        ),
        maybe_gauge(
            "backup_last_bytes",
            "Size of the last backup.",
            backup.map(|backup| backup.bytes.unwrap_or_default()),
        ),
    ]
}

fn alerts(metrics: &Metrics) -> MetricFamily {
    let of = |tries: &AlertTries| {
        [("sent", tries.sent), ("failed", tries.failed)].map(|(outcome, number)| {
            labelled(labelled(counter(number), "kind", tries.kind.as_str()), "outcome", outcome)
        })
    };
    family(
        "alert_messages_total",
        "Messages of alerts since the start, by kind: sent, or a try that failed. Tests do not count.",
        MetricType::COUNTER,
        metrics.alerts.iter().flat_map(of).collect(),
    )
}

fn process(metrics: &Metrics) -> Vec<MetricFamily> {
    let of = |number: fn(&Process) -> u64| metrics.process.as_ref().map(number);
    let mut all = vec![
        maybe_gauge(
            "process_start_time_seconds",
            "When the process began, in seconds since 1970.",
            metrics.started_at,
        ),
        maybe_gauge("process_resident_memory_bytes", "Memory in use.", of(|own| own.resident_bytes)),
        maybe_gauge("process_virtual_memory_bytes", "Address space.", of(|own| own.virtual_bytes)),
        maybe_gauge("process_open_fds", "Open descriptors.", of(|own| own.open_descriptors)),
        maybe_gauge("process_max_fds", "How many descriptors may be open.", of(|own| own.max_descriptors)),
        maybe_gauge("process_threads", "Threads of the process.", of(|own| own.threads)),
    ];
    all.extend(metrics.process.as_ref().map(|own| {
        let help = "Seconds of processors, in user and system mode.";
        one_counter("process_cpu_seconds_total", help, own.cpu_seconds)
    }));
    all
}
