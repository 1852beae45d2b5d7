//! Fuzzing: any bytes into everything that reads what others send, and properties that have to hold.
//!
//! `targets` are functions of bytes that compare the engine with naive models. Each runs here on the corpus and on
//! random changes of it: for moments in every run, for minutes with `tests/run --long`. The variable
//! `POSTRIDER_FUZZ_SEED` repeats a run whose seed was printed. `calls` and `answers` do the same to the whole
//! server and to the sender.
//!
//! The same targets run under libFuzzer, which looks for inputs that reach new code; see `tests/fuzz/README.md`:
//!
//! ```text
//! TARGET=filters RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz -s none one \
//!     target/corpus/filters tests/it/fuzzing/corpus/filters -- -dict=tests/it/fuzzing/tokens.dict -max_total_time=600
//! ```

mod answers;
mod calls;
mod driver;
mod targets;

/// A test for each target, so that they run side by side and fail by their names.
macro_rules! fuzzed {
    ($($name:ident),* $(,)?) => {
        const TESTED: &[&str] = &[$(stringify!($name)),*];

        $(
            #[test]
            fn $name() {
                let target = targets::ALL.into_iter().find(|(name, _)| *name == stringify!($name));
                let (name, target) = target.expect("a target of this name");
                driver::run(name, target);
            }
        )*
    };
}

fuzzed! {
    addresses,
    bodies,
    chunks,
    client_addresses,
    filters,
    heads,
    headers,
    ids,
    names,
    networks,
    numbers,
    patterns,
    queries,
    retry_after,
    schedules,
    secrets,
    settings,
    times,
    urls,
}

#[test]
fn every_target_is_tested() {
    assert_eq!(targets::ALL.map(|(name, _)| name), TESTED);
}
