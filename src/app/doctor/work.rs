//! What waits, what needs a hand, and how old the backups are.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::domain::time::UnixMs;
use crate::domain::verifying::span;
use crate::store::examine::{COUNTED, Counts, Examined};

use super::report::{Report, size};

/// A newest backup that is older is a warning.
const OLD_BACKUP_DAYS: i64 = 7;
const DAY_MS: i64 = 86_400_000;

/// A number that was counted to a bound.
fn counted(number: i64) -> String {
    if number > COUNTED { format!("more than {COUNTED}") } else { number.to_string() }
}

/// Looks at endpoints and deliveries.
pub(super) fn look(examined: &Examined, now: UnixMs, report: &mut Report) {
    let counts = &examined.counts;
    endpoints(counts, report);
    held(examined, now, report);
    let says = format!("{} deliveries wait", counted(counts.pending));
    match counts.oldest_pending {
        Some(oldest) => {
            let age = span((now.0 - oldest.0) / 1000);
            let says = format!(
                "{says}, {} of them for more than an hour, the oldest for {age}",
                counted(counts.pending_older)
            );
            let todo = "`postrider deliveries list --status retrying` shows why; endpoints that fail are retried for days";
            report.warn("backlog", says, todo);
        }
        None => report.ok("backlog", format!("{says}, none for more than an hour")),
    }
    if counts.operators == 0 {
        report.warn(
            "operators",
            "nobody can sign in to the console",
            "open the link that the server has printed at its start (journalctl -u postrider), or start it again for a new one",
        );
    }
}

fn endpoints(counts: &Counts, report: &mut Report) {
    let Counts { endpoints, failing, disabled, disabled_by_hand, .. } = *counts;
    let by_hand =
        if disabled_by_hand > 0 { format!("; disabled by hand: {disabled_by_hand}") } else { String::new() };
    if failing + disabled == 0 {
        report.ok("endpoints", format!("none of {endpoints} fails{by_hand}"));
        return;
    }
    let says =
        format!("of {endpoints}, failing: {failing}; disabled because they failed: {disabled}{by_hand}");
    report.warn("endpoints", says, "`postrider attention` says which, and why");
}

fn held(examined: &Examined, now: UnixMs, report: &mut Report) {
    let counts = &examined.counts;
    if counts.restored > 0 {
        let says = format!("deliveries that a restore holds back: {}", counted(counts.restored));
        report.warn("restored", says, "`postrider deliveries release deliver`, or `discard`");
    }
    if counts.held > 0 {
        let age = counts.oldest_held.map_or_else(String::new, |at| {
            let (age, days) = (span((now.0 - at.0) / 1000), examined.settings.retention_days);
            format!("; the oldest for {age}, and after {days} days the cleanup deletes it")
        });
        let says = format!("deliveries that are held for disabled endpoints: {}{age}", counted(counts.held));
        let todo =
            "enable the endpoints and deliver or discard them, or keep more (setting `retention_days`)";
        report.warn("held", says, todo);
    } else {
        report.ok("held", "no delivery is held for a disabled endpoint");
    }
}

/// Whether the schedule may not have made a backup yet.
fn is_first_day(examined: &Examined, now: UnixMs) -> bool {
    let young = examined.first_used.is_some_and(|first| now.0 - first.0 < DAY_MS);
    young && !examined.settings.backup_schedule.is_empty()
}

/// Looks at the files in `backups`: the newest is what counts.
pub(super) fn backups(folder: &Path, examined: Option<&Examined>, now: UnixMs, report: &mut Report) {
    let todo = "`postrider backup` makes one, and a setting makes one every night";
    let newest = fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|entry| {
        let found = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let unfinished = entry.path().extension().is_some_and(|extension| extension == "part");
        let made = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let made = i64::try_from(made.as_millis()).ok()?;
        (!unfinished).then(|| (made, found.len(), entry.file_name().to_string_lossy().into_owned()))
    });
    let (count, newest) =
        newest.fold((0, None), |(count, newest), found| (count + 1, newest.max(Some(found))));
    let Some((made, bytes, name)) = newest else {
        let none = format!("there is none in {}", folder.display());
        match examined.filter(|examined| is_first_day(examined, now)) {
            Some(Examined { settings, .. }) => {
                let says = format!("{none} yet; the schedule {:?} makes the first", settings.backup_schedule);
                report.ok("backups", says);
            }
            None => report.warn("backups", none, todo),
        }
        return;
    };
    let age = now.0 - made;
    let says = format!("the newest of {count} is {name}, {}, {} old", size(bytes), span(age / 1000));
    if age > OLD_BACKUP_DAYS * DAY_MS {
        report.warn("backups", says, todo);
    } else {
        report.ok("backups", says);
    }
}
