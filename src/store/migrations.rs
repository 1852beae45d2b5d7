//! The schema's versions. A released migration is never edited; a change is a new file and a new line here.

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use super::connection::APPLICATION_ID;
use super::error::StoreError;
use super::open::OpenError;

const STEPS: &[M<'static>] = &[
    M::up(include_str!("migrations/0001_initial.sql")),
    M::up(include_str!("migrations/0002_formats.sql")),
    M::up(include_str!("migrations/0003_catalogue.sql")),
    M::up(include_str!("migrations/0004_replays.sql")),
    M::up(include_str!("migrations/0005_tenant_jobs.sql")),
    M::up(include_str!("migrations/0006_stats.sql")),
    M::up(include_str!("migrations/0007_operators.sql")),
    M::up(include_str!("migrations/0008_seen.sql")),
    M::up(include_str!("migrations/0009_audit_blanked.sql")),
    M::up(include_str!("migrations/0010_blankings.sql")),
    M::up(include_str!("migrations/0011_backups.sql")),
    M::up(include_str!("migrations/0012_alerts.sql")),
];

/// The version that this program writes.
pub(super) const LATEST: usize = STEPS.len();

/// What the file is, judged before anything is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// An empty file.
    Nothing,
    /// A database of ours at this version.
    Version(usize),
}

/// Looks at the file without changing it.
///
/// # Errors
/// A sentence when it belongs to another program, or to a newer Postrider.
pub(super) fn look(connection: &Connection) -> Result<Found, OpenError> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let version = number("user_version")?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 && version == 0 {
        return Ok(Found::Nothing);
    }
    if number("application_id")? != i64::from(APPLICATION_ID) {
        return Err(OpenError::NotOurs(
            "the file is an SQLite database of another program; name another data directory".to_owned(),
        ));
    }
    match usize::try_from(version) {
        Ok(version) if version <= LATEST => Ok(Found::Version(version)),
        _ => Err(OpenError::NotOurs(format!(
            "the database is of version {version}, made by a newer Postrider; this one knows up to {LATEST}: \
             start the newer program, or restore a backup"
        ))),
    }
}

/// Brings the schema to the latest version, in one transaction: if a step fails, the file stays as it was.
pub(super) fn run(connection: &mut Connection) -> Result<(), OpenError> {
    run_steps(connection, STEPS)
}

fn run_steps(connection: &mut Connection, steps: &[M<'_>]) -> Result<(), OpenError> {
    Migrations::from_slice(steps).to_latest(connection).map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => OpenError::File(err),
        other => StoreError::Internal(format!("the database could not be upgraded: {other}")).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_is_valid() {
        Migrations::from_slice(STEPS).validate().unwrap();
    }

    #[test]
    fn an_upgrade_of_which_a_step_fails_leaves_the_file_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let mut connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        run_steps(&mut connection, &STEPS[..4]).unwrap();
        let text = |connection: &Connection| -> String {
            let sql = "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY name)";
            connection.query_row(sql, [], |row| row.get(0)).unwrap()
        };
        let (before, bytes) = (text(&connection), std::fs::read(&path).unwrap());
        let mut steps = STEPS.to_vec();
        steps.push(M::up("CREATE TABLE of_tomorrow (x INTEGER) STRICT; UPDATE nothing SET x = 1"));
        let error = run_steps(&mut connection, &steps).unwrap_err().to_string();
        assert!(error.contains("nothing"), "{error}");
        assert_eq!((text(&connection), look(&connection).unwrap()), (before, Found::Version(4)));
        drop(connection);
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "not a byte of it");
    }

    #[test]
    fn a_file_of_another_program_or_of_a_newer_version_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        assert_eq!(look(&connection).unwrap(), Found::Nothing);
        connection.execute_batch("CREATE TABLE t (x)").unwrap();
        assert!(look(&connection).unwrap_err().to_string().contains("another program"));
        connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        assert!(look(&connection).unwrap_err().to_string().contains("newer Postrider"));
    }
}
