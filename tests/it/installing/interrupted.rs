//! An upgrade that the power was cut from, and days later the next run: what was accepted meanwhile is still there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::json;

use super::cuts::cut;
use super::place::{Place, Ran, finish};
use super::service;
use crate::support::guide::output;
use crate::support::process::{PATIENCE, Process};
use crate::support::program::program;
use crate::support::server::Server;

fn run(place: &Place, version: &Path) -> Ran {
    place.run(&["--binary", version.to_str().expect("a path")])
}

/// How many events the database holds, and nobody has it open.
#[track_caller]
fn events(place: &Place) -> i64 {
    let database = Connection::open(place.data().join("postrider.db")).expect("a database");
    database.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).expect("a number")
}

/// What is in place runs, accepts an event and stops.
#[track_caller]
fn accepts_one(place: &Place) {
    let server = Server::on(&place.data());
    server.publish(&json!(1)).expect(202);
    server.stop();
}

/// The folder in which everything for going back was left.
fn left(place: &Place) -> Option<PathBuf> {
    let entries = fs::read_dir(place.at("var/lib")).expect("a folder");
    let mut paths = entries.map(|entry| entry.expect("an entry").path());
    paths.find(|path| path.to_string_lossy().contains("postrider.upgrade-"))
}

fn begun() -> Place {
    let place = Place::new();
    place.install(&place.version("0.0.1"));
    accepts_one(&place);
    place
}

#[test]
fn what_the_old_version_has_accepted_since_a_cut_before_the_swap_stays() {
    let place = begun();
    // At the `sync` before all is kept; the power goes just after.
    let (ran, _) = cut(&place, &place.version("0.0.2"), &["sync"], 1, "KILL");
    assert_eq!(ran.code, None, "{ran:?}");
    fs::write(place.at("var/lib/postrider.upgrade/complete"), "").expect("a file");
    assert_eq!(place.installed(), "postrider 0.0.1");
    accepts_one(&place);
    let ran = run(&place, &place.program("9.9.9", "exit 1"));
    assert!(ran.code == Some(1) && ran.out.contains("interrupted.\npostrider 0.0.1 is in place."), "{ran:?}");
    assert_eq!((place.installed().as_str(), events(&place)), ("postrider 0.0.1", 2));
    place.is_tidy();
}

/// Cuts an upgrade off, and leaves it as it is just after the swap.
fn cut_after_the_swap(place: &Place, version: &Path) {
    let (ran, _) = cut(place, version, &["sync"], 1, "KILL");
    assert_eq!(ran.code, None, "{ran:?}");
    fs::write(place.at("var/lib/postrider.upgrade/complete"), "").expect("a file");
    fs::copy(version, place.bin()).expect("a program");
}

#[test]
fn another_server_that_has_written_no_process_id_is_not_waited_for() {
    let place = begun();
    let second = place.version("0.0.2");
    cut_after_the_swap(&place, &second);
    let lock = fs::File::create(place.data().join("postrider.lock")).expect("a file");
    lock.lock().expect("a lock that nobody has");
    let ran = run(&place, &second);
    assert!(ran.code == Some(1) && ran.err.contains("stop it and run this again"), "{ran:?}");
    drop(lock);
    assert_eq!((run(&place, &second).code, events(&place)), (Some(0), 1));
    place.is_tidy();
}

const RUINS: &str = "if [ \"$1\" = serve ]; then printf ruined >\"$POSTRIDER_DATA/postrider.db\"; fi; exit 1";

#[test]
fn no_program_is_in_place_while_the_database_goes_back_and_the_old_one_comes_last() {
    // The number of the `sync`, and whether the database as it was is in place then.
    for (at, is_back) in [(2, false), (3, true)] {
        let place = begun();
        let (ran, _) = cut(&place, &place.program("9.9.9", RUINS), &["sync"], at, "KILL");
        assert!(ran.code.is_none() && !place.bin().exists(), "{at}: {ran:?}");
        let ruined = fs::read(place.data().join("postrider.db")).expect("a file") == b"ruined";
        assert_eq!(ruined, !is_back, "{at}");
        let ran = run(&place, &place.version("0.0.2"));
        assert_eq!((ran.code, events(&place)), (Some(0), 1), "{at}: {ran:?}");
        place.is_tidy();
    }
}

#[test]
fn what_the_old_version_has_accepted_since_a_cut_at_the_end_of_the_way_back_stays() {
    let place = begun();
    let (ran, _) = cut(&place, &place.program("9.9.9", RUINS), &["sync"], 4, "KILL");
    assert_eq!((ran.code, place.installed().as_str()), (None, "postrider 0.0.1"), "{ran:?}");
    accepts_one(&place);
    let ran = run(&place, &place.version("0.0.2"));
    assert_eq!((ran.code, events(&place)), (Some(0), 2), "{ran:?}");
    place.is_tidy();
}

/// A version that cuts its own upgrade off, and does not start any more as soon as there is a file `broken`.
fn cut_off(place: &Place) -> PathBuf {
    let (folder, real) = (place.versions().display(), program());
    place.program(
        "0.0.2",
        &format!(
            "if [ -e '{folder}/broken' ]; then echo 'it is broken' >&2; exit 1; fi
            if [ \"$1\" = health ] && [ ! -e '{folder}/cut' ]; then : >'{folder}/cut'; kill -KILL 0; fi
            exec '{}' \"$@\"",
            real.get_program().display()
        ),
    )
}

/// Has the stand-in for systemctl do this with the service.
pub(super) fn systemctl(place: &Place, word: &str) {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("\"$POSTRIDER_TEST_SYSTEMCTL\" {word} postrider.service")]);
    output(command.envs(place.stand_ins()));
}

/// An upgrade that was cut after the swap, and the new version, which has accepted an event since.
fn used_since_the_cut() -> (Place, PathBuf) {
    let place = Place::with_systemd();
    place.install(&place.version("0.0.1"));
    let second = cut_off(&place);
    assert_eq!(run(&place, &second).code, None, "cut after the swap");
    systemctl(&place, "stop");
    accepts_one(&place);
    (place, second)
}

#[test]
fn a_new_version_that_hangs_is_told_and_a_person_who_has_waited_enough_gets_the_old_one_back() {
    let place = begun();
    let hangs = place.program("9.9.9", "if [ \"$1\" = serve ]; then exec sleep 30; fi; exit 1");
    let wait = |version: &Path| {
        let upgrade = Process::spawn(&mut place.script(&["--binary", version.to_str().expect("a path")]));
        let says = upgrade.line("Waiting until postrider 9.9.9 is ready, for up to 15 minutes.");
        assert_eq!(says.expect("a line"), " Ctrl-C goes back to the old version.");
        upgrade
    };
    wait(&hangs).kill();
    assert_eq!(place.installed(), "postrider 9.9.9");
    // The next one ends what that one has begun, and comes to the same.
    let mut second = wait(&place.version("0.0.2"));
    second.signal("INT");
    let ended = second.wait_for_end(PATIENCE);
    assert!(ended.status.code() == Some(130) && ended.out.contains("Going back"), "{ended:?}");
    assert_eq!((place.installed().as_str(), events(&place)), ("postrider 0.0.1", 1));
    place.is_tidy();
}

#[test]
fn an_interruption_at_the_moment_in_which_going_back_is_offered_goes_back() {
    let place = begun();
    let (ran, _) = cut(&place, &place.version("0.0.2"), &["sync"], 1, "KILL");
    assert_eq!(ran.code, None, "{ran:?}");
    // As just after the swap. Asked for its version, it does what Ctrl-C does.
    fs::write(place.at("var/lib/postrider.upgrade/complete"), "").expect("a file");
    fs::write(place.bin(), "#!/bin/sh\nkill -s INT 0\n").expect("a program");
    let ran = run(&place, &place.version("0.0.2"));
    assert!(ran.code == Some(130) && ran.out.contains("Going back"), "{ran:?}");
    assert_eq!((place.installed().as_str(), events(&place)), ("postrider 0.0.1", 1));
    place.is_tidy();
}

#[test]
fn a_new_version_that_ran_since_the_cut_stays_where_it_comes_up() {
    let (place, second) = used_since_the_cut();
    let ran = run(&place, &second);
    assert!(ran.code == Some(0) && ran.out.contains("interrupted.\nWaiting until postrider 0.0.2 is ready, for up to 15 minutes.\npostrider 0.0.2 is ready."), "{ran:?}");
    assert!(ran.out.contains("is installed already"), "{ran:?}");
    assert_eq!((place.installed().as_str(), events(&place)), ("postrider 0.0.2", 1));
    place.is_tidy();
}

#[test]
fn where_it_does_not_come_up_a_person_decides_by_the_commands_that_are_printed() {
    let (place, second) = used_since_the_cut();
    fs::write(place.versions().join("broken"), "").expect("a file");
    let ran = run(&place, &second);
    assert!(ran.code == Some(1) && ran.err.contains("so it stays, with its database"), "{ran:?}");
    assert_eq!((place.installed().as_str(), events(&place)), ("postrider 0.0.2", 1));
    let left = left(&place).expect("what goes back");
    assert!(ran.err.contains(left.to_str().expect("a path")), "{ran:?}");
    assert!(run(&place, &second).out.contains("is installed already"), "it is told once");

    // First those that keep everything, then those that go back to the database as it was.
    let commands: Vec<_> = ran.err.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    assert_eq!(commands.len(), 6, "{ran:?}");
    let by_hand = |commands: &[&str]| {
        let script = commands.join("\n").replace("systemctl", "\"$POSTRIDER_TEST_SYSTEMCTL\"");
        let script = script.replace(" postrider\n", " postrider.service\n") + "\n";
        let script = script.replace(" start postrider\n", " start postrider.service\n");
        output(Command::new("sh").args(["-euc", &script]).envs(place.stand_ins()))
    };
    by_hand(&commands[..3]);
    assert_eq!((place.installed().as_str(), service::events(&place)), ("postrider 0.0.1", 1));
    by_hand(&commands[3..]);
    assert_eq!((place.installed().as_str(), service::events(&place)), ("postrider 0.0.1", 0));
    let out = place.done(&["--uninstall"]);
    assert!(out.contains(&format!("stays: rm -r {}", left.display())) && left.exists(), "{out}");
    let typed = format!("delete {}\n", place.data().display());
    let ran = place.answer(&["--uninstall", "--purge"], &typed);
    assert!(ran.code == Some(0) && !left.exists(), "{ran:?}");
}

#[test]
fn a_server_of_an_interrupted_run_that_does_not_stop_is_left_to_a_person() {
    let place = begun();
    let version = place.version("0.0.2");
    cut_after_the_swap(&place, &version);
    let lock = place.data().join("postrider.lock");
    let holds = format!(
        "trap '' TERM; exec 9>>'{0}'; flock 9; echo $$ >'{0}'; echo held; while :; do sleep 0.1 9>&-; done",
        lock.display()
    );
    let mut server = Process::spawn(Command::new("sh").args(["-c", &holds]));
    assert!(server.line("held").is_some());
    fs::write(place.at("var/lib/postrider.upgrade/trial"), format!("{}\n", server.pid())).expect("a file");
    let mut script = place.script(&["--binary", version.to_str().expect("a path")]);
    let ran = finish(script.env("POSTRIDER_TEST_PATIENCE", "1"), "");
    let says = format!("(pid {}) does not stop: end it and run this again", server.pid());
    assert!(ran.code == Some(1) && ran.err.contains(&says), "{ran:?}");
    server.signal("KILL");
    server.wait_for_end(Duration::from_secs(30));
    assert_eq!(run(&place, &version).code, Some(0));
    place.is_tidy();
}

#[test]
fn a_new_version_that_has_accepted_and_then_dies_is_not_taken_back_unasked() {
    let place = Place::with_systemd();
    place.install(&place.version("0.0.1"));
    let real = program();
    // It runs, and is killed when it is asked how it is.
    let body = format!(
        "if [ \"$1\" = health ]; then kill -KILL \"$(cat '{}/postrider.lock')\"; sleep 0.2; exit 1; fi; exec '{}' \"$@\"",
        place.data().display(),
        real.get_program().display()
    );
    let ran = run(&place, &place.program("9.9.9", &body));
    assert!(ran.code == Some(1) && ran.err.contains("so it stays, with its database"), "{ran:?}");
    assert_eq!(place.installed(), "postrider 9.9.9");
    assert!(left(&place).expect("what goes back").join("postrider.db").exists());
}

#[test]
fn whatever_begins_to_accept_removes_the_mark_of_the_upgrade_and_nothing_else_does() {
    let place = begun();
    let (mark, data) = (place.data().join("postrider.upgrading"), place.data());
    let data = data.to_str().expect("a path");
    let put = || fs::write(&mark, "").expect("a file");
    put();
    let refused = Command::new(program().get_program())
        .args(["serve", "--data", data, "--listen", "127.0.0.1:0", "--extra-ca", "/nowhere"])
        .output();
    assert!(!refused.expect("a program").status.success() && mark.exists(), "it has not come to that");
    for words in [&["doctor", "--data", data][..], &["health", "--data", data]] {
        // They may find something; they accept nothing.
        program().args(words).output().expect("a program");
        assert!(mark.exists(), "{words:?}");
    }
    let backup = place.at("copy.db");
    let backup = backup.to_str().expect("a path");
    for words in [
        &["keys", "create", "--name", "app", "--scopes", "events:write", "--data", data][..],
        &["backup", backup, "--data", data],
        &["restore", backup, "--data", data],
    ] {
        put();
        output(program().args(words));
        assert!(!mark.exists(), "{words:?}");
    }
    put();
    accepts_one(&place);
    assert!(!mark.exists());
}
