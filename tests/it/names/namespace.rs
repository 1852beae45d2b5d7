//! A test in a network of its own: the test binary starts itself once more, in new namespaces, for this one test.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::process::Process;

/// Set where the network is the test's own.
const INSIDE: &str = "POSTRIDER_TEST_INSIDE";
const PATIENCE: Duration = Duration::from_mins(20);

/// Every address of the world is local here, and `/etc` holds what the resolver reads and nothing else.
const SETUP: &str = "set -e
mount --bind \"$1\" /etc
ip link set lo up
ip -4 route add local 0.0.0.0/0 dev lo
ip -6 route add local ::/0 dev lo
shift
exec \"$@\"";

/// Runs `body`, which belongs to the test that calls this, in a network of its own. `options` are those of
/// `resolv.conf`.
#[track_caller]
pub fn inside<F: FnOnce()>(options: &str, body: F) {
    if env::var_os(INSIDE).is_some() {
        return body();
    }
    // `it::names::module::test::{{closure}}`
    let path = std::any::type_name::<F>();
    let test = path.split_once("::").map_or(path, |(_, rest)| rest).trim_end_matches("::{{closure}}");
    let etc = tempfile::tempdir().expect("a temporary directory");
    write_etc(etc.path(), options);
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "--mount", "sh", "-c", SETUP, "sh"]).arg(etc.path());
    command.arg(env::current_exe().expect("this test binary"));
    command.args(["--exact", test, "--nocapture", "--test-threads", "1"]).env(INSIDE, "1");
    let ended = Process::spawn(&mut command).wait_for_end(PATIENCE);
    // Shown with `--nocapture`, and where the test fails.
    eprintln!("{}", ended.err);
    let passed = ended.status.success() && ended.out.contains("1 passed");
    assert!(passed, "{test}: {}\n{}", ended.status, ended.out);
}

fn write_etc(folder: &Path, options: &str) {
    let files = [
        ("resolv.conf", format!("nameserver 127.0.0.1\noptions {options}\n")),
        ("hosts", "127.0.0.1 localhost\n::1 localhost\n".to_owned()),
        ("nsswitch.conf", "hosts: files dns\n".to_owned()),
    ];
    for (name, content) in files {
        fs::write(folder.join(name), content).expect("a file of a temporary directory");
    }
}
