//! The last steps of a cleanup: what shaped requests of which none is kept any more, and what has run out.

use rusqlite::OptionalExtension;

use super::super::error::StoreError;
use super::super::tx::Tx;
use super::steps::{Done, LIMIT, LOOKED_AT, Step};

/// Removes what shaped requests and is over: replaced revisions, of endpoints and of formats, that no attempt of a
/// delivery can refer to, and secrets that have ended. And sessions and one-time links that have run out: in memory they
/// count as ended already.
pub(super) fn shapes(tx: &Tx<'_>) -> Result<Done, StoreError> {
    let oldest: Option<i64> =
        tx.connection().query_row("SELECT min(id) FROM deliveries", [], |row| row.get(0))?;
    let oldest = oldest.unwrap_or(i64::MAX);
    let replaced = "replaced_after IS NOT NULL AND replaced_after < ?1";
    let ended = "expires_at IS NOT NULL AND expires_at <= ?1";
    let mut more = false;
    for (table, key, index, over, before) in [
        ("endpoint_revisions", "endpoint_id, revision", "endpoint_revisions_replaced", replaced, oldest),
        ("formats", "name, revision", "formats_replaced", replaced, oldest),
        ("endpoint_secrets", "endpoint_id, version", "endpoint_secrets_ending", ended, tx.now.0),
        ("sessions", "id", "sessions_ending", "ends_at <= ?1", tx.now.0),
        ("links", "hash", "links_ending", "expires_at <= ?1", tx.now.0),
    ] {
        let sql = format!(
            "DELETE FROM {table} WHERE ({key}) IN
                 (SELECT {key} FROM {table} INDEXED BY {index} WHERE {over} LIMIT ?2)"
        );
        more |= tx.connection().prepare_cached(&sql)?.execute([before, LIMIT])? == LOOKED_AT;
    }
    Ok(Done::go_on(if more { Step::Shapes } else { Step::Endpoints(0) }))
}

/// Removes a deleted endpoint once no delivery refers to it.
pub(super) fn endpoints(tx: &Tx<'_>, after: i64) -> Result<Done, StoreError> {
    let found: Option<i64> = tx
        .connection()
        .prepare_cached(
            "SELECT id FROM endpoints INDEXED BY endpoints_deleted
             WHERE deleted_at IS NOT NULL AND id > ?1 ORDER BY id LIMIT 1",
        )?
        .query_row([after], |row| row.get(0))
        .optional()?;
    let Some(id) = found else { return Ok(Done::go_on(Step::Vacuum)) };
    let used: bool = tx
        .connection()
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM endpoint_deliveries WHERE endpoint_id = ?1)
                 OR EXISTS (SELECT 1 FROM bulk_changes WHERE endpoint_id = ?1)",
        )?
        .query_row([id], |row| row.get(0))?;
    if !used && !tx.kept.unfilled.concerns(id) {
        for table in ["endpoint_revisions", "endpoint_secrets", "endpoint_health"] {
            tx.connection()
                .prepare_cached(&format!("DELETE FROM {table} WHERE endpoint_id = ?1"))?
                .execute([id])?;
        }
        tx.connection().prepare_cached("DELETE FROM endpoints WHERE id = ?1")?.execute([id])?;
    }
    Ok(Done::go_on(Step::Endpoints(id)))
}
