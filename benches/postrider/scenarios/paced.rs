//! A steady 200 events a second: from the POST to its arrival at the receiver. The same load goes straight to the
//! receiver as well, and the difference is what is judged.

use serde_json::json;

use crate::Fallible;
use crate::bench::{Bench, Scenario, megabytes};
use crate::ceilings::request::TENANT;
use crate::load::request::{BODY, event};
use crate::load::{Answers, Paced, Prepared, Until};
use crate::now::millis;
use crate::receiver::Class;
use crate::row::{Limit, Row};
use crate::server::Start;

/// See the module.
pub const SCENARIO: Scenario = Scenario {
    name: "paced",
    about: "a steady 200 events/s: from POST to receiver, over the same load straight to the receiver",
    run,
};

const PER_SECOND: f64 = 200.0;
/// Requests that may wait for their answers at a time.
const CONNECTIONS: usize = 16;

/// What a round has found, in milliseconds.
struct Round {
    p50: f64,
    p99: f64,
    straight_p50: f64,
    straight_p99: f64,
    sync: f64,
    /// Requests that were sent late, of both loads.
    late: u64,
}

fn run(bench: &mut Bench) -> Fallible<Vec<Row>> {
    let rounds = bench.rounds(|bench, _| round(bench))?;
    let each = |figure: fn(&Round) -> f64| rounds.iter().map(figure).collect::<Vec<_>>();
    let late: u64 = rounds.iter().map(|round| round.late).sum();
    let p50_over = |round: &Round| round.p50 - round.straight_p50 - 2.0 * round.sync;
    let note = format!("{late} requests of all rounds were sent more than 1 ms after their moment");
    Ok(vec![
        Row::new("200 events/s: POST to receiver, p50", "ms", each(|round| round.p50)).note(note),
        Row::new("200 events/s: POST to receiver, p99", "ms", each(|round| round.p99)),
        Row::new("200 events/s: p50 over the straight way and two fdatasyncs", "ms", each(p50_over))
            .must(Limit::AtMost(1.0))
            .aim(Limit::AtMost(0.5)),
        Row::new(
            "200 events/s: p99 over the straight way",
            "ms",
            each(|round| round.p99 - round.straight_p99),
        )
        .must(Limit::AtMost(5.0)),
    ])
}

fn round(bench: &mut Bench) -> Fallible<Round> {
    let before = bench.sync_ms()?;
    let (straight_late, straight) = straight(bench)?;
    let (late, through) = through(bench)?;
    // A disk has its moods.
    let sync = f64::midpoint(before, bench.sync_ms()?);
    let percentile = |class: &Class, percent| millis(class.latency.percentile(percent));
    Ok(Round {
        p50: percentile(&through, 50.0),
        p99: percentile(&through, 99.0),
        straight_p50: percentile(&straight, 50.0),
        straight_p99: percentile(&straight, 99.0),
        sync,
        late: straight_late + late,
    })
}

/// The load straight to the receiver.
fn straight(bench: &Bench) -> Fallible<(u64, Class)> {
    let body = event(TENANT, "order.paid", BODY);
    let request = Prepared::post(bench.receiver.address, "/ok/straight", "", &body);
    bench.receiver.reset()?;
    let answers = pace(bench, bench.receiver.address, request, 204)?;
    Ok((answers.late, arrived(bench, "ok/straight", answers.sent)?))
}

/// The load through a new server.
fn through(bench: &mut Bench) -> Fallible<(u64, Class)> {
    let folder = bench.folder()?;
    let server = Start::on(folder.path()).start()?;
    server.endpoint(TENANT, &bench.receiver.url("/ok/paced"), &json!({}))?;
    let sampler = server.process.sample();
    bench.receiver.reset()?;
    let answers = pace(bench, server.address, server.event(TENANT, BODY), 202)?;
    let class = arrived(bench, "ok/paced", answers.sent)?;
    bench.note_peak(SCENARIO.name, megabytes(sampler.peak()));
    server.stop()?;
    Ok((answers.late, class))
}

fn pace(bench: &Bench, target: std::net::SocketAddr, request: Prepared, status: u16) -> Fallible<Answers> {
    let until = Until::Seconds(bench.pick(10.0, 1.5));
    let requests = [request];
    let load = Paced {
        target,
        per_second: PER_SECOND,
        connections: CONNECTIONS,
        requests: &requests,
        number: 0,
        until,
    };
    let answers = load.run()?;
    answers.only(status)?;
    Ok(answers)
}

/// All of them, each with the time that it took.
fn arrived(bench: &Bench, class: &str, sent: u64) -> Fallible<Class> {
    let arrived = bench.receiver.drained(class, sent)?;
    if arrived.latency.count() == sent { Ok(arrived) } else { Err("events have lost their time".into()) }
}
