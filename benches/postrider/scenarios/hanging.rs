//! Endpoints that hang, each with events waiting, and a healthy one beside them.

use serde_json::json;

use crate::Fallible;
use crate::bench::{Bench, Scenario, megabytes};
use crate::load::request::BODY;
use crate::load::{Closed, Paced, Prepared, Until};
use crate::now::{millis, nanos, now, since, sleep};
use crate::row::{Limit, Row};
use crate::server::{Server, Start};

/// See the module.
pub const SCENARIO: Scenario = Scenario {
    name: "hanging",
    about: "1, 40 and 200 endpoints that hang: the latency of a healthy one beside them",
    run,
};

/// Endpoints that hang.
const COUNTS: [usize; 3] = [1, 40, 200];
/// Events that wait for each of them.
const WAITING: u64 = 20;
/// Events per second for the healthy one.
const PACE: f64 = 200.0;
const CONNECTIONS: usize = 16;
/// The hanging ones have taken what they get when nothing new has arrived for so many seconds.
const SETTLED: f64 = 0.3;

struct Round {
    alone_ms: f64,
    beside_ms: f64,
    peak_mb: f64,
}

fn run(bench: &mut Bench) -> Fallible<Vec<Row>> {
    let mut rows = Vec::new();
    for hanging in COUNTS {
        let rounds = super::heavy_rounds(bench, |bench, _| round(bench, hanging))?;
        let each = |figure: fn(&Round) -> f64| rounds.iter().map(figure).collect::<Vec<_>>();
        bench.note_peak("hanging", each(|round| round.peak_mb).into_iter().fold(0.0, f64::max));
        let name = format!("a healthy endpoint beside {hanging} that hang: p99");
        rows.push(
            Row::new(name, "ms", each(|round| round.beside_ms))
                .over(&each(|round| round.alone_ms), "of it alone")
                .must(Limit::AtMost(2.0))
                .aim(Limit::AtMost(1.2)),
        );
    }
    Ok(rows)
}

/// On one server: the healthy endpoint alone, then beside those that hang.
fn round(bench: &mut Bench, hanging: usize) -> Fallible<Round> {
    let folder = bench.folder()?;
    let server = Start::on(folder.path()).start()?;
    server.endpoint("healthy", &bench.receiver.url("/ok/healthy"), &json!({}))?;
    let mut requests = Vec::new();
    for which in 0..hanging {
        let tenant = format!("hanging-{which}");
        server.endpoint(&tenant, &bench.receiver.url("/hang/bench"), &json!({}))?;
        requests.push(server.event(&tenant, BODY));
    }
    let sampler = server.process.sample();
    let seconds = bench.pick(8.0, 1.3);
    healthy(bench, &server, 0.3)?;
    let alone_ms = healthy(bench, &server, seconds)?;
    bench.receiver.reset()?;
    publish(&server, &requests, hanging as u64 * WAITING)?;
    settle(bench)?;
    let beside_ms = healthy(bench, &server, seconds)?;
    let peak_mb = megabytes(sampler.peak());
    // It would wait for what hangs; everything here is thrown away.
    drop(server);
    Ok(Round { alone_ms, beside_ms, peak_mb })
}

/// The p99 from sending to arrival at the healthy endpoint.
fn healthy(bench: &Bench, server: &Server, seconds: f64) -> Fallible<f64> {
    bench.receiver.reset()?;
    let answers = Paced {
        target: server.address,
        per_second: PACE,
        connections: CONNECTIONS,
        requests: &[server.event("healthy", BODY)],
        number: 0,
        until: Until::Seconds(seconds),
    }
    .run()?;
    answers.only(202)?;
    let arrived = bench.receiver.drained("ok/healthy", answers.sent)?;
    Ok(millis(arrived.latency.percentile(99.0)))
}

fn publish(server: &Server, requests: &[Prepared], count: u64) -> Fallible<()> {
    let until = Until::Sent(count);
    Closed { target: server.address, connections: CONNECTIONS, requests, number: 0, until }.run()?.only(202)
}

/// Waits until the threads that the hanging endpoints get are taken.
fn settle(bench: &Bench) -> Fallible<()> {
    let (mut arrived, mut progress) = (0, now());
    while arrived == 0 || since(progress) < nanos(SETTLED) {
        sleep(0.02);
        let requests = bench.receiver.report()?.class("hang/bench").requests;
        if requests > arrived {
            (arrived, progress) = (requests, now());
        }
        if arrived == 0 && since(progress) > nanos(10.0) {
            return Err("nothing has arrived at an endpoint that hangs".into());
        }
    }
    Ok(())
}
