//! Runs one target of `tests/it/fuzzing/targets` under libFuzzer: the one that the variable `TARGET` names.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

#[path = "../it/fuzzing/targets/mod.rs"]
mod targets;

static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();

fn target() -> fn(&[u8]) {
    let names = || targets::ALL.map(|(name, _)| name).join(", ");
    let wanted = std::env::var("TARGET").unwrap_or_default();
    let found = targets::ALL.into_iter().find(|(name, _)| *name == wanted);
    found.unwrap_or_else(|| panic!("set TARGET to one of {}", names())).1
}

fuzz_target!(|bytes: &[u8]| TARGET.get_or_init(target)(bytes));
