//! Fan-out: each event goes to five endpoints.

use serde_json::json;

use super::course::{Course, Load};
use crate::Fallible;
use crate::bench::{Bench, Scenario};
use crate::ceilings::request::TENANT;
use crate::load::request::BODY;
use crate::row::{Limit, Row};
use crate::server::Start;

/// See the module.
pub const SCENARIO: Scenario =
    Scenario { name: "fan-out", about: "each event to 5 endpoints, 32 connections", run };

const ENDPOINTS: u64 = 5;

fn run(bench: &mut Bench) -> Fallible<Vec<Row>> {
    let rounds = bench.rounds(|bench, _| {
        let [r, s] = bench.r_and_s()?;
        let course = round(bench)?;
        bench.note_peak(SCENARIO.name, course.peak_mb);
        Ok([course.per_second, r, s])
    })?;
    let each = |at: usize| rounds.iter().map(|round| round[at]).collect::<Vec<_>>();
    let row = Row::new("fan-out to 5 endpoints, 32 connections", "deliveries/s", each(0));
    let row = row.over(&each(1), "of R").over(&each(2), "of S");
    Ok(vec![row.must(Limit::AtLeast(1.0 / 2.0)).aim(Limit::AtLeast(2.0 / 3.0))])
}

fn round(bench: &Bench) -> Fallible<Course> {
    let folder = bench.folder()?;
    let server = Start::on(folder.path()).start()?;
    for number in 1..=ENDPOINTS {
        server.endpoint(TENANT, &bench.receiver.url(&format!("/ok/fan-out/{number}")), &json!({}))?;
    }
    let course = Load {
        server: &server,
        connections: 32,
        requests: &[server.event(TENANT, BODY)],
        fan_out: ENDPOINTS,
        class: "ok/fan-out",
        seconds: bench.pick(5.0, 0.7),
    }
    .run(bench)?;
    server.stop()?;
    Ok(course)
}
