//! What a restore holds back: deliveries that were pending in the backup, and may have been sent since it was made.

use crate::domain::ids::EndpointId;

use super::bulk_kind::BulkKind;
use super::error::StoreError;
use super::tx::Tx;

impl Tx<'_> {
    /// Says what becomes of the deliveries of an endpoint that a restore holds back: a new round for each, or none.
    /// At a disabled endpoint they wait for that instead. `false`: nothing of it is held.
    pub fn release_restored(&mut self, endpoint: EndpointId, deliver: bool) -> Result<bool, StoreError> {
        let Some(route) = self.route(endpoint) else { return Ok(false) };
        let held = self.count_up_to(
            "SELECT 1 FROM deliveries INDEXED BY deliveries_rare_by_endpoint
             WHERE endpoint_id = ?1 AND state = ?2 AND state >= 2 LIMIT 1",
            &[endpoint.0, crate::domain::delivery::State::Held as i64],
        )?;
        if held == 0 {
            return Ok(false);
        }
        let kind = match (deliver, route.enabled) {
            (false, _) => BulkKind::DiscardRestored,
            (true, true) => BulkKind::ReleaseRestored,
            (true, false) => BulkKind::HoldRestored,
        };
        self.start_bulk(endpoint, kind)?;
        Ok(true)
    }
}
