//! How deliveries and attempts look in answers.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::domain::delivery::{HeldReason, Status};
use crate::domain::ids::{DeliveryId, EndpointId};
use crate::domain::names::{EventType, TenantName};
use crate::domain::time::UnixMs;
use crate::service::Service;
use crate::service::render::{Detail, Headers, ShownAttempt};
use crate::store::Listed;
use crate::store::deliveries::DeliveryRow;
use crate::web::problem::Problem;
use crate::web::query;

/// A delivery.
#[derive(Debug, serde::Serialize)]
pub struct Delivery<'a> {
    id: DeliveryId,
    event_id: &'a str,
    event_type: &'a EventType,
    endpoint_id: EndpointId,
    tenant: &'a TenantName,
    status: Status,
    held_reason: Option<HeldReason>,
    attempts: u32,
    status_code: Option<u16>,
    response_body: Option<Cow<'a, str>>,
    error: Option<&'a str>,
    /// `null` also for a pending one that goes as soon as its turn comes.
    next_retry_at: Option<UnixMs>,
    created_at: UnixMs,
    delivered_at: Option<UnixMs>,
    replay_of: Option<DeliveryId>,
    test: bool,
}

impl<'a> Delivery<'a> {
    /// The shape of a row.
    pub fn of(service: &Service, row: &'a DeliveryRow) -> Self {
        Self {
            id: row.id,
            event_id: &row.event_public_id,
            event_type: &row.event_type,
            endpoint_id: row.endpoint,
            tenant: &row.tenant,
            status: row.state.status(),
            held_reason: row.held_reason,
            attempts: row.attempts,
            status_code: row.status_code,
            response_body: row.response_body.as_deref().map(String::from_utf8_lossy),
            error: row.error.as_deref(),
            next_retry_at: service.next_retry_at(row),
            created_at: row.created_at,
            delivered_at: row.delivered_at,
            replay_of: row.replay_of,
            test: row.is_test(),
        }
    }

    /// The answer of a list of deliveries.
    pub fn list(service: &Service, page: &Listed<DeliveryRow>) -> Result<Vec<u8>, Problem> {
        let rows: Vec<_> = page.rows.iter().map(|row| Delivery::of(service, row)).collect();
        query::long_list(rows, page.next.map(|id| DeliveryId(id).to_string()))
    }
}

/// One delivery, with its attempts.
#[derive(Debug, serde::Serialize)]
pub struct OneDelivery<'a> {
    #[serde(flatten)]
    delivery: Delivery<'a>,
    request_body: Option<&'a str>,
    attempt_list: Vec<Attempt<'a>>,
}

impl<'a> OneDelivery<'a> {
    /// The shape of what is known of a delivery.
    pub fn of(service: &Service, detail: &'a Detail) -> Self {
        Self {
            delivery: Delivery::of(service, &detail.row),
            request_body: detail.request_body.as_deref(),
            attempt_list: detail.attempts.iter().map(Attempt::of).collect(),
        }
    }
}

#[derive(Debug, serde::Serialize)]
struct Attempt<'a> {
    number: u32,
    round: u32,
    started_at: UnixMs,
    duration_ms: u32,
    phases_ms: Phases,
    url: Option<&'a str>,
    address: Option<&'a str>,
    status_code: Option<u16>,
    error: Option<&'a str>,
    request_headers: Option<ShownHeaders<'a>>,
    request_body: Option<&'a str>,
    response_headers: ShownHeaders<'a>,
    response_body: Cow<'a, str>,
}

#[derive(Debug, serde::Serialize)]
struct Phases {
    dns: Option<u32>,
    connect: Option<u32>,
    tls: Option<u32>,
    wait: Option<u32>,
    read: Option<u32>,
}

impl<'a> Attempt<'a> {
    fn of(shown: &'a ShownAttempt) -> Self {
        let record = &shown.row.record;
        let phases = record.phases;
        Self {
            number: shown.row.number,
            round: shown.row.round,
            started_at: record.started_at,
            duration_ms: record.duration_ms,
            phases_ms: Phases {
                dns: phases.dns,
                connect: phases.connect,
                tls: phases.tls,
                wait: phases.wait,
                read: phases.read,
            },
            url: shown.url.as_deref(),
            address: record.address.as_deref(),
            status_code: record.status_code,
            error: record.error.as_deref(),
            request_headers: shown.request_headers.as_ref().map(ShownHeaders),
            request_body: shown.request_body.as_deref(),
            response_headers: ShownHeaders(&shown.response_headers),
            response_body: String::from_utf8_lossy(&record.response_body),
        }
    }
}

/// Headers as an object: a text for each name, or a list of texts where one came more than once.
#[derive(Debug)]
struct ShownHeaders<'a>(&'a Headers);

impl Serialize for ShownHeaders<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (index, (name, value)) in self.0.iter().enumerate() {
            let before = &self.0[..index];
            if before.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                continue;
            }
            let same = self.0[index..].iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
            let values: Vec<&str> = same.map(|(_, value)| value.as_str()).collect();
            match values.as_slice() {
                [_] => map.serialize_entry(name, value)?,
                several => map.serialize_entry(name, several)?,
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_came_twice_is_a_list_and_the_order_is_kept() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = vec![pair("z", "1"), pair("set-cookie", "a"), pair("b", ""), pair("Set-Cookie", "c")];
        let text = serde_json::to_string(&ShownHeaders(&headers)).unwrap();
        assert_eq!(text, r#"{"z":"1","set-cookie":["a","c"],"b":""}"#);
    }
}
