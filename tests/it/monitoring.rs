//! What monitoring systems are given: every metric that the dashboard, the rules and the guide name is there, and
//! Prometheus' own tool finds nothing wrong.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::client::Client;
use crate::support::guide;
use crate::support::server::Start;

const DASHBOARD: &str = include_str!("../../templates/monitoring/grafana-dashboard.json");
const RULES: &str = include_str!("../../templates/monitoring/prometheus-rules.yml");
const PLAYED: &str = include_str!("monitoring/prometheus-rules-test.yml");
const GUIDE: &str = include_str!("../../templates/docs/monitoring.md");
const KEY: &str = "pr_only_for_trying_it_out_0";

/// `/metrics` of a server that has something of everything to tell.
fn exposition() -> String {
    let app = TestApp::start();
    app.change_settings(&json!({ "metrics_per_tenant": true }));
    app.post("/events", &json!({ "type": "a", "data": 1, "tenant": "acme" })).expect(202);
    app.post("/cleanups", &json!({})).expect(200);
    assert_eq!(app.back_up()["status"], "done");
    app.client.get("/metrics").expect(200).text().to_owned()
}

/// Names of families.
fn families(exposition: &str) -> BTreeSet<&str> {
    let types = exposition.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|line| line.split(' ').next()).collect()
}

/// The words of a text that are metrics of ours.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("postrider_") || word.starts_with("process_")).collect()
}

/// The family of a sample's name.
fn family<'a>(name: &'a str, families: &BTreeSet<&str>) -> &'a str {
    let bare = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
    bare.filter(|bare| families.contains(bare)).unwrap_or(name)
}

fn promtool() -> PathBuf {
    let target = std::env::var("CARGO_TARGET_DIR")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from);
    let unpacked = target.join("prometheus/usr/bin/promtool");
    if unpacked.exists() { unpacked } else { "promtool".into() }
}

/// Runs promtool with this on its standard input; what it says.
#[track_caller]
fn check(arguments: &[&str], folder: &Path, input: &str) -> String {
    let mut command = Command::new(promtool());
    command.args(arguments).current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("promtool, which tests/run --prepare installs");
    std::io::Write::write_all(&mut child.stdin.take().expect("its input"), input.as_bytes()).expect("a pipe");
    let ended = child.wait_with_output().expect("its end");
    let said = [ended.stdout, ended.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(ended.status.success(), "promtool {arguments:?}: {said}");
    said
}

#[test]
fn promtool_finds_nothing_wrong_with_the_metrics() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    assert_eq!(check(&["check", "metrics"], dir.path(), &exposition()), "");
}

#[test]
fn promtool_takes_the_rules_and_they_fire_when_they_should() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(dir.path().join("prometheus-rules.yml"), RULES).expect("a file");
    std::fs::write(dir.path().join("played.yml"), PLAYED).expect("a file");
    assert!(check(&["check", "rules", "prometheus-rules.yml"], dir.path(), "").contains("SUCCESS"));
    assert!(check(&["test", "rules", "played.yml"], dir.path(), "").contains("SUCCESS"));
}

#[test]
fn every_metric_that_is_named_is_told_and_the_guide_names_all() {
    let exposition = exposition();
    let there = families(&exposition);
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let expressions: Vec<_> = targets.map(|target| target["expr"].as_str().expect("an expression")).collect();
    let expressions = expressions.join("\n");
    assert!(expressions.lines().count() > 30, "the dashboard is built in another way");
    for (name, text) in [("the dashboard", expressions.as_str()), ("the rules", RULES), ("the guide", GUIDE)]
    {
        for metric in named(text) {
            assert!(there.contains(family(metric, &there)), "{name} names {metric}, which is not told");
        }
    }
    let rows = GUIDE.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let rows: BTreeSet<&str> = rows.filter(|name| name.contains('_')).collect();
    let missing: Vec<_> = there.iter().filter(|name| !rows.contains(*name)).collect();
    assert!(missing.is_empty(), "not in templates/docs/monitoring.md: {missing:?}");
}

#[test]
fn both_files_are_served_for_who_reads_the_guide() {
    let app = TestApp::start();
    let client = Client::tcp(app.address());
    for (name, text) in [("grafana-dashboard.json", DASHBOARD), ("prometheus-rules.yml", RULES)] {
        let answer = client.get(&format!("/docs/{name}")).expect(200);
        assert_eq!(answer.text(), text);
        assert!(answer.header("content-disposition").is_some_and(|value| value.contains(name)));
    }
}

#[test]
fn the_command_of_the_guide_makes_an_alert() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Start::on(&dir.path().join("data")).with("POSTRIDER_API_KEY", KEY).start();
    let script = guide::block(GUIDE, "sh alert").replace("localhost:8383", &server.address.to_string());
    let made: Value = serde_json::from_str(&guide::run(&script, dir.path())).expect("JSON");
    assert_eq!((&made["kind"], &made["name"]), (&json!("email"), &json!("On call")));
}
