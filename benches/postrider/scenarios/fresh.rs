//! Fresh events at a steady pace, beside something that takes the server's strength.

use crate::Fallible;
use crate::bench::Bench;
use crate::histogram::Histogram;
use crate::load::request::BODY;
use crate::load::{Paced, Until};
use crate::now::millis;
use crate::server::Server;

/// Events per second.
const PACE: f64 = 100.0;
const CONNECTIONS: usize = 16;

/// What became of them, at p99 and in milliseconds.
pub struct Fresh {
    /// From sending to arrival.
    pub arrived: f64,
    /// From sending to the 202.
    pub accepted: f64,
}

/// Sends them, of the tenant `fresh`, whose endpoint is `/ok/fresh`. None may have arrived before.
pub fn fresh(bench: &Bench, server: &Server, until: Until<'_>) -> Fallible<Fresh> {
    let answers = Paced {
        target: server.address,
        per_second: PACE,
        connections: CONNECTIONS,
        requests: &[server.event("fresh", BODY)],
        number: 0,
        until,
    }
    .run()?;
    answers.only(202)?;
    let arrived = bench.receiver.drained("ok/fresh", answers.sent)?;
    let p99 = |latency: &Histogram| millis(latency.percentile(99.0));
    Ok(Fresh { arrived: p99(&arrived.latency), accepted: p99(&answers.latency) })
}
