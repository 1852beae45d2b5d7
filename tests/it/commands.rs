//! Commands on a data directory, while a server runs on it and while none does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use tempfile::TempDir;

use crate::support::app::KEY;
use crate::support::client::Client;
use crate::support::process::{Ended, PATIENCE, Process};
use crate::support::program::program;
use crate::support::server::{Server, Start};

const OTHER_KEY: &str = "pr_zyxwvutsrqponmlkjihgfedcba";

fn folder() -> (TempDir, PathBuf) {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let data = temp.path().join("data");
    (temp, data)
}

fn command(data: &Path, words: &str) -> Command {
    let mut command = program();
    command.args(words.split_whitespace()).arg("--data").arg(data);
    command
}

/// Runs a command; how it has ended.
#[track_caller]
fn run(data: &Path, words: &str) -> Ended {
    Process::spawn(&mut command(data, words)).wait_for_end(PATIENCE)
}

/// Runs a command that has to succeed; what it has printed.
#[track_caller]
fn done(data: &Path, words: &str) -> String {
    let ended = run(data, words);
    assert!(ended.status.success(), "{words}: {ended:?}");
    ended.out.trim_end().to_owned()
}

/// Runs a command that has to fail with one sentence.
#[track_caller]
fn fails(data: &Path, words: &str, code: i32) -> String {
    let ended = run(data, words);
    assert_eq!((ended.status.code(), ended.out.as_str()), (Some(code), ""), "{words}: {ended:?}");
    ended.err
}

/// A data directory that no server has open any more.
fn used_folder() -> (TempDir, PathBuf) {
    let (temp, data) = folder();
    Server::on(&data).stop();
    (temp, data)
}

/// The status that a request with this key is answered with.
fn status_with(server: &Server, key: &str) -> u16 {
    Client::tcp(server.address).with_key(key).get("/api/v1/endpoints").status
}

/// Who did what, in the audit log of a data directory.
fn audit(data: &Path, action: &str) -> Vec<String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let database = Connection::open_with_flags(data.join("postrider.db"), flags).expect("a database");
    let mut rows =
        database.prepare("SELECT actor FROM audit WHERE action = ?1 ORDER BY id").expect("a query");
    let actors = rows.query_map([action], |row| row.get(0)).expect("rows");
    actors.map(|actor| actor.expect("an actor")).collect()
}

fn own_name() -> String {
    let output = Command::new("id").arg("-u").output().expect("id can be started");
    format!("cli:{}", String::from_utf8_lossy(&output.stdout).trim())
}

fn id_of(data: &Path, name: &str) -> String {
    let table = done(data, "keys list");
    let line = table.lines().find(|line| line.contains(name)).expect("a line with the name");
    line.split_whitespace().next().expect("an id").to_owned()
}

#[test]
fn a_key_is_made_and_revoked_through_a_running_server() {
    let (_temp, data) = folder();
    let server = Server::on(&data);
    let key = done(&data, "keys create --name deploy --scopes endpoints:read,events:write");
    assert!(key.starts_with("pr_") && key.lines().count() == 1, "{key}");
    assert_eq!(status_with(&server, &key), 200);
    let table = done(&data, "keys list");
    assert!(table.contains("deploy") && !table.contains(&key), "{table}");
    let made_by = audit(&data, "key.create");
    assert_eq!(
        made_by,
        ["system".to_owned(), own_name()],
        "the environment's, and the socket says who it was"
    );

    let id = id_of(&data, "deploy");
    done(&data, &format!("keys revoke {id}"));
    assert_eq!(status_with(&server, &key), 401);
    assert_eq!(audit(&data, "key.revoke"), [own_name()]);
    assert!(!done(&data, "keys list").contains("deploy"));
    assert!(fails(&data, &format!("keys revoke {id}"), 1).contains(&id));
    server.stop();
}

#[test]
fn a_key_is_made_and_revoked_where_no_server_runs() {
    let (_temp, data) = used_folder();
    let kept = done(&data, "keys create --name kept --scopes endpoints:read");
    let revoked = done(&data, "keys create --name revoked --scopes endpoints:read");
    done(&data, &format!("keys revoke {}", id_of(&data, "revoked")));
    assert!(!data.join("postrider.sock").exists(), "a command leaves no socket");
    assert_eq!(audit(&data, "key.create"), ["system".to_owned(), own_name(), own_name()]);
    let server = Server::on(&data);
    assert_eq!((status_with(&server, &kept), status_with(&server, &revoked)), (200, 401));
    server.stop();
}

#[test]
fn commands_that_meet_wait_for_each_other() {
    let (_temp, data) = used_folder();
    let start =
        |n: i32| Process::spawn(&mut command(&data, &format!("keys create --name k{n} --scopes admin")));
    let commands: Vec<_> = (0..6).map(start).collect();
    for mut command in commands {
        let ended = command.wait_for_end(PATIENCE);
        assert!(ended.status.success(), "{ended:?}");
    }
    assert_eq!(done(&data, "keys list").lines().count(), 1 + 1 + 6);
}

#[test]
fn the_key_of_the_environment_counts_at_the_first_start_only() {
    let (_temp, data) = folder();
    let server = Server::on(&data);
    assert_eq!((status_with(&server, KEY), status_with(&server, OTHER_KEY)), (200, 401));
    let id = server.get("/keys")["data"][0]["id"].as_str().expect("an id").to_owned();
    server.stop();

    let server = Start::on(&data).with("POSTRIDER_API_KEY", OTHER_KEY).start();
    assert_eq!((status_with(&server, KEY), status_with(&server, OTHER_KEY)), (200, 401));
    done(&data, &format!("keys revoke {id}"));
    server.stop();

    let server = Server::on(&data);
    assert_eq!(status_with(&server, KEY), 401, "what was revoked does not come back");
    server.stop();
}

#[test]
fn the_text_of_a_key_is_neither_stored_nor_logged() {
    let (_temp, data) = folder();
    let mut server = Start::on(&data).flag("--log-format").flag("json").start();
    let made = done(&data, "keys create --name shy --scopes endpoints:read,endpoints:write");
    let client = Client::tcp(server.address).with_key(&made);
    let answer = client.post(
        "/api/v1/endpoints",
        &json!({ "url": "http://127.0.0.1:1025/", "headers": { "Authorization": "hush-hush-header" } }),
    );
    let secret = answer.expect(201).json()["secret"].as_str().expect("a secret").to_owned();
    let hidden = [KEY, &made, &secret, &secret["whsec_".len()..], "hush-hush-header"];
    let search = |log: &str| {
        for file in fs::read_dir(&data).expect("a directory") {
            let path = file.expect("an entry").path();
            // The socket and the folder of backups hold nothing.
            let Ok(bytes) = fs::read(&path) else { continue };
            for text in hidden {
                let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
                assert!(!found, "{text:?} is in {}", path.display());
            }
        }
        for text in hidden {
            assert!(!log.contains(text), "{text:?} is in the log:\n{log}");
        }
    };
    search(&server.process.log());
    let ended = server.process.kill();
    search(&ended.err);
    let ended = Server::on(&data).stop();
    search(&ended.err);
    assert!(
        fs::read(data.join("secret.key")).is_ok_and(|bytes| !bytes.is_empty()),
        "the search has read the files"
    );
}

#[test]
fn a_cleanup_can_be_tried_and_run_with_and_without_a_server() {
    let (_temp, data) = folder();
    let server = Server::on(&data);
    let publish = || server.publish(&json!({ "n": 1 })).expect(202).json();
    let event = publish();
    let tried = run(&data, "cleanup --older-than 1d --dry-run");
    assert!(tried.status.success() && tried.err.starts_with("Nothing was deleted"), "{tried:?}");
    let path = format!("/api/v1/events/{}", event["id"].as_str().expect("an id"));
    server.client.get(&path).expect(200);
    server.stop();

    let tried = run(&data, "cleanup --older-than 1d --dry-run");
    assert!(tried.status.success() && tried.err.starts_with("Nothing was deleted"), "{tried:?}");
    let cleaned = run(&data, "cleanup --older-than 30d");
    assert!(cleaned.status.success() && cleaned.err.starts_with("Cleaned up:"), "{cleaned:?}");
    let server = Server::on(&data);
    server.client.get(&path).expect(200);
    let cleaned = run(&data, "cleanup --older-than 30d");
    assert!(cleaned.status.success(), "{cleaned:?}");
    assert_eq!(audit(&data, "cleanup.run"), [own_name(), own_name()]);
    let kept = server.get("/cleanups");
    let by: Vec<_> = kept["data"].as_array().expect("a list").iter().map(|cleanup| &cleanup["by"]).collect();
    assert_eq!(by, [own_name().as_str(), own_name().as_str()], "trials are not kept");
    server.stop();
}

#[test]
fn a_command_says_what_is_wrong() {
    let (_temp, data) = folder();
    for words in ["keys list", "keys create --name x --scopes admin", "cleanup", "attention"] {
        let says = fails(&data, words, 1);
        assert!(
            says.contains("there is no Postrider database in") && says.contains("postrider serve"),
            "{says}"
        );
        let by_variable =
            program().args(words.split(' ')).env("POSTRIDER_DATA", &data).output().expect("a program");
        assert_eq!((by_variable.status.code(), by_variable.stdout.len()), (Some(1), 0), "{words}");
        assert_eq!(String::from_utf8_lossy(&by_variable.stderr), says, "{words}");
    }
    assert!(!data.exists(), "a typing error makes no directory");
    let (_temp, data) = used_folder();
    let says = fails(&data, "keys create --name x --scopes fly", 1);
    assert!(
        says.starts_with("postrider: --scopes, entry 1 must be one of") && says.lines().count() == 1,
        "{says}"
    );
    assert!(fails(&data, "keys create --name x --scopes admin --tenant acme", 1).contains("tenant"));
    assert!(fails(&data, "keys revoke evt_0000000000001", 2).contains("is not the id of a key"));
    assert!(fails(&data, "keys revoke key_0000000000001", 1).contains("key_0000000000001"));
}

#[test]
fn every_wrong_setting_is_named_and_exits_with_2() {
    let (_temp, data) = folder();
    let cases = [
        ("--listen", "POSTRIDER_LISTEN", "8383"),
        ("--public-url", "POSTRIDER_PUBLIC_URL", "hooks"),
        ("--allow-net", "POSTRIDER_ALLOW_NET", "10.0.0.0/8,"),
        ("--egress-proxy", "POSTRIDER_EGRESS_PROXY", "proxy:3128"),
        ("--extra-ca", "POSTRIDER_EXTRA_CA", "/nowhere/ca.pem"),
        ("--trusted-proxy", "POSTRIDER_TRUSTED_PROXY", "10.0.0.0/8:80"),
        ("--delivery-threads", "POSTRIDER_DELIVERY_THREADS", "0"),
        ("--log-format", "POSTRIDER_LOG_FORMAT", "xml"),
        ("--log-level", "POSTRIDER_LOG_LEVEL", "loud"),
        ("", "POSTRIDER_ALLOW_HTTP", "maybe"),
        ("", "POSTRIDER_DEV", "2"),
        ("", "POSTRIDER_NO_CHECKPOINT", "x"),
        ("", "POSTRIDER_API_KEY", "pr_short"),
        ("", "POSTRIDER_ADMIN_EMAIL", "nobody"),
        ("", "POSTRIDER_ADMIN_PASSWORD", "short"),
    ];
    let refused = |command: &mut Command, variable: &str| {
        let ended = Process::spawn(command).wait_for_end(PATIENCE);
        assert_eq!(ended.status.code(), Some(2), "{variable}: {ended:?}");
        assert!(ended.err.contains(variable), "{variable}: {ended:?}");
        assert!(!ended.err.contains("pr_short"), "a secret is not repeated: {ended:?}");
    };
    for (flag, variable, value) in cases {
        refused(command(&data, "serve").env(variable, value), variable);
        if !flag.is_empty() {
            refused(command(&data, "serve").arg(flag).arg(value), variable);
        }
    }
    let mut serve = command(&data, "serve");
    serve.envs([("POSTRIDER_LISTEN", "x"), ("POSTRIDER_LOG_LEVEL", "loud"), ("POSTRIDER_DEV", "2")]);
    let ended = Process::spawn(&mut serve).wait_for_end(PATIENCE);
    assert_eq!((ended.status.code(), ended.err.matches("error: --").count()), (Some(2), 3), "{ended:?}");
    refused(command(&data, "serve --dev").arg("--listen").arg("0.0.0.0:0"), "POSTRIDER_DEV");
    for words in
        ["serve --verbose", "serve now", "fly", "keys", "keys create --name x", "cleanup --older-than 30"]
    {
        assert!(!fails(&data, words, 2).is_empty(), "{words}");
    }
    assert!(!data.exists(), "nothing is made for a command that cannot be read");
}

#[test]
fn commands_find_an_installed_server_and_what_makes_a_directory_does_not_go_there() {
    let (temp, data) = folder();
    let server = Server::on(&data);
    server.endpoint("http://127.0.0.1:1025/", &json!({ "uid": "the-shop" }));
    server.stop();
    done(&data, &format!("backup {}", temp.path().join("a.db").display()));
    let installed = |words: &str| {
        let script = "mount -t tmpfs none /var/lib && cp -a \"$0\" /var/lib/postrider && exec \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", script]).arg(&data);
        command.arg(program().get_program()).args(words.split_whitespace()).current_dir(temp.path());
        Process::spawn(&mut command).wait_for_end(PATIENCE)
    };
    let ended = installed("endpoints list");
    assert!(ended.status.success() && ended.out.contains("the-shop"), "{ended:?}");
    let ended = installed("restore a.db");
    assert!(ended.err.contains("there is no ./postrider-data/secret.key"), "{ended:?}");
    fs::create_dir(temp.path().join("postrider-data")).expect("a folder");
    let ended = installed("endpoints list");
    assert!(ended.err.contains("there is no Postrider database in \"./postrider-data\""), "{ended:?}");
}
