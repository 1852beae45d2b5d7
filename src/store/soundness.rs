//! After a crash: whether the file is sound.
//!
//! A start that finds a WAL comes after a crash, or after a stop that leaves it (with Litestream). What a disk has lost
//! or torn then would be met much later, by whoever reads that page. So `PRAGMA quick_check` reads the whole file, and
//! what it finds is told in the log and by `/readyz`.
//!
//! That costs: 1.4 GB (1.1 million events and deliveries) took 2 s where the system had the file in memory, and 23 s from
//! a disk of 60 MB/s; meanwhile the WAL cannot start afresh. So it is done on a thread and a connection of its own, when
//! the start is over, with a cache of a megabyte, and not for larger files or longer than [`LARGEST`] and [`LONGEST`] say:
//! then the log says so, and how to do it by hand.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use crate::clock::{Clock, Stopwatch};

use super::{Shared, connection};

/// So long after the start it begins.
pub(super) const AFTER: Duration = Duration::from_secs(5);
/// Bytes of a file that is checked.
const LARGEST: u64 = 1 << 30;
/// How long it may take.
const LONGEST: Duration = Duration::from_secs(20);
/// Steps of SQLite between two looks at the time.
const STEPS: i32 = 1_000;
/// Damages that are told, and letters of them.
const TOLD: usize = 5;
const LETTERS: usize = 500;

/// A check that waits or runs.
pub(super) struct Check {
    signal: Arc<Signal>,
    thread: JoinHandle<()>,
}

/// For waking and stopping the thread.
#[derive(Default)]
struct Signal {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Check {
    /// Starts the thread.
    pub(super) fn start(path: PathBuf, shared: Arc<Shared>) -> std::io::Result<Self> {
        let signal = Arc::new(Signal::default());
        let clock = Arc::clone(shared.times.clock());
        let moved = Arc::clone(&signal);
        clock.on_move(Arc::new(move || moved.wake()));
        let (own, due) = (Arc::clone(&signal), clock.monotonic() + AFTER);
        let thread = std::thread::Builder::new().name("soundness".to_owned()).spawn(move || {
            if own.wait(&*clock, due) {
                run(&path, &shared, &own);
            }
        })?;
        Ok(Self { signal, thread })
    }

    /// Ends it, whatever it is doing.
    pub(super) fn stop(self) {
        *self.signal.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.signal.changed.notify_all();
        if self.thread.join().is_err() {
            tracing::error!("the thread that checks the file had panicked");
        }
    }
}

#[cfg(test)]
impl Check {
    /// Waits for its end.
    pub(super) fn join(self) {
        self.thread.join().unwrap();
    }
}

impl Signal {
    fn wake(&self) {
        // Under the lock, so that a thread that has looked at the clock already waits before it is woken.
        let _stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        self.changed.notify_all();
    }

    fn is_stopped(&self) -> bool {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `due`; `false`: it is stopped.
    fn wait(&self, clock: &dyn Clock, due: Duration) -> bool {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        while !*stopped && clock.monotonic() < due {
            stopped = match clock.sleep_until(due) {
                Some(patience) => {
                    self.changed.wait_timeout(stopped, patience).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(stopped).unwrap_or_else(PoisonError::into_inner),
            };
        }
        !*stopped
    }
}

fn run(path: &Path, shared: &Shared, signal: &Arc<Signal>) {
    let by_hand = "to check it, run `PRAGMA quick_check` on a copy of it";
    let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
    if bytes > LARGEST {
        tracing::info!(bytes, "the file is too large to be checked after a crash; {by_hand}");
        return;
    }
    let watch = Stopwatch::start();
    let found = check(path, Arc::clone(signal), watch);
    let duration_ms = watch.elapsed().as_millis();
    if signal.is_stopped() {
        return;
    }
    match found {
        Ok(found) if found.is_empty() => {
            tracing::info!(bytes, duration_ms, "the file is sound after a crash");
        }
        Ok(found) => tell(shared, &found.join("; ")),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => tell(shared, &error.to_string()),
            Some(ErrorCode::OperationInterrupted) => {
                tracing::info!(
                    bytes,
                    duration_ms,
                    "the check of the file after a crash took too long; {by_hand}"
                );
            }
            _ => tracing::warn!(%error, "the file could not be checked after a crash"),
        },
    }
}

/// What is wrong with the file, if anything.
fn check(path: &Path, signal: Arc<Signal>, watch: Stopwatch) -> rusqlite::Result<Vec<String>> {
    let mut connection = Connection::open_with_flags(path, connection::reader_flags())?;
    connection::open_reader(&mut connection)?;
    connection.progress_handler(STEPS, Some(move || signal.is_stopped() || watch.left(LONGEST).is_zero()))?;
    let mut statement = connection.prepare(&format!("PRAGMA quick_check({TOLD})"))?;
    let rows: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(rows.into_iter().filter(|row| row != "ok").collect())
}

fn tell(shared: &Shared, found: &str) {
    let found: String = found.chars().take(LETTERS).collect();
    tracing::error!(found, "the database file is damaged; restore a backup");
    shared.set_damage(found);
}
