//! "Fake and assert" in three languages: the examples for other people's test suites, run as they are.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::support::app::KEY;
use crate::support::listener::{Listener, SECRET};
use crate::support::process::{Ended, PATIENCE, Process};
use crate::support::receiver::{Receiver, Reply};
use crate::support::server::Server;

const README: &str = include_str!("../examples/fake/README.md");

/// The command that the README gives for a language.
fn command(program: &str) -> Vec<&'static str> {
    let line = README.lines().find(|line| line.split(' ').next() == Some(program));
    line.expect("a command for it").split(' ').collect()
}

/// Runs an example beside a server and a listener that knows this secret.
fn run(command: &[&str], secret: &str) -> Ended {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let server = Server::on(&temp.path().join("data"));
    let listener = Listener::start(&["--record", "--secret", secret]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples/fake");
    let mut example = Command::new(command[0]);
    example.args(&command[1..]).current_dir(folder).env("PYTHONDONTWRITEBYTECODE", "1");
    example.env("POSTRIDER_URL", format!("http://{}", server.address)).env("POSTRIDER_KEY", KEY);
    example.env("LISTENER_URL", listener.url("")).env("WEBHOOK_SECRET", SECRET);
    let ended = Process::spawn(&mut example).wait_for_end(2 * PATIENCE);
    server.stop();
    ended
}

#[track_caller]
fn holds(program: &str) {
    let passed = run(&command(program), SECRET);
    assert!(passed.status.success(), "{passed:?}");
    // A listener with another secret verifies nothing: the suite has to notice.
    let failed = run(&command(program), "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=");
    assert!(!failed.status.success(), "{failed:?}");
    let said = format!("{}{}", failed.out, failed.err);
    assert!(said.contains("no post.created was sent that fits"), "{said}");
}

/// A listener that is full has as many as before when another one comes.
#[test]
fn what_comes_to_a_full_listener_is_seen_in_every_language() {
    for (program, arguments) in [
        ("python3", &["-c", "import webhooks; webhooks.assert_dispatched('a')"][..]),
        (
            "node",
            &[
                "--input-type=module",
                "-e",
                "import { assertDispatched } from './webhooks.mjs'; await assertDispatched('a')",
            ],
        ),
        ("php", &["-r", "require 'Webhooks.php'; Webhooks::assertDispatched('a');"]),
    ] {
        let listener = Receiver::start();
        let event = |verified: bool| json!([{ "type": "a", "verified": verified, "data": {} }]).to_string();
        for answer in [
            json!({ "count": 1, "dropped": 0 }).to_string(),
            event(false),
            json!({ "count": 1, "dropped": 1 }).to_string(),
            event(true),
        ] {
            listener.reply(Reply::ok().body(answer));
        }
        let folder = match program {
            "python3" => "python",
            other => other,
        };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples/fake").join(folder);
        let mut example = Command::new(program);
        example.args(arguments).current_dir(folder).env("PYTHONDONTWRITEBYTECODE", "1");
        example.env("LISTENER_URL", listener.url("")).env("WEBHOOK_SECRET", SECRET);
        let ended = Process::spawn(&mut example).wait_for_end(2 * PATIENCE);
        assert!(ended.status.success(), "{program}: {ended:?}");
        assert_eq!(listener.count(), 4, "{program}");
    }
}

#[test]
fn a_test_suite_in_python_asserts_what_was_sent() {
    holds("python3");
}

#[test]
fn a_test_suite_in_javascript_asserts_what_was_sent() {
    holds("node");
}

#[test]
fn a_test_suite_in_php_asserts_what_was_sent() {
    holds("php");
}
