//! What is put in place, and what the files say.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use postrider::config::SETTINGS;

use super::place::{CLONE, Place};
use crate::support::guide::output;
use crate::support::process::Process;
use crate::support::program::program;

fn mode(place: &Place, path: &str) -> u32 {
    fs::metadata(place.at(path)).expect("a file").permissions().mode() & 0o7777
}

#[test]
fn the_script_is_without_complaints_of_shellcheck() {
    let script = |name: &str| format!("{CLONE}/{name}");
    let scripts = ["install.sh", "tests/install/cut.sh", "tests/install/journalctl.sh"].map(script);
    assert_eq!(output(Command::new("shellcheck").args(scripts)), "");
}

#[test]
fn a_first_install_puts_everything_in_place_and_says_what_is_next() {
    let place = Place::new();
    let out = place.install(&place.version("0.0.1"));
    for (path, expected) in [
        ("usr/local/bin/postrider", 0o755),
        ("etc/systemd/system/postrider.service", 0o644),
        ("etc/postrider/postrider.env", 0o600),
        ("var/lib/postrider", 0o700),
    ] {
        assert_eq!(mode(&place, path), expected, "{path}");
    }
    place.is_tidy();
    for step in ["This is an image", "1. Run in the foreground", "2. Make a key", "3. Put it behind"] {
        assert!(out.contains(step), "{step} is not in {out}");
    }

    // The command that it names, with the paths of this root.
    let reads = out.lines().find(|line| line.trim().starts_with("while ")).expect("how options are read");
    let command = out.lines().find(|line| line.trim().starts_with("exec ")).expect("a command");
    let root = place.at("");
    let root = root.to_str().expect("a path").trim_end_matches('/');
    let options = place.at("etc/postrider/postrider.env");
    let text = fs::read_to_string(&options).expect("options");
    let text = format!(
        "{text}POSTRIDER_ADMIN_EMAIL=a@example.com\nPOSTRIDER_ADMIN_PASSWORD=correct horse * 'battery'\n"
    );
    fs::write(&options, text).expect("options");
    let script = format!("{reads}\n{command} --data {root}/var/lib/postrider --listen 127.0.0.1:0")
        .replace("/etc/", &format!("{root}/etc/"))
        .replace(" /usr/", &format!(" {root}/usr/"));
    // There is no such user out here; who is not root is the user.
    let user = "setpriv --reuid postrider --regid postrider --clear-groups ";
    assert_eq!(script.contains(user), rustix::process::geteuid().is_root(), "{script}");
    let script = script.replace(user, "");
    let server = Process::spawn(Command::new("sh").args(["-c", &script]));
    assert!(server.line("postrider listens on ").is_some(), "{script}");
    let said = output(program().args(["operators", "list", "--data"]).arg(place.data()));
    assert!(said.contains("a@example.com"), "{said}");
}

#[test]
fn a_dry_run_changes_nothing_and_says_what_it_would_do() {
    let place = Place::new();
    let (first, second) = (place.version("0.0.1"), place.version("0.0.2"));
    let words =
        |path: &std::path::Path| ["--dry-run", "--binary", path.to_str().expect("a path")].map(str::to_owned);
    let dry = |path: &std::path::Path| place.done(&words(path).each_ref().map(String::as_str));
    let out = dry(&first);
    assert!(out.contains("would write: ") && out.contains("etc/postrider/postrider.env"), "{out}");
    let mut lines: Vec<_> = out.lines().collect();
    lines.sort_unstable();
    assert!(lines.windows(2).all(|two| two[0] != two[1]), "nothing twice: {out}");
    assert!(place.everything().is_empty(), "{:?}", place.everything().keys());

    place.install(&first);
    place.used();
    let before = place.everything();
    let out = dry(&second);
    assert!(
        out.contains("from postrider 0.0.1 to postrider 0.0.2") && out.contains("would back up"),
        "{out}"
    );
    let out = place.done(&["--uninstall", "--purge", "--dry-run"]);
    assert!(out.contains("would ask before it removes") && !out.contains("is removed"), "{out}");
    let out = place.done(&["--uninstall", "--dry-run"]);
    assert!(out.contains("would be removed") && !out.contains("is removed"), "{out}");
    assert!(place.everything() == before, "a dry run has changed something");
}

#[test]
fn a_removal_keeps_data_and_options_unless_purging_is_confirmed_in_words() {
    let place = Place::new();
    let version = place.version("0.0.1");
    place.install(&version);
    let endpoint = place.used();
    let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    fs::write(place.at("etc/passwd"), format!("postrider:x:{user}:{group}::/:/bin/false\n")).expect("a file");
    let out = place.done(&["--uninstall"]);
    assert!(out.contains("and the user postrider stay: --uninstall --purge removes"), "{out}");
    assert!(!place.bin().exists() && !place.at("etc/systemd/system/postrider.service").exists());
    assert_eq!(mode(&place, "etc/postrider/postrider.env"), 0o600);
    place.knows(&endpoint);

    place.install(&version);
    let data = place.data();
    for answer in ["", "\n", "yes\n", "delete\n"] {
        let ran = place.answer(&["--uninstall", "--purge"], answer);
        assert!(ran.code == Some(1) && ran.err.contains("nothing is removed"), "{answer:?}: {ran:?}");
        assert!(place.bin().exists(), "the question comes first");
        assert!(data.join("postrider.db").exists() && place.at("etc/postrider/postrider.env").exists());
    }
    let ran = place.answer(&["--uninstall", "--purge"], &format!("delete {}\n", data.display()));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!data.exists() && !place.at("etc/postrider").exists() && !place.bin().exists());
}

#[test]
fn a_removal_where_only_a_failed_upgrade_has_left_something_takes_that_if_it_purges() {
    let place = Place::new();
    let left = place.at("var/lib/postrider.upgrade-20261129T000000Z-1");
    fs::create_dir_all(&left).expect("a folder");
    let lock = place.at("var/lib/postrider.install");
    fs::write(&lock, "").expect("a file");
    for words in [&["--uninstall", "--dry-run"][..], &["--uninstall", "--purge", "--dry-run"]] {
        place.done(words);
        assert!(left.exists() && lock.exists(), "{words:?}");
    }
    let out = place.done(&["--uninstall"]);
    assert!(out.contains(&format!("stays: rm -r {}", left.display())) && left.exists(), "{out}");
    place.done(&["--uninstall", "--purge"]);
    assert!(!left.exists());

    fs::write(&lock, "").expect("a file");
    assert!(place.done(&["--uninstall", "--dry-run"]).contains("Postrider is not here") && lock.exists());
    assert!(place.done(&["--uninstall"]).contains("Postrider is not here") && !lock.exists());
}

#[test]
fn a_clone_whose_folder_has_a_quote_in_its_name_is_built_by_whoever_asked_for_it() {
    let place = Place::new();
    let version = place.version("0.0.1");
    let (clone, commands) = (place.at("../it's $here"), place.at("../commands"));
    for folder in [&clone, &commands] {
        fs::create_dir(folder).expect("a folder");
    }
    for name in ["install.sh", "templates", "Cargo.toml"] {
        symlink(format!("{CLONE}/{name}"), clone.join(name)).expect("a link");
    }
    let builds = format!("mkdir -p target/release && cp '{}' target/release/postrider", version.display());
    for (name, does) in [("su", "[ \"$2\" = ada ] && exec sh -c \"$4\""), ("cargo", builds.as_str())] {
        fs::write(commands.join(name), format!("#!/bin/sh\n{does}\n")).expect("a file");
        fs::set_permissions(commands.join(name), Permissions::from_mode(0o755)).expect("a file of ours");
    }
    let mut script = Command::new(clone.join("install.sh"));
    let path = std::env::var("PATH").expect("a path");
    script.arg("--root").arg(place.at("")).env("PATH", format!("{}:{path}", commands.display()));
    output(script.env("SUDO_USER", "ada"));
    assert_eq!(place.installed(), "postrider 0.0.1");
}

#[test]
fn folders_that_hold_other_things_are_not_purged() {
    let place = Place::new();
    place.install(&place.version("0.0.1"));
    fs::write(place.data().join("letters"), "dear").expect("a file");
    let ran = place.answer(&["--uninstall", "--purge"], &format!("delete {}\n", place.data().display()));
    assert!(ran.code == Some(1) && ran.err.contains("not of Postrider"), "{ran:?}");
    assert!(place.data().join("letters").exists());
}

#[test]
fn what_is_typed_wrong_is_told_and_nothing_happens() {
    let place = Place::new();
    for (words, says) in [
        (&["--fly"][..], "--fly"),
        (&["--binary"], "--binary needs a value"),
        // With a word that ends it: without a root it would work on this machine.
        (&["--binary=", "--help"], "--binary needs a value, which is not empty"),
        (&["--domain", "", "--help"], "--domain needs a value, which is not empty"),
        (&["--root=", "--help"], "--root needs a value, which is not empty"),
        (&["--root", "", "--help"], "--root needs a value, which is not empty"),
        (&["--binary", "/nowhere/postrider"], "is not a file"),
        (&["--binary", "/bin/true"], "is not Postrider"),
        (&["--binary=/bin/ls"], "--version says \"ls "),
        (&["--binary", "/bin/false"], "does not run on this machine"),
        (&["--domain", "hooks;rm"], "--domain must be a name"),
        (&["--domain", "hooks"], "--domain must be a name"),
        (&["--purge"], "--purge goes with --uninstall"),
        (&["--root", "/nowhere/to/be/found"], "must be a folder that exists"),
    ] {
        let ran = place.run(words);
        assert!(ran.code == Some(1) && ran.err.contains(says), "{words:?}: {ran:?}");
        assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
        assert!(!place.at("usr").exists() && !place.at("etc").exists(), "{words:?}");
    }
    let options = place.at("etc/postrider/postrider.env");
    fs::create_dir_all(options.parent().expect("a folder")).expect("a folder");
    for wrong in ["\"/srv/postrider\"", "postrider"] {
        fs::write(&options, format!("POSTRIDER_DATA={wrong}\n")).expect("a file");
        let ran = place.run(&["--binary", "/bin/true"]);
        assert!(ran.code == Some(1) && ran.err.contains("must be a whole path, without quotes"), "{ran:?}");
    }
    fs::remove_dir_all(place.at("etc")).expect("a folder");
    assert!(place.done(&["--uninstall"]).contains("Postrider is not here"));
    let help = place.done(&["--help"]);
    assert!(help.contains("--uninstall --purge") && !help.contains("set -eu"), "{help}");
}

#[test]
fn the_unit_is_hardened() {
    let unit = format!("{CLONE}/templates/install/postrider.service");
    let judged =
        output(Command::new("systemd-analyze").args(["security", "--offline=true", "--no-pager", &unit]));
    let line = judged.lines().find(|line| line.contains("Overall exposure level")).expect("a verdict");
    let words = line.rsplit_once(": ").expect("a number").1;
    let level: f64 = words.split_whitespace().next().expect("a number").parse().expect("a number");
    assert!(level <= 2.0, "{judged}");
}

/// The names of options in a text, commented out or not.
fn options(text: &str) -> BTreeSet<&str> {
    let names =
        text.lines().filter_map(|line| line.trim_start_matches('#').split_once('=')).map(|(name, _)| name);
    names.filter(|name| name.starts_with("POSTRIDER_")).collect()
}

#[test]
fn the_options_are_those_of_the_program_with_its_words() {
    let file = fs::read_to_string(format!("{CLONE}/templates/install/postrider.env")).expect("a file");
    let help = output(program().args(["serve", "--help"]));
    let named: BTreeSet<&str> = help
        .split(|letter: char| !(letter.is_ascii_uppercase() || letter == '_'))
        .filter(|word| word.starts_with("POSTRIDER_"))
        .collect();
    assert_eq!(options(&file), named);

    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let comments = one_line(&file.replace("\n#", "\n"));
    let help = one_line(&help);
    for setting in SETTINGS.iter().filter(|setting| !setting.flag.is_empty()) {
        let after = help.split_once(&format!("{} ", setting.flag)).expect("the flag").1;
        let words = after.split_once(" [env: ").expect("the variable").0;
        // After its <VALUE>, which may stand for several.
        let words = words.split_once('>').map_or(words, |(_, words)| words.trim_start_matches("..."));
        assert!(comments.contains(words.trim()), "{words:?} is not in {comments}");
    }
}
