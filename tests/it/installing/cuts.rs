//! An upgrade that is interrupted at any of the commands that it runs, and run again.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::place::{CLONE, Place, Ran, finish};
use crate::support::guide::output;
use crate::support::length::short_or_long;

/// Commands that the script runs and that change something or begin to.
const COMMANDS: [&str; 11] =
    ["cat", "chmod", "cp", "date", "du", "flock", "mkdir", "mv", "rm", "sed", "sync"];

/// Runs an upgrade that gets this signal at number `at` of these commands; how many there were.
pub(super) fn cut(place: &Place, version: &Path, commands: &[&str], at: usize, signal: &str) -> (Ran, usize) {
    let folder = place.at("../cuts");
    if !folder.exists() {
        fs::create_dir(&folder).expect("a folder");
        for name in commands {
            symlink(format!("{CLONE}/tests/install/cut.sh"), folder.join(name)).expect("a link");
        }
    }
    let count = place.at("../count");
    fs::write(&count, "0\n").expect("a file");
    let path = std::env::var("PATH").expect("a path");
    let mut script = place.script(&["--binary", version.to_str().expect("a path")]);
    script.env("PATH", format!("{}:{path}", folder.display())).env("CUT_PATH", path);
    script.env("CUT_COUNT", &count).env("CUT_AT", at.to_string()).env("CUT_SIGNAL", signal);
    let ran = finish(&mut script, "");
    (ran, fs::read_to_string(count).expect("a file").trim().parse().expect("a number"))
}

/// A root with version 0.0.1 and an endpoint, and the same again at another place.
fn prepared() -> (Place, String) {
    let place = Place::new();
    place.install(&place.version("0.0.1"));
    let endpoint = place.used();
    (place, endpoint)
}

fn copy_of(place: &Place) -> Place {
    let copy = Place::new();
    output(Command::new("cp").arg("-a").arg(place.at(".")).arg(copy.at("")));
    copy
}

/// Interrupts upgrades to the version that `make` makes, which end with this code when nobody does.
#[track_caller]
fn interrupt(make: fn(&Place) -> PathBuf, code: i32) {
    let (from, endpoint) = prepared();
    let whole = copy_of(&from);
    let (ran, commands) = cut(&whole, &make(&whole), &COMMANDS, 0, "KILL");
    assert!(ran.code == Some(code) && commands > 20, "{commands}: {ran:?}");
    let (step, signals) = short_or_long((9, &["KILL"][..]), (1, &["KILL", "TERM"][..]));
    for signal in signals {
        for at in (1..=commands).step_by(step) {
            let place = copy_of(&from);
            let (ran, reached) = cut(&place, &make(&place), &COMMANDS, at, signal);
            assert!(ran.code != Some(0) && reached >= at, "{signal} at {at}: {ran:?}");
            let second = place.version("0.0.2");
            let ran = place.run(&["--binary", second.to_str().expect("a path")]);
            assert_eq!(ran.code, Some(0), "{signal} at {at}: {ran:?}");
            assert_eq!(place.installed(), "postrider 0.0.2", "{signal} at {at}");
            place.is_tidy();
            place.knows(&endpoint);
        }
    }
}

#[test]
fn an_upgrade_that_is_interrupted_anywhere_is_ended_by_the_next_run() {
    interrupt(|place| place.version("0.0.2"), 0);
}

#[test]
fn the_way_back_may_be_interrupted_anywhere_as_well() {
    const RUINS: &str =
        "if [ \"$1\" = serve ]; then printf ruined >\"$POSTRIDER_DATA/postrider.db\"; fi; exit 1";
    interrupt(|place| place.program("9.9.9", RUINS), 1);
}
