//! Reading the file: what the tables' files hang their queries on.

use std::sync::Arc;

use rusqlite::Connection;

use crate::domain::settings::Settings;

use super::Shared;

/// Rows that a page of a list examines at most, so that a page costs the same however rare its filter is.
pub const EXAMINED: usize = 10_000;

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

    pub(super) fn connection(&self) -> &'a Connection {
        self.connection
    }

    pub(super) fn shared(&self) -> &'a Shared {
        self.shared
    }

    /// The settings in force.
    pub fn settings(&self) -> Arc<Settings> {
        self.shared.directory.settings()
    }
}

/// A page of a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the next page starts: below this id. `None`: this was the end.
    pub next: Option<i64>,
}
