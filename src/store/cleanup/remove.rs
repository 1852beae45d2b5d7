//! Removing a delivery or an event with all that leads to it.

use super::super::tx::Tx;

/// Removes a delivery, its attempts, and it from the list indexes. How many attempts there were.
pub(in crate::store) fn delivery(
    tx: &Tx<'_>,
    id: i64,
    endpoint: i64,
    tenant: i64,
) -> rusqlite::Result<usize> {
    let run = |sql: &str, params: &[i64]| {
        tx.connection().prepare_cached(sql)?.execute(rusqlite::params_from_iter(params))
    };
    let attempts = run("DELETE FROM attempts WHERE delivery_id = ?1", &[id])?;
    run("DELETE FROM endpoint_deliveries WHERE endpoint_id = ?1 AND delivery_id = ?2", &[endpoint, id])?;
    run("DELETE FROM tenant_deliveries WHERE tenant_id = ?1 AND delivery_id = ?2", &[tenant, id])?;
    run("DELETE FROM deliveries WHERE id = ?1", &[id])?;
    Ok(attempts)
}

/// Removes an event, and it from the list index and the look-up.
pub(in crate::store) fn event(
    tx: &Tx<'_>,
    id: i64,
    tenant: i64,
    own: Option<&str>,
    key: Option<&str>,
) -> rusqlite::Result<()> {
    for hash in tx.shared().hashes(tenant, own, key) {
        tx.connection()
            .prepare_cached("DELETE FROM event_keys WHERE hash = ?1 AND event_id = ?2")?
            .execute([hash, id])?;
    }
    tx.connection()
        .prepare_cached("DELETE FROM tenant_events WHERE tenant_id = ?1 AND event_id = ?2")?
        .execute([tenant, id])?;
    tx.connection().prepare_cached("DELETE FROM events WHERE id = ?1")?.execute([id])?;
    Ok(())
}
