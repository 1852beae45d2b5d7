//! Opening the store: the file, its schema, the key, and what is kept in memory.

use std::path::PathBuf;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::Connection;

use crate::clock::Clock;
use crate::domain::complaints::Complaints;
use crate::domain::time::UnixMs;
use crate::panics;
use crate::random::Random;

use super::backup;
use super::bulk::Bulk;
use super::checkpoint::Checkpoints;
use super::cleanup::Cleanups;
use super::connection;
use super::cut_off;
use super::directory::Directory;
use super::error::{StoreError, advice};
use super::event_types::EventTypes;
use super::fill::Unfilled;
use super::handover::Handover;
use super::idempotent::OtherKeys;
use super::keys::Keys;
use super::meta::{self, Meta};
use super::migrations::{self, Found};
use super::queue::Queue;
use super::soundness::Check;
use super::times::Times;
use super::tx::Kept;
use super::unread::TOLD_EVERY;
use super::vault::Vault;
use super::writer::NewWriter;
use super::{Shared, Store};

/// Bytes that may wait for the writer.
const QUEUE_BYTES: usize = 16 * 1024 * 1024;
/// Reading connections, and how long one is waited for.
const READERS: u32 = 4;
const READER_WAIT: Duration = Duration::from_secs(2);

/// What the store is opened with.
pub struct StoreConfig {
    /// The database file. It exists, even if empty, with mode 0600.
    pub path: PathBuf,
    /// Where a copy goes before the schema is upgraded. It exists.
    pub backups: PathBuf,
    /// The key of `secret.key`.
    pub vault: Arc<Vault>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Whether the writer copies the WAL back (not with Litestream).
    pub checkpoints: bool,
    /// Who is told what was committed.
    pub handover: Arc<dyn Handover>,
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The key does not open what is in the file.
    #[error(
        "secret.key is not the key that this database was made with; put the right one back, or the signing \
         secrets in the database cannot be read"
    )]
    WrongKey,
    /// The file cannot be used, and what to do about that.
    #[error("{0}{advice}", advice = advice(.0))]
    File(rusqlite::Error),
    /// It is a file that this program leaves alone.
    #[error("{0}")]
    NotOurs(String),
    /// The copy that is made before an upgrade could not be made.
    #[error("no copy could be made before its upgrade, so it is left as it was: {0}{advice}", advice = .0.advice())]
    Copy(StoreError),
    /// Anything else.
    #[error("{0}{advice}", advice = .0.advice())]
    Store(#[from] StoreError),
    /// No thread could be started.
    #[error("a thread could not be started: {0}")]
    Thread(std::io::Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::File(error)
    }
}

impl Store {
    /// Whether the file at `path` is a database that needs its `secret.key`. A missing or empty file does not.
    ///
    /// # Errors
    /// The file is damaged, of another program, or of a newer version.
    pub fn needs_key(path: &std::path::Path) -> Result<bool, OpenError> {
        if let Some(wal) = cut_off::lonely_wal(path) {
            return Err(OpenError::NotOurs(format!(
                "the file is missing or empty, and {} beside it is not: put the file back, or restore a backup \
                 (only to begin anew, remove both)",
                wal.display()
            )));
        }
        if !path.exists() {
            return Ok(false);
        }
        match key_check(&Connection::open_with_flags(path, connection::reader_flags())?) {
            Err(OpenError::File(error)) if cut_off::is_half_written(&error) && cut_off::is_ours(path) => {
                // Opened for writing, SQLite undoes what was half written.
                Ok(key_check(&connection::open_writer(path)?)?.is_some())
            }
            found => Ok(found?.is_some()),
        }
    }

    /// Opens the file, upgrades it, and starts the writer.
    ///
    /// # Errors
    /// [`OpenError`], each of which says what to do.
    pub fn open(config: StoreConfig) -> Result<Arc<Self>, OpenError> {
        let (path, crashed) = (config.path.clone(), cut_off::wal(&config.path).is_some());
        let (store, writer) = Self::build(config)?;
        let (shared, queue) = (Arc::clone(&store.shared), Arc::clone(&store.queue));
        let work = move || {
            // Items are guarded one by one; a panic that comes this far is a defect of the writer itself. Nobody
            // may wait for a writer that is no more.
            if let Err(panic) = panics::caught(|| writer.here().run()) {
                tracing::error!(panic, "the writer has ended by a defect; restart the server");
                shared.set_trouble(Some("the writer has ended by a defect; restart the server".to_owned()));
                queue.abandon();
                // Nor for a copy that it has not begun.
                drop(shared.backups.asked());
            }
        };
        let thread =
            std::thread::Builder::new().name("writer".to_owned()).spawn(work).map_err(OpenError::Thread)?;
        *store.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        if crashed {
            let check = Check::start(path, Arc::clone(&store.shared)).map_err(OpenError::Thread)?;
            *store.check.lock().unwrap_or_else(PoisonError::into_inner) = Some(check);
        }
        Ok(Arc::new(store))
    }

    /// The store, and the writer that is not running yet.
    pub(super) fn build(config: StoreConfig) -> Result<(Self, NewWriter), OpenError> {
        let mut writer = connection::open_writer(&config.path)?;
        prepare(&mut writer, &config)?;
        let shared = Arc::new(share(&writer, &config)?);
        let kept = load(&writer, &shared, config.checkpoints)?;
        note_version(&writer, shared.times.wall())?;
        tidy_backups(&writer, &config.backups, shared.times.wall());
        shared.backups.start(backup::last_rows(&writer)?);
        connection::fold_at_close(&writer, config.checkpoints)?;
        let queue = Arc::new(Queue::new(QUEUE_BYTES));
        let readers = RwLock::new(Some(readers(&config.path)?));
        let writer = NewWriter {
            connection: writer,
            shared: Arc::clone(&shared),
            queue: Arc::clone(&queue),
            handover: config.handover,
            kept,
        };
        let (writer_thread, check) = (Mutex::new(None), Mutex::new(None));
        let (path, backups) = (config.path, config.backups);
        let store = Self { shared, queue, readers, path, backups, writer: writer_thread, check };
        Ok((store, writer))
    }
}

/// What the file keeps of its key, if it does.
pub(super) fn key_check(connection: &Connection) -> Result<Option<Vec<u8>>, OpenError> {
    match migrations::look(connection)? {
        Found::Nothing | Found::Version(0) => Ok(None),
        Found::Version(_) => Ok(meta::get(connection, Meta::KeyCheck)?),
    }
}

/// Schema and key. Looks at both before it writes anything.
fn prepare(writer: &mut Connection, config: &StoreConfig) -> Result<(), OpenError> {
    let vault = &config.vault;
    let (found, check) = (migrations::look(writer)?, key_check(writer)?);
    if check.as_ref().is_some_and(|check| !vault.fits(check)) {
        return Err(OpenError::WrongKey);
    }
    match found {
        Found::Nothing => {
            connection::begin_file(writer)?;
            connection::prepare_writer(writer, config.checkpoints)?;
            migrations::run(writer)?;
        }
        Found::Version(migrations::LATEST) => connection::prepare_writer(writer, config.checkpoints)?,
        Found::Version(version) => upgrade(writer, config, version)?,
    }
    // One that was put in its place by hand, and not by a restore.
    backup::take_key_out(writer)?;
    if check.is_none() {
        meta::set(writer, Meta::KeyCheck, vault.check_value())?;
    }
    Ok(())
}

/// Copies the database as it is, and brings it to the latest version.
fn upgrade(writer: &mut Connection, config: &StoreConfig, version: usize) -> Result<(), OpenError> {
    let (now, kind) = (config.clock.wall().seconds(), format!("before-upgrade-from-{version}-at-"));
    let copy = config.backups.join(format!("{kind}{now}.db"));
    tracing::info!(from = version, to = migrations::LATEST, backup = %copy.display(), "upgrading the database");
    backup::copy(writer, &copy).map_err(OpenError::Copy)?;
    // A server that is started again and again, with an upgrade that fails each time, must not fill the disk with copies.
    // (None goes just because the upgrade fails: a commit may be in the file although the disk said that it failed.)
    backup::forget_older(&config.backups, &kind).map_err(OpenError::Copy)?;
    connection::prepare_writer(writer, config.checkpoints)?;
    migrations::run(writer)
}

fn share(writer: &Connection, config: &StoreConfig) -> Result<Shared, OpenError> {
    let offset = meta::get::<i64>(writer, Meta::SteadyOffset)?.unwrap_or(0);
    let up = meta::get::<i64>(writer, Meta::Uptime)?.unwrap_or(0);
    Ok(Shared {
        directory: Directory::default(),
        keys: Keys::default(),
        sessions: super::sessions::Sessions::default(),
        event_types: EventTypes::default(),
        formats: super::formats::Parsed::default(),
        times: Times::new(Arc::clone(&config.clock), offset, up),
        lookup_key: config.vault.lookup_key(),
        vault: Arc::clone(&config.vault),
        random: Arc::clone(&config.random),
        written_offset: AtomicI64::new(offset),
        trouble: RwLock::new(None),
        damage: RwLock::new(None),
        orphans: Complaints::every(TOLD_EVERY),
        cleanups: Cleanups::default(),
        backups: backup::Backups::default(),
        figures: super::figures::Figures::default(),
    })
}

/// Reads what is kept in memory.
fn load(writer: &Connection, shared: &Shared, checkpoints: bool) -> Result<Kept, OpenError> {
    shared.directory.put_settings(Arc::new(super::settings::read(writer)?));
    shared.keys.replace(super::keys::read_all(writer)?);
    shared.sessions.replace(super::sessions::read_all(writer)?);
    shared.event_types.replace(super::event_types::read_all(writer)?);
    super::routes::fill(writer, shared)?;
    shared.cleanups.doubt().start(meta::get::<i64>(writer, Meta::Mark)?.map(UnixMs));
    let unfilled = Unfilled::load(writer, |tenant, own, key| shared.hashes(tenant, own, key))?;
    let ahead_until = meta::get::<i64>(writer, Meta::AheadUntil)?.unwrap_or(0);
    Ok(Kept {
        last_id: greatest_ids(writer, TABLES_WITH_IDS)?.max(ahead_until),
        unfilled,
        ahead_until,
        bulk: Bulk::load(writer)?,
        checkpoints: checkpoints.then(Checkpoints::default),
        replays: super::replays::unfinished(writer)?,
        deletions: super::tenant_jobs::unfinished(writer)?,
        blankings: super::blanking::unfinished(writer)?,
        other_keys: OtherKeys::load(writer, shared.times.wall(), |tenant, key| shared.key_hash(tenant, key))?,
        fill_all: false,
    })
}

/// Tables whose rows have ids that no later row gets: in whichever it is, the last row has the greatest.
pub(super) const TABLES_WITH_IDS: [&str; 12] = [
    "events",
    "deliveries",
    "endpoints",
    "keys",
    "audit",
    "cleanups",
    "replays",
    "tenant_deletions",
    "operators",
    "sessions",
    "backups",
    "bulk_changes",
];

/// The greatest id in these tables.
pub(super) fn greatest_ids<'a>(
    connection: &Connection,
    tables: impl IntoIterator<Item = &'a str>,
) -> rusqlite::Result<i64> {
    let mut last = 0;
    for table in tables {
        let found: Option<i64> =
            connection.query_row(&format!("SELECT max(id) FROM {table}"), [], |row| row.get(0))?;
        last = last.max(found.unwrap_or(0));
    }
    Ok(last)
}

/// Cleans up after a backup that a kill has cut off. Where that cannot be done, on a full disk for one, the server works
/// all the same.
fn tidy_backups(writer: &Connection, folder: &std::path::Path, now: UnixMs) {
    if let Err(error) = backup::tidy(folder) {
        tracing::warn!(%error, "what is left of a backup could not be removed");
    }
    if let Err(error) = backup::note_cut_off(writer, now) {
        tracing::warn!(%error, "that a backup was cut off could not be written down");
    }
}

/// Keeps from when on which version of the program made requests: their `User-Agent` names it.
fn note_version(writer: &Connection, now: UnixMs) -> rusqlite::Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let last: Option<String> = rusqlite::OptionalExtension::optional(writer.query_row(
        "SELECT version FROM program_versions ORDER BY since_at DESC LIMIT 1",
        [],
        |row| row.get(0),
    ))?;
    if last.as_deref() != Some(version) {
        writer.execute(
            "INSERT OR REPLACE INTO program_versions (since_at, version) VALUES (?1, ?2)",
            rusqlite::params![now.0, version],
        )?;
    }
    Ok(())
}

fn readers(path: &std::path::Path) -> Result<r2d2::Pool<SqliteConnectionManager>, OpenError> {
    let manager = SqliteConnectionManager::file(path)
        .with_flags(connection::reader_flags())
        .with_init(connection::open_reader);
    Ok(r2d2::Pool::builder()
        .max_size(READERS)
        // Opened when they are needed: an idle server has none.
        .min_idle(Some(0))
        .test_on_check_out(false)
        .connection_timeout(READER_WAIT)
        .build(manager)
        .map_err(StoreError::from)?)
}
