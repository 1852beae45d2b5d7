//! Many: 256 connections, 1,000 endpoints of 1,000 tenants, each on a host name of its own, and an idempotency key on
//! every event. Beside it, in the same round, one endpoint.

use serde_json::json;

use super::course::{Course, Load};
use super::one;
use crate::Fallible;
use crate::bench::{Bench, Scenario};
use crate::hosts;
use crate::load::request::BODY;
use crate::row::{Limit, Row};
use crate::server::{Server, Start};

/// See the module.
pub const SCENARIO: Scenario = Scenario {
    name: "many",
    about: "256 connections, 1,000 tenants with an endpoint each on its own host name, idempotency keys",
    run,
};

const TENANTS: usize = 1000;
/// Endpoints that are made at a time: a commit is shared by many.
const MADE_AT_ONCE: usize = 16;

/// What a round has found: the ceilings, one endpoint, and many.
struct Round {
    r: f64,
    s: f64,
    one: Course,
    many: Course,
}

fn run(bench: &mut Bench) -> Fallible<Vec<Row>> {
    let rounds = bench.rounds(|bench, _| {
        let [r, s] = bench.r_and_s()?;
        let round = Round { r, s, one: one::round(bench)?, many: round(bench)? };
        bench.note_peak(SCENARIO.name, round.many.peak_mb);
        Ok(round)
    })?;
    let each = |figure: fn(&Round) -> f64| rounds.iter().map(figure).collect::<Vec<_>>();
    let name = "many: 256 connections, 1,000 endpoints of 1,000 tenants, idempotency keys";
    let row = Row::new(name, "deliveries/s", each(|round| round.many.per_second))
        .over(&each(|round| round.one.per_second), "of one endpoint")
        .over(&each(|round| round.r), "of R")
        .over(&each(|round| round.s), "of S");
    let note = rounds.last().map_or(String::new(), |Round { many, .. }| {
        let Course { connections, deliveries, threads, .. } = many;
        format!("the last round opened {connections} connections for {deliveries} deliveries, on at most {threads} threads")
    });
    Ok(vec![row.must(Limit::AtLeast(0.8)).aim(Limit::AtLeast(1.0)).note(note)])
}

fn round(bench: &Bench) -> Fallible<Course> {
    let folder = bench.folder()?;
    let hosts = hosts::write(folder.path(), TENANTS)?;
    let server = Start::on(folder.path()).hosts(&hosts).start()?;
    make_endpoints(&server, bench.receiver.address.port())?;
    let requests: Vec<_> =
        (0..TENANTS).map(|number| server.event(&tenant(number), BODY).with_idempotency_key()).collect();
    let course = Load {
        server: &server,
        connections: 256,
        requests: &requests,
        fan_out: 1,
        class: "ok/many",
        seconds: bench.pick(5.0, 0.7),
    }
    .run(bench)?;
    server.stop()?;
    Ok(course)
}

fn tenant(number: usize) -> String {
    format!("customer-{number}")
}

fn make_endpoints(server: &Server, port: u16) -> Fallible<()> {
    std::thread::scope(|scope| {
        let make = |first: usize| {
            for number in (first..TENANTS).step_by(MADE_AT_ONCE) {
                let url = format!("http://{}:{port}/ok/many", hosts::name(number));
                server.endpoint(&tenant(number), &url, &json!({}))?;
            }
            Ok(())
        };
        let threads: Vec<_> = (0..MADE_AT_ONCE).map(|first| scope.spawn(move || make(first))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread has panicked")?)
    })
}
