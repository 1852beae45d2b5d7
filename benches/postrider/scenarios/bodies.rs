//! Bodies of 256 KB at full speed: what bounds the memory is bytes, not counts.

use serde_json::json;

use crate::Fallible;
use crate::bench::{Bench, Scenario, float, megabytes};
use crate::ceilings::request::TENANT;
use crate::load::{Answers, Closed, Until};
use crate::now::seconds;
use crate::row::{Limit, Row};
use crate::server::Start;

/// See the module.
pub const SCENARIO: Scenario =
    Scenario { name: "bodies", about: "bodies of 256 KB at full speed, 64 connections: memory", run };

/// Connections of the load.
const CONNECTIONS: usize = 64;
/// Bytes of a request: its `data` has just less than 256 KB.
const LENGTH: usize = 262_100;

struct Round {
    peak_mb: f64,
    per_second: f64,
    /// The share of calls that were told to come back later.
    refused: f64,
}

fn run(bench: &mut Bench) -> Fallible<Vec<Row>> {
    let rounds = super::heavy_rounds(bench, round)?;
    let each = |figure: fn(&Round) -> f64| rounds.iter().map(figure).collect::<Vec<_>>();
    let refused = each(|round| round.refused).into_iter().fold(0.0, f64::max) * 100.0;
    Ok(vec![
        Row::new("bodies of 256 KB, 64 connections: peak memory", "MB", each(|round| round.peak_mb))
            .must(Limit::AtMost(120.0))
            .aim(Limit::AtMost(80.0)),
        Row::new("the same", "deliveries/s", each(|round| round.per_second))
            .note(format!("{refused:.1} % of the calls had a 503")),
    ])
}

fn round(bench: &mut Bench, _: usize) -> Fallible<Round> {
    let folder = bench.folder()?;
    let server = Start::on(folder.path()).start()?;
    server.endpoint(TENANT, &bench.receiver.url("/ok/bodies"), &json!({}))?;
    bench.receiver.reset()?;
    let sampler = server.process.sample();
    let answers = Closed {
        target: server.address,
        connections: CONNECTIONS,
        requests: &[server.event(TENANT, LENGTH)],
        number: 0,
        until: Until::Seconds(bench.pick(5.0, 1.5)),
    }
    .run()?;
    let accepted = accepted(&answers)?;
    let arrived = bench.receiver.drained("ok/bodies", accepted)?;
    server.process.rest()?;
    let peak_mb = megabytes(sampler.peak());
    server.stop()?;
    Ok(Round {
        peak_mb,
        per_second: float(accepted) / seconds(arrived.last - answers.first),
        refused: float(answers.sent - accepted) / float(answers.sent),
    })
}

/// How many were accepted. A 503 is the right answer to more than memory has room for; nothing else is.
fn accepted(answers: &Answers) -> Fallible<u64> {
    let (accepted, later) = (answers.with_status(202), answers.with_status(503));
    if accepted == 0 || accepted + later < answers.sent {
        return Err(format!("{} requests were answered with {:?}", answers.sent, answers.by_status).into());
    }
    Ok(accepted)
}
