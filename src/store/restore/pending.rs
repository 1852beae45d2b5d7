//! What was pending in a file that is restored.

use rusqlite::{Connection, params};

use crate::domain::time::UnixMs;
use crate::store::bulk_kind::BulkKind;

use super::{count as as_count, has_table};

/// What becomes of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pending {
    /// It is held until a person says what becomes of it: what was sent since the file was copied is not known.
    #[default]
    Hold,
    /// It is sent, perhaps for the second time.
    Send,
}

/// How many deliveries are pending.
pub(super) fn count(file: &Connection) -> rusqlite::Result<u64> {
    let one = |sql: &str| file.query_row(sql, [], |row| row.get::<_, i64>(0));
    let ready = one("SELECT count(*) FROM deliveries WHERE state = 0")?;
    let waiting = one("SELECT count(*) FROM deliveries WHERE state = 2 AND state >= 2")?;
    Ok((ready + waiting).unsigned_abs())
}

/// Holds all that is pending, and what is about to be by a change to many rows that is not finished. How many.
pub(super) fn hold(file: &Connection) -> rusqlite::Result<u64> {
    finish_changes(file)?;
    let hold = "UPDATE deliveries SET state = 3, held_reason = 2, due_at = NULL WHERE";
    let ready = file.execute(&format!("{hold} state = 0"), [])?;
    let waiting = file.execute(&format!("{hold} state = 2 AND state >= 2"), [])?;
    Ok(as_count(ready + waiting))
}

/// Cancels replays that are under way: they would make deliveries that are sent.
pub(super) fn cancel_replays(file: &Connection, now: UnixMs) -> rusqlite::Result<u64> {
    if !has_table(file, "replays")? {
        return Ok(0);
    }
    let sql = "UPDATE replays SET canceled = 'canceled, because a backup was restored', ended_at = ?1
               WHERE ended_at IS NULL AND dry_run = 0";
    file.execute(sql, [now.0]).map(as_count)
}

/// Does at once what the server does in turns (`bulk.rs`), in the order in which it was decided.
fn finish_changes(file: &Connection) -> rusqlite::Result<()> {
    let mut statement =
        file.prepare("SELECT endpoint_id, kind, done_to, up_to FROM bulk_changes ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let word: String = row.get(1)?;
        let kind = BulkKind::from_word(&word).ok_or(rusqlite::Error::InvalidQuery)?;
        let (endpoint, done_to, up_to): (i64, i64, i64) = (row.get(0)?, row.get(2)?, row.get(3)?);
        let sql = format!(
            "UPDATE deliveries SET {} WHERE endpoint_id = ?1 AND id > ?2 AND id <= ?3 AND {}",
            becomes(kind),
            concerned(kind)
        );
        file.execute(&sql, params![endpoint, done_to, up_to])?;
    }
    drop(rows);
    drop(statement);
    file.execute("DELETE FROM bulk_changes", []).map(drop)
}

/// What a row becomes: as `bulk.rs` has it.
fn becomes(kind: BulkKind) -> &'static str {
    match kind {
        BulkKind::Release | BulkKind::ReleaseRestored => {
            "state = 0, held_reason = NULL, due_at = NULL, own_trouble = NULL, round = round + 1, round_attempts = 0"
        }
        BulkKind::Hold | BulkKind::HoldRestored => "state = 3, held_reason = 1, due_at = NULL",
        BulkKind::Cancel | BulkKind::Discard | BulkKind::DiscardRestored => {
            "state = 5, held_reason = NULL, due_at = NULL"
        }
    }
}

/// Which rows: as [`BulkKind::target`] has it.
fn concerned(kind: BulkKind) -> &'static str {
    match kind {
        BulkKind::ReleaseRestored | BulkKind::HoldRestored | BulkKind::DiscardRestored => {
            "state = 3 AND held_reason = 2"
        }
        BulkKind::Hold => "state IN (0, 2)",
        BulkKind::Cancel => "state IN (0, 2, 3)",
        BulkKind::Release | BulkKind::Discard => "state IN (0, 2, 3) AND held_reason IS NOT 2",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::{HeldReason, State};

    /// Every state, held for either reason.
    const ROWS: [(State, Option<HeldReason>); 7] = [
        (State::Ready, None),
        (State::Delivered, None),
        (State::Waiting, None),
        (State::Held, Some(HeldReason::EndpointDisabled)),
        (State::Held, Some(HeldReason::Restored)),
        (State::Failed, None),
        (State::Canceled, None),
    ];

    #[test]
    fn a_change_that_is_finished_here_does_to_each_row_what_its_turns_would_do() {
        for kind in BulkKind::ALL {
            let file = Connection::open_in_memory().unwrap();
            file.execute_batch(
                "CREATE TABLE deliveries (id INTEGER PRIMARY KEY, endpoint_id, state, held_reason, due_at, own_trouble,
                     round DEFAULT 1, round_attempts DEFAULT 3);
                 CREATE TABLE bulk_changes (id, endpoint_id, kind, up_to, done_to)",
            )
            .unwrap();
            for (id, (state, held)) in (1_i64..).zip(ROWS) {
                let values = params![id, state as i64, held.map(|held| held as i64)];
                let sql =
                    "INSERT INTO deliveries (id, endpoint_id, state, held_reason) VALUES (?1, 1, ?2, ?3)";
                file.execute(sql, values).unwrap();
            }
            file.execute("INSERT INTO bulk_changes VALUES (1, 1, ?1, 100, 0)", [kind.word()]).unwrap();
            finish_changes(&file).unwrap();
            for (id, (state, held)) in (1_i64..).zip(ROWS) {
                let expected = kind.target(state, held).unwrap_or(state);
                let sql = "SELECT state, round FROM deliveries WHERE id = ?1";
                let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
                let found = file.query_row(sql, [id], read).unwrap();
                let round = if kind.target(state, held) == Some(State::Ready) { 2 } else { 1 };
                assert_eq!(found, (expected as i64, round), "{kind:?} of {state:?} {held:?}");
            }
        }
    }
}
