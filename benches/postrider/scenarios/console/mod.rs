//! Every page of the console, on a file of a million deliveries.

mod pages;

use crate::Fallible;
use crate::bench::{Bench, Scenario, megabytes};
use crate::get::Get;
use crate::histogram::Histogram;
use crate::now::millis;
use crate::row::{Limit, Row};
use crate::server::{OPERATOR, Server, Start};

use super::history::History;
use super::history::calls::Draw;

/// See the module.
pub const SCENARIO: Scenario =
    Scenario { name: "console", about: "every page of the console on a million deliveries of history", run };

/// How often each page is asked for; its time is the one in the middle, so that one hiccup of the machine is none of
/// the page's.
const TIMES: usize = 3;

struct Round {
    max_ms: f64,
    p99_ms: f64,
    pages: u64,
    slowest: String,
}

fn run(bench: &mut Bench) -> Fallible<Vec<Row>> {
    let folder = bench.folder()?;
    let (deliveries, tenants) = bench.pick((1_000_000, 100), (100_000, 10));
    let history = History::fill(bench, folder.path(), deliveries, tenants)?;
    let rounds = super::heavy_rounds(bench, |bench, _| {
        let server = Start::on(folder.path()).start()?;
        let round = round(bench, &server, &history)?;
        server.stop()?;
        Ok(round)
    })?;
    let worst = rounds.iter().max_by(|a, b| a.max_ms.total_cmp(&b.max_ms)).ok_or("no round")?;
    let note = format!("{} pages; the slowest: {}", worst.pages, worst.slowest);
    let max: Vec<_> = rounds.iter().map(|round| round.max_ms).collect();
    let p99: Vec<_> = rounds.iter().map(|round| round.p99_ms).collect();
    let name = bench.pick("1,000,000", "100,000");
    Ok(vec![
        Row::new(format!("{name} deliveries of history: any page of the console, the slowest"), "ms", max)
            .must(Limit::AtMost(50.0))
            .aim(Limit::AtMost(20.0))
            .note(note),
        Row::new("the same: any page of the console, p99", "ms", p99),
    ])
}

fn round(bench: &mut Bench, server: &Server, history: &History) -> Fallible<Round> {
    let cookie = server.sign_in(OPERATOR)?;
    let all = pages::all(server, &Draw::new(history), bench.pick(8, 2))?;
    let sampler = server.process.sample();
    let mut get = Get::open(server)?;
    let (mut times, mut max, mut slowest) = (Histogram::default(), 0, String::new());
    for path in all {
        let mut took = [0; TIMES];
        for time in &mut took {
            *time = get.page(&path, &cookie)?;
        }
        took.sort_unstable();
        let took = took[TIMES / 2];
        times.record(took);
        if took > max {
            (max, slowest) = (took, path);
        }
    }
    bench.note_peak("console", megabytes(sampler.peak()));
    let p99_ms = millis(times.percentile(99.0));
    Ok(Round { max_ms: millis(max), p99_ms, pages: times.count(), slowest })
}
