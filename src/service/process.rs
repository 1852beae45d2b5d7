//! What this process takes of the machine, as Linux tells it below `/proc/self`.

use rustix::process::{Resource, getrlimit};

/// A moment's measure.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Process {
    /// Seconds of processors that it has used, in user and system mode.
    pub cpu_seconds: f64,
    /// Bytes of memory that are in use.
    pub resident_bytes: u64,
    /// Bytes of address space.
    pub virtual_bytes: u64,
    /// Threads.
    pub threads: u64,
    /// Open descriptors.
    pub open_descriptors: u64,
    /// How many there may be.
    pub max_descriptors: u64,
}

impl Process {
    /// Measures. `None` where there is no `/proc`.
    pub fn measure() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        let memory = std::fs::read_to_string("/proc/self/statm").ok()?;
        let open = std::fs::read_dir("/proc/self/fd").ok()?.count();
        let ticks = rustix::param::clock_ticks_per_second().max(1);
        let (used, threads) = of_stat(&stat)?;
        let (all, resident) = of_statm(&memory)?;
        let page = rustix::param::page_size() as u64;
        #[expect(clippy::cast_precision_loss, reason = "ticks of a few hundred years")]
        let cpu_seconds = used as f64 / ticks as f64;
        Some(Self {
            cpu_seconds,
            resident_bytes: resident * page,
            virtual_bytes: all * page,
            threads,
            // Reading the folder has opened one.
            open_descriptors: (open as u64).saturating_sub(1),
            max_descriptors: getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX),
        })
    }
}

/// Ticks in user and system mode, and threads: fields 14, 15 and 20 of proc(5). The second one, the name in brackets, may
/// hold blanks and brackets.
fn of_stat(stat: &str) -> Option<(u64, u64)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |nth: usize| fields.get(nth - 3)?.parse::<u64>().ok();
    Some((number(14)? + number(15)?, number(20)?))
}

/// Pages of address space and of memory in use.
fn of_statm(memory: &str) -> Option<(u64, u64)> {
    let mut fields = memory.split_whitespace();
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_proc_are_found_whatever_the_program_is_called() {
        let stat = "7 (a ) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 25 17 0 0 20 0 9 0 300 400 500";
        assert_eq!(of_stat(stat), Some((42, 9)));
        assert_eq!(of_stat("7 (x"), None);
        assert_eq!(of_statm("100 30 2 1 0 9 0\n"), Some((100, 30)));
    }

    #[test]
    fn this_process_is_measured() {
        let measured = Process::measure().expect("Linux");
        assert!(measured.resident_bytes > 0 && measured.resident_bytes <= measured.virtual_bytes);
        assert!(measured.threads > 0 && measured.open_descriptors > 0);
        assert!(measured.max_descriptors >= measured.open_descriptors);
    }
}
