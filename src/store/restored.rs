//! What a restore holds back, until a person says what becomes of it.

use crate::domain::ids::EndpointId;

use super::bulk::BulkKind;
use super::error::StoreError;
use super::tx::Tx;

impl Tx<'_> {
    /// Delivers (in a new round each) or cancels what a restore holds back of an endpoint; what comes free of one that
    /// is disabled is held as everything else of it. In turns, as all changes to many rows. `false`: nothing is held of
    /// it, or it was deleted.
    pub fn release_restored(&mut self, endpoint: EndpointId, deliver: bool) -> Result<bool, StoreError> {
        let Some(route) = self.route(endpoint) else { return Ok(false) };
        // For whatever reason: to look for those of a restore may take long, and the turns do.
        let held: bool = self
            .connection()
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_rare_by_endpoint
                 WHERE endpoint_id = ?1 AND state = 3 AND state >= 2)",
            )?
            .query_row([endpoint.0], |row| row.get(0))?;
        if !held {
            return Ok(false);
        }
        self.start_bulk(
            endpoint,
            if deliver { BulkKind::ReleaseRestored } else { BulkKind::DiscardRestored },
        )?;
        if deliver && !route.enabled {
            self.start_bulk(endpoint, BulkKind::Hold)?;
        }
        Ok(true)
    }
}
