//! What is fuzzed: functions that take any bytes and assert what has to hold for them, most of it against a second,
//! naive implementation.
//!
//! `tests/it/fuzzing.rs` runs them on the corpus and on mutations of it; `tests/fuzz` runs the same functions under
//! libFuzzer.

mod addresses;
mod bodies;
mod chunks;
mod client_addresses;
pub mod filters;
mod headers;
mod heads;
mod ids;
pub mod model;
mod names;
mod networks;
mod numbers;
mod patterns;
mod queries;
mod retry_after;
mod schedules;
mod secrets;
mod settings;
mod times;
mod urls;

/// A name, which is that of the folder with its corpus, and the function.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const ALL: [Target; 19] = [
    ("addresses", addresses::target),
    ("bodies", bodies::target),
    ("chunks", chunks::target),
    ("client_addresses", client_addresses::target),
    ("filters", filters::target),
    ("heads", heads::target),
    ("headers", headers::target),
    ("ids", ids::target),
    ("names", names::target),
    ("networks", networks::target),
    ("numbers", numbers::target),
    ("patterns", patterns::target),
    ("queries", queries::target),
    ("retry_after", retry_after::target),
    ("schedules", schedules::target),
    ("secrets", secrets::target),
    ("settings", settings::target),
    ("times", times::target),
    ("urls", urls::target),
];

/// What separates the texts of an input that has several.
pub const BETWEEN: char = '\u{1e}';

/// The texts of an input, each empty where there is none.
fn texts<const N: usize>(bytes: &[u8]) -> Option<[&str; N]> {
    let mut parts = std::str::from_utf8(bytes).ok()?.splitn(N, BETWEEN);
    Some(std::array::from_fn(|_| parts.next().unwrap_or_default()))
}
