//! The page "The command line": its commands, run as they stand there.

use std::path::Path;

use serde_json::Value;

use crate::support::client::Client;
use crate::support::guide;
use crate::support::process;
use crate::support::receiver::Receiver;
use crate::support::server::{Server, Start};
use crate::support::shell;

const PAGE: &str = include_str!("../../templates/docs/commands.md");
const KEY: &str = "pr_only_for_trying_it_out_0";

/// A team's server and receiver, and what is run beside them.
struct Desk {
    dir: tempfile::TempDir,
    server: Server,
    receiver: Receiver,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut server = Start::on(&dir.path().join("postrider-data")).with("POSTRIDER_API_KEY", KEY).start();
        server.client = Client::tcp(server.address).with_key(KEY);
        Self { dir, server, receiver: Receiver::start() }
    }

    fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// Runs a block of the page; what it has printed.
    #[track_caller]
    fn run(&self, mark: &str) -> String {
        let script = guide::block(PAGE, mark)
            .replace("sudo -u postrider postrider", "postrider")
            .replace("/var/lib/postrider", "./postrider-data")
            .replace("localhost:8383", &self.server.address.to_string())
            .replace("localhost:9000", &self.receiver.address().to_string());
        shell::run(self.folder(), &self.folder().join("postrider-data"), &script).out
    }

    fn json(&self, name: &str) -> Value {
        let text = std::fs::read_to_string(self.folder().join(name)).expect("a file");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}: {text}"))
    }

    fn deliveries_are_done(&self) {
        process::until("the deliveries", process::PATIENCE, || {
            let waiting = self.server.get("/deliveries?status=pending");
            waiting["data"].as_array().expect("a list").is_empty().then_some(())
        });
    }
}

#[test]
fn every_command_of_the_page_runs() {
    let desk = Desk::new();
    assert_eq!(desk.run("sh server"), "");
    assert_eq!(desk.run("sh installed"), "");
    assert_eq!(desk.run("sh remote"), "");
    desk.run("sh json");
    assert_eq!(desk.json("settings.json")["retention_days"], 30);
    let endpoints = desk.run("sh endpoints");
    for said in ["whsec_", "success", "order.*,invoice.paid", "timeout_seconds", "20"] {
        assert!(endpoints.contains(said), "{said}: {endpoints}");
    }
    let code = std::fs::read_to_string(desk.folder().join("verify.py")).expect("a program");
    assert!(code.contains("def verify("), "{code}");
    let events = desk.run("sh events");
    assert!(events.contains("order-17-paid") && events.contains("--request POST"), "{events}");
    desk.deliveries_are_done();
    desk.run("sh release");
    let replays = desk.run("sh replays");
    assert!(replays.contains("rpl_") && replays.contains("done"), "{replays}");
    desk.run("sh blank");
    assert_eq!(desk.server.get("/events/order-17-paid")["data"], Value::Null);
    let people = desk.run("sh people");
    assert!(people.contains("ada@example.com") && people.contains("/join/"), "{people}");
    let catalogue = desk.run("sh catalogue");
    assert!(
        catalogue.to_lowercase().contains("x-hub-signature-256") && catalogue.contains("retention_days"),
        "{catalogue}"
    );
    assert_eq!(desk.json("github.json")["name"], "github");
    let care = desk.run("sh care");
    assert!(care.contains("settings.change"), "{care}");
    let doctor = desk.run("sh doctor");
    assert!(doctor.contains("answered 200") && doctor.contains("postrider-support/doctor.txt"), "{doctor}");
    assert!(desk.json("doctor.json")["checks"].as_array().is_some_and(|checks| checks.len() > 10));
    desk.run("sh shell");
    assert_eq!(desk.json("openapi.json")["openapi"], "3.1.0");
    desk.run("sh delete");
    assert_eq!(desk.server.get("/endpoints")["data"], serde_json::json!([]));
}

#[test]
fn the_page_names_every_command() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    shell::run(dir.path(), dir.path(), "postrider man --dir pages");
    let pages = std::fs::read_dir(dir.path().join("pages")).expect("pages");
    let (_, table) = PAGE.split_once("## All commands").expect("the table");
    let mut names: Vec<String> =
        pages.map(|page| page.expect("a page").file_name().into_string().expect("a name")).collect();
    names.sort();
    assert!(names.len() > 50, "{names:?}");
    for name in names.iter().filter_map(|name| name.strip_suffix(".1")?.strip_prefix("postrider-")) {
        let rows = table.lines().filter(|line| line.starts_with("| `postrider"));
        let found = rows.clone().any(|row| {
            let words = |word: &str| {
                row.contains(&format!("`{word}`")) || row.contains(&format!("`postrider {word}`"))
            };
            let mut splits = name.match_indices('-').map(|(at, _)| name.split_at(at));
            words(name) || splits.any(|(group, call)| words(group) && words(&call[1..]))
        });
        assert!(found, "{name} is not in the table");
    }
}
