//! Backups that cannot be made, or are not wanted any more.

use std::fs;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::process::{self, PATIENCE};
use crate::support::server::{Server, Start};

use super::{fails, files, folder};

#[test]
fn one_that_would_fill_the_disk_is_not_begun() {
    let (_temp, data) = folder();
    Server::on(&data).stop();
    let file = Connection::open(data.join("postrider.db")).expect("a database");
    file.execute_batch("CREATE TABLE filling (x); INSERT INTO filling VALUES (zeroblob(6000000))")
        .expect("rows");
    drop(file);
    let mount = "mount -t tmpfs -o size=4m,mode=700 none \"$0/backups\" && exec \"$@\"";
    let path = data.to_str().expect("a path");
    let server =
        Start::on(&data).under(&["unshare", "--map-root-user", "--mount", "sh", "-c", mount, path]).start();
    let said = fails(&data, &["backup"]);
    assert!(said.contains("there is not enough room") && said.contains("backups_keep"), "{said}");
    assert_eq!(server.readiness().0, 200);
    let last = &server.get("/backups")["data"][0];
    assert_eq!((&last["status"], &last["file"]), (&json!("failed"), &Value::Null));
    assert!(server.get("/attention")["data"].is_array());
    let log = server.stop().err;
    assert!(log.contains("backup failed; the ones before it are kept"), "{log}");
}

/// A server whose backups take long: each sync of the copy does.
fn slow(data: &std::path::Path) -> Server {
    let part = data.join("backups/unfinished.part");
    let part = part.to_str().expect("a path");
    let inject = "inject=fdatasync:delay_enter=200000";
    let words = [
        "strace",
        "-D",
        "-I2",
        "-f",
        "-q",
        "-o",
        "/dev/null",
        "-e",
        "trace=fdatasync",
        "-e",
        inject,
        "-P",
        part,
    ];
    Start::on(data).under(&words).start()
}

#[test]
fn one_at_a_time_is_made_and_it_can_be_canceled() {
    let (_temp, data) = folder();
    Server::on(&data).stop();
    let file = Connection::open(data.join("postrider.db")).expect("a database");
    file.execute_batch("CREATE TABLE filling (x); INSERT INTO filling VALUES (zeroblob(60000000))")
        .expect("rows");
    drop(file);
    let server = slow(&data);
    let begun = server.post("/backups", &json!({})).expect(202).json();
    let second = server.post("/backups", &json!({})).expect(409).json();
    assert_eq!(second["code"], "backup_running");
    let path = format!("/backups/{}", begun["id"].as_str().expect("an id"));
    let seen = process::until("some progress", PATIENCE, || {
        let seen = server.get(&path);
        (seen["percent"].as_u64() > Some(0)).then_some(seen)
    });
    assert_eq!((&seen["status"], &seen["stage"]), (&json!("running"), &json!("copying")));
    for n in 0..20 {
        server.publish(&json!(n)).expect(202);
    }
    server.post(&format!("{path}/cancel"), &json!({})).expect(202);
    let ended = process::until("its end", PATIENCE, || {
        let seen = server.get(&path);
        (seen["status"] != "running").then_some(seen)
    });
    assert_eq!(ended["status"], "canceled");
    assert!(ended["error"].as_str().expect("a reason").starts_with("canceled by key:"), "{ended}");
    assert_eq!(files(&data), Vec::<String>::new());
    assert_eq!(server.get("/audit?action=backup.cancel")["data"][0]["target"], begun["id"]);
    // A stop waits for none.
    server.post("/backups", &json!({})).expect(202);
    server.stop();
    assert_eq!(files(&data), Vec::<String>::new());
    let server = Server::on(&data);
    assert_eq!(server.get("/backups")["data"][0]["status"], "failed");
    server.stop();
    assert!(fs::read_dir(&data).expect("a folder").count() > 2);
}
