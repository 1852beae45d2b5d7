//! The guide "Running it": its commands, run below a root.

use std::fs;
use std::process::Command;

use super::place::{CLONE, Place};
use crate::support::guide::{block, output};
use crate::support::process::Process;

const RUNNING: &str = include_str!("../../../templates/docs/running.md");

/// The commands of a block, below the root and with this program.
fn below(place: &Place, mark: &str, version: &std::path::Path) -> Command {
    let root = place.at("");
    let root = root.to_str().expect("a path").trim_end_matches('/');
    let script = block(RUNNING, mark)
        .replace(
            "sudo ./install.sh",
            &format!("{CLONE}/install.sh --root {root} --binary {}", version.display()),
        )
        .replace("sudo -u postrider postrider", &format!("{root}/usr/local/bin/postrider"))
        // There is no such user below this root.
        .replace("setpriv --reuid postrider --regid postrider --clear-groups ", "")
        .replace("/var/lib/", &format!("{root}/var/lib/"))
        .replace("/etc/postrider/", &format!("{root}/etc/postrider/"))
        .replace(" /usr/local/", &format!(" {root}/usr/local/"))
        .replace("/etc/systemd/", &format!("{root}/etc/systemd/"))
        .replace(" /mnt/", &format!(" {root}/mnt/"))
        .replace("sudo systemctl daemon-reload", "\"$POSTRIDER_TEST_SYSTEMCTL\" daemon-reload")
        .replace("sudo systemctl stop postrider", "\"$POSTRIDER_TEST_SYSTEMCTL\" stop postrider.service")
        .replace("sudo systemctl start postrider", "\"$POSTRIDER_TEST_SYSTEMCTL\" start postrider.service")
        .replace("OLD-PROGRAM", &version.display().to_string())
        .replace("sudo ", "")
        .replace("before-upgrade-….db", "before-upgrade-*.db");
    let mut command = Command::new("bash");
    command.args(["-euc", &script]).envs(place.stand_ins());
    command
}

#[test]
fn the_commands_install_upgrade_and_remove() {
    let place = Place::with_systemd();
    fs::create_dir_all(place.at("etc/caddy")).expect("a folder");
    let (first, second) = (place.version("0.0.1"), place.version("0.0.2"));
    let run = |mark: &str, version| output(&mut below(&place, mark, version));
    assert!(run("sh dry-run", &first).contains("would write: "));
    assert!(!place.at("etc/postrider").exists());
    let out = run("sh install", &first);
    assert!(out.contains("1. http://127.0.0.1:"));
    let tunnel = block(RUNNING, "sh tunnel").trim_end().rsplit_once(' ').expect("a server").0;
    assert!(out.contains(tunnel), "{out}");
    assert!(run("sh key", &first).starts_with("pr_"));
    assert_eq!(run("sh health", &first), "ready\n");
    assert!(run("sh domain", &first).contains("POSTRIDER_TRUSTED_PROXY=127.0.0.1/32,::1/128"));
    assert!(run("sh upgrade", &second).contains("postrider 0.0.2 is ready"));
    run("sh back", &first);
    assert_eq!(
        (place.installed().as_str(), run("sh health", &first).as_str()),
        ("postrider 0.0.1", "ready\n")
    );
    assert!(run("sh uninstall", &second).contains("is removed"));
    assert!(place.data().join("postrider.db").exists() && !place.bin().exists());
}

#[test]
fn the_data_moves_to_another_disk_and_upgrades_find_it_there() {
    let place = Place::with_systemd();
    place.install(&place.version("0.0.1"));
    let second = place.version("0.0.2");
    fs::create_dir(place.at("mnt")).expect("a folder");
    fs::create_dir(place.at("mnt/large")).expect("a folder");
    output(&mut below(&place, "sh another-disk", &second));
    let moved = place.at("mnt/large/postrider");
    assert!(moved.join("postrider.sock").exists() && !place.data().join("postrider.sock").exists());
    let drop_in = place.at("etc/systemd/system/postrider.service.d/data.conf");
    assert_eq!(
        fs::read_to_string(drop_in).expect("a file"),
        "[Service]\nReadWritePaths=/mnt/large/postrider\n"
    );
    assert!(place.install(&second).contains("postrider 0.0.2 is ready"));
    let backups = fs::read_dir(moved.join("backups")).expect("a folder");
    let mut names = backups.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
    assert!(names.any(|name| name.starts_with("before-upgrade-")), "the upgrade works there");
}

#[test]
fn the_command_for_the_foreground_serves() {
    let place = Place::new();
    let version = place.version("0.0.1");
    place.install(&version);
    let root = place.at("");
    let options = place.at("etc/postrider/postrider.env");
    let below_root =
        format!("POSTRIDER_DATA={}var/lib/postrider\nPOSTRIDER_LISTEN=127.0.0.1:0\n", root.display());
    fs::write(options, below_root).expect("options");
    let server = Process::spawn(&mut below(&place, "sh foreground", &version));
    assert!(server.line("postrider listens on http://").is_some());
}

#[test]
fn the_sites_are_those_that_the_script_writes() {
    for (mark, template) in [("caddy", "caddy.conf"), ("nginx", "nginx.conf")] {
        let text = fs::read_to_string(format!("{CLONE}/templates/install/{template}")).expect("a template");
        let site = text.split_once('\n').expect("a first line that is a comment").1;
        let site = site.replace("@DOMAIN@", "hooks.example.com").replace("@LISTEN@", "127.0.0.1:8383");
        assert_eq!(block(RUNNING, mark), site.trim_end(), "{mark}");
    }
}

#[test]
fn the_options_that_it_names_are_there() {
    let options = include_str!("../../../templates/install/postrider.env");
    for line in block(RUNNING, "env options").lines() {
        let name = line.split('=').next().expect("a name");
        assert!(options.contains(&format!("#{name}=")), "{name}");
    }
}
