//! A second run: the new version, or the old one again.

use std::fs;

use super::place::Place;
use crate::support::server::Start;

/// Keeps the database as it finds it, beside the data directory, and ruins it.
const BROKEN: &str = "if [ \"$1\" = serve ]; then
    echo 'this version is broken' >&2
    cp \"$POSTRIDER_DATA/postrider.db\" \"$POSTRIDER_DATA/../as-it-was.db\"
    printf ruined >\"$POSTRIDER_DATA/postrider.db\"
fi
exit 1";

#[test]
fn a_new_version_takes_the_place_of_the_old_one_after_a_backup() {
    let place = Place::new();
    place.install(&place.version("0.0.1"));
    let endpoint = place.used();
    let out = place.install(&place.version("0.0.2"));
    assert!(out.contains("from postrider 0.0.1 to postrider 0.0.2"), "{out}");
    assert!(out.contains("postrider 0.0.2 is ready"), "{out}");
    assert_eq!(place.installed(), "postrider 0.0.2");
    place.is_tidy();
    let backups: Vec<_> = fs::read_dir(place.data().join("backups")).expect("a folder").collect();
    assert_eq!(backups.len(), 1, "{backups:?}");
    place.knows(&endpoint);
}

#[test]
fn the_last_three_copies_of_upgrades_are_kept_and_nothing_else_is_touched() {
    let place = Place::new();
    place.install(&place.version("0.0.1"));
    place.used();
    let backups = place.data().join("backups");
    let old = |day: u32| format!("before-upgrade-202601{day:02}T000000Z-17.db");
    let failed = |day: u32| format!("after-failed-upgrade-202601{day:02}T000000Z-17.db");
    let wal = |day: u32| failed(day) + "-wal";
    let others = ["postrider-20260101T000000Z.db".to_owned()];
    for name in (1..=4).flat_map(|day| [old(day), failed(day), wal(day)]).chain(others) {
        let file = fs::File::create(backups.join(&name)).expect("a file");
        let day = name.split('T').next().and_then(|name| name.get(name.len() - 2..)).expect("a day");
        let day: u64 = day.parse().expect("a day");
        file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_hours(24 * day)).expect("a time");
    }
    place.install(&place.version("0.0.2"));
    let names = fs::read_dir(&backups).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    let pairs: Vec<_> = (2..=4).flat_map(|day| [failed(day), wal(day)]).collect();
    assert_eq!(names[..6], pairs, "{names:?}");
    assert_eq!(names[6..8], [old(3), old(4)], "{names:?}");
    assert!(names[8].ends_with(".db.gz") && names[9] == "postrider-20260101T000000Z.db", "{names:?}");
    assert_eq!(names.len(), 10);
}

#[test]
fn an_upgrade_where_nothing_was_ever_started_says_so() {
    let place = Place::new();
    place.install(&place.version("0.0.1"));
    let out = place.install(&place.version("0.0.2"));
    assert!(out.contains("postrider 0.0.2 is in place.") && out.contains("nothing was started"), "{out}");
    assert!(!out.contains("is ready"), "{out}");
}

#[test]
fn the_same_version_again_changes_nothing() {
    let place = Place::new();
    let version = place.version("0.0.1");
    place.install(&version);
    place.used();
    let before = place.everything();
    let out = place.install(&version);
    assert!(out.contains("is installed already"), "{out}");
    assert!(place.everything() == before);
}

#[test]
fn a_version_that_does_not_become_ready_gives_way_to_the_old_one_and_the_database_as_it_was() {
    let place = Place::new();
    place.install(&place.version("0.0.1"));
    let endpoint = place.used();
    let broken = place.program("9.9.9", BROKEN);
    let ran = place.run(&["--binary", broken.to_str().expect("a path")]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("postrider 9.9.9 did not become ready"), "{ran:?}");
    assert!(ran.err.contains("this version is broken"), "its own words: {ran:?}");
    assert_eq!(place.installed(), "postrider 0.0.1");
    // The backup, which is made before, may have noted something in it.
    let as_it_was = fs::read(place.at("var/lib/as-it-was.db")).expect("a database");
    assert!(fs::read(place.data().join("postrider.db")).expect("a database") == as_it_was);
    place.is_tidy();
    let backups = fs::read_dir(place.data().join("backups")).expect("a folder");
    let mut paths = backups.map(|entry| entry.expect("an entry").path());
    let aside =
        paths.find(|path| path.to_string_lossy().contains("after-failed-upgrade")).expect("what it has left");
    assert_eq!(fs::read(aside).expect("a file"), b"ruined");
    place.knows(&endpoint);
    assert!(place.install(&place.version("0.0.2")).contains("is ready"), "and another one may come");
}

#[test]
fn nothing_is_touched_where_the_backup_fails() {
    let place = Place::new();
    let fails = "case $1 in backup) echo 'no room' >&2; exit 1 ;; *) exit 1 ;; esac";
    place.install(&place.program("0.0.1", fails));
    place.used();
    let before = place.everything();
    let ran = place.run(&["--binary", place.version("0.0.2").to_str().expect("a path")]);
    assert!(ran.code == Some(1) && ran.err.contains("nothing was changed"), "{ran:?}");
    assert!(place.everything() == before);
}

#[test]
fn a_server_that_nobody_here_can_stop_is_left_alone() {
    let place = Place::new();
    place.install(&place.version("0.0.1"));
    let server = Start::on(&place.data()).start();
    let second = place.version("0.0.2");
    for words in [&["--binary", second.to_str().expect("a path")][..], &["--uninstall"]] {
        let ran = place.run(words);
        assert!(ran.code == Some(1) && ran.err.contains("stop it and run this again"), "{ran:?}");
        assert!(ran.err.contains(&format!("(pid {})", server.process.pid())), "{ran:?}");
    }
    let backups = fs::read_dir(place.data().join("backups")).expect("a folder");
    assert_eq!(backups.count(), 0, "it looks before it makes a backup");
    assert_eq!((place.installed().as_str(), server.readiness().0), ("postrider 0.0.1", 200));
    server.stop();
}

#[test]
fn options_are_left_alone_and_those_that_are_new_are_told() {
    let place = Place::new();
    place.install(&place.version("0.0.1"));
    place.used();
    let options = place.at("etc/postrider/postrider.env");
    let own = "POSTRIDER_DATA=/var/lib/postrider\n# mine\nPOSTRIDER_LISTEN=127.0.0.1:0\n";
    fs::write(&options, own).expect("a file");
    let out = place.install(&place.version("0.0.2"));
    assert!(out.contains("New option: POSTRIDER_DELIVERY_THREADS"), "{out}");
    assert!(!out.contains("New option: POSTRIDER_LISTEN"), "{out}");
    assert_eq!(fs::read_to_string(&options).expect("a file"), own);
}
