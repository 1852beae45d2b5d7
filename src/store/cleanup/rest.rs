//! The last steps of a cleanup: what shaped requests of which none is kept any more, and what has run out.

use rusqlite::{OptionalExtension, params};

use super::super::error::StoreError;
use super::super::tx::Tx;
use super::steps::{Done, LIMIT, LOOKED_AT, Step};

/// Removes replaced revisions, of endpoints and of formats, that no attempt of a delivery can refer to, and secrets,
/// sessions and one-time links that have ended.
pub(super) fn revisions(tx: &Tx<'_>) -> Result<Done, StoreError> {
    let oldest: Option<i64> =
        tx.connection().query_row("SELECT min(id) FROM deliveries", [], |row| row.get(0))?;
    let deleted = tx
        .connection()
        .prepare_cached(
            "DELETE FROM endpoint_revisions WHERE (endpoint_id, revision) IN
                 (SELECT endpoint_id, revision FROM endpoint_revisions INDEXED BY endpoint_revisions_replaced
                  WHERE replaced_after IS NOT NULL AND replaced_after < ?1 LIMIT ?2)",
        )?
        .execute(params![oldest.unwrap_or(i64::MAX), LIMIT])?;
    let formats = tx
        .connection()
        .prepare_cached(
            "DELETE FROM formats WHERE (name, revision) IN
                 (SELECT name, revision FROM formats INDEXED BY formats_replaced
                  WHERE replaced_after IS NOT NULL AND replaced_after < ?1 LIMIT ?2)",
        )?
        .execute(params![oldest.unwrap_or(i64::MAX), LIMIT])?;
    let secrets = tx
        .connection()
        .prepare_cached(
            "DELETE FROM endpoint_secrets WHERE (endpoint_id, version) IN
                 (SELECT endpoint_id, version FROM endpoint_secrets INDEXED BY endpoint_secrets_ending
                  WHERE expires_at IS NOT NULL AND expires_at <= ?1 LIMIT ?2)",
        )?
        .execute(params![tx.now.0, LIMIT])?;
    let deleted = deleted.max(formats).max(secrets).max(ended_access(tx)?);
    Ok(Done::go_on(if deleted < LOOKED_AT { Step::Endpoints(0) } else { Step::Revisions }))
}

/// Removes sessions that have ended and links that are too old: as many as there were of the table with most. In memory
/// they count as ended already.
fn ended_access(tx: &Tx<'_>) -> Result<usize, StoreError> {
    let run = |sql: &str| tx.connection().prepare_cached(sql)?.execute(params![tx.now.0, LIMIT]);
    let sessions = run("DELETE FROM sessions WHERE id IN
             (SELECT id FROM sessions INDEXED BY sessions_ending WHERE ends_at <= ?1 LIMIT ?2)")?;
    let links = run("DELETE FROM links WHERE hash IN
             (SELECT hash FROM links INDEXED BY links_ending WHERE expires_at <= ?1 LIMIT ?2)")?;
    Ok(sessions.max(links))
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
