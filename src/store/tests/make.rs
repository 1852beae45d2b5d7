//! Endpoints, outcomes and faults to test with.

use crate::domain::ids::{DeliveryId, EndpointId};
use crate::domain::names::{IdempotencyKey, OwnId, TenantName};
use crate::domain::outcome::Fact;
use crate::domain::secret::Secret;
use crate::store::endpoints::EndpointSettings;
use crate::store::outcome::{AttemptRecord, Outcome, PhasesMs};
use crate::store::revisions::Revision;
use crate::store::{StoreError, Tx};

use super::house::{House, SECRET, START};

pub(super) fn endpoint_settings(events: &[&str]) -> EndpointSettings {
    EndpointSettings {
        uid: None,
        description: String::new(),
        events: events.iter().map(ToString::to_string).collect(),
        filters: "{}".to_owned(),
        metadata: Vec::new(),
        retry_schedule: None,
        rate_limit: None,
        max_in_flight: None,
        hold_while_disabled: true,
    }
}

/// What an endpoint's requests look like in these tests.
pub(super) fn revision() -> Revision {
    Revision {
        number: 0,
        url: "https://receiver.example.com/hook".to_owned(),
        headers: vec![("X-Token".to_owned(), "a-header-that-is-a-credential".to_owned())],
        format: "standard".to_owned(),
        timeout_seconds: None,
    }
}

pub(super) fn make_endpoint(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    settings: &EndpointSettings,
) -> Result<EndpointId, StoreError> {
    let tenant_id = match tx.tenant_id(tenant)? {
        Some(id) => id,
        None => tx.insert_tenant(tenant)?,
    };
    let id = tx.insert_endpoint(tenant_id, settings, true)?;
    tx.put_revision(id, &revision())?;
    tx.put_secret(id, Some(&Secret::stored(SECRET)), None)?;
    tx.reload_route(id)?;
    Ok(id)
}

/// Lets the commit of this transaction fail, whatever else is in it.
pub(super) fn break_commit(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    Ok(tx.connection().execute_batch(
        "PRAGMA defer_foreign_keys = ON;
         INSERT INTO endpoint_secrets (endpoint_id, version, secret, created_at) VALUES (-1, 1, x'00', 0)",
    )?)
}

pub(super) fn outcome(delivery: DeliveryId, endpoint: EndpointId, round: u32, fact: Fact) -> Outcome {
    let delivered = fact == Fact::Delivered;
    let attempt = AttemptRecord {
        revision: 1,
        format_revision: 0,
        started_at: START,
        duration_ms: 12,
        phases: PhasesMs { wait: Some(11), ..PhasesMs::default() },
        address: Some("192.0.2.1:443".to_owned()),
        signatures: "v1,abc".to_owned(),
        status_code: if fact == Fact::OurTrouble { None } else { Some(if delivered { 200 } else { 500 }) },
        error: (!delivered).then(|| "it failed".to_owned()),
        response_headers: b"server: test\n".to_vec(),
        response_body: b"an answer".to_vec(),
    };
    Outcome { delivery, endpoint, round, fact, jitter: 0, attempt }
}

pub(super) fn own_id(text: &str) -> OwnId {
    OwnId::parse(text).unwrap()
}

pub(super) fn key(text: &str, request: u8) -> (IdempotencyKey, [u8; 16]) {
    (IdempotencyKey::parse(text).unwrap(), [request; 16])
}

/// Lets some statements fail, as a row that violates a constraint would.
pub(super) fn plant_failure(house: &House, before: &str) {
    let sql = format!("CREATE TRIGGER planted BEFORE {before} BEGIN SELECT RAISE(ABORT, 'planted'); END");
    house.other().execute_batch(&sql).unwrap();
}
