//! The server's part of a filled file: endpoints, and events whose deliveries come to every end that there is.

use serde_json::json;

use crate::Fallible;
use crate::now::{nanos, now, since, sleep};
use crate::receiver::Receiver;
use crate::server::Server;

/// Bytes of the text in each event: small, as there are to be many.
const NOTE: usize = 100;
/// Seconds that all samples may take to come to their ends.
const PATIENCE: f64 = 60.0;
/// Most events are of the first types.
const TYPES: [&str; 8] = [
    "order.created",
    "order.created",
    "order.created",
    "order.paid",
    "order.paid",
    "invoice.sent",
    "invoice.paid",
    "user.deleted",
];

/// What becomes of the deliveries of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Delivered,
    /// Disabled.
    Held,
    /// Their only attempt has failed.
    Failed,
    /// Waiting a week for their second one.
    Waiting,
    /// Canceled while they waited.
    Canceled,
}

/// The ends of the last endpoints; all others deliver.
const RARE: [End; 4] = [End::Canceled, End::Failed, End::Held, End::Waiting];

/// Endpoints on a server, each of which receives events of its own.
pub struct Seed {
    /// Their ids, the oldest first.
    pub endpoints: Vec<String>,
    tenants: usize,
}

impl Seed {
    /// Makes endpoints on a fresh server, an equal share of them for each tenant.
    pub fn plant(server: &Server, receiver: &Receiver, count: usize, tenants: usize) -> Fallible<Self> {
        // The nightly cleanup, which may come within the hour, is to find nothing that is old.
        server.patch("/settings", &json!({ "retention_days": 3650 }))?;
        let mut endpoints = Vec::new();
        for which in 0..count {
            let end = end_of(which, count);
            let path = if end == End::Delivered { "/ok/seed" } else { "/nowhere" };
            let fields = match end {
                End::Delivered => json!({}),
                End::Held => json!({ "enabled": false }),
                End::Failed => json!({ "retry_schedule": [] }),
                End::Waiting | End::Canceled => json!({ "retry_schedule": [604_800] }),
            };
            let mut fields = fields;
            fields["filters"] = json!({ "to": which });
            endpoints.push(server.endpoint(&tenant(which % tenants), &receiver.url(path), &fields)?);
        }
        Ok(Self { endpoints, tenants })
    }

    /// Publishes so many events for each endpoint, in turn, and waits until their deliveries have come to their ends.
    pub fn publish(&self, server: &Server, receiver: &Receiver, each: usize) -> Fallible<()> {
        receiver.reset()?;
        let count = self.endpoints.len();
        for _ in 0..each {
            for which in 0..count {
                let data = json!({ "to": which, "note": "n".repeat(NOTE) });
                let tenant = tenant(which % self.tenants);
                let body = json!({ "type": TYPES[which % TYPES.len()], "tenant": tenant, "data": data });
                server.post("/events", &body)?;
            }
        }
        receiver.drained("ok/seed", ((count - RARE.len()) * each) as u64)?;
        for (which, endpoint) in self.endpoints.iter().enumerate() {
            if let End::Failed | End::Waiting | End::Canceled = end_of(which, count) {
                for id in attempted(server, endpoint, each)? {
                    if end_of(which, count) == End::Canceled {
                        server.post(&format!("/deliveries/{id}/cancel"), &json!({}))?;
                    }
                }
            }
        }
        server.process.rest()
    }
}

/// The name of a tenant.
pub fn tenant(number: usize) -> String {
    format!("tenant-{number}")
}

fn end_of(which: usize, count: usize) -> End {
    RARE.get((which + RARE.len()).wrapping_sub(count)).copied().unwrap_or(End::Delivered)
}

/// The deliveries of an endpoint, once there are so many and each was attempted.
fn attempted(server: &Server, endpoint: &str, count: usize) -> Fallible<Vec<String>> {
    let started = now();
    loop {
        let list = server.get(&format!("/endpoints/{endpoint}/deliveries?limit=250"))?;
        let rows = list["data"].as_array().ok_or("a list without data")?;
        let done = rows.iter().filter(|row| row["attempts"] != 0);
        let ids: Vec<_> = done.filter_map(|row| row["id"].as_str().map(str::to_owned)).collect();
        if ids.len() == count {
            return Ok(ids);
        }
        if since(started) > nanos(PATIENCE) {
            return Err(format!("{endpoint}: {} of {count} deliveries were attempted", ids.len()).into());
        }
        sleep(0.01);
    }
}
