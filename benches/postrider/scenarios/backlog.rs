//! A server that starts with a million deliveries due at one endpoint, and fresh events for another one meanwhile.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use postrider::clock::{Clock, SystemClock};
use postrider::domain::time::UnixMs;
use serde_json::json;

use super::course::Load;
use super::fresh::{Fresh, fresh};
use crate::Fallible;
use crate::bench::{Bench, Scenario, float, megabytes};
use crate::fill::Fill;
use crate::get::Get;
use crate::load::request::BODY;
use crate::load::{Closed, Until};
use crate::now::{nanos, now, seconds, since, sleep};
use crate::row::{Limit, Row};
use crate::server::{Server, Start};

/// See the module.
pub const SCENARIO: Scenario =
    Scenario { name: "backlog", about: "a million deliveries due at the start; fresh ones meanwhile", run };

/// How long a start may take at all; seconds.
const PATIENCE: f64 = 60.0;

struct Round {
    one: f64,
    ready: f64,
    drained: f64,
    peak_mb: f64,
    alone: Fresh,
    beside: Fresh,
}

fn run(bench: &mut Bench) -> Fallible<Vec<Row>> {
    let rounds = super::heavy_rounds(bench, |bench, _| round(bench))?;
    let each = |figure: fn(&Round) -> f64| rounds.iter().map(figure).collect::<Vec<_>>();
    let due = bench.pick("1,000,000", "50,000");
    let accepted = Row::new("", "", each(|round| round.beside.accepted)).figures.median();
    Ok(vec![
        Row::new(format!("{due} deliveries due at the start: ready after"), "s", each(|round| round.ready))
            .must(Limit::AtMost(1.0)),
        Row::new("the same: peak memory", "MB", each(|round| round.peak_mb)).must(Limit::AtMost(120.0)),
        Row::new("the same: drained", "deliveries/s", each(|round| round.drained))
            .over(&each(|round| round.one), "of one endpoint")
            .must(Limit::AtLeast(0.7)),
        Row::new(
            "the same: p99 of fresh events to another endpoint",
            "ms",
            each(|round| round.beside.arrived),
        )
        .over(&each(|round| round.alone.arrived), "of it on an idle server")
        .must(Limit::AtMost(2.0))
        .note(format!("of which {accepted:.1} ms until the 202")),
    ])
}

fn round(bench: &mut Bench) -> Fallible<Round> {
    let (one, alone) = without(bench)?;
    let folder = bench.folder()?;
    let due = bench.pick(1_000_000, 50_000);
    fill(bench, folder.path(), due)?;
    bench.receiver.reset()?;
    let server = Start::on(folder.path()).start()?;
    let sampler = server.process.sample();
    let ready = ready(&server)?;
    let over = AtomicBool::new(false);
    let (backlog, fresh) = std::thread::scope(|scope| {
        let fresh = scope.spawn(|| fresh(bench, &server, Until::Told(&over)));
        let backlog = bench.receiver.drained("ok/backlog", due.unsigned_abs());
        over.store(true, Ordering::Relaxed);
        (backlog, fresh.join())
    });
    let (backlog, beside) = (backlog?, fresh.map_err(|_| "the load has panicked")??);
    let peak_mb = megabytes(sampler.peak());
    server.stop()?;
    let drained = float(backlog.requests) / seconds(backlog.last - backlog.first);
    Ok(Round { one, ready, drained, peak_mb, alone, beside })
}

/// Without a backlog: deliveries per second of one endpoint at full load, and fresh events alone.
fn without(bench: &Bench) -> Fallible<(f64, Fresh)> {
    let folder = bench.folder()?;
    let server = Start::on(folder.path()).start()?;
    server.endpoint("one", &bench.receiver.url("/ok/one"), &json!({}))?;
    server.endpoint("fresh", &bench.receiver.url("/ok/fresh"), &json!({}))?;
    let requests = [server.event("one", BODY)];
    let seconds = bench.pick(5.0, 1.0);
    let load =
        Load { server: &server, connections: 32, requests: &requests, fan_out: 1, class: "ok/one", seconds };
    let one = load.run(bench)?.per_second;
    fresh(bench, &server, Until::Sent(20))?;
    bench.receiver.reset()?;
    let alone = fresh(bench, &server, Until::Seconds(bench.pick(10.0, 2.5)))?;
    server.stop()?;
    Ok((one, alone))
}

/// A file in which so many deliveries are due at one endpoint: as a kill leaves them that were never tried.
fn fill(bench: &Bench, folder: &Path, due: i64) -> Fallible<()> {
    let server = Start::on(folder).start()?;
    server.endpoint("fresh", &bench.receiver.url("/ok/fresh"), &json!({}))?;
    server.endpoint("backlog", &bench.receiver.url("/hang/backlog"), &json!({}))?;
    bench.receiver.reset()?;
    let requests = &[server.event("backlog", BODY)];
    let until = Until::Sent(1);
    Closed { target: server.address, connections: 1, requests, number: 0, until }.run()?.only(202)?;
    bench.receiver.drained("hang/backlog", 1)?;
    let file = server.database();
    // Without a chance to write down how that attempt ends.
    drop(server);
    let connection = rusqlite::Connection::open(&file)?;
    let moved =
        connection.execute("UPDATE endpoint_revisions SET url = replace(url, '/hang/', '/ok/')", [])?;
    if moved != 2 {
        return Err(format!("{moved} endpoints in a file that was made with two").into());
    }
    drop(connection);
    let until = SystemClock::new().wall();
    Ok(Fill { deliveries: due, since: UnixMs(until.0 - 3_600_000), until }.run(&file)?)
}

/// Seconds from the start of its process until it says that it is ready.
fn ready(server: &Server) -> Fallible<f64> {
    let listening = now();
    let mut get = Get::open(server)?;
    while get.root("/readyz")?.status != 200 {
        if since(listening) > nanos(PATIENCE) {
            return Err(format!("the server is not ready after {PATIENCE} s").into());
        }
        sleep(0.001);
    }
    Ok(seconds(server.ready_after + since(listening)))
}
