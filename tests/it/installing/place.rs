//! A root to install below, and versions of the program to install.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use crate::support::process::signal;
use crate::support::program::program;
use crate::support::server::{Server, Start};

/// The clone that the tests belong to.
pub const CLONE: &str = env!("CARGO_MANIFEST_DIR");

/// What a run of the script has printed, and how it has ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// An empty root, removed on drop, and so is the server that the stand-in for systemctl has left running.
pub struct Place {
    temp: TempDir,
    systemd: bool,
}

impl Place {
    /// As a machine without systemd.
    pub fn new() -> Self {
        let temp = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir(temp.path().join("root")).expect("a folder");
        Self { temp, systemd: false }
    }

    /// As a machine with systemd.
    pub fn with_systemd() -> Self {
        let mut place = Self::new();
        place.systemd = true;
        place
    }

    /// The folder of the versions.
    pub fn versions(&self) -> &Path {
        self.temp.path()
    }

    /// A path below the root.
    pub fn at(&self, path: &str) -> PathBuf {
        self.temp.path().join("root").join(path)
    }

    pub fn data(&self) -> PathBuf {
        self.at("var/lib/postrider")
    }

    pub fn bin(&self) -> PathBuf {
        self.at("usr/local/bin/postrider")
    }

    /// The script with these words, not started yet.
    pub fn script(&self, words: &[&str]) -> Command {
        let mut command = Command::new(format!("{CLONE}/install.sh"));
        command.arg("--root").arg(self.at("")).args(words);
        // Its own process group, so that a test can end all of it.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.envs(self.stand_ins());
        command
    }

    /// Variables by which the script finds what stands for systemd. What it starts listens on a free port: places are many.
    pub fn stand_ins(&self) -> Vec<(&'static str, String)> {
        let root = ("FAKE_ROOT", self.at("").to_str().expect("a path").trim_end_matches('/').to_owned());
        let script = |name: &str| format!("{CLONE}/tests/install/{name}");
        let systemd = [
            ("POSTRIDER_TEST_SYSTEMCTL", script("systemctl.py")),
            ("POSTRIDER_TEST_JOURNALCTL", script("journalctl.sh")),
        ];
        let systemd = systemd.into_iter().filter(|_| self.systemd);
        let port = ("POSTRIDER_LISTEN", "127.0.0.1:0".to_owned());
        [root, port].into_iter().chain(systemd).collect()
    }

    /// Runs the script, with something to read.
    #[track_caller]
    pub fn answer(&self, words: &[&str], input: &str) -> Ran {
        finish(&mut self.script(words), input)
    }

    /// Runs the script.
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> Ran {
        self.answer(words, "")
    }

    /// Runs the script, which has to succeed; what it has printed.
    #[track_caller]
    pub fn done(&self, words: &[&str]) -> String {
        let ran = self.run(words);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.out
    }

    /// Installs this version.
    #[track_caller]
    pub fn install(&self, version: &Path) -> String {
        self.done(&["--binary", version.to_str().expect("a path")])
    }

    /// A program that says that it is this version, and else is the real one.
    pub fn version(&self, version: &str) -> PathBuf {
        let real = program();
        self.version_at(version, real.get_program().to_str().expect("a path"))
    }

    /// The same, where the real one is at this path.
    pub fn version_at(&self, version: &str, real: &str) -> PathBuf {
        self.program(version, &format!("exec '{real}' \"$@\""))
    }

    /// A program that says that it is this version, and for all else does this.
    pub fn program(&self, version: &str, body: &str) -> PathBuf {
        let path = self.temp.path().join(format!("postrider-{version}"));
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'postrider {version}'; exit; fi\n{body}\n"
        );
        fs::write(&path, script).expect("a file");
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("a file of ours");
        path
    }

    /// What the program in place says of itself.
    pub fn installed(&self) -> String {
        let said = Command::new(self.bin()).arg("--version").output().expect("a program");
        String::from_utf8_lossy(&said.stdout).trim().to_owned()
    }

    /// Lets the program in place, run by hand, make an endpoint; its id.
    pub fn used(&self) -> String {
        let server = Server::on(&self.data());
        let id = server.endpoint("http://127.0.0.1:1025/", &json!({}));
        server.stop();
        id
    }

    /// There is a database: the service has made it, or the program does, run by hand.
    pub fn used_unless_it_runs(&self) {
        if !self.systemd {
            self.used();
        }
    }

    /// Whether a server on the data still knows this endpoint.
    #[track_caller]
    pub fn knows(&self, endpoint: &str) {
        let server = Start::on(&self.data()).start();
        assert_eq!(server.get(&format!("/endpoints/{endpoint}"))["id"], endpoint);
        server.stop();
    }

    /// Every file below the root, with its mode and what is in it.
    pub fn everything(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.at("")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                let metadata = fs::symlink_metadata(&path).expect("a file");
                let content = if metadata.is_file() { fs::read(&path).expect("a file") } else { Vec::new() };
                if metadata.is_dir() {
                    folders.push(path.clone());
                }
                found.insert(path, (metadata.mode(), content));
            }
        }
        found
    }

    /// Paths that only stand there while something is under way.
    #[track_caller]
    pub fn is_tidy(&self) {
        let odd = |path: &PathBuf| {
            path.extension().is_some_and(|end| end == "new" || end == "back")
                || path.to_string_lossy().contains("postrider.upgrade")
        };
        let left: Vec<_> = self.everything().into_keys().filter(odd).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// Runs a command to its end.
#[track_caller]
pub fn finish(command: &mut Command, input: &str) -> Ran {
    let mut child = command.spawn().expect("the script can be started");
    // It may not read it.
    drop(child.stdin.take().expect("a pipe").write_all(input.as_bytes()));
    let ended = child.wait_with_output().expect("a child of ours");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: ended.status.code(), out: said(&ended.stdout), err: said(&ended.stderr) }
}

impl Drop for Place {
    fn drop(&mut self) {
        let pid = fs::read_to_string(self.at("run/fake-systemd/pid")).ok();
        if let Some(pid) =
            pid.and_then(|text| text.parse().ok()).filter(|pid| Path::new(&format!("/proc/{pid}")).exists())
        {
            signal(pid, "KILL");
        }
    }
}
