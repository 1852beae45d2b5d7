//! An upgrade on a machine that is not well: its deliveries fail, or its disk is full.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::place::{Place, Ran, finish};
use crate::support::program::program;

/// A version that runs, accepts, and says that deliveries fail.
fn troubled(place: &Place, version: &str) -> PathBuf {
    let real = program();
    let says = "if [ \"$1\" = health ]; then echo 'postrider: deliveries fail on this side: no route' >&2; exit 3; fi";
    place.program(version, &format!("{says}; exec '{}' \"$@\"", real.get_program().display()))
}

fn run(place: &Place, version: &Path) -> Ran {
    run_for(place, version, "1")
}

/// The same, where a trouble is waited for so many seconds.
fn run_for(place: &Place, version: &Path, patience: &str) -> Ran {
    let mut script = place.script(&["--binary", version.to_str().expect("a path")]);
    finish(script.env("POSTRIDER_TEST_PATIENCE", patience), "")
}

/// Runs an upgrade to this version where a command does this before it does its work.
fn run_where(place: &Place, version: &Path, command: &str, does: &str) -> Ran {
    let folder = place.at("../commands");
    fs::create_dir(&folder).expect("a folder");
    let (path, stand_in) = (std::env::var("PATH").expect("a path"), folder.join(command));
    let text = format!("#!/bin/sh\n{does}\nPATH='{path}'\nexec {command} \"$@\"\n");
    fs::write(&stand_in, text).expect("a file");
    fs::set_permissions(&stand_in, Permissions::from_mode(0o755)).expect("a file of ours");
    let mut script = place.script(&["--binary", version.to_str().expect("a path")]);
    finish(script.env("PATH", format!("{}:{path}", folder.display())), "")
}

#[test]
fn a_trouble_that_was_there_before_is_told_and_is_no_reason_to_go_back() {
    for place in [Place::new(), Place::with_systemd()] {
        place.install(&troubled(&place, "0.0.1"));
        place.used_unless_it_runs();
        let ran = run(&place, &troubled(&place, "0.0.2"));
        let says = "postrider 0.0.2 runs and accepts events, but deliveries fail on this side: no route.";
        assert!(ran.code == Some(0) && ran.out.contains(says), "{ran:?}");
        assert_eq!(place.installed(), "postrider 0.0.2");
        place.is_tidy();
    }
}

#[test]
fn a_trouble_that_came_with_the_new_version_is_waited_for_and_left_to_a_person() {
    let place = Place::with_systemd();
    place.install(&place.version("0.0.1"));
    let ran = run(&place, &troubled(&place, "9.9.9"));
    assert!(ran.code == Some(1) && ran.err.contains("no route"), "{ran:?}");
    assert!(
        ran.err.contains("9.9.9 did not become ready") && ran.err.contains("so it stays, with its database"),
        "{ran:?}"
    );
    assert_eq!(place.installed(), "postrider 9.9.9");
}

#[test]
fn a_trouble_that_is_over_while_it_is_waited_for_is_not_told() {
    let place = Place::with_systemd();
    place.install(&place.version("0.0.1"));
    let asked = place.at("../asked");
    // The first two answers are that of a trouble.
    let says = format!(
        "if [ \"$1\" = health ] && [ \"$(wc -l 2>/dev/null <'{0}')\" != 2 ]; then
            echo >>'{0}'; echo 'postrider: no route' >&2; exit 3
        fi",
        asked.display()
    );
    let real = program();
    let second = place.program("0.0.2", &format!("{says}; exec '{}' \"$@\"", real.get_program().display()));
    let ran = run_for(&place, &second, "60");
    assert!(ran.code == Some(0) && ran.out.contains("postrider 0.0.2 is ready."), "{ran:?}");
    assert_eq!(fs::read(asked).expect("a file"), b"\n\n");
}

#[test]
fn a_lock_that_cannot_be_looked_at_is_told_with_its_reason_and_nothing_is_done() {
    let place = Place::new();
    place.install(&place.version("0.0.1"));
    place.used();
    let before = place.everything();
    let refuses = "case $* in *.lock*) echo 'flock: Permission denied' >&2; exit 66 ;; esac";
    let ran = run_where(&place, &place.version("0.0.2"), "flock", refuses);
    assert!(ran.code == Some(1) && ran.err.contains("flock: Permission denied"), "{ran:?}");
    assert!(!ran.err.contains("stop it") && place.everything() == before, "{ran:?}");
}

#[test]
fn a_disk_that_is_full_on_the_way_back_leaves_the_database_where_it_is() {
    let place = Place::new();
    place.install(&place.version("0.0.1"));
    let endpoint = place.used();
    let full = "case $(readlink /proc/$$/fd/1) in *.back) echo 'no space left' >&2; exit 1 ;; esac";
    let ruins = "if [ \"$1\" = serve ]; then printf ruined >\"$POSTRIDER_DATA/postrider.db\"; fi; exit 1";
    let ran = run_where(&place, &place.program("9.9.9", ruins), "cat", full);
    assert!(ran.code == Some(1) && ran.err.contains("Nothing was moved: make room"), "{ran:?}");
    assert_eq!(fs::read(place.data().join("postrider.db")).expect("a file"), b"ruined", "it is not gone");
    let ran = run(&place, &place.version("0.0.2"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    place.is_tidy();
    place.knows(&endpoint);
}
