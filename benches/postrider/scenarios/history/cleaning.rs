//! A cleanup of a tenth of the history, while events come in at a steady pace.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use postrider::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use super::super::course::checkpointed_size;
use super::{History, share};
use crate::Fallible;
use crate::bench::{Bench, float, megabytes};
use crate::load::request::BODY;
use crate::load::{Answers, Paced, Prepared, Until};
use crate::now::{millis, now, seconds, since};
use crate::row::{Limit, Row};
use crate::server::{Server, Start};

const TENANT: &str = "meanwhile";
const CLASS: &str = "ok/meanwhile";
/// Events per second.
const PACE: f64 = 1_000.0;
const CONNECTIONS: usize = 128;
/// What a cleanup deletes of the history.
const TENTH: f64 = 0.1;
/// Rounds at most: each deletes the next tenth.
const ROUNDS: usize = 5;

struct Round {
    alone_ms: f64,
    beside_ms: f64,
    /// Of what the deleted rows took in the file, how much is given back.
    given_back: f64,
    /// Seconds that it took.
    took: f64,
}

pub fn rows(bench: &mut Bench, folder: &Path, history: &History) -> Fallible<Vec<Row>> {
    if bench.options.rounds > ROUNDS {
        return Err(format!("a history lasts for {ROUNDS} rounds").into());
    }
    let rounds = super::super::heavy_rounds(bench, |bench, number| round(bench, folder, history, number))?;
    let each = |figure: fn(&Round) -> f64| rounds.iter().map(figure).collect::<Vec<_>>();
    let deleted = bench.pick("1,000,000", "20,000");
    let alone = each(|round| round.alone_ms).into_iter().fold(0.0, f64::max);
    Ok(vec![
        Row::new(
            format!("cleanup of {deleted} with ingest at 1,000/s: p99 of a 202"),
            "ms",
            each(|round| round.beside_ms),
        )
        .must(Limit::AtMost(50.0))
        .aim(Limit::AtMost(20.0))
        .note(format!("without the cleanup {alone:.1} ms")),
        Row::new(
            "the same: given back, of what they took in the file",
            "share",
            each(|round| round.given_back),
        )
        .must(Limit::AtLeast(0.9)),
        Row::new("the same: until it was done", "s", each(|round| round.took)),
    ])
}

fn round(bench: &mut Bench, folder: &Path, history: &History, number: usize) -> Fallible<Round> {
    let server = Start::on(folder).start()?;
    let path = format!("/{CLASS}");
    server.endpoint(&format!("{TENANT}-{number}"), &bench.receiver.url(&path), &json!({}))?;
    let request = server.event(&format!("{TENANT}-{number}"), BODY);
    let sampler = server.process.sample();
    bench.receiver.reset()?;
    let begin = checkpointed_size(&server.database())?;
    let alone = load(&server, &request, 0, Until::Seconds(bench.pick(10.0, 1.5)))?;
    bench.receiver.drained(CLASS, alone.sent)?;
    server.process.rest()?;
    let before = checkpointed_size(&server.database())?;
    let each = (float(before) - float(begin)) / float(alone.sent);
    let (beside, took) = clean(&server, &request, alone.sent, cutoff(history, number), history)?;
    bench.receiver.drained(CLASS, alone.sent + beside.sent)?;
    server.process.rest()?;
    let after = checkpointed_size(&server.database())?;
    let peak = megabytes(sampler.peak());
    bench.note_peak("history, cleanup", peak);
    server.stop()?;
    let gone = float(before) + float(beside.sent) * each - float(after);
    eprintln!(
        "cleanup: {:.0} MB before, {:.0} MB after, {} events of {each:.0} bytes meanwhile, peak {peak:.0} MB, 202s {:?} to {:.1} ms",
        megabytes(before),
        megabytes(after),
        beside.sent,
        beside.by_status,
        millis(beside.latency.max()),
    );
    Ok(Round {
        alone_ms: millis(alone.latency.percentile(99.0)),
        beside_ms: millis(beside.latency.percentile(99.0)),
        given_back: gone / (float(history.size) * TENTH),
        took,
    })
}

/// Milliseconds since 1970 before which the round's cleanup deletes: after another tenth of the history.
fn cutoff(history: &History, round: usize) -> i64 {
    let span = (history.until.0 - history.since.0) / 10;
    history.since.0 + span * i64::try_from(round).unwrap_or(i64::MAX)
}

/// Cleans while the load goes on; what the load has seen, and how long the cleanup took.
fn clean(
    server: &Server,
    request: &Prepared,
    number: u64,
    before: i64,
    history: &History,
) -> Fallible<(Answers, f64)> {
    let over = AtomicBool::new(false);
    let started = now();
    let (cleaned, load) = std::thread::scope(|scope| {
        let load = scope.spawn(|| load(server, request, number, Until::Told(&over)));
        let age = (SystemClock::new().wall().0 - before) / 1_000;
        let cleaned = server.post("/cleanups", &json!({ "older_than_seconds": age }));
        over.store(true, Ordering::Relaxed);
        (cleaned, load.join())
    });
    let took = seconds(since(started));
    let (cleaned, answers) = (cleaned?, load.map_err(|_| "the load has panicked")??);
    let wanted = share(history.deliveries, TENTH);
    for what in ["deliveries", "events"] {
        let deleted = cleaned[what].as_u64().map_or(0.0, float);
        // The cutoff is a whole second.
        if cleaned["error"] != Value::Null || (deleted / wanted - 1.0).abs() > 0.01 {
            return Err(format!("the cleanup was to delete {wanted} {what}: {cleaned}").into());
        }
    }
    Ok((answers, took))
}

fn load(server: &Server, request: &Prepared, number: u64, until: Until<'_>) -> Fallible<Answers> {
    let requests = std::slice::from_ref(request);
    let load =
        Paced { target: server.address, per_second: PACE, connections: CONNECTIONS, requests, number, until };
    let answers = load.run()?;
    answers.only(202)?;
    Ok(answers)
}
