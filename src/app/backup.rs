//! `postrider backup`: asks the server, this process's own where none runs, for a backup, and takes it to where it is to
//! be. The server writes into its own folder alone; whoever may use its socket may read what lies there.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use serde_json::{Value, json};

use crate::cli::calls::{Failed, call};
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::socket::Client;
use crate::cli::terminal;
use crate::cli::{Backup, Request, Target, backup_made};
use crate::config::{DataDir, remove_if_there};
use crate::store::backup::{add_key, compress};

use super::commands::{Alone, ask};

/// How often the server is asked how far it has come.
const LOOK: Duration = Duration::from_millis(100);

/// Makes a backup.
///
/// # Errors
/// A sentence that says what to do.
pub fn run(options: &Backup) -> Result<Output, String> {
    if let Target::File(path) = &options.target
        && path.symlink_metadata().is_ok()
    {
        return Err(format!("{} is there already: name another file, or remove it", path.display()));
    }
    let ((backup, path), _) = ask(&options.data, "--data", Alone::OnDatabase, |socket| {
        let client = Client::new(socket);
        let backup = make(&client, options)?;
        let made = options.data.join("backups").join(backup["file"].as_str().unwrap_or_default());
        let path = take(options, &made).map_err(Failed::Refused)?;
        Ok((backup, path))
    })?;
    Ok(backup_made(&backup, path.as_deref(), options))
}

/// Has the server make one, and waits for its end. What is to carry the key is compressed afterwards.
fn make(client: &Client, options: &Backup) -> Result<Value, Failed> {
    let compress = options.compress && !options.with_key;
    let elsewhere = options.target != Target::Folder;
    let begin = Request::post("/api/v1/backups", &json!({ "compress": compress, "elsewhere": elsewhere }));
    let mut backup = call(client, &begin)?.body;
    let id = backup["id"].as_str().unwrap_or_default().to_owned();
    let mut progress = Progress::new(terminal::shows_progress());
    while backup["status"] == "running" {
        progress.show(&how_far(&backup));
        std::thread::park_timeout(LOOK);
        backup = call(client, &Request::get(format!("/api/v1/backups/{id}")))?.body;
    }
    drop(progress);
    if backup["status"] == "done" {
        return Ok(backup);
    }
    let why = backup["error"].as_str().unwrap_or("the server does not say why");
    Err(Failed::Refused(format!("no backup was made: {why}")))
}

/// How far a backup has come, in a line.
fn how_far(backup: &Value) -> String {
    let stage = backup["stage"].as_str().unwrap_or_default();
    let percent = backup["percent"].as_u64().map_or_else(String::new, |percent| format!(" {percent} %"));
    format!("{stage}{percent}")
}

/// Takes a backup from the server's folder to where it is to be; where it is then.
fn take(options: &Backup, made: &Path) -> Result<Option<PathBuf>, String> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |error: io::Error| format!("{path}: {error}")
    };
    let made = if options.with_key { with_key(options, made)? } else { made.to_owned() };
    match &options.target {
        Target::Folder => return Ok(Some(made)),
        Target::File(path) => {
            let moved = move_to(&made, path).map_err(failed(path));
            if moved.is_err() && options.with_key {
                // It holds the key: nobody expects it among the others. The first error is the one to tell.
                drop(fs::remove_file(&made));
            }
            moved?;
            return Ok(Some(path.clone()));
        }
        Target::Output => {}
    }
    let written = File::open(&made).and_then(|mut file| {
        let mut out = io::stdout().lock();
        io::copy(&mut file, &mut out)?;
        out.flush()
    });
    // Another backup that was made meanwhile may have pruned it.
    remove_if_there(&made).map_err(|error| error.to_string())?;
    written.map_err(|error| format!("standard output: {error}"))?;
    Ok(None)
}

/// Puts the key in, and compresses it then. Under names that the next start of a server tidies if this is cut off.
fn with_key(options: &Backup, made: &Path) -> Result<PathBuf, String> {
    let process = std::process::id();
    let part = made.with_file_name(format!("with-key-{process}.part"));
    let packed = made.with_file_name(format!("with-key-{process}.gz.part"));
    let add = || -> Result<PathBuf, String> {
        fs::rename(made, &part).map_err(|error| error.to_string())?;
        let dir = DataDir::open_existing(&options.data).map_err(|error| error.to_string())?;
        let key = dir.load_secret_key().map_err(|error| error.to_string())?;
        add_key(&part, key).map_err(|error| error.to_string())?;
        if !options.compress {
            return Ok(part.clone());
        }
        compress(&part, &packed, |_| true).map_err(|error| error.to_string())?;
        fs::remove_file(&part).map_err(|error| error.to_string())?;
        Ok(packed.clone())
    };
    let added = add();
    if added.is_err() {
        for path in [&part, &packed] {
            // It may not have come to that; the first error is the one to tell.
            drop(fs::remove_file(path));
        }
    }
    added
}

/// Moves a file that is whole and synced to a new name, on another file system if need be: whole there or not at all.
/// What has come to be there meanwhile stays: a backup takes minutes.
fn move_to(from: &Path, to: &Path) -> io::Result<()> {
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let sync = || File::open(folder).and_then(|folder| folder.sync_all());
    match rename_to_new(from, to) {
        Ok(()) => return sync(),
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {}
        Err(error) => return Err(error),
    }
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let copied = copy_privately(from, &part).and_then(|()| rename_to_new(&part, to)).and_then(|()| sync());
    if copied.is_err() {
        // It may not have come to that; the first error is the one to tell.
        drop(fs::remove_file(&part));
    }
    copied?;
    // As above.
    remove_if_there(from).map_err(io::Error::other)?;
    Ok(())
}

/// Renames a file, unless the name is taken.
fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system can do it in one step: NFS, for one.
        Err(Errno::INVAL | Errno::NOSYS) if to.symlink_metadata().is_err() => fs::rename(from, to),
        Err(Errno::INVAL | Errno::NOSYS) => Err(io::ErrorKind::AlreadyExists.into()),
        renamed => Ok(renamed?),
    }
}

fn copy_privately(from: &Path, to: &Path) -> io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let mut source = File::open(from)?;
    let mut target = File::options().write(true).create_new(true).mode(0o600).open(to)?;
    target.set_permissions(fs::Permissions::from_mode(0o600))?;
    io::copy(&mut source, &mut target)?;
    target.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_come_to_be_there_while_a_backup_was_made_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (made, to) = (folder.path().join("made"), folder.path().join("to"));
        fs::write(&made, "new").unwrap();
        fs::write(&to, "somebody's").unwrap();
        assert_eq!(move_to(&made, &to).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&to).unwrap(), b"somebody's");
        fs::remove_file(&to).unwrap();
        move_to(&made, &to).unwrap();
        assert_eq!((fs::read(&to).unwrap().as_slice(), made.exists()), (b"new".as_slice(), false));
    }
}
