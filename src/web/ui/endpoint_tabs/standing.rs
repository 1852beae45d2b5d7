//! Why an endpoint is disabled, and when it will be.

use crate::domain::delivery::{HeldReason, StatusFilter};
use crate::domain::matching::Pattern;
use crate::domain::settings::Settings;
use crate::domain::time::UnixMs;
use crate::service::audit::AuditQuery;
use crate::service::deliveries::DeliveryQuery;
use crate::service::endpoints::EndpointDetail;
use crate::service::{Error, Service, TenantScope, ViewScope};
use crate::store::lists::Span;
use crate::web::ui::amounts;
use crate::web::ui::moments::Zone;

/// When failures will disable an endpoint of which nothing is foreseen more exactly: at the earliest, else by the settings.
pub(super) fn forecast(detail: &EndpointDetail, settings: &Settings, zone: &Zone) -> String {
    let (failures, hours) = (settings.disable_after_failures, settings.disable_after_hours);
    let rule = rule(failures, hours);
    let Some(at) = detail.earliest_disable_at else { return rule };
    let so_far = detail.endpoint.failure_count;
    let missing = if so_far < failures {
        format!(", and not before {failures} in a row have failed")
    } else {
        String::new()
    };
    format!("If none succeeds until then, it is disabled at the earliest at {}{missing}.", zone.typed(at))
}

/// When failures disable an endpoint ([`crate::domain::health::Health::should_disable`]), as a sentence.
fn rule(failures: u32, hours: u32) -> String {
    let failed = amounts::some(failures, "attempt in a row has", "attempts in a row have");
    let since = amounts::some(hours, "hour", "hours");
    match (failures, hours) {
        (0, 0) => "The settings disable no endpoint because it fails.".to_owned(),
        (_, 0) => format!("It is disabled when {failed} failed."),
        (0, _) => format!("It is disabled when it has failed for {since} without a success."),
        _ => format!("It is disabled when {failed} failed, over {since} without a success."),
    }
}

/// Who disabled an endpoint: the audit log's line of that moment says it.
pub(super) fn disabled_by(
    service: &Service,
    scope: &ViewScope,
    detail: &EndpointDetail,
) -> Result<Option<String>, Error> {
    let Some(at) = detail.endpoint.disabled_at.filter(|_| !detail.endpoint.enabled) else { return Ok(None) };
    let query = AuditQuery {
        action: Pattern::parse("endpoint.*").ok(),
        target: Some(detail.endpoint.id.to_string()),
        span: Span { since: Some(at), until: Some(UnixMs(at.0 + 1)) },
        ..AuditQuery::default()
    };
    let lines = service.audit(scope, query, None, 1)?.rows;
    Ok(lines.first().map(|line| line.line().actor.clone()))
}

/// Whether what is held of an enabled endpoint is held since a restore; else it is being released.
pub(super) fn is_held_by_restore(
    service: &Service,
    scope: &TenantScope,
    detail: &EndpointDetail,
) -> Result<bool, Error> {
    if !detail.endpoint.enabled || detail.held == 0 {
        return Ok(false);
    }
    let query = DeliveryQuery {
        endpoint: Some(detail.endpoint.id.to_string()),
        status: Some(StatusFilter::Held),
        limit: 1,
        ..DeliveryQuery::default()
    };
    let newest = service.deliveries(scope, query)?.rows.pop();
    Ok(newest.is_some_and(|row| row.held_reason == Some(HeldReason::Restored)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_is_told_by_what_the_settings_ask_for() {
        for (failures, hours, told) in [
            (
                10,
                120,
                "It is disabled when 10 attempts in a row have failed, over 120 hours without a success.",
            ),
            (1, 1, "It is disabled when 1 attempt in a row has failed, over 1 hour without a success."),
            (10, 0, "It is disabled when 10 attempts in a row have failed."),
            (0, 2, "It is disabled when it has failed for 2 hours without a success."),
            (0, 0, "The settings disable no endpoint because it fails."),
        ] {
            assert_eq!(rule(failures, hours), told);
        }
    }
}
