//! Blocks of code in a guide, found by what stands behind their three backquotes, and run.

use std::path::Path;
use std::process::Command;

/// The one block that is marked with these words.
#[track_caller]
pub fn block<'a>(guide: &'a str, mark: &str) -> &'a str {
    let (_, after) = guide.split_once(&format!("\n```{mark}\n")).unwrap_or_else(|| panic!("no block {mark}"));
    let (block, rest) = after.split_once("\n```\n").expect("its end");
    assert!(!rest.contains(&format!("\n```{mark}\n")), "two blocks {mark}");
    block
}

/// Runs commands of a guide in this folder; what they have printed. A call that the server refuses ends them and fails
/// the test: in the guide that is left to the eyes of whoever reads the answer.
#[track_caller]
pub fn run(commands: &str, folder: &Path) -> String {
    let script = commands.replace("curl -sS ", "curl -sS --fail-with-body ");
    output(Command::new("bash").args(["-euc", &script]).current_dir(folder))
}

/// What a command that succeeds has printed.
#[track_caller]
pub fn output(command: &mut Command) -> String {
    let ended = command.output().expect("it can be started");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(ended.status.success(), "{}{}", said(&ended.stdout), said(&ended.stderr));
    said(&ended.stdout)
}
