//! What SQLite really runs: the text of every statement, and how many rows they brought.

use std::cell::RefCell;

use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use crate::store::{Reader, StoreError};

use super::house::House;

/// What ran on this thread while it was traced.
#[derive(Debug, Default, Clone)]
pub(super) struct Ran {
    pub(super) statements: Vec<String>,
    pub(super) rows: usize,
}

thread_local! {
    static RAN: RefCell<Ran> = RefCell::default();
}

fn note(event: TraceEvent<'_>) {
    RAN.with_borrow_mut(|ran| match event {
        // The hook of a trigger passes a comment instead of a statement.
        TraceEvent::Stmt(statement, text) if !text.starts_with("--") => {
            ran.statements.push(statement.sql().into_owned());
        }
        TraceEvent::Row(_) => ran.rows += 1,
        _ => {}
    });
}

/// Traces a connection from now on; see [`taken`].
pub(super) fn trace(connection: &Connection) {
    let codes = TraceEventCodes::SQLITE_TRACE_STMT | TraceEventCodes::SQLITE_TRACE_ROW;
    connection.trace_v2(codes, Some(note));
}

/// What ran on this thread since the last call.
pub(super) fn taken() -> Ran {
    RAN.with_borrow_mut(std::mem::take)
}

impl House {
    /// Reads, and tells what ran.
    pub(super) fn traced<T>(&self, work: impl FnOnce(&Reader<'_>) -> Result<T, StoreError>) -> (T, Ran) {
        taken();
        let value = self.read(|reader| {
            trace(reader.connection());
            let value = work(reader);
            reader.connection().trace_v2(TraceEventCodes::empty(), None);
            value
        });
        (value, taken())
    }
}
