//! One endpoint, 32 connections: the plain case, and what it costs for each event in processor time and on disk.

use serde_json::json;

use super::course::{Course, Load};
use crate::Fallible;
use crate::bench::{Bench, Scenario, float};
use crate::ceilings::request::TENANT;
use crate::load::request::BODY;
use crate::row::{Limit, Row};
use crate::server::{Server, Start};

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
}

impl Round {
    fn for_each_event(&self, figure: f64) -> f64 {
        figure / float(self.course.deliveries)
    }
}

fn run(bench: &mut Bench) -> Fallible<Vec<Row>> {
    let rounds = bench.rounds(|bench, _| {
        let [r, s] = bench.r_and_s()?;
        let course = round(bench)?;
        bench.note_peak("one", course.peak_mb);
        Ok(Round { r, s, course })
    })?;
    let each = |figure: fn(&Round) -> f64| rounds.iter().map(figure).collect::<Vec<_>>();
    let cpu = |round: &Round| round.for_each_event(round.course.cpu.total()) * 1e3;
    let grown = |round: &Round| round.for_each_event(float(round.course.grown)) / 1024.0;
    let written = |round: &Round| round.for_each_event(float(round.course.written)) / 1024.0;
    Ok(vec![
        Row::new("one endpoint, 32 connections", "deliveries/s", each(|round| round.course.per_second))
            .over(&each(|round| round.r), "of R")
            .over(&each(|round| round.s), "of S")
            .must(Limit::AtLeast(1.0 / 4.0))
            .aim(Limit::AtLeast(1.0 / 3.0))
            .note(remark(&rounds)),
        Row::new("processor time of the server for each delivered event", "ms", each(cpu))
            .must(Limit::AtMost(0.12))
            .aim(Limit::AtMost(0.08)),
        Row::new("disk for each delivered event, after a checkpoint", "KB", each(grown))
            .must(Limit::AtMost(1.8))
            .aim(Limit::AtMost(1.4))
            .note("what the file has grown by once `PRAGMA wal_checkpoint(TRUNCATE)` has emptied its log"),
        Row::new("written to the disk for each delivered event, the log included", "KB", each(written)),
    ])
}

/// What the figures of the last round do not say.
fn remark(rounds: &[Round]) -> String {
    let Some(round) = rounds.last() else { return String::new() };
    let Course { accepted_per_second, cpu, threads, .. } = &round.course;
    let share = 100.0 * cpu.system / cpu.total();
    format!(
        "the last round accepted {accepted_per_second:.0} events/s while its load lasted; the server had at most \
         {threads} threads and spent {share:.0} % of its processor time in the kernel"
    )
}

/// One round on a new server.
pub fn round(bench: &Bench) -> Fallible<Course> {
    let folder = bench.folder()?;
    let server = Start::on(folder.path()).start()?;
    let course = load(bench, &server)?;
    server.stop()?;
    Ok(course)
}

/// Full load on a server that is new to it.
pub fn load(bench: &Bench, server: &Server) -> Fallible<Course> {
    server.endpoint(TENANT, &bench.receiver.url("/ok/one"), &json!({}))?;
    let requests = [server.event(TENANT, BODY)];
    let seconds = bench.pick(5.0, 0.7);
    Load { server, connections: 32, requests: &requests, fan_out: 1, class: "ok/one", seconds }.run(bench)
}
