//! Names that lead where nobody may go, in a network of the test's own with a DNS server of the test's own.
//!
//! The tests of `inside` are started by the one here, in namespaces where every address that matters is on loopback and
//! `/etc/resolv.conf` is ours. They need `unshare` and `ip`, and no rights.

mod bad;
mod dns;
mod inside;
mod network;

use std::process::{Command, Stdio};

/// Tests of `inside`.
const INSIDE: usize = 5;

/// Makes the network, puts the resolver's files in place, and goes on as the tests inside. A service that caches names
/// for this machine listens on a socket under `/run`, which nobody finds then.
const ENTER: &str = r#"set -e
ip link set lo up
for address in $ADDRESSES; do
    case $address in
    *:*) ip addr add "$address/128" dev lo nodad ;;
    *) ip addr add "$address/32" dev lo ;;
    esac
done
for file in resolv.conf nsswitch.conf hosts; do
    mount --bind "$FILES/$file" "/etc/$file"
done
[ ! -e /run/nscd ] || mount -t tmpfs none /run/nscd
exec "$@""#;

#[test]
fn no_name_leads_to_a_forbidden_address() {
    let files = tempfile::tempdir().expect("a folder");
    for (name, text) in [
        ("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:2\n"),
        ("nsswitch.conf", "hosts: files dns\n"),
        ("hosts", "127.0.0.1 localhost\n"),
    ] {
        std::fs::write(files.path().join(name), text).expect("a file");
    }
    let tests = std::env::current_exe().expect("this program");
    let ran = Command::new("unshare")
        .args(["--map-root-user", "--net", "--mount", "sh", "-c", ENTER, "sh"])
        .arg(tests)
        .args(["names::inside::", "--ignored", "--test-threads=1", "--nocapture"])
        .env("ADDRESSES", network::addresses())
        .env("FILES", files.path())
        .stdin(Stdio::null())
        .output()
        .expect("unshare can be started");
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{}\n{out}\n{err}", ran.status);
    assert!(
        out.contains(&format!("test result: ok. {INSIDE} passed")),
        "other tests than these were run:\n{out}"
    );
}
