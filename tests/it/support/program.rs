//! The program itself, for tests that start and kill it.

use std::ffi::OsString;
use std::process::{Command, Stdio};

/// A command that starts the program: what ships if `tests/run` has built it (`POSTRIDER_BIN`), else the build that
/// belongs to this test. It has no standard input, and no setting of ours reaches it from outside.
pub fn program() -> Command {
    let built_with_the_tests = || OsString::from(env!("CARGO_BIN_EXE_postrider"));
    let path = std::env::var_os("POSTRIDER_BIN").unwrap_or_else(built_with_the_tests);
    let mut command = Command::new(path);
    command.stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("POSTRIDER_") {
            command.env_remove(name);
        }
    }
    command
}
