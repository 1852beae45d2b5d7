//! Many endpoints that take half a second each: what counts is how many requests can wait at a time.

use serde_json::json;

use crate::Fallible;
use crate::bench::{Bench, Scenario, float, megabytes};
use crate::load::request::BODY;
use crate::load::{Closed, Until};
use crate::now::{millis, now, seconds, since, sleep};
use crate::row::{Limit, Row};
use crate::server::Start;

/// See the module.
pub const SCENARIO: Scenario = Scenario {
    name: "slow",
    about: "400 endpoints that take 500 ms each: deliveries per second, memory",
    run,
};

const ENDPOINTS: usize = 400;
const CONNECTIONS: usize = 64;
/// What the receiver calls their requests.
const CLASS: &str = "slow/500/bench";
/// Threads have started and the first answers are in after this; seconds.
const RAMP: f64 = 1.5;
/// What is measured ends when so much of everything has arrived: at the end not every endpoint has something left.
const SHARE: f64 = 0.8;

struct Round {
    per_second: f64,
    peak_mb: f64,
    accepted_p99_ms: f64,
}

fn run(bench: &mut Bench) -> Fallible<Vec<Row>> {
    let rounds = super::heavy_rounds(bench, round)?;
    let each = |figure: fn(&Round) -> f64| rounds.iter().map(figure).collect::<Vec<_>>();
    let p99 = each(|round| round.accepted_p99_ms).into_iter().fold(0.0, f64::max);
    Ok(vec![
        Row::new("400 endpoints that take 500 ms each", "deliveries/s", each(|round| round.per_second))
            .must(Limit::AtLeast(900.0))
            .aim(Limit::AtLeast(1000.0))
            .note(format!(
                "512 threads make 1024 at most; while they filled up, a 202 took {p99:.1} ms at p99"
            )),
        Row::new("the same: peak memory", "MB", each(|round| round.peak_mb)).must(Limit::AtMost(100.0)),
    ])
}

fn round(bench: &mut Bench, _: usize) -> Fallible<Round> {
    let folder = bench.folder()?;
    let server = Start::on(folder.path()).start()?;
    let mut requests = Vec::new();
    for which in 0..ENDPOINTS {
        let tenant = format!("slow-{which}");
        server.endpoint(&tenant, &bench.receiver.url("/slow/500/bench"), &json!({}))?;
        requests.push(server.event(&tenant, BODY));
    }
    let count = ENDPOINTS as u64 * bench.pick(40, 12);
    bench.receiver.reset()?;
    let sampler = server.process.sample();
    let load = Closed {
        target: server.address,
        connections: CONNECTIONS,
        requests: &requests,
        number: 0,
        until: Until::Sent(count),
    };
    let started = now();
    let answers = load.run()?;
    answers.only(202)?;
    // A request counts when it arrives, so between two moments as many have arrived as have ended.
    sleep((RAMP - seconds(since(started))).max(0.0));
    let (from, before) = (now(), bench.receiver.report()?.class(CLASS).requests);
    let (mut to, mut arrived) = (from, before);
    while float(arrived) < float(count) * SHARE {
        sleep(0.1);
        (to, arrived) = (now(), bench.receiver.report()?.class(CLASS).requests);
    }
    if arrived == before {
        return Err("everything had arrived before the measuring began".into());
    }
    bench.receiver.drained(CLASS, count)?;
    let peak_mb = megabytes(sampler.peak());
    server.stop()?;
    Ok(Round {
        per_second: float(arrived - before) / seconds(to - from),
        peak_mb,
        accepted_p99_ms: millis(answers.latency.percentile(99.0)),
    })
}
