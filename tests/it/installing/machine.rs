//! A Debian with its real systemd, in a container of the test's own: what the stand-in for systemctl cannot show. At full
//! length only, since the system is made first, which takes minutes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::place::{CLONE, Place};
use crate::support::guide::output;
use crate::support::length::short_or_long;
use crate::support::process::{Process, until};
use crate::support::program::program;

const BOOTED: Duration = Duration::from_mins(3);

/// A running Debian.
struct Machine {
    container: Process,
    /// Its process 1, as it is called out here.
    init: u32,
}

impl Machine {
    /// Boots one on a copy that goes with it. It finds the clone in `/opt/clone`, the program as `/opt/postrider` and the
    /// versions of this place in `/opt/versions`.
    fn boot(place: &Place) -> Self {
        let own = program();
        let real = Path::new(own.get_program()).canonicalize().expect("the program");
        let mut command = Command::new("systemd-nspawn");
        // It is nobody's business but this test's, and sees no network.
        command.args([
            "--register=no",
            "--keep-unit",
            "--quiet",
            "--ephemeral",
            "--private-network",
            "--boot",
        ]);
        command.arg("--console=pipe").arg("-D").arg(debian());
        command.arg(format!("--bind-ro={CLONE}:/opt/clone"));
        command.arg(format!("--bind-ro={}:/opt/postrider", real.display()));
        command.arg(format!("--bind-ro={}:/opt/versions", place.versions().display()));
        let container = Process::spawn(&mut command);
        let init = until("process 1 of the machine", BOOTED, || systemd_below(container.pid()));
        let machine = Self { container, init };
        until("the machine's start", BOOTED, || {
            let said = machine.command("systemctl is-system-running").output().expect("nsenter");
            let said = String::from_utf8_lossy(&said.stdout).into_owned();
            ["running", "degraded"].contains(&said.trim()).then_some(())
        });
        machine
    }

    fn command(&self, script: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--all", "--target", &self.init.to_string(), "sh", "-c", script]);
        command
    }

    /// Runs commands that succeed; what they have printed.
    #[track_caller]
    fn run(&self, script: &str) -> String {
        output(&mut self.command(&format!("set -e; exec 2>&1; {script}")))
    }

    /// Runs the installer there, which ends with this code; what it has printed.
    #[track_caller]
    fn install(&self, version: &str, code: i32) -> String {
        let script =
            format!("/opt/clone/install.sh --binary /opt/versions/postrider-{version} || test $? = {code}");
        self.run(&script)
    }

    fn shut_down(mut self) {
        drop(self.command("systemctl poweroff").status());
        self.container.wait_for_end(BOOTED);
    }
}

/// The first process below this one that is systemd.
fn systemd_below(process: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).ok()?;
    children.split_whitespace().filter_map(|child| child.parse().ok()).find_map(|child: u32| {
        let name = fs::read_to_string(format!("/proc/{child}/comm")).ok()?;
        if name.trim() == "systemd" { Some(child) } else { systemd_below(child) }
    })
}

/// The folder of a Debian, made once.
fn debian() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("debian");
    let complete = folder.join("complete");
    if !complete.exists() {
        drop(fs::remove_dir_all(&folder));
        let include = "--include=systemd,systemd-sysv";
        let mut command = Command::new("debootstrap");
        output(command.args(["--variant=minbase", include, "bookworm"]).arg(&folder));
        fs::write(complete, "").expect("a file");
    }
    folder
}

/// A version that accepts and then dies stays, and the commands that are printed then bring the old one back.
fn goes_back_by_hand(machine: &Machine) {
    let out = machine.install("9.9.8", 1);
    assert!(out.contains("so it stays, with its database"), "{out}");
    assert_eq!(machine.run("postrider --version"), "postrider 9.9.8\n");
    let commands: Vec<_> = out.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    assert_eq!(commands.len(), 6, "{out}");
    machine.run(&commands[..3].join("\n"));
    let state =
        "postrider --version; systemctl is-active postrider; postrider keys list --data /var/lib/postrider";
    let said = machine.run(state);
    assert!(said.starts_with("postrider 0.0.2\nactive\n") && said.contains("app"), "{said}");
    // As root, into the directory of the service's user.
    machine.run(&commands[3..].join("\n"));
    let said = machine.run(state);
    assert!(said.starts_with("postrider 0.0.2\nactive\n") && said.contains("app"), "{said}");
    machine.run("rm -r /var/lib/postrider.upgrade-*");
}

#[test]
fn a_real_systemd_starts_upgrades_brings_back_and_watches_the_service() {
    if short_or_long(true, false) {
        // What its own reader says of the unit is seen in any case.
        let unit =
            fs::read_to_string(format!("{CLONE}/templates/install/postrider.service")).expect("a unit");
        let place = Place::new();
        let copy = place.at("postrider.service");
        fs::write(&copy, unit.replace("/usr/local/bin/postrider", "/bin/true")).expect("a file");
        assert_eq!(output(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(copy)), "");
        return;
    }
    let place = Place::new();
    for version in ["0.0.1", "0.0.2"] {
        place.version_at(version, "/opt/postrider");
    }
    place.program("9.9.9", "printf ruined >\"$POSTRIDER_DATA/postrider.db\"; exit 1");
    let dies =
        "if [ \"$1\" = health ]; then kill -KILL \"$(cat /var/lib/postrider/postrider.lock)\"; exit 1; fi";
    place.program("9.9.8", &format!("{dies}; exec /opt/postrider \"$@\""));
    let machine = Machine::boot(&place);
    assert!(machine.install("0.0.1", 0).contains("1. http://127.0.0.1:8383/setup/"));
    let state = machine.run(
        "systemctl is-active postrider; systemctl is-enabled postrider; stat -c '%U %a' /var/lib/postrider",
    );
    assert_eq!(state, "active\nenabled\npostrider 700\n");
    let judged = machine.run("systemd-analyze security --no-pager postrider | tail -n 1");
    assert!(judged.contains("OK"), "{judged}");
    assert!(machine.run("systemctl show postrider -p StatusText").contains("accepting; "));

    let key = machine
        .run("postrider keys create --name app --scopes events:write --data /var/lib/postrider 2>/dev/null");
    assert!(machine.install("0.0.2", 0).contains("postrider 0.0.2 is ready"));
    let out = machine.install("9.9.9", 1);
    assert!(
        out.contains("9.9.9 did not become ready")
            && out.contains("postrider 0.0.2 is in place.\nIt is ready."),
        "{out}"
    );
    assert_eq!(
        machine.run("postrider --version; systemctl is-active postrider"),
        "postrider 0.0.2\nactive\n"
    );
    let keys = machine.run("postrider keys list --data /var/lib/postrider");
    assert!(key.starts_with("pr_") && keys.contains("app"), "{keys}");
    goes_back_by_hand(&machine);

    machine.run(
        "mkdir -p /etc/systemd/system/postrider.service.d
        printf '[Service]\\nWatchdogSec=2\\n' >/etc/systemd/system/postrider.service.d/own.conf
        systemctl daemon-reload; systemctl restart postrider
        kill -STOP $(systemctl show postrider -p MainPID --value)",
    );
    until("the watchdog", BOOTED, || {
        let shown = machine.run("systemctl show postrider -p NRestarts -p ActiveState");
        (shown.contains("NRestarts=1") && shown.contains("ActiveState=active")).then_some(())
    });

    let purge = "/opt/clone/install.sh --uninstall --purge";
    assert!(
        machine
            .run(&format!("echo 'delete /var/lib/postrider' | {purge}"))
            .contains("is removed, with its data")
    );
    assert_eq!(
        machine
            .run("ls -d /var/lib/postrider* /etc/postrider /usr/local/bin/postrider 2>/dev/null | wc -l")
            .trim(),
        "0"
    );
    assert!(machine.run("id postrider || true").contains("no such user"));
    machine.shut_down();
}
