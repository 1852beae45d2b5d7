//! Ten million deliveries of history: what a large file costs.

pub mod calls;
mod cleaning;
mod pages;

use std::path::Path;

use postrider::clock::{Clock, SystemClock};
use postrider::domain::time::UnixMs;
use serde_json::json;

use super::course::{Load, checkpointed_size};
use crate::Fallible;
use crate::bench::{Bench, Scenario, float, megabytes};
use crate::fill::seed::Seed;
use crate::fill::{Fill, check};
use crate::load::request::BODY;
use crate::now::{now, seconds, since};
use crate::row::{Limit, Row};
use crate::server::Start;

/// See the module.
pub const SCENARIO: Scenario = Scenario {
    name: "history",
    about: "ten million deliveries of history: throughput, pages of lists, cleanup",
    run,
};

/// Endpoints of each tenant: as many as it may have.
const OF_A_TENANT: usize = 10;
const DAYS: i64 = 30;
const DAY_MS: i64 = 86_400_000;

/// A file with a history, and what is known of it.
pub struct History {
    /// Deliveries, all of other tenants than the load's.
    pub deliveries: i64,
    /// When the first was accepted.
    pub since: UnixMs,
    /// When the last was.
    pub until: UnixMs,
    /// The endpoints, the oldest first.
    pub endpoints: Vec<String>,
    /// How many tenants they belong to.
    pub tenants: usize,
    /// Bytes of the file, once it was filled.
    pub size: u64,
}

fn run(bench: &mut Bench) -> Fallible<Vec<Row>> {
    check::run(bench)?;
    let folder = bench.folder()?;
    let (deliveries, tenants) = bench.pick((10_000_000, 100), (200_000, 10));
    let history = History::fill(bench, folder.path(), deliveries, tenants)?;
    let mut rows = throughput(bench, folder.path())?;
    rows.extend(pages::rows(bench, folder.path(), &history)?);
    rows.extend(cleaning::rows(bench, folder.path(), &history)?);
    Ok(rows)
}

impl History {
    /// Makes so many deliveries of the last days, of so many tenants; the file has an operator.
    ///
    /// # Errors
    /// What the server or the file refuse.
    pub fn fill(bench: &Bench, folder: &Path, deliveries: i64, tenants: usize) -> Fallible<Self> {
        let started = now();
        let server = Start::on(folder).operator().start()?;
        let seed = Seed::plant(&server, &bench.receiver, tenants * OF_A_TENANT, tenants)?;
        seed.publish(&server, &bench.receiver, 1)?;
        let file = server.database();
        server.stop()?;
        let until = SystemClock::new().wall();
        let since_at = UnixMs(until.0 - DAYS * DAY_MS);
        Fill { deliveries, since: since_at, until }.run(&file)?;
        let size = std::fs::metadata(&file)?.len();
        eprintln!(
            "history: {deliveries} deliveries, {:.0} MB, made in {:.0} s",
            megabytes(size),
            seconds(since(started))
        );
        Ok(Self { deliveries, since: since_at, until, endpoints: seed.endpoints, tenants, size })
    }
}

/// One endpoint at full load, on this file and on an empty one, in turn.
fn throughput(bench: &mut Bench, filled: &Path) -> Fallible<Vec<Row>> {
    let deliveries = bench.pick("10,000,000", "200,000");
    let rounds = super::heavy_rounds(bench, |bench, number| {
        let empty = bench.folder()?;
        // Each goes first as often as the other.
        let (first, second) = if number % 2 == 0 { (empty.path(), filled) } else { (filled, empty.path()) };
        let (first, second) = (one(bench, first, number)?, one(bench, second, number)?);
        Ok(if number % 2 == 0 { (second, first) } else { (first, second) })
    })?;
    let (on_filled, on_empty): (Vec<_>, Vec<_>) = rounds.into_iter().unzip();
    Ok(vec![
        Row::new(format!("{deliveries} deliveries of history: one endpoint"), "deliveries/s", on_filled)
            .over(&on_empty, "of an empty file")
            .must(Limit::AtLeast(0.9))
            .aim(Limit::AtLeast(1.0)),
    ])
}

fn one(bench: &mut Bench, folder: &Path, round: usize) -> Fallible<f64> {
    let server = Start::on(folder).start()?;
    let (tenant, path) = (format!("load-{round}"), format!("/ok/load-{round}"));
    server.endpoint(&tenant, &bench.receiver.url(&path), &json!({}))?;
    checkpointed_size(&server.database())?;
    let requests = [server.event(&tenant, BODY)];
    let seconds = bench.pick(5.0, 1.0);
    let load = Load {
        server: &server,
        connections: 32,
        requests: &requests,
        fan_out: 1,
        class: &path[1..],
        seconds,
    };
    let course = load.run(bench)?;
    bench.note_peak("history", course.peak_mb);
    server.stop()?;
    Ok(course.per_second)
}

/// A part of the history as a number to calculate with.
fn share(of: i64, part: f64) -> f64 {
    float(of.unsigned_abs()) * part
}
