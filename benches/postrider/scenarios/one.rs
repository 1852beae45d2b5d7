//! One endpoint, 32 connections: the plain case, and what it costs for each event in processor time and on disk.

use serde_json::json;

use super::course::{Course, Load, checkpointed_size};
use crate::Fallible;
use crate::bench::{Bench, Scenario, float};
use crate::ceilings::request::TENANT;
use crate::load::request::BODY;
use crate::row::{Limit, Row};
use crate::server::Start;

/// See the module.
pub const SCENARIO: Scenario = Scenario {
    name: "one",
    about: "one endpoint, 0.95 KB, 32 connections; processor and disk for each event",
    run,
};

/// What a round has found.
struct Round {
    r: f64,
    s: f64,
    course: Course,
    /// Bytes of the database for each delivered event.
    disk: f64,
}

fn run(bench: &mut Bench) -> Fallible<Vec<Row>> {
    let rounds = bench.rounds(|bench, _| {
        let (r, s) = (bench.r()?, bench.s()?);
        let (course, disk) = round(bench)?;
        bench.note_peak("one", course.peak_mb);
        Ok(Round { r, s, course, disk })
    })?;
    let each = |figure: fn(&Round) -> f64| rounds.iter().map(figure).collect::<Vec<_>>();
    let delivered =
        Row::new("one endpoint, 32 connections", "deliveries/s", each(|round| round.course.per_second));
    Ok(vec![
        delivered
            .clone()
            .over(&each(|round| round.r), "of R")
            .must(Limit::AtLeast(1.0 / 4.0))
            .aim(Limit::AtLeast(1.0 / 3.0)),
        delivered.over(&each(|round| round.s), "of S"),
        Row::new(
            "processor time of the server for each delivered event",
            "ms",
            each(|round| round.course.cpu.total() * 1e3 / float(round.course.deliveries)),
        )
        .must(Limit::AtMost(0.12))
        .aim(Limit::AtMost(0.08)),
        Row::new(
            "disk for each delivered event, after a checkpoint",
            "KB",
            each(|round| round.disk / 1024.0),
        )
        .must(Limit::AtMost(1.8))
        .aim(Limit::AtMost(1.4)),
    ])
}

/// One round on a new server; what came of it, and bytes on disk for each event.
fn round(bench: &Bench) -> Fallible<(Course, f64)> {
    let folder = bench.folder()?;
    let server = Start::on(folder.path()).start()?;
    server.endpoint(TENANT, &bench.receiver.url("/ok/one"), &json!({}))?;
    let requests = [server.event(TENANT, BODY)];
    let seconds = bench.pick(5.0, 1.0);
    let load =
        Load { server: &server, connections: 32, requests: &requests, fan_out: 1, class: "ok/one", seconds };
    let before = checkpointed_size(&server.database())?;
    let course = load.run(bench)?;
    let grown = checkpointed_size(&server.database())? - before;
    let disk = float(grown) / float(course.warm_up + course.deliveries);
    server.stop()?;
    Ok((course, disk))
}
