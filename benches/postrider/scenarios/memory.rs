//! Resident memory of a fresh start, and of a server that has been idle for a minute after full load.

use tempfile::TempDir;

use super::one;
use crate::Fallible;
use crate::bench::{Bench, Scenario, megabytes};
use crate::now::{nanos, now, sleep, sleep_until};
use crate::row::{Limit, Row};
use crate::server::{Server, Start};

/// See the module.
pub const SCENARIO: Scenario = Scenario {
    name: "memory",
    about: "resident memory: on a fresh start, and a minute after full load",
    run,
};

/// A server that was loaded, and when it is looked at again.
struct Loaded {
    server: Server,
    at: u64,
    // Removed after the server has ended.
    _folder: TempDir,
}

fn run(bench: &mut Bench) -> Fallible<Vec<Row>> {
    let idle = bench.rounds(|bench, _| {
        let folder = bench.folder()?;
        let server = Start::on(folder.path()).start()?;
        server.process.rest()?;
        sleep(bench.pick(2.0, 0.5));
        resident(&server)
    })?;
    // One after another is loaded; then they are idle beside each other.
    let wait = bench.pick(60.0, 5.0);
    let loaded = bench.rounds(|bench, _| {
        let folder = bench.folder()?;
        let server = Start::on(folder.path()).start()?;
        one::load(bench, &server)?;
        Ok(Loaded { server, at: now() + nanos(wait), _folder: folder })
    })?;
    let after = loaded.iter().map(|loaded| {
        sleep_until(loaded.at);
        resident(&loaded.server)
    });
    Ok(vec![
        Row::new("memory: idle on a fresh start", "MB", idle)
            .must(Limit::AtMost(20.0))
            .aim(Limit::AtMost(12.0)),
        Row::new(format!("memory: {wait} s after full load"), "MB", after.collect::<Fallible<_>>()?)
            .must(Limit::AtMost(60.0))
            .aim(Limit::AtMost(40.0)),
    ])
}

fn resident(server: &Server) -> Fallible<f64> {
    Ok(megabytes(server.process.memory("VmRSS")?))
}
