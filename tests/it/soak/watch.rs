//! Looks at the server again and again, from outside.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::process::Process;

use super::counter::Counter;

/// What a look has seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) at: Duration,
    pub(super) resident: u64,
    pub(super) descriptors: u64,
    pub(super) threads: u64,
    pub(super) wal: u64,
    /// Microseconds from the publisher to a good endpoint, of all that came since the last look.
    pub(super) p50: Option<u64>,
    pub(super) p99: Option<u64>,
}

/// One server to look at.
pub(super) struct Watched {
    proc: PathBuf,
    wal: PathBuf,
}

impl Watched {
    pub(super) fn new(process: &Process, data: &Path) -> Self {
        Self { proc: Path::new("/proc").join(process.pid().to_string()), wal: data.join("postrider.db-wal") }
    }

    pub(super) fn look(&self, at: Duration, counter: &Counter) -> Sample {
        let mut latencies = counter.take_latencies();
        latencies.sort_unstable();
        let quantile = |hundredths: usize| latencies.get(latencies.len() * hundredths / 100).copied();
        Sample {
            at,
            resident: self.status("VmRSS:") * 1024,
            descriptors: fs::read_dir(self.proc.join("fd")).expect("a process that runs").count() as u64,
            threads: self.status("Threads:"),
            wal: fs::metadata(&self.wal).expect("a write-ahead log").len(),
            p50: quantile(50),
            p99: quantile(99),
        }
    }

    fn status(&self, field: &str) -> u64 {
        let text = fs::read_to_string(self.proc.join("status")).expect("a process that runs");
        let line = text.lines().find_map(|line| line.strip_prefix(field)).expect("the field");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }
}

/// A figure of each sample.
pub(super) type Figure = fn(&Sample) -> Option<u64>;

/// The middle one of what was seen from one moment to another.
pub(super) fn median(samples: &[Sample], from: Duration, to: Duration, figure: Figure) -> u64 {
    let within = samples.iter().filter(|sample| from <= sample.at && sample.at < to);
    let mut values: Vec<u64> = within.filter_map(figure).collect();
    values.sort_unstable();
    assert!(!values.is_empty(), "nothing was seen from {from:?} to {to:?}");
    values[values.len() / 2]
}
