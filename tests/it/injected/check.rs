//! What a file must be after whatever has happened to its disk.

use std::path::Path;

use rusqlite::Connection;

/// The database is sound; it, for more questions.
#[track_caller]
pub(super) fn integrity(data: &Path) -> Connection {
    let database = Connection::open(data.join("postrider.db")).expect("a database");
    let checked: String =
        database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("an answer");
    assert_eq!(checked, "ok");
    assert_eq!(number(&database, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    database
}

/// The answer to a question that is a number.
#[track_caller]
pub(super) fn number(database: &Connection, sql: &str) -> i64 {
    database.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
}
