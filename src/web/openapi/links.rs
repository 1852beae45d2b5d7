//! Where answers lead: which calls go on with what an answer holds. Clients may follow these links, and a program that
//! tests the API does.

use super::operation::Operation;

/// Parameters of a call, and where an answer has them (runtime expressions of OpenAPI 3.1, section 4.8.20.4).
pub type Found = [(&'static str, &'static str)];

/// The one thing that an answer shows.
pub const ID: &Found = &[("id", "$response.body#/id")];
/// The first thing of a page.
pub const FIRST: &Found = &[("id", "$response.body#/data/0/id")];
/// A thing with a name.
pub const NAME: &Found = &[("name", "$response.body#/name")];
/// A tenant.
pub const TENANT: &Found = &[("tenant", "$response.body#/tenant")];
/// What was named in the path of the call, where it answers something else, or nothing.
pub const SAME: &Found = &[("id", "$request.path.id")];
/// An event: one that has the publisher's own id is found in its tenant only.
pub const EVENT: &Found = &[("id", "$response.body#/id"), ("tenant", "$response.body#/tenant")];
/// The first event of a page, or of a batch.
pub const FIRST_EVENT: &Found =
    &[("id", "$response.body#/data/0/id"), ("tenant", "$response.body#/data/0/tenant")];
/// The event of a delivery.
pub const ITS_EVENT: &Found = &[("id", "$response.body#/event_id"), ("tenant", "$response.body#/tenant")];
/// The endpoint of a delivery, or of a replay.
pub const ITS_ENDPOINT: &Found = &[("id", "$response.body#/endpoint_id")];

/// What there is to do with an endpoint.
pub const OF_ENDPOINT: [&str; 11] = [
    "getEndpoint",
    "updateEndpoint",
    "deleteEndpoint",
    "enableEndpoint",
    "disableEndpoint",
    "testEndpoint",
    "rotateSecret",
    "listDeliveriesOfEndpoint",
    "getStats",
    "replayEndpoint",
    "getVerifyCode",
];
/// What there is to do with an event.
pub const OF_EVENT: [&str; 5] =
    ["getEvent", "listDeliveriesOfEvent", "listMatching", "replayEvent", "deleteEventData"];
/// What there is to do with a delivery. Not the command of an attempt: there may be none yet.
pub const OF_DELIVERY: [&str; 3] = ["getDelivery", "retryDelivery", "cancelDelivery"];
/// What there is to do with a tenant.
pub const OF_TENANT: [&str; 7] = [
    "getTenant",
    "putTenant",
    "deleteTenant",
    "listEndpoints",
    "listEvents",
    "listDeliveries",
    "getOverallStats",
];

impl Operation {
    /// The answer before leads to these calls, but for this one itself.
    pub fn leads_to_all(
        mut self,
        operations: impl IntoIterator<Item = &'static str>,
        found: &'static Found,
    ) -> Self {
        for operation in operations {
            if operation != self.id {
                self = self.leads_to(operation, found);
            }
        }
        self
    }
}
