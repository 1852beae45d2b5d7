//! `postrider restore`: a backup in the place of the database, in a data directory that this process owns meanwhile.

use std::fmt::Display;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::output::Output;
use crate::cli::{Restore, restored};
use crate::clock::{Clock, SystemClock};
use crate::config::{DataDir, DataDirError, Lock, Missing, act_as_owner};
use crate::store::audit::Actor;
use crate::store::backup::unpack;
use crate::store::restore::{Judged, Pending, Preparing, judge, prepare};
use crate::store::vault::Vault;

/// Restores a backup.
///
/// # Errors
/// A sentence that says what to do; nothing was touched then, or it says so.
pub fn run(options: &Restore) -> Result<Output, String> {
    let caller = rustix::process::getuid().as_raw();
    // Whoever asks for it may read the backup, and the owner of the directory perhaps not.
    let source = options.file.as_deref().map(open).transpose()?;
    act_as_owner(&options.data).map_err(|error| error.to_string())?;
    let missing = Missing::look(&options.data);
    let dir = DataDir::open(&options.data).map_err(|error| error.to_string())?;
    let lock = dir.lock().map_err(|error| match error {
        DataDirError::Locked { pid, .. } => {
            let pid = pid.map_or_else(String::new, |pid| format!(" (pid {pid})"));
            format!(
                "a server or another command uses {}{pid}: stop it, and restore then",
                options.data.display()
            )
        }
        error => error.to_string(),
    })?;
    dir.finish_restore(&lock).map_err(|error| error.to_string())?;
    let made = restore(options, source, caller, &dir, &lock);
    if made.is_err() {
        // The first error is the one to tell; the next start tidies as well.
        drop(dir.tidy_restore(&lock).and_then(|()| missing.remove(&dir, lock)));
    }
    made.map(|figures| restored(&figures, options.json))
}

/// The files of a backup: it, and the WAL beside it, if it is a plain copy of both.
type Source = (File, Option<File>);

fn open(path: &Path) -> Result<Source, String> {
    let opened = || -> io::Result<Source> {
        let wal = beside(path);
        Ok((File::open(path)?, if wal.exists() { Some(File::open(wal)?) } else { None }))
    };
    opened().map_err(|error| refused(&path.display(), &error))
}

fn refused(name: &dyn Display, error: &dyn Display) -> String {
    format!("{name} cannot be restored, and nothing was touched: {error}")
}

fn restore(
    options: &Restore,
    source: Option<Source>,
    caller: u32,
    dir: &DataDir,
    lock: &Lock,
) -> Result<Value, String> {
    let name =
        options.file.as_ref().map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
    let refused = |error: &dyn Display| refused(&name, error);
    let (staged, file) = dir.begin_restore(lock).map_err(|error| error.to_string())?;
    bring(source, dir, &staged, &file).map_err(|error| refused(&error))?;
    drop(file);
    let judged = judge(&staged).map_err(|error| refused(&error))?;
    let key = choose_key(dir, &judged).map_err(|error| refused(&error))?;
    let now = SystemClock::new().wall();
    let there = dir.database();
    let how = Preparing {
        pending: if options.hold { Pending::Hold } else { Pending::Send },
        now,
        actor: &Actor::cli(caller),
        name: &name,
        replaces: there.exists().then_some(there.as_path()),
    };
    let prepared = prepare(&staged, &how).map_err(|error| refused(&error))?;
    // Whoever restores has decided what the database is.
    dir.begin_accepting(lock).map_err(|error| error.to_string())?;
    let kept = dir.commit_restore(lock, &now.stamp(), key.as_ref()).map_err(|error| {
        format!("{error}; what was there is kept in the data directory, and the next start goes on with the restore")
    })?;
    let mut figures = serde_json::to_value(prepared).map_err(|error| error.to_string())?;
    figures["file"] = json!(name);
    figures["data_dir"] = json!(dir.path());
    figures["secret_key"] = json!(if key.is_some() { "from_backup" } else { "from_directory" });
    figures["replaced"] = json!(kept);
    Ok(figures)
}

/// Copies the backup into the data directory, unpacked; with the WAL, if there is one.
fn bring(source: Option<Source>, dir: &DataDir, staged: &Path, file: &File) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    let Some((backup, wal)) = source else {
        return unpack(io::stdin().lock(), file).map(drop).map_err(text);
    };
    unpack(backup, file).map_err(text)?;
    if let Some(mut wal) = wal {
        let copy = dir.create_private(&beside(staged)).map_err(|error| error.to_string())?;
        io::copy(&mut wal, &mut &copy).and_then(|_| copy.sync_all()).map_err(text)?;
    }
    Ok(())
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// The key that the backup brings, where it is needed; `None`: the one of the directory fits, or the next start makes one.
fn choose_key(dir: &DataDir, judged: &Judged) -> Result<Option<[u8; 32]>, String> {
    let fits = |key: [u8; 32]| judged.key_check.as_ref().is_none_or(|check| Vault::new(key).fits(check));
    let there = dir.secret_key_exists().map_err(|error| error.to_string())?;
    if there && dir.load_secret_key().is_ok_and(fits) {
        return Ok(None);
    }
    if let Some(carried) = judged.carried_key.filter(|key| fits(*key)) {
        return Ok(Some(carried));
    }
    if judged.key_check.is_none() && !there {
        return Ok(None);
    }
    let path = dir.secret_key();
    let why = if there {
        format!("{} is not the key that it was made with", path.display())
    } else {
        format!("it needs the key that it was made with, and there is no {}", path.display())
    };
    Err(format!(
        "{why}. Without it the signing secrets cannot be read: put the right secret.key there (move another one aside), or \
         take a backup that was made with `postrider backup --with-key`"
    ))
}
