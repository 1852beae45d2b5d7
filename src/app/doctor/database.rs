//! The file: schema, soundness, free pages, the WAL; and the clock against what is noted in the file.

use std::fs;
use std::time::Duration;

use crate::app::files::is_lost;
use crate::cli::Doctor;
use crate::config::LockState;
use crate::domain::time::UnixMs;
use crate::domain::verifying::span;
use crate::store::OpenError;
use crate::store::examine::{Examination, Examined, Soundness};

use super::report::{Report, size};

/// How long the check of the whole file may take.
const LONGEST: Duration = Duration::from_secs(20);
/// A WAL of this size is not folded back as it should be.
const LARGE_WAL: u64 = 64 * 1024 * 1024;
/// Free pages are told of from so many bytes, where they are half of the file.
const MUCH_FREE: u64 = 256 * 1024 * 1024;
/// A clock that is so far behind the newest mark is wrong; ahead, of a server that runs and marks every hour.
const BEHIND_MS: i64 = 60_000;
const AHEAD_MS: i64 = 2 * 3_600_000;

/// Looks at the file; what was found in it.
pub(super) fn look(doctor: &Doctor, lock: LockState, now: UnixMs, report: &mut Report) -> Option<Examined> {
    let path = doctor.data.join("postrider.db");
    if matches!(is_lost(&path, &doctor.data.join("backups")), Ok(true)) {
        let says = "it is missing or empty, and backups/ has backups of it";
        let todo = format!("restore one with `postrider restore FILE --data {}`", doctor.data.display());
        report.error("database", says, todo);
        return None;
    }
    if !path.exists() {
        report.ok("database", "none yet: the first start makes it");
        return None;
    }
    let served = lock != LockState::Free;
    let found = match open(&path, served, now, report) {
        Ok(found) => found?,
        Err(error) => {
            report.error(
                "database",
                error.to_string(),
                "see `Troubleshooting` in the manual; the backups are in backups/",
            );
            return None;
        }
    };
    let (bytes, free) = found.bytes;
    let says = format!("{}, {} of it free", size(bytes), size(free));
    if free >= MUCH_FREE && free > bytes / 2 {
        report.warn(
            "pages",
            says,
            "the nightly cleanup gives free pages back; `postrider cleanup` does it now",
        );
    } else {
        report.ok("pages", says);
    }
    wal(doctor, report);
    clock(&found, served, now, report);
    Some(found)
}

fn open(
    path: &std::path::Path,
    served: bool,
    now: UnixMs,
    report: &mut Report,
) -> Result<Option<Examined>, OpenError> {
    if !served && Examination::was_cut_off(path) {
        let says = "the server has ended without closing the file, so what is in it is known when one has started again";
        report.warn("database", says, "start the server: it puts the file right and checks it");
        return Ok(None);
    }
    let examination = Examination::of(path, served)?;
    let (version, latest) = examination.version()?;
    if version < latest {
        let says = format!("its schema is version {version}, and this program writes {latest}");
        report.warn("schema", says, "the next start of the server makes a copy and upgrades it");
        return Ok(None);
    }
    report.ok("schema", format!("version {version}, as this program writes it"));
    let found = examination.examine(now)?;
    match examination.check(LONGEST)? {
        Soundness::Sound => report.ok("integrity", "the whole file was read and is sound"),
        Soundness::Damaged(what) => {
            let says = format!("the file is damaged: {}", what.join("; "));
            report.error("integrity", says, "restore a backup, and look after the disk: `dmesg`, `smartctl`");
        }
        Soundness::TooLong => {
            let says = format!("not known: reading the file takes more than {} s", LONGEST.as_secs());
            report.ok("integrity", says + "; backups are checked whole");
        }
    }
    Ok(Some(found))
}

fn wal(doctor: &Doctor, report: &mut Report) {
    let bytes = fs::metadata(doctor.data.join("postrider.db-wal")).map_or(0, |file| file.len());
    let says = format!("{} wait in the WAL", size(bytes));
    let left_to_others = doctor.config.as_ref().is_ok_and(|config| !config.checkpoint);
    if bytes < LARGE_WAL {
        report.ok("wal", says);
    } else if left_to_others {
        report.warn("wal", says, "it is left to Litestream (--no-checkpoint): does that run?");
    } else {
        let todo = "a program reads the file for long: end it, unless it is Litestream and the server runs with --no-checkpoint: then \
                    see that Litestream runs";
        report.warn("wal", says, todo);
    }
}

/// The newest mark is written hourly while a server runs.
fn clock(found: &Examined, served: bool, now: UnixMs, report: &mut Report) {
    let Some(mark) = found.mark else {
        report.ok("clock", format!("{now}; nothing is noted in the file yet"));
        return;
    };
    let ahead = now.0 - mark.0;
    let away = span(ahead / 1000);
    let todo = "set the clock (`timedatectl`); signatures carry its time, and receivers refuse what is 5 minutes off";
    if ahead < -BEHIND_MS {
        report.error("clock", format!("{now}, {away} behind what the file was last used at"), todo);
    } else if served && ahead > AHEAD_MS {
        report.warn("clock", format!("{now}, {away} ahead of the last hourly mark"), todo);
    } else {
        report.ok("clock", format!("{now}, {away} after the last mark in the file"));
    }
}
