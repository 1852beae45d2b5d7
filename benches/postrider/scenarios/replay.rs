//! A replay of everything that an endpoint ever got, and fresh events for another one meanwhile.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use postrider::clock::{Clock, SystemClock};
use postrider::domain::time::UnixMs;
use serde_json::json;

use super::fresh::{Fresh, fresh};
use crate::Fallible;
use crate::bench::{Bench, Scenario, float, megabytes};
use crate::fill::Fill;
use crate::load::request::BODY;
use crate::load::{Closed, Until};
use crate::now::{now, seconds, since, sleep};
use crate::row::Row;
use crate::server::{Server, Start};

/// See the module.
pub const SCENARIO: Scenario =
    Scenario { name: "replay", about: "a million deliveries are sent again; fresh ones meanwhile", run };

/// Seconds that the whole replay may take.
const PATIENCE: f64 = 600.0;

struct Round {
    per_second: f64,
    peak_mb: f64,
    alone: Fresh,
    beside: Fresh,
}

fn run(bench: &mut Bench) -> Fallible<Vec<Row>> {
    let rounds = super::heavy_rounds(bench, |bench, _| round(bench))?;
    let each = |figure: fn(&Round) -> f64| rounds.iter().map(figure).collect::<Vec<_>>();
    let many = bench.pick("1,000,000", "50,000");
    Ok(vec![
        Row::new(
            format!("{many} deliveries replayed, made and delivered"),
            "deliveries/s",
            each(|round| round.per_second),
        ),
        Row::new("the same: peak memory", "MB", each(|round| round.peak_mb)),
        Row::new(
            "the same: p99 of fresh events to another endpoint",
            "ms",
            each(|round| round.beside.arrived),
        )
        .over(&each(|round| round.alone.arrived), "of it on an idle server"),
    ])
}

fn round(bench: &mut Bench) -> Fallible<Round> {
    let folder = bench.folder()?;
    let many = bench.pick(1_000_000, 50_000);
    let endpoint = fill(bench, folder.path(), many)?;
    let server = Start::on(folder.path()).start()?;
    fresh(bench, &server, Until::Sent(20))?;
    bench.receiver.reset()?;
    let alone = fresh(bench, &server, Until::Seconds(bench.pick(10.0, 2.5)))?;
    bench.receiver.reset()?;
    let sampler = server.process.sample();
    let started = now();
    let wanted = json!({ "since": "1970-01-01T00:00:00Z", "status": "delivered" });
    server.post(&format!("/endpoints/{endpoint}/replay"), &wanted)?;
    let over = AtomicBool::new(false);
    let (replayed, beside) = std::thread::scope(|scope| {
        let beside = scope.spawn(|| fresh(bench, &server, Until::Told(&over)));
        let replayed = finished(&server, started);
        over.store(true, Ordering::Relaxed);
        (replayed, beside.join())
    });
    let beside = beside.map_err(|_| "the load has panicked")??;
    let took = seconds(replayed?);
    let peak_mb = megabytes(sampler.peak());
    server.stop()?;
    Ok(Round { per_second: float(many.unsigned_abs()) / took, peak_mb, alone, beside })
}

/// Waits until the replay is done and all that it has made is delivered; how long that took.
fn finished(server: &Server, started: u64) -> Fallible<u64> {
    loop {
        let replay = &server.get("/replays")?["data"][0];
        let waiting = server.get("/stats")?["now"]["waiting"].as_u64().unwrap_or(0);
        // Fresh events may wait as well, a few.
        if replay["status"] == "done" && waiting < 16 {
            return Ok(since(started));
        }
        if seconds(since(started)) > PATIENCE {
            return Err(format!("the replay is not over after {PATIENCE} s: {replay}").into());
        }
        sleep(0.05);
    }
}

/// A file in which so many events were delivered to one endpoint, whose id this is.
fn fill(bench: &Bench, folder: &Path, many: i64) -> Fallible<String> {
    let server = Start::on(folder).start()?;
    server.endpoint("fresh", &bench.receiver.url("/ok/fresh"), &json!({}))?;
    let endpoint = server.endpoint("old", &bench.receiver.url("/ok/old"), &json!({}))?;
    bench.receiver.reset()?;
    let requests = &[server.event("old", BODY)];
    Closed { target: server.address, connections: 1, requests, number: 0, until: Until::Sent(1) }
        .run()?
        .only(202)?;
    bench.receiver.drained("ok/old", 1)?;
    server.process.rest()?;
    let file = server.database();
    server.stop()?;
    let until = SystemClock::new().wall();
    Fill { deliveries: many, since: UnixMs(until.0 - 3_600_000), until }.run(&file)?;
    Ok(endpoint)
}
