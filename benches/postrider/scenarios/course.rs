//! Full load on a server, from the first request to the last delivery: what most scenarios are made of.

use std::path::Path;
use std::time::Duration;

use crate::Fallible;
use crate::bench::{Bench, float, megabytes};
use crate::load::{Answers, Closed, Prepared, Until};
use crate::now::seconds;
use crate::process::Cpu;
use crate::server::Server;

/// Events before what is measured: threads start, and each of 1,000 endpoints has its name looked up and a
/// connection opened.
const WARM_UP: u64 = 2000;

/// What to do to a server.
#[derive(Clone, Copy)]
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
#[derive(Debug, Clone)]
pub struct Course {
    /// Deliveries that arrived, from the first request on until the last arrival, by the second.
    pub per_second: f64,
    /// How many arrived.
    pub deliveries: u64,
    /// Events accepted by the second while the load lasted.
    pub accepted_per_second: f64,
    /// Processor time of the server, until it was at rest again.
    pub cpu: Cpu,
    /// Bytes that the server made the disk write.
    pub written: u64,
    /// Bytes that the database has grown by, once its log is folded back.
    pub grown: u64,
    /// The most memory that the server took meanwhile, in megabytes.
    pub peak_mb: f64,
    /// The most threads that it had.
    pub threads: u64,
    /// Connections that it opened to the receiver.
    pub connections: u64,
}

impl Load<'_> {
    /// Warms up, loads, waits for all that was accepted, and until the server is at rest.
    ///
    /// # Errors
    /// When an event is refused, or a delivery is lost or sent twice.
    pub fn run(self, bench: &Bench) -> Fallible<Course> {
        let process = self.server.process;
        let (warm_up, _) = self.drive(bench, 0, Until::Sent(WARM_UP))?;
        let size = checkpointed_size(&self.server.database())?;
        let sampler = process.sample();
        let (cpu, written) = (process.cpu()?, process.written()?);
        let (answers, last) = self.drive(bench, warm_up.sent, Until::Seconds(self.seconds))?;
        let (peak_mb, threads) = (megabytes(sampler.peak()), sampler.threads());
        let (cpu, written) = (process.cpu()?.since(cpu), process.written()? - written);
        let deliveries = answers.sent * self.fan_out;
        Ok(Course {
            per_second: float(deliveries) / seconds(last - answers.first),
            deliveries,
            accepted_per_second: float(answers.sent) / seconds(answers.last - answers.first),
            cpu,
            written,
            grown: checkpointed_size(&self.server.database())? - size,
            peak_mb,
            threads,
            connections: bench.receiver.report()?.connections,
        })
    }

    /// Loads and waits for the end of all that follows from it; what the load has seen, and the moment of the last
    /// arrival.
    fn drive(self, bench: &Bench, number: u64, until: Until<'_>) -> Fallible<(Answers, u64)> {
        bench.receiver.reset()?;
        let answers = Closed {
            target: self.server.address,
            connections: self.connections,
            requests: self.requests,
            number,
            until,
        }
        .run()?;
        answers.only(202)?;
        let arrived = bench.receiver.drained(self.class, answers.sent * self.fan_out)?;
        self.server.process.rest()?;
        Ok((answers, arrived.last))
    }
}

/// Bytes of a database, once all of its log is folded back. The server must be at rest.
///
/// # Errors
/// When somebody holds the log all the same.
pub fn checkpointed_size(database: &Path) -> Fallible<u64> {
    let connection = rusqlite::Connection::open(database)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy != 0 {
        return Err("the database cannot be checkpointed: somebody holds its log".into());
    }
    Ok(std::fs::metadata(database)?.len())
}
