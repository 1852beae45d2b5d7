//! `postrider doctor`: what it finds, while a server runs and while none does, and what its bundle does not hold.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::process::{PATIENCE, Process};
use crate::support::program::program;
use crate::support::receiver::{Receiver, Reply};
use crate::support::server::{Server, Start};

fn folder() -> (TempDir, PathBuf) {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = temp.path().join("data");
    (temp, data)
}

fn doctor(data: &Path, words: &[&str]) -> Command {
    let mut command = program();
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(name);
    }
    command.arg("doctor").arg("--data").arg(data).args(words);
    command
}

/// What it has found, and its exit code.
#[track_caller]
fn examine(data: &Path, words: &[&str]) -> (i32, Value) {
    let ended = Process::spawn(doctor(data, words).arg("--json")).wait_for_end(PATIENCE);
    let found = serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    (ended.status.code().expect("a code"), found)
}

/// A line of what was found.
#[track_caller]
fn line<'a>(found: &'a Value, check: &str) -> &'a Value {
    let all = found["checks"].as_array().expect("a list");
    all.iter().find(|line| line["check"] == check).unwrap_or_else(|| panic!("no {check} in {found:#}"))
}

#[track_caller]
fn assert_line(found: &Value, check: &str, grade: &str, says: &str) {
    let line = line(found, check);
    assert!(
        line["grade"] == grade && line["says"].as_str().is_some_and(|said| said.contains(says)),
        "{line:#}"
    );
    assert_eq!(line["todo"].is_null(), grade == "ok", "{line:#}");
}

/// Every file of a data directory, with what is in it and when it was changed.
fn state(data: &Path) -> Vec<(PathBuf, Vec<u8>, std::time::SystemTime)> {
    let mut all: Vec<_> = fs::read_dir(data)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            (
                path.clone(),
                fs::read(&path).unwrap_or_default(),
                fs::metadata(&path).expect("it").modified().expect("a time"),
            )
        })
        .collect();
    all.sort();
    all
}

#[test]
fn a_server_that_runs_is_looked_at_and_asked() {
    let (_temp, data) = folder();
    let server = Server::on(&data);
    let (code, found) = examine(&data, &[]);
    assert!(code == 1 && found["grade"] == "warning", "nobody can sign in yet: {found:#}");
    let pid = format!("process {} runs it and is ready", server.process.pid());
    for (check, says) in [
        ("server", pid.as_str()),
        ("folder", "is private"),
        ("owner", "all belongs to user"),
        ("key", "secret.key is that of the database"),
        ("backups", "makes the first"),
        ("schema", "as this program writes it"),
        ("integrity", "is sound"),
        ("endpoints", "none of 0 fails"),
        ("backlog", "0 deliveries wait"),
        ("descriptors", "the server may open"),
        ("authorities", "public ones"),
        ("proxy", "directly"),
        ("config", "can be used"),
        ("version", "postrider 0."),
    ] {
        assert_line(&found, check, "ok", says);
    }
    assert_line(&found, "operators", "warning", "nobody can sign in");
    let todo = line(&found, "operators")["todo"].as_str().expect("what to do");
    assert!(todo.starts_with("open the link that the server has printed"), "{todo}");
    let text = Process::spawn(&mut doctor(&data, &[])).wait_for_end(PATIENCE);
    assert!(text.out.starts_with("ok       version") && !text.out.contains('\u{1b}'), "{text:?}");
    server.stop();
}

#[test]
fn nothing_is_written_where_no_server_runs() {
    let (_temp, data) = folder();
    Server::on(&data).stop();
    let before = state(&data);
    let (_, found) = examine(&data, &[]);
    assert_line(&found, "server", "ok", "none runs");
    assert_line(&found, "integrity", "ok", "is sound");
    assert!(state(&data) == before, "a look changes nothing");
    let (code, found) = examine(&data.join("typo"), &[]);
    assert_eq!(code, 2);
    assert_line(&found, "folder", "error", "there is no folder");
    assert!(!data.join("typo").exists());
}

#[test]
fn a_server_that_was_killed_leaves_a_warning_and_its_files_as_they_are() {
    let (_temp, data) = folder();
    let mut server = Server::on(&data);
    server.publish(&json!(1)).expect(202);
    server.process.kill();
    let before = state(&data);
    let (_, found) = examine(&data, &[]);
    assert_line(&found, "database", "warning", "ended without closing the file");
    assert!(state(&data) == before, "a look changes nothing");
}

#[test]
fn what_is_wrong_with_the_files_is_told() {
    let (_temp, data) = folder();
    Server::on(&data).stop();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).expect("a mode");
    fs::set_permissions(data.join("postrider.db"), fs::Permissions::from_mode(0o644)).expect("a mode");
    let lock = data.join("postrider.lock");
    // Only root can give a file away.
    if std::os::unix::fs::chown(&lock, Some(65_534), None).is_ok() {
        let (_, found) = examine(&data, &[]);
        let todo = line(&found, "owner")["todo"].as_str().expect("what to do");
        assert!(todo.contains(&format!("chown 0 {}`", lock.display())), "{todo}");
        std::os::unix::fs::chown(&lock, Some(0), None).expect("given back");
    }
    let key = fs::read(data.join("secret.key")).expect("a key");
    fs::remove_file(data.join("secret.key")).expect("removed");
    let (code, found) = examine(&data, &[]);
    assert_eq!(code, 2);
    assert_line(&found, "folder", "warning", "postrider.db has 644 instead of 600");
    assert_line(&found, "key", "error", "secret.key is missing");
    fs::write(data.join("secret.key"), "garbage").expect("written");
    assert_line(&examine(&data, &[]).1, "key", "error", "secret.key is damaged");
    fs::write(data.join("secret.key"), key).expect("written");

    let database = data.join("postrider.db");
    let mut bytes = fs::read(&database).expect("a file");
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..].fill(0xa5);
    fs::write(&database, bytes).expect("written");
    let (code, found) = examine(&data, &[]);
    let damaged = found["checks"].as_array().expect("a list").iter().any(|line| {
        line["grade"] == "error" && (line["check"] == "integrity" || line["check"] == "database")
    });
    assert!(code == 2 && damaged, "{found:#}");
}

#[test]
fn a_key_of_another_database_is_told_whether_a_server_runs_or_not() {
    let (temp, data) = folder();
    let other = temp.path().join("other");
    for folder in [&data, &other] {
        Server::on(folder).stop();
    }
    let server = Server::on(&data);
    fs::copy(other.join("secret.key"), data.join("secret.key")).expect("a key");
    assert_line(&examine(&data, &[]).1, "key", "error", "not the one that the database was made with");
    server.stop();
    let (code, found) = examine(&data, &[]);
    assert_eq!(code, 2);
    assert_line(&found, "key", "error", "not the one that the database was made with");
}

#[test]
fn a_port_that_another_program_has_is_told_before_a_server_is_started() {
    let (_temp, data) = folder();
    Server::on(&data).stop();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let look = |listen: &str| {
        let mut command = doctor(&data, &["--json"]);
        let ended = Process::spawn(command.env("POSTRIDER_LISTEN", listen)).wait_for_end(PATIENCE);
        serde_json::from_str::<Value>(&ended.out).expect("JSON")
    };
    assert_line(&look(&address), "port", "error", &format!("no server can listen on {address}"));
    assert_line(&look("127.0.0.1:0"), "port", "ok", "a server can listen on 127.0.0.1:0");
}

#[test]
fn endpoints_that_fail_and_variables_that_are_ignored_are_told() {
    let (_temp, data) = folder();
    let server = Server::on(&data);
    let receiver = Receiver::start();
    let endpoint = json!({ "url": receiver.url("/"), "events": ["*"], "uid": "shop" });
    server.post("/endpoints", &endpoint).expect(201);
    server.post("/endpoints/shop/disable", &json!({})).expect(200);
    server.publish(&json!(1)).expect(202);
    fs::write(data.join("backups/today.db"), "x").expect("a file");
    let ended = Process::spawn(
        doctor(&data, &["--json"]).env("HTTPS_PROXY", "http://proxy:3128").env("POSTRIDER_LISTEN", "8383"),
    )
    .wait_for_end(PATIENCE);
    let found: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_line(&found, "endpoints", "ok", "disabled by hand: 1");
    assert_line(&found, "held", "warning", "held for disabled endpoints: 1; the oldest for ");
    assert_line(&found, "held", "warning", ", and after 30 days the cleanup deletes it");
    assert_line(&found, "proxy", "warning", "HTTPS_PROXY are set, and Postrider ignores them");
    assert_line(&found, "config", "error", "POSTRIDER_LISTEN");
    assert_line(&found, "backups", "ok", "today.db");
    assert_eq!(ended.status.code(), Some(2));
    server.stop();
}

#[test]
fn the_way_to_a_receiver_is_tried_phase_by_phase() {
    let (_temp, data) = folder();
    Server::on(&data).stop();
    let receiver = Receiver::start();
    receiver.always(Reply::status(204).header("Date", "Thu, 01 Jan 2026 00:00:00 GMT"));
    let url = receiver.url("/?token=hush");
    let ended = Process::spawn(doctor(&data, &["--json", "--url", &url]).env("POSTRIDER_DEV", "1"))
        .wait_for_end(PATIENCE);
    let found: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_line(&found, "egress", "ok", "answered 204: tcp ");
    assert_line(&found, "date", "error", "ahead of the receiver's");
    assert!(!ended.out.contains("hush"), "{}", ended.out);
    let (code, found) = examine(&data, &["--url", "https://127.0.0.1:1025/"]);
    assert_eq!(code, 2);
    assert_line(&found, "egress", "error", "127.0.0.0/8");
    let (_, found) = examine(&data, &["--url", &url]);
    assert_line(&found, "egress", "error", "https");
}

#[test]
fn the_bundle_has_no_secrets() {
    let (temp, data) = folder();
    let canary = |place: &str| format!("canary-{place}-4f1c");
    let server = Start::on(&data)
        .with("POSTRIDER_ADMIN_EMAIL", "canary-email-4f1c@example.com")
        .with("POSTRIDER_ADMIN_PASSWORD", &canary("password"))
        .start();
    let receiver = Receiver::start();
    receiver.always(Reply::status(500).body(canary("answer").as_bytes()));
    let url = receiver.url(&format!("/{}?token={}", canary("path"), canary("query")));
    let endpoint = json!({
        "url": url, "events": ["*"], "uid": canary("uid"), "tenant": canary("tenant"), "secret": canary("secret-0123456789abcdef"),
        "headers": { "Authorization": canary("header") }, "description": canary("description"),
        "metadata": { "a": canary("metadata") }, "filters": { "x": canary("filter") },
    });
    let made = server.post("/endpoints", &endpoint).expect(201).json();
    let key = server.post("/keys", &json!({ "name": canary("key"), "scopes": ["admin"] })).expect(201).json();
    let event = json!({ "type": "a", "data": { "x": canary("filter"), "y": canary("data") }, "tenant": canary("tenant") });
    server.post("/events", &event).expect(202);
    receiver.next();
    let bundle = temp.path().join("support.tar");
    let mut command = doctor(&data, &["--url", &url, "--bundle", bundle.to_str().expect("a path")]);
    let proxy = format!("http://user:{}@127.0.0.1:1/", canary("proxy"));
    let ended = Process::spawn(
        command
            .env("POSTRIDER_DEV", "1")
            .env("POSTRIDER_API_KEY", "pr_canary-variable-4f1c-0123456789")
            .env("HTTP_PROXY", proxy),
    )
    .wait_for_end(PATIENCE);
    assert!(ended.err.contains("The support bundle is "), "{ended:?}");
    assert_eq!(fs::metadata(&bundle).expect("a bundle").permissions().mode() & 0o777, 0o600);
    let text = fs::read(&bundle).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).expect("a bundle");
    for file in [
        "doctor.txt",
        "doctor.json",
        "config.txt",
        "settings.json",
        "counts.txt",
        "schema.sql",
        "metrics.txt",
    ] {
        assert!(text.contains(&format!("postrider-support/{file}")), "{file}");
    }
    assert!(
        text.contains("retention_days")
            && text.contains("CREATE TABLE")
            && text.contains("POSTRIDER_API_KEY: set")
    );
    let secret_key = fs::read_to_string(data.join("secret.key")).expect("a key");
    let whole = [made["secret"].as_str(), key["key"].as_str(), Some(secret_key.trim())];
    for hidden in whole.into_iter().flatten().chain(["canary", "4f1c", "whsec_", "pr_"]) {
        assert!(!text.contains(hidden), "{hidden} is in the bundle:\n{text}");
    }
    let again = Process::spawn(&mut doctor(&data, &["--bundle", bundle.to_str().expect("a path")]))
        .wait_for_end(PATIENCE);
    assert!(
        again.status.code() == Some(2) && again.out.contains("cannot be written"),
        "nothing is overwritten: {again:?}"
    );
    server.stop();
}
