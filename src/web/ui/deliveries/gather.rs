//! What is read for the page of a delivery.

use crate::domain::time::UnixMs;
use crate::service::curl::SentRequest;
use crate::service::endpoints::EndpointDetail;
use crate::service::render::Detail;
use crate::service::{Code, Error, Service, TenantScope};

/// See the module.
pub(super) struct Read {
    pub(super) detail: Detail,
    pub(super) endpoint: Option<EndpointDetail>,
    pub(super) next: Option<UnixMs>,
    /// Attempts that the schedule of its endpoint has.
    pub(super) in_round: Option<u32>,
    /// The number of the attempt that is shown in full, and its request.
    pub(super) chosen: Option<(u32, Option<SentRequest>)>,
}

/// Reads it; `number`: the attempt that is asked for.
///
/// # Errors
/// There is no such delivery; the database cannot be read.
pub(super) fn gather(
    service: &Service,
    scope: &TenantScope,
    id: &str,
    number: Option<u32>,
) -> Result<Read, Error> {
    let detail = service.delivery(scope, id)?;
    let endpoint = found(service.endpoint(scope, &detail.row.endpoint.to_string(), None))?;
    let last = detail.attempts.last().map(|attempt| attempt.row.number);
    let number = number.filter(|number| detail.attempts.iter().any(|attempt| attempt.row.number == *number));
    let chosen = match number.or(last) {
        Some(number) => Some((number, found(service.sent_request(scope, id, Some(number)))?)),
        None => None,
    };
    let in_round = endpoint.as_ref().map(|known| attempts_in_round(service, known));
    Ok(Read { in_round, next: service.next_retry_at(&detail.row), detail, endpoint, chosen })
}

/// By the endpoint's own schedule, else by the server's setting.
fn attempts_in_round(service: &Service, endpoint: &EndpointDetail) -> u32 {
    match &endpoint.endpoint.retry_schedule {
        Some(own) => u32::try_from(own.len()).unwrap_or(u32::MAX).saturating_add(1),
        None => service.store().directory().settings().retry_schedule.attempts_in_round(),
    }
}

/// What is not there is not shown.
fn found<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Err(error) if error.code == Code::NotFound => Ok(None),
        other => other.map(Some),
    }
}
