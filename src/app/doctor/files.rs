//! The data directory: modes, owner, key, and the room on its disk.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::StatVfsMountFlags;
use rustix::process::geteuid;

use crate::config::{SecretKeyError, read_secret_key};
use crate::domain::growth::{DAY_MS, Growth, Sample};
use crate::domain::time::UnixMs;
use crate::store::examine::{Examination, Examined};

use super::report::{Report, size};

/// Less room than this is an error: nothing can be accepted soon.
const ERROR_BYTES: u64 = 64 * 1024 * 1024;
/// Less than this is a warning.
const WARNING_BYTES: u64 = 1024 * 1024 * 1024;
/// What to do about a key that is not the right one.
const RIGHT_KEY: &str = "put the right one back, from your copy of it or from a backup made with `--with-key`: without it the \
     signing secrets cannot be read, and the server does not start";
/// What may go where not even a cleanup has room.
const BY_HAND: &str = "remove old files in backups/, or the folders replaced-…";
/// A disk that is full so soon is a warning.
const WARNING_DAYS: i64 = 14;

fn unreadable(data: &Path, error: &io::Error, report: &mut Report) {
    report.error(
        "folder",
        format!("{}: {error}", data.display()),
        "run this as the user that runs the server",
    );
}

/// Looks at the folder and the files in it; whether there is something to go on with.
pub(super) fn folder(data: &Path, report: &mut Report) -> bool {
    let found = match fs::metadata(data) {
        Ok(found) if found.is_dir() => found,
        Ok(_) => {
            report.error("folder", format!("{} is no folder", data.display()), "name another with --data");
            return false;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let todo = "name the server's with --data or POSTRIDER_DATA, or start a server, which makes it";
            report.error("folder", format!("there is no folder {}", data.display()), todo);
            return false;
        }
        Err(error) => {
            unreadable(data, &error, report);
            return false;
        }
    };
    let names = match names(data) {
        Ok(names) => names,
        Err(error) => {
            unreadable(data, &error, report);
            return false;
        }
    };
    let open: Vec<String> = std::iter::once((String::from("."), found.mode() & 0o7777, 0o700))
        .chain(names.iter().filter_map(|name| mode(data, name)))
        .filter(|(_, mode, wanted)| mode & !wanted & 0o077 != 0)
        .map(|(name, mode, wanted)| format!("{name} has {mode:o} instead of {wanted:o}"))
        .collect();
    if open.is_empty() {
        report.ok("folder", format!("{} is private", data.display()));
    } else {
        let says = format!("{} is open to others: {}", data.display(), open.join(", "));
        report.warn("folder", says, "the next start of the server closes it; or use chmod");
    }
    if is_read_only(data) {
        let todo = "mount its file system for writing; under systemd, a folder outside of /var/lib/postrider needs \
                    ReadWritePaths= in the unit";
        report.error(
            "folder",
            format!("{} cannot be written: its file system is read-only", data.display()),
            todo,
        );
    }
    owner(data, &found, &names, report);
    true
}

/// Whether the file system takes no changes. What is not known is told as the room on the disk is looked at.
fn is_read_only(data: &Path) -> bool {
    rustix::fs::statvfs(data).is_ok_and(|system| system.f_flag.contains(StatVfsMountFlags::RDONLY))
}

fn names(data: &Path) -> io::Result<Vec<String>> {
    let ours = |name: &String| name.starts_with("postrider.") || name == "secret.key" || name == "backups";
    let names = fs::read_dir(data)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    Ok(names.collect::<io::Result<Vec<_>>>()?.into_iter().filter(ours).collect())
}

fn mode(data: &Path, name: &str) -> Option<(String, u32, u32)> {
    let found = fs::symlink_metadata(data.join(name)).ok().filter(|found| !found.is_symlink())?;
    Some((name.to_owned(), found.mode() & 0o7777, if found.is_dir() { 0o700 } else { 0o600 }))
}

fn owner(data: &Path, found: &fs::Metadata, names: &[String], report: &mut Report) {
    let me = geteuid().as_raw();
    let strange: Vec<&str> = names
        .iter()
        .filter(|name| fs::symlink_metadata(data.join(name)).is_ok_and(|file| file.uid() != found.uid()))
        .map(String::as_str)
        .collect();
    if !strange.is_empty() {
        let says =
            format!("{} do not belong to the owner of the folder, user {}", strange.join(", "), found.uid());
        let paths: Vec<String> = strange.iter().map(|name| data.join(name).display().to_string()).collect();
        let todo =
            format!("`chown {} {}`: the server cannot open them as they are", found.uid(), paths.join(" "));
        report.error("owner", says, todo);
    } else if me != 0 && me != found.uid() {
        let says = format!("all belongs to user {}, and this runs as user {me}", found.uid());
        report.warn("owner", says, "run this as the user that runs the server, to see everything");
    } else {
        report.ok("owner", format!("all belongs to user {}", found.uid()));
    }
}

/// The key, and whether the database was made with it. `served`: a server has that open.
pub(super) fn key(data: &Path, served: bool, report: &mut Report) {
    let database = data.join("postrider.db");
    let key = match read_secret_key(data) {
        Ok(key) => key,
        Err(SecretKeyError::Missing { .. }) if !database.exists() => {
            report.ok("key", "none yet: the first start makes it");
            return;
        }
        Err(SecretKeyError::Missing { .. }) => {
            return report.error("key", "secret.key is missing", RIGHT_KEY);
        }
        Err(SecretKeyError::Damaged { what, .. }) => {
            return report.error("key", format!("secret.key is damaged: {what}"), RIGHT_KEY);
        }
        Err(error) => {
            return report.error("key", error.to_string(), "run this as the user that runs the server");
        }
    };
    // A file that cannot be read, or not yet, is told of elsewhere.
    let readable = database.exists() && (served || !Examination::was_cut_off(&database));
    let fits = readable.then(|| Examination::of(&database, served).and_then(|file| file.fits(key)));
    match fits {
        Some(Ok(false)) => {
            report.error("key", "secret.key is not the one that the database was made with", RIGHT_KEY);
        }
        Some(Ok(true)) => {
            report.ok("key", "secret.key is that of the database; keep a copy of it apart from the backups");
        }
        Some(Err(_)) | None => {
            report.ok("key", "secret.key is a key; whether it is that of the database is not known yet");
        }
    }
}

/// The room on the disk, and how long it lasts.
pub(super) fn disk(data: &Path, examined: Option<&Examined>, now: UnixMs, report: &mut Report) {
    let system = match rustix::fs::statvfs(data) {
        Ok(system) => system,
        Err(error) => {
            report.warn("disk", format!("the room on the disk is not known: {error}"), "see `df`");
            return;
        }
    };
    let free = system.f_bavail.saturating_mul(system.f_frsize);
    let all = system.f_blocks.saturating_mul(system.f_frsize).max(1);
    let growth = examined.and_then(|examined| {
        let (database_bytes, free_bytes) = examined.bytes;
        Growth::of(&examined.sizes, &Sample { at: now, database_bytes, free_bytes })
    });
    let room = free.saturating_add(examined.map(|examined| examined.bytes.1).unwrap_or_default());
    let full = growth.and_then(|growth| growth.full_at(now, room));
    let days = full.map(|full| (full.0 - now.0) / DAY_MS);
    let percent = free.saturating_mul(100) / all;
    let mut says = format!("{} are free, {percent} %", size(free));
    if let Some(growth) = growth {
        let sign = if growth.bytes_per_day < 0 { "-" } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(says, "; the data grows by {sign}{} a day", size(growth.bytes_per_day.unsigned_abs()));
    }
    if let Some(days) = days {
        let _ = write!(says, ", full in {days} days");
    }
    let todo = "make room, or keep less: `postrider settings update --retention-days`";
    if free < ERROR_BYTES {
        let todo = format!(
            "{todo}. Once it is full, nothing can be deleted either before some MB are free: {BY_HAND}"
        );
        report.error("disk", says, todo);
    } else if free < WARNING_BYTES || days.is_some_and(|days| days < WARNING_DAYS) {
        report.warn("disk", says, todo);
    } else {
        report.ok("disk", says);
    }
}
