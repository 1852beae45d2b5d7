//! Full load on a server, from the first request to the last delivery: what most scenarios are made of.

use std::path::Path;

use crate::Fallible;
use crate::bench::{Bench, float, megabytes};
use crate::load::{Answers, Closed, Prepared, Until};
use crate::now::{nanos, now, seconds};
use crate::process::Cpu;
use crate::receiver::Class;
use crate::server::Server;

/// Seconds of load before what is measured: threads start, connections open.
const WARM_UP: f64 = 0.3;

/// What to do to a server.
pub struct Load<'a> {
    /// The server.
    pub server: &'a Server,
    /// Connections of the load.
    pub connections: usize,
    /// Its requests, in turn.
    pub requests: &'a [Prepared],
    /// Deliveries of each event, which all arrive at the receiver under `class`.
    pub fan_out: u64,
    /// See the module of the receiver.
    pub class: &'a str,
    /// For how long.
    pub seconds: f64,
}

/// What came of it.
pub struct Course {
    /// Deliveries that arrived, from the first request on until the last arrival, by the second.
    pub per_second: f64,
    /// How many arrived.
    pub deliveries: u64,
    /// How many arrived before, to warm up.
    pub warm_up: u64,
    /// Events accepted by the second while the load lasted.
    pub accepted_per_second: f64,
    /// What the load has seen.
    pub answers: Answers,
    /// What the receiver has seen.
    pub arrived: Class,
    /// Processor time of the server, until it was at rest again.
    pub cpu: Cpu,
    /// The most memory that the server took meanwhile, in megabytes.
    pub peak_mb: f64,
}

impl Load<'_> {
    /// Warms up, loads, waits for all that was accepted, and until the server is at rest.
    ///
    /// # Errors
    /// When an event is refused, or a delivery is lost or sent twice.
    pub fn run(&self, bench: &Bench) -> Fallible<Course> {
        let warm = self.drive(bench, 0, WARM_UP)?;
        bench.receiver.drained(self.class, warm.sent * self.fan_out)?;
        self.server.process.rest()?;
        bench.receiver.reset()?;
        let sampler = self.server.process.sample();
        let cpu = self.server.process.cpu()?;
        let answers = self.drive(bench, warm.sent, self.seconds)?;
        let deliveries = answers.sent * self.fan_out;
        let arrived = bench.receiver.drained(self.class, deliveries)?;
        self.server.process.rest()?;
        Ok(Course {
            per_second: float(deliveries) / seconds(arrived.last - answers.first),
            deliveries,
            warm_up: warm.sent * self.fan_out,
            accepted_per_second: float(answers.sent) / seconds(answers.last - answers.first),
            cpu: self.server.process.cpu()?.since(cpu),
            peak_mb: megabytes(sampler.peak()),
            answers,
            arrived,
        })
    }

    fn drive(&self, bench: &Bench, number: u64, seconds: f64) -> Fallible<Answers> {
        if number == 0 {
            bench.receiver.reset()?;
        }
        let answers = Closed {
            target: self.server.address,
            connections: self.connections,
            requests: self.requests,
            number,
            until: Until::Moment(now() + nanos(seconds)),
        }
        .run()?;
        answers.only(202)?;
        Ok(answers)
    }
}

/// Bytes of a database, once all of its log is folded back. The server must be at rest.
///
/// # Errors
/// When the server holds it back all the same.
pub fn checkpointed_size(database: &Path) -> Fallible<u64> {
    let connection = rusqlite::Connection::open(database)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy != 0 {
        return Err("the database cannot be checkpointed: somebody reads it".into());
    }
    Ok(std::fs::metadata(database)?.len())
}
