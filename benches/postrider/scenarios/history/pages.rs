//! Any page of any list, with any cursor.

use std::path::Path;

use super::History;
use super::calls::{self, Draw};
use crate::Fallible;
use crate::bench::{Bench, megabytes};
use crate::get::Get;
use crate::histogram::Histogram;
use crate::now::millis;
use crate::row::{Limit, Row};
use crate::server::Start;

/// How often each page is asked for; its time is the one in the middle, so that one hiccup of the machine is none of
/// the page's.
const TIMES: usize = 3;
/// A page that is asked for goes on with so many that follow.
const FOLLOWING: usize = 2;

struct Round {
    max_ms: f64,
    p99_ms: f64,
    pages: u64,
    slowest: String,
}

pub fn rows(bench: &mut Bench, folder: &Path, history: &History) -> Fallible<Vec<Row>> {
    let rounds = super::super::heavy_rounds(bench, |bench, _| round(bench, folder, history))?;
    let worst = rounds.iter().max_by(|a, b| a.max_ms.total_cmp(&b.max_ms)).ok_or("no round")?;
    let note = format!("{} pages; the slowest: {}", worst.pages, worst.slowest);
    let max: Vec<_> = rounds.iter().map(|round| round.max_ms).collect();
    let p99: Vec<_> = rounds.iter().map(|round| round.p99_ms).collect();
    Ok(vec![
        Row::new("the same: any page of any list, the slowest", "ms", max)
            .must(Limit::AtMost(20.0))
            .aim(Limit::AtMost(5.0))
            .note(note),
        Row::new("the same: any page of any list, p99", "ms", p99),
    ])
}

fn round(bench: &mut Bench, folder: &Path, history: &History) -> Fallible<Round> {
    let server = Start::on(folder).start()?;
    let sampler = server.process.sample();
    let (mut get, draw) = (Get::open(&server)?, Draw::new(history));
    let (mut all, mut max, mut slowest) = (Histogram::default(), 0, String::new());
    for call in calls::all(&draw) {
        for nth in 0..bench.pick(8, 2) {
            let mut path = draw.page(&call, nth);
            for _ in 0..=FOLLOWING {
                let (took, next) = page(&mut get, &path)?;
                if took > max {
                    max = took;
                    slowest.clone_from(&path);
                }
                all.record(took);
                let Some(next) = next else { break };
                path = format!("{}&cursor={next}", path.split("&cursor=").next().unwrap_or_default());
            }
        }
    }
    bench.note_peak("history, lists", megabytes(sampler.peak()));
    server.stop()?;
    Ok(Round { max_ms: millis(max), p99_ms: millis(all.percentile(99.0)), pages: all.count(), slowest })
}

/// How long a page takes, and where the next one starts.
fn page(get: &mut Get, path: &str) -> Fallible<(u64, Option<String>)> {
    let mut times = [0; TIMES];
    let mut next = None;
    for time in &mut times {
        let got = get.api(path)?;
        *time = got.took;
        next = got.body["next_cursor"].as_str().map(str::to_owned);
    }
    times.sort_unstable();
    Ok((times[TIMES / 2], next))
}
