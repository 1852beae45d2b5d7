//! The thread of a backup: asks the writer for the copy, syncs it, checks it, compresses it, gives it its name, and
//! removes those that are too many.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use crate::store::answer::{Answer, Reply};
use crate::store::error::StoreError;
use crate::store::queue::Queue;
use crate::store::work::Work;
use crate::store::{Shared, Store, space};

use super::copying::{Copied, CopyJob};
use super::state::Stage;
use super::{BackupRequest, BackupRow, check, compress, is_elsewhere, name_of, names, part};

/// The lowest there is: whoever publishes and delivers comes first.
const PRIORITY: i32 = 19;
/// Room that is left on the disk in any case.
const MARGIN: u64 = 1024 * 1024;

/// Begins a backup on a thread of its own. `None`: the place is taken.
pub(super) fn begin(store: &Store, request: BackupRequest) -> Option<Answer<BackupRow>> {
    let stop = store.shared.backups.take()?;
    let (reply, answer) = Answer::new();
    let worker = Worker {
        shared: Arc::clone(&store.shared),
        queue: Arc::clone(&store.queue),
        database: store.path.clone(),
        folder: store.backups.clone(),
        stop,
    };
    let place = Place { shared: Arc::clone(&store.shared), ended: None };
    let work = move || worker.run(&request, reply, place);
    match std::thread::Builder::new().name("backup".to_owned()).spawn(work) {
        Ok(thread) => store.shared.backups.keep(thread),
        Err(error) => {
            // With the work, its place and its reply were dropped.
            let says = StoreError::Unavailable(format!("a thread could not be started: {error}"));
            return Some(Answer::ready(Err(says)));
        }
    }
    Some(answer)
}

/// The one place for a backup; given free however it ends.
struct Place {
    shared: Arc<Shared>,
    ended: Option<BackupRow>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.backups.leave(self.ended.take());
    }
}

/// See the module.
struct Worker {
    shared: Arc<Shared>,
    queue: Arc<Queue<Work>>,
    database: PathBuf,
    folder: PathBuf,
    stop: Arc<AtomicBool>,
}

impl Worker {
    fn run(&self, request: &BackupRequest, reply: Reply<BackupRow>, mut place: Place) {
        if let Err(error) = rustix::process::setpriority_process(None, PRIORITY) {
            tracing::debug!(%error, "a backup works at the priority of everything else");
        }
        let wanted = request.clone();
        let begun = Store::write_to(&self.shared, &self.queue, move |tx| tx.begin_backup(&wanted)).wait();
        let row = match begun {
            Ok(row) => row,
            Err(error) => return drop(reply.send(Err(error))),
        };
        self.shared.backups.begun(&row);
        // Whoever asked may have gone away.
        drop(reply.send(Ok(row.clone())));
        let made = self.make(&row, request);
        let ended = self.end(row, made);
        place.ended = Some(ended.clone());
        // Before it is written down: whoever reads that it is over may begin the next one.
        drop(place);
        self.write_down(ended);
    }

    /// Makes the file; its name and its bytes. After an error nothing is left of it.
    fn make(&self, row: &BackupRow, request: &BackupRequest) -> Result<(String, u64), StoreError> {
        part::tidy_own(&self.folder)?;
        let made = self.make_parts(row, request);
        // After a success they have another name.
        let tidied = part::tidy_own(&self.folder);
        made.and_then(|made| tidied.map(|()| made))
    }

    fn make_parts(&self, row: &BackupRow, request: &BackupRequest) -> Result<(String, u64), StoreError> {
        self.look_for_room(row.compressed)?;
        let name = name_of(row.started_at, request).free_in(&self.folder);
        let to = self.folder.join(&name);
        let mut made = part::copy_in(&self.folder);
        let file = part::create(&made)?;
        self.copy(&made, &file)?;
        self.shared.backups.tell(Stage::Checking, 0, 0);
        let own = check::Own { id: row.id, file: name.clone(), ended_at: self.shared.times.wall() };
        check::finish(&made, &own, &self.stop)?;
        file.sync_all().map_err(|error| part::failed(&made, &error))?;
        if row.compressed {
            let packed = part::compressed_in(&self.folder);
            self.pack(&made, &packed)?;
            made = packed;
        }
        let bytes = std::fs::metadata(&made).map_err(|error| part::failed(&made, &error))?.len();
        part::publish(&made, &to)?;
        Ok((name, bytes))
    }

    /// Refuses a backup that would fill the disk.
    fn look_for_room(&self, compressed: bool) -> Result<(), StoreError> {
        let free = space::free_at(&self.folder)?;
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        let mut wal = self.database.clone().into_os_string();
        wal.push("-wal");
        let copied = size(&self.database) + size(Path::new(&wal));
        // The copy, what it is compressed to, and what arrives meanwhile.
        let needed = copied + if compressed { copied / 2 } else { copied / 10 } + MARGIN;
        if free >= needed {
            return Ok(());
        }
        Err(StoreError::Unavailable(format!(
            "there is not enough room for it in {}: {free} bytes are free and {needed} are needed; make room, or keep \
             fewer backups (the setting backups_keep)",
            self.folder.display()
        )))
    }

    /// Has the writer copy the database, and syncs the copy after every turn.
    fn copy(&self, path: &Path, file: &File) -> Result<(), StoreError> {
        let ((tell, told), (sync, synced)) = (mpsc::channel(), mpsc::channel());
        let (path, stop) = (path.to_owned(), Arc::clone(&self.stop));
        self.shared.backups.ask(CopyJob { path: path.clone(), told: tell, synced, stop });
        self.queue.nudge();
        let copied = loop {
            match told.recv() {
                Ok(Copied::Pages(done, all)) => {
                    self.shared.backups.tell(Stage::Copying, done, all);
                    if let Err(error) = file.sync_data() {
                        break Err(part::failed(&path, &error));
                    }
                    // A writer that has stopped says so next.
                    let _ = sync.send(());
                    self.queue.nudge();
                }
                Ok(Copied::Over(result)) => break result,
                Err(_) => break Err(StoreError::Stopping),
            }
        };
        // If the writer is still at it, it learns that nobody waits for the copy any more.
        drop(sync);
        self.queue.nudge();
        copied
    }

    fn pack(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        let all = std::fs::metadata(from).map_err(|error| part::failed(from, &error))?.len();
        compress(from, to, |done| {
            self.shared.backups.tell(Stage::Compressing, done, all);
            !self.stop.load(Ordering::Relaxed)
        })
    }

    /// How it ended: tells the log, and removes older ones if it was made.
    fn end(&self, mut row: BackupRow, made: Result<(String, u64), StoreError>) -> BackupRow {
        row.ended_at = Some(self.shared.times.wall());
        match (made, self.shared.backups.decide()) {
            (Ok((name, bytes)), _) => (row.file, row.bytes) = (Some(name), Some(bytes)),
            (Err(_), Some(by)) => row.canceled = Some(by),
            (Err(_), None) if self.stop.load(Ordering::Relaxed) => {
                row.error = Some("the server stopped before it was done".to_owned());
            }
            (Err(error), None) => row.error = Some(error.to_string()),
        }
        log(&row);
        if let Some(new) = &row.file {
            self.prune(new);
        }
        row
    }

    fn write_down(&self, row: BackupRow) {
        let id = row.id;
        let written = Store::write_to(&self.shared, &self.queue, move |tx| tx.end_backup(&row)).wait();
        if let Err(error) = written {
            tracing::warn!(%error, backup = %id, "how a backup ended could not be written down");
        }
    }

    /// Removes those that are too many, now that there is this new one.
    fn prune(&self, new: &str) {
        let keep = self.shared.directory.settings().backups_keep;
        let listed = std::fs::read_dir(&self.folder);
        let names =
            listed.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
        for name in names::too_many(names, new, usize::try_from(keep).unwrap_or(usize::MAX)) {
            match part::remove(&self.folder.join(&name)) {
                Ok(()) => tracing::info!(file = name, "an old backup was removed"),
                Err(error) => tracing::warn!(%error, "an old backup could not be removed"),
            }
        }
    }
}

fn log(row: &BackupRow) {
    let BackupRow { id, by, .. } = row;
    let duration_ms = row.ended_at.map_or(0, |end| end.0 - row.started_at.0);
    if row.file.as_deref().is_some_and(is_elsewhere) {
        // It is moved to where this process need not know of.
        tracing::info!(backup = %id, by, bytes = row.bytes, duration_ms, "backup made, to be taken elsewhere");
    } else if let Some(file) = &row.file {
        tracing::info!(backup = %id, by, file, bytes = row.bytes, duration_ms, "backup made");
    } else if let Some(canceled) = &row.canceled {
        tracing::info!(backup = %id, by, canceled, "backup canceled");
    } else {
        let error = row.error.as_deref().unwrap_or_default();
        tracing::error!(backup = %id, by, error, "backup failed; the ones before it are kept");
    }
}
