//! What of an event that was just sent waits until its endpoint is enabled.

use crate::domain::delivery::State;
use crate::domain::names::TenantName;
use crate::service::TenantScope;
use crate::web::problem::Problem;
use crate::web::state::AppState;

/// Deliveries that are looked at; where more were made, no more of them are told of.
const LOOKED_AT: usize = 250;

/// `told`, and how many of the newest `made` deliveries of the event are held.
pub(super) async fn with_held(
    told: String,
    state: &AppState,
    scope: TenantScope,
    (id, tenant): (String, Option<TenantName>),
    made: usize,
) -> String {
    if made == 0 {
        return told;
    }
    let newest = state.read(move |service| {
        service.deliveries_of_event(&scope, &id, tenant.as_ref(), None, made.min(LOOKED_AT))
    });
    let held = match newest.await {
        Ok(newest) => newest.rows.iter().filter(|row| row.state == State::Held).count(),
        Err(Problem(error)) => {
            // The event is on disk: that it was sent has to be said.
            tracing::warn!(%error, "what of an event is held could not be read");
            0
        }
    };
    match held {
        0 => told,
        1 => format!("{told} 1 delivery is held, because its endpoint is disabled."),
        _ => format!("{told} {held} deliveries are held, because their endpoints are disabled."),
    }
}
