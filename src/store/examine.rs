//! A look at the file from outside, for `postrider doctor`: also while a server has it open, and also while none has.
//! It reads and writes nothing, not even what SQLite puts beside a file that is read.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use crate::clock::Stopwatch;
use crate::domain::delivery::State;
use crate::domain::growth::Sample;
use crate::domain::settings::Settings;
use crate::domain::time::UnixMs;

use super::connection;
use super::cut_off;
use super::meta::{self, Meta};
use super::migrations::{self, Found, LATEST};
use super::open::{self, OpenError};
use super::settings;
use super::vault::Vault;

/// Steps of SQLite between two looks at the time.
const STEPS: i32 = 10_000;
/// Damages that are told.
const TOLD: usize = 5;
/// So many rows are counted; one more says that there are more.
pub const COUNTED: i64 = 10_000;

/// What was found.
#[derive(Debug, Clone)]
pub struct Examined {
    /// Bytes of the file, and those of its free pages.
    pub bytes: (u64, u64),
    /// The wall clock when the server last noted it, hourly.
    pub mark: Option<UnixMs>,
    /// When a server has opened it for the first time.
    pub first_used: Option<UnixMs>,
    /// Sizes that were noted, a day each, the oldest first.
    pub sizes: Vec<Sample>,
    /// The settings in force.
    pub settings: Settings,
    /// Counts of what waits and of what needs a hand.
    pub counts: Counts,
    /// The statements that make the schema.
    pub schema: Vec<String>,
}

/// How many there are, counted to [`COUNTED`] where it could be many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tenants.
    pub tenants: i64,
    /// Endpoints that are not deleted.
    pub endpoints: i64,
    /// Those that receive and fail.
    pub failing: i64,
    /// Those that do not receive, because they failed or are gone.
    pub disabled: i64,
    /// Those that somebody disabled.
    pub disabled_by_hand: i64,
    /// Deliveries that are held because of a disabled endpoint.
    pub held: i64,
    /// When the oldest of all that is held was made.
    pub oldest_held: Option<UnixMs>,
    /// Deliveries that a restore holds back.
    pub restored: i64,
    /// Deliveries that wait for an attempt.
    pub pending: i64,
    /// Those that were made more than an hour ago.
    pub pending_older: i64,
    /// When the oldest of them was made.
    pub oldest_pending: Option<UnixMs>,
    /// Operators who may sign in.
    pub operators: i64,
    /// API keys.
    pub keys: i64,
}

/// How a check of the whole file has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Soundness {
    /// Nothing is wrong.
    Sound,
    /// This is.
    Damaged(Vec<String>),
    /// It would have taken longer.
    TooLong,
}

/// A file that is only looked at.
pub struct Examination {
    connection: Connection,
}

impl Examination {
    /// Whether a server has ended without closing the file: then only a server that starts can make of it, and of the
    /// WAL beside it, what they are.
    pub fn was_cut_off(path: &Path) -> bool {
        cut_off::wal(path).is_some()
    }

    /// Opens the file. `served`: a server has it open.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn of(path: &Path, served: bool) -> Result<Self, OpenError> {
        let mut connection = if served {
            Connection::open_with_flags(path, connection::reader_flags())?
        } else {
            // Nothing is written beside a file that does not change while it is read.
            let flags = connection::reader_flags() | OpenFlags::SQLITE_OPEN_URI;
            let name =
                url::Url::from_file_path(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
            let name = name.map_err(|()| OpenError::NotOurs("its path cannot be a URL".to_owned()))?;
            Connection::open_with_flags(format!("{name}?mode=ro&immutable=1"), flags)?
        };
        connection::open_reader(&mut connection)?;
        Ok(Self { connection })
    }

    /// The version of the schema, and the one that this program writes. Only where they are the same the rest can be
    /// read.
    ///
    /// # Errors
    /// The file is damaged, of another program or of a newer version, or holds nothing yet.
    pub fn version(&self) -> Result<(usize, usize), OpenError> {
        match migrations::look(&self.connection)? {
            Found::Nothing => Err(OpenError::NotOurs("the file holds no database yet".to_owned())),
            Found::Version(version) => Ok((version, LATEST)),
        }
    }

    /// Whether the file was made with this key of `secret.key`. One that keeps no secret yet takes any.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn fits(&self, key: [u8; 32]) -> Result<bool, OpenError> {
        let check = open::key_check(&self.connection)?;
        Ok(check.is_none_or(|check| Vault::new(key).fits(&check)))
    }

    /// Everything but the check of the whole file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn examine(&self, now: UnixMs) -> Result<Examined, OpenError> {
        let (bytes, free) = super::space::pages(&self.connection)?;
        let settings = settings::read(&self.connection)?;
        Ok(Examined {
            bytes: (bytes.unsigned_abs(), free.unsigned_abs()),
            mark: meta::get::<i64>(&self.connection, Meta::Mark)?.map(UnixMs),
            first_used: self.first_used()?,
            sizes: super::space::daily_sizes(&self.connection)?,
            counts: self.counts(&settings, now)?,
            settings,
            schema: self.schema()?,
        })
    }

    /// Reads the whole file, for at most so long.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn check(&self, longest: Duration) -> Result<Soundness, OpenError> {
        let watch = Stopwatch::start();
        self.connection.progress_handler(STEPS, Some(move || watch.left(longest).is_zero()))?;
        let checked = self.quick_check();
        self.connection.progress_handler(STEPS, None::<fn() -> bool>)?;
        match checked {
            Ok(found) if found.is_empty() => Ok(Soundness::Sound),
            Ok(found) => Ok(Soundness::Damaged(found)),
            Err(error) => match error.sqlite_error_code() {
                Some(ErrorCode::OperationInterrupted) => Ok(Soundness::TooLong),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                    Ok(Soundness::Damaged(vec![error.to_string()]))
                }
                _ => Err(error.into()),
            },
        }
    }

    fn quick_check(&self) -> rusqlite::Result<Vec<String>> {
        let mut statement = self.connection.prepare(&format!("PRAGMA quick_check({TOLD})"))?;
        let lines: Vec<String> =
            statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }

    fn number(&self, sql: &str, params: &[i64]) -> rusqlite::Result<i64> {
        self.connection.query_row(sql, rusqlite::params_from_iter(params), |row| row.get(0))
    }

    fn first_used(&self) -> rusqlite::Result<Option<UnixMs>> {
        let first = self
            .connection
            .query_row("SELECT min(since_at) FROM program_versions", [], |row| row.get::<_, Option<i64>>(0));
        Ok(first?.map(UnixMs))
    }

    fn counts(&self, settings: &Settings, now: UnixMs) -> rusqlite::Result<Counts> {
        let most = COUNTED + 1;
        let failing_after = i64::from(settings.failing_after_failures);
        let rare = |state: State| {
            self.number(
                "SELECT count(*) FROM (SELECT 1 FROM deliveries INDEXED BY deliveries_rare
                 WHERE state = ?1 AND state >= 2 LIMIT ?2)",
                &[state as i64, most],
            )
        };
        let ready = self.number(
            "SELECT count(*) FROM (SELECT 1 FROM deliveries INDEXED BY deliveries_ready
             WHERE endpoint_id > 0 AND state = 0 LIMIT ?1)",
            &[most],
        )?;
        let restored = self.number(
            "SELECT count(*) FROM (SELECT 1 FROM deliveries INDEXED BY deliveries_rare
             WHERE state = 3 AND state >= 2 AND held_reason = 2 LIMIT ?1)",
            &[most],
        );
        let disabled = |by_hand: i64| {
            self.number(
                "SELECT count(*) FROM endpoints INDEXED BY endpoints_live
                 WHERE deleted_at IS NULL AND enabled = 0 AND (disabled_reason = 'manual') = ?1",
                &[by_hand],
            )
        };
        let (pending_older, oldest) = self.older(now.0 - 3_600_000, most)?;
        Ok(Counts {
            tenants: self.number("SELECT count(*) FROM tenants", &[])?,
            endpoints: self.number(
                "SELECT count(*) FROM endpoints INDEXED BY endpoints_live WHERE deleted_at IS NULL",
                &[],
            )?,
            failing: self.number(
                "SELECT count(*) FROM endpoints AS e JOIN endpoint_health AS h ON h.endpoint_id = e.id
                 WHERE e.deleted_at IS NULL AND e.enabled = 1
                   AND (h.exhausted = 1 OR (?1 > 0 AND h.failure_count >= ?1))",
                &[failing_after],
            )?,
            disabled: disabled(0)?,
            disabled_by_hand: disabled(1)?,
            held: rare(State::Held)? - restored.as_ref().copied().unwrap_or_default(),
            oldest_held: self.oldest_held()?.map(UnixMs),
            restored: restored?,
            pending: ready + rare(State::Waiting)?,
            pending_older,
            oldest_pending: oldest.map(UnixMs),
            operators: self.number("SELECT count(*) FROM operators WHERE active = 1", &[])?,
            keys: self.number("SELECT count(*) FROM keys", &[])?,
        })
    }

    fn oldest_held(&self) -> rusqlite::Result<Option<i64>> {
        let mut statement = self.connection.prepare(
            "SELECT created_at FROM deliveries INDEXED BY deliveries_rare WHERE state = 3 AND state >= 2
             ORDER BY id LIMIT 1",
        )?;
        statement.query_row([], |row| row.get(0)).optional()
    }

    /// Deliveries that wait and were made before `made_before`, and when the oldest was made.
    fn older(&self, made_before: i64, most: i64) -> rusqlite::Result<(i64, Option<i64>)> {
        let mut statement = self.connection.prepare(
            "SELECT count(*), min(created_at) FROM (
                 SELECT created_at FROM deliveries INDEXED BY deliveries_rare
                 WHERE state = 2 AND state >= 2 AND created_at < ?1
                 UNION ALL
                 SELECT created_at FROM deliveries INDEXED BY deliveries_ready
                 WHERE endpoint_id > 0 AND state = 0 AND created_at < ?1
                 LIMIT ?2)",
        )?;
        statement.query_row([made_before, most], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn schema(&self) -> rusqlite::Result<Vec<String>> {
        let mut statement = self
            .connection
            .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type DESC, name")?;
        statement.query_map([], |row| row.get(0))?.collect()
    }
}

/// The version of the SQLite inside.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}
