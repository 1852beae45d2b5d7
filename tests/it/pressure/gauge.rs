//! What a process takes, as the system counts it.

use std::fs;

pub const MEGABYTE: u64 = 1024 * 1024;

/// A process that is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Gauge(pub u32);

impl Gauge {
    fn status(self, field: &str) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.0)).expect("a process that runs");
        let line = text.lines().find_map(|line| line.strip_prefix(field)).expect("the field");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Bytes that are resident.
    pub fn resident(self) -> u64 {
        self.status("VmRSS:") * 1024
    }

    /// The most bytes that have ever been resident.
    pub fn peak(self) -> u64 {
        self.status("VmHWM:") * 1024
    }

    /// Open descriptors.
    pub fn descriptors(self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.0)).expect("a process that runs").count()
    }

    /// Hundredths of a second of processor time.
    pub fn processor(self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.0)).expect("a process that runs");
        let after_name = text.rsplit_once(')').expect("a name in brackets").1;
        let times = after_name.split_whitespace().skip(11).take(2);
        times.map(|time| time.parse::<u64>().expect("a number")).sum()
    }
}
