//! Accepting: one client, one request at a time. What it waits for beside the disk.

use serde_json::json;

use crate::Fallible;
use crate::bench::{Bench, Scenario};
use crate::ceilings::request::TENANT;
use crate::load::request::BODY;
use crate::load::{Answers, Closed, Until};
use crate::now::millis;
use crate::row::{Limit, Row};
use crate::server::Start;

/// See the module.
pub const SCENARIO: Scenario =
    Scenario { name: "accept", about: "one client: from POST to 202, over one fdatasync", run };

fn run(bench: &mut Bench) -> Fallible<Vec<Row>> {
    let rounds = bench.rounds(|bench, _| {
        let before = bench.sync_ms()?;
        let accepted = millis(round(bench)?.latency.percentile(50.0));
        // A disk has its moods.
        let sync = f64::midpoint(before, bench.sync_ms()?);
        Ok((accepted, accepted - sync))
    })?;
    let (accepted, over): (Vec<_>, Vec<_>) = rounds.into_iter().unzip();
    Ok(vec![
        Row::new("accept: POST to 202, one client, p50", "ms", accepted),
        Row::new("accept: p50 over one fdatasync", "ms", over)
            .must(Limit::AtMost(1.0))
            .aim(Limit::AtMost(0.3)),
    ])
}

fn round(bench: &mut Bench) -> Fallible<Answers> {
    let folder = bench.folder()?;
    let server = Start::on(folder.path()).start()?;
    server.endpoint(TENANT, &bench.receiver.url("/ok/accept"), &json!({}))?;
    let sampler = server.process.sample();
    bench.receiver.reset()?;
    let answers = Closed {
        target: server.address,
        connections: 1,
        requests: &[server.event(TENANT, BODY)],
        number: 0,
        until: Until::Seconds(bench.pick(3.0, 1.0)),
    }
    .run()?;
    answers.only(202)?;
    bench.receiver.drained("ok/accept", answers.sent)?;
    bench.note_peak(SCENARIO.name, crate::bench::megabytes(sampler.peak()));
    server.stop()?;
    Ok(answers)
}
