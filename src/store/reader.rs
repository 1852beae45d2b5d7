//! Reading the file: what the tables' files hang their queries on.

use std::sync::Arc;

use rusqlite::Connection;

use crate::domain::settings::Settings;

use super::Shared;
use super::times::Times;

/// What a page of a list may spend on rows that it examines, so that it costs the same however rare its filter is: a
/// row that follows the one before it costs 1, one that lies anywhere [`SCATTERED`]. That is 4 to 5 ms in a file of
/// ten million deliveries, where the rows of an endpoint, with their events and attempts, are pages of their own.
pub const EXAMINED: usize = 4_000;
/// What a row costs that an index leads to.
pub const SCATTERED: usize = 4;

/// A view of the file. Between [`super::Store::read`]'s brackets it does not change.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    connection: &'a Connection,
    shared: &'a Shared,
}

impl<'a> Reader<'a> {
    pub(super) fn new(connection: &'a Connection, shared: &'a Shared) -> Self {
        Self { connection, shared }
    }

    /// How many rows a query brings, which has a limit.
    pub(super) fn count_up_to(&self, sql: &str, params: &[i64]) -> rusqlite::Result<i64> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        let mut count = 0;
        while rows.next()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    pub(super) fn connection(&self) -> &'a Connection {
        self.connection
    }

    pub(super) fn shared(&self) -> &'a Shared {
        self.shared
    }

    /// The scales of time.
    pub fn times(&self) -> &'a Times {
        &self.shared.times
    }

    /// The settings in force.
    pub fn settings(&self) -> Arc<Settings> {
        self.shared.directory.settings()
    }
}

/// A page of a list, newest first where it is not said otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T, N = i64> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the next page starts: behind the row with this id, or what else the list is in order of. `None`: this was
    /// the end.
    pub next: Option<N>,
}
