//! What the figures were measured on.

use serde_json::{Value, json};

use crate::bench::Bench;

/// Machine, disk and date.
pub fn about(bench: &Bench) -> Value {
    let place = &bench.place;
    json!({
        "date": date(),
        "postrider": env!("CARGO_PKG_VERSION"),
        "processor": processor(),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memory_mb": memory_mb(),
        "kernel": read("/proc/sys/kernel/osrelease"),
        "directory": place.path,
        "file_system": place.file_system,
        "device": place.device,
        "journal": place.journal.words(),
        "quick": bench.options.quick,
        "rounds": bench.options.rounds,
    })
}

/// The same for a person.
pub fn lines(about: &Value) -> String {
    let text = |name: &str| about[name].as_str().map_or_else(|| about[name].to_string(), str::to_owned);
    let quick = if about["quick"] == true { ", and rough: this is the quick run" } else { "" };
    format!(
        "Postrider {} on {}: {} cores of {}, {} MB, Linux {}\nDisk: {} on {}, {}\nRounds: {}; the figures are medians{quick}\n",
        text("postrider"),
        text("date"),
        text("cores"),
        text("processor"),
        text("memory_mb"),
        text("kernel"),
        text("file_system"),
        text("device"),
        text("journal"),
        text("rounds"),
    )
}

fn date() -> String {
    use postrider::clock::{Clock, SystemClock};
    let at = jiff::Timestamp::from_millisecond(SystemClock::new().wall().0);
    at.map_or_else(|error| error.to_string(), |at| at.strftime("%Y-%m-%d").to_string())
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

/// What follows the colon in the first line of a file that starts with `name`.
fn field(path: &str, name: &str) -> String {
    let text = read(path);
    let found = text.lines().find_map(|line| line.strip_prefix(name)?.split_once(':'));
    found.map_or_else(|| "unknown".to_owned(), |(_, value)| value.trim().to_owned())
}

fn processor() -> String {
    field("/proc/cpuinfo", "model name")
}

fn memory_mb() -> Option<u64> {
    let kilobytes: u64 = field("/proc/meminfo", "MemTotal").strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes / 1024)
}
