//! Schemathesis, all its checks, against the real server: it reads the document, makes requests of it, follows its
//! links, and holds every answer against it. In a network of its own, so that nothing it makes up leaves this machine.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::names::namespace;
use crate::support::app::KEY;
use crate::support::length::short_or_long;
use crate::support::process::Process;
use crate::support::server::{Server, Start};

/// The same requests in every run.
const SEED: &str = "17";
const PATIENCE: Duration = Duration::from_mins(30);

/// Where `tests/run` has installed it.
fn installed() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
    target.join("schemathesis/venv/bin/schemathesis")
}

/// Runs it on some of the calls; what it says.
fn run(server: &Server, which: &[&str]) -> String {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemathesis");
    let program = installed();
    assert!(program.exists(), "{} is not there: run tests/run --prepare", program.display());
    let mut command = Command::new(program);
    command.arg("--config-file").arg(config.join("schemathesis.toml"));
    command.args(["run", "--checks", "all", "--seed", SEED, "--no-shrink", "--no-color"]);
    command.args(["--max-examples", short_or_long("10", "100")]).args(which);
    command.arg(format!("http://{}/openapi.json", server.address));
    command.env("POSTRIDER_KEY", KEY).env("NO_PROXY", "*").current_dir(config);
    let ended = Process::spawn(&mut command).wait_for_end(PATIENCE);
    println!("{}", ended.out);
    assert!(ended.status.success(), "schemathesis has found something\n{}\n{}", ended.out, ended.err);
    ended.out
}

/// How many links it has followed: some at random, to see what they lead to together. That each leads where it says is
/// for `api_reference.rs`.
fn links(said: &str) -> u32 {
    let line = said.lines().find(|line| line.contains("API Links:")).expect("it says how many");
    line.split_whitespace().find_map(|word| word.parse().ok()).expect("a number")
}

/// An endpoint that gets every event of a tenant without a name, and one event, so that there are deliveries to go on with.
fn furnish(server: &Server) {
    let endpoint = json!({ "url": "http://127.0.0.1:9999/", "events": ["*"] });
    server.client.send_json("POST", "/api/v1/endpoints", &endpoint).expect(201);
    server.client.send_json("POST", "/api/v1/events", &json!({ "type": "a", "data": 1 })).expect(202);
}

#[test]
fn schemathesis_finds_nothing() {
    namespace::inside("timeout:1 attempts:1", || {
        let temp = tempfile::tempdir().expect("a temporary directory");
        let server = Start::on(&temp.path().join("data")).start();
        let room = json!({ "endpoint_limit": 100_000 });
        server.client.send_json("PATCH", "/api/v1/settings", &room).expect(200);
        furnish(&server);
        // Settings change what every other call answers.
        let said = run(&server, &["--exclude-operation-id", "changeSettings"]);
        assert!(links(&said) >= 10, "hardly any links were followed");
        // Alone it leads to no other call.
        let alone = ["--include-operation-id", "changeSettings", "--phases", "examples,coverage,fuzzing"];
        run(&server, &alone);
        server.stop();
    });
}
