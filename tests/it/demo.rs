//! `postrider demo`: within a minute a person sees all that there is to see, and afterwards it is gone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::support::client::Client;
use crate::support::process::{PATIENCE, Process, until};
use crate::support::program::program;

const MINUTE: Duration = Duration::from_mins(1);

fn start(words: &[&str]) -> (Process, Client, PathBuf) {
    let process = Process::spawn(program().arg("demo").args(words));
    let console = process.line("console: http://").expect("an address");
    let data = PathBuf::from(process.line("data:    ").expect("a folder"));
    let client = Client::unix(data.join("postrider.sock"));
    let link = process.line("sign in: ").expect("a link");
    let path =
        link.strip_prefix(&format!("http://{}", console.trim_end_matches('/'))).expect("on the console");
    client.get(path).expect(200);
    (process, client, data)
}

/// The rows of a list.
fn rows(client: &Client, path: &str) -> Vec<Value> {
    client.get(&format!("/api/v1{path}")).expect(200).json()["data"].as_array().expect("a list").clone()
}

/// Waits until a list has a row that is so; that row.
#[track_caller]
fn seen(client: &Client, what: &str, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    until(what, MINUTE, || rows(client, path).into_iter().find(|row| is_so(row)))
}

#[track_caller]
fn has_all_tenants(client: &Client) {
    let tenants = rows(client, "/tenants");
    for name in ["acme-books", "nordwind", "pixelworks", "lumen"] {
        assert!(tenants.iter().any(|tenant| tenant["tenant"] == name), "{name} is not in {tenants:?}");
    }
}

/// Ends it as Ctrl-C does.
#[track_caller]
fn interrupt(mut process: Process) {
    process.signal("INT");
    let ended = process.wait_for_end(PATIENCE);
    assert!(ended.status.success(), "{ended:?}");
}

fn created_at(row: &Value) -> String {
    row["created_at"].as_str().expect("a time").to_owned()
}

#[test]
fn deliveries_retries_a_disabled_endpoint_and_a_replay_are_seen_and_then_it_is_gone() {
    let (process, client, data) = start(&[]);
    let newest = created_at(&rows(&client, "/deliveries?limit=1")[0]);
    seen(&client, "a live delivery", "/deliveries?status=delivered&limit=250", |row| {
        created_at(row) > newest
    });
    seen(&client, "a retry", "/deliveries?status=retrying&limit=250", |row| {
        row["attempts"].as_i64() > Some(0)
    });
    let gone = seen(&client, "an endpoint that is gone", "/endpoints?limit=250", |row| {
        row["disabled_reason"] == "gone"
    });
    let shown = process.line("replay:  http://").expect("the page of the replay");
    let id = shown.split('/').nth(2).expect("an endpoint");
    assert!(shown.contains(&format!("/endpoints/{id}/replay,")), "{shown}");
    assert_eq!(client.get(&format!("/api/v1/endpoints/{id}")).expect(200).json()["uid"], "meter");
    let held = format!("/endpoints/{}/deliveries?status=held", gone["id"].as_str().expect("an id"));
    seen(&client, "a held delivery", &held, |row| row["held_reason"] == "endpoint_disabled");
    let replay = seen(&client, "a replay", "/replays", |row| row["status"] == "done");
    assert!(replay["matched"].as_i64() > Some(10), "{replay}");

    let endpoints = rows(&client, "/endpoints?limit=250");
    for format in ["standard", "stripe", "github", "cloudevents"] {
        assert!(endpoints.iter().any(|row| row["format"] == format), "{format}");
    }
    assert!(
        endpoints.iter().any(|row| row["disabled_reason"] == "failing"),
        "days of failing have disabled one"
    );
    has_all_tenants(&client);
    let types = rows(&client, "/event-types");
    assert_eq!(types.len(), 8, "{types:?}");
    for kind in types {
        let name = kind["name"].as_str().expect("a name");
        let entry = client.get(&format!("/api/v1/event-types/{name}")).expect(200).json();
        assert!(entry["example"].is_object(), "{entry}");
    }

    interrupt(process);
    assert!(!data.exists());
}

#[test]
fn there_are_days_of_history_on_the_plots() {
    let (process, client, _data) = start(&[]);
    let shop = "/api/v1/endpoints/shop/stats?window=7d&tenant=acme-books";
    let stats = client.get(shop).expect(200).json();
    let busy =
        |point: &&Value| point.as_object().is_some_and(|point| point.values().any(|v| v.as_i64() > Some(0)));
    let points = stats["series"].as_array().expect("a series").iter().filter(busy).count();
    assert!(points >= 5, "{stats}");
    interrupt(process);
}

#[test]
fn backups_and_cleanups_of_the_history_were_all_made() {
    let (process, client, _data) = start(&[]);
    for list in ["/backups", "/cleanups"] {
        let nights = rows(&client, list);
        assert!(nights.len() >= 5, "{list}: {nights:?}");
        for night in nights {
            assert!(night["ended_at"].is_string() && night["error"].is_null(), "{list}: {night}");
            // The clock stood still meanwhile.
            assert_eq!(night["ended_at"], night["started_at"], "{list}: {night}");
        }
    }
    let attention = rows(&client, "/attention");
    assert!(attention.iter().all(|item| item["endpoint"].is_object()), "{attention:?}");
    interrupt(process);
}

#[test]
fn a_folder_that_is_kept_can_be_served_afterwards() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let kept = temp.path().join("kept");
    let (process, _client, data) = start(&["--keep", kept.to_str().expect("a path")]);
    assert_eq!(data, kept);
    interrupt(process);
    let server = crate::support::server::Server::on(&kept);
    let local = Client::unix(kept.join("postrider.sock"));
    has_all_tenants(&local);
    server.stop();
    refuses(&kept);
}

#[track_caller]
fn refuses(kept: &Path) {
    let mut process = Process::spawn(program().args(["demo", "--keep"]).arg(kept));
    let ended = process.wait_for_end(PATIENCE);
    assert!(!ended.status.success() && ended.err.contains("is there already"), "{ended:?}");
    assert!(kept.join("postrider.db").exists(), "and it is left alone");
}

#[test]
fn a_port_that_is_in_use_is_told_before_days_have_passed() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let mut process = Process::spawn(program().args(["demo", "--port", &port]));
    let ended = process.wait_for_end(PATIENCE);
    assert!(!ended.status.success() && ended.err.contains("name another port with --port"), "{ended:?}");
    assert!(!ended.err.contains("days pass"), "{ended:?}");
}

#[test]
fn an_impatient_person_leaves_nothing_behind_either() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let mut process = Process::spawn(program().arg("demo").env("TMPDIR", temp.path()));
    process.wait_for_log("days pass", 1);
    until("a folder", PATIENCE, || {
        folder_in(temp.path()).filter(|folder| folder.join("postrider.sock").exists())
    });
    process.signal("INT");
    let ended = process.wait_for_end(PATIENCE);
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(folder_in(temp.path()), None);
}

fn folder_in(temp: &Path) -> Option<PathBuf> {
    std::fs::read_dir(temp).expect("a folder").next().map(|entry| entry.expect("an entry").path())
}
